"""Documents, archives and texts that are more than text, read in this process."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from service.files.documents.archives import ArchiveLimits, names_in, unpacked
from service.files.documents.given_texts import read_given_text
from service.files.documents.parsed import DocumentLimits
from service.files.documents.parsers import parse_document
from tests.fuzz.target import Target, text_of
from tests.service.files.documents.small_files import WORD, docx, line, paragraph, pdf, zipped
from tests.service.files.documents.test_formats import EUROPASS, HR_OPEN

LIMITS = DocumentLimits(document_cpu_seconds=20, document_memory_mib=512)
MOST_CHARACTERS = 400_000
FIXTURES = Path(__file__).parents[1] / "service" / "files" / "documents" / "fixtures"

RTF = b"{\\rtf1\\ansi{\\colortbl;\\red255\\green255\\blue255;}Jane {\\cf1 white}\\par caf\\'e9 \\u8211?}"
HTML = (
    b"<html><style>.x{color:#fff}</style><body><p class=x>Jane</p><table><tr><td>Go</td></tr></table>"
    b"<ul><li style='display:none'>a<li>b</ul></body></html>"
)
MARKDOWN = b"# Jane\n\n**Go** [x](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
JSON_RESUME = (
    b'{"basics": {"name": "Jane", "email": "j@example.com", "location": {"city": "Bern"}, "profiles": [{}]},'
    b' "work": [{"name": "Acme", "startDate": "2019-01", "highlights": ["Go"]}],'
    b' "education": [{"institution": "Leeds", "endDate": "2014"}]}'
)


def parse(data: bytes) -> None:
    assert parse_document(data, LIMITS).characters <= MOST_CHARACTERS


def parse_docx(xml: bytes) -> None:
    """The XML of a Word document. Of a packed one a changed byte is a checksum error, and nothing is read."""
    parse(stored({"[Content_Types].xml": _types(), "word/document.xml": xml}))


@cache
def _types() -> bytes:
    with zipfile.ZipFile(io.BytesIO(docx(""))) as archive:
        return archive.read("[Content_Types].xml")


def stored(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP archive without compression, which would take most of the time."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return written.getvalue()


def parse_odt(xml: bytes) -> None:
    parse(stored({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": xml}))


def parse_text(data: bytes) -> None:
    read_given_text(text_of(data), LIMITS)


def unpack(data: bytes) -> None:
    limits = ArchiveLimits()
    names_in(data, limits, field="archive")
    for _ in unpacked(data, limits, field="archive", max_member_bytes=1_000_000):
        pass


def _docx_xml() -> list[bytes]:
    body = paragraph("Jane Doe") + f"<w:tbl><w:tr><w:tc>{paragraph('Go')}</w:tc></w:tr></w:tbl>"
    vanished = paragraph("white", '<w:color w:val="FFFFFF"/><w:vanish/>')
    names = f'xmlns:w="{WORD}" xmlns:wps="urn:wps" xmlns:mc="urn:mc"'
    return [f"<w:document {names}><w:body>{one}</w:body></w:document>".encode() for one in (body, vanished)]


def _odt_xml() -> list[bytes]:
    with zipfile.ZipFile(FIXTURES / "writertable-p1.odt") as archive:
        return [archive.read("content.xml")]


def _pdfs() -> list[bytes]:
    return [
        pdf(
            line("Jane Doe", 100, 700) + "0.2 g 10 10 90 90 re f " + line("bridges", 20, 20, ink="1 g"),
            image=True,
        ),
        pdf(line("left", 50, 700) + line("right", 350, 700) + line("hidden", 50, 600, mode=3), pages=2),
    ]


def _texts() -> list[bytes]:
    return [
        b"&lt;p&gt;We build &amp;amp; run bridges&lt;/p&gt;",
        b'{"ops":[{"insert":"Backend engineer\\n"}]}',
        b'["<p>Go</p>", {"text": "Python"}]',
        b"{\\\\rtf1\\\\ansi Jane\\\\par Go}",
        b"<![CDATA[<ul><li>Go</ul>]]>",
        b"We%20build%20bridges%0Aand=20roads=\r\n \\n Go\\u00e9",
        b'```json\n{"a": "b"}\n```',
        EUROPASS.encode(),
    ]


TARGETS = {
    "pdf": Target(parse, _pdfs),
    "docx": Target(parse_docx, _docx_xml),
    "docx file": Target(
        parse, lambda: [docx(paragraph("Jane Doe")), (FIXTURES / "writer-p0.docx").read_bytes()]
    ),
    "odt": Target(parse_odt, _odt_xml),
    "rtf": Target(parse, lambda: [RTF, (FIXTURES / "writertable-p1.rtf").read_bytes()]),
    "html": Target(parse, lambda: [HTML]),
    "markdown": Target(parse, lambda: [MARKDOWN, b"Jane Doe\nengineer of bridges\n"]),
    "json resume": Target(parse, lambda: [JSON_RESUME]),
    "xml resume": Target(parse, lambda: [EUROPASS.encode(), HR_OPEN.encode()]),
    "given text": Target(parse_text, _texts),
    "archive": Target(unpack, lambda: [zipped({"a.txt": "Jane", "b/c.pdf": b"%PDF-1.4"}), docx("")]),
}
