"""Two Ray workers of a thread each beside one process of `evenmatch score` with two threads.

    python -m benchmarks.ray_scoring --resumes 800 --rounds 3

Both score the same rows, and rounds alternate. A rate leaves out the start: it counts what is done after
the first fifth of the rows, from the time at which that was done. Seconds of processor time, which other work
on the machine changes less, are those of the processes that score, over the same span.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from training.data.synthetic.generator import GeneratorConfig, generate

_OTHERS = {"validation_jobs": 1, "calibration_jobs": 1, "threshold_jobs": 1, "test_jobs": 1}
_BLOCK_ROWS = 20
_POLL_SECONDS = 0.3
_PROCESSES = {"one": 1, "ray": 2}
"""That score."""
_ONE_PROCESS = """
import sys
from service.cli import main
from service.cli.progress import ScoringProgress
advance = ScoringProgress.advance
def told(self, count, *, reused=0):
    advance(self, count, reused=reused)
    if self._task is not None and self._what == "resumes":
        with open("done", "a") as stream:
            stream.write(f"{count}\\n")
ScoringProgress.advance = told
main()
"""


class Figures(NamedTuple):
    """Of one run: resumes a second without and with the start, and processor time a resume in ms."""

    rate: float
    rate_with_start: float
    processor_ms: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resumes", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, options.resumes)
        found: dict[str, list[Figures]] = {"one": [], "ray": []}
        for number in range(options.rounds):
            for kind in ("one", "ray") if number % 2 == 0 else ("ray", "one"):
                figures = _measured(kind, folder, number, options.resumes)
                found[kind].append(figures)
                _print(f"round {number + 1}, {kind}: {figures}")
    pairs = list(zip(found["ray"], found["one"], strict=True))
    _print("| figure | value |\n|---|---|")
    for kind, called in (("one", "one process, 2 threads"), ("ray", "Ray, 2 workers of 1 thread")):
        _print(f"| {called} | {_spread([one.rate for one in found[kind]])} resumes/s |")
        _print(
            f"| the same with its start | {_spread([one.rate_with_start for one in found[kind]])} resumes/s |"
        )
        _print(f"| processor time a resume | {_spread([one.processor_ms for one in found[kind]])} ms |")
    _print(f"| Ray / one process | {_spread([ray.rate / one.rate for ray, one in pairs])} |")
    with_start = [ray.rate_with_start / one.rate_with_start for ray, one in pairs]
    _print(f"| the same with the start | {_spread(with_start)} |")
    times = [one.processor_ms / ray.processor_ms for ray, one in pairs]
    _print(f"| the same by processor time | {_spread(times)} |")


def _measured(kind: str, folder: Path, number: int, resumes: int) -> Figures:
    output = folder / f"{kind}-{number}"
    (folder / "done").unlink(missing_ok=True)
    env = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    if kind == "ray":
        arguments = [
            "--engine",
            "ray",
            "--workers",
            "2",
            "--block-rows",
            str(_BLOCK_ROWS),
            "--output",
            str(output),
        ]
        done = _parts(output)
    else:
        arguments = ["--output", f"{output}.parquet"]
        env["EVENMATCH_THREADS"] = "2"
        done = _lines(folder / "done")
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", _ONE_PROCESS, "score", "r.csv", "--jobs", "jobs.csv", *arguments],
        cwd=folder,
        env=env,
        stderr=subprocess.DEVNULL,
    )
    seen = _watch(process, kind, done)
    ended = time.monotonic()
    if process.returncode:
        raise SystemExit(f"{kind} ended with {process.returncode}")
    # Both workers have loaded when a fifth is done.
    first = next(one for one in seen if one[1] >= resumes // 5)
    last = next(one for one in seen if one[1] == seen[-1][1])
    count = last[1] - first[1]
    return Figures(
        count / (last[0] - first[0]), resumes / (ended - begun), 1_000 * (last[2] - first[2]) / count
    )


def _watch(
    process: subprocess.Popen[bytes], kind: str, done: Callable[[], int]
) -> list[tuple[float, int, float]]:
    """Times at which more was done, how much, and the processor time of those who do it until then."""
    seen: list[tuple[float, int, float]] = []
    used: dict[psutil.Process, float] = {}
    last = -1
    while process.poll() is None:
        count = done()
        _look(process.pid, kind, used)
        if count != last:
            seen.append((time.monotonic(), count, sum(used.values())))
            last = count
        time.sleep(_POLL_SECONDS)
    return seen


def _look(pid: int, kind: str, used: dict[psutil.Process, float]) -> None:
    """Note the processor time of the processes that score; what one that has ended used stays."""
    if len(used) < _PROCESSES[kind]:
        for one in _those_that_score(pid, kind):
            used.setdefault(one, 0.0)
    for one in used:
        with suppress(psutil.Error):
            times = one.cpu_times()
            used[one] = times.user + times.system


def _those_that_score(pid: int, kind: str) -> list[psutil.Process]:
    """Walks through all processes of the machine, so it is not asked at every look."""
    found = []
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for one in [parent] if kind == "one" else parent.children(recursive=True):
            with suppress(psutil.Error):
                if kind == "one" or "_Worker" in " ".join(one.cmdline()):
                    found.append(one)
    return found


def _parts(output: Path) -> Callable[[], int]:
    return lambda: _BLOCK_ROWS * len(list(output.glob("results/part-*.parquet")))


def _lines(file: Path) -> Callable[[], int]:
    return lambda: sum(map(int, file.read_text().split())) if file.exists() else 0


def _write(folder: Path, count: int) -> None:
    made = generate(GeneratorConfig(seed=5, train_jobs=count, potential_each=1, **_OTHERS)).train
    texts = list(dict.fromkeys(example.resume for example in made))[:count]
    postings = list({one.description: one.title for one in made}.items())[:3]
    _table(folder / "r.csv", ["id", "resume"], ([f"c-{i}", text] for i, text in enumerate(texts)))
    _table(
        folder / "jobs.csv",
        ["job_id", "job_title", "job_description"],
        ([f"j-{i}", title or "", text] for i, (text, title) in enumerate(postings)),
    )


def _table(file: Path, header: list[str], rows: Iterator[list[str]]) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
