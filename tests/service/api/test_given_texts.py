"""Texts of requests that are really HTML, RTF or JSON, that are no documents, or that say too little."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest

from tests.support.api import ENGINEER, JOB, NURSE, Api
from tests.support.jobs import create, finished, records

POSTING = "Engineer\n\nYou build the payment service in python and java & test it.\n\nYou work in a team."
POSTING_HTML = (
    '<p><span style="font-weight: 400;">Engineer</span></p><p>You build the payment service in python and java '
    "&amp; test it.</p><p>You work in a team.</p>"
)
TEXT = "Senior engineer, python, java. Built the payment service of a bank for years, tested it and taught colleagues in a team."
RESUME = f"Emily Walsh\n\n{TEXT}"
RESUME_HTML = f"<div><p>Emily Walsh</p><p>{TEXT}</p></div>"
FORMS = {
    "plain": (POSTING, RESUME),
    "html": (POSTING_HTML, RESUME_HTML),
    "escaped": (html.escape(POSTING_HTML), html.escape(RESUME_HTML)),
    "json": (json.dumps({"description": POSTING_HTML}), json.dumps({"text": RESUME_HTML})),
}


def answer(api: Api, posting: str, resume: str, **more: Any) -> Any:
    body = {
        "job": {"title": "backend &amp; web engineer", "description": posting},
        "candidates": [{"id": "a", "resume": resume}],
        **more,
    }
    return api.post("/v1/score", json=body).json()


def test_the_same_posting_and_resume_score_alike_in_every_form(shared_api: Api) -> None:
    read = shared_api.series("evenmatch_documents_total", outcome="read")
    answers = {form: answer(shared_api, *texts) for form, texts in FORMS.items()}
    plain = answers["plain"]["results"][0]
    assert answers["plain"]["job_document"] is None
    assert plain.get("document") is None
    for form in ("html", "escaped", "json"):
        (result,) = answers[form]["results"]
        for name in (
            "raw_score",
            "calibrated_probability",
            "decision",
            "borderline",
            "warnings",
            "redactions",
        ):
            assert result[name] == plain[name], (form, name)
        assert result["document"]["type"] == answers[form]["job_document"]["type"] == "html"
        assert result["document"]["characters"] == len(RESUME)
        assert result["document"]["warnings"]["markup_read"] > 10
    assert shared_api.series("evenmatch_documents_total", outcome="read") == read + 6


def test_a_title_is_read_too(shared_api: Api) -> None:
    body: dict[str, Any] = {
        "job": {**JOB, "title": "<b>backend</b> engineer &amp; tester"},
        "candidates": [{"id": "a", "resume": NURSE}],
    }
    plain = {**body, "job": {**JOB, "title": "backend engineer & tester"}}
    one, other = (shared_api.post("/v1/score", json=each).json()["results"][0] for each in (body, plain))
    assert one["raw_score"] == other["raw_score"]


def test_nobody_gains_by_naming_the_tags_of_a_posting(shared_api: Api) -> None:
    """A posting's own tags are no words of it."""
    tags = f"{RESUME}\nHTML, CSS, span, style, font-weight, 400"
    plain, markup = (answer(shared_api, posting, tags)["results"][0] for posting in (POSTING, POSTING_HTML))
    assert markup["raw_score"] == plain["raw_score"]


def test_hidden_text_in_markup_makes_a_decision_borderline(shared_api: Api) -> None:
    hidden = '<p style="display: none">python java payment service</p>'
    (honest,) = answer(shared_api, POSTING, RESUME_HTML)["results"]
    for resume in (RESUME_HTML + hidden, html.escape(RESUME_HTML + hidden)):
        (result,) = answer(shared_api, POSTING, resume)["results"]
        assert result["raw_score"] == honest["raw_score"]
        assert result["warnings"] == ["hidden_text"]
        assert result["warning_counts"] == {"hidden_text": 24}
        assert result["borderline"] is True


def test_a_repeated_request_gets_the_same_answer_with_its_document(shared_api: Api) -> None:
    body = {"job": {"description": POSTING_HTML}, "candidates": [{"id": "a", "resume": RESUME_HTML}]}
    first, again = (
        shared_api.post("/v1/score", json=body, headers={"Idempotency-Key": "k"}).json() for _ in range(2)
    )
    assert again == first
    assert first["results"][0]["document"]["type"] == "html"


def test_redact_returns_the_text_that_was_read_and_spans_are_found_in_it(shared_api: Api) -> None:
    spans = [{"category": "school", "text": "Hill & Dale School"}]
    resume = "<p>Emily Walsh</p><p>Learned at Hill &amp; <b>Dale</b> School, python, java</p>"
    body = shared_api.post("/v1/redact", json={"resume": resume, "spans": spans}).json()
    assert body["text"] == "[NAME]\n\nLearned at [SCHOOL], python, java"
    assert body["document"]["type"] == "html"
    again = shared_api.post("/v1/redact", json={"resume": body["text"]}).json()
    assert again["text"] == body["text"]
    assert again.get("document") is None


def test_an_audit_reads_markup(shared_api: Api) -> None:
    def audited(posting: str, resume: str) -> Any:
        body = {
            "job": {"description": posting},
            "resumes": [{"id": "a", "resume": resume}],
            "attributes": ["name"],
        }
        return shared_api.post("/v1/audit/counterfactual", json=body).json()

    plain, marked = audited(POSTING, RESUME), audited(POSTING_HTML, RESUME_HTML)
    assert marked["attributes"] == plain["attributes"]
    assert marked["documents"]["a"]["type"] == marked["job_document"]["type"] == "html"


def test_embedding_is_of_the_text_as_it_is_given(shared_api: Api) -> None:
    marked = f"<p>{ENGINEER}</p>"
    body = shared_api.post("/v1/embed", json={"inputs": [marked, ENGINEER, "null"], "redact": False}).json()
    one, other, _ = body["embeddings"]
    assert one != other


NO_DOCUMENTS = [
    "null",
    "[object Object]",
    "-",
    "cv_final.pdf",
    '{"error": "file not found"}',
    "%PDF-1.7\n1 0 obj <<",
]


def test_all_that_is_no_document_is_named_at_once_and_nothing_is_scored(api: Api) -> None:
    texts = [ENGINEER, *NO_DOCUMENTS, NURSE]
    body = {
        "job": {"title": "null", "description": "N/A"},
        "candidates": [{"id": f"c-{i}", "resume": text} for i, text in enumerate(texts)],
    }
    refused = api.post("/v1/score", json=body)
    assert refused.status_code == 422
    found = [(error["field"], error["code"]) for error in refused.json()["errors"]]
    fields = ["job.description", "job.title", *(f"candidates[{i}].resume" for i in range(1, len(texts) - 1))]
    assert found == [(field, "no_document") for field in fields]
    assert "cv_final" not in refused.text
    assert api.engine.batches == []


@pytest.mark.parametrize("text", NO_DOCUMENTS)
def test_no_route_takes_what_is_no_document(shared_api: Api, text: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/v1/redact": {"resume": text},
        "/v1/audit/counterfactual": {"job": JOB, "resumes": [{"id": "a", "resume": text}]},
        "/v1/score": {"job": {"description": text}, "candidates": [{"id": "a", "resume": NURSE}]},
    }
    for route, body in bodies.items():
        refused = shared_api.post(route, json=body)
        assert refused.status_code == 422
        assert [error["code"] for error in refused.json()["errors"]] == ["no_document"]


def test_an_error_page_is_no_document_once_it_is_read(shared_api: Api) -> None:
    page = "<html><head><title>404</title></head><body><h1>404 Not Found</h1><hr>nginx</body></html>"
    refused = shared_api.post("/v1/redact", json={"resume": page})
    assert [error["code"] for error in refused.json()["errors"]] == ["no_document"]


def test_a_posting_of_a_few_words_makes_every_decision_borderline(shared_api: Api) -> None:
    little = answer(shared_api, "Build services.", RESUME)
    assert little["warnings"] == ["little_text"]
    assert [result["borderline"] for result in little["results"]] == [True]
    assert little["results"][0]["warnings"] == []
    enough = answer(shared_api, "Build services in python and java.", RESUME)
    assert "little_text" not in enough["warnings"]


def test_rows_of_a_job_are_read_and_refused_one_by_one(jobs_api: Api) -> None:
    people = [
        ("a", RESUME),
        ("b", RESUME_HTML),
        ("c", "null"),
        ("d", html.escape(RESUME_HTML)),
        ("e", "cv.pdf"),
    ]
    body = {
        "job": {"title": "engineer", "description": html.escape(POSTING_HTML)},
        "candidates": [{"id": name, "resume": text} for name, text in people],
    }
    job = create(jobs_api, body)
    done = finished(jobs_api, job)
    assert done["counts"] == {"total": 5, "completed": 3, "failed": 2, "decisions": 3}
    found = {one["candidate_id"]: one for one in records(jobs_api, job)}
    assert len({(one["raw_score"], one["decision"]) for one in found.values()}) == 1
    assert [one.get("document", {}).get("type") for one in found.values()] == [None, "html", "html"]
    errors = [(one["candidate_id"], one["code"], one["field"]) for one in records(jobs_api, job, "errors")]
    assert errors == [("c", "no_document", "resume"), ("e", "no_document", "resume")]


def test_a_posting_of_a_row_is_read_too(jobs_api: Api) -> None:
    rows = [
        {"id": str(i), "resume": RESUME, "job": {"description": text}}
        for i, text in enumerate([POSTING, POSTING_HTML, html.escape(POSTING_HTML), "undefined"])
    ]
    job = create(jobs_api, {"candidates": rows})
    finished(jobs_api, job)
    assert len({one["raw_score"] for one in records(jobs_api, job)}) == 1
    (error,) = records(jobs_api, job, "errors")
    assert (error["code"], error["field"]) == ("no_document", "job.description")
