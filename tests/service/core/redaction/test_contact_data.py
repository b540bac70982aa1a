"""Phones, addresses, handles and identity numbers by country, and what only looks like them.

Every number, street and person is made up.
"""

from __future__ import annotations

import re
import time

import pytest

from service.core.documents import normalise
from service.core.redaction.handles import handles_in_line
from service.core.redaction.identity_numbers import find_named_numbers, find_number_forms
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.phone_numbers import find_phones
from service.core.redaction.prefilter import PrefilterText
from service.core.redaction.redactor import Redactor
from service.core.redaction.spans import PLACEHOLDER, SURE
from service.core.redaction.streets import (
    find_asian_and_american_streets,
    find_european_streets,
    find_streets,
)
from tests.support.hostile_texts import PATTERNS

REDACTOR = Redactor(["address", "email", "identity_number", "link", "phone"])
HEADER = "Tove Ekdahl\n{}\ntove@mail.example | +1 415 555 0177\n\nExperience\nClerk at Brightwater"
BODY = "Tove Ekdahl\ntove@mail.example\n\nExperience\nClerk at Brightwater since the beginning of the war\n{}"


def in_header(text: str) -> str:
    redacted = REDACTOR.redact(normalise(HEADER.format(text))).text
    return redacted.removeprefix("Tove Ekdahl\n").split("\n[EMAIL]")[0]


def in_body(text: str) -> str:
    return REDACTOR.redact(normalise(BODY.format(text))).text.rpartition("of the war\n")[2]


@pytest.mark.parametrize(
    "phone",
    [
        # the United States and Canada
        "(415) 555-0142", "415-555-0142", "415.555.0142", "1.415.555.0142", "1-415-555-0142", "+1 415 555 0142", "+ 1 (415) 555-0142",
        "(415) · 555 · 0142", "415 - 555 - 0142", "(415)555-0142", "+1-415-555-0142 ext. 12", "415-555-0142 x9", "415/555-0142",
        "+1.415.555.0142x77", "1 (800) 555-0142", "(1-800) 555 0142", "415–555–0142",
        # Europe
        "+44 20 7946 0142", "+44 (0)161 496 0142", "0161 496 0142", "(0161) 496 0142", "07700 900142", "0044 161 496 0142", "0161-496-0142",
        "+49 (0) 151 12345678", "0171/1234567", "089 / 12 34 56 78", "+4915112345678", "+49-30-1234567", "+33 (0)6 58 87 40 75",
        "01 42 68 53 00", "01.42.68.53.00", "+34 612 345 678", "+351 912 345 678", "+39 06 1234 5678", "+31 6 12345678", "+32 470 12 34 56",
        "+41 44 668 18 00", "0041 44 668 18 00", "+43 1 12345678", "+45 12 34 56 78", "+46 70 123 45 67", "+47 912 34 567", "+358 40 123 4567",
        "+48 512 345 678", "+420 601 234 567", "+36 30 123 4567", "+40 721 234 567", "+30 691 234 5678", "+7 (495) 123-45-67", "8-916-123-45-67",
        "+380 67 123 45 67", "+90 532 123 45 67", "+353 86 123 4567",
        # Asia, Africa, Latin America, Oceania
        "+91 98765 00142", "+91-98765-00142", "+91-98765/00142", "(+91) 98765-00142", "(+91 98765 00142)", "+919876500142", "+65 9123 0142", "+65  9123 0142",
        "+60 12-345 6789", "012-345 6789", "+62 812 3456 789", "+63 917 123 4567", "+84 90 123 45 67", "+66 81 234 5678", "+86 138 0013 8000",
        "+852 9123 4567", "+886 912 345 678", "+81 90-1234-5678", "090-1234-5678", "+82-10-1234-5678", "010-1234-5678", "+92 300 1234567",
        "+880 1712 345678", "+94 77 123 4567", "+977 9812345678", "+971 50 123 4567", "+966 50 123 4567", "+972 52-123-4567", "+20 100 123 4567",
        "+212 612 345678", "+234 803 123 0142", "0803 123 4567", "+254 712 345 678", "+233 24 123 4567", "+27 82 123 4567", "+55 11 98765-0142",
        "(11) 98765-4321", "+52 55 1234 5678", "+54 9 11 1234-5678", "+57 300 123 4567", "+56 9 1234 5678", "+51 987 654 321", "+61 412 345 678",
        "(02) 9876 5432", "0412 345 678", "+64 21 123 4567",
    ],
)  # fmt: skip
def test_a_phone_is_hidden_anywhere(phone: str) -> None:
    assert re.fullmatch(r"\(?\[PHONE\]\)?", in_body(phone))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mobile: 9876500142", "Mobile: [PHONE]"),
        ("Mob No.- 9876500142", "Mob No.- [PHONE]"),
        ("M: 98765 00142", "M: [PHONE]"),
        ("Phone: 77-332-55", "Phone: [PHONE]"),
        ("Tel. 030 1234567 / 0171 1234567", "Tel. [PHONE] / [PHONE]"),
        ("Phone: +44 20 7946 0142/43", "Phone: [PHONE]"),
        ("98765 00142 (M)", "[PHONE] (M)"),
        ("Phone number is 415 555 0142", "Phone number is [PHONE]"),
        ("+1-415-555-0142 or +1-415-555-0143", "[PHONE] or [PHONE]"),
        ("-Trainer-415-555-0142", "-Trainer-[PHONE]"),
        ("Lea Brandt -Foreperson415-555-0142", "Lea Brandt -Foreperson[PHONE]"),
        ("415-555-0142Email", "[PHONE]Email"),
        ("Mobile+919876500142", "Mobile[PHONE]"),
        ("Boston, MA 617-555-0142", "Boston, MA [PHONE]"),
    ],
)
def test_labels_and_neighbours_of_phones_stay(text: str, expected: str) -> None:
    assert in_body(text) == expected


@pytest.mark.parametrize(
    "phone", ["9876500142", "98765 00142", "415 555 0142", "9123 0142", "555-0142", "4155550142, 9876500142"]
)
def test_bare_digits_are_a_phone_only_among_contact_data(phone: str) -> None:
    assert PLACEHOLDER.sub("", in_header(phone)).strip(", ") == ""
    assert in_body(phone) == phone


@pytest.mark.parametrize(
    "text",
    [
        # periods and days
        "Director (2011 - 2014)", "BSc · (2016 - 2020)", "2009-2012", "(2010—2012)", "2004 - 2009  2003", "1985-1989 1990-1994", "31/07/2004",
        "5/1/2003 - 7/1/2008", "12.05.2010-30.06.2014", "09/2012 - 08/2015", "2015/16-2017/18", "2012-13 2013-14", "0608 2008", "(20012008)",
        "Fall 2011 - 2012 2013", "since 2015-03-01 2019-05-31",
        # quantities, codes and versions
        "KR 10-2299417, Mar 2021", "US 10222333, granted", "Cisco (7300/7500) routers", "ISBN 978-3-16-148410-0", "RFC 2616, ISO 9001:2015",
        "Windows NT 2000/2003", "part no. 415-555-0142", "MX-415-555-0142", "Employee ID 1234567890", "Handled 6033391 and 1607635102.00 rows",
        "1,200,000 users", "200 000 - 300 000 crowns", "Pp. 1037-1060", "10,000-15,000", "99.95 % of 2000", "GPA 3.8/4.0 2014", "192.168.100.100", "Grade 95/100",
        "over 1234567890 events", "project no 2065864", "worth $1234567890", "100 200 300 4000 plots", "invoice 4155550142", "x86 64 2010",
    ],
)  # fmt: skip
def test_periods_and_quantities_are_no_phones(text: str) -> None:
    assert in_body(text) == text


@pytest.mark.parametrize(
    "address",
    [
        # India
        "Room no 14, behind Lotus\nBakery, Nagpur", "Plot 9, Opp. Union Bank, Civil Lines, Jabalpur", "S/o Mohan Lal, H.No. 45, Village Rampur, Dist. Meerut",
        "C/o A. Verma, 12/3 Gali No 4, Shastri Nagar, Delhi - 110052", "H.No: 4-5-6/2, Gandhi Nagar,\nHyderabad",
        "Flat 12B, Sunrise Apartments,\nNear City Mall,\nAndheri (E), Mumbai 400069", "#45, 2nd Floor, MG Road, Bengaluru",
        "12/4, 3rd Cross, 5th Main, Indiranagar\nBangalore - 560038", "D-204, Ganga Heights, Baner, Pune", "B/12 Shanti Nagar Soc., Thane",
        "At Post Wadgaon, Tal. Haveli, Dist. Pune", "Vill- Rampur, P.O.- Sonpur, Dist- Saran, Bihar", "Sector 15, Rohini, New Delhi",
        "room 5 ward 3, near bus stand, pune", "Flat No. 204, Balaji Residency, Opp. SBI Bank, Kothrud, Pune-411038",
        # elsewhere in Asia
        "Blk 318, Hougang Rise\n#11-204\nSingapore 530318", "Block 12 Clementi Ave 3\n#12-34\nS(120012)", "235, Yanghwa-ro, Mapo-gu, Seoul, 04050, Republic of Korea",
        "12-3 Teheran-ro 5-gil, Gangnam-gu\nSeoul 06234", "1-2-3 Shibuya, Shibuya-ku\nTokyo 150-0002 Japan", "〒150-0002 Tokyo, Shibuya",
        "No 12, Jalan Bukit 3/4, Taman Desa\n58100 Kuala Lumpur", "Jl. Merdeka No. 12 RT 03/04, Kel. Sukajadi\nBandung 40162",
        "Lot 5 Block 12, Sampaguita St, Brgy. San Isidro, Quezon City", "12 Nguyen Hue Street, District 1, Ho Chi Minh City",
        "House 12, Road 5, Dhanmondi, Dhaka 1205", "Villa 12, Al Barsha 1, Dubai",
        # Africa and Latin America
        "15 Adeola Odeku Street,\nVictoria Island,\nLagos", "No. 5, Unity Close, Off Aba Road, Port Harcourt, Rivers State", "P.O. Box 1234, Nairobi",
        "Rua das Flores, 123, apto 45\nPinheiros, São Paulo - SP\nCEP 05422-010", "Av. Paulista, 1578 - Bela Vista, São Paulo - SP, 01310-200",
        "Carrera 7 # 45-20 Apto 301\nBogotá",
        # Europe
        "Nordring 5\n60313 Frankfurt", "Hauptstr. 12\n10115 Berlin\nGermany", "Berliner Str. 12, 80331 München", "12 rue de la Paix\n75002 Paris",
        "5 bis avenue Foch, 69006 Lyon", "34 Park Lane, Cowley\nOxford OX4 2AB", "Flat 3, The Maltings\n5 Mill Road\nCambridge\nCB1 2AB",
        "ul. Nowa 3/5\n00-950 Warszawa", "Calle Mayor 5, 3º B\n28013 Madrid", "Via Roma 12\n20121 Milano (MI)", "Keizersgracht 12\n1015 CN Amsterdam",
        "Am Neuen Teich 4b, 50667 Köln", "Lipová 7, 120 00 Praha 2", "The Old Bakery, Mill Lane, Norwich NR3 4LP", "Al Qusais 3, Dubai, UAE",
        "Storgatan 12, lgh 1101\n111 23 Stockholm", "Str. Lunga 12, bl. 3, ap. 4, Brasov", "Atatürk Mah. 12. Sok. No: 5 Kadıköy/Istanbul",
        # North America and Australia
        "12 Maple Street\nSpringfield, IL 62704", "Apt 4B, 12 Maple Street\nBrookhaven, GA", "Unit 5, 12 King St\nNewtown NSW 2042",
        "Toronto, ON M5V 2T6", "Brookhaven, GA 30319", "Austin, TX",
        # a town
        "Bangalore, India", "Hyderabad, Telangana", "Nairobi",
    ],
)  # fmt: skip
def test_every_line_of_an_address_in_the_header_is_hidden(address: str) -> None:
    assert PLACEHOLDER.sub("", in_header(address)).strip(" ,.-\n") == ""


@pytest.mark.parametrize(
    "street",
    [
        "12 Maple Street, Springfield, IL 62704", "Hauptstraße 5, 10115 Berlin", "12 rue de la Paix, 75002 Paris", "Calle Mayor 5, 28013 Madrid",
        "Rua das Flores, 123, Porto", "ul. Nowa 3, 00-950 Warszawa", "Jalan Sudirman 5", "Carrera 7 # 45-20", "Singapore 530318", "Via Roma, 12",
        "Bahnhofstr. 7a", "Keizersgracht 12, 1015 CN Amsterdam", "Strada Lunga 12, Brasov",
    ],
)  # fmt: skip
def test_a_clear_street_is_hidden_anywhere(street: str) -> None:
    assert in_body(street) == "[ADDRESS]"


@pytest.mark.parametrize(
    "text",
    [
        # words that end or begin like streets
        "Java, Spring 6, Hibernate", "Spring 4.3 and Struts 2", "String 3, Engineering 2, Monitoring 5", "Intern, Fall 2013 - Spring 2014",
        "Restored via Oracle 19 and released via Bamboo 7", "Via SQL Server 2019", "Brigade 5", "Rue 21, Zara", "Lasso, Ridge 2", "C/C++ 11",
        "5 Day Close Monitoring", "3 Way Match", "In 2012 Main Street Capital", "managed 12 High Street stores", "500 GB Hard Drive", "issue #12-345",
        "1 place in a hackathon", "2004, Newport News Road Island",
        # compounds that begin like the name of a postal code
        "Post-merger audits and post-acquisition work", "post-surgical wards; post-sales; Post-Production", "pin-point accuracy, zip-lock bags",
        "post-2008 rules, post-9/11 law", "PIN 8 of the connector", "codepage CP-1252", "S3 5TB and M2 8GB disks",
        # places of work
        "Reported to the head of sales based in Oslo", "audited a subsidiary based in Ghana", "for clients based in Spain and Peru",
        "Brightwater, based in Leeds", "housed families living in Detroit", "the agency is based in Rome",
    ],
)  # fmt: skip
def test_words_and_places_of_work_are_no_addresses(text: str) -> None:
    assert in_body(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Quality analyst with JIRA, QC and Appium", "Software Engineer, Brightwater Corp", "Python, Java, Spring 5, Oracle", "Brightwater Corp, London",
        "Senior Manager, Paris office", "Microsoft, Redmond, WA", "Docker, AWS, Terraform", "High Court of Justice at Madras",
        "Area Manager, Health and Safety", "Near field communication, ISO 14443",
    ],
)  # fmt: skip
def test_lists_and_employers_of_the_header_are_no_places(text: str) -> None:
    assert in_header(text) == text


@pytest.mark.parametrize(
    "text", ["I am based in Oslo", "Currently based in Oslo", "I'm living in Oslo", "Resident of Oslo"]
)
def test_the_candidates_own_residence_is_hidden(text: str) -> None:
    assert in_body(text) == text.replace("Oslo", "[ADDRESS]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NRIC No: S1234567D", "NRIC No: [IDENTITY_NUMBER]"),
        ("PAN: BKZPT4821K", "PAN: [IDENTITY_NUMBER]"),
        ("Personnummer: 811228-9874", "Personnummer: [IDENTITY_NUMBER]"),
        ("Passport No. K1234567", "Passport No. [IDENTITY_NUMBER]"),
        ("Driving License No: DL-0420110012345", "Driving License No: [IDENTITY_NUMBER]"),
        ("Aadhaar: 1234 5678 9012", "Aadhaar: [IDENTITY_NUMBER]"),
        ("SSN 219-09-9999", "SSN [IDENTITY_NUMBER]"),
        ("National Insurance Number: QQ 12 34 56 C", "National Insurance Number: [IDENTITY_NUMBER]"),
        ("DNI 12345678Z", "DNI [IDENTITY_NUMBER]"),
        ("CPF: 123.456.789-09", "CPF: [IDENTITY_NUMBER]"),
        ("Emirates ID 784198512345671", "Emirates ID [IDENTITY_NUMBER]"),
        ("ID Number: 8001015009087", "ID Number: [IDENTITY_NUMBER]"),
        ("Identity card number 0123456789", "Identity card number [IDENTITY_NUMBER]"),
        ("NIN: 12345678901, BVN 22123456789", "NIN: [IDENTITY_NUMBER], BVN [IDENTITY_NUMBER]"),
        ("Steuer-ID: 12 345 678 901", "Steuer-ID: [IDENTITY_NUMBER]"),
        ("Cédula: 1.234.567-8", "Cédula: [IDENTITY_NUMBER]"),
        ("SIN: 046 454 286", "SIN: [IDENTITY_NUMBER]"),
        ("RFC: GOML850101AB1", "RFC: [IDENTITY_NUMBER]"),
        ("I.C. No: 850101-14-5678", "I.C. No: [IDENTITY_NUMBER]"),
        ("SSN: XXX-XX-1234", "SSN: [IDENTITY_NUMBER]"),
        # by their form
        ("S1234567D", "[IDENTITY_NUMBER]"),
        ("BKZPT4821K", "[IDENTITY_NUMBER]"),
        ("12345678Z", "[IDENTITY_NUMBER]"),
        ("X1234567L", "[IDENTITY_NUMBER]"),
        ("811228-9874", "[IDENTITY_NUMBER]"),
        ("131052-308T", "[IDENTITY_NUMBER]"),
        ("GOML850101HDFMRR05", "[IDENTITY_NUMBER]"),
        ("RSSMRA85T10A562S", "[IDENTITY_NUMBER]"),
        ("784-1985-1234567-1", "[IDENTITY_NUMBER]"),
        ("12.345.678-5", "[IDENTITY_NUMBER]"),
        ("11010519491231002X", "[IDENTITY_NUMBER]"),
        ("35202-1234567-1", "[IDENTITY_NUMBER]"),
        ("2345 6789 0124", "[IDENTITY_NUMBER]"),
    ],
)
def test_identity_numbers_are_hidden(text: str, expected: str) -> None:
    assert in_body(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "JavaScript, Node JS, E2E", "Passport: Node.js library, maintainer", "Driving licence: B", "Driver's license: Class A, 2015", "RFC 2616, RFC 7519",
        "CPR certified 2019, First Aid 2015-2017", "PAN India roll-out 2015-2016", "Social security software, 2000 users", "Employee id: 123456",
        "Passport automation for 12345 users", "12345678A", "S1234567A", "811228-9875", "2345 6789 0123", "Driving license 2008", "Voter turnout 2012",
    ],
)  # fmt: skip
def test_words_and_wrong_check_digits_are_no_identity_numbers(text: str) -> None:
    assert in_body(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CodeChef:// tekd_9", "CodeChef:// [LINK]"),
        ("Leetcode:// tekdahl", "Leetcode:// [LINK]"),
        ("Skype - tekdahl", "Skype - [LINK]"),
        ("Telegram @tekdahl | IG: @tove.e", "Telegram [LINK] | IG: [LINK]"),
        ("linkedin/tekdahl | github/tekdahl", "linkedin/[LINK] | github/[LINK]"),
        ("kaggle tekdahlx", "kaggle [LINK]"),
        ("Stack Overflow user tekdahlx", "Stack Overflow user [LINK]"),
        ("tekdahl9 on Github", "[LINK] on Github"),
        ("| ToveEkdahl | tove-ekdahl-84471911b", "| [LINK] | [LINK]"),
        ("ORCID 0000-0002-1825-0097", "ORCID [LINK]"),
        ("www.linkedin.com/in/tove-\nekdahl-1b2c3d (LinkedIn)", "[LINK]\n[LINK] (LinkedIn)"),
        ("tove.e @ mail . com", "[EMAIL]"),
        ("tove.e@ mail.com", "[EMAIL]"),
        ("tove at mail dot com", "[EMAIL]"),
        ("tove.e(@)mail.com", "[EMAIL]"),
        ("Email: tove.ekd", "Email: [EMAIL]"),
        ("tove.e@gmail", "[EMAIL]"),
    ],
)
def test_handles_and_broken_addresses_of_the_header_are_hidden(text: str, expected: str) -> None:
    assert in_header(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "GitHub/GitLab, Bitbucket", "GitHub Actions, Twitter API", "LinkedIn Recruiter", "LinkedIn - B2B marketing", "projects on Github",
        "Skype for Business", "github user interface design", "Medium - large firms", "HackerRank: 5 star in SQL", "youtube/tiktok content",
        "Leetcode - 500+ problems", "built an end-to-end-ml2ops", "Full Stack Developer | FullStack", "Meet @ Scale. In 2015", "leetcode rating 1800",
    ],
)  # fmt: skip
def test_sites_that_are_skills_stay(text: str) -> None:
    assert in_header(text) == text
    assert in_body(text) == text


def test_a_handle_is_hidden_wherever_it_comes_again() -> None:
    text = (
        HEADER.format("github.com/tekdahlx/tools")
        + "\n\nLinks\nYou find me as tekdahlx there, not as tekdahlxyz"
    )

    assert REDACTOR.redact(text).text.endswith("You find me as [LINK] there, not as tekdahlxyz")


def test_a_clear_number_needs_no_witness() -> None:
    assert [span.score for span in find_phones("+1 415 555 0142")] == [SURE]
    assert [span.score < SURE for span in find_phones("9876500142")] == [True]


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_contact_data_are_read_in_time_that_grows_with_the_text(name: str) -> None:
    # A pattern that takes the square of the length takes minutes for this.
    text = PATTERNS[name](50_000).replace("\n", " ")
    line = Line(0, len(text), text, "contact", heading=False)
    lexicon, seen = load_lexicon(), PrefilterText("", frozenset({"github"}))
    start = time.process_time()

    for find in (
        find_phones, find_named_numbers, find_number_forms, find_streets, find_european_streets, find_asian_and_american_streets,
    ):  # fmt: skip
        assert all(0 <= span.start < span.end <= len(text) for span in find(text))
    assert all(0 <= span.start < span.end <= len(text) for span in handles_in_line(line, seen, lexicon))

    assert time.process_time() - start < 10
