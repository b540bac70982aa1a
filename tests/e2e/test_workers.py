"""Several serving processes behind one port, as an operator and Prometheus see them."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from service.core.bundle import Bundle
from tests.e2e.conftest import FAKE, Serve, Server, StartFake, environment
from tests.e2e.texts import BACKEND_JOB
from tests.support.patience import PATIENCE, wait_until

JOB = {"title": "backend engineer", "description": "build the payment service in python and java"}
TEXTS = 3
"""That one request has: a title, a job and a resume of one passage each."""


def score(url: str, sex: str = "female", job: dict[str, str] = JOB) -> int:
    """One request over a connection of its own, which any of the processes may take."""
    candidate = {"id": "c", "resume": "senior backend engineer, python, java", "groups": {"sex": sex}}
    return httpx.post(
        f"{url}/v1/score", json={"job": job, "candidates": [candidate]}, timeout=PATIENCE
    ).status_code


def send(url: str, count: int) -> Counter[str]:
    """Many requests at once; how many were sent of each sex."""
    sexes = ["female" if i % 3 else "male" for i in range(count)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda sex: score(url, sex), sexes)) == {200}
    return Counter(sexes)


def scraped(url: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Values of all series by name and label values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=PATIENCE).text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def texts_looked_up(url: str) -> float:
    """Texts of all requests that got as far as the embedding cache."""
    found = scraped(url)
    return found["evenmatch_cache_hits_total"][()] + found["evenmatch_cache_misses_total"][()]


def decided(url: str) -> Counter[str]:
    """Decisions by sex as /metrics says them."""
    return decided_in(httpx.get(f"{url}/metrics", timeout=PATIENCE).text)


def decided_in(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sex, value in re.findall(
        r'^evenmatch_decisions_total\{attribute="sex",decision="\w+",group="(\w+)"\} (\S+)$', text, re.M
    ):
        if float(value):
            counts[sex] += int(float(value))
    return counts


def processes(server: Server) -> list[psutil.Process]:
    """The serving processes, oldest first."""
    pids = [int(pid) for pid in re.findall(r"process (\d+) serves", server.log)]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def answered_by(file: Path) -> float:
    """Requests that the process which writes `file` has answered."""
    families = MultiProcessCollector.merge([str(file)])  # type: ignore[no-untyped-call]
    (requests,) = (family for family in families if family.name == "evenmatch_requests")
    return float(sum(sample.value for sample in requests.samples))


@pytest.mark.slow
def test_whichever_process_answers_the_counters_are_those_of_all(
    start_fake: StartFake, tmp_path: Path
) -> None:
    server = start_fake()
    zeros = scraped(server.url)
    assert set(zeros["evenmatch_decisions_total"].values()) == {0.0}
    assert zeros["evenmatch_processes"] == {(): 2.0}
    assert list(zeros["evenmatch_model_info"].values()) == [1.0]
    sent = send(server.url, 60)
    # A new connection each time: both processes are asked.
    assert [decided(server.url) for _ in range(20)] == [sent] * 20
    files = list(tmp_path.glob("evenmatch-metrics-*/counter_*.db"))
    assert len(files) == 2
    assert min(map(answered_by, files)) > 0


@pytest.mark.slow
def test_a_killed_process_is_replaced_and_nothing_that_was_counted_is_lost(start_fake: StartFake) -> None:
    server = start_fake()
    sent = send(server.url, 30)
    victim = processes(server)[0]
    victim.kill()
    wait_until(lambda: len(re.findall(r"process \d+ serves", server.log)) == 3)
    assert f"process {victim.pid} died with status -9" in server.log
    sent += send(server.url, 30)
    assert [decided(server.url) for _ in range(10)] == [sent] * 10
    after = scraped(server.url)
    assert after["evenmatch_processes"] == {(): 2.0}
    assert after["evenmatch_process_replacements_total"] == {(): 1.0}


@pytest.mark.slow
def test_a_removed_folder_of_values_is_made_again_and_dead_processes_are_replaced(
    start_fake: StartFake, tmp_path: Path
) -> None:
    server = start_fake()
    sent = send(server.url, 30)
    (folder,) = tmp_path.glob("evenmatch-metrics-*")
    shutil.rmtree(folder)

    def told() -> Counter[str] | None:
        """What /metrics says, if it says anything; it may fail, but never tell a part."""
        answer = httpx.get(f"{server.url}/metrics", timeout=PATIENCE)
        if answer.status_code == 500:
            assert answer.json()["code"] == "metrics_lost"
            return None
        return decided_in(answer.text)

    answers = [told() for _ in range(8)]
    assert [one for one in answers if one is not None and one != sent] == []
    wait_until(lambda: len(list(folder.glob("counter_*.db"))) == 2)
    assert "was gone and is written again" in server.log
    processes(server)[0].kill()
    wait_until(lambda: len(re.findall(r"process \d+ serves", server.log)) == 3)
    sent += send(server.url, 10)
    assert [decided(server.url) for _ in range(6)] == [sent] * 6
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_metrics_fail_loudly_while_their_folder_cannot_be_made_again(
    start_fake: StartFake, tmp_path: Path
) -> None:
    server = start_fake()
    (folder,) = tmp_path.glob("evenmatch-metrics-*")
    shutil.rmtree(folder)
    folder.touch()
    assert {httpx.get(f"{server.url}/metrics", timeout=PATIENCE).status_code for _ in range(6)} == {500}
    processes(server)[0].kill()
    assert score(server.url) == 200
    folder.unlink()
    wait_until(lambda: len(re.findall(r"process \d+ serves", server.log)) == 3)
    wait_until(lambda: httpx.get(f"{server.url}/metrics", timeout=PATIENCE).status_code == 200)
    assert "Traceback" not in server.log


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_a_closed_terminal_stops_all_processes_as_sigterm_does(
    start_fake: StartFake, number: signal.Signals
) -> None:
    """A terminal tells every process of it at once."""
    server = start_fake()
    sent = send(server.url, 20)
    for child in processes(server):
        child.send_signal(number)
    assert decided(server.url) == sent
    server.process.send_signal(number)
    assert server.wait() == -signal.SIGTERM
    assert server.log.count("Application shutdown complete") == 2


@pytest.mark.slow
def test_sigterm_stops_all_processes_and_leaves_no_files(start_fake: StartFake, tmp_path: Path) -> None:
    server = start_fake()
    children = processes(server)
    assert list(tmp_path.glob("evenmatch-metrics-*/*.db"))
    assert server.terminate() == -signal.SIGTERM
    assert not any(child.is_running() for child in children)
    assert not list(tmp_path.glob("evenmatch-metrics-*"))
    assert "Traceback" not in server.log
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health/live", timeout=PATIENCE)


@pytest.mark.slow
def test_sigterm_answers_the_open_requests_of_all_processes_first(
    start_fake: StartFake, tmp_path: Path
) -> None:
    held = tmp_path / "held"
    held.touch()
    server = start_fake(FAKE_HELD=str(held))
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(score, server.url) for _ in range(8)]
        wait_until(lambda: texts_looked_up(server.url) == 8 * TEXTS)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.log.count("Shutting down") == 2)
        assert not any(answer.done() for answer in answers)
        held.unlink()
        assert [answer.result() for answer in answers] == [200] * 8
    assert server.wait() == -signal.SIGTERM


@pytest.mark.slow
def test_processes_whose_parent_is_killed_end_by_themselves(start_fake: StartFake) -> None:
    server = start_fake()
    children = processes(server)
    assert len(children) == 2
    server.process.kill()
    server.process.wait(PATIENCE)
    wait_until(lambda: not any(child.is_running() for child in children))


@pytest.mark.slow
def test_a_process_whose_event_loop_stands_still_is_replaced(start_fake: StartFake) -> None:
    server = start_fake(EVENMATCH_STALL_SECONDS="2")
    stopped = processes(server)[0]
    stopped.suspend()
    wait_until(lambda: len(re.findall(r"process \d+ serves", server.log)) == 3)
    assert f"process {stopped.pid} hangs and is killed" in server.log
    assert score(server.url) == 200


@pytest.mark.slow
def test_processes_that_stood_still_with_their_parent_are_left_alone(start_fake: StartFake) -> None:
    """As in a container that is paused, or after Ctrl-Z; whoever wakes up first must not kill the others."""
    server = start_fake(EVENMATCH_STALL_SECONDS="3")
    parent, children = psutil.Process(server.process.pid), processes(server)
    everyone = [parent, *children]
    for one in everyone:
        one.suspend()
    time.sleep(4)
    parent.resume()
    time.sleep(0.5)  # a round of the parent takes 0.2 s
    for child in children:
        child.resume()
    assert send(server.url, 10).total() == 10
    assert "hangs" not in server.log
    assert processes(server) == children
    # From now on they are watched as before.
    children[0].suspend()
    wait_until(lambda: f"process {children[0].pid} hangs and is killed" in server.log)


@pytest.mark.slow
def test_a_port_that_is_taken_while_the_first_process_loads_is_said(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    """A socket that is bound but does not listen yet keeps nobody else from the port."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        held = tmp_path / "held"
        held.touch()
        settings = {"EVENMATCH_BUNDLE": str(tiny_bundle.path), "EVENMATCH_PORT": str(port)}
        process = subprocess.Popen(
            FAKE,
            env=environment(tmp_path, EVENMATCH_WORKERS="2", FAKE_LOADING=str(held), **settings),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        log = ""
        while "the fake engine waits" not in log:
            log += process.stderr.readline()
        taken.listen()
        held.unlink()
        log += process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1
    assert re.search(r"process \d+ cannot listen: Address already in use", log)
    assert "error: no process can serve" in log


@pytest.mark.slow
def test_the_service_ends_with_an_error_when_no_process_can_serve(
    start_fake: StartFake, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    server = start_fake(FAKE_BROKEN=str(broken))
    broken.touch()
    for child in processes(server):
        child.kill()
    assert server.wait() == 1
    assert "the fake engine is broken" in server.log
    assert "error: no process can serve" in server.log


@pytest.mark.slow
def test_two_real_processes_share_the_cores_and_sum_up(serve: Serve) -> None:
    server = serve(EVENMATCH_WORKERS="2")
    threads = re.findall(r"on \w+ \(\w+, \w+, (\d+) threads\)", server.log)
    cores = len(psutil.Process(server.process.pid).cpu_affinity())
    assert threads == [str(max(1, cores // 2))] * 2
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: score(server.url, job=BACKEND_JOB), range(20)))
    assert set(statuses) == {200}
    assert {tuple(decided(server.url).items()) for _ in range(6)} == {(("female", 20),)}
    baselines = scraped(server.url)["evenmatch_baseline_parity_difference"]
    assert baselines["sex", "demographic_parity"] > 0
    assert len(baselines) == 3 * 4  # sex, race_ethnicity and both; what no live series has is left out
    assert server.terminate() == -signal.SIGTERM
    assert "Traceback" not in server.log
    assert "terminate called" not in server.log
