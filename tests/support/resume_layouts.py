"""Resume layouts of the redaction corpus: format strings over the fields of `corpus.Person`."""

BODY = """{heading_summary}
{title} with {years} years of experience in {skill0} and {skill1}. Known for clear writing.

{heading_experience}
{title}, {employer0}, {city} - Jan 2016 to Present
- Built services with {skill2}, {skill3} and {skill4}; cut costs by 30%.
- Led {pronoun_poss} team of six and reported to the head of delivery.
{title2} | {employer1} | 2011 - 2015
- Used {skill5} and {skill0} every day. {given} was promoted twice.

{heading_education}
{degree} in {field}, {school0}, 2006 - 2010
{school1} - {degree2}, 2011

{heading_skills}
{skill0}, {skill1}, {skill2}, {skill3}, {skill4}, {skill5}, {skill6}, {skill7}
"""

REFERENCES = """
{heading_references}
{referee0}, Director of Engineering, {employer0}, {phone2}
{referee1} - Team lead - {email2}
"""

HEADERS: dict[str, str] = {
    "plain": "{full}\n{title}\n{email} | {phone} | {street}, {city}\n",
    "capitals": "{FULL}\n{street}, {city}\n{phone}\n{email}\n",
    "markdown": "# {full}\n**{title}** - [{email}](mailto:{email}) - {phone}\n",
    "markdown bold": "**{full}** | {email} | {profile}\n",
    "latex": "\\documentclass{{article}}\n\\begin{{document}}\n\\begin{{center}}{{\\Huge {full}}}\\end{{center}}\n{email} \\\\ {phone}\n",
    "moderncv": "\\name{{{given}}}{{{surname}}}\n\\title{{{title}}}\n\\phone[mobile]{{{phone}}}\n\\email{{{email}}}\n",
    "html": "<html><head><title>{full} - Resume</title></head><body>\n<h1>{full}</h1>\n<p>{email}</p>\n",
    "labels": "Name: {full}\nEmail: {email}\nPhone: {phone}\nAddress: {street}, {city}\n",
    "separate labels": "First name: {given}\nLast name: {surname}\nE-mail: {email}\nMobile: {phone}\n",
    "inverted": "{surname}, {given}\n{title}\n{phone} {email}\n",
    "curriculum vitae": "CURRICULUM VITAE\n\n{full}\n{street}\n{city}\n{email}\n",
    "resume of": "Resume of {full}\n{title}\n{phone}\n",
    "middle initial": "{given} M. {surname}\n{title} - {city}\n{email}\n",
    "initial": "{initial}. {surname}\n{title}\n{email}\n",
    "columns": "{full}                    {email}\n{title}                    {phone}\n",
    "pipes": "{full} | {title} | {city} | {phone} | {email}\n",
    "credentials": "{full}, MBA, PMP\n{title}\n{email} · {phone}\n",
    "two lines": "{GIVEN}\n{SURNAME}\n{title}\n{email}\n",
    "json": '{{"basics": {{"name": "{full}", "label": "{title}", "email": "{email}", "phone": "{phone}"}}}}\n',
    "yaml": "name: {full}\nlabel: {title}\nemail: {email}\nurl: {profile}\n",
    "no contact": "{full}\n{title}\n",
    "lower case": "{lower}\n{title}\n{email}\n",
    "title first": "{title}\n{full}\n{city}\n{email} | {phone}\n",
    "photo": "![Photo of {full}](img/{user}.jpg)\n{full}\n{email}\n",
    "file name": "{user}_resume.pdf\n{full}\n{profile} | {phone}\n",
    "letter": "Dear hiring team,\nMy name is {full} and I am a {title}.\n{email}\n",
    "honorific": "{honorific} {full}\n{title}\n{email}\n",
    "profile": "{full} ({pronouns})\n{title} in {city}\n{profile}\n",
    "personal details": "{full}\n{title}\nDate of birth: 12.03.1985\nNationality: {nationality}\nMarital status: single\n{email}\n",
    "flat": "{full} {title} {email} {phone} ",
}

CLOSINGS: dict[str, str] = {
    "none": "",
    "declaration": "\nI declare that the above is true.\n\nSincerely,\n{full}\n",
    "signature": "\n{city}, 12 May\nSigned: {full}\n",
}
