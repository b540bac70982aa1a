"""One set of decisions for each key, whoever stores them; answers end with their day or their people."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.core.errors import AnswerErasedError, KeyReusedError
from service.store import tables
from service.store.decisions import ANSWER_LIFETIME, Answer
from service.store.idempotency import RecentAnswers, find_answer, with_answer
from service.store.log import DecisionLog
from service.store.recorder import Recorder, StoreOptions
from service.store.retention import purge
from service.store.right_to_erasure import erase_person
from service.store.spool import Spool
from service.store.sqlite import sqlite_url
from service.store.verification import verify
from tests.service.store.keyed import content, kept_answers, request, submission
from tests.service.store.recorders import Begin
from tests.support.decision_logs import DAY, KEY, candidates, decision, decisions


def found(log: DecisionLog, key: str = "key", hours: float = 0) -> Answer | None:
    with log.reading() as connection:
        return find_answer(connection, request(key).key, DAY + timedelta(hours=hours))


def test_the_first_counts_and_the_others_get_its_answer(decision_log: DecisionLog) -> None:
    first, again = submission([1, 2]), submission([3, 4])
    assert decision_log.append(first).answers[request().key].content == content(first)
    appended = decision_log.append([*again, decision(5)])
    assert (appended.stored, appended.left_out) == (1, 2)
    assert appended.answers[request().key].content_for(request()) == content(first)
    assert candidates(decision_log) == ["c-1", "c-2", "c-5"]
    assert decision_log.append(first).stored == 0  # whose commit nobody confirmed
    assert verify(decision_log).broken == 0
    answer = found(decision_log)
    assert answer is not None
    assert answer.content_for(request()) == content(first)


def test_two_in_one_commit_are_one_set(decision_log: DecisionLog) -> None:
    appended = decision_log.append([*submission([1]), *submission([2]), *submission([3], "another")])
    assert (appended.stored, appended.left_out) == (2, 1)
    assert candidates(decision_log) == ["c-1", "c-3"]


def test_another_body_under_the_key_is_refused_and_another_route_is_another_key(
    decision_log: DecisionLog,
) -> None:
    decision_log.append(submission([1]))
    answer = decision_log.append(submission([2], body="another")).answers[request().key]
    with pytest.raises(KeyReusedError, match="a new request needs a new key"):
        answer.content_for(request(body="another"))
    assert candidates(decision_log) == ["c-1"]
    assert request(route="/v1/outcomes").key != request().key


def test_nothing_of_key_or_body_is_stored(sqlite_log: DecisionLog, tmp_path: Path) -> None:
    sqlite_log.append(submission([1], key="Zaphods-key", body="Beeblebrox"))
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"c-1" in files
    assert b"Zaphods-key" not in files
    assert b"Beeblebrox" not in files
    # The digest of what was asked cannot be tried out without the caller's key.
    assert request("one", "same").body != request("other", "same").body


def test_after_a_day_the_key_is_new(decision_log: DecisionLog) -> None:
    decision_log.append(submission([1]))
    assert found(decision_log, hours=23.99) is not None
    assert found(decision_log, hours=24) is None
    assert decision_log.append(submission([2], hours=23.99)).stored == 0
    later = submission([3], hours=24)
    assert decision_log.append(later).stored == 1
    answer = found(decision_log, hours=25)
    assert answer is not None
    assert answer.content == content(later)


def test_a_purge_deletes_the_answers_of_yesterday_and_no_decisions(
    decision_log: DecisionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.retention._ANSWERS_A_TRANSACTION", 2)
    for n in range(5):
        decision_log.append(submission([n], f"old-{n}"))
    decision_log.append(submission([9], "young", hours=0.01))
    assert purge(decision_log, timedelta(days=200), now=DAY + ANSWER_LIFETIME).rows == 0
    assert set(kept_answers(decision_log)) == {request("young").key}
    assert len(candidates(decision_log)) == 6


def test_an_erasure_empties_the_answers_that_hold_the_person_and_no_others(decision_log: DecisionLog) -> None:
    decision_log.append([*submission([1, 2], "both"), *submission([3], "another")])
    erase_person(decision_log, "c-2")
    assert kept_answers(decision_log) == {
        request("both").key: None,
        request("another").key: content([decision(3)]),
    }
    answer = found(decision_log, "both")
    assert answer is not None
    assert answer.body is None  # nor can anybody find out by trying what was asked
    with pytest.raises(AnswerErasedError, match="was erased"):
        answer.content_for(request("both"))
    # The same request again makes no new decision about the person.
    appended = decision_log.append(submission([4, 5], "both"))
    assert appended.stored == 0
    with pytest.raises(AnswerErasedError):
        appended.answers[request("both").key].content_for(request("both"))
    assert verify(decision_log).broken == 0


def test_the_rest_of_a_request_is_stored_even_if_its_answer_was_erased_meanwhile(
    decision_log: DecisionLog, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool", KEY)
    spool.append(submission([1, 2, 3]))
    decision_log.append(spool.oldest(2))
    spool.drop_oldest()
    erase_person(decision_log, "c-1")
    assert decision_log.append(spool.oldest(2)).stored == 1
    assert candidates(decision_log) == [None, "c-2", "c-3"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "log.sqlite"
    with closing(DecisionLog(sqlite_url(file), KEY)) as log:
        log.open()
    return file


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
)
def test_however_spools_are_drained_each_key_has_one_whole_set(
    empty: Path, requests: list[tuple[int, int, int]], dice: random.Random
) -> None:
    """Requests of (process, key, size): processes spool them, and bring them in pieces of any size."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(shutil.copy(empty, folder))
        spools = [Spool(Path(folder) / f"spool-{i}", KEY) for i in range(3)]
        made: dict[int, list[list[str]]] = {0: [], 1: [], 2: []}
        number = 0
        for process, key, size in requests:
            numbers = range(number, number := number + size)
            given = submission(numbers, f"key-{key}")
            counts = spools[process].append(given)[request(f"key-{key}").key]
            if counts is given[0].keyed.answer:  # type: ignore[union-attr]
                made[key].append([one.candidate_id for one in given])
        with closing(DecisionLog(sqlite_url(file), KEY)) as log:
            while waiting := [spool for spool in spools if spool.decisions]:
                spool = dice.choice(waiting)
                log.append(spool.oldest(dice.randint(1, 5)))
                if dice.random() < 0.8:  # else nobody confirmed the commit
                    spool.drop_oldest()
            stored = candidates(log)
            assert verify(log).broken == 0
            for key, sets in made.items():
                mine = [one for one in stored if any(one in each for each in sets)]
                assert mine in sets or not sets
                answer = found(log, f"key-{key}")
                ids = [decision(int(one[2:])).decision_id for one in mine if one]
                assert (answer is None) == (not sets)
                assert answer is None or answer.content_for(request(f"key-{key}")) == str(ids).replace(
                    "'", '"'
                )


@pytest.mark.parametrize("where", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_equal_and_different_requests_to_two_processes_at_once(
    begin: Begin, where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if where == "postgresql" else ""
    # The deadline of a lock is no matter here: two writers share one core with other tests.
    recorders = [
        begin(database_url=url, database_seconds=60.0),
        begin(database_url=url, database_seconds=60.0),
    ]
    dice = random.Random(5)
    got: dict[str, set[str]] = {}

    async def send(number: int) -> None:
        key, body = f"key-{dice.randint(0, 4)}", dice.choice(("body", "body", "another"))
        content = await asked(dice.choice(recorders), number, key, body)
        if content is not None:
            got.setdefault(key, set()).add(content)

    for start in range(0, 60, 20):
        await asyncio.gather(*(send(number) for number in range(start, start + 20)))
    assert all(len(contents) == 1 for contents in got.values())
    for recorder in recorders:
        recorder.stop()
    with closing(StoreOptions(data_dir=tmp_path, database_url=url).open_log()) as log:
        assert verify(log).broken == 0
        with log.reading() as connection:
            ids = connection.execute(select(tables.decisions.c.decision_id)).scalars().all()
    assert sorted(ids) == sorted(one for contents in got.values() for one in contents.copy().pop().split())


async def asked(recorder: Recorder, number: int, key: str, body: str) -> str | None:
    """What a caller gets; None for a conflict. Two decisions a request, of now: answers hold for a day."""
    keyed = recorder.keyed_request("/v1/score", key, body.encode())
    now = datetime.now(UTC)
    made = [decision(2 * number + i, time=now) for i in range(2)]
    content = " ".join(one.decision_id for one in made)
    try:
        earlier = await recorder.earlier(keyed)
        if earlier is None:
            earlier = await recorder.record(with_answer(made, keyed, content))
        return content if earlier is None else earlier.content_for(keyed)
    except KeyReusedError:
        return None


def test_recent_answers_go_when_they_are_old_or_too_many() -> None:
    now = 0.0
    recent = RecentAnswers(seconds=30, most=25, clock=lambda: now)

    def put(key: str, content: str) -> None:
        recent.put(Answer(key, "body", "s", DAY, content))

    put("a", "x" * 10)
    put("b", "x" * 10)
    put("a", "y" * 10)
    assert [recent.get(key) is not None for key in "ab"] == [True, True]
    put("c", "x" * 10)
    assert [recent.get(key) is not None for key in "abc"] == [True, False, True]
    now = 29.9
    put("d", "x")
    assert recent.get("a") is not None
    now = 30
    assert [recent.get(key) is not None for key in "acd"] == [False, False, True]
    put("e", "x" * 26)
    assert [recent.get(key) for key in "de"] == [None, None]


def test_decisions_without_a_key_are_as_before(decision_log: DecisionLog) -> None:
    assert decision_log.append(decisions(3)).answers == {}
    assert kept_answers(decision_log) == {}
