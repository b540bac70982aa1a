"""Requests with an `Idempotency-Key` while the database is away: one answer, from memory or from disk."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.core.errors import KeyReusedError, StoreDownError
from service.store.decisions import Answer, Decision
from service.store.idempotency import RecentAnswers, with_answer
from service.store.recorder import DATABASE_FILE, Recorder
from service.store.spool import Spool, spooled_lines
from service.store.sqlite import rescued_copies
from tests.service.store.keyed import content, request, submission
from tests.service.store.recorders import Begin, Disk, Watcher, stored
from tests.support.decision_logs import KEY, decision
from tests.support.patience import wait_until


def answer_of(given: list[Decision]) -> Answer:
    assert given[0].keyed is not None
    assert given[0].keyed.answer is not None
    return given[0].keyed.answer


def opened(folder: Path) -> Spool:
    spool = Spool(folder, KEY)
    spool.open()
    return spool


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is kept in memory."""
    monkeypatch.setattr(RecentAnswers, "get", lambda self, key: None)


async def send(recorder: Recorder, number: int, key: str = "key", body: str = "body") -> Any:
    """What a caller gets: the candidate's id in the one decision that counts."""
    keyed = recorder.keyed_request("/v1/score", key, body.encode())
    earlier = await recorder.earlier(keyed)
    if earlier is None:
        made = decision(number, time=datetime.now(UTC))
        content = json.dumps([made.decision_id, made.candidate_id])
        earlier = await recorder.record(with_answer([made], keyed, content))
        if earlier is None:
            return made.candidate_id
    return json.loads(earlier.content_for(keyed))[1]


def test_answers_are_found_in_the_spool_while_they_wait_there(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    first, second = submission([1, 2, 3]), submission([4], "second")
    assert spool.append([*first, decision(9)]) == {request().key: answer_of(first)}
    spool.append(second)
    assert spool.answer(request().key) == answer_of(first)
    # Only with the first decision: 200 copies would be.
    (file,) = tmp_path.iterdir()
    assert file.read_bytes().count(b'"answer":{') == 2
    spool.oldest(2)
    assert spool.answer(request().key) == answer_of(first)
    spool.drop_oldest()
    assert spool.answer(request().key) is None  # it is in the database
    assert spool.answer(request("second").key) == answer_of(second)
    assert [one.keyed.answer for one in spool.oldest(5) if one.keyed] == [None, answer_of(second)]
    spool.drop_oldest()
    assert spool.answer(request("second").key) is None


def test_the_next_process_finds_them_too(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    given = submission([1, 2])
    spool.append([decision(8, job_id='"answer":{'), *given])
    spool.close()
    assert spool.answer(request().key) is None
    successor = opened(tmp_path)
    assert successor.answer(request().key) == answer_of(given)
    assert successor.append(submission([3]))[request().key].content == content([decision(1), decision(2)])
    assert successor.decisions == 3


def test_a_damaged_line_is_no_answer(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append(submission([1, 2]))
    spool.close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b'"c-1"', b'"c-9"'))
    successor = opened(tmp_path)
    assert successor.answer(request().key) is None
    assert [one.candidate_id for one in successor.oldest(5)] == ["c-2"]


@pytest.mark.usefixtures("forgetful")
async def test_a_retry_during_the_outage_gets_the_first_answer_and_so_after_a_restart(
    begin: Begin, tmp_path: Path, disk: Disk, watcher: Watcher
) -> None:
    disk.database = False
    recorder = begin()
    assert await send(recorder, 1) == "c-1"
    assert list(await asyncio.gather(send(recorder, 2), send(recorder, 3))) == ["c-1", "c-1"]
    assert list(await asyncio.gather(send(recorder, 4, "b"), send(recorder, 5, "b"))) == ["c-4", "c-4"]
    with pytest.raises(KeyReusedError):
        await send(recorder, 6, body="another")
    recorder.stop()
    successor = begin()
    assert await send(successor, 7) == "c-1"
    assert spooled_lines(tmp_path / "spool") == 2
    disk.database = True
    wait_until(lambda: successor.state == "ok")
    assert await send(successor, 8) == "c-1"
    assert stored(tmp_path) == ["c-1", "c-4"]


@pytest.mark.usefixtures("forgetful")
async def test_of_two_processes_without_a_database_the_first_to_bring_its_decisions_counts(
    begin: Begin, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.database = False
    one, other = begin(), begin()
    assert [await send(one, 1), await send(other, 2)] == ["c-1", "c-2"]
    disk.database = True
    wait_until(lambda: one.state == other.state == "ok")
    (kept,) = stored(tmp_path)
    assert [await send(one, 3), await send(other, 4)] == [kept, kept]
    assert caplog.text.count("1 decisions of the spool were left out") == 1
    assert "c-2" not in caplog.text


async def test_an_answer_of_just_now_is_repeated_when_the_database_went_away(
    begin: Begin, tmp_path: Path, disk: Disk
) -> None:
    recorder = begin()
    recorder._recent = RecentAnswers(seconds=3_600)
    assert await send(recorder, 1) == "c-1"
    disk.database = False
    await recorder.record([decision(5)])
    wait_until(lambda: recorder.state == "spooling")
    assert await send(recorder, 2) == "c-1"
    disk.database = True
    wait_until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ["c-1", "c-5"]


async def test_with_a_key_the_answer_waits_for_the_commit(begin: Begin, tmp_path: Path) -> None:
    recorder = begin(durable=False)
    assert await send(recorder, 1) == "c-1"
    assert stored(tmp_path) == ["c-1"]


async def test_what_could_not_be_kept_is_no_answer(begin: Begin, tmp_path: Path, disk: Disk) -> None:
    recorder = begin()
    disk.database = disk.spool = False
    with pytest.raises(StoreDownError):
        await send(recorder, 1)
    disk.database = disk.spool = True
    wait_until(lambda: recorder.state == "ok")
    assert await send(recorder, 2) == "c-2"
    assert stored(tmp_path) == ["c-2"]


async def test_a_lookup_that_takes_too_long_holds_nobody_up(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.recorder._LOOKUP_SECONDS", 0.0)
    recorder = begin()
    assert await send(recorder, 1) == "c-1"
    assert await send(recorder, 2) == "c-1"  # found where decisions are stored
    assert stored(tmp_path) == ["c-1"]


@pytest.mark.usefixtures("forgetful")
async def test_a_lost_database_is_brought_back_with_its_answers(begin: Begin, tmp_path: Path) -> None:
    file = tmp_path / DATABASE_FILE
    recorder = begin()
    assert await send(recorder, 1, "before") == "c-1"
    recorder.stop()
    shutil.copy(file, tmp_path / "backup")
    recorder = begin()
    assert await send(recorder, 2, "between") == "c-2"
    assert await send(recorder, 3, "lost") == "c-3"
    for part in tmp_path.glob(f"{DATABASE_FILE}*"):
        part.unlink()
    wait_until(lambda: len(rescued_copies(file)) == 1)
    # Nobody can know here what stood in the file.
    assert await send(recorder, 4, "between") == "c-4"
    recorder.stop()
    (tmp_path / "backup").rename(file)
    recorder = begin()
    wait_until(lambda: recorder.state == "ok")
    assert [await send(recorder, 5, key) for key in ("before", "between", "lost")] == ["c-1", "c-2", "c-3"]
    recorder.stop()
    assert stored(tmp_path) == ["c-1", "c-2", "c-3"]
