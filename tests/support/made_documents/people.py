"""Invented people as JSON Resume, from a seed: the same seed gives the same person."""

from __future__ import annotations

import random
from typing import Any

Resume = dict[str, Any]

_FIRST = "Mira Tomas Adaeze Henrik Yuki Leila Bruno Saoirse Dmitri Priya Joaquin Ingrid Kofi Nora Emil Talia".split()
_LAST = "Halvorsen Okonjo Brandt Castellan Ferreira Novak Whitcombe Ashgrove Lindqvist Marwood Tanaka Delacroix".split()
_CITIES = "Porto,Leeds,Graz,Tampere,Boise,Halifax,Ghent,Aarhus".split(",")
_FIRMS = "Northwind Freight,Brightwater Energy,Copperline Bank,Juniper Clinics,Falconer Robotics,Saltmarsh Foods".split(
    ","
)
_SCHOOLS = (
    "University of Graz,Leeds Technical College,Aarhus Institute of Design,Boise State Polytechnic".split(",")
)
_POSTS = {
    "software": ["Backend Engineer", "Platform Engineer", "Software Developer", "Site Reliability Engineer"],
    "nursing": ["Charge Nurse", "Registered Nurse", "Care Coordinator", "Ward Nurse"],
    "finance": ["Financial Analyst", "Senior Accountant", "Audit Associate", "Payroll Specialist"],
    "logistics": ["Warehouse Supervisor", "Route Planner", "Fleet Coordinator", "Supply Planner"],
}
_SKILLS = {
    "software": {"Languages": ["Python", "Go", "SQL"], "Platforms": ["Kubernetes", "Kafka", "PostgreSQL"], "Practice": ["Code review", "Incident response"]},
    "nursing": {"Clinical": ["Triage", "Wound care", "IV therapy"], "Systems": ["Epic", "Cerner"], "Care": ["Patient education", "Discharge planning"]},
    "finance": {"Accounting": ["IFRS", "Accruals", "Consolidation"], "Tools": ["Excel", "SAP", "Power BI"], "Control": ["Reconciliation", "Budgeting"]},
    "logistics": {"Planning": ["Routing", "Forecasting", "Slotting"], "Systems": ["WMS", "SAP EWM"], "Safety": ["Forklift licence", "Risk assessment"]},
}  # fmt: skip
_BULLETS = {
    "software": [
        "Moved {n} services from virtual machines to containers and cut the monthly bill by {p} percent",
        "Rewrote the settlement batch as a stream so that reports arrive {n} minutes after the market closes",
        "Led {n} engineers through a migration of the customer database without a minute of downtime",
        "Built the alerting that brought the median time to recovery from {n} hours down to {p} minutes",
        "Introduced contract tests between {n} teams and halved the number of broken deployments",
        "Wrote the guide by which new colleagues ship their first change within {n} days",
    ],
    "nursing": [
        "Coordinated care for {n} patients a shift on a cardiac ward with {p} beds",
        "Trained {n} newly qualified nurses in triage and in the documentation of medication",
        "Reduced falls on the ward by {p} percent with hourly rounds and better lighting",
        "Ran the vaccination clinic that saw {n} families every Saturday morning",
        "Planned discharges together with {n} community teams so that beds were free by noon",
        "Kept the stock of the emergency trolleys and checked {n} of them every week",
    ],
    "finance": [
        "Closed the books of {n} subsidiaries within {p} working days after the end of the month",
        "Found invoices paid twice worth {n} thousand euros and recovered nearly all of them",
        "Prepared the consolidated statements for auditors and answered {n} of their questions",
        "Automated the reconciliation of {n} bank accounts with a macro that colleagues still use",
        "Forecast cash for {p} weeks ahead with an error below {n} percent",
        "Introduced cost centres to {n} departments and taught their heads to read the reports",
    ],
    "logistics": [
        "Supervised {n} pickers across two shifts and kept the error rate below {p} per thousand",
        "Redrew the delivery routes of {n} vans and saved {p} kilometres on an average day",
        "Planned the move into a new hall with {n} aisles while orders went on being shipped",
        "Negotiated with {n} carriers and lowered the cost of a pallet by {p} percent",
        "Counted the stock in cycles instead of once a year and found {n} lost pallets",
        "Introduced handheld scanners and trained {n} colleagues who had never used one",
    ],
}
_SUMMARIES = {
    "software": "Engineer with {p} years of building services that other teams depend on, from the first sketch to the page at night, who likes plain code and short meetings.",
    "nursing": "Nurse with {p} years on busy wards, calm when it matters, who believes that good handovers and clear notes save more lives than heroics ever will.",
    "finance": "Analyst with {p} years in month-end closing and reporting, who explains numbers to people who do not like numbers and leaves tidy workbooks behind.",
    "logistics": "Planner with {p} years in warehouses and on the road, who knows that the best plan is one that the night shift can still carry out when two vans break down.",
}  # fmt: skip
_REFERENCE = "First to notice when something went wrong, and last to leave before it was right."


def person(seed: int, *, posts: int = 4, bullets: int = 4) -> Resume:
    """One resume, with texts that occur once each. `posts` of 1 to 6, each with `bullets` of 1 to 6."""
    draw = random.Random(seed)
    field = list(_POSTS)[seed % len(_POSTS)]
    first, last = draw.choice(_FIRST), draw.choice(_LAST)
    city = draw.choice(_CITIES)
    firms = draw.sample(_FIRMS, posts)
    year = 2025
    work = []
    for i in range(posts):
        years = draw.randint(1, 3)
        lines = draw.sample(_BULLETS[field], bullets)
        work.append(
            {
                "name": firms[i],
                "position": _POSTS[field][i % 4],
                "startDate": f"{year - years}-0{draw.randint(1, 9)}-01",
                "endDate": f"{year}-0{draw.randint(1, 9)}-01",
                "url": "",
                "summary": f"{firms[i]} employs {draw.randint(40, 900)} people in {draw.choice(_CITIES)} and serves customers in {draw.randint(3, 30)} countries.",
                # Numbers keep lines of different posts apart.
                "highlights": [
                    line.format(n=(i + 2) * 10 + j, p=(i + 1) * 3 + j + 20) for j, line in enumerate(lines)
                ],
            }
        )
        year -= years
    return {
        "basics": {
            "name": f"{first} {last}",
            "label": _POSTS[field][0],
            "image": "",
            "email": f"{first}.{last}@example.com".lower(),
            "phone": f"(555) 010-{seed % 9000 + 1000:04d}",
            "url": f"https://{last.lower()}.example.org",
            "summary": _SUMMARIES[field].format(p=draw.randint(6, 19)),
            "location": {"address": f"{draw.randint(2, 98)} Alder Row", "postalCode": str(draw.randint(10000, 99999)), "city": city, "countryCode": "US", "region": "ID"},
            "profiles": [{"network": "GitHub", "username": f"{first}{seed}".lower(), "url": f"https://github.com/{first}{seed}".lower()}],
        },
        "work": work,
        "volunteer": [{"organization": "Riverside Food Bank", "position": "Driver", "url": "", "startDate": "2016-01-01", "endDate": "2019-01-01", "summary": "Collected surplus bread from bakeries twice a week and brought it to the people who wait for it.", "highlights": []}],
        "education": [
            {"institution": school, "url": "", "area": area, "studyType": degree, "startDate": start, "endDate": end, "score": "", "courses": []}
            for school, area, degree, start, end in zip(draw.sample(_SCHOOLS, 2), ("Applied Science", "Business Studies"), ("Master", "Bachelor"), ("2008-09-01", "2005-09-01"), ("2010-06-01", "2008-06-01"), strict=True)
        ],
        "awards": [{"title": "Colleague of the Year", "date": "2021-11-01", "awarder": "Chamber of Commerce", "summary": "Given for patience with a system that nobody else wanted to touch."}],
        "certificates": [],
        "publications": [],
        "skills": [{"name": name, "level": "Advanced", "keywords": words} for name, words in _SKILLS[field].items()],
        "languages": [{"language": "English", "fluency": "Native speaker"}, {"language": "Portuguese", "fluency": "Conversational"}],
        "interests": [{"name": "Rowing", "keywords": ["Coxing", "Boat repair"]}],
        "references": [{"name": "Ruth Emberly", "reference": _REFERENCE}],
        "projects": [],
    }  # fmt: skip
