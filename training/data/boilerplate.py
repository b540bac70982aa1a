"""Text that says nothing about the occupation, as real resumes and postings are full of.

Names are here only so that a resume has a header; they are drawn independently of everything else.
"""

from __future__ import annotations

NAMES = (
    "Alex Morgan",
    "Sam Rivera",
    "Jordan Lee",
    "Taylor Brooks",
    "Casey Nguyen",
    "Riley Okafor",
    "Jamie Patel",
    "Robin Kowalski",
    "Avery Haddad",
    "Quinn Fischer",
    "Dana Silva",
    "Noor Rahman",
)

CONTACT = (
    "alex@example.com | 555-0100",
    "Phone: (555) 010-0199\nE-mail: contact@example.org",
    "Springfield | mail@example.net | linkedin.com/in/example",
    "12 Example Road, Anytown\n555-0123",
)

EMPLOYERS = (
    "Northfield Group",
    "Bluebird Services",
    "Harbor & Sons",
    "Meridian Partners",
    "City of Riverton",
    "Lakeside Holdings",
    "Orchard Collective",
    "Summit Works",
    "Greenway Cooperative",
    "Atlas Brothers",
)

INTERESTS = (
    "Hiking, cooking, chess and volunteering at the local food bank.",
    "Cycling, photography, learning languages.",
    "Community garden, choir singing, amateur astronomy.",
)

REFERENCES = (
    "References available on request.",
    "References and work samples will be provided on request.",
)

COMPANY = (
    "Our client is a growing organisation with offices in several cities and a reputation for "
    "looking after its people.",
    "Founded thirty years ago, we serve customers across the region and are proud of the long "
    "service of our staff. "
    "We value curiosity, respect and plain speaking, and we like to promote from within.",
    "Join a friendly team in a stable and expanding company. We believe that good work comes from"
    " people who are "
    "trusted, well equipped and fairly paid, and we have built our culture around that idea.",
    "This is a full-time position based at our main site, with some flexibility about hours and "
    "place of work.",
)

BENEFITS = (
    "We offer a competitive salary, health and dental insurance, a retirement plan and paid time off.",
    "Benefits include medical, dental and vision cover from the first day, tuition assistance, "
    "parental leave, "
    "an annual bonus and generous holidays. Relocation help may be available for the right candidate.",
    "Pay depends on experience. Overtime, shift allowance and a travel card are part of the package. "
    "To apply, send your resume with a short note about why the position interests you.",
)

EQUAL_OPPORTUNITY = (
    "We are an equal opportunity employer and welcome applications from everybody.",
    "All qualified applicants will receive consideration for employment without regard to any "
    "status protected by "
    "law. Candidates must be able to show that they are allowed to work in the country. "
    "Background checks may apply. "
    "No agencies, please.",
)
