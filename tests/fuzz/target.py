"""What a fuzz target is: a function of bytes, files to begin with, and the errors that it may end in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.core.errors import EvenmatchError, InputError, InputErrors

LONGEST_MESSAGE = 2_000
"""Characters that one error says: what came in must not come back as a message."""


@dataclass(frozen=True)
class Target:
    """`run`: raises nothing but `refusals` for whatever bytes. `seeds`: files of the kind, made by hand."""

    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[EvenmatchError], ...] = (InputError,)


def attempt(target: Target, data: bytes) -> bool:
    """Whether the input was read; False if it was refused. Anything else that it ends in is raised."""
    try:
        target.run(data)
    except target.refusals as error:
        said = error.errors if isinstance(error, InputErrors) else [error]
        for one in said:
            assert len(one.message) <= LONGEST_MESSAGE, f"a message of {len(one.message):,} characters"
        return False
    return True


@cache
def folder() -> Path:
    """Where a process writes the one file that it has read, on a file system in memory if there is one."""
    shared = Path("/dev/shm")
    made = Path(
        tempfile.mkdtemp(prefix="evenmatch-fuzz-", dir=shared if os.access(shared, os.W_OK) else None)
    )
    made.chmod(0o700)
    return made


def file_of(data: bytes, name: str) -> Path:
    """`data` as a file that only its owner may read."""
    file = folder() / name
    file.write_bytes(data)
    file.chmod(0o600)
    return file


def text_of(data: bytes) -> str:
    """Bytes as a text; those that are no UTF-8 become half characters, as JSON may hold them."""
    return data.decode("utf-8", "surrogateescape")
