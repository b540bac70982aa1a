"""SQLite: how connections are made and checked, and the one file that is held open while it is served.

Nothing in this process but the sqlite3 library may open the database, its `-wal` or its `-shm`. When a
process closes any descriptor of a file, POSIX drops all locks that the process has on it, SQLite's too.
Another process then takes itself for the last one and deletes the journal that this one is writing
(sqlite.org/howtocorrupt.html, 2.2). So files are made under another name, looked at with `stat`, and copied
by SQLite itself; `service.core.files`, which opens what it writes, is not for them.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import secrets
import sqlite3
import tempfile
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL

from service.core.errors import ConfigurationError, DatabaseDamagedError, DatabaseLostError, StoreError
from service.core.files import sync_folder

log = logging.getLogger(__name__)

RESCUED = "rescued"
_DRAFT = "rescuing"
_ROOM_TO_WRITE_BYTES = 2**20
"""A few thousand decisions."""
_ROOM_TO_LEAVE_BYTES = 16 * 2**20
"""What a copy leaves free: decisions go to the same disk meanwhile."""
_WHAT_TO_DO = "see EvenmatchStoreLost in docs/runbooks.md"

FileIdentity = tuple[int, int]  # device, inode


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def file_of(url: URL) -> Path:
    """The file that a URL names, without symbolic links: its journal lies where the file itself does.

    Raises `ConfigurationError` if it names none.
    """
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("database_url names no file", field="database_url")
    return Path(os.path.realpath(url.database))


def open_sqlite(url: URL, timeout: float, *, frozen: bool = False) -> Engine:
    """Connect lazily. `timeout`: seconds to wait for a lock. `frozen`: a file that nobody writes to.

    If this process holds the file (`hold`), no connection is handed out after that was lost or found damaged:
    `StoreError`.
    """
    file = file_of(url)

    def check() -> None:
        if not frozen and (held := held_file(file)) is not None:
            held.check()

    def make() -> sqlite3.Connection:
        check()  # before it connects, or it could be to another file of the same name
        connection = connect(file, timeout, frozen=frozen)
        if not frozen:
            set_up(connection)
        return connection

    engine = create_engine(url, creator=make, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def _begin_immediately(connection: Connection) -> None:
        # Take the write lock at once: a transaction that reads first could not get it later.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkout")
    def _check_pooled(*_: Any) -> None:
        check()

    @event.listens_for(engine, "handle_error")
    def _note_damage(context: ExceptionContext) -> None:
        kind = getattr(context.original_exception, "sqlite_errorname", "")
        if is_damage(kind) and not frozen and (held := held_file(file)) is not None:
            held.note_damage(kind)

    return engine


def connect(file: Path, timeout: float, *, frozen: bool = False) -> sqlite3.Connection:
    """A connection to an existing file. `frozen`: nobody writes to it, and no lock is taken."""
    mode = "ro&immutable=1" if frozen else "rw"
    return sqlite3.connect(
        f"file:{quote(str(file))}?mode={mode}", timeout=timeout, check_same_thread=False, uri=True
    )


def set_up(connection: sqlite3.Connection) -> None:
    """Set what every connection that may write needs."""
    # The engine begins transactions; the driver would begin them at moments of its own.
    connection.isolation_level = None
    # `secure_delete` overwrites deleted and erased data instead of only marking the space as free.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def check_in_place(engine: Engine) -> None:
    """Raise `StoreError` if the file that this process holds was lost or is damaged: after every commit."""
    if engine.dialect.name == "sqlite" and (held := held_file(file_of(engine.url))) is not None:
        held.check()


def check_room(engine: Engine) -> None:
    """Raise `StoreError` if SQLite's disk takes no more than a few rows. Does nothing for a server.

    On a full disk a database can be opened and a transaction begun: only its commit fails.
    """
    if engine.dialect.name != "sqlite":
        return
    file = file_of(engine.url)
    try:
        with tempfile.TemporaryFile(dir=file.parent) as probe:
            probe.write(bytes(_ROOM_TO_WRITE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise StoreError(f"the disk of {file} takes nothing more: {error.strerror}") from None


class HeldFile:
    """One connection that stays open, and which files it opened. Thread-safe.

    While it is open SQLite's lock on the file never lapses, whatever else in this process connects and
    disconnects, so that no other process can delete the journal.
    """

    def __init__(self, file: Path, timeout: float) -> None:
        """Raises `sqlite3.Error`, and `StoreError` if the file cannot be looked at."""
        self.file = file
        self.holders = 0
        self._noting, self._saving = threading.Lock(), threading.Lock()
        self._trouble: StoreError | None = None
        self._saved = False
        self._connection = connect(file, timeout)
        try:
            set_up(self._connection)
            self._connection.execute("SELECT 1 FROM sqlite_master").fetchall()  # now it has the journal open
            self._opened = _identities(file)
        except BaseException:
            self._connection.close()
            raise
        # One reference that is never dropped, so that the interpreter's end does not close the connection: it
        # would write the journal back into a file that others may have changed since. See `close`.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))

    @property
    def lost(self) -> bool:
        """Whether the file or its journal was seen to be deleted or replaced."""
        return isinstance(self._trouble, DatabaseLostError)

    def check(self) -> None:
        """Raise `DatabaseLostError` or `DatabaseDamagedError`, on every call after the first time.

        Costs two calls of `stat`. Raises another `StoreError` if the disk does not say what is there.
        """
        if self._trouble is None:
            found = _identities(self.file)
            if found != self._opened:
                self._note(DatabaseLostError(self._loss(found)))
        if self._trouble is not None:
            raise type(self._trouble)(self._trouble.message)

    def note_damage(self, kind: str) -> None:
        """SQLite met damaged pages. `kind` is its name of the error."""
        with suppress(StoreError):
            self.check()  # a file that others replaced looks damaged too, but is lost
        self._note(DatabaseDamagedError(damage(kind)))

    def rescue(self) -> Path | None:
        """Save what the connection to the lost file still reads, beside it; None if that was done before.

        The copy is for its owner only, and complete when it has its name. Raises `StoreError` on failure.
        """
        with self._saving:
            if self._saved:
                return None
            copy = self._save()
            self._saved = True
        log.error("%s: what it held is saved in %s; the next start brings it back", self.file, copy.name)
        return copy

    def close(self) -> None:
        """Close the connection, unless its file was lost: then it stays open until the process ends.

        What a lost one still reads is saved if that was not done yet.
        """
        try:
            ours = _identities(self.file) == self._opened
        except StoreError:
            ours = False  # nobody knows
        if ours and not self.lost:
            self._connection.close()
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(self._connection))
            return
        with suppress(StoreError):
            self.check()  # logs the loss, if nobody has noticed yet
        try:
            self.rescue()
        except StoreError as error:
            log.critical("%s", error.message)

    def _note(self, trouble: StoreError) -> None:
        with self._noting:
            if self._trouble is not None:
                return
            self._trouble = trouble
        log.critical("%s: %s", self.file, trouble.message)

    def _loss(self, found: tuple[FileIdentity | None, FileIdentity | None]) -> str:
        part, now = ("database", found[0]) if found[0] != self._opened[0] else ("journal", found[1])
        what = "deleted" if now is None else "replaced"
        return (
            f"the {part}'s file was {what} under the service, which records nothing there until it is "
            f"restarted: {_WHAT_TO_DO}"
        )

    def _save(self) -> Path:
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        draft = self.file.with_name(f".{self.file.name}.{_DRAFT}-{stamp}")
        copy = self.file.with_name(f"{self.file.name}.{RESCUED}-{stamp}")
        descriptor = None
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_room()
            # The draft has its own name, so opening it drops no lock on the database. It is locked so that
            # `delete_drafts` of another process leaves it alone until it has its final name.
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._connection.execute("VACUUM INTO ?", (str(draft),)).close()
            os.fsync(descriptor)
            draft.rename(copy)
            sync_folder(copy.parent)
        except (OSError, sqlite3.Error) as error:
            with suppress(OSError):
                draft.unlink()
            reason = error.strerror if isinstance(error, OSError) else error.sqlite_errorname
            raise StoreError(f"what {self.file} held cannot be saved: {reason}") from None
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return copy

    def _check_room(self) -> None:
        pages, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        disk = os.statvfs(self.file.parent)
        if disk.f_bavail * disk.f_frsize < pages * size + _ROOM_TO_LEAVE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_held: dict[Path, HeldFile] = {}
_held_lock = threading.Lock()


def hold(file: Path, timeout: float) -> HeldFile:
    """Hold a database's file in this process, making it if there is none. Give it to `release` in the end.

    All connections of this process are checked against it. Raises `sqlite3.Error`, and `StoreError`.
    """
    with _held_lock:
        held = _held.get(file)
        if held is None:
            create_file(file)
            held = _held[file] = HeldFile(file, timeout)
        held.holders += 1
        return held


def release(held: HeldFile) -> None:
    """The last holder closes it."""
    with _held_lock:
        held.holders -= 1
        if held.holders == 0:
            del _held[held.file]
            held.close()


def held_file(file: Path) -> HeldFile | None:
    """The file as this process holds it, or None."""
    return _held.get(file)


def create_file(file: Path) -> None:
    """Make an empty file, which is a database without tables, for its owner only. Keeps one that is there.

    Raises `StoreError`.
    """
    try:
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        # Made under another name and linked, so that no descriptor of the database is ever closed here (see
        # above), and no database that another process makes at the same time is replaced.
        descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        os.close(descriptor)
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was faster
        finally:
            os.unlink(draft)
    except OSError as error:
        raise StoreError(f"{file} cannot be made: {error.strerror}") from None


def rescued_copies(file: Path) -> list[Path]:
    """Copies that were saved of a lost database and are not in it yet, oldest first. Raises `StoreError`."""
    return _beside(file, f"{file.name}.{RESCUED}-")


def delete_drafts(file: Path) -> None:
    """Delete copies that were not finished because the process was killed. Raises `StoreError`."""
    for draft in _beside(file, f".{file.name}.{_DRAFT}-"):
        try:
            descriptor = os.open(draft, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink(missing_ok=True)
            finally:
                os.close(descriptor)
        except (FileNotFoundError, BlockingIOError):
            continue  # it has its final name by now, or is being written
        except OSError as error:
            raise StoreError(f"{draft} cannot be deleted: {error.strerror}") from None


def damage(kind: str) -> str:
    """The message for damaged pages."""
    return (
        f"pages of the database are damaged ({kind}): stop the service, keep a copy, see what "
        "`evenmatch log verify` says, and put a backup in its place"
    )


def is_damage(kind: str) -> bool:
    """Whether SQLite's name of an error says that the file is not what SQLite wrote."""
    return kind.startswith("SQLITE_CORRUPT") or kind == "SQLITE_NOTADB"


def _beside(file: Path, prefix: str) -> list[Path]:
    try:
        return sorted(path for path in file.parent.iterdir() if path.name.startswith(prefix))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{file.parent} cannot be read: {error.strerror}") from None


def _identities(file: Path) -> tuple[FileIdentity | None, FileIdentity | None]:
    """Of the database and its journal. Raises `StoreError` if the disk does not say."""
    return _identity(file), _identity(file.with_name(f"{file.name}-wal"))


def _identity(file: Path) -> FileIdentity | None:
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{file} cannot be looked at: {error.strerror}") from None
    return status.st_dev, status.st_ino
