"""Stored decisions of one bundle with what became of them, to compare its probabilities with outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, and_, func, not_, select

from service.core.recalibration import DistinctValues, ScoredDecisions
from service.core.tenants import DEFAULT_TENANT
from service.store.hourly_counts import cell_groups, cell_text
from service.store.outcomes import OutcomeKind
from service.store.tables import decisions, outcomes
from service.store.tenants import of_tenant
from service.store.window_counts import Window

_ROWS_A_FETCH = 5_000


@dataclass(frozen=True)
class StoredDecisions:
    """`of_others`: outcomes of decisions in the window by another bundle or cohort: no word of this one."""

    decisions: ScoredDecisions
    of_others: int


def read_scored_decisions(
    connection: Connection,
    window: Window,
    bundle_digest: str,
    kind: OutcomeKind,
    cohort_digest: str | None = None,
    tenant: str | None = DEFAULT_TENANT,
) -> StoredDecisions:
    """What the bundle decided in the window; erased people are left out. About 200 bytes a decision.

    `tenant`: whose decisions, None for those of all: the same id of two tenants is then two postings, or two
    people. `cohort_digest`: only decisions with this cohort, or without any: another one shifts all scores. A
    decision without a job id counts as of a posting of its own request.
    """
    rows, known = decisions.c, outcomes.c
    joined = and_(known.decision_id == rows.decision_id, known.kind == kind)
    asked = and_(rows.bundle_digest == bundle_digest, rows.cohort_digest.is_not_distinct_from(cohort_digest))
    inside = [rows.time >= window.start, rows.erased.is_(None), *of_tenant(tenant)]
    if not window.everything:
        inside.append(rows.time < window.end)
    query = (
        select(
            rows.calibrated_probability,
            rows.job_id,
            rows.request_id,
            rows.candidate_id,
            rows.groups,
            rows.tenant,
            known.positive,
        )
        .select_from(decisions.outerjoin(outcomes, joined))
        .where(*inside, asked)
        .order_by(rows.sequence)
    )
    probabilities, labels = [], []
    postings, candidates, cells = DistinctValues(), DistinctValues(), DistinctValues()
    for row in connection.execution_options(yield_per=_ROWS_A_FETCH).execute(query):
        probabilities.append(row.calibrated_probability)
        labels.append(-1 if row.positive is None else int(row.positive))
        postings.add((row.tenant, row.job_id, None if row.job_id is not None else row.request_id))
        candidates.add((row.tenant, row.candidate_id))
        cells.add(cell_text(cell_groups(row.groups)))
    others = select(func.count()).select_from(decisions.join(outcomes, joined))
    # An erased row names no bundle any more.
    by_others = and_(rows.bundle_digest.is_not(None), not_(asked))
    of_others = connection.execute(others.where(*inside, by_others)).scalar_one()
    found = ScoredDecisions(
        np.array(probabilities, dtype=np.float64),
        np.array(labels, dtype=np.int64),
        postings.codes(),
        candidates.codes(),
        cells.codes(),
        [cell_groups(str(text)) for text in cells.values],
    )
    return StoredDecisions(found, of_others)
