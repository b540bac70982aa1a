"""Shadow audits through the real app: what is scored is audited, and the answer knows nothing of it."""

from __future__ import annotations

import pytest

from tests.service.api.test_audit import RESUME, audit
from tests.support.api import Api, Start
from tests.support.patience import wait_until

SHADOW = {"source": "shadow", "redact": "true"}


def wait_for_audits(api: Api, count: int, redact: str = "true") -> None:
    wait_until(
        lambda: api.series("evenmatch_shadow_audits_total", redact=redact) >= count, "no shadow audit came"
    )


def test_a_scored_candidate_is_audited_in_the_background(start: Start) -> None:
    api = start(shadow_audit={"share": 1.0, "names_per_group": 3})
    assert api.score(RESUME, RESUME.replace("java", "nurse")).status_code == 200
    wait_for_audits(api, 1)  # one of a request, not two
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **SHADOW) == 24
    assert api.series("evenmatch_counterfactual_flips_total", attribute="name", **SHADOW) == 0
    assert api.series("evenmatch_counterfactual_audits_total", attribute="control", **SHADOW) >= 2
    requested = {"source": "requested", "redact": "true"}
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **requested) == 0
    unknown = {"attribute": "sex", "group": "unknown"}
    assert api.series("evenmatch_match_score_count", **unknown) == 2  # variants decide about nobody
    assert audit(api, RESUME, attributes=["name"]).status_code == 200
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **requested) == 40
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **SHADOW) == 24


def test_unredacted_requests_are_audited_unredacted(start: Start) -> None:
    api = start(shadow_audit={"share": 1.0})
    body = {
        "job": {"description": "python java"},
        "candidates": [{"id": "c", "resume": RESUME}],
        "redact": False,
    }
    assert api.post("/v1/score", json=body).status_code == 200
    wait_for_audits(api, 1, redact="false")
    bare = {"source": "shadow", "redact": "false"}
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **bare) == 16
    assert api.series("evenmatch_counterfactual_audits_total", attribute="name", **SHADOW) == 0


def test_the_answer_is_the_same_with_and_without(api: Api, start: Start) -> None:
    def scores(of: Api) -> list[tuple[float, str]]:
        return [(r["raw_score"], r["decision"]) for r in of.score(RESUME, "nurse").json()["results"]]

    audited = start(shadow_audit={"share": 1.0})
    assert scores(api) == scores(audited)
    wait_for_audits(audited, 1)
    assert scores(api) == scores(audited)
    assert api.series("evenmatch_shadow_audits_total", redact="true") == 0


def test_a_request_that_is_refused_is_not_audited(start: Start) -> None:
    api = start(shadow_audit={"share": 1.0})
    assert api.score(RESUME, "").status_code == 422
    assert api.score(RESUME).status_code == 200
    wait_for_audits(api, 1)
    assert api.series("evenmatch_shadow_audits_total", redact="true") == 1


def test_a_failing_audit_does_not_reach_the_request(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    api = start(shadow_audit={"share": 1.0})

    def fail(batch: object) -> None:
        raise RuntimeError("Emily Walsh")

    assert api.score(RESUME).status_code == 200
    wait_for_audits(api, 1)
    api.engine.before = fail  # what is scored is in the cache now: only audits need the engine

    def failed() -> bool:
        assert api.score(RESUME).status_code == 200
        return api.series("evenmatch_shadow_audits_dropped_total", reason="error") >= 1

    wait_until(failed)
    assert "Emily" not in caplog.text
