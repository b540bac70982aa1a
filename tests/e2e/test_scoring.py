"""What an applicant tracking system relies on, on the real server with the real model."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import httpx
import pytest

from tests.e2e.texts import BACKEND_JOB, COOK, ENGINEER, NURSE, NURSE_JOB

SCORE_KEYS = ("raw_score", "calibrated_probability", "decision", "borderline")


def score(client: httpx.Client, job: dict[str, str], *resumes: str, **candidate: Any) -> list[dict[str, Any]]:
    body = {
        "job": job,
        "candidates": [{"id": f"c-{i}", "resume": r, **candidate} for i, r in enumerate(resumes)],
    }
    answer = client.post("/v1/score", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def numbers(results: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(r[key] for key in SCORE_KEYS) for r in results]


def test_the_engineer_outranks_the_nurse_for_the_backend_job_and_the_other_way_round(
    client: httpx.Client,
) -> None:
    engineer, nurse = score(client, BACKEND_JOB, ENGINEER, NURSE)
    assert (engineer["decision"], nurse["decision"]) == ("selected", "not_selected")
    assert engineer["raw_score"] > nurse["raw_score"] + 0.1
    engineer, nurse = score(client, NURSE_JOB, ENGINEER, NURSE)
    assert (engineer["decision"], nurse["decision"]) == ("not_selected", "selected")
    assert nurse["raw_score"] > engineer["raw_score"] + 0.1


def test_the_same_holds_without_titles(client: httpx.Client) -> None:
    for job, best in ((BACKEND_JOB, 0), (NURSE_JOB, 1)):
        results = score(client, {"description": job["description"]}, ENGINEER, NURSE)
        assert results[best]["raw_score"] > results[1 - best]["raw_score"] + 0.1


def test_scores_are_bit_identical_with_and_without_groups(client: httpx.Client) -> None:
    plain = score(client, BACKEND_JOB, ENGINEER, NURSE, COOK)
    for groups in ({"sex": "female"}, {"sex": "male", "race_ethnicity": "asian"}, {"sex": "unknown"}):
        assert numbers(score(client, BACKEND_JOB, ENGINEER, NURSE, COOK, groups=groups)) == numbers(plain)


def test_a_prevalence_moves_probabilities_and_no_decision(client: httpx.Client) -> None:
    body = {"job": BACKEND_JOB, "candidates": [{"id": "a", "resume": ENGINEER}, {"id": "b", "resume": COOK}]}
    own = client.post("/v1/score", json=body).json()
    rare = client.post("/v1/score", json={**body, "prevalence": 0.02}).json()
    in_force = client.get("/v1/model").json()["decision"]
    assert own["prevalence"] == in_force["prevalence"] == in_force["calibration_prevalence"]
    assert (own["threshold"], rare["prevalence"]) == (in_force["threshold"], 0.02)
    for before, after in zip(own["results"], rare["results"], strict=True):
        assert after["calibrated_probability"] < before["calibrated_probability"]
        assert (after["decision"], after["raw_score"]) == (before["decision"], before["raw_score"])
        assert (after["calibrated_probability"] >= rare["threshold"]) == (after["decision"] == "selected")
    assert client.post("/v1/score", json={**body, "prevalence": 1}).status_code == 422


def test_a_batch_of_one_equals_a_batch_of_many_in_any_order(client: httpx.Client) -> None:
    resumes = [ENGINEER, NURSE, COOK, ENGINEER * 3]
    alone = {r: numbers(score(client, BACKEND_JOB, r))[0] for r in resumes}
    for order in list(permutations(resumes))[::5]:
        assert numbers(score(client, BACKEND_JOB, *order)) == [alone[r] for r in order]
    many = [*resumes, *(f"{NURSE}\nNumber {i}" for i in range(60))]
    assert numbers(score(client, BACKEND_JOB, *many))[:4] == [alone[r] for r in resumes]


def test_vectors_are_bit_identical_whatever_travels_beside_them(client: httpx.Client) -> None:
    texts = [ENGINEER, NURSE, COOK, "nurse", "Backend engineer in Python"]
    together = client.post("/v1/embed", json={"inputs": texts * 3}).json()["embeddings"]
    alone = [client.post("/v1/embed", json={"inputs": t}).json()["embeddings"][0] for t in texts]
    assert together == alone * 3


def test_the_end_of_a_long_resume_counts(client: httpx.Client) -> None:
    filler = "Enjoys hiking, chess and cooking with friends at the weekend. " * 200
    without, with_engineer = score(client, BACKEND_JOB, filler, filler + ENGINEER)
    assert with_engineer["raw_score"] > without["raw_score"] + 0.1
    assert with_engineer["truncated"] is False


def test_the_threshold_is_the_one_of_the_model(client: httpx.Client) -> None:
    model = client.get("/v1/model").json()
    body = {"job": BACKEND_JOB, "candidates": [{"id": "a", "resume": ENGINEER}]}
    answer = client.post("/v1/score", json=body).json()
    assert answer["threshold"] == model["decision"]["threshold"]
    assert answer["model"]["bundle"] == model["bundle"]["name"] == "minilm-fair"
    assert answer["model"]["engine"] == model["engine"]["name"]
    assert model["engine"]["batch_invariant"] is True


@pytest.mark.parametrize(
    "text", ["é" * 3_000, "🚀 " * 500, "مهندس برمجيات خبرة في تطوير الأنظمة", "\u202e" * 10]
)
def test_strange_text_is_answered_or_named(client: httpx.Client, text: str) -> None:
    body = {"job": BACKEND_JOB, "candidates": [{"id": "a", "resume": ENGINEER}, {"id": "b", "resume": text}]}
    answer = client.post("/v1/score", json=body)
    if answer.status_code == 200:
        assert answer.json()["results"][1]["decision"] == "not_selected"
    else:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "candidates[1].resume"


def test_bytes_that_are_not_utf8_are_named(client: httpx.Client) -> None:
    body = '{"job": {"description": "Zürich"}, "candidates": []}'.encode("latin-1")
    answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_utf8")
