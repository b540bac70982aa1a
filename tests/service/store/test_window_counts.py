"""Windows, and their counts against a naive count of the same decisions, on both databases."""

from __future__ import annotations

import random
import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from service.core.errors import WindowError
from service.core.fairness.counts import GroupCounts, OutcomeCounts
from service.core.fairness.tally import DecisionTally
from service.core.groups import GroupSchema
from service.store.database import migrate, open_database
from service.store.decisions import Decision
from service.store.hourly_counts import DAY, HOUR, count_decisions
from service.store.outcomes import Outcome, record_outcomes
from service.store.sqlite import sqlite_url
from service.store.tables import decisions as table
from service.store.transactions import reading
from service.store.window_counts import (
    Window,
    WindowCounts,
    count_window,
    window_asked,
    window_between,
    window_until,
)
from tests.support.stored import BUNDLE, NOON, decision, erase, store

SCHEMA = GroupSchema(
    attributes={"sex": ("female", "male"), "age": ("under_40", "forty_and_over")},
    intersections=(("sex", "age"),),
)
OTHER_BUNDLE = "c" * 64
EVERYTHING = window_until("all", NOON + timedelta(days=30))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows, to be copied: migrating takes longer than most examples."""
    file = tmp_path_factory.mktemp("migrated") / "decisions.sqlite"
    engine = open_database(sqlite_url(file))
    migrate(engine)
    engine.dispose()
    return file


@contextmanager
def fresh(migrated: Path) -> Iterator[Engine]:
    with TemporaryDirectory() as folder:
        engine = open_database(sqlite_url(Path(shutil.copy(migrated, folder))))
        yield engine
        engine.dispose()


def count(
    engine: Engine, window: Window = EVERYTHING, bundle: str | None = None, *, scores: bool = True
) -> WindowCounts:
    with reading(engine) as connection:
        return count_window(connection, window, kind="label", bundle=bundle, scores=scores)


def without_outcomes(counts: dict[str, dict[str, GroupCounts]]) -> dict[str, dict[str, GroupCounts]]:
    return {
        attribute: {group: replace(of, outcomes=None) for group, of in groups.items()}
        for attribute, groups in counts.items()
    }


def naive(decisions: Sequence[Decision], window: Window, bundle: str | None) -> DecisionTally:
    tally = DecisionTally(SCHEMA)
    for one in decisions:
        if window.first <= one.time < window.last and bundle in (None, one.bundle_digest):
            tally.add(one.groups, selected=one.decision == "selected", score=one.calibrated_probability)
    return tally


groups = st.fixed_dictionaries(
    {},
    optional={
        "sex": st.sampled_from(["female", "male", "unknown"]),
        "age": st.sampled_from(["under_40", "forty_and_over"]),
    },
)
# Some scores share a bin, some are equal.
scores = st.sampled_from([0.1, 0.4999, 0.5, 0.5001, 0.50012, 0.9]) | st.floats(0, 1)
people = st.lists(
    st.tuples(groups, scores, st.integers(0, 80 * 60), st.sampled_from([BUNDLE, OTHER_BUNDLE])), max_size=40
)


@settings(max_examples=40)
@given(
    people,
    st.integers(-10, 70),
    st.integers(1, 90),
    st.sampled_from([None, BUNDLE, OTHER_BUNDLE]),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
@pytest.mark.slow
def test_counts_are_those_of_a_scan_whatever_the_batches_and_their_order(
    migrated: Path,
    people: list[tuple[dict[str, str], float, int, str]],
    start: int,
    length: int,
    bundle: str | None,
    batch: int,
    order: random.Random,
) -> None:
    decisions = [
        decision(i, of, score=score, time=NOON + timedelta(minutes=minute), bundle_digest=digest)
        for i, (of, score, minute, digest) in enumerate(people)
    ]
    window = window_between(NOON + timedelta(hours=start), NOON + timedelta(hours=start + length))
    shuffled = list(decisions)
    order.shuffle(shuffled)
    with fresh(migrated) as engine:
        for i in range(0, len(shuffled), batch):
            store(engine, shuffled[i : i + batch])
        found = count(engine, window, bundle)
    expected = naive(decisions, window, bundle)
    assert without_outcomes(found.by_group(SCHEMA)) == expected.counts()
    assert (found.people, found.scored) == (expected.people, expected.scored)
    assert found.median_score == expected.median_score()
    assert found.missing_scores == 0


def test_both_databases_count_alike(engine: Engine) -> None:
    decisions = [
        decision(
            i,
            {"sex": "female" if i % 3 else "male"},
            score=(i * 37 % 100) / 100,
            time=NOON + i * timedelta(hours=5),
        )
        for i in range(60)
    ]
    store(engine, decisions[:31])
    store(engine, decisions[31:])
    window = window_between(NOON + timedelta(hours=30), NOON + timedelta(hours=250))
    found, expected = count(engine, window), naive(decisions, window, None)
    assert without_outcomes(found.by_group(SCHEMA)) == expected.counts()
    assert found.median_score == expected.median_score()
    assert found.bundles == {BUNDLE: 44}
    assert (str(found.first_day), str(found.last_day)) == ("2026-04-01", "2026-04-10")
    quick = count(engine, window, scores=False)
    assert (quick.people, quick.scored, quick.median_score) == (44, 0, None)


def test_an_empty_window_is_empty(engine: Engine) -> None:
    store(engine, [decision(1)])
    found = count(engine, window_until("1h", NOON - timedelta(days=1)))
    assert found == WindowCounts((), {}, None, None)
    store(engine, [])
    assert count(engine).people == 1


def test_one_bundle_can_be_asked_about(engine: Engine) -> None:
    store(engine, [decision(1, score=0.2), decision(2, score=0.9, bundle_digest=OTHER_BUNDLE)])
    assert count(engine).bundles == {BUNDLE: 1, OTHER_BUNDLE: 1}
    found = count(engine, bundle=OTHER_BUNDLE)
    assert (found.bundles, found.median_score) == ({OTHER_BUNDLE: 1}, 0.9)


def test_erased_scores_leave_the_sample_and_are_said_to_be_missing(engine: Engine) -> None:
    # One bin holds 0.52 to 0.525; the median of the seven is 0.523.
    scored = [0.1, 0.2, 0.52, 0.523, 0.524, 0.8, 0.9]
    store(engine, [decision(i, {"sex": "female"}, score=score) for i, score in enumerate(scored)])
    assert count(engine).median_score == 0.523
    erase(engine, "d-0", "d-3")
    found = count(engine)
    # 0.1 was in a bin that nobody has to read, and its count stands: of six scores the middle is 0.52, 0.524.
    assert (found.missing_scores, found.scored, found.median_score) == (1, 6, 0.522)
    female = found.by_group(SCHEMA)["sex"]["female"]
    assert (female.n, female.selected, female.scored, female.above_median) == (7, 5, 6, 3)


def test_the_median_stands_wherever_in_its_bin_it_is(engine: Engine) -> None:
    # One bin holds 0.52 to 0.525. Each hour has other numbers of scores below and above it.
    inside = [0.521, 0.5211, 0.5211, 0.522, 0.5235, 0.524, 0.5245]
    hours = [[0.1] * below + inside + [0.9] * above for below in range(8) for above in (5, 6)]
    store(
        engine,
        [
            decision(100 * hour + i, {"sex": "female"}, score=score, time=NOON + timedelta(hours=hour))
            for hour, scored in enumerate(hours)
            for i, score in enumerate(scored)
        ],
    )
    for hour, scored in enumerate(hours):
        start = NOON + timedelta(hours=hour)
        found = count(engine, window_between(start, start + timedelta(hours=1)))
        assert found.median_score == statistics.median(scored)
        female = found.by_group(SCHEMA)["sex"]["female"]
        assert female.above_median == sum(score > found.median_score for score in scored)


def test_the_middle_may_move_into_another_bin_when_scores_are_gone(engine: Engine) -> None:
    store(engine, [decision(i, score=score) for i, score in enumerate([0.1, 0.5, 0.5, 0.9, 0.95])])
    erase(engine, "d-1", "d-2")
    found = count(engine)
    assert (found.missing_scores, found.scored, found.median_score) == (2, 3, 0.9)


def test_without_any_stored_score_there_is_no_median(engine: Engine) -> None:
    store(engine, [decision(i, {"sex": "male"}, score=i / 10) for i in range(10)])
    with engine.begin() as connection:
        connection.execute(delete(table))  # a purge
    found = count(engine)
    assert (found.people, found.scored, found.missing_scores, found.median_score) == (10, 0, 10, None)
    assert found.by_group(SCHEMA)["sex"]["male"] == GroupCounts(10, 5, outcomes=OutcomeCounts(0, 0, 0, 0))


@settings(max_examples=30)
@given(
    people,
    st.lists(
        st.tuples(
            st.integers(0, 39),
            st.booleans(),
            st.sampled_from(["label", "human_decision"]),
            st.booleans(),
        ),
        max_size=60,
    ),
    st.integers(1, 20),
)
def test_outcomes_are_those_of_a_scan_after_any_corrections(
    migrated: Path,
    people: list[tuple[dict[str, str], float, int, str]],
    given: list[tuple[int, bool, str, bool]],
    batch: int,
) -> None:
    decisions = [
        decision(i, of, score=score, time=NOON + timedelta(minutes=minute))
        for i, (of, score, minute, _) in enumerate(people)
    ]
    truth: dict[tuple[str, str], bool] = {}
    outcomes = [
        Outcome(f"d-{i}", positive, "label" if kind == "label" else "human_decision", replace=again)
        for i, positive, kind, again in given
    ]
    for outcome in outcomes:
        key = (outcome.decision_id, outcome.kind)
        if int(outcome.decision_id[2:]) < len(decisions) and (outcome.replace or key not in truth):
            truth[key] = outcome.positive
    with fresh(migrated) as engine:
        store(engine, decisions)
        for i in range(0, len(outcomes), batch):
            record_outcomes(
                engine,
                outcomes[i : i + batch],
                now=NOON + timedelta(days=9),
                skew=timedelta(0),
            )
        counts = count(engine, scores=False).by_group(SCHEMA)
    for sex in ("female", "male", "unknown"):
        cells = [
            (one.decision == "selected", truth[one.decision_id, "label"])
            for one in decisions
            if one.groups.get("sex", "unknown") == sex and (one.decision_id, "label") in truth
        ]
        assert counts["sex"][sex].outcomes == OutcomeCounts(
            *(cells.count(cell) for cell in [(True, True), (True, False), (False, True), (False, False)])
        )


def test_several_writers_on_one_database_sum_up(url: str, engine: Engine) -> None:
    """Two replicas count the same cells in different orders, at the same time."""
    start, failures = Barrier(4), list[BaseException]()

    def write(writer: int) -> None:
        replica = open_database(url, timeout=30)
        try:
            start.wait()
            for batch in range(8):
                store_counts(replica, writer, batch)
        except BaseException as error:
            failures.append(error)
        finally:
            replica.dispose()

    def store_counts(replica: Engine, writer: int, batch: int) -> None:
        sexes = ["female", "male"] if writer % 2 else ["male", "female"]
        with replica.begin() as connection:
            count_decisions(
                connection,
                [decision(i, {"sex": sexes[i % 2]}, time=NOON + timedelta(hours=i % 5)) for i in range(20)],
            )

    threads = [Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    counts = count(engine, scores=False).by_group(SCHEMA)["sex"]
    assert (counts["female"].n, counts["male"].n) == (320, 320)


NOW = datetime(2026, 3, 31, 12, 20, tzinfo=UTC)


def hours(window: Window) -> tuple[str, str]:
    return window.first.isoformat(timespec="minutes"), window.last.isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("length", "first"),
    [
        ("1h", "2026-03-31T11:00+00:00"),
        ("24h", "2026-03-30T12:00+00:00"),
        ("7d", "2026-03-24T12:00+00:00"),
        ("99999d", "1970-01-01T00:00+00:00"),
        ("all", "1970-01-01T00:00+00:00"),
    ],
)
def test_a_length_reaches_back_from_the_hour_that_is_running(length: str, first: str) -> None:
    assert hours(window_until(length, NOW)) == (first, "2026-03-31T13:00+00:00")


def test_the_moment_that_begins_an_hour_is_inside() -> None:
    assert hours(window_until("1h", NOW.replace(minute=0)))[1] == "2026-03-31T13:00+00:00"


def test_moments_are_widened_to_full_hours_of_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    start, end = datetime(2026, 3, 1, tzinfo=india), datetime(2026, 3, 2, tzinfo=india)
    assert hours(window_between(start, end)) == ("2026-02-28T18:00+00:00", "2026-03-01T19:00+00:00")


def test_a_question_without_a_window_is_about_30_days() -> None:
    assert window_asked(None, None, None, NOW) == window_until("30d", NOW)
    assert window_asked(None, NOW - timedelta(hours=2), None, NOW) == window_until("2h", NOW)


@pytest.mark.parametrize("length", ["", "0h", "24", "h", "-1d", "1w", "123456d", "1h ", "\u0661h"])
def test_what_is_no_length_is_refused(length: str) -> None:
    with pytest.raises(WindowError, match="number of hours or days"):
        window_until(length, NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - timedelta(hours=1)),
        (datetime(1969, 12, 31, tzinfo=UTC), NOW),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), NOW),
        (NOW, datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14)))),
    ],
)
def test_what_holds_nothing_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(WindowError, match="from must be before to"):
        window_between(start, end)


def test_window_and_from_exclude_each_other() -> None:
    with pytest.raises(WindowError, match="exclude"):
        window_asked("1h", NOW, None, NOW)
    with pytest.raises(WindowError, match="to needs from"):
        window_asked("1h", None, NOW, NOW)


@given(st.integers(0, 200), st.integers(1, 200))
def test_periods_cover_the_window_once_with_days_as_long_as_there_are_any(start: int, length: int) -> None:
    window = Window(start * HOUR, (start + length) * HOUR)
    periods = list(window.periods())
    assert periods[0].start == window.start
    assert periods[-1].end == window.end
    for one, following in pairwise(periods):
        assert one.end == following.start
    for period in periods:
        assert period.start < period.end
        assert period.hours == 1 or (period.start % DAY, period.end % DAY) == (0, 0)
    assert sum((p.end - p.start) // HOUR for p in periods if p.hours == 1) <= 46
