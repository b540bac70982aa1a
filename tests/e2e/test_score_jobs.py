"""Batch jobs on servers that are killed: the results of an uninterrupted run, and every decision once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from service.core.bundle import Bundle
from service.store import tables
from service.store.recorder import StoreOptions
from service.store.verification import verify
from tests.e2e.conftest import FAKE, Server, start_server
from tests.support.jobs import JOB, OTHER_JOB, candidates, finished, json_lines
from tests.support.patience import PATIENCE
from tests.support.postgres import PostgresServer, programs

LOG_KEY = "a key that all replicas have"
ROWS = 60
BODY = json_lines({"job": JOB}, {"job": OTHER_JOB}, *candidates(ROWS), {"id": "c-x", "resume": ""})
HEADERS = {"content-type": "application/x-ndjson", "idempotency-key": "the-same-job"}

StartReplica = Callable[[Path, str], Server]


@pytest.fixture
def replica(tiny_bundle: Bundle) -> Iterator[StartReplica]:
    """Starts a server on a data folder and a database ("": its own SQLite file); killed at the end."""
    started: list[Server] = []

    def start(data_dir: Path, database: str) -> Server:
        server = start_server(
            data_dir,
            FAKE,
            EVENMATCH_BUNDLE=str(tiny_bundle.path),
            EVENMATCH_PORT="0",
            EVENMATCH_LOG_KEY=LOG_KEY,
            EVENMATCH_DATABASE_URL=database,
            EVENMATCH_JOBS_CHUNK_ROWS="3",
            EVENMATCH_JOBS_LEASE_SECONDS="1",
            EVENMATCH_JOBS_ATTEMPTS="1000",
        )
        started.append(server)
        return server

    yield start
    for one in started:
        kill(one)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    server = PostgresServer(found)
    server.start()
    yield server
    server.remove()


def kill(server: Server) -> None:
    if server.process.poll() is None:
        server.process.kill()
    server.wait()


def create(url: str) -> str:
    """The job, whether it is there already or not; sent again until a server takes it."""
    while True:
        try:
            answer = httpx.post(f"{url}/v1/score/jobs", content=BODY, headers=HEADERS, timeout=PATIENCE)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


def outcome(url: str, job_id: str) -> tuple[bytes, bytes]:
    """Results and errors of a job, once it is complete."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        finished(client, job_id)
        return tuple(  # type: ignore[return-value]  # of two
            client.get(f"/v1/score/jobs/{job_id}/{what}").content for what in ("results", "errors")
        )


def check_log(data_dir: Path, database: str) -> None:
    """The chain holds, and every pair has one decision."""
    options = StoreOptions(data_dir=data_dir, database_url=database, log_key=LOG_KEY)
    with closing(options.open_log()) as log:
        assert verify(log).broken == 0
        with log.reading() as connection:
            query = select(tables.decisions.c.job_id, tables.decisions.c.candidate_id)
            pairs = Counter(tuple(row) for row in connection.execute(query))
    assert pairs == Counter({(job["id"], f"c-{i}"): 1 for job in (JOB, OTHER_JOB) for i in range(ROWS)})


def survive(
    replica: StartReplica, folders: Sequence[Path], database: str, kills: int, chance: random.Random
) -> tuple[bytes, bytes]:
    """Results of a job whose servers are killed again and again, one at a time."""
    servers = [replica(folder, database) for folder in folders]
    job_id = create(servers[0].url)
    for _ in range(kills):
        time.sleep(chance.uniform(0.0, 0.3))
        victim = chance.randrange(len(servers))
        kill(servers[victim])
        servers[victim] = replica(folders[victim], database)
    assert create(servers[-1].url) == job_id
    found = outcome(servers[-1].url, job_id)
    for server in servers:
        assert "Traceback" not in server.log
        kill(server)
    check_log(folders[0], database)
    return found


def uninterrupted(replica: StartReplica, folder: Path) -> tuple[bytes, bytes]:
    server = replica(folder, "")
    found = outcome(server.url, create(server.url))
    kill(server)
    assert found[0].count(b"\n") == 2 * ROWS
    assert found[1].count(b"\n") == 1
    return found


def test_a_killed_server_goes_on_with_its_job(replica: StartReplica, tmp_path: Path) -> None:
    found = survive(replica, [tmp_path / "killed"], "", 2, random.Random(1))
    assert found == uninterrupted(replica, tmp_path / "whole")


@pytest.mark.slow
def test_a_job_survives_thirty_kills_on_sqlite(replica: StartReplica, tmp_path: Path) -> None:
    whole = uninterrupted(replica, tmp_path / "whole")
    for run in range(6):  # a job is done before the thirtieth
        folder = tmp_path / f"killed-{run}"
        assert survive(replica, [folder], "", 5, random.Random(run)) == whole


@pytest.mark.slow
@pytest.mark.postgres
def test_a_job_of_two_replicas_survives_thirty_kills_on_postgresql(
    replica: StartReplica, postgres: PostgresServer, tmp_path: Path
) -> None:
    whole = uninterrupted(replica, tmp_path / "whole")
    for run in range(6):
        folders = [tmp_path / f"{name}-{run}" for name in ("one", "other")]
        found = survive(replica, folders, postgres.new_database(), 5, random.Random(run))
        assert found == whole
