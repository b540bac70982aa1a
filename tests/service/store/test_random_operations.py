"""Whatever happens to a log, in whatever order: the chain holds, and counts are those of what was taken."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from service.store import tables
from service.store.decisions import Decision
from service.store.hourly_counts import bin_of
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, OutcomeKind, record_outcomes
from service.store.retention import purge
from service.store.right_to_erasure import erase_person
from service.store.sqlite import sqlite_url
from service.store.tables import BIN_NAMES, decision_counts, outcome_counts
from service.store.verification import verify
from tests.support.decision_logs import DAY, KEY, decision

GROUPS: tuple[dict[str, str], ...] = ({}, {"sex": "female"}, {"sex": "male"})
SCORES = (0.001, 0.3, 0.5, 0.97)
KINDS: tuple[OutcomeKind, ...] = ("label", "human_decision")
NOW = DAY + timedelta(days=400)
STEPS = ("append", "append", "again", "outcomes", "outcomes", "erase", "purge")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "log.sqlite"
    with closing(DecisionLog(sqlite_url(file), KEY)) as log:
        log.open()
    return file


class Everything:
    """The log, and beside it what it must know, kept in the plainest way."""

    def __init__(self, log: DecisionLog, dice: random.Random) -> None:
        self.log, self.dice = log, dice
        self.made: list[Decision] = []  # in the order of the chain
        self.purged = 0  # from the front
        self.gone: set[str] = set()
        self.said: dict[tuple[str, str], bool] = {}
        self.outcomes: Counter[tuple[str, bool, str, bool]] = Counter()

    def append(self) -> None:
        new = [self._decision(len(self.made) + i) for i in range(self.dice.randint(1, 5))]
        assert self.log.append(new).stored == len(new)
        self.made += new

    def again(self) -> None:
        """What a spool brings a second time, or after an erasure; not after a purge, which forgets ids."""
        known = [one for one in self.made if one.decision_id in self._kept()]
        assert self.log.append(self.dice.sample(known, min(4, len(known)))).stored == 0

    def outcomes_come(self) -> None:
        given = [self._outcome() for _ in range(self.dice.randint(1, 6))] if self.made else []
        results = record_outcomes(self.log.engine, given, now=NOW, skew=timedelta(0))
        for outcome, result in zip(given, results, strict=True):
            key = outcome.decision_id, outcome.kind
            said = self.said.get(key)
            known = outcome.decision_id not in self.gone
            taken = known and (said in (None, outcome.positive) or outcome.replace)
            assert (result.error is None) == taken
            if taken and said != outcome.positive:
                self._count(outcome, outcome.positive, 1)
                if said is not None:
                    self._count(outcome, said, -1)
                self.said[key] = outcome.positive

    def erase(self) -> None:
        candidate = f"c-{self.dice.randint(0, 6)}"
        theirs = {one.decision_id for one in self.made if one.candidate_id == candidate} - self.gone
        assert erase_person(self.log, candidate) == len(theirs)
        self._forget(theirs)

    def purge(self) -> None:
        age = timedelta(days=self.dice.choice((100, 300, 390)))
        purge(self.log, age, now=NOW, force=True)
        while self.purged < len(self.made) and self.made[self.purged].time < NOW - age:
            self._forget({self.made[self.purged].decision_id})
            self.purged += 1

    def check(self) -> None:
        assert verify(self.log).broken == 0
        assert self._kept(erased=False) == {one.decision_id for one in self.made} - self.gone
        n, bins = Counter[tuple[str, bool]](), Counter[str]()
        for one in self.made:
            n[_cell(one), one.decision == "selected"] += 1
            bins[BIN_NAMES[bin_of(one.calibrated_probability)]] += 1
        for hours in (1, 24):
            found, found_bins = Counter[tuple[str, bool]](), Counter[str]()
            for row in self._rows(decision_counts, hours):
                found[row["groups"], row["selected"]] += row["n"]
                found_bins.update({name: row[name] for name in BIN_NAMES if row[name]})
            assert (found, found_bins) == (n, bins)
            said = Counter[tuple[str, bool, str, bool]]()
            for row in self._rows(outcome_counts, hours):
                assert row["n"] >= 0
                said[row["groups"], row["selected"], row["kind"], row["positive"]] += row["n"]
            assert +said == +self.outcomes

    def _decision(self, number: int) -> Decision:
        score = self.dice.choice(SCORES)
        return decision(
            number,
            time=DAY + timedelta(hours=self.dice.randint(0, 399 * 24)),
            candidate_id=f"c-{self.dice.randint(0, 6)}",
            groups=self.dice.choice(GROUPS),
            calibrated_probability=score,
            decision="selected" if score >= 0.5 else "not_selected",
        )

    def _outcome(self) -> Outcome:
        about = self.dice.choice(self.made)
        kind, positive, replace = self.dice.choice(KINDS), self.dice.random() < 0.5, self.dice.random() < 0.4
        return Outcome(about.decision_id, positive, kind, replace=replace)

    def _count(self, outcome: Outcome, positive: bool, change: int) -> None:
        one = next(one for one in self.made if one.decision_id == outcome.decision_id)
        self.outcomes[_cell(one), one.decision == "selected", outcome.kind, positive] += change

    def _forget(self, ids: set[str]) -> None:
        self.gone |= ids
        self.said = {key: positive for key, positive in self.said.items() if key[0] not in ids}

    def _kept(self, *, erased: bool = True) -> set[str]:
        query = select(tables.decisions.c.decision_id)
        with self.log.reading() as connection:
            return set(
                connection.scalars(query if erased else query.where(tables.decisions.c.erased.is_(None)))
            )

    def _rows(self, table: Table, hours: int) -> list[dict[str, Any]]:
        query = select(table).where(table.c.hours == hours)
        with self.log.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _cell(one: Decision) -> str:
    return '{"sex":"' + one.groups["sex"] + '"}' if one.groups else "{}"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(STEPS), min_size=3, max_size=14), st.randoms(use_true_random=False))
def test_the_chain_holds_and_counts_are_those_of_a_scan(
    empty: Path, steps: list[str], dice: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(shutil.copy(empty, folder))
        with closing(DecisionLog(sqlite_url(file), KEY)) as log:
            everything = Everything(log, dice)
            actions = {
                "append": everything.append,
                "again": everything.again,
                "outcomes": everything.outcomes_come,
                "erase": everything.erase,
                "purge": everything.purge,
            }
            for step in steps:
                actions[step]()
            everything.check()
