"""Processes that read long texts, so that no text can hold the interpreter's lock of the service.

A short text is read in the caller's thread. A long one goes to a worker (`reader_process`, by
`process_pool`), which has so much CPU time for each thousand characters; the kernel ends it if that is not
enough, and the text is refused (docs/adr/0015-bounded-text.md).
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.core.documents import longest_normalised
from service.core.errors import EvenmatchError, UnreadableTextError
from service.core.redaction.given import GivenSpan
from service.core.redaction.policy import Category
from service.core.text_reader import Cancelled, InProcessReader, ReadText, never
from service.runtime.process_pool import ProcessPool, WorkerDiedError
from service.runtime.reader_process import ReadTask
from service.runtime.worker_process import Bug

log = logging.getLogger(__name__)

LONG_TEXT = 8_192
"""Characters above which a text is read in a process of its own, counted as they may become when it is
normalised. Hardly any resume is as long."""

_TRIES = 2
"""Workers that may die of a text by something else than its budget, before the caller is told so."""


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """User and system time for one text, in milliseconds. Redaction takes 1 to 2 ms for 1,000 characters."""

    base: float = 1_000.0
    per_thousand_characters: float = 25.0

    def milliseconds(self, characters: int) -> int:
        return round(self.base + self.per_thousand_characters * characters / 1_000)


ENTITIES_BUDGET = CpuBudget(base=2_000.0, per_thousand_characters=250.0)
"""With a named-entity model, which reads every text several times."""


def is_long(text: str) -> bool:
    """Whether a text is read in a process of its own."""
    return len(text) > LONG_TEXT or longest_normalised(text) > LONG_TEXT


class ReaderPool(ProcessPool[ReadTask, ReadText]):
    """`size` workers that read texts. `entities`: the spaCy model by which they find names, too."""

    def __init__(
        self,
        *,
        entities: str | None = None,
        size: int = 1,
        budget: CpuBudget | None = None,
        stall_seconds: float = 120.0,
    ) -> None:
        super().__init__(
            "service.runtime.reader_process",
            [entities or ""],
            purpose="reads long texts",
            size=size,
            stall_seconds=stall_seconds,
        )
        self._budget = budget or (ENTITIES_BUDGET if entities else CpuBudget())

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        size: int,
        given: Sequence[GivenSpan] = (),
        names_alone: bool = False,
        cancelled: Cancelled = never,
    ) -> ReadText:
        """Have a worker read `text`. `size`: characters that the budget is for.

        Raises `UnreadableTextError` if that takes more CPU time than the budget, `CallerGoneError` if
        `cancelled` says so, `ReaderDownError` if workers die or cannot be started, and what reading raises.
        """
        budget = self._budget.milliseconds(size)
        task = ReadTask(
            text,
            field,
            max_characters,
            None if categories is None else frozenset(categories),
            tuple(given),
            names_alone,
            budget / 1_000,
        )
        for attempt in range(1, _TRIES + 1):
            try:
                reply = self.ask(task, cancelled)
            except WorkerDiedError as error:
                if error.status == -signal.SIGPROF:
                    log.warning(
                        "a text of %d characters is refused: reading it took more than %d ms of CPU time",
                        len(text),
                        budget,
                    )
                    raise UnreadableTextError(
                        f"{field} cannot be read: it took more than {budget:,} ms of CPU time, "
                        f"which is what a text of {size:,} characters may take",
                        field=field,
                        limit=budget,
                        actual=budget,
                    ) from None
                if attempt == _TRIES:
                    raise self.down(error.status) from None
            else:
                break
        if isinstance(reply, Bug):
            raise RuntimeError(f"reading a long text raised {reply.kind}")
        if isinstance(reply, EvenmatchError):
            raise reply
        return reply


class PooledReader:
    """A `TextReader`: short texts by `short`, here; long ones, and what may become long, by `pool`."""

    def __init__(self, short: InProcessReader, pool: ReaderPool) -> None:
        self._short = short
        self._pool = pool

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        given: Sequence[GivenSpan] = (),
        names_alone: bool = False,
        cancelled: Cancelled = never,
    ) -> ReadText:
        if len(text) > max_characters or not is_long(text):  # one that is too long is refused at once
            return self._short.read(
                text,
                field=field,
                max_characters=max_characters,
                categories=categories,
                given=given,
                names_alone=names_alone,
            )
        return self._pool.read(
            text,
            field=field,
            max_characters=max_characters,
            categories=categories,
            size=longest_normalised(text),
            given=given,
            names_alone=names_alone,
            cancelled=cancelled,
        )
