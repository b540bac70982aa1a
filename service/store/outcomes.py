"""What became of a decision: a person's decision, or a later label."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.core.errors import InputError, OutcomeConflictError, OutcomeTimeError, UnknownDecisionError
from service.store.answers import KeyedRequest
from service.store.cells import cell_groups, cell_text
from service.store.hourly_counts import CountedDecision, CountedOutcome, count_outcomes
from service.store.idempotency import answer_row, expired_before, find_answer, new_answer
from service.store.tables import (
    answers,
    decisions,
    from_microseconds,
    outcome_history,
    outcomes,
    to_microseconds,
)
from service.store.transactions import writing


def record_outcomes(
    engine: Engine,
    given: Sequence[Outcome],
    *,
    now: datetime,
    skew: timedelta,
    request: KeyedRequest | None = None,
) -> list[OutcomeResult]:
    """Attach outcomes to their decisions; each is taken or refused by itself, in the order given.

    The same outcome again changes nothing. Another one is refused with `OutcomeConflictError`, unless it says
    `replace`; both are in the history. `skew`: how far clocks may differ. `request`: the
    key that they came with; under one key outcomes are taken once. Raises `KeyReusedError`,
    `StoreUnavailableError`.
    """
    with writing(engine) as connection:
        done = None if request is None else take_key(connection, request, given, now)
        if done is not None:
            return done
        recorder = _Recorder(connection, {outcome.decision_id for outcome in given}, now, skew)
        results = [recorder.record(outcome) for outcome in given]
        recorder.write()
        if request is not None:
            keep_results(connection, request, results)
    return results


def forget_outcomes(connection: Connection, decision_ids: Sequence[str]) -> None:
    """Delete the outcomes of erased decisions, with their history. The counts stay."""
    for table in (outcomes, outcome_history):
        connection.execute(delete(table).where(table.c.decision_id.in_(decision_ids)))


class _Recorder:
    """The outcomes of one transaction, gathered and then written at once."""

    def __init__(
        self, connection: Connection, decision_ids: Collection[str], now: datetime, skew: timedelta
    ) -> None:
        self._connection = connection
        self._now = now
        self._skew = skew
        self._decisions = _decisions(connection, decision_ids)
        said = select(outcomes.c.decision_id, outcomes.c.kind, outcomes.c.positive)
        self._said: dict[tuple[str, str], bool] = {
            (row.decision_id, row.kind): row.positive
            for row in connection.execute(said.where(outcomes.c.decision_id.in_(self._decisions)))
        }
        self._last_events = _last_events(connection, {decision_id for decision_id, _ in self._said})
        self._rows: dict[tuple[str, str], dict[str, object]] = {}
        self._history: list[dict[str, object]] = []
        self._changes: Counter[CountedOutcome] = Counter()

    def record(self, outcome: Outcome) -> OutcomeResult:
        """Take or refuse one; nothing is written yet."""
        try:
            decision = self._decision(outcome)
            event = self._take(outcome, decision)
        except InputError as error:
            return OutcomeResult(outcome, error=error)
        return OutcomeResult(outcome, event, groups=cell_groups(decision.groups), selected=decision.selected)

    def write(self) -> None:
        """Write what was taken, what was refused, and the counts."""
        if self._rows:
            # All rows of these decisions are locked: whatever stands there was read above.
            postgres = self._connection.dialect.name == "postgresql"
            statement = (postgresql.insert if postgres else sqlite.insert)(outcomes)
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
        count_outcomes(self._connection, self._changes)

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
        said = self._said.get(key)
        if said == outcome.positive:
            return "unchanged"
        row: dict[str, object] = {
            "decision_id": outcome.decision_id,
            "kind": outcome.kind,
            "positive": outcome.positive,
            "time": to_microseconds(outcome.time or self._now),
            "received": to_microseconds(self._now),
        }
        if said is not None and not outcome.replace:
            # A client that tries again and again must not fill the history.
            if self._last_events.get(key) != "refused":
                self._note(key, row, "refused")
            raise OutcomeConflictError(
                f"another {outcome.kind} is recorded for this decision; `replace` corrects it",
                field="outcome",
            )
        event: OutcomeEvent = "recorded" if said is None else "replaced"
        if said is not None:
            self._changes[CountedOutcome(decision, outcome.kind, said)] -= 1
        self._changes[CountedOutcome(decision, outcome.kind, outcome.positive)] += 1
        self._said[key] = outcome.positive
        self._rows[key] = row
        self._note(key, row, event)
        return event

    def _note(self, key: tuple[str, str], row: dict[str, object], event: str) -> None:
        self._history.append({**row, "event": event})
        self._last_events[key] = event


def _last_events(connection: Connection, decision_ids: Collection[str]) -> dict[tuple[str, str], str]:
    """The last entry of the history, by decision and kind; all at once, since others wait for the lock."""
    if not decision_ids:
        return {}
    history = outcome_history.c
    rows = connection.execute(
        select(history.decision_id, history.kind, history.event)
        .where(history.decision_id.in_(decision_ids))
        .order_by(history.id)
    )
    return {(row.decision_id, row.kind): row.event for row in rows}


def _decisions(connection: Connection, decision_ids: Collection[str]) -> dict[str, CountedDecision]:
    """The decisions that are kept, locked in the order of their ids, so that nobody else records for them."""
    rows = connection.execute(
        select(
            decisions.c.decision_id,
            decisions.c.time,
            decisions.c.bundle_digest,
            decisions.c.groups,
            decisions.c.decision,
        )
        .where(decisions.c.decision_id.in_(decision_ids), decisions.c.groups.is_not(None))
        .order_by(decisions.c.decision_id)
        .with_for_update(key_share=True)
    )
    return {
        row.decision_id: CountedDecision(
            row.time, row.bundle_digest, cell_text(cell_groups(row.groups)), row.decision == "selected"
        )
        for row in rows
    }


OutcomeKind = Literal["human_decision", "label"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = ("human_decision", "label")
OutcomeEvent = Literal["recorded", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`time` is when it came about; None for now. `replace`: it corrects what was said before."""

    decision_id: str
    positive: bool
    kind: OutcomeKind
    time: datetime | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What was done, or the error for which nothing was. Groups and decision are those of the decision.

    `repeated`: it was done by an earlier request with the same `Idempotency-Key`; groups and decision are not
    told again.
    """

    outcome: Outcome
    event: OutcomeEvent | None = None
    error: InputError | None = None
    groups: Mapping[str, str] | None = None
    selected: bool | None = None
    repeated: bool = False


_ERRORS: dict[str, type[InputError]] = {
    cls.code: cls for cls in (UnknownDecisionError, OutcomeConflictError, OutcomeTimeError)
}
_EVENTS: tuple[OutcomeEvent, ...] = get_args(OutcomeEvent)
_IN_HAND = "[]"


def take_key(
    connection: Connection, request: KeyedRequest, given: Sequence[Outcome], now: datetime
) -> list[OutcomeResult] | None:
    """Take the key until the transaction ends; or, if it was taken before, tell what was done then.

    Whoever comes with the same key meanwhile waits. Raises `KeyReusedError`.
    """
    postgres = connection.dialect.name == "postgresql"
    statement = (postgresql.insert if postgres else sqlite.insert)(answers)
    row = answer_row(new_answer(request, now, _IN_HAND))
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
    assert answer is not None  # it stood in the way
    done = json.loads(answer.content_for(request))
    return [_result(outcome, one) for outcome, one in zip(given, done, strict=True)]


def keep_results(connection: Connection, request: KeyedRequest, results: Sequence[OutcomeResult]) -> None:
    """Keep what was done, unless nothing was: then the same request may try again."""
    rows = answers.c.key == request.key
    if all(result.error is not None for result in results):
        connection.execute(delete(answers).where(rows))
    else:
        content = json.dumps([_kept(result) for result in results], separators=(",", ":"))
        connection.execute(update(answers).where(rows).values(content=content))


def _kept(result: OutcomeResult) -> Any:
    error = result.error
    return result.event if error is None else [error.code, error.message, error.field]


def _result(outcome: Outcome, kept: Any) -> OutcomeResult:
    if kept in _EVENTS:
        return OutcomeResult(outcome, event=kept, repeated=True)
    code, message, field = kept
    return OutcomeResult(outcome, error=_ERRORS[code](message, field=field), repeated=True)
