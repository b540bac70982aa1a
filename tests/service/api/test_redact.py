from __future__ import annotations

import logging

import pytest

from service.core.documents import normalise
from service.runtime.reader_pool import CpuBudget
from tests.support.api import JOB, Api, Start

RESUME = "Emily Walsh\nemily.walsh@x.org\n\nSummary\nShe built the payment service in python and java.\n"


def test_the_redacted_text_and_its_counts_are_returned(shared_api: Api) -> None:
    body = shared_api.post("/v1/redact", json={"resume": RESUME}).json()
    assert (
        body["text"] == "[NAME]\n[EMAIL]\n\nSummary\n[PRONOUN] built the payment service in python and java."
    )
    assert body["redactions"] == {"name": 1, "email": 1, "pronoun": 1}
    assert body["warnings"] == ["little_text"]
    assert body["policy_version"] == 2


def test_the_answer_redacts_to_itself(shared_api: Api) -> None:
    text = shared_api.post("/v1/redact", json={"resume": RESUME}).json()["text"]
    again = shared_api.post("/redact", json={"resume": text}).json()
    assert again["text"] == text
    assert again["redactions"] == {}


def test_only_the_categories_asked_for_are_hidden(shared_api: Api) -> None:
    body = shared_api.post("/v1/redact", json={"resume": RESUME, "categories": ["email"]}).json()
    assert body["text"].startswith("Emily Walsh\n[EMAIL]")
    assert body["redactions"] == {"email": 1}


@pytest.mark.parametrize(
    ("resume", "warning"),
    [
        ("Summary\nTwelve years of payroll processing.", "no_name_found"),
        (
            "Emily Walsh\nemily@x.org\n\nExperience\nChef\n\nKofi Mensah\nkofi@x.org\n\nExperience\nBaker",
            "several_names",
        ),
        (
            "Иван Петров\nИнженер-программист с большим опытом разработки серверных приложений.",
            "non_latin_script",
        ),
        ("Scanned with a phone\nPage 1", "little_text"),
        ("\\documentclass{article}\n\\begin{document}\nIda Moor\nBaker", "structured_text"),
        ("We are looking for a baker. You will bake bread.", "not_a_resume"),
        ("Krankenpfleger mit langer Erfahrung auf einer chirurgischen Station in Hamburg.", "not_english"),
    ],
)
def test_limits_are_stated(shared_api: Api, resume: str, warning: str) -> None:
    assert warning in shared_api.post("/v1/redact", json={"resume": resume}).json()["warnings"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resume": " "}, "resume"),
        ({}, "resume"),
        ({"resume": "x", "categories": ["shoe_size"]}, "categories.0"),
        ({"resume": "x" * 100_001}, "resume"),
    ],
)
def test_bad_input_is_named(shared_api: Api, body: dict[str, object], field: str) -> None:
    answer = shared_api.post("/v1/redact", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].replace("[", ".").replace("]", "") == field


GOOD = RESUME + (
    "\nExperience\nEngineer, Acme Payments, 2015 - 2020\n- Designed and ran services for billing in python.\n"
)


def test_a_score_comes_with_warnings_and_is_then_borderline(api: Api) -> None:
    texts = {
        GOOD: [],
        GOOD.replace("Emily Walsh\nemily.walsh@x.org\n\n", ""): ["no_name_found"],
        f"{GOOD}\nKofi Mensah\nkofi@x.org\n\nExperience\nHead Chef, Acme Canteens": ["several_names"],
        "Emily Walsh\npython": ["little_text"],
        f"\\documentclass{{article}}\n{GOOD}": ["structured_text"],
    }
    results = api.score(*texts).json()["results"]
    assert [result["warnings"] for result in results] == list(texts.values())
    assert all(result["borderline"] for result in results[1:])
    (referee,) = api.score(f"{GOOD}\nReferences\nKofi Mensah, Head Chef").json()["results"]
    assert referee["warnings"] == []
    for code in ("no_name_found", "several_names", "little_text", "structured_text"):
        assert api.series("evenmatch_resume_warnings_total", code=code) == 1
    assert api.series("evenmatch_resume_warnings_total", code="not_a_resume") == 0
    body = {"job": JOB, "candidates": [{"id": "a", "resume": text} for text in ["python"]], "redact": False}
    (bare,) = api.post("/v1/score", json=body).json()["results"]
    assert bare["warnings"] == ["little_text"]


def test_a_resume_that_holds_the_posting_says_so(api: Api) -> None:
    job = {
        "description": "you will design and run payment services in python and java, teach junior "
        "colleagues and take part in the rota of the team"
    }
    plain, pasted = api.score(GOOD, f"{GOOD}\n\n{job['description']}", job=job).json()["results"]
    assert plain["warnings"] == []
    assert pasted["warnings"] == ["repeats_posting"]
    assert pasted["borderline"] is True


def test_the_decision_stays_that_of_the_threshold(api: Api) -> None:
    threshold = api.get("/v1/model").json()["decision"]["threshold"]
    for result in api.score(GOOD, "python", "nurse", "python java payment service").json()["results"]:
        assert (result["decision"] == "selected") == (result["calibrated_probability"] >= threshold)


def test_warnings_come_again_with_an_answer_that_is_repeated(api: Api) -> None:
    body = {"job": JOB, "candidates": [{"id": "a", "resume": "Scanned with a phone"}]}
    first, again = (
        api.post("/v1/score", json=body, headers={"Idempotency-Key": "k-1"}).json() for _ in range(2)
    )
    assert first["results"][0]["warnings"] == ["no_name_found", "little_text"]
    assert first["results"][0]["borderline"] is True
    assert again == first
    assert api.series("evenmatch_resume_warnings_total", code="little_text") == 1


def spans(*named: tuple[object, object]) -> dict[str, object]:
    return {"resume": RESUME, "spans": [{"category": category, "text": text} for category, text in named]}


def test_named_spans_are_hidden(api: Api) -> None:
    body = api.post("/v1/redact", json=spans(("school", "python"), ("school", "python"))).json()
    assert body["text"].endswith("payment service in [SCHOOL] and java.")
    assert body["redactions"]["school"] == 1


def test_named_spans_are_hidden_in_a_long_resume_too(shared_api: Api) -> None:
    text = long_resume()
    asked = {"resume": text, "spans": [{"category": "affinity", "text": "java"}]}
    body = shared_api.post("/v1/redact", json=asked).json()
    assert body["redactions"]["affinity"] == text.count("java")
    assert "little_text" not in body["warnings"]
    asked["spans"] = [{"category": "affinity", "text": "java"}, {"category": "name", "text": "Zaphod"}]
    answer = shared_api.post("/v1/redact", json=asked)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("spans[1].text", "span_not_found")]
    assert "Zaphod" not in answer.text


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (spans(("school", "python"), ("school", "Python")), "spans[1].text", "span_not_found"),
        (spans(("school", "pytho")), "spans[0].text", "span_not_found"),
        (spans(("shoe", "python")), "spans[0].category", "literal_error"),
        (spans(("school", 5)), "spans[0].text", "string_type"),
        (spans(("school", "")), "spans[0].text", "string_too_short"),
        (spans(("school", "x" * 501)), "spans[0].text", "string_too_long"),
        (spans(("school", "in\npython")), "spans[0].text", "string_pattern_mismatch"),
        (spans(*[("school", "python")] * 101), "spans", "too_long"),
        ({"resume": RESUME, "spans": "python"}, "spans", "list_type"),
        ({"resume": RESUME, "spans": [7]}, "spans[0]", "model_attributes_type"),
        ({"resume": RESUME, "spans": [{"text": "python"}]}, "spans[0].category", "missing"),
    ],
)
def test_bad_spans_are_named(shared_api: Api, body: dict[str, object], field: str, code: str) -> None:
    answer = shared_api.post("/v1/redact", json=body)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_scores_are_those_of_the_redacted_text(api: Api) -> None:
    redacted = api.post("/v1/redact", json={"resume": RESUME}).json()["text"]
    one, other = api.score(RESUME, redacted).json()["results"]
    assert one["raw_score"] == other["raw_score"]
    assert one["redactions"] == {"name": 1, "email": 1, "pronoun": 1}
    assert other["redactions"] == {}


def test_another_name_cannot_change_a_score(api: Api) -> None:
    resumes = [
        RESUME.replace("Emily", name).replace("emily", name.lower()) for name in ("Emily", "Lakisha", "Jamal")
    ]
    scores = {r["raw_score"] for r in api.score(*resumes).json()["results"]}
    assert len(scores) == 1


def test_nor_can_it_without_redaction(api: Api) -> None:
    resumes = [
        RESUME.replace("Emily", name).replace("emily", name.lower()) for name in ("Emily", "Lakisha", "Jamal")
    ]
    candidates = [{"id": str(i), "resume": text} for i, text in enumerate(resumes)]
    answer = api.post(
        "/v1/score", json={"job": JOB, "candidates": candidates, "redact": False, "explain": True}
    )
    results = answer.json()["results"]
    assert len({r["raw_score"] for r in results}) == 1
    seen = {passage["text"] for r in results for passage in r["explanation"]}
    assert "[NAME]" in " ".join(seen)
    assert "Emily" not in " ".join(seen)


def test_redaction_can_be_switched_off_and_that_is_recorded(api: Api) -> None:
    body = {"job": JOB, "candidates": [{"id": "a", "resume": RESUME}], "redact": False}
    answer = api.post("/v1/score", json=body).json()
    assert answer["redact"] is False
    assert answer["results"][0]["redactions"] == {}
    assert answer["results"][0]["raw_score"] != api.score(RESUME).json()["results"][0]["raw_score"]
    assert api.series("evenmatch_unredacted_total") == 1


def test_what_was_hidden_is_counted(api: Api) -> None:
    assert api.series("evenmatch_redactions_total", category="school") == 0
    api.score(RESUME, RESUME)
    assert api.series("evenmatch_redactions_total", category="name") == 2
    assert api.series("evenmatch_unredacted_total") == 0


def test_resumes_are_embedded_redacted_and_jobs_are_not(api: Api) -> None:
    def embedded(**body: object) -> tuple[object, object]:
        answer = api.post("/v1/embed", json=body).json()
        return answer["embeddings"], answer["redactions"]

    redacted = api.post("/v1/redact", json={"resume": RESUME}).json()["text"]
    assert embedded(inputs=RESUME) == (embedded(inputs=redacted)[0], [{"name": 1, "email": 1, "pronoun": 1}])
    assert embedded(inputs=RESUME, redact=False) != embedded(inputs=RESUME)
    assert embedded(inputs=RESUME, kind="job")[1] == [{}]


def test_categories_can_be_configured(start: Start) -> None:
    api = start(redaction={"categories": ("email",)})
    assert api.score(RESUME).json()["results"][0]["redactions"] == {"email": 1}
    redaction = api.get("/v1/model").json()["redaction"]
    assert redaction["categories"] == ["email"]
    assert "name" in redaction["bundle_categories"]


def test_a_resume_in_another_language_says_so(api: Api) -> None:
    text = "Krankenpfleger mit langer Erfahrung auf einer chirurgischen Station in Hamburg."
    (result,) = api.score(text).json()["results"]
    assert result["language"] == "de"
    assert result["warnings"] == ["not_english", "no_name_found", "little_text"]


def test_nothing_that_was_hidden_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api.post("/v1/redact", json={"resume": RESUME})
    api.score(RESUME)
    assert "alsh" not in caplog.text
    assert "alsh" not in api.get("/metrics").text


def test_an_explanation_shows_which_passages_carry_the_match(api: Api) -> None:
    resume = f"Emily Walsh\n{'java ' * 40}\n{'patient care on the ward ' * 8}"
    body = {"job": JOB, "candidates": [{"id": "a", "resume": resume}], "explain": True}
    (result,) = api.post("/v1/score", json=body).json()["results"]
    explanation, parts = result["explanation"], result["parts"]
    assert sum(parts.values()) == pytest.approx(result["raw_score"], abs=5e-6)
    assert len(explanation) >= 2
    assert "Walsh" not in str(explanation)
    assert explanation[0]["text"].startswith("[NAME]")
    assert all(-1 <= passage["similarity"] <= 1 for passage in explanation)
    assert "explanation" not in str(api.score(resume).json()["results"][0]["explanation"])


def long_resume() -> str:
    line = "- She built the payment service in python and java for 3 teams.\n"
    return RESUME + line * (9_000 // len(line))


def test_a_long_resume_is_read_by_another_process_and_comes_out_the_same(api: Api) -> None:
    short = api.post("/v1/redact", json={"resume": RESUME}).json()
    assert api.runtime.reader_pool.pids == []

    long = api.post("/v1/redact", json={"resume": long_resume()}).json()

    assert len(api.runtime.reader_pool.pids) == 1
    assert long["text"].startswith(short["text"])
    assert long["redactions"]["name"] == 1
    expected = api.runtime.matcher.redactor.redact(normalise(long_resume()))
    assert (long["text"], long["redactions"]) == (expected.text, expected.counts)


@pytest.mark.slow
def test_every_route_refuses_a_text_that_takes_too_long_to_read(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api.runtime.reader_pool, "_budget", CpuBudget(base=1, per_thousand_characters=0))
    text = "Dr. Jane Doe-Roe-Moe-Poe-Joe and " * 3_000

    redacted = api.post("/v1/redact", json={"resume": text})
    embedded = api.post("/v1/embed", json={"inputs": [text], "kind": "resume"})
    scored = api.score(RESUME, text)
    audited = api.post(
        "/v1/audit/counterfactual", json={"job": JOB, "resumes": [{"id": "r-0", "resume": text}]}
    )

    fields = ("resume", "inputs[0]", "candidates[1].resume", "resumes[0].resume")
    for answer, field in zip((redacted, embedded, scored, audited), fields, strict=True):
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert problem["code"] == "unreadable_text"
        assert problem["errors"][0]["field"] == field
        assert problem["errors"][0]["limit"] == 1
        assert "CPU time" in problem["detail"]
        assert "Jane" not in answer.text
    assert "refused" in caplog.text
    assert "Jane" not in caplog.text


@pytest.mark.parametrize("part", ["Ann ", "Jane Doe\n", "@", "a@", "([{<", "-", "a-", '{"a":'])
def test_a_hundred_thousand_hostile_characters_are_read_within_their_budget(
    shared_api: Api, part: str
) -> None:
    named = [{"category": "school", "text": part.strip()}] if part[0].isupper() else []
    answer = shared_api.post("/v1/redact", json={"resume": (part * 100_000)[:99_999], "spans": named})
    assert answer.status_code == 200, answer.text[:300]
