"""`/v1/score/jobs` on the real app with the fake engine: what becomes of a job."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from service.cli import app as command_line
from service.store.job_tables import inputs, jobs
from service.store.recorder import StoreOptions
from service.store.tables import decisions
from service.store.verification import verify
from tests.support.api import ENGINEER, NURSE, Api, Start
from tests.support.fakes import FakeEngine
from tests.support.jobs import (
    CSV,
    JOB,
    NDJSON,
    OTHER_JOB,
    candidates,
    create,
    create_of,
    decisions_of,
    finished,
    json_lines,
    records,
    rows_in,
)
from tests.support.patience import wait_until

SECRET = "Zaphod Beeblebrox"


def data_dir(api: Api) -> Any:
    return api.app.state.settings.store.data_dir  # type: ignore[attr-defined]  # TestClient's app is FastAPI's


def test_a_job_scores_as_score_does_and_records_every_decision_once(jobs_api: Api) -> None:
    api, people = jobs_api, candidates(8)
    before = api.series("evenmatch_match_score_count", attribute="sex", group="female")
    rows_before = api.series("evenmatch_job_rows_total", outcome="completed")
    job = create(api, {"job": JOB, "candidates": people})
    done = finished(api, job)
    assert done["counts"] == {"total": 8, "completed": 8, "failed": 0, "decisions": 8}
    assert api.series("evenmatch_match_score_count", attribute="sex", group="female") == before + 4
    assert api.series("evenmatch_job_rows_total", outcome="completed") == rows_before + 8
    found = records(api, job)
    direct = api.post("/v1/score", json={"job": JOB, "candidates": people}).json()["results"]
    same = ("candidate_id", "raw_score", "calibrated_probability", "decision", "borderline", "warnings")
    assert [[one[name] for name in same] for one in found] == [[one[name] for name in same] for one in direct]
    assert [one["line"] for one in found] == list(range(1, 9))
    with closing(StoreOptions(data_dir=data_dir(api)).open_log()) as log:
        assert verify(log).broken == 0
        with log.reading() as connection:
            ids = connection.execute(select(decisions.c.decision_id)).scalars().all()
    times = Counter(ids)
    assert [times[one["decision_id"]] for one in found] == [1] * 8


def test_the_best_of_each_posting_are_listed_and_all_are_decided(jobs_api: Api) -> None:
    api = jobs_api
    job = create(api, {"jobs": [JOB, OTHER_JOB], "candidates": candidates(9), "top_k": 2})
    assert finished(api, job)["counts"]["decisions"] == 18
    best = records(api, job)
    assert [one["job_index"] for one in best] == [0, 0, 1, 1]
    for index, posting in enumerate((JOB, OTHER_JOB)):
        direct = api.post("/v1/score", json={"job": posting, "candidates": candidates(9)}).json()["results"]
        scores = sorted((one["raw_score"] for one in direct), reverse=True)[:2]
        assert [one["raw_score"] for one in best if one["job_index"] == index] == scores


def test_rows_at_fault_are_reported_by_line_and_the_rest_goes_on(jobs_api: Api) -> None:
    lines = [
        *json_lines({"job": JOB}, *candidates(3)).splitlines(keepends=True),
        b'{"id": "c-9", \n',
        b'{"id": "c-10", "resume": "\xe9"}\n',
        *json_lines(
            {"id": "c-0", "resume": "again"},
            {"id": "c-11", "resume": " "},
            {"id": "c-12", "resume": ENGINEER, "groups": {"sex": SECRET}},
            {"id": "c-13", "resume": ENGINEER, SECRET: 1},
            {"id": "c-14", "resume": NURSE},
        ).splitlines(keepends=True),
    ]
    job = create_of(jobs_api, b"".join(lines), NDJSON)
    done = finished(jobs_api, job)
    assert (done["counts"]["completed"], done["counts"]["failed"]) == (4, 6)
    found = records(jobs_api, job, "errors")
    assert [(one["line"], one["code"]) for one in found] == [
        (5, "malformed_row"),
        (6, "not_utf8"),
        (7, "duplicate_id"),
        (8, "empty_text"),
        (9, "unknown_group"),
        (10, "malformed_row"),
    ]
    assert done["errors"] == dict(Counter(one["code"] for one in found))
    assert SECRET not in str(found)
    assert [one["line"] for one in records(jobs_api, job)] == [2, 3, 4, 11]


def test_rows_have_groups_as_forms_write_them_and_metadata(jobs_api: Api) -> None:
    one, other = candidates(2)
    people = [
        {**one, "groups": {"Gender": "Male", "race_ethnicity": None}, "metadata": {"owner": SECRET}},
        {**other, "groups": {"sex": "Decline To Self Identify"}},
    ]
    job = create(jobs_api, {"job": JOB, "candidates": people})
    finished(jobs_api, job)
    assert len(found := records(jobs_api, job)) == 2
    assert SECRET not in str(found)
    with jobs_api.database.connect() as connection:
        of_job = decisions.c.request_id == f"job.{job}"
        chosen = select(decisions.c.candidate_id, decisions.c.groups).where(of_job)
        rows = connection.execute(chosen).all()
    recorded = {person: json.loads(groups) for person, groups in rows}
    assert recorded == {
        one["id"]: {"sex": "male"},
        other["id"]: {"sex": "unknown"},
    }


def test_a_csv_has_a_posting_a_row_and_quoted_lines(jobs_api: Api) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=";")
    writer.writerow(["id", "resume", "sex", "job_id", "job_title", "job_description"])
    for person, posting in zip(candidates(4), (JOB, OTHER_JOB) * 2, strict=True):
        text = person["resume"].replace(", ", '\n"so"; ')
        sex = person["groups"]["sex"]
        writer.writerow([person["id"], text, sex, posting["id"], posting["title"], posting["description"]])
    content = b"\xef\xbb\xbf" + table.getvalue().encode() + b"c-5;too few\r\n"
    job = create_of(jobs_api, content, CSV, redact="false")
    done = finished(jobs_api, job)
    assert (done["counts"]["completed"], done["errors"], done["redact"]) == (4, {"malformed_row": 1}, False)
    assert [one["job_id"] for one in records(jobs_api, job)] == ["req-1", "req-2"] * 2
    answer = jobs_api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"})
    read = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["candidate_id"] for row in read] == ["c-0", "c-1", "c-2", "c-3"]
    assert "evenmatch-partial" not in answer.headers


def test_jobs_belong_to_the_credential_that_made_them(jobs_api: Api) -> None:
    api, mine = jobs_api, {"authorization": "Bearer one"}
    job = create(api, {"job": JOB, "candidates": candidates(1)}, **mine)
    for method, path in (("GET", ""), ("GET", "/results"), ("GET", "/errors"), ("POST", "/cancel")):
        for headers in ({}, {"x-api-key": "Bearer one-not"}):
            answer = api.request(method, f"/v1/score/jobs/{job}{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
        answer = api.request(method, f"/v1/score/jobs/no-such-job{path}", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 404
    assert api.get(f"/v1/score/jobs/{job}", headers=mine).status_code == 200
    assert [one["id"] for one in api.get("/v1/score/jobs", headers=mine).json()["data"]] == [job]
    assert job not in [one["id"] for one in api.get("/v1/score/jobs").json()["data"]]


def test_results_before_the_end_are_partial(jobs_api: Api, held: threading.Event) -> None:
    api = jobs_api
    job = create(api, {"job": JOB, "candidates": candidates(4)})
    answer = api.get(f"/v1/score/jobs/{job}/results")
    assert (answer.status_code, answer.headers["evenmatch-partial"]) == (200, "true")
    (last,) = records(api, job)
    assert (last["partial"], last["completed"], last["total"]) == (True, 0, 4)
    text = api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"}).text
    assert text.splitlines()[-1].startswith("partial,")
    assert records(api, job, "errors") == [last]
    assert api.delete(f"/v1/score/jobs/{job}").json()["code"] == "job_running"
    held.set()
    finished(api, job)
    assert len(records(api, job)) == 4


def test_a_cancelled_job_stays_cancelled_and_keeps_what_was_decided(
    jobs_api: Api, held: threading.Event
) -> None:
    api = jobs_api
    job = create(api, {"job": JOB, "candidates": candidates(20)})
    wait_until(lambda: api.engine.batches)
    for _ in range(2):
        assert api.post(f"/v1/score/jobs/{job}/cancel").json()["status"] == "cancelling"
    held.set()
    done = finished(api, job, "cancelled")
    assert done["counts"]["completed"] < 20
    assert done["counts"]["completed"] == len(records(api, job)) == decisions_of(api, job)
    assert api.post(f"/v1/score/jobs/{job}/cancel").json()["status"] == "cancelled"
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 204
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 404
    assert job not in [one["id"] for one in api.get("/v1/score/jobs").json()["data"]]


def test_jobs_are_listed_by_page_and_status(jobs_api: Api) -> None:
    mine = {"authorization": "Bearer two"}

    def listed(**query: Any) -> Any:
        return jobs_api.get("/v1/score/jobs", params=query, headers=mine).json()

    made = [create(jobs_api, {"job": JOB, "candidates": candidates(1)}, **mine) for _ in range(3)]
    page = listed(limit=2)
    rest = listed(limit=2, cursor=page["next_cursor"])
    assert [one["id"] for one in page["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert listed(status="failed")["data"] == []
    assert jobs_api.get("/v1/score/jobs", params={"cursor": "?"}).status_code == 422


def test_a_posting_without_text_is_refused(jobs_api: Api) -> None:
    body = {"jobs": [JOB, {"description": " "}], "candidates": candidates(2)}
    answer = jobs_api.post("/v1/score/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_text")
    assert answer.json()["errors"][0]["field"] == "jobs[1].description"


def test_a_posting_that_cannot_be_read_fails_the_job(jobs_api: Api) -> None:
    job = create(jobs_api, {"jobs": [JOB, {"description": "\x02"}], "candidates": candidates(2)})
    failure = finished(jobs_api, job, "failed")["failure"]
    assert (failure["code"], failure["field"]) == ("empty_text", "jobs[1].description")
    assert decisions_of(jobs_api, job) == 0


def test_nothing_of_any_text_is_in_the_database_in_the_clear(jobs_api: Api) -> None:
    person = {"id": "c-1", "resume": f"{SECRET}, {ENGINEER}"}
    posting = {**JOB, "description": f"{SECRET} needs python"}
    job = create(jobs_api, {"job": posting, "candidates": [person]})
    finished(jobs_api, job)
    wait_until(lambda: rows_in(jobs_api, inputs, inputs.c.upload == upload_of(jobs_api, job)) == 0)
    files = [file for file in data_dir(jobs_api).rglob("*") if file.is_file()]
    assert b"Zaphod" not in b"".join(file.read_bytes() for file in files)


def upload_of(api: Api, job_id: str) -> Any:
    with api.database.connect() as connection:
        return connection.execute(select(jobs.c.upload).where(jobs.c.id == job_id)).scalar_one()


def test_an_engine_that_fails_on_one_resume_fails_its_row_alone(
    jobs_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison: list[Any] = []

    def fail(batch: Sequence[Any]) -> None:
        if any(text in poison for text in batch):
            raise ValueError("no")

    people = [{**person, "resume": f"{person['resume']} and such"} for person in candidates(3)]
    poison += jobs_api.runtime.matcher.tokenize_resume(people[1]["resume"]).texts
    monkeypatch.setattr(jobs_api.engine, "before", fail)
    job = create(jobs_api, {"job": JOB, "candidates": people})
    assert finished(jobs_api, job)["errors"] == {"engine_error": 1}
    assert [one["line"] for one in records(jobs_api, job, "errors")] == [2]


def test_an_inference_worker_that_dies_delays_a_job_only(start: Start) -> None:
    api = start()
    died = threading.Event()

    def die(_: object) -> None:
        if not died.is_set():
            died.set()
            raise SystemExit

    api.engine.before = die
    job = create(api, {"job": JOB, "candidates": candidates(3)})
    assert finished(api, job)["counts"]["completed"] == 3
    assert decisions_of(api, job) == 3
    assert isinstance(api.engine, FakeEngine)


def test_a_job_whose_time_is_over_expires(jobs_api: Api, held: threading.Event) -> None:
    api = jobs_api
    job = create(api, {"job": JOB, "candidates": candidates(20), "ttl": 60})
    upload = upload_of(api, job)
    with api.database.begin() as connection:
        over = int((time.time() - 1) * 1e6)
        connection.execute(jobs.update().where(jobs.c.id == job).values(expires=over))
    finished(api, job, "expired")
    held.set()
    wait_until(lambda: rows_in(api, inputs, inputs.c.upload == upload) == 0)


def test_an_erased_person_is_in_no_job_and_not_in_the_log(
    jobs_api: Api, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = jobs_api
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(data_dir(api)))

    def erase(candidate: str) -> list[str]:
        done = CliRunner().invoke(command_line, ["log", "erase", "--candidate", candidate])
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    people = [{**person, "id": person["id"].replace("c", "e")} for person in candidates(12)]
    job = create(api, {"job": JOB, "candidates": people})
    wait_until(lambda: api.engine.batches)
    assert erase("e-11") == ["erased 0 decisions", "erased 1 rows and results of batch jobs"]
    held.set()
    assert finished(api, job)["errors"] == {"erased": 1}
    assert erase("e-3") == ["erased 1 decisions", "erased 1 rows and results of batch jobs"]
    assert erase("e-3") == ["erased 0 decisions"]
    assert [one["candidate_id"] for one in records(api, job)] == [f"e-{i}" for i in range(11) if i != 3]
    assert [one["candidate_id"] for one in records(api, job, "errors")] == [None]


def test_a_job_that_was_sealed_with_another_key_fails(jobs_api: Api, held: threading.Event) -> None:
    api = jobs_api
    job = create(api, {"job": JOB, "candidates": candidates(12)})
    wait_until(lambda: api.engine.batches)
    of_job = inputs.c.upload == upload_of(api, job)
    with api.database.begin() as connection:
        other = connection.execute(select(inputs.c.content).where(of_job, inputs.c.number == 4)).scalar_one()
        connection.execute(inputs.update().where(of_job, inputs.c.number == 5).values(content=other))
    held.set()
    assert finished(api, job, "failed")["failure"]["code"] == "sealed"
