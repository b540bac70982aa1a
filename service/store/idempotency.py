"""One set of decisions and one answer for each `Idempotency-Key`.

Two requests with one key may be scored at the same time, here or on another machine. Their keys are compared
where the decisions are stored, by one writer after the other: the first counts, the others get its answer.

The same key of two tenants is two keys: the digest contains the tenant.

Neither the key's text nor the request is kept, only digests under the log's key. The digest of the body
contains the caller's key, so that nobody without it, the log key's owner included, can find out by trying
bodies what was asked, or about whom.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from service.core.tenants import DEFAULT_TENANT
from service.store.chain import LogKey
from service.store.decisions import ANSWER_LIFETIME, Answer, Decision, Keyed, KeyedRequest
from service.store.tables import Row, answers, from_microseconds, insert_into, to_microseconds

RECENT_SECONDS = 30.0
"""How long an answer is kept in memory: short, since no erasure reaches it there."""

RECENT_CHARACTERS = 16 * 2**20
_TIMES_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Claimed:
    """`kept`: the decisions to store. `answers`: by key, the answer that counts."""

    kept: list[Decision]
    answers: dict[str, Answer] = field(default_factory=dict)


class RecentAnswers:
    """The last answers in memory, for a retry that comes when the database cannot be asked any more.

    Thread-safe. The oldest are dropped, above `most` characters of content and after `seconds`.
    """

    def __init__(
        self,
        seconds: float = RECENT_SECONDS,
        most: int = RECENT_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[float, Answer]] = {}  # by key, the oldest first
        self._characters = 0

    def put(self, answer: Answer) -> None:
        """Remember an answer, in place of another one under the same key."""
        with self._lock:
            self._drop(answer.key)
            self._answers[answer.key] = self._clock(), answer
            self._characters += len(answer.content or "")
            while self._characters > self._most:
                self._drop(next(iter(self._answers)))
            self._drop_old()

    def get(self, key: str) -> Answer | None:
        """The answer under a key, unless it is too old."""
        with self._lock:
            self._drop_old()
            found = self._answers.get(key)
            return None if found is None else found[1]

    def _drop_old(self) -> None:
        oldest_kept = self._clock() - self._seconds
        while self._answers:
            key, (put, _) = next(iter(self._answers.items()))
            if put > oldest_kept:
                return
            self._drop(key)

    def _drop(self, key: str) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._characters -= len(found[1].content or "")


def keyed_request(
    log_key: LogKey, route: str, key: str, body: bytes, tenant: str = DEFAULT_TENANT
) -> KeyedRequest:
    """`body` must be the same bytes whenever the same is asked."""
    # That of the default tenant is as it was before there were tenants. Routes begin with a `/` or are words
    # of the code, none of them with a tab.
    of_tenant = "" if tenant == DEFAULT_TENANT else f"{tenant}\t"
    prefix = f"{of_tenant}{route}\n{key}\n".encode()
    return KeyedRequest(
        log_key.sign_bytes("idempotency key", prefix), log_key.sign_bytes("keyed body", prefix + body)
    )


def with_answer(decisions: Sequence[Decision], request: KeyedRequest, content: str) -> list[Decision]:
    """The decisions of one request, with its answer: JSON that holds no text of a resume or job."""
    (time,) = {decision.time for decision in decisions}  # an erasure finds the answer by it
    answer = new_answer(request, time, content)
    keyed = Keyed(answer.key, answer.submission, answer)
    return [replace(decision, keyed=keyed) for decision in decisions]


def new_answer(request: KeyedRequest, time: datetime, content: str) -> Answer:
    """An answer with a random number of its own."""
    return Answer(request.key, request.body, secrets.token_hex(8), time, content)


def first_of_each_key(decisions: Sequence[Decision], known: Mapping[str, Answer]) -> Claimed:
    """Leave out decisions of a request whose key was answered before: by `known`, or earlier in the list.

    One submission may come in several pieces, the first of them with its answer.
    """
    kept = []
    first: dict[str, Answer] = {}
    for decision in decisions:
        keyed = decision.keyed
        if keyed is not None:
            answer = first.get(keyed.key) or known.get(keyed.key)
            if answer is None or not answer.holds_at(decision.time):
                answer = keyed.answer
            if answer is not None:
                first[keyed.key] = answer
                # Compared by the submission, not by the answer: the second piece of the request that came
                # first must be stored, even if its answer was erased in between.
                if answer.submission != keyed.submission:
                    continue
        kept.append(decision)
    return Claimed(kept, first)


def claim_keys(connection: Connection, decisions: Sequence[Decision]) -> Claimed:
    """As `first_of_each_key`, with the answers of the database; those that come first are written there.

    The caller holds the lock of the chain's head, and stores what is kept in the same transaction.
    """
    keys = {decision.keyed.key for decision in decisions if decision.keyed is not None}
    if not keys:
        return Claimed(list(decisions))
    query = select(answers).where(answers.c.key.in_(keys))
    known = {row["key"]: _answer(row) for row in connection.execute(query).mappings()}
    claimed = first_of_each_key(decisions, known)
    new = [answer for key, answer in claimed.answers.items() if known.get(key) is not answer]
    if new:
        statement = insert_into(connection, answers)
        connection.execute(
            # A row that is there already has expired.
            statement.on_conflict_do_update(
                index_elements=[answers.c.key],
                set_={column.name: statement.excluded[column.name] for column in answers.c},
            ),
            [answer_row(answer) for answer in new],
        )
    return claimed


def find_answer(connection: Connection, key: str, now: datetime) -> Answer | None:
    """The answer under a key, if it still holds."""
    row = connection.execute(select(answers).where(answers.c.key == key)).mappings().first()
    answer = None if row is None else _answer(row)
    return answer if answer is not None and answer.holds_at(now) else None


def with_answers_of(connection: Connection, decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions that are in a database, with the answers that are there under their keys."""
    by_time: dict[datetime, list[Answer]] = {}
    for answer in _answers_at(connection, {to_microseconds(decision.time) for decision in decisions}):
        by_time.setdefault(answer.time, []).append(answer)
    return [
        next(
            (
                replace(decision, keyed=Keyed(answer.key, answer.submission, answer))
                for answer in by_time.get(decision.time, ())
                if answer.names(decision.decision_id)
            ),
            decision,
        )
        for decision in decisions
    ]


def answers_that_hold(connection: Connection, decided: Mapping[str, int]) -> list[Answer]:
    """The answers that hold any of these decisions, given as ids with their times in microseconds."""
    found: list[Answer] = []
    by_time: dict[int, list[str]] = {}
    for decision_id, time_of in decided.items():
        by_time.setdefault(time_of, []).append(decision_id)
    times = list(by_time)
    for start in range(0, len(times), _TIMES_A_QUERY):
        for answer in _answers_at(connection, times[start : start + _TIMES_A_QUERY]):
            if any(map(answer.names, by_time[to_microseconds(answer.time)])):
                found.append(answer)
    return found


def empty_answers(connection: Connection, erased: Mapping[str, int]) -> int:
    """Empty the answers that hold erased decisions, given as ids with their times in microseconds; how many.

    The key stays until it expires: the same request must not make new decisions about the person. The digest
    of the body goes too, or who has the person's resume and both keys could find out that it was sent.
    """
    held = [answer.key for answer in answers_that_hold(connection, erased)]
    connection.execute(update(answers).where(answers.c.key.in_(held)).values(body=None, content=None))
    return len(held)


def expired_before(now: datetime) -> int:
    """Answers of this time, in microseconds, and older ones do not hold any more."""
    return to_microseconds(now - ANSWER_LIFETIME)


def answer_row(answer: Answer) -> dict[str, object]:
    """An answer as a row of its table."""
    return {**asdict(answer), "time": to_microseconds(answer.time)}


def _answers_at(connection: Connection, times: Collection[int]) -> list[Answer]:
    """The answers of these times, in microseconds, without emptied ones."""
    query = select(answers).where(answers.c.time.in_(times), answers.c.content.is_not(None))
    return [_answer(row) for row in connection.execute(query).mappings()]


def _answer(row: Row) -> Answer:
    return Answer(**{**row, "time": from_microseconds(row["time"])})
