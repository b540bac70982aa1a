"""The folder in which several processes keep their metrics, against whoever cleans up temporary files.

It lies in TMPDIR and not beside the decisions: values are mapped into memory, and a process that writes to a
mapped page for which the disk has no room is killed (SIGBUS). A full data disk must not end the service.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from service.core.errors import ConfigurationError, MetricsLostError


class SharedFolder:
    """A fresh folder, so that nothing of an earlier run is counted; it belongs to the first process."""

    def __init__(self) -> None:
        """Raises `ConfigurationError` if there is no writable folder for temporary files."""
        try:
            self.path = Path(tempfile.mkdtemp(prefix="evenmatch-metrics-"))
        except OSError as error:
            raise ConfigurationError(
                f"several workers need a writable folder for temporary files (TMPDIR): {error.strerror}"
            ) from None
        self._locked: int | None = None
        self.keep()

    def keep(self) -> None:
        """Call now and then: make the folder again if it is gone, and hold a lock on it.

        systemd-tmpfiles leaves alone what is locked. Raises `MetricsLostError`.
        """
        if self._locked is not None and self._is_locked_one(self._locked):
            return
        make_folder(self.path)
        self._unlock()
        self._locked = os.open(self.path, os.O_RDONLY)
        with suppress(OSError):  # some file systems know no locks: then it is merely not protected
            fcntl.flock(self._locked, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def remove(self) -> None:
        """At the service's end."""
        self._unlock()
        shutil.rmtree(self.path, ignore_errors=True)

    def _is_locked_one(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except OSError:
            return False

    def _unlock(self) -> None:
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None


def make_folder(folder: Path) -> None:
    """Make the folder if it is gone. One that somebody else made in its place is not trusted.

    Raises `MetricsLostError`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise MetricsLostError(f"the metrics folder {folder} cannot be made: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise MetricsLostError(f"the metrics folder {folder} is somebody else's")
