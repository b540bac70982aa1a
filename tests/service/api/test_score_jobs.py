"""`/v1/score/jobs` on the real app with the fake engine."""

from __future__ import annotations

import csv
import io
import random
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from service.jobs.erasure import erase_from_jobs
from service.store import job_tables, tables
from service.store.recorder import StoreOptions
from service.store.verification import verify
from tests.support.api import ENGINEER, NURSE, Api, Start
from tests.support.fakes import FakeEngine
from tests.support.jobs import JOB, OTHER_JOB, candidates, finished, json_lines, records
from tests.support.patience import wait_until

NDJSON = {"content-type": "application/x-ndjson"}
CSV = {"content-type": "text/csv"}
SECRET = "Zaphod Beeblebrox"


def create(api: Api, body: dict[str, Any], **headers: str) -> str:
    answer = api.post("/v1/score/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def create_of(api: Api, content: bytes, headers: dict[str, str], **query: Any) -> str:
    answer = api.post("/v1/score/jobs", content=content, headers=headers, params=query)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def rows_in(api: Api, table: Any) -> int:
    with api.database.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def held(start: Start) -> Iterator[tuple[Api, threading.Event]]:
    """An app whose engine does nothing before the event is set."""
    api, go = start(jobs={"chunk_rows": 2}), threading.Event()
    api.engine.before = lambda _: go.wait()
    yield api, go
    go.set()


def test_a_job_scores_as_score_does_and_records_every_decision_once(start: Start, tmp_path: Path) -> None:
    api = start(jobs={"chunk_rows": 3})
    people = candidates(8)
    job = create(api, {"job": JOB, "candidates": people})
    done = finished(api, job)
    assert done["counts"] == {"total": 8, "completed": 8, "failed": 0, "decisions": 8}
    found = records(api, job)
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
    assert api.series("evenmatch_job_rows_total", outcome="completed") == 8
    assert api.series("evenmatch_match_score_count", attribute="sex", group="female") == 8


def test_the_best_of_each_posting_are_listed_and_all_are_decided(start: Start) -> None:
    api = start(jobs={"chunk_rows": 2})
    job = create(api, {"jobs": [JOB, OTHER_JOB], "candidates": candidates(9), "top_k": 2})
    assert finished(api, job)["counts"]["decisions"] == 18
    best = records(api, job)
    assert [one["job_index"] for one in best] == [0, 0, 1, 1]
    for index, posting in enumerate((JOB, OTHER_JOB)):
        direct = api.post("/v1/score", json={"job": posting, "candidates": candidates(9)}).json()["results"]
        scores = sorted((one["raw_score"] for one in direct), reverse=True)[:2]
        assert [one["raw_score"] for one in best if one["job_index"] == index] == scores


def test_rows_at_fault_are_reported_by_line_and_the_rest_goes_on(api: Api) -> None:
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
    job = create_of(api, b"".join(lines), NDJSON)
    done = finished(api, job)
    assert (done["counts"]["completed"], done["counts"]["failed"]) == (4, 6)
    found = records(api, job, "errors")
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
    assert [one["line"] for one in records(api, job)] == [2, 3, 4, 11]


def test_a_csv_has_a_posting_a_row_and_quoted_lines(api: Api) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=";")
    writer.writerow(["id", "resume", "sex", "job_id", "job_title", "job_description"])
    for person, posting in zip(candidates(4), (JOB, OTHER_JOB) * 2, strict=True):
        text = person["resume"].replace(", ", '\n"so"; ')
        sex = person["groups"]["sex"]
        writer.writerow([person["id"], text, sex, posting["id"], posting["title"], posting["description"]])
    content = b"\xef\xbb\xbf" + table.getvalue().encode() + b"c-5;too few\r\n"
    job = create_of(api, content, CSV, redact="false")
    done = finished(api, job)
    assert (done["counts"]["completed"], done["errors"], done["redact"]) == (4, {"malformed_row": 1}, False)
    assert [one["job_id"] for one in records(api, job)] == ["req-1", "req-2"] * 2
    answer = api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"})
    read = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["candidate_id"] for row in read] == ["c-0", "c-1", "c-2", "c-3"]
    assert "evenmatch-partial" not in answer.headers


JSON = {"content-type": "application/json"}
REFUSED: tuple[tuple[bytes, dict[str, str], int, str], ...] = (
    (b"", NDJSON, 422, "count_out_of_range"),
    (b"\n\n", NDJSON, 422, "count_out_of_range"),
    (b"", CSV, 422, "unusable_upload"),
    (b"name,text\nc,x\n", CSV, 422, "unusable_upload"),
    ("id,resume\n".encode("utf-16"), CSV, 422, "not_utf8"),
    (b"{", JSON, 400, "malformed_json"),
    (b"{}", JSON, 422, "count_out_of_range"),
    (b"id", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
    (b"--x", {"content-type": "multipart/form-data"}, 422, "unusable_upload"),
    (b'{"job": {"title": "x"}}\n', NDJSON, 422, "unusable_upload"),
    (b"x" * 3_000, NDJSON, 413, "body_too_large"),
)


def test_a_body_that_is_no_job_is_refused_and_leaves_nothing(start: Start) -> None:
    api = start(jobs={"max_upload_bytes": 2_000})
    for content, headers, status, code in REFUSED:
        answer = api.post("/v1/score/jobs", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content
    for query in ({"top_k": "0"}, {"ttl": "90000"}, {"priority": "now"}, {"webhook": "https://example.org"}):
        lines = json_lines({"job": JOB}, *candidates(1))
        answer = api.post("/v1/score/jobs", content=lines, headers=NDJSON, params=query)
        assert answer.status_code == 422, query
    assert [rows_in(api, table) for table in (job_tables.jobs, job_tables.inputs)] == [0, 0]


def test_an_upload_that_does_not_say_its_length_is_refused_while_it_comes(start: Start) -> None:
    api = start(jobs={"max_upload_bytes": 1_000_000, "chunk_rows": 1})

    def endless() -> Iterator[bytes]:
        yield json_lines({"job": JOB})
        for i in range(10_000):
            yield json_lines({"id": f"c-{i}", "resume": ENGINEER * 10})

    answer = api.post("/v1/score/jobs", content=endless(), headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert [rows_in(api, table) for table in (job_tables.jobs, job_tables.inputs)] == [0, 0]


def test_a_key_makes_one_job(api: Api) -> None:
    headers = {**NDJSON, "idempotency-key": "night-1"}
    content = json_lines({"job": JOB}, *candidates(3))
    first = create_of(api, content, headers)
    again = api.post("/v1/score/jobs", content=content, headers=headers)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first, "true")
    other = api.post("/v1/score/jobs", content=content + json_lines(*candidates(1)), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    finished(api, first)
    assert rows_in(api, job_tables.inputs) == 0
    assert api.delete(f"/v1/score/jobs/{first}").status_code == 204
    gone = api.post("/v1/score/jobs", content=content, headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (409, "job_deleted")


def test_jobs_belong_to_the_credential_that_made_them(api: Api) -> None:
    mine = {"authorization": "Bearer one"}
    job = create(api, {"job": JOB, "candidates": candidates(1)}, **mine)
    for method, path in (("GET", ""), ("GET", "/results"), ("GET", "/errors"), ("POST", "/cancel")):
        for headers in ({}, {"x-api-key": "Bearer one-not"}):
            answer = api.request(method, f"/v1/score/jobs/{job}{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 404
    assert api.get("/v1/score/jobs/no-such-job").status_code == 404
    assert api.get(f"/v1/score/jobs/{job}", headers=mine).status_code == 200
    assert api.get("/v1/score/jobs").json()["data"] == []


def test_results_before_the_end_are_partial(held: tuple[Api, threading.Event]) -> None:
    api, go = held
    job = create(api, {"job": JOB, "candidates": candidates(4)})
    answer = api.get(f"/v1/score/jobs/{job}/results")
    assert (answer.status_code, answer.headers["evenmatch-partial"]) == (200, "true")
    (last,) = records(api, job)
    assert (last["partial"], last["completed"], last["total"]) == (True, 0, 4)
    text = api.get(f"/v1/score/jobs/{job}/results", params={"format": "csv"}).text
    assert text.splitlines()[-1].startswith("partial,")
    assert api.delete(f"/v1/score/jobs/{job}").json()["code"] == "job_running"
    go.set()
    finished(api, job)
    assert len(records(api, job)) == 4


def test_a_cancelled_job_stays_cancelled_and_keeps_what_was_decided(
    held: tuple[Api, threading.Event],
) -> None:
    api, go = held
    job = create(api, {"job": JOB, "candidates": candidates(20)})
    wait_until(lambda: api.engine.batches)
    first = api.post(f"/v1/score/jobs/{job}/cancel").json()["status"]
    assert first == "cancelling"
    go.set()
    done = finished(api, job, "cancelled")
    assert done["counts"]["completed"] < 20
    assert done["counts"]["completed"] == len(records(api, job)) == rows_in(api, tables.decisions)
    assert api.post(f"/v1/score/jobs/{job}/cancel").json()["status"] == "cancelled"
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 204
    assert api.delete(f"/v1/score/jobs/{job}").status_code == 404
    assert api.get("/v1/score/jobs").json()["data"] == []


def test_jobs_are_listed_by_page_and_status(api: Api) -> None:
    made = [create(api, {"job": JOB, "candidates": candidates(1)}) for _ in range(3)]
    for job in made:
        finished(api, job)
    page = api.get("/v1/score/jobs", params={"limit": 2}).json()
    rest = api.get("/v1/score/jobs", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [one["id"] for one in page["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert api.get("/v1/score/jobs", params={"status": "failed"}).json()["data"] == []
    assert api.get("/v1/score/jobs", params={"cursor": "?"}).status_code == 422


def test_a_posting_that_cannot_be_read_fails_the_job(api: Api) -> None:
    job = create(api, {"jobs": [JOB, {"description": " "}], "candidates": candidates(2)})
    failure = finished(api, job, "failed")["failure"]
    assert (failure["code"], failure["field"]) == ("empty_text", "jobs[1].description")
    assert rows_in(api, tables.decisions) == 0


def test_files_and_archives_are_candidates(start: Start) -> None:
    api = start()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("people/cv.txt", f"{SECRET}, {ENGINEER}")
        packed.writestr("../../etc/cv.txt", f"{SECRET}, {ENGINEER}")
        packed.writestr("inner.zip", b"PK\x03\x04nothing")
        packed.writestr("bomb.txt", bytes(5_000_000))
    files: list[tuple[str, Any]] = [
        ("request", (None, '{"job": {"description": "python"}}', "application/json")),
        ("files", ("one.txt", NURSE.encode())),
        ("files", ("all.zip", archive.getvalue())),
        ("files", ("broken.txt", b"%PDF-1.7 and no more")),
    ]
    answer = api.post("/v1/score/jobs", files=files)
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    assert finished(api, job)["counts"] == {"total": 6, "completed": 2, "failed": 4, "decisions": 2}
    found = [(one["candidate_id"], one["file"], one["document"]["type"]) for one in records(api, job)]
    assert found == [("file-1", "one.txt", "text"), ("file-2", "people/cv.txt", "text")]
    assert [(one["file"], one["code"]) for one in records(api, job, "errors")] == [
        ("etc/cv.txt", "unsafe_path"),
        ("inner.zip", "nested_archive"),
        ("bomb.txt", "compression_ratio"),
        ("broken.txt", "damaged_document"),
    ]


def test_candidates_name_their_files(start: Start) -> None:
    api = start()
    request = (
        '{"job": {"file": "posting.txt"}, "candidates": ['
        '{"id": "a", "file": "a.txt"}, {"id": "b", "file": "missing.txt"}, {"id": "c", "resume": "nurse"}]}'
    )
    files: list[tuple[str, Any]] = [
        ("request", (None, request, "application/json")),
        ("files", ("a.txt", ENGINEER.encode())),
        ("files", ("posting.txt", b"python and java")),
    ]
    job = api.post("/v1/score/jobs", files=files).json()["id"]
    finished(api, job)
    assert {one["candidate_id"] for one in records(api, job)} == {"a", "c"}
    assert [one["candidate_id"] for one in records(api, job, "errors")] == ["b"]


def test_files_before_the_request_are_refused(api: Api) -> None:
    answer = api.post("/v1/score/jobs", files=[("files", ("a.txt", b"x")), ("request", (None, "{}"))])
    assert (answer.status_code, answer.json()["code"]) == (422, "unusable_upload")


def test_nothing_of_any_text_is_in_the_database_in_the_clear(
    held: tuple[Api, threading.Event], tmp_path: Path
) -> None:
    api, go = held
    person = {"id": "c-1", "resume": f"{SECRET}, {ENGINEER}"}
    job = create(api, {"job": {**JOB, "description": f"{SECRET} needs python"}, "candidates": [person]})
    go.set()
    finished(api, job)
    content = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert b"Zaphod" not in content
    assert rows_in(api, job_tables.inputs) == 0


def test_a_full_disk_leaves_no_half_of_a_job(start: Start) -> None:
    api = start(jobs={"chunk_rows": 1})
    service = api.app.state.jobs  # type: ignore[attr-defined]  # TestClient's app is FastAPI's
    with service.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def small(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages + 40}")

    event.listen(service.engine, "checkout", small)
    content = json_lines(
        {"job": JOB},
        *({"id": f"c-{i}", "resume": random.Random(i).randbytes(9_000).hex()} for i in range(40)),
    )
    answer = api.post("/v1/score/jobs", content=content, headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert api.get("/v1/score/jobs").json()["data"] == []
    event.remove(service.engine, "checkout", small)


def test_an_engine_that_fails_on_one_resume_fails_its_row_alone(start: Start) -> None:
    api = start()
    poison: list[Any] = []

    def fail(batch: Sequence[Any]) -> None:
        if poison and any(text in poison for text in batch):
            raise ValueError("no")

    people = candidates(3)
    poison += api.runtime.matcher.tokenize_resume(people[1]["resume"]).texts
    api.engine.before = fail
    job = create(api, {"job": JOB, "candidates": people})
    assert finished(api, job)["errors"] == {"engine_error": 1}
    assert [one["line"] for one in records(api, job, "errors")] == [2]


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
    assert rows_in(api, tables.decisions) == 3
    assert isinstance(api.engine, FakeEngine)


def test_a_job_whose_time_is_over_expires(held: tuple[Api, threading.Event]) -> None:
    api, go = held
    job = create(api, {"job": JOB, "candidates": candidates(20), "ttl": 60})
    with api.database.begin() as connection:
        connection.execute(job_tables.jobs.update().values(expires=int((time.time() - 1) * 1e6)))
    finished(api, job, "expired")
    go.set()
    wait_until(lambda: rows_in(api, job_tables.inputs) == 0)


def test_an_erased_person_is_in_no_job(held: tuple[Api, threading.Event]) -> None:
    api, go = held
    service = api.app.state.jobs  # type: ignore[attr-defined]
    job = create(api, {"job": JOB, "candidates": candidates(12)})
    wait_until(lambda: api.engine.batches)
    assert erase_from_jobs(service.engine, service.sealer, "c-11") == 1
    go.set()
    assert finished(api, job)["errors"] == {"erased": 1}
    assert erase_from_jobs(service.engine, service.sealer, "c-3") == 1
    assert erase_from_jobs(service.engine, service.sealer, "c-3") == 0
    assert [one["candidate_id"] for one in records(api, job)] == [f"c-{i}" for i in range(11) if i != 3]
    assert [one["candidate_id"] for one in records(api, job, "errors")] == [None]


def test_a_job_that_was_sealed_with_another_key_fails(held: tuple[Api, threading.Event]) -> None:
    api, go = held
    job = create(api, {"job": JOB, "candidates": candidates(12)})
    wait_until(lambda: api.engine.batches)
    with api.database.begin() as connection:
        last = (job_tables.inputs.c.number == 5, job_tables.inputs.c.number == 4)
        content = select(job_tables.inputs.c.content)
        other = connection.execute(content.where(last[1])).scalar_one()
        connection.execute(job_tables.inputs.update().where(last[0]).values(content=other))
    go.set()
    assert finished(api, job, "failed")["failure"]["code"] == "sealed"
