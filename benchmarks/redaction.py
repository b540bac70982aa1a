"""How long redaction takes here and in another checkout, in turns: a shared machine changes its speed.

`python -m benchmarks.redaction resumes.csv --column resume_text --against ../before`
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

HERE = Path(__file__).resolve().parents[1]
_REPEATS = 3


def measure(path: Path, column: str) -> float:
    """The median time of a text of one column, in ms; of each text the best of `_REPEATS` counts."""
    csv.field_size_limit(10**9)
    with path.open(encoding="utf-8", newline="") as file:
        texts = [normalise(row[column]) for row in csv.DictReader(file)]
    redactor = Redactor()
    redactor.redact("Jane Doe")
    best = [float("inf")] * len(texts)
    for _ in range(_REPEATS):
        for i, text in enumerate(texts):
            start = time.process_time()
            redactor.redact(text)
            best[i] = min(best[i], 1000 * (time.process_time() - start))
    return statistics.median(best)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("texts", type=Path, help="a CSV file")
    arguments.add_argument("--column", required=True)
    arguments.add_argument("--against", type=Path, help="another checkout")
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    if given.against is None:
        sys.stdout.write(f"{measure(given.texts, given.column):.2f}\n")
        return
    here: list[float] = []
    there: list[float] = []
    for _ in range(given.rounds):
        for checkout, found in ((HERE, here), (given.against.resolve(), there)):
            found.append(_measure_in(checkout, given.texts.resolve(), given.column))
    ratios = [a / b for a, b in zip(here, there, strict=True)]
    for name, values, unit in (("here", here, " ms"), ("there", there, " ms"), ("here / there", ratios, "")):
        middle, low, high = statistics.median(values), min(values), max(values)
        sys.stdout.write(f"| {name} | {middle:.2f} ({low:.2f} to {high:.2f}){unit} |\n")


def _measure_in(checkout: Path, texts: Path, column: str) -> float:
    # It measures the package of the checkout on the path ("-P": not this folder, which has an `http`).
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__)), str(texts), "--column", column],
        check=True,
        capture_output=True,
        text=True,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
