"""How people write their names, and what looks like a name and is none."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

_TOMAS = "Tomas Berglund\ntomas@mail.example\n\n"


def _redacted(text: str) -> str:
    return Redactor().redact(normalise(text)).text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Anna (Annie) Kowalska\n+48 601 555 013\n\nExperience\nX\n\nAnna (Annie) Kowalska - Page 2", "Anna Annie Kowalska"),
        ("Robert 'Bob' Tanaka\nbt@x.example\n\nExperience\nX", "Robert Bob Tanaka"),
        ("Chen Xiaoming (David)\n+86 10 5555 0132\n\nExperience\nX", "Chen Xiaoming David"),
        ("Claire Moreau née Dubois\nParis\n+33 1 55 55 01 32\n\nExperience\nX", "Claire Moreau Dubois"),
        ("Helga Brandt (geb. Schulz)\nhelga@x.example\n\nExperience\nX", "Helga Brandt Schulz"),
        ("Nguyen   Thi   Hoa\nPhone 0161 496 0132\n\nExperience\nX", "Nguyen Thi Hoa"),
        ("Karthik.S\nChennai\n\nExperience\nX\n\nKarthik", "Karthik"),
        ("Rustom Contractor\n+91 98765 00132\n\nExperience\nX", "Rustom Contractor"),
        ("Hope Page\nhello@x.example\n\nExperience\nX", "Hope Page"),
        ("Dr. Michael Jordan\n+1 415 555 0132\n\nExperience\nX\n\nMichael Jordan", "Michael Jordan"),
        ("Paul Smith\nRetail buyer\n+1 415 555 0132\n\nExperience\nX\n", "Paul Smith"),
        ("O'Neill, Patrick, III\n+1 415 555 0132\n\nExperience\nX", "Neill Patrick"),
        ("van den Berg, Anneke, Sr.\n+1 415 555 0132\n\nExperience\nX", "Berg Anneke"),
        ("P E T E R\nV O G E L\npeter@x.example\n\nExperience\nX\nPeter Vogel", "P V Peter Vogel"),
        ("Sukarno\nsales@x.example\n\nExperience\nX", "Sukarno"),
        ("Premalatha\nChennai, India\n+91 98765 00132\n\nExperience\nX", "Premalatha"),
        ("maria de los santos vega\n+52 55 5555 0132\n\nExperience\nX", "maria santos vega"),
        ("Kofi Washington\nhello@x.example\n\nExperience\nX", "Kofi Washington"),
        ("Grace T. Young\nAnalyst\n\nExperience\nX\n\nGrace T. Young · Resume · 2\n\nG. T. Young", "Grace Young"),
        ("Mei Park\nAnalyst\n\nExperience\nX\n\nM. Park | Page 2\n\nPark, Mei - CV\n", "Mei Park"),
        ("Resume\n\nTirza (Tip) Ombeki\nLeeds\n\nExperience\nX", "Tirza Tip Ombeki"),
        ('CV\n\nTirza "Tip" Ombeki\nLeeds\n\nExperience\nX', "Tirza Tip Ombeki"),
        ("Resume\n\nTirza (Tip) Ombeki, RN\nLeeds\n\nExperience\nX", "Tirza Tip Ombeki"),
        ("Resume\n\nTirza Ombeki, RN BSN\nLeeds\n\nExperience\nX", "Tirza Ombeki"),
        ("Tirza Ombeki PMP CSM\nhello@x.example\n\nExperience\nX", "Tirza Ombeki"),
        ("tirza van den ombeki\nhello@x.example\n\nExperience\nX", "tirza ombeki"),
        ("Yen Le\nAnalyst\n\nExperience\nX\n\nYen Le - Page 2\n", "Yen Le"),
    ],
)  # fmt: skip
def test_forms_of_names_are_hidden_wherever_they_stand(text: str, hidden: str) -> None:
    words = _redacted(text).replace("[NAME]", "").split()
    assert not set(hidden.split()) & {word.strip("().,'") for word in words}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("RESUME   Ayodele Bankole   Lagos   ayo77@mail.example   ", "Ayodele Bankole"),
        ("Ayodele Bankole Lagos, Nigeria ayo77@mail.example ", "Ayodele Bankole"),
        (
            "SPECIAL EDUCATION RESUME    Corrine Blythe Haddow  9 Elm Street   York  0161 496 0132  ",
            "Corrine Haddow",
        ),
        ("Make your own resume with us!    Corrine Haddow    9 Elm Street, York    ", "Corrine Haddow"),
        ("Haddow.C    4/105, Anna Nagar,   Chennai - 600121   Mobile: 98765 00132   ", "Haddow"),
        ("Curriculum Vitae Name: Sunita Rao Address: 4 Hill Road, York Phone: 0161 496 0132 ", "Sunita Rao"),
        ("BIO-DATA    Name    :    Suresh Babu    Father's Name : Ramesh Babu    ", "Suresh Ramesh Babu"),
    ],
)
def test_a_name_is_found_in_a_text_without_line_breaks(text: str, hidden: str) -> None:
    rest = (
        "A careful worker with ten years in shops and offices of every size.  Experience   Clerk, Northfield"
    )
    result = _redacted(text + rest)
    assert not [word for word in hidden.split() if word in result]
    assert result.endswith(rest)


@pytest.mark.parametrize(
    ("text", "hidden", "kept"),
    [
        (
            "References\n(Dr) Lim Hwee Hoon, Janet\nNational Bank\n+65 9123 0132\n\n(CPT) Raja Singam\nCivil Defence\n",
            ["Lim", "Hwee", "Janet", "Raja", "Singam"],
            ["National Bank", "Civil Defence"],
        ),
        (
            "Pacific Orient Lines\nClerk\n\nReferences\nMs Wong Li Ling\nPacific Orient Lines (POL)\nManager\n",
            ["Wong", "Li Ling"],
            ["Pacific Orient Lines\nClerk", "Pacific Orient Lines (POL)"],
        ),
        (
            'Recommendations\n"Tomas is great."\n– Michelle T., Product lead, managed Tomas directly\n\n'
            "“A sound trade.”\n— Ahmed Said, client of Tomas\n- Ivana Petrov (CTO), worked with Tomas\n",
            ["Michelle", "Ahmed", "Said", "Ivana", "Petrov"],
            ["Product lead", "sound trade"],
        ),
        ("Manager: Priya Raghavan\nPriya Raghavan signed.", ["Priya", "Raghavan"], ["signed"]),
        ("Reporting Manager - Sunita Deshpande\n", ["Sunita", "Deshpande"], ["Reporting Manager"]),
    ],
)
def test_referees_and_recommenders_are_hidden_and_their_employers_stay(
    text: str, hidden: list[str], kept: list[str]
) -> None:
    result = _redacted(f"{_TOMAS}Experience\nX\n\n{text}")
    assert not [word for word in hidden if word in result]
    assert all(phrase in result for phrase in kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Product Manager Sep 2014 to Mar 2016\nSales Manager Nov'06\nReview of March 2016", "all"),
        ("Account Manager Google Cloud\nWe sold Google Cloud licences. Escalation Manager - Amazon Seoul\nAmazon Pay", "all"),
        ("Reporting Manager: Deloitte Consulting\nDeloitte Digital rollout", "Deloitte Digital rollout"),
        ("I guide UX research. UX for apps. Mentor Java students. Java expert. We guide Python beginners.", "all"),
        ("Advisor - Oracle Financials\nOracle Financials rollout; contact Salesforce support. Salesforce admin", "all"),
        ("Tax analyst at Morgan Whitfield\nMorgan Whitfield advised on funds.", "all"),
        ("Sarbanes-Oxley controls, the Kaplan-Meier estimator, Needleman-Wunsch alignment, Barnes-Hut simulation", "all"),
        ("Consultant, Taylor & Francis\nClark Kent Group; the William Penn Foundation grant; Alan Turing Award", "all"),
        ("Neiman Marcus / Sales associate\nJohn Lewis - Buyer\nRalph Lauren, New York", "all"),
        ("Designer, Hugo Boss\nStaff at Mary Kay; Kate Spade outlet", "all"),
        ("Engineer on the King Fahad International Airport project", "all"),
        ("MS Visio, MS Project, MS Dynamics, MS Teams", "all"),
    ],
)  # fmt: skip
def test_months_firms_tools_and_methods_stay(text: str, kept: str) -> None:
    assert (text if kept == "all" else kept) in _redacted(f"{_TOMAS}Experience\n{text}\n\nSkills\nExcel\n")


def test_a_degree_behind_the_name_stays_everywhere_else() -> None:
    result = _redacted(
        "Lena BAUER M.Sc.\nlena@x.example\n\nProfile\nI hold an M.Sc. in physics.\n\nSkills\nM.Sc., Physics; MBA"
    )
    assert "BAUER" not in result
    assert "an M.Sc. in physics" in result
    assert result.endswith("M.Sc., Physics; MBA")


@pytest.mark.parametrize("blank", ["\n", ""])
def test_the_name_below_the_sidebar_of_an_exported_profile(blank: str) -> None:
    text = (
        f"Contact\nwww.linkedin.com/in/xx1 (LinkedIn)\n{blank}Top Skills\nAgile Methodologies\nPower BI\nVisual Basic\n"
        f"{blank}Certifications\nLean Basics\nHonors-Awards\nBest Seller\n{blank}Oyelaran Ekweume\n"
        f"Head of Sales at Northfield | Speaker\nLeeds\n{blank}Summary\nI sell.\n{blank}Experience\nNorthfield\n"
    )
    result = _redacted(text)
    assert "Oyelaran" not in result
    assert "Ekweume" not in result
    assert all(
        line in result for line in ("Power BI\nVisual Basic", "Lean Basics", "Best Seller", "Head of Sales")
    )
