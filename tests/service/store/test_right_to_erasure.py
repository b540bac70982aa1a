"""A lawful erasure leaves a chain that holds and nothing of the person."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from service.core.errors import StoreError
from service.store import chain, tables
from service.store.database import open_database
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.retention import purge
from service.store.right_to_erasure import erase_person
from service.store.sqlite import sqlite_url
from service.store.tables import to_microseconds
from service.store.verification import verify
from tests.support.decision_logs import DAY, OpenLog, candidates, decision, decisions, tamper
from tests.support.patience import PATIENCE


def test_every_row_of_the_candidate_is_emptied_and_no_other(decision_log: DecisionLog) -> None:
    given = [decision(n, candidate_id="Zaphod" if n % 2 else "c-even") for n in range(1, 6)]
    decision_log.append(given)
    assert erase_person(decision_log, "Zaphod", now=DAY) == 3
    assert candidates(decision_log) == [None, "c-even", None, "c-even", None]
    with decision_log.reading() as connection:
        row = (
            connection.execute(select(tables.decisions).where(tables.decisions.c.sequence == 1))
            .mappings()
            .first()
        )
    assert row is not None
    left = {name for name, value in row.items() if value is not None}
    assert left == {
        "sequence",
        "decision_id",
        "time",
        "tenant",
        "content",
        "hash",
        "erased",
        "tombstone",
    }
    assert row["erased"] == to_microseconds(DAY)
    result = verify(decision_log)
    assert (result.rows, result.erased, result.broken) == (5, 3, 0)


def test_erasing_again_changes_nothing(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    assert erase_person(decision_log, "c-2", now=DAY) == 1
    assert erase_person(decision_log, "c-2", now=DAY + timedelta(days=1)) == 0
    assert erase_person(decision_log, "nobody") == 0
    assert verify(decision_log).broken == 0


def test_more_rows_than_one_transaction_takes(sqlite_log: DecisionLog) -> None:
    sqlite_log.append([decision(n, candidate_id="c") for n in range(1, 1_102)])
    assert erase_person(sqlite_log, "c") == 1_101
    assert verify(sqlite_log).erased == 1_101


def test_the_chain_goes_on_after_an_erasure(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(2))
    erase_person(decision_log, "c-2")
    decision_log.append(decisions(2, 3))
    assert verify(decision_log).broken == 0


def test_an_erased_decision_does_not_come_back_with_a_replay(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(2))
    erase_person(decision_log, "c-2")
    assert decision_log.append(decisions(2)).stored == 0
    assert candidates(decision_log) == ["c-1", None]


@pytest.mark.parametrize("change", ["erased = erased + 1", "time = time + 1", "candidate_id = 'c-1'"])
def test_an_erased_row_cannot_be_changed_any_more(decision_log: DecisionLog, change: str) -> None:
    decision_log.append(decisions(3))
    erase_person(decision_log, "c-2")
    tamper(decision_log, f"UPDATE decisions SET {change} WHERE sequence = 2")
    assert [(f.first, f.last) for f in verify(decision_log).defects] == [(2, 2)]


def test_sqlites_files_hold_nothing_of_the_person_any_more(sqlite_log: DecisionLog, tmp_path: Path) -> None:
    sqlite_log.append([decision(n, candidate_id=f"Zaphod Beeblebrox {n % 3}") for n in range(1, 400)])
    assert b"Zaphod Beeblebrox 1" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    erase_person(sqlite_log, "Zaphod Beeblebrox 1")
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"Zaphod Beeblebrox 1" not in left
    assert b"Zaphod Beeblebrox 2" in left


def test_an_erasure_that_sqlites_journal_outlives_is_no_success(tmp_path: Path, open_log: OpenLog) -> None:
    log = open_log(sqlite_url(tmp_path / "log.sqlite"), timeout=0.1)
    log.append([decision(1, candidate_id="Zaphod Beeblebrox")])
    with log.reading() as connection:
        connection.execute(select(tables.decisions)).all()
        with pytest.raises(StoreError, match="journal, which still holds them, is being read"):
            erase_person(log, "Zaphod Beeblebrox")
    assert candidates(log) == [None]
    assert erase_person(log, "Zaphod Beeblebrox") == 0  # again, as it says
    assert b"Zaphod" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.postgres
@pytest.mark.slow
def test_erasing_and_purging_do_not_meet_outcomes_head_on(postgres_url: str, open_log: OpenLog) -> None:
    log, count = open_log(postgres_url), 2_000
    now = DAY + timedelta(days=300)
    numbers = random.Random(7)
    ids = [f"{numbers.getrandbits(128):032x}" for _ in range(count)]  # not in the order of the chain
    log.append([decision(n, decision_id=i, candidate_id=f"c-{n % 2}") for n, i in enumerate(ids)])
    done = threading.Event()
    engine = open_database(postgres_url, timeout=PATIENCE)

    def report(seed: int) -> None:
        mine = random.Random(seed)
        while not done.is_set():
            given = [Outcome(i, mine.random() < 0.5, "label", replace=True) for i in mine.sample(ids, 500)]
            record_outcomes(engine, given, now=now, skew=timedelta(minutes=5))

    with ThreadPoolExecutor(3) as pool:
        reporting = [pool.submit(report, seed) for seed in range(3)]
        try:
            erased = erase_person(log, "c-0")
            purged = purge(log, timedelta(days=200), now=now, force=True).rows
        finally:
            done.set()
        for one in reporting:
            one.result()
    engine.dispose()
    assert (erased, purged) == (count // 2, count)


def test_the_digest_that_stays_cannot_be_guessed_even_with_the_key(sqlite_log: DecisionLog) -> None:
    sqlite_log.append([decision(1, candidate_id="c-1")])
    with sqlite_log.reading() as connection:
        before = dict(connection.execute(select(tables.decisions)).mappings().one())
    # With the salt, whoever has the key can try ids until one fits.
    assert chain.content_digest(sqlite_log.key, before) == before["content"]
    erase_person(sqlite_log, "c-1")
    with sqlite_log.reading() as connection:
        after = dict(connection.execute(select(tables.decisions)).mappings().one())
    assert after["salt"] is None
    guess = {**before, "salt": after["salt"]}
    assert chain.content_digest(sqlite_log.key, guess) != after["content"] == before["content"]
