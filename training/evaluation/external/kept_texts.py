"""Texts and token ids on the disk, so that memory does not hold those of all documents at once.

They lie in a temporary file without a name, which nobody else can open and which is gone when the process
ends, however it ends. `TMPDIR` says on which disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from tempfile import TemporaryFile
from weakref import finalize


class Store:
    """Bytes in the order in which they were kept."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="evenmatch-")  # noqa: SIM115  # closed when no piece is known
        finalize(self, self._file.close)
        self._size = 0

    def keep(self, data: bytes) -> Kept:
        """Write `data` and return where it stands. Raises `OSError` if the disk is full."""
        self._file.seek(self._size)
        self._file.write(data)
        kept = Kept(self, self._size, len(data))
        self._size += len(data)
        return kept

    def read(self, start: int, size: int) -> bytes:
        """What was kept there."""
        self._file.seek(start)
        return self._file.read(size)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A piece of a store, which stays open as long as any of its pieces is known."""

    store: Store = field(repr=False)
    start: int
    size: int

    def read(self) -> bytes:
        """The bytes."""
        return self.store.read(self.start, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class KeptText:
    """A text on the disk, and its fingerprint (`training.data.review`)."""

    kept: Kept
    fingerprint: str

    @classmethod
    def of(cls, text: str, fingerprint: str, store: Store) -> KeptText:
        """Put a text into a store."""
        return cls(store.keep(text.encode("utf-8", "surrogatepass")), fingerprint)

    def read(self) -> str:
        """The text."""
        return self.kept.read().decode("utf-8", "surrogatepass")
