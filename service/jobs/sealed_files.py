"""A file on disk of which nobody can read a byte: for ZIP files, whose list of contents stands at their end.

It has no name, is encrypted under a key that is in memory only, and is gone with the process.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_BLOCK = 64 * 1024
_TAG = 16


class SealedFile(io.RawIOBase):
    """Written once from the beginning (`append`, then `finish`), then read and sought like any file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  # closed with this one
        # The key is used for this file alone, so the number of a block may be its nonce.
        self._cipher = AESGCM(os.urandom(32))
        self._rest = bytearray()
        self._size = self._blocks = self._position = 0
        self._cached: tuple[int, bytes] = (-1, b"")

    def append(self, part: bytes) -> None:
        """Raises `OSError`, as on a full disk."""
        self._rest += part
        self._size += len(part)
        while len(self._rest) >= _BLOCK:
            self._write(bytes(self._rest[:_BLOCK]))
            del self._rest[:_BLOCK]

    def finish(self) -> None:
        """Nothing more comes. Raises `OSError`."""
        if self._rest:
            self._write(bytes(self._rest))
            self._rest.clear()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("a place before the beginning")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: object) -> int:
        """Fill the buffer but at the end of the file: `zipfile` takes fewer bytes for the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        done = 0
        while done < len(view) and self._position < self._size:
            number, offset = divmod(self._position, _BLOCK)
            part = self._block(number)[offset : offset + len(view) - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._position += len(part)
        return done

    def close(self) -> None:
        self._file.close()
        super().close()

    def _write(self, block: bytes) -> None:
        sealed = self._cipher.encrypt(self._blocks.to_bytes(12, "big"), block, None)
        written = 0
        while written < len(sealed):
            written += self._file.write(sealed[written:])
        self._blocks += 1

    def _block(self, number: int) -> bytes:
        if self._cached[0] != number:
            self._file.seek(number * (_BLOCK + _TAG))
            sealed = b""
            while len(sealed) < _BLOCK + _TAG and (part := self._file.read(_BLOCK + _TAG - len(sealed))):
                sealed += part
            self._cached = number, self._cipher.decrypt(number.to_bytes(12, "big"), sealed, None)
        return self._cached[1]
