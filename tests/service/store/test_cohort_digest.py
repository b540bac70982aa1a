"""The digest of a cohort in the log: rows from before it still verify, and a spool keeps it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect, text

from service.store.database import migrate
from service.store.log import DecisionLog
from service.store.recovery import open_and_recover
from service.store.right_to_erasure import erase_person
from service.store.spool import Spool
from service.store.sqlite import rescued_copies, sqlite_url
from service.store.verification import verify
from tests.support.decision_logs import KEY, OpenLog, candidates, decision, tamper

COHORT = "c" * 64


def downgrade(engine: Engine) -> None:
    """To the tables of the version before."""
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "service:store/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")


def test_rows_from_before_verify_beside_new_ones(decision_log: DecisionLog) -> None:
    decision_log.append([decision(1), decision(2)])
    downgrade(decision_log.engine)
    assert "cohort_digest" not in {c["name"] for c in inspect(decision_log.engine).get_columns("decisions")}
    migrate(decision_log.engine)
    decision_log.append([decision(3, cohort_digest=COHORT), decision(4)])
    assert verify(decision_log).broken == 0
    assert erase_person(decision_log, "c-3") == 1
    result = verify(decision_log)
    assert (result.rows, result.erased, result.broken) == (4, 1, 0)


def test_an_edited_digest_breaks_the_chain(decision_log: DecisionLog) -> None:
    decision_log.append([decision(1), decision(2, cohort_digest=COHORT)])
    tamper(decision_log, "UPDATE decisions SET cohort_digest = NULL WHERE sequence = 2")
    tamper(decision_log, "UPDATE decisions SET cohort_digest = :d WHERE sequence = 1", d=COHORT)
    assert [(one.kind, one.first) for one in verify(decision_log).defects] == [
        ("changed", 1),
        ("changed", 2),
    ]


def test_a_spool_keeps_it_and_reads_lines_of_earlier_versions(tmp_path: Path) -> None:
    spool = Spool(tmp_path, KEY)
    spool.append([decision(1), decision(2, cohort_digest=COHORT)])
    (file,) = tmp_path.iterdir()
    assert [b"cohort" in line for line in file.read_bytes().splitlines()] == [False, True]
    assert [one.cohort_digest for one in spool.oldest(9)] == [None, COHORT]
    spool.close()


def test_a_copy_that_an_earlier_version_saved_comes_back(tmp_path: Path, open_log: OpenLog) -> None:
    url = sqlite_url(tmp_path / "log.sqlite")
    log = open_log(url)
    log.append([decision(1)])
    log.rescue()
    log.close()
    (copy,) = rescued_copies(tmp_path / "log.sqlite")
    with closing(sqlite3.connect(copy)) as saved:
        saved.execute("ALTER TABLE decisions DROP COLUMN cohort_digest")
    with log.engine.begin() as connection:
        connection.execute(text("DELETE FROM decisions"))
        connection.execute(text("DELETE FROM log_head"))
    log.close()
    again = DecisionLog(url, KEY)
    open_and_recover(again)
    assert candidates(again) == ["c-1"]
    assert rescued_copies(tmp_path / "log.sqlite") == []
    again.close()
