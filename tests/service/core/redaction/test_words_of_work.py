"""Skills, tools, posts and employers that look like personal data, in the layouts that resumes put them in."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
HEADER = "Tove Ekdahl\ntove@mail.example | +44 161 496 0132\nOakland, CA\n\n"


def redacted(text: str, *, header: str = HEADER) -> str:
    return REDACTOR.redact(normalise(header + text)).text


@pytest.mark.parametrize(
    "line",
    [
        "Assembly of gearboxes; sub assembly of Turbine Blades; Assembly of HVAC Units",
        "Student Visa Counselor, Work Visa Officer, US Citizenship and Immigration Services",
        "MS SQL Server 2008, MS Exchange 2007/2010, AutoCAD 2012, MS Project 2010",
        "Panels of 120-240-480 V; firewalls SRX 3400 3600 5600; switches 3750 4510 6509",
        "ASP.NET 4.5, VB.NET, Socket.io, Booking.com, Hotels.com",
        "@Override and @Autowired annotations",
        "my sonata, my daughterboard design",
        "Client Name: Jefferson Wells",
        "Clients include William Morris, Birla Sun Life and Karen Millen",
        "Summer Camp Director",
        "J.C. Penney; T.E. Connectivity",
    ],
)
@pytest.mark.parametrize(
    "layout", ["EXPERIENCE\nAcme Ltd, Leeds  2010 - 2013\n- {}\n- Wrote reports", "SKILLS\n{}\nExcel"]
)
def test_words_of_work_stay(line: str, layout: str) -> None:
    assert line in redacted(layout.format(line))


@pytest.mark.parametrize(
    "line",
    [
        "Karl Fischer",
        "Newton Raphson",
        "Otto Wagner",
    ],
)
def test_methods_named_after_people_stay_in_a_list_of_skills(line: str) -> None:
    assert line in redacted(f"SKILLS\n• Titration\n• {line}\n• Pipetting")
    assert line in redacted(f"SKILLS\nTitration, {line}, pipetting")


@pytest.mark.parametrize("firm", ["James Avery", "Karen Millen", "Duane Morris", "Marshall Field's"])
@pytest.mark.parametrize(
    "entry",
    [
        "Work Experience {}, Leeds Jan 2010 - Dec 2012 Clerk. Kept the books of a team. Skills Excel",
        "Work history Acme, Leeds 2006 - 2009. {}, Dallas, Texas 2010 to present Clerk. Kept the books of a team.",
        "Experience Sold shoes. {} | Clerk | (June 2015 - till date) Kept the books of a team and wrote reports.",
    ],
)
def test_an_employer_heads_an_entry_of_a_text_without_line_breaks(firm: str, entry: str) -> None:
    assert firm in redacted(entry.format(firm), header=HEADER.replace("\n", " "))


def test_an_employer_ends_a_list_of_employers() -> None:
    assert redacted("EMPLOYERS\nAcme Bread\nNorthern Mills\nTroutman Sanders").endswith("Troutman Sanders")
    assert redacted("Acme Bread, 2010\nYours sincerely\n\nAmara Sanders").endswith("[NAME]")


@pytest.mark.parametrize("town", ["Oakland, CA", "Pune, India", "Leeds"])
def test_a_firm_before_its_town_stays(town: str) -> None:
    text = redacted(f"Staff Nurse\nQuillon Dental – {town}\n03/2008 to 06/2011")
    assert "Quillon Dental –" in text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Location: Pune Role: Tester Team size: 4", "Location: [ADDRESS] Role: Tester Team size: 4"),
        ("Current Location: Leeds, welder with 5 years", "Current Location: [ADDRESS], welder with 5 years"),
        ("Permanent Address: 12 Mill Road Leeds; Skills: Java", "Permanent Address: [ADDRESS]; Skills: Java"),
        ("Website: WordPress, Wix", "Website: WordPress, Wix"),
        ("Website: ekdahl.example", "Website: [LINK]"),
        ("ekdahl.dev | Berlin", "[LINK] | [ADDRESS]"),
    ],
)
def test_what_stands_behind_a_field_of_the_header_stays(line: str, expected: str) -> None:
    assert expected in redacted(
        f"{line}\n\nSUMMARY\nEight years of work.", header="Tove Ekdahl\ntove@mail.example\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Board Treasurer St. Luke's Church", "Board Treasurer [RELIGION]"),
        ("Treasurer\nSt. Luke's Church, Lima", "Treasurer\n[RELIGION], Lima"),
        ("Assembly of God", "[RELIGION]"),
        ("Girls High School Soccer Coach", "[AFFINITY] Coach"),
    ],
)
def test_a_post_in_a_group_stays(line: str, expected: str) -> None:
    assert expected in redacted(f"EXPERIENCE\nAcme, Leeds 2010 - 2012\n\n{line}\n")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("We recommend Wanjiru Samba", "Wanjiru Samba"),
        ("We highly recommend Wanjiru Samba for any post.", "Wanjiru Samba"),
        ("Recommended by Al Page, and others.", "Al Page"),
        ("Recommended by Uzo N. Samba of Acme.", "Uzo N. Samba"),
    ],
)
def test_who_is_recommended_is_hidden(line: str, name: str) -> None:
    text = redacted(f"EXPERIENCE\nAcme, Leeds 2010 - 2012\n{line}\n")
    assert not any(part in text for part in name.split())


@pytest.mark.parametrize(
    "line", ["We recommend Windows Server.", "Recommended by Apple Care and Gartner Group."]
)
def test_what_is_recommended_stays(line: str) -> None:
    assert line in redacted(f"EXPERIENCE\nAcme, Leeds 2010 - 2012\n{line}\n")


def test_a_name_above_an_address_that_holds_it_is_hidden_anywhere() -> None:
    text = redacted(
        "EXPERIENCE\nAcme, Leeds 2010 - 2012\n\nKwabena Frimpong\nk.frimpong@mail.example\nHead Chef"
    )
    assert "Frimpong" not in text
    assert "Kwabena" not in text


def test_the_name_ends_where_an_address_begins() -> None:
    result = REDACTOR.redact(
        "Wanjiru Okello wanjiru.okello@mail.example Work history, Carnegie Steel, trained people"
    )
    assert result.text == "[NAME] [EMAIL] Work history, Carnegie Steel, trained people"
    assert result.counts == {"name": 1, "email": 1}


@pytest.mark.parametrize(
    "sentence",
    [
        "Repaired John Deere, Massey Ferguson tractors.",
        "Kept the accounts of Franklin Templeton and Janus Henderson.",
        "Dentist at Dr. Batra's Clinic.",
    ],
)
def test_firms_named_like_people_stay_among_firms(sentence: str) -> None:
    assert sentence in redacted(f"SUMMARY\n{sentence}")


@pytest.mark.parametrize(
    "sentence",
    [
        "My supervisor was Sarah Holt, Morgan Stanley.",
        "Morgan Stanley, Sarah Holt (manager)",
        "Served Goldman Sachs and Sarah Holt, director.",
        "Studied in Dr. Holt's Lab.",
    ],
)
def test_people_stay_hidden_beside_firms(sentence: str) -> None:
    assert "Holt" not in redacted(f"SUMMARY\n{sentence}")


@pytest.mark.parametrize(
    "line",
    [
        "ASP.NET/C#, VB.Net/ADO.NET, asp.net/mvc",
        "Node.js/Express, React.js/Redux, D3.js/SVG, Socket.io/WebRTC",
        "models.py/views.py and app.rb/routes.rb",
    ],
)
def test_tools_with_a_slash_between_them_are_no_links(line: str) -> None:
    assert line in redacted(f"SKILLS\n{line}")
    assert line in redacted(f"{line}\n\nSUMMARY\nEight years of work.")


@pytest.mark.parametrize(
    "link", ["ekdahl.dev/cv", "toveekdahl.net/work", "tove.io/a", "example.co/tove", "ekdahl.se/blog"]
)
def test_paths_of_sites_are_links(link: str) -> None:
    assert redacted(f"SUMMARY\nSee {link} for more").endswith("See [LINK] for more")
