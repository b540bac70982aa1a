"""A corpus of resumes whose names and schools are known, to measure what redaction misses and what it breaks.

Names of eight groups come from the audit's lexicon and from Bertrand and Mullainathan (2004); names of
cultures from Faker's locales. Schools are drawn from the lexicon's list and from made-up ones in the
usual forms, half and half.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from faker import Faker

from service.core.documents import normalise
from service.core.redaction.lexicon import read_rows
from service.core.redaction.words import fold
from tests.support.resume_layouts import BODY, CLOSINGS, HEADERS, REFERENCES

CULTURES = {
    "german": "de_DE", "french": "fr_FR", "spanish": "es_ES", "mexican": "es_MX", "brazilian": "pt_BR",
    "italian": "it_IT", "polish": "pl_PL", "dutch": "nl_NL", "swedish": "sv_SE", "finnish": "fi_FI",
    "turkish": "tr_TR", "vietnamese": "vi_VN", "indonesian": "id_ID", "indian": "en_IN", "yoruba": "yo_NG",
    "igbo": "ig_NG", "hausa": "ha_NG", "ghanaian": "tw_GH", "zulu": "zu_ZA", "kenyan": "en_KE", "irish": "ga_IE",
    "czech": "cs_CZ", "croatian": "hr_HR", "romanian": "ro_RO", "azerbaijani": "az_AZ", "uzbek": "uz_UZ",
    "icelandic": "is_IS", "lithuanian": "lt_LT", "estonian": "et_EE", "pakistani": "en_PK", "swahili": "sw",
    "portuguese": "pt_PT", "albanian": "sq_AL", "slovenian": "sl_SI",
}  # fmt: skip

SKILLS = [*"""Python Java Kafka Jenkins Julia Tableau Salesforce PostgreSQL Docker Kubernetes Terraform Excel SAP AutoCAD
Photoshop React Angular Hadoop Spark Cassandra Ruby Crystal Maven Ansible Splunk QuickBooks Figma MATLAB Stata Triage Phlebotomy
Welding Forklift Budgeting Negotiation Mentoring""".split(),
    "Harvard Graphics", "Stanford CoreNLP", "Princeton Instruments", "Oxford Instruments", "Apache Kafka", "Six Sigma",
    "Power BI", "Jasper Reports", "Spring Boot", "wound care", "patient education", "supply chain planning",
    "contract law", "HTML", "customer service", "payroll processing", "Monte Carlo simulation",
]  # fmt: skip

EMPLOYERS = """Morgan Stanley|Charles Schwab|Wells Fargo|Johnson & Johnson|Booz Allen Hamilton|Robert Half|Ernst & Young|
Siemens AG|Acme Logistics Ltd|Northwind Traders|Baker Hughes|General Mills|Kaiser Permanente|Deutsche Bahn|Infosys|Tata Steel|
Goldman Sachs|Lockheed Martin|Marks & Spencer|Mercy Hospital|Globex Corporation|Blue Harbor Foods|Summit Health Partners""".replace(
    "\n", ""
).split("|")

TITLES = """Software Engineer|Registered Nurse|Data Analyst|Project Manager|Accountant|Mechanical Engineer|Sales
Associate|Marketing Specialist|Electrician|Teacher|Truck Driver|Pastry Chef|Head Cook|Business Analyst|Paralegal""".replace(
    "\n", " "
).split("|")

FIELDS = (
    "Computer Science|Nursing|Economics|Mechanical Engineering|History|Marketing|Accounting|Biology".split(
        "|"
    )
)
DEGREES = "BSc|Bachelor of Arts|B.S.|Master of Science|MBA|Diploma|M.Sc.|B.Tech".split("|")
PLACES = "Ashford Brookvale Caldwell Dunmore Eastham Fairmont Glenwood Harlan Kilbride Lakemont Marlow Norwood".split()
FORMS = """University of {0}|{0} University|{0} College|{0} State University|{0} Community College|{0} Institute of Technology|
{0} High School|Universidad de {0}|Université de {0}|St. {0} College|{0} School of Nursing|College of {0}|{0} Polytechnic|
Technical University of {0}|{0} Academy|Hochschule {0}|Universidade Federal de {0}|{0} Business School""".replace(
    "\n", ""
).split("|")
HEADINGS = {
    "summary": ["Summary", "PROFILE", "## Summary", "About me"],
    "experience": ["Experience", "WORK EXPERIENCE", "## Experience", "Employment history"],
    "education": ["Education", "EDUCATION", "## Education", "Academic background"],
    "skills": ["Skills", "TECHNICAL SKILLS", "## Skills", "Core skills"],
    "references": ["References", "REFERENCES", "## References", "Referees"],
}


@dataclass(frozen=True)
class Sample:
    """One resume and what stands in it."""

    text: str
    group: str
    layout: str
    names: tuple[str, ...]
    schools: tuple[str, ...]


def samples(count: int, seed: int) -> Iterator[Sample]:
    """`count` resumes: layouts in turn, groups in turn, everything else by the seed."""
    rng = random.Random(seed)
    people = _People(seed)
    groups = people.groups
    layouts = list(HEADERS)
    universities = [
        row["name"]
        for row in read_rows("universities.csv")
        if row["name"].isascii() and "(" not in row["name"]
    ]
    for i in range(count):
        group, layout = groups[i % len(groups)], layouts[(i // 3) % len(layouts)]
        given, surname = people.draw(group, rng)
        referees = [" ".join(people.draw(rng.choice(groups), rng)) for _ in range(2)]
        schools = [
            rng.choice(universities) if rng.random() < 0.5 else rng.choice(FORMS).format(rng.choice(PLACES))
            for _ in range(2)
        ]
        closing = rng.choice(list(CLOSINGS))
        user = (
            re.sub(r"[^a-z]", "", fold(given))
            + rng.choice([".", "_", ""])
            + re.sub(r"[^a-z]", "", fold(surname))
        )
        her = rng.random() < 0.5
        fields = {
            "given": given, "surname": surname, "full": f"{given} {surname}", "GIVEN": given.upper(), "SURNAME": surname.upper(),
            "FULL": f"{given} {surname}".upper(), "lower": f"{given} {surname}".lower(), "initial": given[0], "user": user,
            "email": f"{user}@{rng.choice(['gmail.com', 'mail.example.org'])}", "email2": "jobs@example.org",
            "phone": rng.choice(["+1 (555) 010-4477", "555-010-8899", "+44 20 7946 0958", "+234 803 555 0123"]),
            "phone2": "(555) 010-2211", "profile": f"linkedin.com/in/{user}",
            "street": rng.choice(["12 Maple Street", "4410 N Elm Ave, Apt 3", "7 Station Road"]),
            "city": rng.choice(["Springfield, IL", "Austin, TX", "Leeds, United Kingdom"]),
            "title": rng.choice(TITLES), "title2": rng.choice(TITLES), "years": str(rng.randint(3, 20)),
            "employer0": rng.choice(EMPLOYERS), "employer1": rng.choice(EMPLOYERS),
            "degree": rng.choice(DEGREES), "degree2": rng.choice(DEGREES), "field": rng.choice(FIELDS),
            "school0": schools[0], "school1": schools[1], "referee0": referees[0], "referee1": referees[1],
            "pronoun_poss": "her" if her else "his", "pronouns": "she/her" if her else "he/him",
            "honorific": "Ms." if her else "Mr.", "nationality": rng.choice(["Kenyan", "German", "Indian"]),
            **{f"heading_{name}": rng.choice(forms) for name, forms in HEADINGS.items()},
            **{f"skill{k}": skill for k, skill in enumerate(rng.sample(SKILLS, 8))},
        }  # fmt: skip
        with_references = rng.random() < 0.6
        template = HEADERS[layout] + "\n" + BODY + (REFERENCES if with_references else "") + CLOSINGS[closing]
        text = template.format(**fields)
        if layout == "flat":
            text = re.sub(r"\s+", " ", text)
        yield Sample(
            text=normalise(text),
            group=group,
            layout=layout,
            names=(f"{given} {surname}", *(referees if with_references else ())),
            schools=tuple(schools),
        )


class _People:
    def __init__(self, seed: int) -> None:
        self._given: dict[str, list[str]] = {}
        self._surname: dict[str, list[str]] = {}
        for row in read_rows("names_by_group.csv"):
            if row["kind"] == "surname":
                self._surname.setdefault(row["race_ethnicity"], []).append(row["name"])
            else:
                self._given.setdefault(f"{row['race_ethnicity']}:{row['sex']}", []).append(row["name"])
        self._fakers = {culture: Faker(locale) for culture, locale in CULTURES.items()}
        for faker in self._fakers.values():
            faker.seed_instance(seed)
        self.groups = [*self._given, *CULTURES]

    def draw(self, group: str, rng: random.Random) -> tuple[str, str]:
        """A given name and a surname."""
        if group in self._fakers:
            faker = self._fakers[group]
            return normalise(faker.first_name()), normalise(faker.last_name())
        surname = rng.choice(self._surname[group.split(":")[0]])
        if rng.random() < 0.15:
            surname += "-" + rng.choice(self._surname[group.split(":")[0]])
        return rng.choice(self._given[group]), surname
