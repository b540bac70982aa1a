"""The audit over HTTP, with the real model."""

from __future__ import annotations

from typing import Any

import httpx

from tests.e2e.texts import BACKEND_JOB, ENGINEER

RESUME = (
    "Emily Walsh\nemily.walsh@example.org\n\nSummary\nShe leads her team.\n" + ENGINEER + "\n\nEducation\n"
    "BSc Computer Science, University of Leeds, 2010\n"
)


def audit(client: httpx.Client, **options: object) -> dict[str, Any]:
    body = {"job": BACKEND_JOB, "resumes": [{"id": "r", "resume": RESUME}], **options}
    answer = client.post("/v1/audit/counterfactual", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_no_name_moves_a_score_and_redaction_stops_schools_too(client: httpx.Client) -> None:
    gaps = {
        (redact, attribute["attribute"]): max(g["gaps"]["max_absolute_gap"] for g in attribute["groups"])
        for redact in (True, False)
        for attribute in audit(client, attributes=["name", "school"], redact=redact)["attributes"]
    }
    assert gaps[True, "name"] == gaps[False, "name"] == 0
    assert gaps[True, "school"] < 0.001  # of the schools swapped in, redaction misses one in a while
    assert gaps[False, "school"] > gaps[True, "school"]


def test_an_audit_is_the_same_again(client: httpx.Client) -> None:
    assert audit(client, redact=False, seed=4) == audit(client, redact=False, seed=4)


def test_an_audits_original_scores_as_in_score(client: httpx.Client) -> None:
    explained = audit(client, attributes=["name"], explain=True)["explanations"]
    scored = client.post(
        "/v1/score",
        json={"job": BACKEND_JOB, "candidates": [{"id": "r", "resume": RESUME}], "explain": True},
    ).json()
    assert explained == [{"resume_id": "r", "passages": scored["results"][0]["explanation"]}]


def test_the_same_text_scores_the_same_in_any_batch(client: httpx.Client) -> None:
    def score(*resumes: str) -> list[float]:
        candidates = [{"id": str(i), "resume": text} for i, text in enumerate(resumes)]
        answer = client.post("/v1/score", json={"job": BACKEND_JOB, "candidates": candidates}).json()
        return [result["raw_score"] for result in answer["results"]]

    others = [ENGINEER.replace("Python", word) * n for n, word in enumerate(("Go", "Rust", "Ada"), 1)]
    alone = score(RESUME)[0]
    assert score(*others, RESUME)[-1] == alone
    assert score(RESUME, *others, RESUME) == [alone, *score(*others), alone]
