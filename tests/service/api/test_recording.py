"""What `/v1/score` leaves in the decision log, and how it answers when it cannot."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.core.errors import ConfigurationError
from service.store import tables
from service.store.recorder import StoreOptions
from service.store.verification import verify
from tests.support.api import ENGINEER, JOB, NURSE, Api, Start
from tests.support.patience import wait_until

SECRET = "Zaphod Beeblebrox"


def rows(folder: Path) -> list[dict[str, Any]]:
    with closing(StoreOptions(data_dir=folder).open_log()) as log:
        assert verify(log).broken == 0
        with log.reading() as connection:
            query = select(tables.decisions).order_by(tables.decisions.c.sequence)
            return [dict(row) for row in connection.execute(query).mappings()]


def block(folder: Path) -> str:
    """The URL of a database that cannot be made until the file `blocked` is removed."""
    (folder / "blocked").write_text("no folder")
    return f"sqlite:///{folder / 'blocked' / 'log.sqlite'}"


def test_every_result_is_recorded_as_it_was_answered(start: Start, tmp_path: Path) -> None:
    api = start(store={"durable": True})
    body: dict[str, Any] = {
        "job": {**JOB, "id": "req-17"},
        "candidates": [
            {"id": "c-1", "resume": ENGINEER, "groups": {"sex": "female"}},
            {"id": "c-2", "resume": f"{SECRET}. {NURSE}"},
        ],
        "redact": False,
    }
    answer = api.post("/v1/score", json=body, headers={"x-request-id": "from-the-ats"})
    results = answer.json()["results"]
    found = rows(tmp_path / "data")
    assert [row["decision_id"] for row in found] == [result["decision_id"] for result in results]
    for row, result, groups in zip(found, results, ('{"sex":"female"}', "{}"), strict=True):
        for name in ("candidate_id", "raw_score", "calibrated_probability", "decision"):
            assert row[name] == result[name]
        assert row["request_id"] == answer.headers["x-request-id"] == "from-the-ats"
        assert (row["job_id"], row["threshold"], row["redact"]) == ("req-17", 0.6, False)
        assert (row["groups"], row["engine"]) == (groups, "openvino")
        assert row["bundle_digest"] == api.runtime.bundle.digest
        assert abs(row["time"] / 1e6 - time.time()) < 60


def test_nothing_of_any_text_is_written(start: Start, tmp_path: Path) -> None:
    api = start(store={"durable": True})
    api.score(f"{SECRET}, {ENGINEER}", job={**JOB, "description": f"{SECRET} needs a python developer"})
    files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    content = b"".join(file.read_bytes() for file in files)
    assert b"c-0" in content
    assert b"Zaphod" not in content
    assert b"python" not in content


def test_a_refused_request_leaves_no_row(start: Start, tmp_path: Path) -> None:
    api = start(store={"durable": True})
    assert api.score("", ENGINEER).status_code == 422
    assert api.score(ENGINEER, groups={"sex": "unheard_of"}).status_code == 422
    api.score(ENGINEER)
    assert len(rows(tmp_path / "data")) == 1


def test_an_id_with_a_null_character_is_refused(api: Api) -> None:
    # PostgreSQL cannot keep one.
    body = {"job": JOB, "candidates": [{"id": "c\x00", "resume": ENGINEER}]}
    assert api.post("/v1/score", json=body).status_code == 422
    assert api.score(ENGINEER, job={**JOB, "id": "\x00"}).status_code == 422


def test_half_a_character_is_refused_as_an_id(api: Api) -> None:
    body = b'{"job": {"description": "python"}, "candidates": [{"id": "\\ud800", "resume": "java"}]}'
    answer = api.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_recording_is_seen_in_the_metrics(start: Start) -> None:
    api = start(store={"durable": True})
    assert api.series("evenmatch_stored_decisions_total") == 0
    api.score(ENGINEER, NURSE)
    assert api.series("evenmatch_stored_decisions_total") == 2
    for name in ("store_queue_depth", "store_failures_total", "spooled_decisions"):
        assert api.series(f"evenmatch_{name}") == 0


def test_a_database_away_means_503_before_any_work_if_so_set(start: Start, tmp_path: Path) -> None:
    api = start(store={"database_url": block(tmp_path), "on_failure": "refuse"})
    before = len(api.engine.batches)
    answer = api.score(ENGINEER)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_down")
    assert int(answer.headers["retry-after"]) > 0
    assert len(api.engine.batches) == before
    assert api.series("evenmatch_decisions_total", attribute="sex", group="unknown") == 0
    ready = api.get("/health/ready")
    assert (ready.status_code, ready.json()["code"]) == (503, "store_down")
    assert api.post("/v1/embed", json={"inputs": "java"}).status_code == 200
    assert api.series("evenmatch_store_failures_total") >= 1
    (tmp_path / "blocked").unlink()
    wait_until(lambda: api.get("/health/ready").status_code == 200)
    assert api.score(ENGINEER).status_code == 200


def test_a_database_away_means_disk_by_default_and_readiness_says_so(start: Start, tmp_path: Path) -> None:
    api = start(store={"database_url": block(tmp_path)})
    assert api.score(ENGINEER, NURSE).status_code == 200
    assert api.get("/health/ready").json()["store"] == "spooling"
    assert api.series("evenmatch_spooled_decisions") == 2
    (tmp_path / "blocked").unlink()
    wait_until(lambda: api.get("/health/ready").json()["store"] == "ok")
    assert api.series("evenmatch_spooled_decisions") == 0
    assert api.series("evenmatch_stored_decisions_total") == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"log_key": "too short"}, "log_key has 9 characters"),
        ({"database_url": "mysql://host/db"}, "database_url names mysql"),
    ],
)
def test_settings_that_no_log_can_have_stop_the_start(
    start: Start, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        start(store=settings)
