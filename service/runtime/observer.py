"""What the runtime tells whoever watches it. `monitoring` implements this; the default hears nothing."""

from __future__ import annotations


class RuntimeObserver:
    """Called from the inference thread and from request threads: implementations must be thread-safe."""

    def queue_changed(self, texts: int) -> None:
        """`texts` now wait."""

    def batch_done(self, tokens: int, seconds: float) -> None:
        """One engine call over `tokens` real tokens took `seconds`."""

    def cache_looked_up(self, hits: int, misses: int) -> None:
        """Texts of one request that were, and were not, in the embedding cache."""

    def worker_restarted(self) -> None:
        """A dead or hanging inference worker was replaced."""
