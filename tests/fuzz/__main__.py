"""Coverage-guided fuzzing with atheris: `python -m tests.fuzz` (`make fuzz`).

Each target runs in a process of its own, which ends at the first input that ends in anything but a result or
a refusal; libFuzzer writes that input and its log below `--findings`, and `--replay FILE` runs it again.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import sys
import time
from pathlib import Path

from tests.fuzz.target import Target, attempt, folder

SLOW = {
    "pdf": 0.2,
    "docx": 0.3,
    "docx file": 0.2,
    "odt": 0.2,
    "html": 0.3,
    "rtf": 0.5,
    "markdown": 0.5,
    "redaction": 0.05,
    "requirements": 0.3,
    "backup": 0.1,
    "backup manifest": 0.3,
    "decision file": 0.5,
}
"""Share of the executions that a target gets, where one of them takes milliseconds."""

INSTRUMENTED = ["service", "jwt", "python_multipart", "striprtf"]
MOST_BYTES = 4_096
MOST_MIB = 2_048


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="names of targets; none: all")
    parser.add_argument("--runs", type=int, default=20_000, help="executions of a fast target")
    parser.add_argument("--seconds", type=int, default=600, help="most seconds of one target")
    parser.add_argument("--timeout", type=int, default=60, help="most seconds of one input")
    parser.add_argument(
        "--findings", type=Path, default=Path(".fuzz"), help="folder of corpora, logs, findings"
    )
    parser.add_argument("--replay", type=Path, help="run one target on this input, without atheris")
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    targets = uninstrumented() if options.replay else instrumented()
    names = options.targets or list(targets)
    if unknown := [name for name in names if name not in targets]:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(targets)}")
    if options.replay is not None:
        print("read" if attempt(targets[names[0]], options.replay.read_bytes()) else "refused")  # noqa: T201
        return 0
    found = [name for name in names if run(name, targets[name], options)]
    return 1 if found else 0


def uninstrumented() -> dict[str, Target]:
    from tests.fuzz.all_targets import TARGETS

    return TARGETS


def instrumented() -> dict[str, Target]:
    """The targets, whose code tells atheris what it runs. What was imported before guides nothing."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        return uninstrumented()


def run(name: str, target: Target, options: argparse.Namespace) -> bool:
    """Whether a target found something; prints a line of JSON. Forked, since libFuzzer ends its process."""
    place = options.findings / re.sub(r"\W+", "-", name)
    place.mkdir(parents=True, exist_ok=True)
    log, begun = place / "log", time.monotonic()
    child = os.fork()
    if child == 0:
        with log.open("wb") as stream:
            os.dup2(stream.fileno(), 2)
            os.dup2(stream.fileno(), 1)
        fuzz(name, target, place, options)
        os._exit(1)  # libFuzzer has ended the process
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = log.read_text("utf-8", "replace")
    record = {
        "target": name,
        "executions": _last(r"number_of_executed_units:\s+(\d+)", said) or _last(r"^#(\d+)\t", said),
        "features": _last(r" ft: (\d+)", said),
        "seconds": round(time.monotonic() - begun),
        "status": status,
    }
    print(json.dumps(record), flush=True)  # noqa: T201
    return status != 0


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


def fuzz(name: str, target: Target, place: Path, options: argparse.Namespace) -> None:
    """Does not come back."""
    import atheris

    logging.disable(logging.CRITICAL)
    corpus, seeds = place / "corpus", folder() / "seeds"
    for made in (corpus, seeds):
        made.mkdir(exist_ok=True)
    given = target.seeds()
    for i, seed in enumerate(given):
        (seeds / str(i)).write_bytes(seed)
    atheris.Setup(
        [
            sys.argv[0],
            f"-runs={int(options.runs * SLOW.get(name, 1.0))}",
            f"-max_total_time={options.seconds}",
            f"-timeout={options.timeout}",
            f"-rss_limit_mb={MOST_MIB}",
            f"-max_len={max(MOST_BYTES, 2 * max(map(len, given)))}",
            f"-seed={options.seed}",
            f"-artifact_prefix={place}/",
            "-print_final_stats=1",
            str(corpus),
            str(seeds),
        ],
        lambda data: attempt(target, data),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
