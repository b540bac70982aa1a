"""Outcomes under an `Idempotency-Key`: taken once, and what was done with them told again.

Of the outcomes nothing is kept, only what became of each, by its place in the request: `recorded`, or an
error's code and message. Who sends the request again sends the outcomes again, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from service.core.errors import InputError, OutcomeConflictError, OutcomeTimeError, UnknownDecisionError
from service.store.answers import KeyedRequest
from service.store.idempotency import answer_row, expired_before, find_answer, new_answer
from service.store.outcome import Outcome, OutcomeEvent, OutcomeResult
from service.store.tables import answers

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
