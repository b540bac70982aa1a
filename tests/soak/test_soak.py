"""A little more than a minute of what `make soak` does for an hour, and how it judges."""

from __future__ import annotations

import pytest

from tests.chaos.campaign import models
from tests.soak.ledger import BROKEN, Ledger, Refusal, Window
from tests.soak.processes import relative_growth
from tests.soak.soak import Plan, run
from tests.support.postgres import programs


def test_a_refusal_is_explained_only_by_what_was_broken_at_that_time_and_for_that_route() -> None:
    windows = [
        Window("database stopped", 10, 20, {"/v1/outcomes": ("503 store_unavailable",)}),
        Window("serving process killed", 30, 31, {"": (BROKEN,)}),
    ]
    explained = [
        Refusal("/v1/outcomes", "503 store_unavailable", 19.5, 25),
        Refusal("/v1/outcomes", "503 store_unavailable", 5, 10),
        Refusal("/v1/score", BROKEN, 20, 30.5),
    ]
    unexplained = [
        Refusal("/v1/outcomes", "503 store_unavailable", 20.1, 25),
        Refusal("/v1/outcomes", "503 store_unavailable", 5, 9.9),
        Refusal("/v1/score", "503 store_unavailable", 12, 13),
        Refusal("/v1/outcomes", "500 internal_error", 12, 13),
        Refusal("/v1/outcomes", BROKEN, 12, 13),
    ]
    assert Ledger(refusals=[*explained, *unexplained]).unexplained(windows) == unexplained


def test_growth_is_the_rise_of_a_straight_line_over_the_mean() -> None:
    assert relative_growth([0, 10, 20], [90, 100, 110]) == pytest.approx(0.2)
    assert relative_growth([0, 10, 20], [100, 130, 100]) == pytest.approx(0)


@pytest.mark.slow
@pytest.mark.postgres
def test_answers_stay_right_and_nothing_is_lost_through_faults() -> None:
    if programs() is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    said: list[str] = []
    plan = Plan(minutes=1.25, rate=6, seed=21, pause=3, hold=3, killing=1)
    with models(None) as converted:
        report = run(plan, converted, said.append)
    assert report.wrong == [], "\n".join([*said, report.as_markdown()])
    assert report.faults
    assert report.decisions > 0
