"""Prometheus for tests: the real program on the real rules, only quicker."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.patience import PATIENCE

FOLDER = Path(__file__).resolve().parents[2] / "docker" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yml"))


def groups_of(path: Path) -> list[dict[str, Any]]:
    """The rule groups of one file."""
    groups: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["groups"]
    return groups


def quick_rules(folder: Path, wait: str = "2s") -> None:
    """Copy the rules with every group evaluated each second and every `for` shortened to `wait`."""
    folder.mkdir(parents=True)
    for path in RULES:
        groups = groups_of(path)
        for group in groups:
            group["interval"] = "1s"
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = wait
        (folder / path.name).write_text(yaml.safe_dump({"groups": groups}), "utf-8")


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    process: subprocess.Popen[bytes]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query: `metric` and `value` of each."""
        return self._data("query", {"query": expression})

    def query_range(self, expression: str, seconds: float = 10) -> list[dict[str, Any]]:
        """The series of a range query over the last seconds."""
        now = time.time()
        span = {"start": now - seconds, "end": now, "step": 1}
        return self._data("query_range", {"query": expression, **span})

    def values(self, expression: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The values of an instant query by the given labels."""
        return {
            tuple(sample["metric"].get(label, "") for label in labels): float(sample["value"][1])
            for sample in self.query(expression)
        }

    def wait_for(self, expression: str, seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """The first answer that is not empty."""
        deadline = time.monotonic() + seconds
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"nothing came of {expression}"
            time.sleep(0.25)
        return found

    def _data(self, route: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v1/{route}", params=dict(parameters), timeout=PATIENCE).json()
        assert answer["status"] == "success", f"{parameters['query']}: {answer.get('error')}"
        assert not answer.get("warnings"), answer["warnings"]
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result


@contextlib.contextmanager
def running_prometheus(folder: Path, *targets: str, wait: str = "2s") -> Iterator[Prometheus]:
    """Scrape the targets (host:port) and evaluate the rules, both each second."""
    quick_rules(folder / "rules", wait)
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [{"job_name": "evenmatch", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{_free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(f"http://{address}", process, folder / "prometheus.log")
        yield Prometheus(f"http://{address}", process)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, log.read_text("utf-8")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/-/ready", timeout=PATIENCE).status_code == 200:
                return
        time.sleep(0.1)


class Exporter:
    """Serves the series that a test wants Prometheus to see."""

    def __init__(self) -> None:
        self.text = ""
        self.scrapes = 0

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Serve until the end of the block; gives host:port."""
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text.encode()
                exporter.scrapes += 1
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(PATIENCE)

    def wait_for_scrapes(self, more: int, seconds: float = PATIENCE) -> None:
        """Wait until what is served now was read `more` times."""
        target, deadline = self.scrapes + more, time.monotonic() + seconds
        while self.scrapes < target:
            assert time.monotonic() < deadline, "Prometheus does not scrape"
            time.sleep(0.05)


def line(name: str, value: float, **labels: str) -> str:
    """One series in Prometheus' text format."""
    inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}\n"
