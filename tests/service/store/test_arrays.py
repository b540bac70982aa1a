"""Batches as arrays in PostgreSQL: what an INSERT of each row would have stored, and what it would refuse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from service.store import chain
from service.store.arrays import add_to_counts, insert_rows
from service.store.database import migrate, open_database
from service.store.tables import BIN_NAMES, decision_counts, decisions, outcome_counts
from tests.support.decision_logs import KEY, decision

pytestmark = pytest.mark.postgres


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    engine = open_database(postgres_url)
    migrate(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def test_every_value_of_a_decision_comes_back_as_it_was_given(connection: Connection) -> None:
    odd = ['{"a",\\NULL}', "", "NULL", "ünï\n'\"", "{}"]
    given = [
        chain.chained(KEY, decision(n, candidate_id=text, job_id=None, raw_score=-1e-300), n, "0" * 64)
        for n, text in enumerate(odd, 1)
    ]
    insert_rows(connection, decisions, given)
    rows = connection.execute(select(decisions).order_by(decisions.c.sequence)).mappings().all()
    assert [{name: row[name] for name in given[0]} for row in rows] == given


def test_what_is_too_long_for_its_column_is_refused_and_not_cut_off(connection: Connection) -> None:
    row = chain.chained(KEY, decision(1, candidate_id="c" * 201), 1, "0" * 64)
    with pytest.raises(DBAPIError, match="too long"):
        insert_rows(connection, decisions, [row])
    connection.rollback()


def test_counts_are_added_to_those_that_are_there(connection: Connection) -> None:
    def row(start: int, n: int, number: int) -> dict[str, object]:
        key = {"hours": 1, "start": start, "bundle_digest": "b", "groups": '{"sex":"female"}'}
        bins = {name: n if i == number else 0 for i, name in enumerate(BIN_NAMES)}
        return {**key, "selected": True, "n": n, **bins}

    names = ("n", *BIN_NAMES)
    add_to_counts(connection, decision_counts, names, [row(0, 2, 0), row(3_600_000_000, 3, 127)])
    add_to_counts(connection, decision_counts, names, [row(0, 5, 0), row(7_200_000_000, 1, 64)])
    query = select(decision_counts).order_by(decision_counts.c.start)
    found = connection.execute(query).mappings().all()
    assert [(one["n"], one["bin_000"], one["bin_064"], one["bin_127"]) for one in found] == [
        (7, 7, 0, 0),
        (3, 0, 0, 3),
        (1, 0, 1, 0),
    ]


def test_an_outcome_that_is_taken_back_is_taken_away(connection: Connection) -> None:
    key = {"hours": 24, "start": 0, "bundle_digest": "b", "groups": "{}", "selected": False, "kind": "label"}
    add_to_counts(connection, outcome_counts, ("n",), [{**key, "positive": True, "n": 4}])
    add_to_counts(connection, outcome_counts, ("n",), [{**key, "positive": True, "n": -1}])
    assert connection.execute(select(outcome_counts.c.n)).scalars().all() == [3]
