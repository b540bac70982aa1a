"""Tenants in the store: what is stored of one is no other's, in rows, counts, medians, keys and erasures."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Engine, MetaData, String, Table, func, insert, select

from service.core.fairness.counts import GroupCounts
from service.core.groups import GroupSchema
from service.core.tenants import DEFAULT_TENANT
from service.jobs.job_store import listed
from service.jobs.owners import Owner
from service.store.database import migrate
from service.store.hourly_counts import HOUR
from service.store.idempotency import keyed_request, with_answer
from service.store.job_tables import jobs, uploads
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.recovery import open_and_recover
from service.store.right_to_erasure import erase_person
from service.store.scored_decisions import read_scored_decisions
from service.store.spool import Spool
from service.store.sqlite import rescued_copies, sqlite_url
from service.store.tables import (
    BIN_NAMES,
    decision_counts,
    decisions,
    insert_into,
    outcome_counts,
    tenant_decision_counts,
    to_microseconds,
)
from service.store.tenants import known_tenants, of_tenant
from service.store.transactions import reading
from service.store.verification import verify
from service.store.window_counts import WindowCounts, count_window, find_ahead, window_until
from tests.support.decision_logs import DAY, KEY, OpenLog, decision, tamper
from tests.support.stored import BUNDLE, NOON, store
from tests.support.stored import decision as stored

SCHEMA = GroupSchema(attributes={"sex": ("female", "male")}, intersections=())


def counted(engine: Engine, tenant: str | None, **options: object) -> WindowCounts:
    with reading(engine) as connection:
        return count_window(
            connection,
            window_until("24h", NOON + timedelta(minutes=5)),
            kind="label",
            tenant=tenant,
            **options,  # type: ignore[arg-type]
        )


def of_sex(counts: WindowCounts) -> dict[str, GroupCounts]:
    return counts.by_group(SCHEMA)["sex"]


def downgrade(engine: Engine) -> None:
    """To the tables of the version before."""
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "service:store/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0005")


def test_rows_from_before_are_the_default_tenants_and_verify_beside_new_ones(
    decision_log: DecisionLog,
) -> None:
    decision_log.append([decision(1), decision(2, cohort_digest="c" * 64)])
    downgrade(decision_log.engine)
    migrate(decision_log.engine)
    decision_log.append([decision(3, tenant="acme"), decision(4)])
    assert verify(decision_log).broken == 0
    with decision_log.reading() as connection:
        found = connection.execute(select(decisions.c.tenant).order_by(decisions.c.sequence)).scalars().all()
        assert known_tenants(connection) == [DEFAULT_TENANT, "acme"]
    assert found == [DEFAULT_TENANT, DEFAULT_TENANT, "acme", DEFAULT_TENANT]


def test_a_row_that_is_moved_to_another_tenant_breaks_the_chain_even_if_it_was_erased(
    decision_log: DecisionLog,
) -> None:
    decision_log.append([decision(1), decision(2, tenant="acme"), decision(3, tenant="acme")])
    assert erase_person(decision_log, "c-3", tenant="acme") == 1
    assert verify(decision_log).broken == 0
    tamper(decision_log, "UPDATE decisions SET tenant = 'acme' WHERE sequence = 1")
    tamper(decision_log, "UPDATE decisions SET tenant = 'default' WHERE sequence > 1")
    assert [(one.kind, one.first) for one in verify(decision_log).defects] == [
        ("changed", 1),
        ("unlinked", 1),
        ("changed", 2),
        ("unlinked", 2),
        ("unlinked", 3),
    ]


def as_before(table: Table) -> Table:
    """The table as the version before knows it."""
    columns = [Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns if c.name != "tenant"]
    return Table(table.name, MetaData(), *columns)


def test_an_earlier_version_goes_on_writing_to_the_migrated_tables(decision_log: DecisionLog) -> None:
    """With the columns that it knows, and under the key that it knows of the counts."""
    decision_log.append([decision(1)])
    with decision_log.engine.begin() as connection:
        earlier = as_before(decisions)
        row = connection.execute(select(earlier)).mappings().one()
        connection.execute(insert(earlier).values({**row, "sequence": 2, "decision_id": "d-2"}))

        counts = as_before(decision_counts)
        rows = [dict(row) for row in connection.execute(select(counts)).mappings()]
        statement = insert_into(connection, counts)
        added = {name: counts.c[name] + statement.excluded[name] for name in ("n", *BIN_NAMES)}
        key = list(counts.primary_key)
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=added), rows)
        assert connection.execute(select(counts.c.n)).scalars().all() == [2, 2]  # its hour and its day

        for table in (jobs, uploads):
            required = [c for c in as_before(table).columns if not table.c[c.name].nullable]
            values = {c.name: "0" if isinstance(c.type, String) else 0 for c in required}
            if table is jobs:
                options = '{"redact":true,"top_k":null,"postings":1,"webhook":false}'
                values |= {"id": "j-1", "errors": "{}", "options": options}
            connection.execute(insert(as_before(table)).values(values))
        for table in (decisions, jobs, uploads):
            assert set(connection.execute(select(table.c.tenant)).scalars()) == {DEFAULT_TENANT}
        assert known_tenants(connection) == [DEFAULT_TENANT]
    page = listed(decision_log.engine, Owner(DEFAULT_TENANT), statuses=[], limit=9, cursor=None)
    assert [job.id for job in page.jobs] == ["j-1"]


def test_a_spool_keeps_the_tenant_and_writes_the_default_ones_lines_as_before(tmp_path: Path) -> None:
    spool = Spool(tmp_path, KEY)
    spool.append([decision(1), decision(2, tenant="acme")])
    (file,) = tmp_path.iterdir()
    assert [b"tenant" in line for line in file.read_bytes().splitlines()] == [False, True]
    assert [one.tenant for one in spool.oldest(9)] == [DEFAULT_TENANT, "acme"]
    spool.close()


@pytest.mark.parametrize("earlier_version", [False, True])
def test_a_saved_copy_brings_back_whose_rows_they_are(
    tmp_path: Path, open_log: OpenLog, earlier_version: bool
) -> None:
    url = sqlite_url(tmp_path / "log.sqlite")
    log = open_log(url)
    tenant = DEFAULT_TENANT if earlier_version else "acme"
    log.append([decision(1, tenant=tenant), decision(2)])
    given = [Outcome(decision(1).decision_id, True, "label")]
    record_outcomes(log.engine, given, now=DAY + timedelta(days=1), skew=timedelta(0), tenant=tenant)
    log.rescue()
    log.close()
    (copy,) = rescued_copies(tmp_path / "log.sqlite")
    if earlier_version:
        with closing(sqlite3.connect(copy)) as saved:
            saved.execute("DROP INDEX ix_decisions_tenant")
            saved.execute("ALTER TABLE decisions DROP COLUMN tenant")
    for table in ("outcomes", "decisions", "log_head", "outcome_counts", "tenant_outcome_counts"):
        tamper(log, f"DELETE FROM {table}")
    log.close()
    with closing(DecisionLog(url, KEY)) as again:
        open_and_recover(again)
        assert rescued_copies(tmp_path / "log.sqlite") == []
        assert verify(again).broken == 0
        with again.reading() as connection:
            found = connection.execute(select(decisions.c.tenant).order_by(decisions.c.sequence))
            assert found.scalars().all() == [tenant, DEFAULT_TENANT]
            known = count_window(
                connection, window_until("all", DAY + timedelta(days=2)), kind="label", tenant=tenant
            )
        outcomes = [counts.outcomes for _, counts in known.cells]
        assert [o is not None and o.selected_positive for o in outcomes] == [1]


def test_windows_count_and_rank_each_tenants_people_by_themselves(engine: Engine) -> None:
    sexes = {0: "female", 1: "male"}
    of_default = [stored(i, {"sex": sexes[i % 2]}, score=s) for i, s in enumerate([0.1, 0.2, 0.9])]
    of_acme = [
        stored(10 + i, {"sex": sexes[i % 2]}, score=s, tenant="acme")
        for i, s in enumerate([0.501, 0.502, 0.503, 0.504])
    ]
    of_other = [stored(20, {"sex": "female"}, score=0.5015, tenant="zeta")]
    store(engine, [*of_default, *of_acme, *of_other])

    default, acme, everybody = (counted(engine, tenant) for tenant in (DEFAULT_TENANT, "acme", None))
    assert (default.people, acme.people, everybody.people) == (3, 4, 8)
    assert counted(engine, "nobody").people == 0
    # By hand: the middle of 0.1, 0.2, 0.9; of 0.501 to 0.504; of all eight, 0.5015 and 0.502 in the middle.
    assert default.median_score == 0.2
    assert acme.median_score == pytest.approx(0.5025)
    assert everybody.median_score == pytest.approx((0.5015 + 0.502) / 2)
    assert (default.missing_scores, acme.missing_scores, everybody.missing_scores) == (0, 0, 0)
    women, men = of_sex(acme)["female"], of_sex(acme)["male"]
    assert (women.n, women.above_median, men.n, men.above_median) == (2, 1, 2, 1)
    assert acme.first_day == everybody.last_day == NOON.date()
    for scores in (True, False):
        parts = [
            of_sex(counted(engine, tenant, scores=scores)) for tenant in (DEFAULT_TENANT, "acme", "zeta")
        ]
        whole = of_sex(counted(engine, None, scores=scores))
        for sex in ("female", "male"):
            assert sum(part[sex].n for part in parts) == whole[sex].n
            assert sum(part[sex].selected for part in parts) == whole[sex].selected


def test_what_is_ahead_of_the_clock_is_told_to_its_tenant_only(engine: Engine) -> None:
    ahead = [stored(1, tenant="acme", time=NOON + timedelta(hours=5)), stored(2, time=NOON)]
    store(engine, [*ahead, stored(3, time=NOON + timedelta(hours=9))])
    with reading(engine) as connection:
        found = {t: find_ahead(connection, NOON, tenant=t) for t in (DEFAULT_TENANT, "acme", "zeta", None)}
    hours = {
        tenant: None
        if one is None
        else (one.n, *((at - to_microseconds(NOON)) // HOUR for at in (one.first, one.last)))
        for tenant, one in found.items()
    }
    assert hours == {DEFAULT_TENANT: (1, 9, 9), "acme": (1, 5, 5), "zeta": None, None: (2, 5, 9)}


def test_an_outcome_is_recorded_and_counted_for_its_own_tenant_only(engine: Engine) -> None:
    store(engine, [stored(1, tenant="acme"), stored(2)])
    given = [Outcome("d-1", True, "label"), Outcome("d-2", True, "label"), Outcome("d-3", True, "label")]
    now = NOON + timedelta(minutes=1)
    codes = {}
    for tenant in ("zeta", DEFAULT_TENANT):
        results = record_outcomes(engine, given, now=now, skew=timedelta(0), tenant=tenant)
        codes[tenant] = [None if r.error is None else (r.error.code, r.error.message) for r in results]
    unknown = codes["zeta"][2]
    assert codes == {"zeta": [unknown] * 3, DEFAULT_TENANT: [unknown, None, unknown]}
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(outcome_counts)).scalar_one() == 2
        assert connection.execute(select(tenant_decision_counts.c.tenant).distinct()).all() == [("acme",)]
    (result,) = record_outcomes(engine, given[:1], now=now, skew=timedelta(0), tenant="acme")
    assert result.event == "recorded"
    outcomes = [counts.outcomes for _, counts in counted(engine, "acme").cells]
    assert [o is not None and o.selected_positive for o in outcomes] == [1]


def test_the_same_idempotency_key_of_two_tenants_is_two_requests(decision_log: DecisionLog) -> None:
    kept = []
    for number, tenant in enumerate((DEFAULT_TENANT, "acme", "zeta", "acme"), 1):
        request = keyed_request(KEY, "/v1/score", "key-1", b"body", tenant)
        made = with_answer([decision(number, tenant=tenant)], request, f'{{"of":"{number}"}}')
        kept.append(decision_log.append(made).stored)
    assert kept == [1, 1, 1, 0]
    assert keyed_request(KEY, "/v1/score", "key-1", b"body") == keyed_request(
        KEY, "/v1/score", "key-1", b"body", DEFAULT_TENANT
    )


def test_a_person_is_erased_for_one_tenant(decision_log: DecisionLog) -> None:
    decision_log.append([decision(n, candidate_id="c-1", tenant=t) for n, t in ((1, "default"), (2, "acme"))])
    erased = [erase_person(decision_log, "c-1", tenant=tenant) for tenant in ("zeta", "acme", "acme")]
    assert erased == [0, 1, 0]
    with decision_log.reading() as connection:
        query = select(decisions.c.tenant, decisions.c.candidate_id).order_by(decisions.c.sequence)
        assert connection.execute(query).all() == [("default", "c-1"), ("acme", None)]
    assert verify(decision_log).broken == 0


def test_calibration_reads_one_tenants_decisions_or_tells_their_ids_apart(engine: Engine) -> None:
    store(engine, [stored(1), stored(2, tenant="acme")])  # for postings of the same id
    given = [Outcome("d-2", True, "label")]
    record_outcomes(engine, given, now=NOON, skew=timedelta(0), tenant="acme")
    window = window_until("all", NOON + timedelta(days=1))
    with reading(engine) as connection:
        acme, everybody = (
            read_scored_decisions(connection, window, BUNDLE, "label", tenant=tenant).decisions
            for tenant in ("acme", None)
        )
        of_others = read_scored_decisions(connection, window, "x" * 64, "label").of_others
    assert (acme.labels.tolist(), everybody.labels.tolist(), of_others) == ([1], [-1, 1], 0)
    assert everybody.postings.tolist() == [0, 1]


def test_sqlite_finds_another_tenants_scores_by_its_index(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        query = select(decisions.c.calibrated_probability).where(
            decisions.c.calibrated_probability > 0.5, *of_tenant("acme")
        )
        compiled = query.compile(sqlite, compile_kwargs={"render_postcompile": True})
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", (0.5, "acme")).all()
    assert any("ix_decisions_tenant" in str(step) for step in plan), plan
