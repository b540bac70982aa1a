"""What became of a decision: what a person decided, or a label that came later.

Under an `Idempotency-Key` outcomes are recorded once, and a repeated request is told what was done the first
time. Of such a request nothing is kept but what became of each outcome by its place: `recorded`, or an
error's code and message. The repeated request brings the outcomes themselves again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, delete, insert, select, update

from service.core.errors import InputError, OutcomeConflictError, OutcomeTimeError, UnknownDecisionError
from service.core.tenants import DEFAULT_TENANT
from service.store.decisions import KeyedRequest
from service.store.hourly_counts import (
    CountedDecision,
    CountedOutcome,
    cell_groups,
    cell_text,
    count_outcomes,
)
from service.store.idempotency import answer_row, expired_before, find_answer, new_answer
from service.store.tables import (
    answers,
    decisions,
    from_microseconds,
    insert_into,
    outcome_history,
    outcomes,
    to_microseconds,
)
from service.store.transactions import writing

OutcomeKind = Literal["human_decision", "label"]
OutcomeEvent = Literal["recorded", "replaced", "unchanged"]

_EVENTS: tuple[OutcomeEvent, ...] = get_args(OutcomeEvent)
_ERRORS: dict[str, type[InputError]] = {
    cls.code: cls for cls in (UnknownDecisionError, OutcomeConflictError, OutcomeTimeError)
}
_NO_RESULTS_YET = "[]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`time`: when it came about; None for now. `replace`: it corrects an outcome recorded before."""

    decision_id: str
    positive: bool
    kind: OutcomeKind
    time: datetime | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What was done with an outcome, or the error it was refused with.

    `groups` and `selected` are those of the decision. `repeated`: an earlier request with the same
    `Idempotency-Key` did it; groups and selection are then left out.
    """

    outcome: Outcome
    event: OutcomeEvent | None = None
    error: InputError | None = None
    groups: Mapping[str, str] | None = None
    selected: bool | None = None
    repeated: bool = False


def record_outcomes(
    engine: Engine,
    given: Sequence[Outcome],
    *,
    now: datetime,
    skew: timedelta,
    request: KeyedRequest | None = None,
    tenant: str | None = DEFAULT_TENANT,
) -> list[OutcomeResult]:
    """Attach outcomes to their decisions; each is recorded or refused by itself, in the order given.

    The same outcome again changes nothing. A different one is refused with `OutcomeConflictError`, unless it
    says `replace`; both are in the history. `skew`: how far clocks may differ. `request`: the key that the
    outcomes came with. `tenant`: whose decisions they may be of, None for anybody's; a decision of another
    one is as unknown as one that was never made. Raises `KeyReusedError`, `StoreUnavailableError`.
    """
    with writing(engine) as connection:
        done = None if request is None else _take_key(connection, request, given, now)
        if done is not None:
            return done
        changes = _Changes(connection, {outcome.decision_id for outcome in given}, tenant, now, skew)
        results = [changes.add(outcome) for outcome in given]
        changes.write()
        if request is not None:
            _keep_results(connection, request, results)
    return results


def delete_outcomes(connection: Connection, decision_ids: Sequence[str]) -> int:
    """Delete the outcomes of erased decisions, with their history; returns how many. The counts stay."""
    connection.execute(delete(outcome_history).where(outcome_history.c.decision_id.in_(decision_ids)))
    return connection.execute(delete(outcomes).where(outcomes.c.decision_id.in_(decision_ids))).rowcount


class _Changes:
    """What the outcomes of one transaction change, gathered and then written at once."""

    def __init__(
        self,
        connection: Connection,
        decision_ids: Collection[str],
        tenant: str | None,
        now: datetime,
        skew: timedelta,
    ) -> None:
        self._connection = connection
        self._now = now
        self._skew = skew
        self._decisions = _locked_decisions(connection, decision_ids, tenant)
        recorded = select(outcomes.c.decision_id, outcomes.c.kind, outcomes.c.positive)
        self._recorded: dict[tuple[str, str], bool] = {
            (row.decision_id, row.kind): row.positive
            for row in connection.execute(recorded.where(outcomes.c.decision_id.in_(self._decisions)))
        }
        self._last_events = _last_events(connection, {decision_id for decision_id, _ in self._recorded})
        self._rows: dict[tuple[str, str], dict[str, object]] = {}
        self._history: list[dict[str, object]] = []
        self._counts: Counter[CountedOutcome] = Counter()

    def add(self, outcome: Outcome) -> OutcomeResult:
        """Take or refuse an outcome; nothing is written yet."""
        try:
            decision = self._decision(outcome)
            event = self._take(outcome, decision)
        except InputError as error:
            return OutcomeResult(outcome, error=error)
        return OutcomeResult(outcome, event, groups=cell_groups(decision.groups), selected=decision.selected)

    def write(self) -> None:
        """Write the outcomes that were taken, the history of these and the refused ones, and the counts."""
        if self._rows:
            # The rows of these decisions are locked, so nobody has changed an outcome since it was read.
            statement = insert_into(self._connection, outcomes)
            given = ("positive", "time", "received")
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=list(outcomes.primary_key),
                    set_={name: statement.excluded[name] for name in given},
                ),
                list(self._rows.values()),
            )
        if self._history:
            self._connection.execute(insert(outcome_history), self._history)
        count_outcomes(self._connection, self._counts)

    def _decision(self, outcome: Outcome) -> CountedDecision:
        decision = self._decisions.get(outcome.decision_id)
        if decision is None:
            raise UnknownDecisionError(
                "decision_id names no decision that is kept: never made, not yet written, erased or purged",
                field="decision_id",
            )
        if outcome.time is not None and outcome.time > self._now + self._skew:
            raise OutcomeTimeError("time is in the future", field="time")
        if outcome.time is not None and outcome.time < from_microseconds(decision.start) - self._skew:
            raise OutcomeTimeError("time is before the decision was made", field="time")
        return decision

    def _take(self, outcome: Outcome, decision: CountedDecision) -> OutcomeEvent:
        key = (outcome.decision_id, outcome.kind)
        before = self._recorded.get(key)
        if before == outcome.positive:
            return "unchanged"
        row: dict[str, object] = {
            "decision_id": outcome.decision_id,
            "kind": outcome.kind,
            "positive": outcome.positive,
            "time": to_microseconds(outcome.time or self._now),
            "received": to_microseconds(self._now),
        }
        if before is not None and not outcome.replace:
            # A client that tries again and again must not fill the history.
            if self._last_events.get(key) != "refused":
                self._add_to_history(key, row, "refused")
            raise OutcomeConflictError(
                f"another {outcome.kind} is recorded for this decision; `replace` corrects it",
                field="outcome",
            )
        event: OutcomeEvent = "recorded" if before is None else "replaced"
        if before is not None:
            self._counts[CountedOutcome(decision, outcome.kind, before)] -= 1
        self._counts[CountedOutcome(decision, outcome.kind, outcome.positive)] += 1
        self._recorded[key] = outcome.positive
        self._rows[key] = row
        self._add_to_history(key, row, event)
        return event

    def _add_to_history(self, key: tuple[str, str], row: dict[str, object], event: str) -> None:
        self._history.append({**row, "event": event})
        self._last_events[key] = event


def _last_events(connection: Connection, decision_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """The last entry of the history by decision and kind, in one query, since others wait for the lock."""
    if not decision_ids:
        return {}
    history = outcome_history.c
    rows = connection.execute(
        select(history.decision_id, history.kind, history.event)
        .where(history.decision_id.in_(decision_ids))
        .order_by(history.id)
    )
    return {(row.decision_id, row.kind): row.event for row in rows}


def _locked_decisions(
    connection: Connection, decision_ids: Collection[str], tenant: str | None
) -> dict[str, CountedDecision]:
    """The tenant's decisions that are kept, by id, locked so that nobody else records for them."""
    of_tenant = [] if tenant is None else [decisions.c.tenant == tenant]
    rows = connection.execute(
        select(
            decisions.c.decision_id,
            decisions.c.time,
            decisions.c.bundle_digest,
            decisions.c.groups,
            decisions.c.decision,
            decisions.c.tenant,
        )
        .where(decisions.c.decision_id.in_(decision_ids), decisions.c.groups.is_not(None), *of_tenant)
        # Erasures and purges lock in this order, too: in another one, two could wait for each other.
        .order_by(decisions.c.decision_id)
        .with_for_update(key_share=True)
    )
    return {
        row.decision_id: CountedDecision(
            row.time,
            row.bundle_digest,
            cell_text(cell_groups(row.groups)),
            row.decision == "selected",
            row.tenant,
        )
        for row in rows
    }


def _take_key(
    connection: Connection, request: KeyedRequest, given: Sequence[Outcome], now: datetime
) -> list[OutcomeResult] | None:
    """Take the key until the transaction ends, or return the results if it was taken before.

    Another request with the same key waits meanwhile. Raises `KeyReusedError`.
    """
    # One statement inserts the key or finds it taken: a SELECT before it would let two requests in at once.
    statement = insert_into(connection, answers)
    row = answer_row(new_answer(request, now, _NO_RESULTS_YET))
    taken = connection.execute(
        statement.values(row)
        .on_conflict_do_update(
            index_elements=[answers.c.key],
            set_={name: statement.excluded[name] for name in row},
            where=answers.c.time <= expired_before(now),
        )
        .returning(answers.c.key)
    ).first()
    if taken is not None:
        return None
    answer = find_answer(connection, request.key, now)
    assert answer is not None  # the insert met it
    done = json.loads(answer.content_for(request))
    return [_repeated(outcome, kept) for outcome, kept in zip(given, done, strict=True)]


def _keep_results(connection: Connection, request: KeyedRequest, results: Sequence[OutcomeResult]) -> None:
    """Keep what was done; if all were refused, free the key, so that the same request may try again."""
    rows = answers.c.key == request.key
    if all(result.error is not None for result in results):
        connection.execute(delete(answers).where(rows))
    else:
        content = json.dumps([_kept(result) for result in results], separators=(",", ":"))
        connection.execute(update(answers).where(rows).values(content=content))


def _kept(result: OutcomeResult) -> Any:
    error = result.error
    return result.event if error is None else [error.code, error.message, error.field]


def _repeated(outcome: Outcome, kept: Any) -> OutcomeResult:
    if kept in _EVENTS:
        return OutcomeResult(outcome, event=kept, repeated=True)
    code, message, field = kept
    return OutcomeResult(outcome, error=_ERRORS[code](message, field=field), repeated=True)
