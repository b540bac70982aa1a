"""`evenmatch score --engine ray` on a real, local Ray: killed, resumed, with workers that die."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyarrow import parquet
from sqlalchemy import func, select

from service.core.bundle import Bundle
from service.settings import Settings
from service.store import tables
from service.store.verification import verify
from tests.support.patience import PATIENCE

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.slow

ENGINEER = "Jane Roe\nSoftware engineer. Built payment services in Python and Java, designed the database."
NURSE = "Sam Poe\nRegistered nurse on a surgical ward. Cared for patients and managed a team."
POSTINGS = """job_id,job_title,job_description
eng,Engineer,"Design and build a payment service in Python and Java for the backend team."
nurse,Nurse,"Care for patients on a surgical ward as a registered nurse of our team."
"""
ROOT = Path(__file__).parents[2]


class Driver:
    """Starts `tests.support.ray_driver` in a folder with inputs."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = env

    def start(self, output: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.support.ray_driver", "score", "--engine", "ray"]
        options = ["--jobs", "postings.csv", "--output", output, "--workers", "2", "--block-rows", "4"]
        with (self.folder / "said").open("w") as said:
            return subprocess.Popen(
                [*command, *options, *arguments, "in"],
                cwd=self.folder,
                env=self.env | env,
                text=True,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def run(self, output: str, *arguments: str, **env: str) -> tuple[int, str]:
        process = self.start(output, *arguments, **env)
        process.wait(20 * PATIENCE)
        return process.returncode, (self.folder / "said").read_text()

    def finished(self, output: str) -> int:
        return len(list((self.folder / output / "results").glob("part-*.parquet")))

    def rows(self, output: str) -> list[dict[str, Any]]:
        files = sorted((self.folder / output / "results").glob("part-*.parquet"))
        return [row for file in files for row in parquet.read_table(file).to_pylist()]


@pytest.fixture
def driver(tiny_bundle: Bundle, bge_like: Path, tmp_path: Path) -> Driver:
    (tmp_path / "in").mkdir()
    (tmp_path / "postings.csv").write_text(POSTINGS)
    for name in ("a", "b", "c"):
        rows = [f'{name}{i},"{ENGINEER if i % 2 else NURSE}\nNumber {i}."\n' for i in range(24)]
        (tmp_path / "in" / f"{name}.csv").write_text("id,resume\n" + "".join(rows))
    return Driver(
        tmp_path,
        {
            **{name: value for name, value in os.environ.items() if not name.startswith("EVENMATCH_")},
            "PYTHONPATH": str(ROOT),
            "EVENMATCH_BUNDLE": str(tiny_bundle.path),
            "EVENMATCH_DATA_DIR": str(tmp_path / "data"),
            "TEST_TOKENIZER": str(bge_like / "tokenizer.json"),
        },
    )


def test_a_driver_that_is_killed_five_times_gives_the_rows_of_one_that_was_not(driver: Driver) -> None:
    code, said = driver.run("whole")
    assert code == 0, said
    whole = driver.rows("whole")
    assert len(whole) == 3 * 24 * 2
    for _ in range(5):
        wanted = driver.finished("out") + random.randint(0, 3)
        process = driver.start("out", "--resume", "--record", TEST_SECONDS_A_BATCH="0.2")
        deadline = time.monotonic() + 10 * PATIENCE
        while process.poll() is None and driver.finished("out") < wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(random.random() / 2)
        process.kill()
        process.wait(PATIENCE)
    code, said = driver.run("out", "--resume", "--record")
    assert code == 0, said
    rows = driver.rows("out")
    ids = [row.pop("decision_id") for row in rows]
    assert rows == [{name: value for name, value in row.items() if name != "decision_id"} for row in whole]
    store = Settings(store={"data_dir": driver.folder / "data"}).store
    with closing(store.open_log()) as log:
        with log.reading() as connection:
            kept = connection.execute(select(tables.decisions.c.decision_id)).scalars().all()
            assert connection.execute(select(func.count()).select_from(tables.decisions)).scalar_one() == len(
                rows
            )
        assert set(kept) == set(ids)
        assert not verify(log).broken


def test_a_worker_that_dies_is_replaced_and_its_block_tried_again(driver: Driver) -> None:
    (driver.folder / "in" / "b.csv").unlink()
    (driver.folder / "in" / "c.csv").unlink()
    with (driver.folder / "in" / "a.csv").open("a") as stream:
        stream.write("too,many,cells\n")
    code, said = driver.run("out", TEST_DIES=str(driver.folder))
    assert code == 5, said
    assert (driver.folder / "died").exists()
    assert "a.csv line 74" in said
    assert len(driver.rows("out")) == 24 * 2


def test_workers_that_die_each_time_end_the_run_with_what_is_likely(driver: Driver) -> None:
    code, said = driver.run("out", TEST_DIES=str(driver.folder), TEST_DIES_ALWAYS="yes")
    assert code == 1, said
    assert "out of memory" in " ".join(said.split())
    assert "--resume" in said


@contextmanager
def cluster(env: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """The address of a cluster of its own, and the process that all others of it come from."""
    # Its sockets need a short path.
    folder = Path(tempfile.mkdtemp(prefix="em-test-", dir="/tmp"))
    command = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--head",
        "--block",
        "--port=0",
        "--num-cpus=2",
    ]
    options = ["--include-dashboard=false", "--object-store-memory=200000000", f"--temp-dir={folder}"]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [*command, *options, "--disable-usage-stats"], env=env, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 10 * PATIENCE
        while not (found := re.search(r"--address='([^']+)'", (folder / "said").read_text())):
            assert process.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < deadline, (folder / "said").read_text()
            time.sleep(0.1)
        yield found[1], psutil.Process(process.pid)
    finally:
        if process.poll() is None:
            end(psutil.Process(process.pid))
        process.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def end(process: psutil.Process) -> None:
    """Kill it and all that come from it, as a machine's end does."""
    family = [process, *process.children(recursive=True)]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def test_a_run_whose_cluster_goes_away_is_continued_on_another(driver: Driver) -> None:
    code, said = driver.run("whole")
    assert code == 0, said
    # It gives up after this time, and not after a minute.
    driver.env["RAY_gcs_rpc_server_reconnect_timeout_s"] = "5"
    driver.env["RAY_AUTH_TOKEN"] = "0123456789abcdef" * 4
    with cluster(driver.env | {"RAY_AUTH_MODE": "token"}) as (address, head):
        code, said = driver.run("out", "--ray-address", address)
        assert code == 1
        assert "set RAY_AUTH_MODE=token" in " ".join(said.split())
        driver.env["RAY_AUTH_MODE"] = "token"
        process = driver.start("out", "--resume", "--ray-address", address, TEST_SECONDS_A_BATCH="0.5")
        deadline = time.monotonic() + 10 * PATIENCE
        while process.poll() is None and driver.finished("out") < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None, (driver.folder / "said").read_text()
        end(head)
        assert process.wait(20 * PATIENCE) != 0
    kept = driver.finished("out")
    assert 2 <= kept < driver.finished("whole")
    assert not (driver.folder / "out" / "_SUCCESS").exists()
    code, said = driver.run("out", "--resume")
    assert code == 0, said
    assert driver.rows("out") == driver.rows("whole")
