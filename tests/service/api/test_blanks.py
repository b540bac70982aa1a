"""Fields that clients write as null or as "" when they have nothing to say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import ENGINEER, JOB, Api

BLANKS = (None, "", "  ")


def scored(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/v1/score", json=body)
    assert answer.status_code == 200, answer.text
    (result,) = answer.json().pop("results")
    return {name: value for name, value in result.items() if name != "decision_id"}


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_options_of_a_score_are_absent(shared_api: Api, blank: str | None) -> None:
    candidate = {"id": "a", "resume": ENGINEER}
    plain = scored(shared_api, {"job": {"description": JOB["description"]}, "candidates": [candidate]})
    job = {**JOB, "id": blank, "title": blank, "file": blank}
    groups = {"sex": blank, "race_ethnicity": blank}
    one = {**candidate, "groups": groups, "file": blank}
    options = {"redact": blank, "explain": blank, "prevalence": blank}
    assert scored(shared_api, {"job": job, "candidates": [one], **options}) == plain
    assert scored(shared_api, {"job": job, "candidates": [{**one, "groups": blank}]}) == plain


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_options_elsewhere_are_absent(shared_api: Api, blank: str | None) -> None:
    redact = {"resume": ENGINEER, "categories": blank, "spans": blank}
    assert shared_api.post("/v1/redact", json=redact).status_code == 200
    embeddings = {
        "input": "java",
        "encoding_format": blank,
        "model": blank,
        "dimensions": blank,
        "user": blank,
    }
    assert shared_api.post("/v1/embeddings", json=embeddings).status_code == 200
    embed = {"inputs": "java", "kind": blank, "redact": blank, "passages": blank}
    assert shared_api.post("/v1/embed", json=embed).status_code == 200


@pytest.mark.parametrize("blank", BLANKS)
def test_what_is_required_is_not_blank(shared_api: Api, blank: str | None) -> None:
    for body, field in (
        ({"job": JOB, "candidates": [{"id": blank, "resume": "java"}]}, "candidates[0].id"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": blank}]}, "candidates[0].resume"),
        ({"job": {"description": blank}, "candidates": [{"id": "a", "resume": "java"}]}, "job.description"),
    ):
        answer = shared_api.post("/v1/score", json=body)
        if blank == "  " and field == "candidates[0].id":
            continue  # an id of blanks is the caller's
        assert answer.status_code == 422, field
        assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_decision_ids_are_read_without_case(shared_api: Api) -> None:
    (result,) = shared_api.score(ENGINEER).json()["results"]
    outcome = {
        "decision_id": result["decision_id"].upper(),
        "outcome": "positive",
        "kind": "label",
        "time": "",
        "replace": None,
    }
    assert shared_api.post("/v1/outcomes", json=outcome).status_code == 200
