"""Sentences that say nothing about the occupation, as real resumes and postings are full of.

Several hundred of them are made of templates, so that no single one can be learnt. A few lists differ in
wording only, communal against agentic: the bias knob draws from them (Gaucher, Friesen and Kay 2011).
"""

from __future__ import annotations

import random

_TRAITS = [
    "team player",
    "self-starter",
    "hard worker",
    "good listener",
    "quick learner",
    "problem solver",
    "clear communicator",
    "dedicated professional",
    "dependable colleague",
    "detail-oriented worker",
    "well-organised person",
    "motivated individual",
    "flexible and open-minded person",
    "results-oriented professional",
]
_ABILITIES = [
    "work well under pressure",
    "meet tight deadlines",
    "communicate at all levels",
    "adapt to change quickly",
    "manage several priorities at once",
    "learn new tools quickly",
    "work alone and in a team",
    "build good working relationships",
    "solve problems creatively",
    "keep calm in stressful situations",
    "follow instructions and procedures",
    "pay attention to detail",
    "take ownership of tasks",
    "organise my time well",
]
_QUALITIES = [
    "communication",
    "interpersonal",
    "organisational",
    "leadership",
    "analytical",
    "time-management",
    "presentation",
    "problem-solving",
    "negotiation",
    "teamwork",
    "customer-service",
    "multi-tasking",
    "writing",
    "planning",
]
_GRADES = [
    "strong",
    "excellent",
    "good",
    "outstanding",
    "proven",
    "solid",
    "very good",
    "effective",
    "exceptional",
    "well-developed",
]
_OFFICE = [
    "MS Office",
    "Microsoft Word",
    "Microsoft Excel",
    "PowerPoint",
    "Outlook",
    "Google Workspace",
    "e-mail and internet",
    "Windows and macOS",
    "typing 60 wpm",
    "video conferencing",
]
_GENERIC_DUTIES = [
    "Responsible for day to day activities of the department.",
    "Attended weekly meetings and reported to the manager.",
    "Worked closely with other departments to reach common goals.",
    "Prepared reports and documentation as needed.",
    "Trained and mentored new members of staff.",
    "Maintained good relationships with clients and colleagues.",
    "Followed company policies and safety rules at all times.",
    "Handled queries by phone and e-mail.",
    "Took part in continuous improvement projects.",
    "Other duties as assigned by the supervisor.",
    "Supported colleagues during busy periods.",
    "Kept records accurate and up to date.",
    "Met or exceeded monthly targets.",
    "Received employee of the month award twice.",
    "Coordinated with vendors and external partners.",
    "Ensured that deadlines were met within budget.",
    "Was the point of contact for internal and external stakeholders.",
    "Reported directly to senior management.",
]
_EMPLOYER_FIRST = [
    "Northfield",
    "Bluebird",
    "Harbor",
    "Meridian",
    "Riverton",
    "Lakeside",
    "Orchard",
    "Summit",
    "Greenway",
    "Atlas",
    "Pinnacle",
    "Evergreen",
    "Redwood",
    "Silverline",
    "Crescent",
    "Beacon",
    "Keystone",
    "Liberty",
    "Horizon",
    "Cobalt",
    "Granite",
    "Sterling",
    "Vanguard",
    "Willow",
    "Ironbridge",
    "Foxglove",
    "Juniper",
    "Larkspur",
    "Brightwater",
    "Stonegate",
]
_EMPLOYER_LAST = [
    "Group",
    "Services",
    "& Sons",
    "Partners",
    "Holdings",
    "Works",
    "Cooperative",
    "Brothers",
    "Inc.",
    "LLC",
    "Pvt. Ltd",
    "Solutions",
    "Industries",
    "International",
    "Associates",
    "Consulting",
    "Systems",
    "Enterprises",
    "Foundation",
    "GmbH",
]
_HOBBIES = [
    "reading",
    "travelling",
    "cooking",
    "hiking",
    "cycling",
    "chess",
    "photography",
    "swimming",
    "gardening",
    "music",
    "running",
    "football",
    "painting",
    "volunteering",
    "astronomy",
    "board games",
    "cricket",
    "yoga",
    "baking",
    "languages",
]
_LANGUAGES = [
    "English",
    "Spanish",
    "French",
    "German",
    "Mandarin",
    "Hindi",
    "Arabic",
    "Portuguese",
    "Italian",
    "Polish",
    "Korean",
    "Vietnamese",
]
_LEVELS = ["native", "fluent", "professional", "intermediate", "basic", "conversational"]

COMMUNAL = [
    "Always happy to help colleagues and to make everybody feel welcome.",
    "Cared for the team's spirit and listened to everyone's concerns.",
    "Warm, supportive and considerate colleague who puts others first.",
    "Assisted wherever a helping hand was needed.",
    "Was grateful to be part of a caring and cooperative team.",
    "Tried to support the group and to keep a friendly atmosphere.",
    "Patient and kind in dealing with people.",
    "Pleased to share the team's success and to help others shine.",
    "Organised birthdays, farewells and the office charity.",
    "Helped out as needed and contributed to a pleasant workplace.",
]
AGENTIC = [
    "Drove results and took decisive action when it mattered.",
    "Took charge of ambitious goals and beat them.",
    "Ambitious, confident and independent professional who leads from the front.",
    "Challenged old ways of working and won support for new ones.",
    "Championed change and delivered ahead of plan.",
    "Competitive by nature and determined to be the best.",
    "Owned the outcome from start to finish.",
    "Set the pace for the whole department.",
]
COMMUNAL_HOBBIES = [
    "choir",
    "book club",
    "knitting",
    "baking for the school fair",
    "parent-teacher association",
    "yoga",
    "dance",
]
AGENTIC_HOBBIES = [
    "football",
    "rugby",
    "chess tournaments",
    "marathon running",
    "sailing",
    "investment club",
    "boxing",
]
GAPS = (
    "{begin} - {end}: career break for family reasons",
    "{begin} - {end} Parental leave",
    "Career break ({begin}-{end}): full-time care of children and relatives",
    "{begin} to {end}: time out of work to raise a family",
)

_COMPANY = (
    "{name} is a {adjective} {kind} with offices in {number} cities.",
    "Our client is a {adjective} {kind} with a reputation for looking after its people.",
    "Founded {number} years ago, {name} has grown into a {adjective} {kind}.",
    "At {name}, we believe that good work comes from people who are trusted and fairly paid.",
    "{name} is an industry leader, recognised for quality and innovation by its customers.",
    "We are a {adjective} {kind} and we are growing fast.",
    "Are you looking for a {adjective} place to work? Then {name} may be for you!",
    "With {number},000 employees, {name} serves customers around the world.",
)
_ADJECTIVES = [
    "fast-growing",
    "family-run",
    "leading",
    "well-established",
    "dynamic",
    "friendly",
    "global",
    "mid-sized",
    "privately held",
    "respected",
    "customer-focused",
    "award-winning",
]
_KINDS = ["company", "organisation", "business", "employer", "firm", "enterprise"]
_BENEFITS = [
    "competitive salary",
    "medical, dental and vision cover",
    "401(k) with company match",
    "paid time off",
    "tuition assistance",
    "parental leave",
    "annual bonus",
    "life insurance",
    "flexible hours",
    "free parking",
    "employee discount",
    "wellness programme",
    "travel card",
    "paid training",
    "generous holidays",
    "relocation help",
    "company events",
    "retirement plan",
]
_EQUAL = [
    "We are an equal opportunity employer and welcome applications from everybody.",
    "All qualified applicants will receive consideration for employment without regard to race, color, religion, sex, national origin, disability or veteran status.",
    "{name} is an EEO/AA employer M/F/D/V.",
    "We value diversity and do not discriminate on any basis protected by law.",
    "Reasonable accommodation is available on request.",
]
_APPLY = [
    "To apply, send your resume with a short cover letter.",
    "Please apply online at our careers page.",
    "Only selected candidates will be contacted. No phone calls, please.",
    "Background check and drug screen may be required.",
    "Candidates must be authorised to work in the country.",
    "No agencies, please.",
    "Job type: full-time.",
    "Salary depends on experience.",
    "Start date: as soon as possible.",
    "Please quote reference {number}{number} in your application.",
]
_JOB_SOFT = [
    "{Grade} {quality} and {quality2} skills.",
    "Ability to {ability}.",
    "You are a {trait}.",
    "Must be able to {ability} and {ability2}.",
    "We need a {trait} who can {ability}.",
    "{Grade} {quality} skills are a must.",
    "A {trait} with {grade} {quality} skills will do well here.",
    "Proficiency in {office} preferred.",
    "Willingness to {ability} is essential.",
]
_RESUME_SOFT = [
    "{Grade} {quality} and {quality2} skills",
    "Able to {ability} and {ability2}",
    "{Trait} with {grade} {quality} skills",
    "A {trait} who can {ability}",
    "I am a {trait}, I can {ability} and have {grade} {quality} skills",
    "Ability to {ability}",
    "Known as a {trait}",
    "{Grade} {quality} skills, {trait}",
    "Looking for a challenging position in a growing company where I can use my {quality} skills",
    "Seeking an opportunity to grow with a reputed organisation",
]


def _fill(template: str, rng: random.Random) -> str:
    quality, quality2 = rng.sample(_QUALITIES, 2)
    ability, ability2 = rng.sample(_ABILITIES, 2)
    trait, grade = rng.choice(_TRAITS), rng.choice(_GRADES)
    return template.format(
        quality=quality,
        quality2=quality2,
        ability=ability,
        ability2=ability2,
        trait=trait,
        Trait=trait.capitalize(),
        grade=grade,
        Grade=grade.capitalize(),
        office=rng.choice(_OFFICE),
        name=employer(rng),
        adjective=rng.choice(_ADJECTIVES),
        kind=rng.choice(_KINDS),
        number=rng.randint(2, 90),
    )


def employer(rng: random.Random) -> str:
    """An invented company."""
    return f"{rng.choice(_EMPLOYER_FIRST)} {rng.choice(_EMPLOYER_LAST)}"


def soft_skill(rng: random.Random) -> str:
    """A sentence about soft skills, without a full stop, as resumes have it."""
    return _fill(rng.choice(_RESUME_SOFT), rng)


def generic_duty(rng: random.Random) -> str:
    """A duty that any job has, in the past tense."""
    return rng.choice(_GENERIC_DUTIES)


def wanted_soft_skill(rng: random.Random) -> str:
    """A soft skill that a posting asks for."""
    return _fill(rng.choice(_JOB_SOFT), rng)


def company(rng: random.Random) -> str:
    """One to three sentences about the employer."""
    return " ".join(_fill(t, rng) for t in rng.sample(_COMPANY, rng.randint(1, 3)))


def benefits(rng: random.Random) -> list[str]:
    """Three to six benefits."""
    return rng.sample(_BENEFITS, rng.randint(3, 6))


def small_print(rng: random.Random) -> str:
    """Equal-opportunity and application sentences."""
    equal = [_fill(t, rng) for t in rng.sample(_EQUAL, rng.randint(0, 2))]
    return " ".join([*equal, *(_fill(t, rng) for t in rng.sample(_APPLY, rng.randint(1, 3)))])


def office_tools(rng: random.Random) -> list[str]:
    """Two to four tools that every office has."""
    return rng.sample(_OFFICE, rng.randint(2, 4))


def hobbies(rng: random.Random) -> list[str]:
    """Three to five hobbies."""
    return rng.sample(_HOBBIES, rng.randint(3, 5))


def languages(rng: random.Random) -> list[str]:
    """One to three languages with a level each."""
    return [f"{name} ({rng.choice(_LEVELS)})" for name in rng.sample(_LANGUAGES, rng.randint(1, 3))]
