"""Batch jobs on servers that are killed: the results of an uninterrupted run, and every decision once."""

from __future__ import annotations

import io
import itertools
import json
import logging
import random
import re
import sqlite3
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import Engine, Table, func, select

from service.core.bundle import Bundle
from service.jobs.states import OPEN
from service.store import tables
from service.store.database import open_database
from service.store.job_tables import chunks, inputs, jobs, results, uploads
from service.store.recorder import StoreOptions
from service.store.sqlite import sqlite_url
from service.store.verification import verify
from tests.e2e import fake_workers
from tests.e2e.conftest import CHECKOUT, Server, environment, watched
from tests.service.files.documents.small_files import docx, line, paragraph, pdf
from tests.support.forked import Forked
from tests.support.jobs import JOB, OTHER_JOB, candidates, finished, json_lines
from tests.support.patience import PATIENCE, wait_until
from tests.support.postgres import PostgresServer

log = logging.getLogger(__name__)

LOG_KEY = "a key that all replicas have"
ROWS = 60
FIXTURES = Path(__file__).parents[1] / "service/files/documents/fixtures"
SMALL_DOCUMENTS = 24
_OF_JOB = re.compile(r"(?<=\d)-[0-9a-f]{8}$")
"""What the id of a candidate that is only a file has of its job."""


@dataclass(frozen=True)
class Order:
    """A job as it is sent. `results`, `failed`: records of these; `decisions`: by posting and candidate."""

    request: dict[str, Any]
    results: int
    failed: int
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def headers(self) -> dict[str, str]:
        return {"idempotency-key": "the-same-job", **self.request.get("headers", {})}


def of_texts() -> Order:
    """Two postings, and a row at fault."""
    body = json_lines({"job": JOB}, {"job": OTHER_JOB}, *candidates(ROWS), {"id": "c-x", "resume": ""})
    request = {"content": body, "headers": {"content-type": "application/x-ndjson"}}
    pairs = Counter({(job["id"], f"c-{i}"): 1 for job in (JOB, OTHER_JOB) for i in range(ROWS)})
    return Order(request, 2 * ROWS, 1, pairs)


def of_the_best() -> Order:
    """As `of_texts`, of which only the best are asked for."""
    whole = of_texts()
    query = {**whole.request, "params": {"top_k": "7"}}
    return Order(query, 2 * 7, 1, whole.decisions)


def of_documents() -> Order:
    """A ZIP archive of PDF, DOCX, ODT and RTF files, of which a scan and an encrypted one cannot be read."""
    packed, real = io.BytesIO(), sorted(FIXTURES.glob("*-p*.*"))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in real:
            archive.write(one, f"people/{one.name}")
        for person in candidates(SMALL_DOCUMENTS):
            text = person["resume"]
            archive.writestr(f"{person['id']}.pdf", pdf(line(text, 72, 700)))
            archive.writestr(f"{person['id']}.docx", docx(paragraph(text)))
    count = len(real) + 2 * SMALL_DOCUMENTS
    unreadable = {i for i, one in enumerate(real, 1) if one.name.startswith(("scan", "encrypted"))}
    files = [
        ("request", (None, json.dumps({"jobs": [JOB, OTHER_JOB]}), "application/json")),
        ("files", ("people.zip", packed.getvalue(), "application/zip")),
    ]
    pairs = Counter(
        {
            (job["id"], f"file-{i}"): 1
            for job in (JOB, OTHER_JOB)
            for i in range(1, count + 1)
            if i not in unreadable
        }
    )
    return Order({"files": files}, 2 * (count - len(unreadable)), len(unreadable), pairs)


StartReplica = Callable[..., Server]


@pytest.fixture
def replica(tiny_bundle: Bundle) -> Iterator[StartReplica]:
    """Starts a server on a data folder and a database ("": its own SQLite file); killed at the end."""
    started: list[Server] = []

    def start(data_dir: Path, database: str, **settings: str) -> Server:
        chosen = {
            "EVENMATCH_BUNDLE": str(tiny_bundle.path),
            "EVENMATCH_PORT": "0",
            "EVENMATCH_LOG_KEY": LOG_KEY,
            "EVENMATCH_DATABASE_URL": database,
            "EVENMATCH_JOBS_CHUNK_ROWS": "2",
            "EVENMATCH_JOBS_LEASE_SECONDS": "1",
            "EVENMATCH_JOBS_ATTEMPTS": "1000",
            **settings,
        }
        server = watched(Forked(fake_workers.main, [], environment(data_dir, **chosen), CHECKOUT))
        started.append(server)
        return server

    yield start
    for one in started:
        kill(one)


def kill(server: Server) -> None:
    """`kill -9`; the processes that read texts and documents for it end by themselves."""
    if server.process.poll() is None:
        readers = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()
        psutil.wait_procs(readers, PATIENCE)
        assert not [one for one in readers if one.is_running()], "a reader outlives its server"
    server.wait()


def create(order: Order, url: Callable[[], str]) -> str:
    """The job, whether it is there already or not; sent again until a server takes it."""
    while True:
        try:
            sent = {**order.request, "headers": order.headers, "timeout": PATIENCE}
            answer = httpx.post(f"{url()}/v1/score/jobs", **sent)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])


def outcome(url: str, job_id: str, status: str = "completed") -> tuple[bytes, ...]:
    """Results, as JSON and as CSV, and errors of a job, once it is over."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        finished(client, job_id, status)
        return tuple(
            client.get(f"/v1/score/jobs/{job_id}/{what}").content
            for what in ("results", "results?format=csv", "errors")
        )


def check_log(data_dir: Path, database: str, decisions: Counter[tuple[str, str]]) -> None:
    """The chain holds, and every pair has one decision."""
    options = StoreOptions(data_dir=data_dir, database_url=database, log_key=LOG_KEY)
    with closing(options.open_log()) as found:
        assert verify(found).broken == 0
        with found.reading() as connection:
            query = select(tables.decisions.c.job_id, tables.decisions.c.candidate_id)
            pairs = Counter((job, _OF_JOB.sub("", candidate)) for job, candidate in connection.execute(query))
    assert pairs == decisions


def state_of(engine: Engine) -> str:
    """How far the job of a database is, and whether a chunk of it is being worked on."""
    with engine.connect() as connection:
        status = connection.execute(select(jobs.c.status)).scalar()
        running = connection.execute(select(func.count()).where(chunks.c.state == "running")).scalar_one()
    if status is None:
        return "before it was a job"
    return f"{status}, chunks are being scored" if running and status == "in_progress" else str(status)


def survive(
    replica: StartReplica,
    order: Order,
    folders: Sequence[Path],
    database: str,
    kills: int,
    chance: random.Random,
    seconds: float,
) -> tuple[tuple[bytes, ...], Counter[str]]:
    """A job whose servers are killed, one at a time, until it is over or `kills` hit it: its results, and
    the states that it was hit in."""
    slow = {"FAKE_SECONDS": str(seconds)}
    servers = [replica(folder, database, **slow) for folder in folders]
    engine = open_database(database or sqlite_url(folders[0] / "decisions.sqlite"))
    made: list[str] = []
    sending = threading.Thread(target=lambda: made.append(create(order, lambda: servers[-1].url)))
    sending.start()
    hit: Counter[str] = Counter()
    while hit.total() < kills:
        time.sleep(chance.uniform(0.0, 1.0))
        victim = chance.randrange(len(servers))
        state = state_of(engine)
        kill(servers[victim])
        servers[victim] = replica(folders[victim], database, **slow)
        if state.split(",")[0] in OPEN or not made:
            hit[state] += 1
        else:
            break
    engine.dispose()
    sending.join(PATIENCE)
    assert create(order, lambda: servers[0].url) == made[0]
    found = outcome(servers[-1].url, made[0])
    for server in servers:
        assert "Traceback" not in server.log
        kill(server)
    check_log(folders[0], database, order.decisions)
    return found, hit


def uninterrupted(replica: StartReplica, order: Order, folder: Path) -> tuple[bytes, ...]:
    server = replica(folder, "")
    found = outcome(server.url, create(order, lambda: server.url))
    kill(server)
    results, as_csv, errors = found
    assert results.count(b"\n") == order.results
    assert as_csv.count(b"\r\n") == order.results + 1
    assert errors.count(b"\n") == order.failed
    check_log(folder, "", order.decisions)
    return found


def campaign(
    replica: StartReplica,
    order: Order,
    folder: Path,
    replicas: int,
    new_database: Callable[[], str],
    kills: int,
    seconds: float,
) -> None:
    """So many kills, in as many jobs as that takes."""
    whole = uninterrupted(replica, order, folder / "whole")
    hit: Counter[str] = Counter()
    for run in itertools.count():
        folders = [folder / f"{run}-{number}" for number in range(replicas)]
        left = kills - hit.total()
        found, states = survive(replica, order, folders, new_database(), left, random.Random(run), seconds)
        assert found == whole
        hit += states
        log.info("job %d survived %s", run, dict(states))
        if hit.total() == kills:
            break
    log.info("%d kills: %s", kills, dict(hit))
    assert len(hit) > 1, "every kill came in the same state"


@pytest.mark.slow
def test_a_killed_server_goes_on_with_its_job(replica: StartReplica, tmp_path: Path) -> None:
    order = of_texts()
    (results, _, errors), _ = survive(replica, order, [tmp_path / "killed"], "", 1, random.Random(1), 0.02)
    assert (results.count(b"\n"), errors.count(b"\n")) == (order.results, order.failed)


ORDERS = pytest.mark.parametrize(
    "order", [of_texts(), of_the_best(), of_documents()], ids=["texts", "best", "documents"]
)
KILLS = {"texts": 30, "best": 5, "documents": 10}


@pytest.mark.slow
@ORDERS
def test_jobs_survive_random_kills_on_sqlite(
    replica: StartReplica, order: Order, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills = KILLS[request.node.callspec.id]
    campaign(replica, order, tmp_path, 1, str, kills, 0.1)


@pytest.mark.slow
@pytest.mark.postgres
@ORDERS
def test_jobs_of_two_replicas_survive_random_kills_on_postgresql(
    replica: StartReplica,
    order: Order,
    postgres: PostgresServer,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    kills = KILLS[request.node.callspec.id]
    campaign(replica, order, tmp_path, 2, postgres.new_database, kills, 1.5)


@pytest.mark.slow
def test_an_upload_that_dies_with_its_server_leaves_nothing_and_can_be_sent_again(
    replica: StartReplica, tmp_path: Path
) -> None:
    order, folder = of_texts(), tmp_path / "killed"
    server, engine = replica(folder, ""), open_database(sqlite_url(folder / "decisions.sqlite"))
    goes_on = threading.Event()

    def half() -> Iterator[bytes]:
        yield order.request["content"][:5_000] + bytes(b"\n" * 2**20)  # which are no rows
        goes_on.wait(PATIENCE)

    def send() -> None:
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{server.url}/v1/score/jobs", content=half(), headers=order.headers, timeout=PATIENCE)

    sending = threading.Thread(target=send)
    sending.start()
    wait_until(lambda: rows_of(engine, uploads))
    kill(server)
    goes_on.set()
    sending.join(PATIENCE)
    with engine.begin() as connection:
        assert connection.execute(select(func.count()).select_from(inputs)).scalar_one() > 0
        connection.execute(uploads.update().values(touched=0))  # an hour ago
    again = replica(folder, "")
    wait_until(lambda: rows_of(engine, inputs) + rows_of(engine, uploads) == 0)
    found = outcome(again.url, create(order, lambda: again.url))
    kill(again)
    engine.dispose()
    assert found == uninterrupted(replica, order, tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["validating", "in_progress"])
def test_a_job_survives_a_kill_while_its_texts_are_encoded(
    replica: StartReplica, tmp_path: Path, state: str
) -> None:
    order, folder, held = of_texts(), tmp_path / "killed", tmp_path / "held"
    server = replica(folder, "", FAKE_HELD=str(held), FAKE_SECONDS="0.05")
    engine = open_database(sqlite_url(folder / "decisions.sqlite"))
    if state == "validating":
        held.touch()
    job = create(order, lambda: server.url)
    wait_until(lambda: state_of(engine).startswith(state))
    held.touch()
    time.sleep(1.5)  # longer than a lease
    assert state_of(engine).startswith(state)
    kill(server)
    held.unlink()
    again = replica(folder, "")
    assert outcome(again.url, job) == uninterrupted(replica, order, tmp_path / "whole")
    engine.dispose()
    check_log(folder, "", order.decisions)


@pytest.mark.slow
def test_a_job_survives_a_kill_while_its_best_are_merged(replica: StartReplica, tmp_path: Path) -> None:
    order = of_the_best()
    whole = uninterrupted(replica, order, tmp_path / "whole")
    for run in itertools.count():
        folder = tmp_path / f"killed-{run}"
        server = replica(folder, "")
        job = create(order, lambda: server.url)  # noqa: B023  # called at once
        with closing(
            sqlite3.connect(folder / "decisions.sqlite", timeout=PATIENCE, isolation_level=None)
        ) as lock:
            while True:
                # Between the two transactions in which a job is finalized and completed nobody else writes.
                lock.execute("BEGIN IMMEDIATE")
                status = lock.execute("SELECT status FROM score_jobs").fetchone()[0]
                if status in ("finalizing", "completed"):
                    break
                lock.execute("ROLLBACK")
            kill(server)
            lock.execute("ROLLBACK")
        again = replica(folder, "")
        assert outcome(again.url, job) == whole
        kill(again)
        check_log(folder, "", order.decisions)
        if status == "finalizing":
            break
        assert run < 20, "no kill came in time"


@pytest.mark.slow
def test_a_job_that_is_being_cancelled_is_cancelled_after_a_kill(
    replica: StartReplica, tmp_path: Path
) -> None:
    order, folder, held = of_texts(), tmp_path / "killed", tmp_path / "held"
    server = replica(folder, "", FAKE_HELD=str(held), FAKE_SECONDS="0.05")
    engine = open_database(sqlite_url(folder / "decisions.sqlite"))
    job = create(order, lambda: server.url)
    wait_until(lambda: rows_of(engine, results) > 0)
    held.touch()
    wait_until(lambda: "being scored" in state_of(engine))
    said = httpx.post(f"{server.url}/v1/score/jobs/{job}/cancel", timeout=PATIENCE).json()
    assert said["status"] == "cancelling"
    kill(server)
    held.unlink()
    again = replica(folder, "")
    found, *_ = outcome(again.url, job, "cancelled")
    lines = [json.loads(one) for one in found.splitlines()]
    assert 0 < len(lines) < order.results
    kill(again)
    with engine.connect() as connection:
        query = select(tables.decisions.c.decision_id)
        made = Counter(connection.execute(query).scalars())
    engine.dispose()
    assert set(made.values()) == {1}
    assert {one["decision_id"] for one in lines} <= set(made)


def rows_of(engine: Engine, table: Table) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
