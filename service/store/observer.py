"""What the store tells whoever watches it. `monitoring` implements this; the default hears nothing."""

from __future__ import annotations


class StoreObserver:
    """Called from the writer's thread and from request threads: implementations must be thread-safe."""

    def decisions_stored(self, decisions: int) -> None:
        """`decisions` more are in the database."""

    def store_failed(self) -> None:
        """An attempt to write to the database or to the spool failed."""

    def store_lost(self) -> None:
        """The database's file was deleted or replaced: until a restart, nothing is written there."""

    def store_queue_changed(self, decisions: int) -> None:
        """`decisions` now wait in memory."""

    def spool_changed(self, decisions: int) -> None:
        """`decisions` now wait on disk."""
