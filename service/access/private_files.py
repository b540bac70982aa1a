"""Files with secrets, which are refused where other users of the machine can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from service.core.errors import ConfigurationError

_OTHERS = 0o077
_OTHERS_OF_ROOT = 0o037
"""The group may read a file of root's: so does Kubernetes give secrets to a process of another user."""

MOST_BYTES = 16 * 2**20


def read_private(file: Path, field: str) -> str:
    """The text of a file of ours that nobody else can read, or of root's that only our group can read.

    The rule is PostgreSQL's for its server's key. Raises `ConfigurationError`, which names the file and never
    quotes it.
    """
    try:
        with file.open("rb") as stream:
            status = os.fstat(stream.fileno())  # of what is read, whatever the name means a moment later
            check_private(file, status, field)
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{field}: {file} cannot be read: {error.strerror}", field=field) from None
    if len(content) > MOST_BYTES:
        raise ConfigurationError(
            f"{field}: {file} has more than {MOST_BYTES:,} bytes",
            field=field,
            limit=MOST_BYTES,
            actual=len(content),
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{field}: {file} is not UTF-8", field=field) from None


def check_private(file: Path, status: os.stat_result, field: str) -> None:
    """Raise `ConfigurationError` unless the file is closed to others."""
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{field}: {file} is not a file", field=field)
    mode = stat.S_IMODE(status.st_mode)
    is_roots = status.st_uid == 0 and os.geteuid() != 0
    if mode & (_OTHERS_OF_ROOT if is_roots else _OTHERS):
        raise ConfigurationError(
            f"{field}: {file} has mode {mode:04o}, by which others than its owner can read or change it; "
            "chmod 600 it",
            field=field,
        )
    if status.st_uid not in (0, os.geteuid()):
        raise ConfigurationError(
            f"{field}: {file} belongs to another user (uid {status.st_uid}), who can read and change it",
            field=field,
        )
