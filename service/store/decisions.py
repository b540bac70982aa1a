"""A decision as it is kept, and the answer to a request with an `Idempotency-Key` that it belongs to.

`Decision` is the only list of a decision's fields: the table, the hash chain, the spool's lines and the
export are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_type_hints

from sqlalchemy import Boolean, Float, String, Text
from sqlalchemy.types import TypeEngine

from service.core.errors import AnswerErasedError, KeyReusedError
from service.core.tenants import DEFAULT_TENANT

DecisionKind = Literal["selected", "not_selected"]

ANSWER_LIFETIME = timedelta(hours=24)
"""How long an answer is given again; afterwards its key counts as new."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A result of `/v1/score`. Ids are as the caller gave them; no text of a resume or job is in it.

    `time` is aware, in UTC. `groups` are the self-reported ones, attribute to group, without an entry for an
    attribute that the candidate said nothing about. `calibrated_probability` and `threshold` are at the
    bundle's own prevalence, whatever a request gave, so that rows compare. `keyed` is set if the request had
    an `Idempotency-Key`, and is no part of the row.

    The annotated fields are the content, which is signed by the hash chain and erased with a person; the
    annotation is the type of the column. Their names and order are part of every signature: never change
    them. One that is added comes last and is left out of the signature where it is None (`chain.canonical`),
    so that rows from before it still verify. `cohort_digest`: None for a score without a cohort.

    `tenant`: whose decision it is. It is signed, too, but stays when the content is erased.
    """

    decision_id: str
    time: datetime
    request_id: Annotated[str, String(200)]
    job_id: Annotated[str | None, String(200)]
    candidate_id: Annotated[str, String(200)]
    groups: Annotated[Mapping[str, str], Text()]  # JSON with sorted keys
    raw_score: Annotated[float, Float(53)]
    calibrated_probability: Annotated[float, Float(53)]
    threshold: Annotated[float, Float(53)]
    decision: Annotated[DecisionKind, String(16)]
    redact: Annotated[bool, Boolean()]
    bundle_digest: Annotated[str, String(64)]
    engine: Annotated[str, String(32)]
    cohort_digest: Annotated[str | None, String(64)] = None
    tenant: str = DEFAULT_TENANT
    keyed: Keyed | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with an `Idempotency-Key`, as digests under the log's key.

    `key`: digest of the route and the key. `body`: digest of both and of the body.
    """

    key: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer under a key.

    `submission`: a random number, by which its decisions differ from those of another request with the same
    key. `time`: that of its decisions. `body` and `content` (JSON) are None once a person in it was erased.
    """

    key: str
    body: str | None
    submission: str
    time: datetime
    content: str | None

    def content_for(self, request: KeyedRequest) -> str:
        """The content to answer with.

        Raises `AnswerErasedError` if it was erased, `KeyReusedError` if the request has another body.
        """
        if self.content is None:
            raise AnswerErasedError(
                "the answer to this Idempotency-Key held a person who was erased: it cannot be given again"
            )
        if self.body != request.body:
            raise KeyReusedError(
                "this Idempotency-Key came with another body before: a new request needs a new key"
            )
        return self.content

    def names(self, decision_id: str) -> bool:
        """Whether the decision is in the content."""
        return self.content is not None and f'"{decision_id}"' in self.content

    def holds_at(self, now: datetime) -> bool:
        """Whether it is still given again at the time `now`."""
        return self.time > now - ANSWER_LIFETIME


@dataclass(frozen=True, slots=True)
class Keyed:
    """Which answer a decision belongs to. `answer` is None if only the key and submission are known.

    In a spool only the first decision of a request has the answer beside it, and that one may have been moved
    to the database already.
    """

    key: str
    submission: str
    answer: Answer | None


COLUMN_TYPES: Mapping[str, TypeEngine[Any]] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Decision, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
"""The type of the column of each field of the content."""

CONTENT = tuple(COLUMN_TYPES)
"""Fields of the content, in the order in which they are signed."""

ADDED = ("cohort_digest",)
"""Fields of the content that earlier versions did not have, in the order in which they came."""

FIELDS = ("decision_id", "time", *CONTENT, "tenant")
"""All fields that are kept."""
