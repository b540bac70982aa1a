"""Files that are written for people appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from service.core.errors import TableError
from service.core.files import private_bytes, write_private


def write_whole(file: Path, text: str) -> None:
    """Write `text` to `file`, mode 0600, whole or not at all. Raises `TableError` if that cannot be done."""
    try:
        write_private(file, text)
    except OSError as error:
        raise unwritable(file, error) from None


@contextmanager
def written_whole(file: Path) -> Iterator[BinaryIO]:
    """A stream that becomes `file`, mode 0600, when the block is left. Raises `TableError` as `write_whole`.

    An `OSError` of the block counts as one of the file: read nothing from disk in it.
    """
    try:
        with private_bytes(file) as stream:
            yield stream
    except OSError as error:
        raise unwritable(file, error) from None


def unwritable(file: Path, error: OSError) -> TableError:
    """That a file cannot be written, and why."""
    return TableError(f"{file} cannot be written: {error.strerror or type(error).__name__}")
