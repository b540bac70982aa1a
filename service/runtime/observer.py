"""What the runtime reports to whoever counts. `service.metrics` implements this; the default ignores it."""

from __future__ import annotations

from typing import Literal, get_args

from service.core.counterfactual_audit.summary import Arms

ShadowDrop = Literal["backlog_full", "queue_busy", "shutting_down", "error"]
SHADOW_DROPS: tuple[ShadowDrop, ...] = get_args(ShadowDrop)


class RuntimeObserver:
    """Called from the inference thread and from request threads: implementations must be thread-safe."""

    def queue_changed(self, texts: int) -> None:
        """`texts` of requests now wait; those of jobs and background work are not counted."""

    def batch_done(self, tokens: int, seconds: float) -> None:
        """One engine call over `tokens` real tokens took `seconds`."""

    def cache_looked_up(self, hits: int, misses: int) -> None:
        """Texts of one request, once accepted, that were and were not in the embedding cache."""

    def worker_restarted(self) -> None:
        """A dead or hanging inference worker was replaced."""

    def shadow_audited(self, arms: Arms, *, redact: bool) -> None:
        """A scored candidate was audited in the background, as with redaction switched on or off."""

    def shadow_dropped(self, reason: ShadowDrop) -> None:
        """A candidate chosen for a shadow audit was not audited."""
