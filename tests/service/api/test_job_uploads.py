"""What is no job, or only in part, and what is left of it."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from starlette.types import Message

from service.jobs.sealed_files import SealedFile
from service.store.job_tables import inputs, jobs, uploads
from tests.support.api import ENGINEER, NURSE, Api, Start
from tests.support.callers import Caller, until
from tests.support.jobs import (
    CSV,
    JOB,
    NDJSON,
    candidates,
    create_of,
    decisions_of,
    finished,
    json_lines,
    records,
    rows_in,
)
from tests.support.patience import wait_until

JSON = {"content-type": "application/json"}
GIB = 2**30


@pytest.fixture
def nothing_kept(jobs_api: Api) -> Iterator[None]:
    """No job was made in the test, and nothing of an upload is left."""
    before = rows_in(jobs_api, jobs)
    yield
    assert rows_in(jobs_api, jobs) == before
    wait_until(lambda: rows_in(jobs_api, uploads) + rows_in(jobs_api, inputs) == 0)


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
    (b"x" * 4_000_001, NDJSON, 413, "body_too_large"),
)


@pytest.mark.usefixtures("nothing_kept")
def test_a_body_that_is_no_job_is_refused_and_leaves_nothing(jobs_api: Api) -> None:
    for content, headers, status, code in REFUSED:
        answer = jobs_api.post("/v1/score/jobs", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content[:100]
    for query in ({"top_k": "0"}, {"ttl": "90000"}, {"priority": "now"}, {"webhook": "https://example.org"}):
        lines = json_lines({"job": JOB}, *candidates(1))
        answer = jobs_api.post("/v1/score/jobs", content=lines, headers=NDJSON, params=query)
        assert answer.status_code == 422, query


@pytest.mark.usefixtures("nothing_kept")
def test_three_gigabytes_that_say_so_are_refused_before_they_are_read(jobs_api: Api) -> None:
    for media_type in (
        "application/x-ndjson",
        "text/csv",
        "multipart/form-data; boundary=x",
        "application/json",
    ):
        headers = {"content-type": media_type, "content-length": str(3 * GIB)}
        caller = Caller(jobs_api, "/v1/score/jobs", b"", more=True, **headers)
        until(lambda: caller.answer)  # noqa: B023  # called at once
        assert caller.status == 413
        caller.leave()
        caller.done.result()
        assert b'"body_too_large"' in caller.answer[1]["body"]


@pytest.mark.usefixtures("nothing_kept")
def test_three_gigabytes_that_do_not_say_so_are_refused_while_they_come(jobs_api: Api) -> None:
    part = b"".join(json_lines({"id": f"c-{i}", "resume": ENGINEER * 1_000}) for i in range(2))
    sent = 0
    answer: list[Message] = []

    async def receive() -> Message:
        nonlocal sent
        sent += len(part)
        return {"type": "http.request", "body": part, "more_body": sent < 3 * GIB}

    async def send(message: Message) -> None:
        answer.append(message)

    scope = Caller.scope("/v1/score/jobs", {**NDJSON, "transfer-encoding": "chunked"})
    assert jobs_api.portal is not None
    jobs_api.portal.call(jobs_api.app, scope, receive, send)
    assert answer[0]["status"] == 413
    assert (b"connection", b"close") in answer[0]["headers"]
    assert b'"body_too_large"' in answer[1]["body"]
    assert sent < 100_000_000  # what came after the answer was read on for a moment, and dropped


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("form", [False, True])
def test_of_a_caller_who_leaves_in_the_middle_nothing_is_left(jobs_api: Api, form: bool) -> None:
    content = json_lines({"job": JOB}, *candidates(50))
    headers = dict(NDJSON)
    if form:
        headers["content-type"] = "multipart/form-data; boundary=x"
        parts = (
            ("request", b'{"job": {"description": "python"}}'),
            ("files", b"PK\x03\x04" + bytes(300_000)),
        )
        content = b"".join(
            b'--x\r\ncontent-disposition: form-data; name="%s"; filename="a"\r\n\r\n%s\r\n'
            % (name.encode(), part)
            for name, part in parts
        )
    content += b"\n" * 300_000  # rows are parsed in parts of so many
    headers["content-length"] = "4000000"
    caller = Caller(jobs_api, "/v1/score/jobs", content, more=True, **headers)
    if not form:
        until(lambda: rows_in(jobs_api, inputs))
    caller.leave()
    caller.done.result()
    assert caller.answer == [] or caller.status == 499
    assert jobs_api.series("evenmatch_requests_total", route="/v1/score/jobs", status="499") > 0


@pytest.mark.slow
def test_line_7_of_10_000_is_reported_and_the_others_are_scored(start: Start) -> None:
    api = start(jobs={"chunk_rows": 1_000})
    rows = [{"id": f"c-{i}", "resume": ENGINEER if i % 2 else NURSE} for i in range(9_999)]
    lines = json_lines({"job": JOB}, *rows).splitlines(keepends=True)
    lines[6] = b'{"id": "c-5", "resume": "an unclosed\n'
    job = create_of(api, b"".join(lines), NDJSON)
    done = finished(api, job)
    assert (done["counts"]["total"], done["counts"]["completed"]) == (9_999, 9_998)
    (fault,) = records(api, job, "errors")
    assert (fault["line"], fault["code"], fault["candidate_id"]) == (7, "malformed_row", None)
    assert [one["line"] for one in records(api, job)] == [*range(2, 7), *range(8, 10_001)]
    assert decisions_of(api, job) == 9_998


def test_rows_in_another_encoding_fail_and_the_others_are_scored(jobs_api: Api) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["id", "resume", "job_description"])
    for i in range(4):
        writer.writerow([f"c-{i}", f"Zoë, {ENGINEER}", "python"])
    lines = table.getvalue().splitlines(keepends=True)
    content = b"".join(
        line.encode("cp1252" if i == 2 else "utf-8-sig" if i == 0 else "utf-8")
        for i, line in enumerate(lines)
    )
    job = create_of(jobs_api, content, CSV)
    assert finished(jobs_api, job)["errors"] == {"not_utf8": 1}
    (fault,) = records(jobs_api, job, "errors")
    assert (fault["line"], "invalid byte at its offset 7" in fault["message"]) == (3, True)
    assert [one["line"] for one in records(jobs_api, job)] == [2, 4, 5]


def test_an_id_that_comes_twice_is_scored_once(jobs_api: Api) -> None:
    people = candidates(3)
    job = create_of(jobs_api, json_lines({"job": JOB}, *people, people[1], people[1]), NDJSON)
    assert finished(jobs_api, job)["errors"] == {"duplicate_id": 2}
    found = [(one["line"], one["message"]) for one in records(jobs_api, job, "errors")]
    assert found == [(5, "id is that of line 3"), (6, "id is that of line 3")]
    assert decisions_of(jobs_api, job) == 3


def test_a_key_makes_one_job(jobs_api: Api) -> None:
    api, headers = jobs_api, {**NDJSON, "idempotency-key": "night-1"}
    content = json_lines({"job": JOB}, *candidates(3))
    first = create_of(api, content, headers)
    again = api.post("/v1/score/jobs", content=content, headers=headers)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first, "true")
    other = api.post("/v1/score/jobs", content=content + json_lines(*candidates(1)), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    finished(api, first)
    wait_until(lambda: rows_in(api, inputs) == 0)
    assert api.delete(f"/v1/score/jobs/{first}").status_code == 204
    gone = api.post("/v1/score/jobs", content=content, headers=headers)
    assert (gone.status_code, gone.json()["code"]) == (409, "job_deleted")


def test_a_full_disk_leaves_no_half_of_a_job(start: Start) -> None:
    api = start(jobs={"chunk_rows": 1})
    service = api.app.state.jobs  # type: ignore[attr-defined]  # TestClient's app is FastAPI's
    with service.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    most = pages + 40

    def limit(connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {most}")

    event.listen(service.engine, "checkout", limit)
    content = json_lines(
        {"job": JOB},
        *({"id": f"c-{i}", "resume": random.Random(i).randbytes(9_000).hex()} for i in range(40)),
    )
    answer = api.post("/v1/score/jobs", content=content, headers=NDJSON)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert rows_in(api, jobs) == 0
    most, small = 2**32 - 2, json_lines({"job": JOB}, *candidates(2))
    # Once there is room: after a failure the database is asked again in a second.
    wait_until(lambda: api.post("/v1/score/jobs", content=small, headers=NDJSON).status_code == 202)
    assert rows_in(api, jobs) == 1


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("at", ["first", "later"])
def test_a_disk_that_takes_no_archive_leaves_nothing(
    jobs_api: Api, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Of the folder where ZIP files lie until they are read."""
    written = 0
    write = SealedFile._write

    def full(file: SealedFile, block: bytes) -> None:
        nonlocal written
        written += len(block)
        if written > 200_000:
            raise OSError(28, "No space left on device")
        write(file, block)

    def none(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    if at == "first":
        monkeypatch.setattr(tempfile, "TemporaryFile", none)
    else:
        monkeypatch.setattr(SealedFile, "_write", full)
    parts: list[tuple[str, Any]] = [
        ("request", (None, '{"job": {"description": "python"}}', "application/json")),
        ("files", ("a.zip", b"PK\x03\x04" + random.Random(1).randbytes(1_000_000))),
    ]
    answer = jobs_api.post("/v1/score/jobs", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
