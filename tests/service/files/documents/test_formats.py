from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.core.errors import (
    DamagedDocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    EvenmatchError,
    NestedArchiveError,
    UnsafeDocumentError,
    UnsupportedDocumentError,
)
from service.core.redaction.redactor import Redactor
from service.files.documents.parsed import DocumentLimits, ParsedDocument
from service.files.documents.parsers import parse_document
from tests.service.files.documents.small_files import MACROS, WORD, docx, paragraph, zipped
from tests.support.made_documents.people import person
from tests.support.made_documents.reading_order import faults

FIXTURES = Path(__file__).parent / "fixtures"
WHITE = '<w:color w:val="FFFFFF"/>'


def read(data: bytes | str, **limits: int) -> ParsedDocument:
    data = data.encode() if isinstance(data, str) else data
    return parse_document(data, DocumentLimits(**limits))


@pytest.mark.parametrize("kind", ["docx", "odt", "rtf"])
def test_a_table_of_columns_by_libreoffice_is_read_cell_by_cell(kind: str) -> None:
    document = read((FIXTURES / f"writertable-p1.{kind}").read_bytes())

    assert faults(document.text, person(1, posts=4, bullets=4)) == []
    assert document.kind == kind
    assert "hidden_text" not in document.warnings  # its sidebar is white on dark
    assert "Wound care" in document.text


def test_a_word_document_in_one_column_is_read_with_its_lists() -> None:
    document = read((FIXTURES / "writer-p0.docx").read_bytes())

    assert faults(document.text, person(0, posts=3, bullets=3)) == []
    assert document.text.startswith("Kofi Whitcombe\n")
    assert "• Led 20 engineers" in document.text
    assert "• Experience" not in document.text


@pytest.mark.parametrize(
    ("look", "is_seen"),
    [
        ("", True),
        ("<w:vanish/>", False),
        ('<w:vanish w:val="0"/>', True),
        ('<w:color w:val="FFFFFF"/>', False),
        ('<w:color w:val="FEFDFE"/>', False),
        ('<w:color w:themeColor="background1" w:val="FFFFFF"/>', False),
        ('<w:color w:val="FFFFFF"/><w:shd w:val="clear" w:fill="1F2D3D"/>', True),
        ('<w:color w:val="FFFFFF"/><w:highlight w:val="black"/>', True),
        ('<w:color w:val="1F2D3D"/><w:shd w:val="clear" w:fill="1F2D3D"/>', False),
        ('<w:sz w:val="2"/>', False),
        ('<w:sz w:val="14"/>', True),
        ('<w:rStyle w:val="Ghost"/>', False),
        ('<w:rStyle w:val="ChildOfGhost"/>', False),
    ],
)
def test_a_run_of_word_counts_if_a_reader_sees_it(look: str, is_seen: bool) -> None:
    styles = (
        f'<w:styles xmlns:w="{WORD}"><w:style w:type="character" w:styleId="Ghost"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="character" w:styleId="ChildOfGhost"><w:basedOn w:val="Ghost"/></w:style></w:styles>'
    )

    document = read(docx(paragraph("Engineer of bridges") + paragraph("Trickster", look), styles__xml=styles))

    assert ("Trickster" in document.text) is is_seen
    assert document.warnings.get("hidden_text", 0) == (0 if is_seen else 9)
    assert "Engineer of bridges" in document.text


def test_word_keeps_what_was_inserted_and_leaves_out_what_was_deleted() -> None:
    body = (
        "<w:p><w:r><w:t>Led </w:t></w:r><w:ins><w:r><w:t>four</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>nine</w:delText></w:r></w:del><w:r><w:t> teams</w:t></w:r></w:p>"
    )

    document = read(docx(body))

    assert document.text == "Led four teams"
    assert document.warnings == {"tracked_deletions": 4}


def test_word_text_boxes_are_read_once_and_headers_come_first() -> None:
    box = (
        '<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:wsp><wps:spPr><a:solidFill><a:srgbClr val="203040"/></a:solidFill>'
        f"</wps:spPr><wps:txbx><w:txbxContent>{paragraph('White in a box', WHITE)}"
        "</w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
        f"{paragraph('White in a box')}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent><w:t>Anchor</w:t></w:r></w:p>"
    )
    header = f'<w:hdr xmlns:w="{WORD}">{paragraph("Jane Doe, Leeds")}</w:hdr>'

    document = read(docx(box + paragraph("The end"), header1__xml=header, header2__xml=header))

    assert document.text.split("\n\n") == ["Jane Doe, Leeds", "Anchor", "White in a box", "The end"]
    assert document.warnings == {"text_boxes": 1}


def test_a_word_document_with_a_program_in_it_is_read_without_running_anything() -> None:
    document = read(docx(paragraph("Jane Doe"), vbaProject__bin=b"a program"))

    assert (document.text, document.warnings) == ("Jane Doe", {"macros_ignored": 1})


def test_cells_of_a_row_stand_on_one_line() -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Languages", "Python, Go"))

    document = read(docx(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"))

    assert document.text == "Languages    Python, Go"
    assert document.warnings == {"tables": 1}


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", DamagedDocumentError, "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), UnsupportedDocumentError, "an image"),
        (b"\xff\xd8\xff\xe0" + bytes(50), UnsupportedDocumentError, "an image"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), UnsupportedDocumentError, "an archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"), UnsupportedDocumentError, "old Word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), EncryptedDocumentError, "password"),
        (docx("", kind=MACROS), UnsupportedDocumentError, "macros"),
        (docx("", kind="vnd.openxmlformats-officedocument.spreadsheetml.sheet"), UnsupportedDocumentError, "Excel"),
        (zipped({"cv.txt": "Jane"}), NestedArchiveError, "archive"),
        (b"PK\x03\x04 and nothing more", DamagedDocumentError, "container"),
        (b"\x00\x01\x02\x03" * 50, UnsupportedDocumentError, "no text"),
        (b"<?xml version='1.0'?><invoice><total>4</total></invoice>", UnsupportedDocumentError, "XML of another kind"),
        (docx("<w:p>"), DamagedDocumentError, "XML cannot be read"),
        (docx(paragraph("&x;"), prolog='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), UnsafeDocumentError, "DOCTYPE"),
        (b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]><Candidate>&a;</Candidate>', UnsafeDocumentError, "DOCTYPE"),
        (docx("<w:sdt>" * 220 + "</w:sdt>" * 220), DamagedDocumentError, "nested"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_in_words(data: bytes, error: type[EvenmatchError], words: str) -> None:
    with pytest.raises(error, match=words):
        read(data)


def test_a_document_may_not_unpack_to_more_than_the_limit() -> None:
    with pytest.raises(DocumentTooLargeError, match="unpacks") as refused:
        read(docx(paragraph("x" * 50_000)), max_unpacked_bytes=10_000)

    assert refused.value.limit == 10_000


def test_kinds_are_told_by_content() -> None:
    assert read("# Jane Doe\n\n**Engineer** of [bridges](https://example.com)").kind == "markdown"
    assert read("Jane Doe\n- Engineer\n- of bridges").kind == "text"
    assert read("<!doctype html><p>Jane").kind == "html"
    assert read('{"basics": {"name": "Jane Doe"}, "work": []}').kind == "json_resume"
    assert read('{"some": "thing"}').kind == "text"
    assert read("{\\rtf1 Jane}").kind == "rtf"


def test_html_shows_what_a_browser_would() -> None:
    tricks = {
        "display:none": False, "visibility:hidden": False, "font-size:0": False, "font-size:1px": False,
        "color:#fff": False, "color:white;background:#123": True, "opacity:0": False, "color:rgba(0,0,0,0)": False,
        "position:absolute;left:-9999px": False, "text-indent:-9999px": False, "color:#767676": True,
        "background:url(x.png);color:#fff": True, "overflow:hidden;height:0": False, "font-size:9px": True,
    }  # fmt: skip
    lines = "".join(f"<p style='{style}'>word{i}</p>" for i, style in enumerate(tricks))
    page = (
        "<html><head><title>t</title><style>.gone {display:none} @media print {.later {display:none}}</style></head><body>"
        f"{lines}<p class=gone>ghost</p><p class=later>screen</p><script>alert(1)</script>"
        "<div style='visibility:hidden'>x<b style='visibility:visible'>back</b></div>"
        "<table><tr><td>Skills</td><td>Go, SQL</td></tr></table><ul><li>One</li></ul></body></html>"
    )

    document = read(page)

    shown = [
        is_seen for i, is_seen in enumerate(tricks.values()) if (f"word{i}\n" in document.text) is not is_seen
    ]
    assert shown == []
    assert "ghost" not in document.text
    assert "alert" not in document.text
    assert "screen\nback\nSkills    Go, SQL\n" in document.text.replace("\n\n", "\n")
    assert document.text.endswith("• One")
    assert document.warnings["hidden_text"] > 40


def test_markdown_is_read_without_its_marks() -> None:
    document = read(
        "# Jane Doe\n\n**Engineer** of [bridges](https://example.com)\n\n- Go\n- SQL\n\n<!-- hire me -->\n"
    )

    assert document.text == "Jane Doe\n\nEngineer of bridges\n\n• Go\n• SQL"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_plain_text_is_read_in_the_usual_encodings(encoding: str) -> None:
    text = "Zoë Müller – “engineer” of bridges in Orléans\nBuilt seven of them in nine years"

    document = read(text.encode(encoding))

    assert document.text == text
    assert document.warnings == ({"guessed_encoding": 1} if encoding == "cp1252" else {})


def test_characters_without_width_are_taken_out_and_counted() -> None:
    document = read(
        "Py\u200bth\u2060on and \U000e0041\U000e0042SQL; \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    )

    assert (
        document.text == "Python and SQL; \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    )  # Persian needs its joiner
    assert document.warnings == {"zero_width_characters": 4}


def test_rtf_leaves_out_hidden_deleted_and_white_text() -> None:
    source = (
        r"{\rtf1\ansi{\colortbl;\red255\green255\blue255;\red0\green0\blue0;}Engineer {\v ghost}{\deleted gone}{\cf1 white}"
        r"{\fs2 tiny}{\cf2 of bridges}\par caf\'e9 \u8211?}"
    )

    document = read(source)

    assert document.text == "Engineer of bridges\ncafé –"
    assert document.warnings == {"hidden_text": 14, "tracked_deletions": 4}


def test_odt_leaves_out_hidden_text() -> None:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"'
        for name, uri in (
            ("office", "office"),
            ("text", "text"),
            ("style", "style"),
            ("fo", "xsl-fo-compatible"),
        )
    )
    content = (
        f'<office:document-content {spaces}><office:automatic-styles><style:style style:name="T1"><style:text-properties fo:color="#ffffff"/>'
        '</style:style><style:style style:name="T2"><style:text-properties text:display="none"/></style:style></office:automatic-styles>'
        "<office:body><office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
        '</text:changed-region></text:tracked-changes><text:p>Engineer <text:span text:style-name="T1">white</text:span>of'
        '<text:s/><text:span text:style-name="T2">ghost</text:span>bridges</text:p></office:text></office:body></office:document-content>'
    )

    document = read(zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content}))

    assert document.text == "Engineer of bridges"
    assert document.warnings == {"hidden_text": 10, "tracked_deletions": 4}


EUROPASS = """<?xml version="1.0" encoding="UTF-8"?>
<SkillsPassport xmlns="http://europass.cedefop.europa.eu/Europass"><LearnerInfo>
<Identification><PersonName><FirstName>Mira</FirstName><Surname>Halvorsen</Surname></PersonName>
<ContactInfo><Email><Contact>mira@example.com</Contact></Email></ContactInfo></Identification>
<WorkExperienceList><WorkExperience><Period><From year="2019" month="--03"/><To year="2023"/></Period>
<Position><Label>Route Planner</Label></Position><Activities>&lt;p&gt;Planned the routes of 40 vans&lt;/p&gt;</Activities>
<Employer><Name>Northwind Freight</Name></Employer></WorkExperience></WorkExperienceList>
<EducationList><Education><Title>Business Studies</Title><Organisation><Name>University of Graz</Name></Organisation></Education></EducationList>
</LearnerInfo></SkillsPassport>"""
HR_OPEN = """<Candidate xmlns="http://www.hr-xml.org/3"><CandidatePerson><PersonName><FormattedName>Mira Halvorsen</FormattedName>
</PersonName><Communication><Email>mira@example.com</Email></Communication></CandidatePerson><CandidateProfile><EmploymentHistory>
<EmployerHistory><OrganizationName>Northwind Freight</OrganizationName><PositionHistory><PositionTitle>Route Planner</PositionTitle>
<StartDate><YearMonth>2019-03</YearMonth></StartDate><Description>Planned the routes of 40 vans</Description></PositionHistory>
</EmployerHistory></EmploymentHistory><Education><EducationOrganizationAttendance><OrganizationName>University of Graz</OrganizationName>
</EducationOrganizationAttendance></Education></CandidateProfile></Candidate>"""


@pytest.mark.parametrize(("source", "kind"), [(EUROPASS, "europass_xml"), (HR_OPEN, "hr_open_xml")])
def test_resumes_in_xml_become_json_resume_which_redaction_reads_by_its_places(
    source: str, kind: str
) -> None:
    document = read(source)

    assert document.kind == kind
    resume = json.loads(document.text)
    assert resume["basics"]["name"] == "Mira Halvorsen"
    assert resume["basics"]["email"] == "mira@example.com"
    (job,) = resume["work"]
    assert job["position"] == "Route Planner"
    assert job["name"] == "Northwind Freight"
    assert job["startDate"].startswith("2019")
    assert job["summary"] == "Planned the routes of 40 vans"
    assert resume["education"][0]["institution"] == "University of Graz"
    redacted = Redactor().redact(document.text).text
    assert "Halvorsen" not in redacted
    assert "Graz" not in redacted
    assert "Route Planner" in redacted
