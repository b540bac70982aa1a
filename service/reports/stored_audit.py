"""The bias audit of stored decisions, from their counts: what the API answers and what reports print."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from service.core.errors import UnknownGroupError
from service.core.fairness.counts import GroupCounts
from service.core.fairness.findings import FairnessOptions
from service.core.groups import GroupSchema
from service.core.tenants import DEFAULT_TENANT
from service.reports.bias_audit import BiasAudit, BiasAuditData, BiasAuditStatement, make_bias_audit
from service.store.outcomes import OutcomeKind
from service.store.tables import from_microseconds
from service.store.transactions import reading
from service.store.window_counts import (
    AheadOfClock,
    Window,
    WindowCounts,
    count_window,
    find_ahead,
    with_ahead,
)

Counts = Mapping[str, Mapping[str, GroupCounts]]


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """`bundle`: the digest of the only bundle asked about. `attributes`: none for all.

    `tenant`: whose decisions, None for those of all tenants together, which only operators may see.

    With `intersections`, those of the attributes asked about come too.
    """

    window: Window
    ground_truth: OutcomeKind = "label"
    bundle: str | None = None
    attributes: tuple[str, ...] = ()
    intersections: bool = True
    tenant: str | None = DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class StoredBiasAudit:
    """`window`: what was counted. `outside_schema`: decisions of groups that the schema no longer knows.

    These count as unknown.
    """

    audit: BiasAudit
    counts: Counts
    window: Window
    missing_scores: int
    outside_schema: int


def bias_audit_of_store(
    engine: Engine,
    schema: GroupSchema,
    question: StoredQuestion,
    statement: BiasAuditStatement,
    options: FairnessOptions,
    created: datetime,
) -> StoredBiasAudit:
    """Audit what is stored of the question's window.

    Raises `UnknownGroupError` for an attribute outside the schema, `AuditOptionsError`,
    `StoreUnavailableError`.
    """
    options.check()
    names = _asked(schema, question)
    with reading(engine) as connection:
        ahead = find_ahead(connection, created, question.bundle, question.tenant)
        window = with_ahead(question.window, ahead)
        found = count_window(
            connection,
            window,
            kind=question.ground_truth,
            bundle=question.bundle,
            tenant=question.tenant,
        )
    counts = {name: groups for name, groups in found.by_group(schema).items() if name in names}
    outside = sum(cell.n for groups, cell in found.cells if len(schema.fitting(groups)) != len(groups))
    data = BiasAuditData(
        people=found.people,
        first_decision=found.first_day,
        last_decision=found.last_day,
        scored=found.scored,
        median_score=found.median_score,
        window=(window.first, window.last),
        bundles=found.bundles,
        ground_truth=question.ground_truth,
        notes=(*_notes(found, outside, question), *_notes_ahead(ahead, window, created)),
    )
    audit = make_bias_audit(counts, data, statement, options, created)
    return StoredBiasAudit(audit, counts, window, found.missing_scores, outside)


def _asked(schema: GroupSchema, question: StoredQuestion) -> Collection[str]:
    members = schema.members()
    for name in question.attributes:
        if name not in members:
            raise UnknownGroupError(f"attribute is not one of {', '.join(members)}", field="attribute")
    asked = set(question.attributes or schema.attributes)
    if question.intersections:
        asked |= {f"{a}_{b}" for a, b in schema.intersections if asked & {a, b}}
    return asked


def _notes(found: WindowCounts, outside: int, question: StoredQuestion) -> Iterator[str]:
    if question.tenant is None:
        yield "Decisions of all tenants of the service are counted together."
    elif question.tenant != DEFAULT_TENANT:
        yield f"Only decisions of tenant {question.tenant} are counted."
    if question.bundle is not None:
        yield (
            f"Only decisions of bundle {question.bundle} are counted; those of other bundles in the window "
            "are not."
        )
    if found.missing_scores:
        yield (
            f"The scores of {found.missing_scores:,} decisions near the median were erased or purged. They "
            "are in no scoring rate, so scoring rates and the median are not exact; all other counts are."
        )
    if outside:
        yield (
            f"{outside:,} decisions name an attribute or group that is not in the configured schema; there "
            "it counts as unknown."
        )
    if len(found.bundles) > 1:
        yield (
            f"Decisions of {len(found.bundles)} bundles are taken together, and their scores compared as if "
            "one model had given them."
        )


def _notes_ahead(ahead: AheadOfClock | None, window: Window, now: datetime) -> Iterator[str]:
    """What is said of decisions that lie ahead of the clock, unless the window ends before it."""
    if ahead is None or window.last < now:
        return
    first, last = (f"{from_microseconds(hour):%Y-%m-%d %H:%M} UTC" for hour in (ahead.first, ahead.last))
    counted = "They are counted here"
    if window.end <= ahead.first:
        counted = "They are not counted here; the window `all` has them"
    elif window.end <= ahead.last:
        counted = "Only those before the window's end are counted here; the window `all` has them"
    yield (
        f"{ahead.n:,} decisions are dated later than now, in the hours {first} to {last}: the clock of a "
        f"machine was ahead, or this one's is behind. {counted}."
    )
