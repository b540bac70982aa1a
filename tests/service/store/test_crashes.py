"""Real processes, killed without warning: what was acknowledged is there afterwards."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from service.core.bundle import Bundle
from service.store.log import DecisionLog
from service.store.recorder import StoreOptions
from service.store.spool import spooled_lines
from service.store.verification import verify
from tests.support import fake_server
from tests.support.forked import Forked
from tests.support.patience import PATIENCE, wait_until
from tests.support.postgres import PostgresServer

CHECKOUT = Path(__file__).resolve().parents[3]
CLIENTS = 4


@dataclass
class Replica:
    process: Forked
    url: str

    def score(self, client: httpx.Client, candidate: str, count: int = 1) -> httpx.Response:
        candidates = [{"id": f"{candidate}-{i}", "resume": f"java {i} python"} for i in range(count)]
        body = {"job": {"id": "req-1", "description": "python developer"}, "candidates": candidates}
        return client.post(f"{self.url}/v1/score", json=body, timeout=PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


Begin = Callable[..., Replica]


@pytest.fixture
def replica(tiny_bundle: Bundle, bge_like: Path, tmp_path: Path) -> Iterator[Begin]:
    """Start a service with its files in `tmp_path`, unless told otherwise; killed at the end."""
    started: list[Replica] = []

    def begin(**settings: str) -> Replica:
        process = Forked(
            fake_server.main,
            [str(tiny_bundle.path), str(bge_like / "tokenizer.json")],
            env={**os.environ, "EVENMATCH_DATA_DIR": str(tmp_path), **settings},
            cwd=CHECKOUT,
        )
        with process.stdout, process.stderr:
            found = re.fullmatch(r"listening on (\d+)", process.stdout.readline().strip())
        assert found, "the service did not start"
        started.append(Replica(process, f"http://127.0.0.1:{found[1]}"))
        return started[-1]

    yield begin
    for one in started:
        one.kill()


def acknowledged_until_killed(service: Replica, seconds: float) -> set[str]:
    """Decision ids that clients were told of before the service was killed under their hands."""
    ids: set[str] = set()

    def send(worker: int) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            for number in range(100_000):
                try:
                    answer = service.score(client, f"w{worker}-{number}", count=3)
                except httpx.TransportError:
                    return
                ids.update(result["decision_id"] for result in answer.json()["results"])

    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(CLIENTS)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(ids) > 10)  # the first request reads word lists
    time.sleep(seconds)
    service.kill()
    for thread in threads:
        thread.join(PATIENCE)
    return ids


def recorded(log: DecisionLog) -> list[str]:
    with log.reading() as connection:
        return list(
            connection.exec_driver_sql("SELECT decision_id FROM decisions ORDER BY sequence").scalars()
        )


def in_database(folder: Path, url: str = "") -> list[str]:
    """Decision ids in the database; the chain must hold."""
    with closing(StoreOptions(data_dir=folder, database_url=url).open_log()) as log:
        assert verify(log).broken == 0
        return recorded(log)


@pytest.mark.slow
def test_kill_9_loses_nothing_acknowledged(replica: Begin, tmp_path: Path) -> None:
    everything: set[str] = set()
    for seconds in (0.7, 0.31):
        acknowledged = acknowledged_until_killed(replica(), seconds)
        everything |= acknowledged
        found = in_database(tmp_path)
        assert everything <= set(found)
        assert len(found) == len(set(found))


@pytest.mark.slow
def test_kill_9_of_what_is_not_durable_loses_at_most_what_was_not_flushed_yet(
    replica: Begin, tmp_path: Path
) -> None:
    service = replica(EVENMATCH_DURABLE="false")
    with httpx.Client(timeout=PATIENCE) as client:
        early = {service.score(client, f"c-{n}").json()["results"][0]["decision_id"] for n in range(20)}
        wait_until(lambda: early <= set(in_database(tmp_path)))
        for number in range(5):
            service.score(client, f"late-{number}")
    service.kill()
    assert early <= set(in_database(tmp_path))


@pytest.mark.slow
def test_sigterm_loses_nothing_of_what_is_not_durable(replica: Begin, tmp_path: Path) -> None:
    service = replica(EVENMATCH_DURABLE="false")
    with httpx.Client(timeout=PATIENCE) as client:
        ids = [service.score(client, f"c-{n}").json()["results"][0]["decision_id"] for n in range(20)]
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(PATIENCE)
    assert in_database(tmp_path) == ids


@pytest.mark.slow
def test_kill_9_while_the_database_is_away_leaves_everything_in_the_spool(
    replica: Begin, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'blocked' / 'log.sqlite'}"
    (tmp_path / "blocked").write_text("no folder")  # so that the database cannot be made
    acknowledged = acknowledged_until_killed(replica(EVENMATCH_DATABASE_URL=url), 0.5)
    assert spooled_lines(tmp_path / "spool") >= len(acknowledged)
    (file,) = (tmp_path / "spool").glob("*.spool")
    with file.open("ab") as stream:
        stream.write(b'0123 {"decision_id":')  # as if it had been killed in the middle of a line
    (tmp_path / "blocked").unlink()
    again = replica(EVENMATCH_DATABASE_URL=url)
    wait_until(lambda: spooled_lines(tmp_path / "spool") == 0)
    assert httpx.get(f"{again.url}/health/ready", timeout=PATIENCE).json()["store"] == "ok"
    found = in_database(tmp_path, url)
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_a_full_disk_ends_in_503_and_keeps_what_was_acknowledged(replica: Begin, tmp_path: Path) -> None:
    service = replica()
    acknowledged: list[str] = []
    with httpx.Client(timeout=PATIENCE) as client:
        assert service.score(client, "first").status_code == 200
        # No file may grow any more: neither the database nor, after some more lines, the spool.
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
        for number in range(300):
            answer = service.score(client, f"c-{number}", count=20)
            if answer.status_code != 200:
                break
            acknowledged += [result["decision_id"] for result in answer.json()["results"]]
        problem = answer.json()
        # The limit is one of each file, so that a new one would still find room: no more of that either.
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (1_000, 1_000))
        wait_until(lambda: service.score(client, "none").status_code == 503)
        ready = client.get(f"{service.url}/health/ready")
        alive = client.get(f"{service.url}/health/live")
    assert (answer.status_code, problem["code"]) == (503, "store_down")
    assert int(answer.headers["retry-after"]) > 0
    assert (ready.status_code, ready.json()["code"], alive.status_code) == (503, "store_down", 200)
    assert len(acknowledged) > 100
    service.kill()
    again = replica()  # with room
    wait_until(lambda: spooled_lines(tmp_path / "spool") == 0)
    assert httpx.get(f"{again.url}/health/ready", timeout=PATIENCE).json()["store"] == "ok"
    found = in_database(tmp_path)
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.skipif(sys.platform != "linux", reason="needs prlimit")
def test_readiness_stays_down_until_the_disk_takes_decisions_again(replica: Begin) -> None:
    """A database can be opened on a full disk: that alone must not send requests here."""
    service = replica(EVENMATCH_STORE_FAILURE="refuse")
    unlimited = resource.RLIM_INFINITY
    with httpx.Client(timeout=PATIENCE) as client:
        assert service.score(client, "first").status_code == 200  # reads word lists
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (1_000, unlimited))
        wait_until(lambda: service.score(client, "none").status_code == 503)
        for _ in range(8):  # longer than the pause between two attempts to reach the database
            assert client.get(f"{service.url}/health/ready").status_code == 503
            time.sleep(0.3)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
        wait_until(lambda: client.get(f"{service.url}/health/ready").status_code == 200)
        assert service.score(client, "some").status_code == 200


@pytest.mark.slow
def test_a_lock_held_for_long_and_a_look_at_the_log_afterwards_lose_nothing(
    replica: Begin, tmp_path: Path
) -> None:
    """The service reconnects; another process opens and closes the database: the journal must stay."""
    service = replica()
    command = [sys.executable, "-c", "from service.cli import main; main()", "log"]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "EVENMATCH_DATA_DIR": str(tmp_path)}
    acknowledged = []
    with httpx.Client() as client:

        def score(name: str) -> None:
            answer = service.score(client, name)
            assert answer.status_code == 200
            acknowledged.append(answer.json()["results"][0]["decision_id"])

        score("first")
        with closing(sqlite3.connect(tmp_path / "decisions.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            score("while-it-is-locked")  # after 10 s, from the spool
            other.execute("ROLLBACK")
        wait_until(lambda: client.get(f"{service.url}/health/ready").json()["store"] == "ok")
        for arguments in (["verify"], ["erase", "--candidate", "first-0"], ["head"]):
            subprocess.run([*command, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
            for number in range(5):
                score(f"{arguments[0]}-{number}")
        assert client.get(f"{service.url}/health/ready").json()["store"] == "ok"
    service.kill()
    assert sorted(in_database(tmp_path)) == sorted(acknowledged)
    with closing(sqlite3.connect(tmp_path / "decisions.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT 1 FROM decisions WHERE candidate_id = 'first-0'").fetchall() == []


@pytest.mark.slow
def test_a_database_deleted_under_the_service_is_said_and_comes_back(replica: Begin, tmp_path: Path) -> None:
    service = replica()
    with httpx.Client() as client:
        ids = [service.score(client, f"c-{n}").json()["results"][0]["decision_id"] for n in range(3)]
        for file in tmp_path.glob("decisions.sqlite*"):
            file.unlink()
        wait_until(lambda: client.get(f"{service.url}/health/ready").status_code == 503)
        assert client.get(f"{service.url}/health/ready").json()["code"] == "store_lost"
        fairness = client.get(f"{service.url}/v1/fairness")
        assert (fairness.status_code, fairness.json()["code"]) == (503, "store_lost")
        ids += [service.score(client, "later").json()["results"][0]["decision_id"]]
        wait_until(lambda: list(tmp_path.glob("decisions.sqlite.rescued-*")))
        wait_until(lambda: "evenmatch_store_lost 1.0" in client.get(f"{service.url}/metrics").text)
    service.kill()
    again = replica()
    wait_until(lambda: httpx.get(f"{again.url}/health/ready").json()["store"] == "ok")
    assert in_database(tmp_path) == ids


@pytest.mark.slow
def test_two_services_on_one_data_folder_make_one_chain_and_take_over_each_others_spool(
    replica: Begin, tmp_path: Path
) -> None:
    services = [replica(EVENMATCH_DATABASE_SECONDS="1") for _ in range(2)]
    acknowledged = []
    with httpx.Client(timeout=PATIENCE) as client:

        def score(number: int) -> None:
            answer = services[number % 2].score(client, f"c-{number}")
            assert answer.status_code == 200
            acknowledged.append(answer.json()["results"][0]["decision_id"])

        for number in range(20):
            score(number)
        with closing(sqlite3.connect(tmp_path / "decisions.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in (20, 21):
                score(number)
            assert len(list((tmp_path / "spool").glob("*.spool"))) == 2  # one each
            services[0].kill()
            other.execute("ROLLBACK")
        services[1].kill()
        services[1] = replica()
        for number in (23, 25):
            score(number)
    wait_until(lambda: spooled_lines(tmp_path / "spool") == 0)
    found = in_database(tmp_path)
    assert sorted(found) == sorted(acknowledged)


@pytest.mark.slow
def test_a_backup_made_under_load_brings_back_all_that_was_acknowledged_before_it(
    replica: Begin, tmp_path: Path
) -> None:
    """The folder is lost, the backup is put elsewhere, and the service goes on from there."""
    old, new = tmp_path / "old", tmp_path / "new"
    service = replica(EVENMATCH_DATA_DIR=str(old))
    acknowledged: set[str] = set()
    going = threading.Event()
    going.set()

    def send(worker: int) -> None:
        with httpx.Client(timeout=PATIENCE) as client:
            number = 0
            while going.is_set():
                number += 1
                answer = service.score(client, f"w{worker}-{number}", count=3)
                acknowledged.update(result["decision_id"] for result in answer.json()["results"])

    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(CLIENTS)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 50)
    before = set(acknowledged)
    evenmatch = [sys.executable, "-c", "from service.cli import main; main()"]
    for arguments, folder in (
        (["backup", "--output", str(tmp_path / "backup.tar"), "--with-key"], old),
        (["restore", str(tmp_path / "backup.tar"), "--check"], old),
    ):
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "EVENMATCH_DATA_DIR": str(folder)}
        subprocess.run([*evenmatch, *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)
    going.clear()
    for thread in threads:
        thread.join(PATIENCE)
    in_use = subprocess.run(
        [*evenmatch, "restore", str(tmp_path / "backup.tar"), "--replace"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "EVENMATCH_DATA_DIR": str(old)},
        capture_output=True,
        text=True,
    )
    assert (in_use.returncode, "open: stop it first" in in_use.stderr) == (1, True)
    service.kill()
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "EVENMATCH_DATA_DIR": str(new)}
    subprocess.run([*evenmatch, "restore", str(tmp_path / "backup.tar")], check=True, env=environment)
    again = replica(EVENMATCH_DATA_DIR=str(new))
    with httpx.Client(timeout=PATIENCE) as client:
        later = again.score(client, "later").json()["results"][0]["decision_id"]
    found = in_database(new)
    assert before <= set(found)
    assert later in found
    assert len(found) == len(set(found))


@pytest.mark.slow
@pytest.mark.postgres
def test_two_replicas_on_one_postgresql_make_one_chain_and_sum_up(
    replica: Begin, postgres_url: str, tmp_path: Path
) -> None:
    shared = {"EVENMATCH_DATABASE_URL": postgres_url, "EVENMATCH_LOG_KEY": "one key for all replicas"}
    services = [replica(EVENMATCH_DATA_DIR=str(tmp_path / name), **shared) for name in ("a", "b")]
    with httpx.Client(timeout=PATIENCE) as client:
        answers = [services[n % 2].score(client, f"c-{n}", count=2) for n in range(60)]
    ids = [result["decision_id"] for answer in answers for result in answer.json()["results"]]
    for service in services:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(PATIENCE)
    options = StoreOptions(
        data_dir=tmp_path, database_url=postgres_url, log_key=SecretStr("one key for all replicas")
    )
    with closing(options.open_log()) as log:
        assert verify(log).broken == 0
        assert sorted(recorded(log)) == sorted(ids)


@pytest.mark.slow
@pytest.mark.postgres
def test_kill_9_loses_nothing_acknowledged_on_postgresql_and_the_server_may_crash_too(
    replica: Begin, postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"EVENMATCH_DATABASE_URL": postgres_url}
    service = replica(**settings)
    with httpx.Client(timeout=PATIENCE) as client:
        assert service.score(client, "first").status_code == 200
    crash = threading.Timer(0.5, postgres_server.stop)
    crash.start()
    acknowledged = acknowledged_until_killed(service, 1.5)
    crash.join()
    postgres_server.start()
    again = replica(**settings)
    wait_until(lambda: spooled_lines(tmp_path / "spool") == 0)
    assert httpx.get(f"{again.url}/health/ready", timeout=PATIENCE).status_code == 200
    found = in_database(tmp_path, postgres_url)
    assert acknowledged <= set(found)
    assert len(found) == len(set(found))
