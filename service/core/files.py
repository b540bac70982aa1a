"""Files and folders that appear whole or not at all, and SHA-256 of files.

Both are written under a hidden name beside their place and put there in one step. Files are readable by
their owner only.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, TextIO


class Source(Protocol):
    """A file that is read: a `Path`, or what opens like one elsewhere. Its text names it in errors."""

    @property
    def suffix(self) -> str: ...
    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...


@contextmanager
def private_bytes(file: Path) -> Iterator[BinaryIO]:
    """A stream, mode 0600, which takes the place of `file` when the block is left.

    It is written under a hidden name beside `file`; if the block raises, `file` stays as it was. Raises
    `OSError`.
    """
    # A short name of its own: `file` may have the longest name there is.
    draft = file.with_name(f".{secrets.token_hex(8)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def private_file(file: Path) -> Iterator[TextIO]:
    """As `private_bytes`, of text in UTF-8. Lines end as they are written."""
    with private_bytes(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        try:
            yield text
            text.flush()
        finally:
            text.detach()


def write_private(file: Path, text: str) -> None:
    """Write `text` as `private_file` does."""
    with private_file(file) as stream:
        stream.write(text)


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # Linux, <linux/fs.h>
_RENAME_SWAP = 2  # macOS, <sys/stdio.h>


def is_in_the_way(path: Path, *, sign: str) -> bool:
    """Does anything stand at `path` but an empty folder, or a folder with the file `sign`?

    `draft_of` deletes what stood there: somebody's home must not go because it was named by mistake.
    """
    if not path.is_dir():
        return path.exists()
    return any(path.iterdir()) and not (path / sign).is_file()


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """An empty hidden folder beside `path`, which takes the place of `path` when the block is left.

    If `path` is a symbolic link, what it points to is replaced. If the block raises, the draft is removed and
    `path` stays as it was. A process that is killed
    leaves at most a hidden folder (`.<name>.<random>`) behind, which may be deleted.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    draft.mkdir()
    try:
        yield draft
        _sync(draft)
        _put(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _put(draft: Path, path: Path) -> None:
    """Give `draft` the name `path`. What stood there before is deleted.

    Linux and macOS swap two folders in one step, so that `path` is the old or the new folder at
    every moment. Where the file system cannot, `path` is missing between two renames; a process
    killed just then leaves the old folder as `.<name>.<random>.old`.
    """
    if not path.exists():
        draft.rename(path)
    elif _swap(draft, path):
        sync_folder(path.parent)
        shutil.rmtree(draft, ignore_errors=True)  # now the old folder
        return
    else:
        old = draft.with_name(f"{draft.name}.old")
        path.rename(old)
        try:
            draft.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync_folder(path.parent)


def _swap(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where that is not possible."""
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "renameat2"):
            return bool(libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    elif sys.platform == "darwin":
        return bool(ctypes.CDLL(None).renamex_np(*names, _RENAME_SWAP) == 0)
    return False


def _sync(folder: Path) -> None:
    """Let the disk have every file before the folder gets its name: it must survive a power cut too."""
    for place, _, files in os.walk(folder):
        for name in files:
            with (Path(place) / name).open("rb+") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder."""
    if os.name == "posix":  # elsewhere a folder cannot be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()
