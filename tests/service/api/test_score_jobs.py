"""`/v1/score/jobs` on the real app with the fake engine."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from service.store import job_tables, tables
from service.store.recorder import StoreOptions
from service.store.verification import verify
from tests.support.api import ENGINEER, NURSE, Api, Start
from tests.support.jobs import JOB, OTHER_JOB, candidates, finished, json_lines, records
from tests.support.patience import wait_until

ND = {"content-type": "application/x-ndjson"}


def create(api: Api, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = api.post("/v1/score/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def test_a_job_scores_as_score_does_and_records_every_decision_once(start: Start, tmp_path: Path) -> None:
    api = start(jobs={"chunk_rows": 3})
    people = candidates(8)
    job = create(api, {"job": JOB, "candidates": people})
    done = finished(api, job["id"])
    assert done["counts"] == {"total": 8, "completed": 8, "failed": 0, "decisions": 8}
    found = records(api, job["id"])
    direct = api.post("/v1/score", json={"job": JOB, "candidates": people}).json()["results"]
    same = ("candidate_id", "raw_score", "calibrated_probability", "decision", "borderline", "warnings")
    assert [[one[name] for name in same] for one in found] == [[one[name] for name in same] for one in direct]
    assert [one["line"] for one in found] == list(range(1, 9))
    with closing(StoreOptions(data_dir=tmp_path / "data").open_log()) as log:
        assert verify(log).broken == 0
        with log.reading() as connection:
            ids = connection.execute(select(tables.decisions.c.decision_id)).scalars().all()
    times = Counter(ids)
    assert [times[one["decision_id"]] for one in found] == [1] * 8
    assert api.series("evenmatch_decisions_total", attribute="sex", group="female", decision="selected") > 0
    assert api.series("evenmatch_job_rows_total", outcome="completed") == 8
