from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import JOB, Api, Start

BARE = {"source": "requested", "redact": "false"}
RESUME = "Emily Walsh\nemily.walsh@x.org\n\nSummary\nShe built the payment service in python and java.\n"


def audit(api: Api, *resumes: str, **options: Any) -> Any:
    body = {
        "job": JOB,
        "resumes": [{"id": f"r-{i}", "resume": text} for i, text in enumerate(resumes)],
        **options,
    }
    return api.post("/v1/audit/counterfactual", json=body)


def test_an_audit_answers_by_attribute_and_group(api: Api) -> None:
    body = audit(api, RESUME, redact=False, attributes=["name", "pronoun"]).json()
    names, pronouns = body["attributes"]
    assert names["attribute"] == "name"
    assert len(names["groups"]) == 8
    assert {group["gaps"]["n"] for group in names["groups"]} == {5}
    assert [group["group"] for group in pronouns["groups"]] == ["he_him"]
    assert body["control"]["n"] >= 2
    assert body["distinct_texts"] <= 60
    assert body["findings"]
    assert names["groups"][0]["worst"]["variant_id"].startswith("name/white:female/")


def test_under_redaction_the_gap_of_a_name_is_exactly_zero(api: Api) -> None:
    body = audit(api, RESUME, attributes=["name", "pronoun"]).json()
    for attribute in body["attributes"]:
        assert {group["gaps"]["max_absolute_gap"] for group in attribute["groups"]} == {0.0}
        assert attribute["top"] is None
    assert "Changing the name changed no score (40 pairs, redacted)." in body["findings"]


def test_an_attribute_that_is_not_in_the_text_is_not_applicable(api: Api) -> None:
    body = audit(api, "Summary\nbuilt the payment service in python", attributes=["school", "name"]).json()
    assert body["missing"] == {"school": {"no_school_found": 1}}
    assert [attribute["attribute"] for attribute in body["attributes"]] == ["name"]
    assert body["names_placed"] == ["r-0"]
    assert body["warnings"] == {"r-0": ["no_name_found", "little_text"]}


def test_named_spans_are_changed_and_hidden(api: Api) -> None:
    text = "xq zw\n\nWork\nbuilt the payment service in python and java. xq zw left Rookery Lane in 2009."
    spans = [("name", "xq zw"), ("school", "Rookery Lane"), ("graduation_year", "2009")]
    named = {
        "id": "r-0",
        "resume": text,
        "spans": [{"category": category, "text": one} for category, one in spans],
    }
    for redact in (False, True):
        body = audit(
            api, resumes=[named], redact=redact, attributes=["name", "school", "graduation_year"]
        ).json()
        assert body["missing"] == {}
        assert body["names_placed"] == []
        if redact:
            groups = [group for attribute in body["attributes"] for group in attribute["groups"]]
            assert {
                group["gaps"]["max_absolute_gap"]
                for group in groups
                if group["group"] != "no_school_mentioned"
            } == {0.0}


def test_a_span_that_does_not_stand_in_its_resume_is_named(api: Api) -> None:
    spans = [{"category": "school", "text": "python"}, {"category": "school", "text": "Zaphod"}]
    resumes = [
        {"id": "r-0", "resume": "built the service in python"},
        {"id": "r-1", "resume": "python and java", "spans": spans},
    ]
    answer = audit(api, resumes=resumes)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("resumes[1].spans[1].text", "span_not_found")
    assert "Zaphod" not in answer.text


def test_no_text_comes_back(api: Api) -> None:
    answer = audit(api, RESUME, redact=False)
    assert "alsh" not in answer.text
    assert "payment" not in answer.text


def test_explanations_come_redacted_or_not_at_all(api: Api) -> None:
    (explained,) = audit(api, RESUME, attributes=["name"], explain=True).json()["explanations"]
    assert explained["resume_id"] == "r-0"
    assert explained["passages"][0]["text"].startswith("[NAME] [EMAIL]")
    refused = audit(api, RESUME, explain=True, redact=False)
    assert refused.status_code == 422
    assert refused.json()["code"] == "audit_options"


def test_audits_are_counted_beside_their_control(api: Api) -> None:
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **BARE) == 0
    body = audit(api, RESUME, attributes=["name"], redact=False).json()
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **BARE) == 40
    assert (
        api.series("evenmatch_counterfactual_audits_total", attribute="control", **BARE)
        == body["control"]["n"]
    )
    assert api.series("evenmatch_counterfactual_score_gap_count", attribute="name", **BARE) == 40
    assert api.series("evenmatch_decisions_total", attribute="sex", group="unknown", decision="selected") == 0


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"attributes": []}, "attributes", "audit_options"),
        ({"attributes": ["shoe_size"]}, "attributes[0]", "literal_error"),
        ({"names_per_group": 1}, "names_per_group", "audit_options"),
        ({"controls": 21}, "controls", "audit_options"),
        ({"seed": "x"}, "seed", "int_type"),
        ({"resumes": []}, "resumes", "count_out_of_range"),
        ({"unknown": 1}, "unknown", "extra_forbidden"),
    ],
)
def test_bad_options_are_named(shared_api: Api, options: dict[str, object], field: str, code: str) -> None:
    answer = audit(shared_api, RESUME, **options)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_too_many_texts_name_the_limit(start: Start) -> None:
    answer = audit(start(limits={"max_audit_texts": 20}), RESUME, redact=False)
    assert answer.status_code == 422
    assert answer.json()["limit"] == 20


def test_bad_resumes_are_named(api: Api) -> None:
    answer = audit(api, "python", " ").json()
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [("resumes[1].resume", "empty_text")]
