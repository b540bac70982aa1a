"""Full names of eight groups, composed from lists of our own, and texts that hold them.

The names lie outside the counterfactual lists. Many are short, or words too: "Yen Do", "Faith Day", "Luz Rey".
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

GIVEN = {
    "white_female": (
        "Agatha Brigid Cordelia Dorothea Eloise Freya Gretchen Harriet Ingrid Johanna Kirsten Lorna Maeve Nessa "
        "Ottilie Petra Rowena Sigrid Tamsin Ursula Verity Wilhelmina Yvette Zelda Jo Bea Fay Joy Ivy Una Liv Kay "
        "Hope Faith Dawn Iris Heather Jana Svea"
    ),
    "white_male": (
        "Alasdair Barnaby Cormac Dietrich Einar Fergus Gareth Hamish Ivor Jasper Klaus Lachlan Magnus Niall Oleg "
        "Piotr Rufus Sandor Torsten Ulrich Viggo Wojciech Yannick Zoltan Ned Ian Lee Guy Ray Max Sven Rob Al Finn "
        "Cliff Dale Heath Frank Miles"
    ),
    "black_female": (
        "Aaliyah Adaeze Amina Ayesha Chidinma Efua Folake Ife Jamila Makeda Nia Ngozi "
        "Oluchi Precious Rashida Uche Wanjiru Yewande Zainab Zuri Abla Ama Esi Ade Tia Mercy Grace "
        "Patience Blessing Comfort Charity Nala"
    ),
    "black_male": (
        "Abdou Babatunde Chidi Dakarai Emeka Femi Gbenga Ifeanyi Lamar Nnamdi Obinna Pape "
        "Quincy Seun Tariq Uzo Wole Yaw Zuberi Ayo Obi Ike Kofi Kojo Tunde Deon Tyree Marquis Prince King "
        "Sunny Kelechi Issa"
    ),
    "asian_female": (
        "Yen Tam Hue Lan Hoa Thu Bich Dung Xiu Ying Li Na Min Yan Jing Xue Ting Soo-Jin Hye Eun Ji-Won Mi "
        "Bo-Ra Seo-Yeon Aiko Haruka Yui Rin Sakura Lakshmi Anjali Sita Rani Jaya"
    ),
    "asian_male": (
        "Tam An Duc Minh Hung Long Quan Son Tin Wei Bo Jun Lei Gang Hao Peng Feng Xin Da Min-Jun Ho Joon Tae-Woo "
        "Sang Ki Haruto Kenji Ren Sho Daiki Go Om Raj Jai"
    ),
    "hispanic_female": (
        "Paz Sol Mar Yolotzin Guadalupe Dolores Hortensia "
        "Inmaculada Jimena Pilar Remedios Soledad Trinidad Ursulina Vianney "
        "Zulema Belen Nieves Candelaria Macarena Azucena  Cielo Eva Ines Amparo Socorro Citlali"
    ),
    "hispanic_male": (
        "Candelario Angel Cruz Cuauhtemoc Donato Facundo Heriberto Isidro Jacinto Lazaro Macario Nicanor "
        "Octavio Pascual Quirino Teodoro Ulises Venancio Wilfredo Xavier Yago Zacarias Leo Rey "
        "Eloy Ivan Modesto Primo Justo Clemente Santos"
    ),
}
"""Given names by group."""

SURNAMES = {
    "white": (
        "Ashworth Birch Cole Drummond Eastwood Fell Grey Hale Ives Jarvis Knox Lamb Moss Nash Orr Pike Quill Rudd Stead "
        "Tate Upton Vance West Yates Zink Lindqvist Kowalczyk O'Hara McBride Long Day May Fox Bird Rose Stone Baker "
        "King Young Love Church Snow Winter Field Marsh Case Page Day Ott Uhl"
    ),
    "black": (
        "Abara Banks Cotton Ekwueme Fashola Gaines Hightower Ibe Jalloh Kone Lumumba Ncube Okonkwo "
        "Pettway Quaye Rolle Sesay Toure Udo Vilakazi Yeboah Zulu Oke Ojo Eze Obi Ba Sy Ade Idowu Battle "
        "Gay Cooks Bland Grant Moody Price Ware Rice Bell Ivory Samba Nwosu Amadi Otu Uba"
    ),
    "asian": (
        "Le Do Vo Ho Ly Vu Lam To Ha An Ma Xu Hu Wu Lu Su Fu He Ye Tan Gan Oh Noh Woo Ahn "
        "Seo Bae Min Ito Abe Ono Mori Oda Ota Iyer Rao Nair Sen Das Bose Dey Jha Roy Pal Sim See Long"
    ),
    "hispanic": (
        "Rey Paz Sol Rico Lugo Nava Meza Mora Rosas Prado Iglesias Toro Bravo "
        "Blanco Calvo Cordero Escudero Ibarra Jaramillo Quispe Mamani Tzul Xol Yanez Zapata Ochoa "
        "Banuelos Arce Oliva Gil Roa Ulloa Vidal Pardo Cano Gallo Franco Amador Bueno Duque"
    ),
}
"""Surnames by ethnic group."""

_POSTS = (
    "Registered nurse", "Data analyst", "Warehouse operator", "Senior accountant", "Software engineer",
    "Primary school teacher", "Sales assistant", "Mechanical engineer", "Chef", "Office manager",
)  # fmt: skip
_TOWNS = ("Leeds, UK", "Austin, TX", "Toronto, Canada", "Lyon", "San Jose, CA", "Porto, Portugal")
_PHONES = ("+1 415 555 0132", "(206) 555-0177", "0161 496 0132", "+44 20 7946 0958")
_EMAILS = (
    "contact77@mail.example",
    "workmail.2020@post.example",
    "hello@inbox.example",
    "job4me@web.example",
)
_BODY = (
    "Experience\nClerk, Northfield Stores, 2014 - 2019\n- Kept the books and answered customers.\n",
    "EXPERIENCE\nAnalyst at Bluegate, 2016 - 2021\nBuilt reports in SQL and Excel.\n",
    "Work history\nDriver, Harbour Freight Lines, 2010 - 2018\nDelivered goods on time.\n",
)
_ENDS = (
    "\nSkills\nPython, SQL, Excel, teamwork\n",
    "\nEducation\nBSc in mathematics\n\nSkills\nForklift, stock control\n",
    "",
)

_OWN_LINE = (
    "{name}\n{post}\n{phone}\n{email}\n\n{body}{end}",
    "{name}\n{phone}\n{email}\n\n{body}{end}",
    "{name}\n{email}\n{town}\n\n{post}\n\n{body}{end}",
    "CURRICULUM VITAE\n\n{name}\n{town}\n{phone}\n\n{body}{end}",
    "{upper}\n{post}\n{town} | {phone}\n\n{body}{end}",
    "# {name}\n\n{post}\n\n{email}\n\n{body}{end}",
)
_ONE_LINE = (
    "{name} | {email} | {phone}\n{post}\n\n{body}{end}",
    "{name}, {town}, {email}\n\n{body}{end}",
    "{name} - {email} - {phone}\n\n{body}{end}",
    "{name} • {post} • {email}\n\n{body}{end}",
    "{name} {email} {phone}\n\n{body}{end}",
    "{name}   {email}   {phone}   {post} with ten years of work in shops and offices of every size.   {flat}",
)
_IN_TEXT = (
    "Profile\nMy name is {name} and I am looking for work as a clerk.\n\n{body}{end}",
    "{post}\n\nHello, I am {name}, and I have worked in shops for ten years.\n\n{body}{end}",
    "Summary\n{name} is a careful worker with ten years in offices.\n\n{body}{end}",
    "{body}{end}\nPersonal details\nName: {name}\n{phone}\n",
    "Dear Sir or Madam,\nPlease find my experience below.\n\n{body}{end}\nYours sincerely,\n{name}\n",
    "{post}\n{body}{end}\nDeclaration\nAll of this is true.\n\nSignature: {name}\n",
)
_TWICE = (
    "{name}\n{post}\n{email}\n\n{body}\n{name} - Page 2\n{end}",
    "{name}\n{phone}\n\n{body}{end}\nReferences\nOn request.\n\nRegards,\n{name}\n",
    "{name} | {email}\n\nSummary\n{name} has worked in offices for ten years.\n\n{body}{end}",
    "Resume of {name}\n{town}\n\n{body}{end}\nName: {name}\n",
)
LAYOUTS = {"own line": _OWN_LINE, "one line": _ONE_LINE, "in the text": _IN_TEXT, "twice": _TWICE}


class Sample(NamedTuple):
    """A resume that holds `name` once or more, as it is written or in capitals."""

    group: str
    layout: str
    name: str
    text: str


def full_names(group: str, count: int, seed: int) -> list[str]:
    """`count` names of a group, each once, in the order that `seed` draws; Asian ones with either part first."""
    given, surnames = GIVEN[group].split(), dict.fromkeys(SURNAMES[group.split("_")[0]].split())
    pairs = [(first, last) for first in given for last in surnames if first != last]
    draw = random.Random(f"{group} {seed}")
    draw.shuffle(pairs)
    assert len(pairs) >= count
    return [_written(group, first, last, draw) for first, last in pairs[:count]]


def _written(group: str, given: str, surname: str, draw: random.Random) -> str:
    form = draw.random()
    if group.startswith("asian") and form < 0.2:
        return f"{surname} {given}"
    if form > 0.85:
        return f"{given} {draw.choice('BCDEFGHKLMNPRST')}. {surname}"
    return f"{given} {surname}"


def samples(group: str, count: int, seed: int) -> Iterator[Sample]:
    """Each of `count` names in each layout, with other lines around it every time."""
    draw = random.Random(f"lines of {group} {seed}")
    for name in full_names(group, count, seed):
        for layout, templates in LAYOUTS.items():
            yield Sample(group, layout, name, filled(draw.choice(templates), name, draw))


def filled(template: str, name: str, draw: random.Random) -> str:
    """`template` with a name and lines that `draw` chooses."""
    body = draw.choice(_BODY)
    return template.format(
        name=name,
        upper=name.upper(),
        post=draw.choice(_POSTS),
        town=draw.choice(_TOWNS),
        phone=draw.choice(_PHONES),
        email=draw.choice(_EMAILS),
        body=body,
        flat=body.replace("\n", "   "),
        end=draw.choice(_ENDS),
    )


THINGS = (
    "Fannie Mae|Apache Kafka|Microsoft Azure|Google Cloud|Adobe Photoshop|Ralph Lauren|Wells Fargo|Morgan Stanley|"
    "Amazon Redshift|Oracle Financials|SAP Hana|Power Query|Visual Basic|Spring Boot|React Native|Ruby on Rails|"
    "Best Buy|Home Depot|Whole Foods|Burger King|Baker Hughes|Johnson Controls|Lockheed Martin|Bristol Myers Squibb|"
    "Bank of Ireland|Deutsche Bahn|Royal Mail|Delta Airlines|United Parcel|Northern Trust|Liberty Mutual|Target|"
    "Salesforce|Jenkins|Terraform|Kubernetes|Tableau|Jira|Hadoop|Selenium|Docker Swarm|Android Studio|Unreal Engine|"
    "Agile Methods|Lean Manufacturing|Black Belt|Data Science|Machine Learning|Deep Learning|Supply Chain|"
    "Dodd-Frank|Black-Scholes|Gale-Shapley|Sarbanes-Oxley|Monte Carlo|Kaplan-Meier|Tata Steel|Reliance Retail|"
    "Tokyo Electron|Hong Leong Bank|Banco Santander|Grupo Bimbo|Ecobank|Dangote Cement|Cisco Meraki|Aruba Networks"
).split("|")
"""Products, employers, laws and methods, many of them called like persons."""

THING_LAYOUTS = (
    "{name}\n{thing}\n{phone}\n{email}\n\n{body}{end}",
    "{name} | {thing} | {email}\n\n{body}{end}",
    "{name}\n{email}\n\nSummary\nTen years of work with {thing} and other tools.\n\n{body}{end}",
    "{name}\n{email}\n\nExperience\n{thing}\nClerk, 2014 - 2019\n- Kept the books.\n{end}",
    "{name}\n{email}\n\nExperience\nAccount Manager {thing}\nManager - {thing}, 2014 - 2019\n- Sold {thing}.\n{end}",
    "{name}\n{email}\n\nExperience\nClerk at {thing}, 2014 - 2019\nI guide {thing} teams; contact {thing} support.\n{end}",
    "{name}\n{email}\n\n{body}\nSkills\n{thing}, stock control, teamwork\n",
    "{name}\n{email}\n\n{body}\nReferences\nMs Ana Ruiz\n{thing}\n{phone}\n",
    "{name}\n{email}\n\nExperience\nClerk, 2014 - 2019\nTraining under {thing} rules. {thing} was new then.\n{end}",
)
"""Where such a thing stands and no name."""


def control_samples(group: str, count: int, seed: int) -> Iterator[Sample]:
    """Texts that hold a name of `group` and a thing; `name` is here the thing, which must stay."""
    draw = random.Random(f"things for {group} {seed}")
    for name in full_names(group, count, seed):
        for template in THING_LAYOUTS:
            thing = draw.choice(THINGS)
            yield Sample(group, template, thing, filled(template.replace("{thing}", thing), name, draw))
