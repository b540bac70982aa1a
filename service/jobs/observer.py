"""What jobs report to whoever counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol, get_args

from service.core.redaction.policy import Category
from service.core.resume_warnings import ResumeWarning
from service.store.decisions import Decision

Delivery = Literal["delivered", "failed", "given_up"]
DELIVERIES: tuple[Delivery, ...] = get_args(Delivery)


class JobsObserver(Protocol):
    """`service.metrics.registry.Metrics` is one.

    Called from the event loop and from the worker's threads: implementations must be thread-safe.
    """

    def chunk_decided(
        self,
        decisions: Sequence[Decision],
        read: Iterable[tuple[Mapping[Category, int] | None, Sequence[ResumeWarning]]],
    ) -> None:
        """These decisions were recorded, of resumes with these redactions and warnings."""

    def chunk_done(self, completed: int, failed: int, seconds: float) -> None:
        """A chunk's results are kept: so many rows were scored, and so many failed."""

    def jobs_counted(self, by_status: Mapping[str, int]) -> None:
        """So many jobs are in the database."""

    def webhook_sent(self, outcome: Delivery) -> None:
        """A notice was delivered, failed and will be tried again, or was given up."""
