"""One set of decisions for each `Idempotency-Key`: compared when they are stored, whoever made them.

Two requests with one key may be scored at the same time, here or on another machine. Their decisions meet
where they are stored, one writer after the other; the first to come counts, and the others get its answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.store.answers import KEPT, Answer, Keyed, KeyedRequest
from service.store.decisions import Decision
from service.store.tables import answers, from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class Claimed:
    """`kept`: the decisions to be stored. `answers`: by key, the one that counts."""

    kept: list[Decision]
    answers: dict[str, Answer] = field(default_factory=dict)

    def new(self, known: Mapping[str, Answer]) -> list[Answer]:
        """Those that are not known yet."""
        return [answer for key, answer in self.answers.items() if known.get(key) is not answer]


def with_answer(decisions: Sequence[Decision], request: KeyedRequest, content: str) -> list[Decision]:
    """The decisions of one request, with what is answered to it: JSON without anything of any text."""
    (time,) = {decision.time for decision in decisions}  # an erasure finds the answer by it
    answer = new_answer(request, time, content)
    keyed = Keyed(answer.key, answer.submission, answer)
    return [replace(decision, keyed=keyed) for decision in decisions]


def new_answer(request: KeyedRequest, time: datetime, content: str) -> Answer:
    """An answer with a random number of its own."""
    return Answer(request.key, request.body, secrets.token_hex(8), time, content)


def first_of_each_key(decisions: Sequence[Decision], known: Mapping[str, Answer]) -> Claimed:
    """Leave out the decisions of whoever did not come first, after those whose answers are `known`.

    One submission may come in several pieces, the first of them with its answer.
    """
    kept = []
    first: dict[str, Answer] = {}
    for decision in decisions:
        keyed = decision.keyed
        if keyed is not None:
            answer = first.get(keyed.key) or known.get(keyed.key)
            if answer is None or not answer.holds_for(decision.time):
                answer = keyed.answer
            if answer is not None:
                first[keyed.key] = answer
                if answer.submission != keyed.submission:
                    continue
        kept.append(decision)
    return Claimed(kept, first)


def claim(connection: Connection, decisions: Sequence[Decision]) -> Claimed:
    """As `first_of_each_key`, after what the database knows; the answers of those that are first are written.

    The caller holds the head's lock, and stores what is kept in the same transaction.
    """
    keys = {decision.keyed.key for decision in decisions if decision.keyed is not None}
    if not keys:
        return Claimed(list(decisions))
    known = {
        row["key"]: _answer(row)
        for row in connection.execute(select(answers).where(answers.c.key.in_(keys))).mappings()
    }
    result = first_of_each_key(decisions, known)
    if new := result.new(known):
        postgres = connection.dialect.name == "postgresql"
        statement = (postgresql.insert if postgres else sqlite.insert)(answers)
        connection.execute(
            # What stands there is of yesterday.
            statement.on_conflict_do_update(
                index_elements=[answers.c.key],
                set_={column.name: statement.excluded[column.name] for column in answers.c},
            ),
            [answer_row(answer) for answer in new],
        )
    return result


def find_answer(connection: Connection, key: str, now: datetime) -> Answer | None:
    """The answer under a key, if it still holds."""
    row = connection.execute(select(answers).where(answers.c.key == key)).mappings().first()
    answer = None if row is None else _answer(row)
    return answer if answer is not None and answer.holds_for(now) else None


def answer_row(answer: Answer) -> dict[str, object]:
    """As the table holds it."""
    return {
        "key": answer.key,
        "body": answer.body,
        "submission": answer.submission,
        "time": to_microseconds(answer.time),
        "content": answer.content,
    }


def answers_at(connection: Connection, times: Collection[int]) -> list[Answer]:
    """The answers of these times, in the table's unit, but for emptied ones."""
    query = select(answers).where(answers.c.time.in_(times), answers.c.content.is_not(None))
    return [_answer(row) for row in connection.execute(query).mappings()]


def with_answers_of(connection: Connection, decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions that stand in a database, with the answers under their keys that stand there, too."""
    by_time: dict[datetime, list[Answer]] = {}
    for answer in answers_at(connection, {to_microseconds(decision.time) for decision in decisions}):
        by_time.setdefault(answer.time, []).append(answer)
    return [
        next(
            (
                replace(decision, keyed=Keyed(answer.key, answer.submission, answer))
                for answer in by_time.get(decision.time, ())
                if answer.speaks_of(decision.decision_id)
            ),
            decision,
        )
        for decision in decisions
    ]


def forget_answers(connection: Connection, erased: Mapping[str, int]) -> None:
    """Empty the answers that hold erased decisions, given with their times.

    The key stays until it expires: the same request must not make new decisions about the person. What was
    asked is forgotten, too, or who has the person's resume and both keys could find out that it was asked.
    """
    held = [
        answer.key
        for answer in answers_at(connection, set(erased.values()))
        if any(map(answer.speaks_of, erased))
    ]
    connection.execute(update(answers).where(answers.c.key.in_(held)).values(body=None, content=None))


def expired_before(now: datetime) -> int:
    """Answers of this time, in the table's unit, or before it do not hold any more."""
    return to_microseconds(now - KEPT)


def _answer(row: Mapping[Any, Any]) -> Answer:
    return Answer(
        key=row["key"],
        body=row["body"],
        submission=row["submission"],
        time=from_microseconds(row["time"]),
        content=row["content"],
    )
