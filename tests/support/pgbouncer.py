"""A PgBouncer of one's own before a `PostgresServer`, in transaction mode, reached by a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support.patience import wait_until

PORT = 6432

CONFIGURATION = """
[databases]
* = host={postgres} user={user}
[pgbouncer]
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = {pool}
max_client_conn = 200
logfile = {folder}/pgbouncer.log
"""


def program() -> str | None:
    """Where PgBouncer is, or None if it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def pgbouncer(postgres_url: str, *, mode: str = "transaction", pool: int = 4) -> Iterator[str]:
    """The URL of a database of `PostgresServer` through a pooler, which shares `pool` connections.

    `auth_type = any` makes every client the same user, as the tests' PostgreSQL trusts everybody.
    """
    found = program()
    assert found is not None
    url = make_url(postgres_url)
    folder = Path(tempfile.mkdtemp(prefix="evenmatch-pooler-", dir="/tmp"))
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            postgres=url.query["host"], user=url.username, port=PORT, folder=folder, mode=mode, pool=pool
        )
    )
    command = [found, str(configuration)]
    if os.geteuid() == 0:  # it refuses to run as root
        for path in (folder, configuration):
            shutil.chown(path, "postgres", "postgres")
        command = ["runuser", "-u", "postgres", "--", *command]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        socket = folder / f".s.PGSQL.{PORT}"
        wait_until(lambda: socket.exists() or running.poll() is not None)
        assert running.poll() is None, (folder / "pgbouncer.log").read_text()
        yield f"postgresql://{url.username}@/{url.database}?host={folder}&port={PORT}"
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder)
