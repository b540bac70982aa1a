"""`promtool test rules` on the real rules: series in, queries with expected answers out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.patience import PATIENCE
from tests.support.prometheus import RULES, groups_of

Series = dict[str, str]
"""Promtool's notation of the values by a series' name and labels."""
Labels = Mapping[str, str]

# Promtool's own order is by chance, and each step back in it delays what is built on others by an evaluation.
_ORDER = sorted(
    (group["name"] for path in RULES for group in groups_of(path)), key=lambda name: name.endswith("-alerts")
)
ALERTS = [rule for path in RULES for group in groups_of(path) for rule in group["rules"] if "alert" in rule]


def series(name: str, values: str, **labels: str) -> Series:
    return {name + _labels(labels): values}


def once(name: str, count: int, **labels: str) -> Series:
    """A counter that is 0 at the first scrape and `count` from the second on."""
    return series(name, f"0 {count}+0x600", **labels)


def decisions(group: str, selected: int, n: int, *, attribute: str = "sex", instance: str = "a") -> Series:
    """A group's decisions, all between the first scrape and the second."""
    labels = {"attribute": attribute, "group": group, "instance": instance}
    name = "evenmatch_decisions_total"
    return {
        **once(name, selected, decision="selected", **labels),
        **once(name, n - selected, decision="not_selected", **labels),
    }


def answers(
    folder: Path,
    given: Series,
    expected: Iterable[tuple[str, str, Sequence[tuple[Labels, float]]]],
    *,
    every: str = "1m",
) -> None:
    """Assert what queries answer: (time, query, [(labels, value)]). Scrapes come `every` so often."""
    test = {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": every,
        "group_eval_order": _ORDER,
        "tests": [
            {
                "interval": every,
                "input_series": [{"series": name, "values": values} for name, values in given.items()],
                "promql_expr_test": [_query(*one) for one in expected],
            }
        ],
    }
    path = folder / "case.yml"
    path.write_text(yaml.safe_dump(test), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fires(
    folder: Path, given: Series, alert: str, at: str, *firing: Labels, by: str = "group", every: str = "1m"
) -> None:
    """Assert for which groups an alert fires (in any window); for none where none is given."""
    query = f'sgn(count by ({by}) (ALERTS{{alertname="{alert}", alertstate="firing"}}))'
    answers(folder, given, [(at, query, [(labels, 1) for labels in firing])], every=every)


def _query(at: str, query: str, samples: Sequence[tuple[Labels, float]]) -> dict[str, Any]:
    expected = [{"labels": _labels(labels), "value": value} for labels, value in samples]
    return {"expr": query, "eval_time": at, "exp_samples": expected}


def _labels(labels: Labels) -> str:
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
