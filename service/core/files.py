"""Files that appear whole or not at all, and that nobody but their owner may read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def private_file(file: Path) -> Iterator[TextIO]:
    """A UTF-8 stream, mode 0600, which takes the place of `file` when the block is left.

    It is written under a hidden name beside `file`; if the block raises, `file` stays as it was. Lines end as
    they are written. Raises `OSError`.
    """
    draft = file.with_name(
        f".{secrets.token_hex(8)}.draft"
    )  # short: `file` may have the longest name there is
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write `text` as `private_file` does."""
    with private_file(file) as stream:
        stream.write(text)
