"""Wrong requests: what they may cost, and that the answer names the field, the limit and the value."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from service.api.schemas.base import MANY_ITEMS, MAX_FIELDS
from service.core.redaction.redactor import MOST_PASSES
from tests.support.api import ENGINEER, JOB, Api

CANDIDATE = {"id": "a", "resume": ENGINEER}


def fields(answer: Any) -> list[str]:
    """The paths of the fields at fault, of a 422."""
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/score", {"job": JOB, "candidates": [0] * (MANY_ITEMS + 1)}, "candidates[0]"),
        ("/v1/score", {"job": JOB, "candidates": [CANDIDATE] * MANY_ITEMS + [7, 8]}, "candidates[1000]"),
        ("/v1/audit/counterfactual", {"job": JOB, "resumes": [0] * (MANY_ITEMS + 1)}, "resumes[0]"),
        ("/v1/outcomes/bulk", {"outcomes": [0] * (MANY_ITEMS + 1)}, "outcomes[0]"),
        ("/v1/embed", {"inputs": ["java"] + [0] * MANY_ITEMS}, "inputs[1]"),
        ("/v1/embeddings", {"input": ["java", 1] * MANY_ITEMS}, "input[1]"),
        ("/v1/embeddings", {"input": [1, "java", "java"]}, "input[1]"),
        ("/v1/embeddings", {"input": [[1, "java", "java"]]}, "input[0][1]"),
        ("/v1/redact", {"resume": "x", "categories": ["x"] * (MANY_ITEMS + 1)}, "categories[0]"),
        ("/v1/redact", {f"field_{i}": 0 for i in range(MAX_FIELDS + 1)}, "body"),
        (
            "/v1/score",
            {"job": JOB, "candidates": [{**CANDIDATE, "groups": {f"g{i}": 0 for i in range(401)}}]},
            "candidates[0].groups",
        ),
    ],
)
def test_of_very_many_faults_one_is_told(api: Api, path: str, body: dict[str, Any], field: str) -> None:
    # All errors of a million items took gigabytes and half a minute, in which nobody else was answered.
    assert fields(api.post(path, json=body)) == [field]


def test_of_few_faults_every_one_is_told(api: Api) -> None:
    candidates = [{"id": "a"}, CANDIDATE, {"id": 3, "resume": None}]
    answer = api.post("/v1/score", json={"job": JOB, "candidates": candidates})
    assert fields(answer) == ["candidates[0].resume", "candidates[2].id", "candidates[2].resume"]


@pytest.mark.parametrize("path", ["/v1/embed", "/v1/embeddings"])
@pytest.mark.parametrize("given", [None, 1, True, {}, {"text": "java"}])
def test_texts_that_are_none_are_one_fault_of_their_field(api: Api, path: str, given: object) -> None:
    field = "inputs" if path == "/v1/embed" else "input"
    assert fields(api.post(path, json={field: given})) == [field]
    assert fields(api.post(path, json={field: ["java", given]})) == [f"{field}[1]"]


def test_a_fault_of_length_tells_limit_and_length(api: Api) -> None:
    answer = api.post("/v1/score", json={"job": JOB, "candidates": [{"id": "x" * 129, "resume": ENGINEER}]})
    (error,) = answer.json()["errors"]
    assert (error["field"], error["limit"], error["actual"]) == ("candidates[0].id", 128, 129)
    (error,) = api.get("/v1/fairness?minimum=0").json()["errors"]
    assert (error["field"], error["limit"]) == ("minimum", 1)


@pytest.mark.parametrize("seed", [-1, -(10**40)])
def test_a_negative_seed_is_refused(api: Api, seed: int) -> None:
    body = {"job": JOB, "resumes": [CANDIDATE], "seed": seed}
    answer = api.post("/v1/audit/counterfactual", json=body)
    assert fields(answer) == ["seed"]
    assert answer.json()["code"] == "audit_options"


@pytest.mark.parametrize("path", ["/v1/score/", "/v1/model/", "/score/"])
def test_a_trailing_slash_is_not_redirected(api: Api, path: str) -> None:
    # Behind a gateway that ends TLS the redirect named plain http, and the resume would have gone there.
    answer = api.request("GET" if "model" in path else "POST", path, follow_redirects=False)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "location" not in answer.headers


@pytest.mark.parametrize("body", [gzip.compress(json.dumps({"resume": "x"}).encode(), mtime=0), b"{"])
def test_a_compressed_body_is_named_as_one(api: Api, body: bytes) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = api.post("/v1/redact", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_content_encoding")


@pytest.mark.parametrize(
    ("day", "status"), [("2026-01-15", 200), ("86400", 422), ("20260115", 422), ("2026-02-30", 422)]
)
def test_a_date_in_a_report_is_not_guessed(api: Api, day: str, status: int) -> None:
    # Seconds since 1970 were read as one.
    answer = api.get("/v1/fairness/report", params={"distribution_date": day})
    assert answer.status_code == status
    if status == 422:
        assert fields(answer) == ["distribution_date"]


NEVER_DONE = "+a@" * 400
"""Each pass hides one of them, and the next one stands where contact data do."""


def test_a_resume_that_never_stops_to_hide_more_is_refused_by_name(api: Api) -> None:
    answer = api.score(ENGINEER, NEVER_DONE)
    assert fields(answer) == ["candidates[1].resume"]
    assert answer.json()["errors"][0]["limit"] == MOST_PASSES
    assert fields(api.post("/v1/embed", json={"inputs": ["java", NEVER_DONE]})) == ["inputs[1]"]
    assert fields(api.post("/v1/redact", json={"resume": NEVER_DONE})) == ["resume"]
