"""Names that no list holds, told by where they stand and by what comes next."""

from __future__ import annotations

import pytest

from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
BODY = "\n\nExperience\nWelder\nOakfield Motors, Leeds\n2014 - 2019\n\nSkills\nMIG, Excel\n"
IN_ONE_LINE = (
    " Work Experience Welder Oakfield Motors - Leeds January 2014 to March 2019 Made frames and kept the records of "
    "the whole team. Skills MIG, Excel"
)


@pytest.mark.parametrize(
    "text",
    [
        "Drelva Montask\nWarehouse Manager\nLeeds" + BODY,
        "Drelva Montask, RN BSN\nSkype: live.dm77" + BODY,
        "Drelva (Pip) Montask\nSoftware Engineer" + BODY,
        "Drelva Montask Software Engineer\nLeeds, UK" + BODY,
        "Drelva Montask Warehouse Manager Houston, TX" + IN_ONE_LINE,
        "DRELVA MONTASK FULL STACK DEVELOPER Houston, TX" + IN_ONE_LINE,
        "Drelva Montask | Senior Accountant | Houston, TX" + IN_ONE_LINE,
        "Drelva Montask Phone: (415) 555-0134" + IN_ONE_LINE,
        "Drelva Montask Objective To find a post in a growing firm." + IN_ONE_LINE,
        "Resume of Drelva Montask Project Manager Houston" + IN_ONE_LINE,
        "drelva montask\nSales Associate\nleeds" + BODY,
        "drelva t. montask\n\nobjective: to find a post as welder." + BODY,
        "Drelva\nMontask\nSales Associate\nLeeds" + BODY,
        "Drelva Theresa\nMontask\nSales Associate\nLeeds" + BODY,
        "0161 496 0456\ndm@mail.example\n12 High Street, Leeds\nDrelva Montask\nWelder" + BODY,
        "Name Drelva Montask\nAddress Leeds" + BODY,
        "Welder\nLeeds" + BODY + "\nI hereby declare that the above is true.\nPlace: Pune\n(Drelva Montask)",
        "Welder\nLeeds" + BODY + "\nDrelva Montask\nPage 2\n\nTraining\nFirst aid",
        "Skills\nMIG\nExcel\nLanguages\nEnglish\n\nDrelva Montask\nWelder\n\nProfile\nCareful worker." + BODY,
        "SKILLS\nMIG\nEXCEL\n\nDRELVA MONTASK\nWELDER\n\nPROFILE\nCareful worker." + BODY,
        "Contact www.linkedin.com/in/x (LinkedIn) Top Skills Welding Safety Drelva Montask Software Engineer at Oakfield "
        "Motors Greater Leeds Area Summary Careful worker. Experience Oakfield Motors Welder 2014 - Present",
    ],
)
def test_a_name_that_nobody_knows_is_hidden(text: str) -> None:
    redacted = REDACTOR.redact(text).text.casefold()
    assert "drelva" not in redacted
    assert "montask" not in redacted
    assert "oakfield motors" in redacted


@pytest.mark.parametrize(
    "text",
    [
        "Kwasirembo\nRegistered Nurse\nLeeds" + BODY,
        "Kwasirembo, RN BSN\nSkype: live.kw77" + BODY,
        "KWASIREMBO\n\nOBJECTIVE\nTo find a post." + BODY,
        "# Kwasirembo\n\n**Registered Nurse**" + BODY,
    ],
)
def test_one_word_above_a_post_is_a_name(text: str) -> None:
    assert "kwasirembo" not in REDACTOR.redact(text).text.casefold()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("M I C H A E L   O ' B R I E N\nWelder" + BODY, ("B R I E N", "M I C H")),
        ("X U   W E N\nWelder" + BODY, ("X U", "W E N")),
        ("Hunter West Senior Accountant Houston, TX" + IN_ONE_LINE, ("Hunter", "West")),
        ("april summers\nWarehouse Manager\nleeds" + BODY, ("april", "summers")),
        ("Lim Boon Kiat Project Manager Houston, TX" + IN_ONE_LINE, ("Lim", "Boon", "Kiat")),
        ("Jan-Erik van den Berg Warehouse Manager Houston, TX" + IN_ONE_LINE, ("Erik", "Berg")),
    ],
)
def test_names_made_of_words_and_letters_are_hidden_whole(text: str, parts: tuple[str, ...]) -> None:
    redacted = REDACTOR.redact(text).text
    assert not any(part in redacted for part in parts)


@pytest.mark.parametrize(
    "first",
    [
        "Phlebotomist", "Line Cook", "Will Call Clerk", "Uber Driver", "Key Skills", "Datos Personales", "Perfil Profesional",
        "Cognos Tableau Developer", "Informatica Developer", "Front Desk Clerk", "Mumbai Office Manager", "Infosys",
        "Unity Developer", "Kafka Administrator", "Six Sigma Black Belt", "Sous Chef", "Zusammenfassung",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "layout",
    [
        "{}\nSales Manager\nLeeds\n\nExperience\nOakfield Motors, 2014 - 2019\n",
        "{}\nProfile\nEight years of work.\n\nExperience\nOakfield Motors\n",
        "Skills\nExcel\n\n{}\nSales Manager\n\nProfile\nCareful.\nExperience\nOakfield Motors\n",
    ],
)
def test_a_post_or_a_heading_on_top_is_no_name(first: str, layout: str) -> None:
    assert first in REDACTOR.redact(layout.format(first)).text


@pytest.mark.parametrize(
    "text",
    [
        "PROFESSIONAL EXPERIENCE\nAssembler\nHiram Walker – Oakland, CA\nJan 2010 – Dec 2012\nWrote reports",
        "Technical Proficiency\nPresto   Luigi Julius | Taleo\nDrill   Jenkins",
        "SKILLS\nBottle\nJIMMY JOHN'S\nEnzyme",
        "Skills\n• Karl Fischer titration\n• Java",
        "Skills\nRanger\nHamilton Beach\nLambda",
        "Experience\n- In collaboration with Murphy Oil, built a plant\n- Reported to Parker Drilling",
        "Experience\nAnalyst, Carl Hansen, Oakland, CA (June 2014 - March 2016)\nWrote reports",
        "Experience\n- In collaboration with Johnson Matthey, built a plant\n- Worked with Jenkins and Cassandra",
        "Experience\nJean Coutu pharmacy, Montreal\n- Sold KIT KAT bars",
        "Experience\nCashier\nErnst & Young, Charles Schwab, Johns Hopkins Hospital, Smith & Sons Ltd",
    ],
)
def test_firms_and_tools_that_are_named_like_people_stay(text: str) -> None:
    head = "Drelva Montask  Email: drelva@mail.example  Phone: 415-555-0134"
    assert REDACTOR.redact(f"{head}\n\n{text}\n").text.endswith(f"\n\n{text}\n".rstrip("\n") + "\n")
