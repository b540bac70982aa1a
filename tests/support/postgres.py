"""A PostgreSQL server of one's own, in a temporary folder, reached by a socket."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.patience import PATIENCE


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None if they are missing or cannot run here."""
    if os.geteuid() == 0 and not any(user.pw_name == "postgres" for user in pwd.getpwall()):
        return None  # they refuse to run as root
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


class PostgresServer:
    """Started by `start`; `stop` is as sudden as a crash. `remove` at the end."""

    def __init__(
        self, bin_folder: Path, folder: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`folder`: kept and used again, if it has a server's data. `settings`: beside those of tests."""
        self._bin = bin_folder
        self.folder = folder or Path(tempfile.mkdtemp(prefix="evenmatch-pg-", dir="/tmp"))
        # What only a power failure would lose need not be on the disk.
        self._settings = {"max_connections": "50", "fsync": "off", **(settings or {})}
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._data = self.folder / "data"
        if not self._data.exists():
            self._run("initdb", "-D", str(self._data), "-U", "tester", "-A", "trust", "--no-sync")
        self._used: list[str] = []

    def start(self) -> None:
        given = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        options = f"-k {self.folder} -c listen_addresses='' {given}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-o", options, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No process of the server runs, and the kernel goes on taking what is sent to them."""
        main = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        main.send_signal(signal.SIGSTOP)  # first: it starts no more of them
        processes = [main, *main.children(recursive=True)]
        try:
            for process in processes:
                process.send_signal(signal.SIGSTOP)
            yield
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGCONT)

    def new_database(self) -> str:
        """The URL of an empty database."""
        import psycopg
        from psycopg import sql

        # Random: a folder that is used again has databases already.
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(
            host=str(self.folder), user="tester", dbname="postgres", autocommit=True
        ) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of an empty database. Others get it afterwards: emptying is cheaper than making."""
        if self._used:
            url = self._used.pop()
            self._empty(url)
        else:
            url = self.new_database()
        yield url
        self._used.append(url)

    def _empty(self, url: str) -> None:
        """Leave nothing in the database of this URL, and nobody connected to it."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            admin.execute("DROP SCHEMA public CASCADE")
            admin.execute("CREATE SCHEMA public")
            admin.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            name = sql.Identifier(admin.info.dbname)
            admin.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))

    def url_of(self, database: str) -> str:
        return f"postgresql://tester@/{database}?host={self.folder}"

    def remove(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = (str(self._bin / program), *arguments)
        if os.geteuid() == 0:
            command = ("runuser", "-u", "postgres", "--", *command)
        # To a file, not a pipe: the server keeps it open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd="/", timeout=PATIENCE)
            output.seek(0)
            assert done.returncode == 0, f"{program}: {output.read().decode()}"
