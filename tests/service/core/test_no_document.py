"""What is no document is told from short texts that people write."""

from __future__ import annotations

import base64
import os

import pytest

from service.core.errors import NoDocumentError
from service.core.no_document import check_document, why_no_document

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\nstream\n" + bytes(range(256)) * 3
NONE: dict[str, str] = {
    "null": "nothing",
    " None\n": "nothing",
    "undefined": "nothing",
    "NaN": "nothing",
    "N/A": "nothing",
    "'null'": "nothing",
    "null, null": "nothing",
    "No resume provided.": "nothing",
    "See attached resume": "nothing",
    "Please wait... If this message is not eventually replaced by the proper contents of the document, your PDF "
    "viewer may not be able to display this type of document.": "error",
    "-": "no letter",
    "...": "no letter",
    "12345": "no letter",
    "[object Object]": "prints of an object",
    "[object Object],[object Blob]": "prints of an object",
    "<Buffer 25 50 44 46 2d 31>": "prints of an object",
    "[B@1b6d3586": "prints of an object",
    "<_io.BufferedReader name='cv.pdf'>": "prints of an object",
    "{{candidate.resume}}": "prints of an object",
    "resume_final.pdf": "name or the address",
    "Ida Moor CV (2).docx": "name or the address",
    "cv-1.pdf\ncv-2.pdf": "name or the address",
    "https://files.example.com/cv?id=7": "name or the address",
    "s3://resumes/2024/17.pdf": "name or the address",
    "C:\\Users\\ida\\cv.doc": "name or the address",
    "/var/uploads/8f3a": "name or the address",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301": "identifier",
    '{"error": "file not found"}': "error",
    '{"message": "Internal Server Error", "statusCode": 500}': "error",
    "{}": "no letter",
    '{"a": [], "b": null}': "without any text",
    "404 Not Found\n\nnginx/1.18.0": "error",
    "Access Denied\n\nYou don't have permission to access this server.": "error",
    "Please enable JavaScript to continue using this application.": "error",
    "Failed to extract text from the document": "error",
    "Error: Cannot find module 'pdf-parse'": "error",
    "pdfminer.pdfparser.PDFSyntaxError: No /Root object! - Is this really a PDF?": "error",
    'Traceback (most recent call last):\n  File "read.py", line 3, in <module>\nValueError': "error",
    "java.lang.NullPointerException\n\tat a.b.Parser.parse(Parser.java:33)\n\tat a.Main.main(Main.java:3)": "error",
    '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>': "error",
    "Welcome back\nSign in\nE-mail address\nPassword\nRemember me\nForgot your password?": "log in",
    PDF.decode("latin-1"): "bytes of a file (PDF)",
    PDF[60:].decode("latin-1"): "bytes of a file",
    "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml": "bytes of a file (ZIP or Word)",
    b"\x7fELF\x02\x01\x01".decode("latin-1"): "bytes of a file (program)",
    b"\x89PNG\r\n\x1a\n".decode("utf-8", "replace"): "bytes of a file (PNG)",
    b"\x89PNG\r\n\x1a\n".decode("cp1252"): "bytes of a file (PNG)",
    base64.b64encode(PDF).decode(): "base64 of a file (PDF)",
    base64.encodebytes(PDF).decode(): "base64 of a file (PDF)",
    "data:application/pdf;base64,JVBERi0xLjQ=": "data: URL",
    PDF.hex(): "hexadecimal",
}
PEOPLE = [
    "Baker",
    "r",
    "Registered nurse on a surgical ward.",
    "Ivan Petrov, Инженер",
    "看護師",
    "Nan Wang, baker",
    "Node.js, Vue.js, ASP.NET",
    "Built web sites with Vue.js",
    "Java/Python/Go",
    "AT&T, R&D; Q&A",
    "Error handling and exception design in Java.",
    "Unable to work on Sundays. Nurse for ten years.",
    "Forbidden City tour guide for six years.",
    "404 pages translated from German.",
    "I found why java.lang.NullPointerException was thrown, and wrote tests.",
    "Administrator of sign in and password policies for 300 people.",
    "[NAME]\n[EMAIL]\nData engineer",
    "ida@example.org\nwww.example.org\nGardener",
    '{"name": "Ida Moor", "summary": "Gardener of public parks, error budgets and status reports."}',
    "x" * 1_000,
    "Résumé: d\ufffdveloppeur, ing\ufffdnieur",
]


@pytest.mark.parametrize(("text", "why"), NONE.items(), ids=[f"{i}" for i in range(len(NONE))])
def test_what_is_no_document_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(NoDocumentError, match=r"candidates\[3\]\.resume is no document") as raised:
        check_document(text, "candidates[3].resume")
    assert why in raised.value.message
    assert (raised.value.code, raised.value.field) == ("no_document", "candidates[3].resume")


@pytest.mark.parametrize("text", PEOPLE)
def test_short_texts_of_people_are_documents(text: str) -> None:
    assert why_no_document(text) is None


def test_a_text_that_mentions_such_things_is_a_document() -> None:
    career = "Support engineer. Read logs, found causes, wrote to customers. " * 40
    for text in NONE:
        if text.isprintable() and len(text) < 200:
            assert why_no_document(f"{career}\n{text}\n{career}") is None


def test_an_empty_text_is_the_business_of_another_error() -> None:
    for blank in (" \n\t", " " * 3_000, "\u2003" * 3_000, "\x02"):
        assert why_no_document(blank) is None


def test_bytes_of_all_kinds_are_told() -> None:
    junk = os.urandom(3_000)
    assert why_no_document(junk.decode("latin-1")) is not None
    assert why_no_document(junk.decode("utf-8", "replace")) is not None
