"""Starting, stopping and failing, as an operator sees it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from service.runtime.options import BUNDLES
from tests.e2e.conftest import CHECKOUT, Serve, Server, command, environment
from tests.e2e.texts import BACKEND_JOB, ENGINEER, NURSE
from tests.support import forked
from tests.support.patience import PATIENCE, wait_until

SECRET = "Zaphod Beeblebrox"


def request_of(resumes: int) -> dict[str, object]:
    texts = [f"{ENGINEER if i % 2 else NURSE} Reference number {i}. {SECRET}." for i in range(resumes)]
    return {"job": BACKEND_JOB, "candidates": [{"id": f"c-{i}", "resume": t} for i, t in enumerate(texts)]}


@pytest.mark.slow
def test_a_second_start_imports_neither_torch_nor_transformers_and_rests_below_700_mib(
    server: Server, serve: Serve
) -> None:
    second = serve(PYTHONPROFILEIMPORTTIME="1")
    assert psutil.Process(second.process.pid).memory_info().rss < 700 * 2**20
    with httpx.Client(base_url=second.url, timeout=PATIENCE) as client:
        assert client.post("/v1/score", json=request_of(3)).status_code == 200
    imported = set(re.findall(r"^import time:[^|]*\|[^|]*\| +(\S+)$", second.log, re.MULTILINE))
    assert "numpy" in imported
    heavy = {name.split(".")[0] for name in imported} & {"torch", "transformers", "peft", "sklearn"}
    assert heavy == set()


def test_the_log_says_which_engine_was_chosen_and_why(server: Server) -> None:
    made_of = r"\(pypi:[^)]+ \+ adapter \+ eraser of \d+ directions\)"
    assert re.search(
        rf"bundle minilm-fair \S+ {made_of} on \w+ \(\w+, \w+, \d+ threads\): auto: .+", server.log
    )


def test_the_event_loop_answers_while_the_engine_works(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        done = threading.Event()
        answers: list[int] = []

        def long_request() -> None:
            answers.append(client.post("/v1/score", json=request_of(150)).status_code)
            done.set()

        thread = threading.Thread(target=long_request)
        thread.start()
        alive = 0
        while not done.is_set():
            alive += httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
        thread.join()
    assert answers == [200]
    assert alive >= 10


@pytest.mark.slow
def test_sigterm_answers_open_requests_first(serve: Serve) -> None:
    server = serve(EVENMATCH_DRAIN_SECONDS="300")
    # Hardly two passages in common, since equal ones are encoded once; no time spent on redaction.
    texts = [
        " ".join(f"Planned shift {i} and {i + k} of ward {k * i} with {k} nurses." for k in range(40))
        for i in range(30)
    ]
    candidates = [{"id": f"c-{i}", "resume": text} for i, text in enumerate(texts)]
    request = {"job": BACKEND_JOB, "candidates": candidates, "redact": False}
    answers: list[httpx.Response] = []
    sender = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{server.url}/v1/score", json=request, timeout=PATIENCE))
    )
    sender.start()
    wait_until(
        lambda: "evenmatch_queue_depth 0" not in httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    )
    server.process.send_signal(signal.SIGTERM)
    sender.join(PATIENCE)
    assert [a.status_code for a in answers] == [200]
    assert len(answers[0].json()["results"]) == 30
    assert server.wait() == -signal.SIGTERM
    assert "Traceback" not in server.log
    assert "terminate called" not in server.log
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health/live", timeout=PATIENCE)


def test_no_resume_text_reaches_the_servers_log(server: Server, client: httpx.Client) -> None:
    client.post("/v1/score", json=request_of(2))
    client.post("/v1/score", json={**request_of(2), SECRET: SECRET})
    client.get(f"/{SECRET}")
    assert "request_id=" in server.log
    assert "Zaphod" not in server.log


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_process_of_the_service_leaves_a_core_file(server: Server) -> None:
    for process in (psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(True)):
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +(0 +0|1 +1) ", limits, re.MULTILINE), process.name()


def failed_start(data_dir: Path, *arguments: str) -> tuple[int, str]:
    env = environment(data_dir)
    done = forked.run(forked.command_line, ["serve", "--port", "0", *arguments], env, CHECKOUT)
    return done.returncode, done.stderr


def test_a_damaged_bundle_stops_the_start_and_names_the_file(data_dir: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "damaged"
    shutil.copytree(BUNDLES / "minilm-base", bundle)
    decision = bundle / "decision.json"
    decision.write_text(decision.read_text().replace("threshold", "treshold"))
    status, log = failed_start(data_dir, "--bundle", str(bundle))
    assert status == 1
    assert f"{decision} was changed: SHA-256" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--bundle", "no-such-bundle"], 1, "no bundle at no-such-bundle"),
        (["--engine", "torch-mps"], 1, "engine torch-mps was asked for, but"),
        (["--engine", "abacus"], 2, "setting EVENMATCH_ENGINE: "),
        (["--port", "99999"], 2, "setting EVENMATCH_PORT: "),
    ],
)
def test_a_start_that_cannot_succeed_says_why(
    data_dir: Path, arguments: list[str], status: int, message: str
) -> None:
    exit_status, log = failed_start(data_dir, *arguments)
    assert exit_status == status
    assert message in log


def test_a_decision_log_of_another_key_stops_the_start(
    server: Server, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENMATCH_LOG_KEY", "not the key of this log")
    status, log = failed_start(data_dir)
    assert status == 1
    assert "the decision log was begun under another key" in log
    assert "Traceback" not in log


@pytest.mark.slow
def test_a_port_in_use_is_said(server: Server, data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            command("serve", "--port", str(taken.getsockname()[1])),
            env=environment(data_dir),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == 1
    assert "cannot listen on" in done.stderr
    assert "Address already in use" in done.stderr
    assert "terminate called" not in done.stderr
