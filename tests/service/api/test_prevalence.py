"""`prevalence`: probabilities for another share of matches, and the same decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from service.core.bundle import Bundle
from service.core.calibration import shift_prevalence
from service.store import tables
from tests.support.api import ENGINEER, JOB, NURSE, Api, Start
from tests.support.jobs import CSV, candidates, create, finished, records

RESUMES = [ENGINEER, NURSE, "java", JOB["description"], "cook"]
BODY: dict[str, Any] = {
    "job": {**JOB, "id": "req-17"},
    "candidates": [{"id": f"c-{i}", "resume": text} for i, text in enumerate(RESUMES)],
}
THRESHOLD = 0.5
SAID = "must be above 0 and below 1 (the share of true matches in the pool); it is "


def score(api: Api, prevalence: float | None = None, key: str = "") -> Any:
    return api.post(
        "/v1/score",
        json={**BODY, "prevalence": prevalence},
        headers={"Idempotency-Key": key} if key else {},
    )


def stored(api: Api) -> list[tuple[float, float, str]]:
    rows = tables.decisions.c
    with api.database.connect() as connection:
        query = select(rows.calibrated_probability, rows.threshold, rows.decision).order_by(rows.sequence)
        return [tuple(row) for row in connection.execute(query)]


def test_probabilities_and_the_threshold_are_shifted_and_decisions_stay(
    start: Start, tiny_bundle: Bundle
) -> None:
    rule = tiny_bundle.decision.model_copy(update={"threshold": THRESHOLD, "borderline": (0.0, THRESHOLD)})
    api = start(replace(tiny_bundle, decision=rule))
    own = score(api).json()
    of = api.runtime.bundle.calibration.prevalence
    assert own["prevalence"] == of
    assert {one["decision"] for one in own["results"]} == {"selected", "not_selected"}
    for prevalence in (0.01, 0.9):
        answer = score(api, prevalence).json()
        assert answer["prevalence"] == prevalence
        assert answer["threshold"] == pytest.approx(
            shift_prevalence(own["threshold"], of=of, to=prevalence), abs=1e-6
        )
        for one, before in zip(answer["results"], own["results"], strict=True):
            assert one["calibrated_probability"] == pytest.approx(
                shift_prevalence(before["calibrated_probability"], of=of, to=prevalence), abs=1e-6
            )
            for name in ("raw_score", "decision", "borderline"):
                assert one[name] == before[name]
            assert (one["calibrated_probability"] >= answer["threshold"]) == (one["decision"] == "selected")


def test_the_log_and_the_histograms_keep_the_bundles_own_probabilities(api: Api) -> None:
    score(api)
    first, total = stored(api), api.series("evenmatch_match_score_sum", attribute="sex", group="unknown")
    score(api, 0.01)
    assert stored(api) == 2 * first
    assert api.series("evenmatch_match_score_sum", attribute="sex", group="unknown") == pytest.approx(
        2 * total
    )


def test_a_key_stands_for_one_prevalence(api: Api) -> None:
    first = score(api, 0.1, key="k")
    again = score(api, 0.1, key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert score(api, 0.2, key="k").status_code == score(api, key="k").status_code == 409


@pytest.mark.parametrize("prevalence", [0, 1, -0.5, 25])
def test_a_prevalence_outside_0_and_1_is_422(jobs_api: Api, prevalence: float) -> None:
    api, before = jobs_api, stored(jobs_api)
    answer = score(api, prevalence)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "prevalence"
    assert answer.json()["detail"] == f"prevalence: {SAID}{prevalence:g}"
    job = api.post("/v1/score/jobs", json={"job": JOB, "candidates": [], "prevalence": prevalence})
    query = api.post(f"/v1/score/jobs?prevalence={prevalence}", content="id,resume\n", headers=CSV)
    for refused in (job, query):
        assert refused.status_code == 422
        assert refused.json()["detail"] == f"prevalence: {SAID}{prevalence:g}"
    assert stored(api) == before


def test_the_setting_is_in_force_where_a_request_names_none(start: Start) -> None:
    api = start(model={"prevalence": 0.03})
    decision = api.get("/v1/model").json()["decision"]
    answer = score(api).json()
    assert (decision["prevalence"], decision["threshold"]) == (answer["prevalence"], answer["threshold"])
    assert answer["prevalence"] == 0.03
    bundle = api.runtime.bundle
    assert decision["calibration_prevalence"] == bundle.calibration.prevalence
    assert decision["borderline"] == pytest.approx(
        [shift_prevalence(p, of=bundle.calibration.prevalence, to=0.03) for p in bundle.decision.borderline],
        abs=1e-6,
    )
    assert score(api, bundle.calibration.prevalence).json()["threshold"] == bundle.decision.threshold


def test_a_job_reports_as_score_does_and_keeps_the_bundles_own(jobs_api: Api) -> None:
    api, people = jobs_api, candidates(6)
    body = {"job": JOB, "candidates": people, "prevalence": 0.05}
    job = create(api, body)
    assert finished(api, job)["prevalence"] == 0.05
    direct = api.post("/v1/score", json=body).json()["results"]
    names = ("candidate_id", "raw_score", "calibrated_probability", "decision", "borderline")
    assert [[one[name] for name in names] for one in records(api, job)] == [
        [one[name] for name in names] for one in direct
    ]
    own = api.post("/v1/score", json={**body, "prevalence": None}).json()["results"]
    assert [one["calibrated_probability"] for one in own] != [one["calibrated_probability"] for one in direct]
    rows = tables.decisions.c
    with api.database.connect() as connection:
        query = select(rows.calibrated_probability).where(rows.request_id == f"job.{job}")
        kept = connection.execute(query).scalars().all()
    assert sorted(kept) == sorted(one["calibrated_probability"] for one in own)


def test_a_key_of_a_job_stands_for_one_prevalence(jobs_api: Api) -> None:
    body = {"job": JOB, "candidates": candidates(2)}
    statuses = [
        jobs_api.post(
            "/v1/score/jobs",
            json=body if prevalence is None else {**body, "prevalence": prevalence},
            headers={"Idempotency-Key": "p"},
        ).status_code
        for prevalence in (0.05, 0.05, 0.06, None)
    ]
    assert statuses == [202, 202, 409, 409]
