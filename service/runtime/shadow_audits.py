"""Shadow audits: a share of the candidates that were just scored is audited in the background.

One audit at a time, each step of it only while no request is being answered, its texts behind all others in
the inference queue. What finds no room or no time is dropped and counted. Texts are held in memory only, and
until their audit ends or is dropped; nothing of them is logged.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from service.core.counterfactual.variants import ATTRIBUTES, Attribute
from service.core.counterfactual_audit.plan import (
    MAX_CONTROLS,
    MAX_NAMES,
    MIN_NAMES,
    AuditResume,
    CounterfactualOptions,
)
from service.core.counterfactual_audit.summary import arms_of_scores
from service.core.errors import NoIdleTimeError, QueueFullError, ShuttingDownError
from service.core.tenants import DEFAULT_TENANT
from service.runtime.auditing import score_variants
from service.runtime.observer import RuntimeObserver, ShadowDrop
from service.runtime.open_requests import OpenRequests
from service.runtime.runtime import Runtime

log = logging.getLogger(__name__)


class ShadowOptions(BaseModel):
    """How many candidates are audited in the background, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of scored candidates that is audited in the background (docs/metrics.md).",
    )
    per_request: int = Field(1, ge=1, description="Most candidates of one request chosen for a shadow audit.")
    attributes: tuple[Attribute, ...] = Field(
        ATTRIBUTES, min_length=1, description="Attributes that shadow audits change, a JSON list."
    )
    names_per_group: int = Field(
        2,
        ge=MIN_NAMES,
        le=MAX_NAMES,
        description="Names (schools, postal codes ...) of each group in a shadow audit.",
    )
    controls: int = Field(
        4, ge=2, le=MAX_CONTROLS, description="Benign edits in a shadow audit: its noise floor."
    )
    unredacted: bool = Field(
        False,
        description="Shadow audits score without redaction, whatever the request asked: as with "
        "`redact: false`, names alone being hidden.",
    )
    backlog: int = Field(
        8, ge=1, le=1_000, description="Candidates that may wait for a shadow audit; more are dropped."
    )
    hold_seconds: float = Field(
        60.0, gt=0, description="Longest that a candidate's text is held for a shadow audit."
    )

    @field_validator("attributes")
    @classmethod
    def _each_once(cls, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        if len(set(attributes)) != len(attributes):
            raise ValueError("names one attribute twice")
        return attributes


@dataclass(frozen=True)
class _Candidate:
    """A job and a resume as they were sent. No repr: nothing may print them by accident."""

    description: str
    title: str | None
    resume: str
    redact: bool
    until: float
    tenant: str = DEFAULT_TENANT

    def __repr__(self) -> str:
        return "_Candidate(...)"


class ShadowAuditor:
    """`start` before use and `stop` after, in the event loop that `offer` is called in."""

    def __init__(
        self,
        runtime: Runtime,
        open_requests: OpenRequests,
        options: ShadowOptions,
        observer: RuntimeObserver,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._runtime = runtime
        self._open_requests = open_requests
        self._options = options
        self._observer = observer
        self._rng = rng or random.SystemRandom()
        self._backlog: asyncio.Queue[_Candidate] = asyncio.Queue(options.backlog)
        self._auditing: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._options.share > 0:
            self._auditing = asyncio.create_task(self._audit_all(), name="shadow-audits")

    async def stop(self) -> None:
        """Break off, and drop what waits."""
        self._open_requests.close()
        if self._auditing is None:
            return
        self._auditing.cancel()
        await asyncio.wait([self._auditing])
        while not self._backlog.empty():
            self._backlog.get_nowait()
            self._observer.shadow_dropped("shutting_down")

    def offer(
        self,
        description: str,
        title: str | None,
        resumes: Sequence[str],
        *,
        redact: bool,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Choose among the resumes of a request that was scored. Never waits, never raises."""
        if self._auditing is None:
            return
        chosen = [resume for resume in resumes if self._rng.random() < self._options.share]
        if len(chosen) > self._options.per_request:
            chosen = self._rng.sample(chosen, self._options.per_request)
        until = time.monotonic() + self._options.hold_seconds
        for resume in chosen:
            redacted = redact and not self._options.unredacted
            try:
                self._backlog.put_nowait(_Candidate(description, title, resume, redacted, until, tenant))
            except asyncio.QueueFull:
                self._observer.shadow_dropped("backlog_full")

    async def _audit_all(self) -> None:
        while True:
            candidate = await self._backlog.get()
            try:
                dropped = await self._audit(candidate)
            except asyncio.CancelledError:
                self._observer.shadow_dropped("shutting_down")
                raise
            del candidate  # not held while the next one is waited for
            if dropped is not None:
                self._observer.shadow_dropped(dropped)

    async def _audit(self, candidate: _Candidate) -> ShadowDrop | None:
        """Audit one candidate; the reason why not, if not."""
        options = CounterfactualOptions(
            attributes=self._options.attributes,
            names_per_group=self._options.names_per_group,
            controls=self._options.controls,
            redact=candidate.redact,
            seed=self._rng.getrandbits(31),  # other names each time
        )
        try:
            async with asyncio.timeout(max(0.0, candidate.until - time.monotonic())):
                plan, matches = await score_variants(
                    self._runtime,
                    candidate.description,
                    candidate.title,
                    [AuditResume("shadow", candidate.resume)],
                    options,
                    pause=lambda: self._open_requests.wait_until_idle(candidate.until),
                    tenant=candidate.tenant,
                )
            self._observer.shadow_audited(arms_of_scores(plan, matches), redact=candidate.redact)
        except (NoIdleTimeError, QueueFullError, TimeoutError):
            return "queue_busy"
        except ShuttingDownError:
            return "shutting_down"
        except Exception as error:
            # Only the type: a message could quote the text.
            log.error("a shadow audit failed: %s", type(error).__name__)
            return "error"
        return None
