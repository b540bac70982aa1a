from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from service.core.groups import GroupSchema
from service.metrics.live_fairness import WINDOWS, Figures, LiveFairnessThread, LiveFigures, live_fairness
from tests.support.patience import PATIENCE
from tests.support.stored import NOON, decision, store

SCHEMA = GroupSchema(attributes={"sex": ("female", "male", "nonbinary")}, intersections=())
NOBODY = LiveFigures(None, None, 0)


class Shown:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Figures] = []
        self.tenants: list[str] = []
        self.twice = threading.Event()

    def fairness(self, figures: Figures, tenant: str = "default") -> None:
        self.told.append(figures)
        self.tenants.append(tenant)
        if len(self.told) > 1:
            self.twice.set()


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """One of four women and two of four men, now; three days ago four women, all selected."""
    people = [("female", 0.9), *[("female", 0.1)] * 3, *[("male", 0.9)] * 2, *[("male", 0.1)] * 2]
    now = [decision(i, {"sex": sex}, score=score, time=NOON) for i, (sex, score) in enumerate(people)]
    ago = [decision(50 + i, {"sex": "female"}, time=NOON - timedelta(days=3)) for i in range(4)]
    store(engine, [*now, *ago, decision(99, score=0.9, time=NOON)])
    return engine


def test_every_group_has_figures_in_every_window(engine: Engine) -> None:
    figures = live_fairness(engine, SCHEMA, NOON + timedelta(minutes=20))
    assert len(figures) == 4 * len(WINDOWS)
    for window in WINDOWS[:2]:
        assert figures["sex", "female", window] == LiveFigures(0.25, 0.5, 4)
        assert figures["sex", "male", window] == LiveFigures(0.5, 1.0, 4)
    for window in WINDOWS[2:]:
        assert figures["sex", "female", window] == LiveFigures(0.625, 1.0, 8)
        assert figures["sex", "male", window] == LiveFigures(0.5, 0.8, 4)
    assert figures["sex", "unknown", "1h"] == LiveFigures(1.0, None, 1)


def test_a_group_without_people_has_no_rate(engine: Engine) -> None:
    figures = live_fairness(engine, SCHEMA, NOON)
    assert {figures["sex", "nonbinary", window] for window in WINDOWS} == {NOBODY}
    assert set(live_fairness(engine, SCHEMA, NOON + timedelta(days=40)).values()) == {NOBODY}


def test_the_first_figures_are_told_before_it_has_started(engine: Engine) -> None:
    shown = Shown()
    live = LiveFairnessThread(engine, SCHEMA, shown, 60, clock=lambda: NOON)
    live.start()
    told = list(shown.told)
    live.stop()
    assert told == [live_fairness(engine, SCHEMA, NOON)]


def test_the_thread_goes_on_telling_until_it_is_stopped(engine: Engine) -> None:
    shown = Shown()
    live = LiveFairnessThread(engine, SCHEMA, shown, 0.01, clock=lambda: NOON)
    live.start()
    assert shown.twice.wait(PATIENCE)
    live.stop()
    told = len(shown.told)
    assert shown.told[0] == shown.told[1] == live_fairness(engine, SCHEMA, NOON)
    assert not any(thread.name == "live-fairness" for thread in threading.enumerate())
    assert len(shown.told) == told


def test_old_numbers_do_not_stand_when_the_database_is_away(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    shown = Shown()
    live = LiveFairnessThread(engine, SCHEMA, shown, 60, clock=lambda: NOON)
    live.refresh()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE decision_counts"))
    live.refresh()
    assert set(shown.told[1]) == set(shown.told[0])
    assert set(shown.told[1].values()) == {LiveFigures(None, None, None)}
    assert "the database does not answer" in caplog.text


def test_named_tenants_are_told_one_by_one_and_otherwise_all_together(engine: Engine) -> None:
    store(engine, [decision(200 + i, {"sex": "female"}, score=0.9, tenant="acme") for i in range(3)])
    shown = Shown()
    LiveFairnessThread(engine, SCHEMA, shown, 60, clock=lambda: NOON).refresh()
    # One of four women of the default tenant is selected, and all three of the other.
    assert shown.told[0]["sex", "female", "1h"] == LiveFigures(4 / 7, 1.0, 7)
    named = Shown()
    live = LiveFairnessThread(engine, SCHEMA, named, 60, clock=lambda: NOON, tenants=("acme", "default"))
    live.refresh()
    assert named.tenants == ["acme", "default"]
    assert [told["sex", "female", "1h"].sample_size for told in named.told] == [3, 4]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE decision_counts"))
    live.refresh()
    assert named.tenants[-2:] == ["acme", "default"]
    for told in named.told[-2:]:
        assert set(told.values()) == {LiveFigures(None, None, None)}


def test_a_mistake_ends_neither_the_thread_nor_its_honesty(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("Jane Doe")

    shown = Shown()
    live = LiveFairnessThread(engine, SCHEMA, shown, 0.01, clock=broken)  # type: ignore[arg-type]
    live.start()
    assert shown.twice.wait(PATIENCE)
    live.stop()
    assert set(shown.told[0].values()) == {LiveFigures(None, None, None)}
    assert "ZeroDivisionError" in caplog.text
    assert "Jane" not in caplog.text
