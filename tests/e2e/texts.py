"""Resumes and jobs of the form that real ones have."""

from __future__ import annotations

ENGINEER = """Robin Example
robin@example.org | 555-0100

SUMMARY
Software engineer with eight years of building services in Python for payments and logistics.

EXPERIENCE
Senior Software Engineer, Harbor Payments, 2019 - present
- Designed a ledger service in Python and PostgreSQL that books two million transfers a day.
- Brought the 99th percentile latency of the public API from 900 ms to 120 ms.
- Shared the on-call rota and wrote runbooks for twelve services.
Software Engineer, Northfield Freight, 2015 - 2019
- Wrote REST endpoints and background workers with Django and Redis.
- Introduced containers and continuous delivery; releases went from monthly to daily.

SKILLS
Python, PostgreSQL, Django, Redis, Docker, Kubernetes, Kafka, unit testing

EDUCATION
BSc Computer Science
"""

NURSE = """Robin Example
robin@example.org | 555-0100

SUMMARY
Registered nurse with nine years on surgical and intensive care wards.

EXPERIENCE
Staff Nurse, City Hospital, 2017 - present
- Cared for six patients a shift before and after abdominal operations.
- Gave intravenous medicines, dressed wounds and watched vital signs.
- Taught patients and families how to go on at home.
Nurse, Lakeside Clinic, 2014 - 2017
- Triaged walk-in patients and called the physician in urgent cases.
- Kept charts complete across rotating shifts.

SKILLS
Wound care, triage, infection control, medication administration, basic life support

EDUCATION
BSc Nursing, Registered Nurse licence
"""

COOK = """Robin Example

Cook with fourteen years in hotel kitchens. Led nine people and served 180 covers a night.
Menu planning, food costing, sauces, pastry, hygiene records.
"""

BACKEND_JOB = {
    "id": "req-17",
    "title": "Backend Engineer",
    "description": """Our client builds software for freight companies and is growing.

What you will do:
- Own web services from design to operation.
- Model data in relational databases and keep queries fast.
- Work with product people and mentor juniors.

What you bring:
- Several years with Python or a similar language.
- Experience with containers, message queues and automated tests.

We offer flexible hours, health insurance and 30 days of holiday.
We are an equal opportunity employer.""",
}

NURSE_JOB = {
    "id": "req-18",
    "title": "Registered Nurse",
    "description": """The surgical ward of a municipal hospital looks for a colleague.

You care for patients at the bedside before and after operations, give medicines, change dressings and
document your work. You notice early when somebody gets worse and call the doctor.
A licence is required; experience with infections and drains is welcome. Shifts and weekends belong to it.

We offer a pension plan and child care.""",
}
