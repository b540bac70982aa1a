"""What was answered to a request with an `Idempotency-Key`, kept for a day to be given again.

Neither the key's text nor anything of the request is kept: only digests under the log's key. The caller's key
is part of the digest of the body, so that nobody who lacks it, the log key's owner included, can find out by
trying what was asked, or about whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.errors import AnswerErasedError, KeyReusedError
from service.store.chain import LogKey

KEPT = timedelta(hours=24)
"""How long an answer is given again; afterwards the key counts as new."""


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """`key`: digest of the route and the key. `body`: digest of both and of what was asked."""

    key: str
    body: str


def keyed_request(log_key: LogKey, route: str, key: str, body: bytes) -> KeyedRequest:
    """`body` must be the same bytes whenever the same is asked."""
    prefix = f"{route}\n{key}\n".encode()
    return KeyedRequest(
        log_key.sign_bytes("idempotency key", prefix), log_key.sign_bytes("keyed body", prefix + body)
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer under a key.

    `submission`: a random number that tells the decisions it speaks of from those of another request with the
    same key. `time`: that of these decisions. `body` and `content` (JSON) are None once a person in it was
    erased.
    """

    key: str
    body: str | None
    submission: str
    time: datetime
    content: str | None

    def content_for(self, request: KeyedRequest) -> str:
        """What to answer. Raises `AnswerErasedError`, or `KeyReusedError` if something else was asked."""
        if self.content is None:
            raise AnswerErasedError(
                "the answer to this Idempotency-Key held a person who was erased: it cannot be given again"
            )
        if self.body != request.body:
            raise KeyReusedError(
                "this Idempotency-Key came with another body before: a new request needs a new key"
            )
        return self.content

    def speaks_of(self, decision_id: str) -> bool:
        """Whether it names a decision."""
        return self.content is not None and f'"{decision_id}"' in self.content

    def holds_for(self, now: datetime) -> bool:
        """Whether it is given again at the time `now`."""
        return self.time > now - KEPT


@dataclass(frozen=True, slots=True)
class Keyed:
    """Which answer a decision belongs to. `answer` is None if only its beginning is known.

    In a spool the answer stands with the first decision of a request; the others may be moved to the database
    after it.
    """

    key: str
    submission: str
    answer: Answer | None
