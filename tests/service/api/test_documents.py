"""Documents in requests: as parts of a form, and in base64."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from tests.service.files.documents.small_files import docx, line, paragraph, pdf, zipped
from tests.support.api import JOB, Api, Start

WORK = ("Backend engineer, 2016 to 2024", "Built payment services in python and java", "On call, billing")
SEEN = "".join(line(one, 72, 700 - 20 * i) for i, one in enumerate((*("Emily Walsh", "emily@x.org"), *WORK)))
CV = pdf(SEEN)
STUFFED = pdf(SEEN + line("python java sql kafka", 72, 100, ink="1 g"))
WORD = docx("".join(paragraph(one) for one in ("Kofi Mensah", *WORK)))
SCAN = pdf("q 612 0 0 792 0 0 cm /I Do Q\n", image=True)

Files = list[tuple[str, Any]]


def in_base64(content: bytes, name: str = "cv.pdf") -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(content).decode()}


def form(request: dict[str, Any], **files: bytes) -> Files:
    """The part `request`, and parts `files`; "_" in their names stands for "."."""
    parts: Files = [("request", (None, json.dumps(request), "application/json"))]
    return parts + [("files", (name.replace("_", "."), content)) for name, content in files.items()]


def test_a_document_is_read_and_not_scored(shared_api: Api) -> None:
    answer = shared_api.post("/v1/documents", files={"file": ("wrong.docx", CV)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found.pop("text").split() == " ".join(("Emily Walsh emily@x.org", *WORK)).split()
    assert found == {"type": "pdf", "pages": 1, "characters": 113, "warnings": {}}
    same = shared_api.post("/v1/documents", json={"file": in_base64(CV)}).json()
    assert same["text"].startswith("Emily Walsh\n")


def test_a_scan_says_so_and_cannot_be_scored(shared_api: Api) -> None:
    found = shared_api.post("/v1/documents", files={"file": ("scan.pdf", SCAN)}).json()
    assert (found["text"], found["warnings"]) == ("", {"no_text_layer": 1})
    request = {"job": JOB, "candidates": [{"id": "a", "file": "scan.pdf"}, {"id": "b", "resume": WORK[1]}]}
    answer = shared_api.post("/v1/score", files=form(request, scan_pdf=SCAN))
    assert (answer.status_code, answer.json()["code"]) == (422, "no_text_layer")
    assert answer.json()["errors"][0]["field"] == "candidates[0].file"


def test_a_form_scores_as_the_texts_of_its_documents(shared_api: Api) -> None:
    request = {
        "job": {"file": "posting.txt", "title": "Backend engineer"},
        "candidates": [
            {"id": "a", "file": "cv.pdf", "groups": {"sex": "female"}},
            {"id": "b", "file": "cv.docx"},
            {"id": "c", "resume": WORK[1]},
        ],
    }
    posting = JOB["description"].encode()
    files = form(request, cv_pdf=CV, cv_docx=WORD, posting_txt=posting)
    answer = shared_api.post("/v1/score", files=files)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    texts = ["\n".join(("Emily Walsh", "emily@x.org", *WORK)), "\n".join(("Kofi Mensah", *WORK)), WORK[1]]
    plain = shared_api.score(*texts, job={"description": JOB["description"], "title": "Backend engineer"})
    scores = ("raw_score", "calibrated_probability", "decision", "redactions", "warnings")
    assert [[one[name] for name in scores] for one in found["results"]] == [
        [one[name] for name in scores] for one in plain.json()["results"]
    ]
    assert [one["document"] and one["document"]["type"] for one in found["results"]] == ["pdf", "docx", None]
    assert found["job_document"] == {
        "type": "text",
        "pages": None,
        "characters": len(posting),
        "warnings": {},
    }


def test_base64_and_form_are_the_same_request(shared_api: Api) -> None:
    request = {"job": JOB, "candidates": [{"id": "a", "file": "cv.pdf"}]}
    headers = {"Idempotency-Key": "documents-1"}
    first = shared_api.post("/v1/score", files=form(request, cv_pdf=STUFFED), headers=headers).json()
    in_json = {"job": JOB, "candidates": [{"id": "a", "file": in_base64(STUFFED)}]}
    again = shared_api.post("/v1/score", json=in_json, headers=headers)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == first
    other = {"job": JOB, "candidates": [{"id": "a", "file": in_base64(CV)}]}
    assert shared_api.post("/v1/score", json=other, headers=headers).status_code == 409


def test_hidden_text_is_no_part_of_the_score_and_is_counted(shared_api: Api) -> None:
    candidates = [{"id": "a", "file": in_base64(CV)}, {"id": "b", "file": in_base64(STUFFED)}]
    answer = shared_api.post("/v1/score", json={"job": JOB, "candidates": candidates}).json()
    plain, stuffed = answer["results"]
    assert plain["raw_score"] == stuffed["raw_score"]
    assert stuffed["document"]["warnings"] == {"hidden_text": 18}
    assert ("hidden_text" in stuffed["warnings"], stuffed["warning_counts"]) == (True, {"hidden_text": 18})
    assert "hidden_text" not in plain["warnings"]
    assert stuffed["borderline"]
    redacted = shared_api.post("/v1/redact", files={"file": ("cv.pdf", STUFFED)}).json()
    assert redacted["text"].split() == " ".join(("[NAME] [EMAIL]", *WORK)).split()
    assert redacted["warning_counts"] == {"hidden_text": 18}
    assert redacted["document"]["pages"] == 1


def test_the_rest_of_a_request_to_redact_is_a_part_beside_the_file(shared_api: Api) -> None:
    files: Files = [
        ("request", (None, json.dumps({"categories": ["email"]}), "application/json")),
        ("file", ("cv.pdf", CV)),
    ]
    found = shared_api.post("/v1/redact", files=files).json()
    assert found["redactions"] == {"email": 1}


def test_an_audit_of_documents_is_that_of_their_texts(shared_api: Api) -> None:
    options = {"attributes": ["name"], "names_per_group": 2, "controls": 2, "redact": False}
    request = {"job": JOB, "resumes": [{"id": "a", "file": "cv.pdf"}], **options}
    answer = shared_api.post("/v1/audit/counterfactual", files=form(request, cv_pdf=STUFFED))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    text = "\n".join(("Emily Walsh", "emily@x.org", *WORK))
    given = {"job": JOB, "resumes": [{"id": "a", "resume": text}], **options}
    plain = shared_api.post("/v1/audit/counterfactual", json=given).json()
    assert found["attributes"] == plain["attributes"]
    assert found["documents"]["a"]["type"] == "pdf"
    assert "hidden_text" in found["warnings"]["a"]
    assert plain["documents"] == {}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "damaged_document"),
        (zipped({"a.txt": "python"}), 422, "nested_archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), 422, "unsupported_document"),
        (pdf(SEEN, pages=51), 422, "too_many_pages"),
        (b"python " * 60_000, 413, "document_too_large"),
        (docx(paragraph("a"), prolog='<!DOCTYPE x [<!ENTITY e "x">]>'), 422, "unsafe_document"),
    ],
)
def test_a_bad_document_says_what_is_wrong_with_it(
    shared_api: Api, content: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        files = form({"job": JOB, "candidates": [{"id": "a", "file": "Zaphod.pdf"}]}, Zaphod_pdf=content)
        answer = shared_api.post("/v1/score", files=files)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["field"] == "candidates[0].file"
    assert "Zaphod" not in answer.text + caplog.text


def test_every_bad_document_of_a_request_is_named(shared_api: Api) -> None:
    people = [{"id": str(i), "file": f"{i}.pdf"} for i in range(4)]
    files = form(
        {"job": JOB, "candidates": people}, **{"0_pdf": CV, "1_pdf": b"%PDF-", "2_pdf": CV, "3_pdf": SCAN}
    )
    answer = shared_api.post("/v1/score", files=files).json()
    assert [(one["field"], one["code"]) for one in answer["errors"]] == [
        ("candidates[1].file", "damaged_document"),
        ("candidates[3].file", "no_text_layer"),
    ]


@pytest.mark.parametrize(
    ("candidate", "field", "code"),
    [
        ({"id": "a"}, "candidates[0].resume", "missing"),
        ({"id": "a", "resume": "x", "file": in_base64(CV)}, "candidates[0].resume", "text_and_file"),
        ({"id": "a", "file": "cv.pdf"}, "candidates[0].file", "file_not_sent"),
        ({"id": "a", "file": {"name": "x"}}, "candidates[0].file.content", "missing"),
        ({"id": "a", "file": {"name": "x", "content": "%%%"}}, "candidates[0].file.content", "base64"),
        ({"id": "a", "file": {"name": "", "content": ""}}, "candidates[0].file.name", "string_too_short"),
    ],
)
def test_a_text_or_a_document_and_not_both(
    shared_api: Api, candidate: dict[str, Any], field: str, code: str
) -> None:
    answer = shared_api.post("/v1/score", json={"job": JOB, "candidates": [candidate]})
    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        (form({"job": JOB, "candidates": [{"id": "a", "file": "b.pdf"}]}, a_pdf=CV), "candidates[0].file"),
        (form({"job": JOB, "candidates": [{"id": "a", "resume": "x"}]}, a_pdf=CV), "files[0]"),
        (form({"job": JOB}, a_pdf=CV) + form({}, a_pdf=CV)[1:], "files"),
        (form({"job": JOB}) + form({"job": JOB}), "request"),
        ([("cv", ("a.pdf", CV))], "body"),
    ],
)
def test_a_form_that_does_not_fit_together_is_refused(shared_api: Api, parts: Files, field: str) -> None:
    answer = shared_api.post("/v1/score", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable_upload")
    assert answer.json()["errors"][0]["field"] == field


def test_bodies_that_are_no_form_or_no_json_are_refused(shared_api: Api) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--y\r\n", b"--x\r\nContent-Disposition: form-data; name=request\r\n\r\n{}"):
        answer = shared_api.post("/v1/score", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "unusable_upload")
    answer = shared_api.post("/v1/score", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.json()["errors"][0]["field"] == "content-type"
    broken = shared_api.post("/v1/score", files=[("request", (None, "{", "application/json"))])
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_json")
    wrong = shared_api.post("/v1/score", files=form({"job": JOB, "candidates": [{"id": 1, "resume": "x"}]}))
    assert [one["field"] for one in wrong.json()["errors"]] == ["candidates[0].id"]


def test_a_form_larger_than_a_body_may_be_is_refused_before_it_is_read(start: Start) -> None:
    api = start(limits={"max_form_bytes": 20_000})
    answer = api.post("/v1/documents", files={"file": ("a.txt", b"x" * 20_000)})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_lines_of_base64_may_be_broken(shared_api: Api) -> None:
    file = {"name": "cv.pdf", "content": base64.encodebytes(CV).decode()}
    assert shared_api.post("/v1/documents", json={"file": file}).json()["type"] == "pdf"


def test_documents_are_counted(start: Start) -> None:
    api = start()
    for content in (CV, CV, b"%PDF-"):
        api.post("/v1/documents", files={"file": ("a", content)})
    outcomes = {name: api.series("evenmatch_documents_total", outcome=name) for name in ("read", "refused")}
    assert outcomes == {"read": 2, "refused": 1}
