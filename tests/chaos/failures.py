"""What goes wrong under a running service, and comes right again."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from service.store.recorder import DATABASE_FILE
from tests.chaos.service import Place
from tests.support.postgres import PostgresServer

SQLITE = ("locked", "full", "read-only", "nothing")
WITHOUT_MOUNTING = ("locked", "nothing")
POSTGRESQL = ("frozen", "restarted", "stopped", "locked", "nothing")

_TMPFS_MIB = 24
_HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


def fail(name: str, place: Place, server: PostgresServer | None) -> AbstractContextManager[None]:
    """The failure of that name, from entering to leaving."""
    if name == "nothing":
        return nullcontext()
    if server is None:
        by_name = {"locked": _locked_file, "full": full, "read-only": _read_only}
        return by_name[name](place.data)
    if name == "locked":
        return _locked_head(place.url)
    if name == "frozen":
        return server.frozen()
    return _stopped(server, at_once=name == "restarted")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own, which can be filled, under `folder`. Needs the right to mount."""
    folder.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={_TMPFS_MIB}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def can_mount() -> bool:
    """Whether this process may mount file systems."""
    return (
        os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
    )


@contextmanager
def _locked_file(folder: Path) -> Iterator[None]:
    # In a process of its own: what another one closes must not touch locks of the service or of this one.
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD_LOCK, str(folder / DATABASE_FILE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n", "the lock could not be had"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait(60)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """No byte more goes to the disk of its own that `folder` is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(64 * 2**10))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """What is open stays writable, what is opened now is not, as on a file system with open files."""
    _run("mount", "--bind", str(folder), str(folder))
    try:
        _run("mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        # By now the service may have opened files there.
        _run("umount", "--lazy", str(folder))


@contextmanager
def _locked_head(url: str) -> Iterator[None]:
    with psycopg.connect(make_url(url).render_as_string(hide_password=False)) as connection:
        connection.execute("SELECT * FROM log_head FOR UPDATE")
        yield
        with suppress(psycopg.OperationalError):  # the server cuts off who idles in a transaction
            connection.rollback()


@contextmanager
def _stopped(server: PostgresServer, *, at_once: bool) -> Iterator[None]:
    server.stop()
    if at_once:
        server.start()
    try:
        yield
    finally:
        if not at_once:
            server.start()


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True, timeout=60)
