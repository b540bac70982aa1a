"""The file of a SQLite database: nobody but SQLite opens it, its lock never lapses, and a loss is noticed."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event

from service.core.errors import DatabaseDamagedError, DatabaseLostError, StoreError
from service.store.database import open_database
from service.store.log import DecisionLog
from service.store.right_to_erasure import erase_person
from service.store.sqlite import create_file, held_file, hold, release, sqlite_url
from service.store.verification import verify
from tests.service.store.children import Child
from tests.service.store.recorders import log_of, stored
from tests.support.decision_logs import KEY, OpenLog, candidates, decisions
from tests.support.patience import wait_until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit")

BeginChild = Callable[[Path], Child]


@pytest.fixture
def child() -> Iterator[BeginChild]:
    """Start a recording process; killed at the end."""
    with ExitStack() as stack:

        def begin(folder: Path) -> Child:
            started = Child(folder)
            stack.callback(started.kill)
            return started

        yield begin


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process, this one, has SQLite's write lock."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full(process: subprocess.Popen[str]) -> Iterator[None]:
    """No file that the process writes may grow any more; the spool's are small enough."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


@linux_only
def test_after_every_recovery_the_lock_is_there_and_nothing_was_opened_but_by_sqlite(
    child: BeginChild, tmp_path: Path
) -> None:
    service = child(tmp_path)
    acknowledged = service.record(5)
    assert service.locks() > 0
    for number, trouble in enumerate((locked(service.file), full(service.process)), 1):
        with trouble:
            wait_until(lambda: service.record(1) and service.say("state") == "spooling")
        wait_until(lambda: service.say("state") == "ok")
        assert service.locks() > 0
        with closing(log_of(tmp_path)) as log:  # what `evenmatch log` does, beside the service
            assert verify(log).broken == 0
            erase_person(log, f"c-{number}")
        assert service.locks() > 0
        assert wal(service.file).exists()
        acknowledged |= service.record(3)
    assert service.say("outcome 3") is True
    assert service.say("opens") == []
    assert service.say("ready") == "ready"
    service.kill()
    found = stored(tmp_path)
    assert {f"c-{number}" for number in acknowledged - {1, 2}} <= set(found)
    assert found.count(None) == 2
    with closing(sqlite3.connect(service.file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for file in tmp_path.glob("decisions.sqlite*"):
        content = file.read_bytes()
        assert not any(re.search(rb"c-%d(?!\d)" % number, content) for number in (1, 2))


@linux_only
@pytest.mark.slow
def test_a_disk_that_filled_up_and_has_room_again_loses_nothing(child: BeginChild, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("may not mount")
    try:
        service = child(disk)
        acknowledged = service.record(20)
        ballast = disk / "ballast"
        for _ in range(3):
            fill(ballast)
            wait_until(lambda: service.record(5) is not None and service.say("state") != "ok")
            ballast.unlink()
            wait_until(lambda: service.say("state") == "ok")
            with closing(log_of(disk)) as log:
                assert verify(log).broken == 0
            acknowledged |= service.record(20)
        service.kill()
        assert {f"c-{number}" for number in acknowledged} <= set(stored(disk))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(file: Path) -> None:
    """Take what room there is."""
    with file.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))


def test_a_new_file_is_for_its_owner_only_and_one_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "log.sqlite"
    create_file(file)
    assert (file.stat().st_size, file.stat().st_mode & 0o777) == (0, 0o600)
    assert list(file.parent.iterdir()) == [file]
    file.write_bytes(b"mine")
    create_file(file)
    assert file.read_bytes() == b"mine"
    (tmp_path / "blocked").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be made: File exists"):
        create_file(tmp_path / "blocked" / "log.sqlite")


def test_a_database_behind_a_symbolic_link_is_made_and_held_where_it_points(
    tmp_path: Path, open_log: OpenLog
) -> None:
    (tmp_path / "volume").mkdir()
    link = tmp_path / "log.sqlite"
    link.symlink_to(tmp_path / "volume" / "real.sqlite")
    log = open_log(sqlite_url(link))
    assert log.append(decisions(1)).stored == 1
    (tmp_path / "volume" / "real.sqlite-wal").unlink()
    with pytest.raises(DatabaseLostError, match="journal's file was deleted"):
        log.append(decisions(1, 2))


def put_another(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    other.replace(file)


LOSSES: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (lambda file: file.unlink(), "the database's file was deleted"),
    "replaced": (put_another, "the database's file was replaced"),
    "journal deleted": (lambda file: wal(file).unlink(), "the journal's file was deleted"),
    "journal replaced": (lambda file: put_another(wal(file)), "the journal's file was replaced"),
    "folder deleted": (lambda file: shutil.rmtree(file.parent), "the database's file was deleted"),
}


def wal(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "log.sqlite"


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_committed_to_a_lost_file_is_not_said_to_be_stored(
    file: Path, open_log: OpenLog, loss: str
) -> None:
    log = open_log(sqlite_url(file))
    log.append(decisions(2))
    lose, message = LOSSES[loss]

    def while_it_commits(_: object) -> None:
        lose(file)

    event.listen(log.engine, "commit", while_it_commits)
    with pytest.raises(DatabaseLostError, match=message):
        log.append(decisions(1, 3))
    event.remove(log.engine, "commit", while_it_commits)
    questions = open_database(sqlite_url(file))
    for _ in range(2):  # and it stays so, for every connection of the process
        with pytest.raises(DatabaseLostError, match=message):
            log.append(decisions(1, 4))
        with pytest.raises(DatabaseLostError, match=message):
            questions.connect()
    questions.dispose()
    log.rescue()
    (copy,) = file.parent.glob("log.sqlite.rescued-*")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(DecisionLog(sqlite_url(copy), KEY, frozen=True)) as saved:
        assert candidates(saved) == ["c-1", "c-2", "c-3"]
        assert verify(saved).broken == 0
    log.rescue()  # once is enough
    assert len(list(file.parent.glob("*rescued-*"))) == 1


def test_a_loss_is_logged_once(file: Path, open_log: OpenLog, caplog: pytest.LogCaptureFixture) -> None:
    log = open_log(sqlite_url(file))
    file.unlink()
    for _ in range(3):
        with pytest.raises(DatabaseLostError):
            log.check()
    assert caplog.text.count("was deleted under the service") == 1
    assert "EvenmatchStoreLost" in caplog.text


def test_a_lost_connection_is_never_closed_over_what_others_put_there(
    file: Path, open_log: OpenLog, tmp_path: Path
) -> None:
    """Closing would write the old journal back into a file that changed since."""
    log = open_log(sqlite_url(file))
    log.append(decisions(3))
    wal(file).unlink()
    file.with_name(f"{file.name}-shm").unlink()
    before = file.read_bytes()
    log.close()
    assert file.read_bytes() == before
    assert len(list(file.parent.glob("*rescued-*"))) == 1  # at the last moment
    assert held_file(file) is None  # a service that is started here anew begins with what is there


def test_the_end_of_the_interpreter_closes_no_held_file(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom service.store.sqlite import connect, hold, set_up\n"
        f"file = Path('{tmp_path}/log.sqlite')\nheld = hold(file, 5)\n"
        "other = connect(file, 5)\nset_up(other)\nother.execute('CREATE TABLE t (a)')\nother.close()\n"
        f"Path(f'{{file}}-wal').rename('{tmp_path}/moved')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    assert (tmp_path / "moved").stat().st_size > 0
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as connection:  # nothing was written back
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_copy_that_does_not_fit_is_not_begun(
    file: Path, open_log: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spool needs what room is left."""
    log = open_log(sqlite_url(file))
    file.unlink()
    monkeypatch.setattr("service.store.sqlite._ROOM_TO_LEAVE_BYTES", 2**60)
    with pytest.raises(StoreError, match="cannot be saved: No space left"):
        log.rescue()
    assert [path.name for path in file.parent.iterdir() if "rescu" in path.name] == []
    monkeypatch.undo()
    log.rescue()


def test_several_logs_on_one_file_hold_it_together(file: Path, open_log: OpenLog) -> None:
    one, other = open_log(sqlite_url(file)), open_log(sqlite_url(file))
    one.close()
    wal(file).unlink()
    with pytest.raises(DatabaseLostError):
        other.append(decisions(1))


def test_a_disk_that_does_not_say_what_is_there_is_away_and_not_lost(
    file: Path, open_log: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(sqlite_url(file))
    stat = Path.stat

    def refused(path: Path, **options: bool) -> os.stat_result:
        if path.parent == file.parent:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", refused)
        with pytest.raises(StoreError, match="cannot be looked at: Permission denied") as caught:
            log.append(decisions(1))
    assert not isinstance(caught.value, DatabaseLostError)
    assert log.append(decisions(1)).stored == 0 or log.append(decisions(1)).stored == 0
    assert candidates(log) in ([], ["c-1"])


def test_a_file_that_is_no_database_is_not_held_and_may_be_mended(file: Path) -> None:
    file.write_bytes(b"not a database" * 1_000)
    with pytest.raises(sqlite3.DatabaseError):
        hold(file, 1.0)
    assert held_file(file) is None
    file.write_bytes(b"")
    release(hold(file, 1.0))


def test_a_damaged_page_is_met_said_and_remembered(file: Path, open_log: OpenLog) -> None:
    log = open_log(sqlite_url(file))
    log.append(decisions(50))
    log.close()
    root = page_of(file, "sqlite_autoindex_decisions_1")
    with file.open("r+b") as stream:
        stream.seek(root)
        stream.write(b"\xff" * 4096)
    again = open_log(sqlite_url(file))
    with pytest.raises(DatabaseDamagedError, match=r"pages of the database are damaged .* put a backup"):
        again.append(decisions(1, 51))
    with pytest.raises(DatabaseDamagedError):
        again.check()


def page_of(file: Path, name: str) -> int:
    """Where the first page of a table or index begins."""
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        root = int(connection.execute(query, (name,)).fetchone()[0])
    return (root - 1) * 4096
