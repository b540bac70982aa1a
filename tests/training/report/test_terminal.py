"""Tables in a terminal: no figure without its interval and what it stands on."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console
from rich.table import Table

from training.evaluation.comparison import BundleComparison, ComparedBundle, ComparedFigure
from training.evaluation.evaluate import EvaluationOptions, evaluate_pairs
from training.evaluation.schema import Estimate, Subject
from training.evaluation.scored_pairs import ScoredPairs
from training.report.terminal import comparison_table, evaluation_tables

SUBJECT = Subject(
    bundle="ours",
    version="1.0.0",
    digest="0",
    engine="torch",
    precision="f32",
    redact=True,
    threshold=0.5,
    constraint="none",
)


def pairs_of(jobs: int) -> ScoredPairs:
    labels = np.tile([1, 0, 1, 0], jobs)
    return ScoredPairs(
        raw_scores=np.tile([0.8, 0.3, 0.4, 0.5], jobs) + np.repeat(np.linspace(0, 0.1, jobs), 4),
        labels=labels,
        jobs=[f"j{i // 4}" for i in range(4 * jobs)],
        resumes=[f"r{i}" for i in range(4 * jobs)],
        titled=np.ones(4 * jobs, dtype=np.bool_),
        groups={"sex": ["female", "female", "male", "male"] * jobs},
    )


def printed(*tables: Table, width: int = 160) -> list[str]:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return captured.get().splitlines()


def test_each_figure_has_its_interval_and_what_it_stands_on() -> None:
    pairs = pairs_of(10)
    evaluation = evaluate_pairs(
        pairs, pairs.raw_scores, SUBJECT, data="made up", options=EvaluationOptions(minimum=5, rounds=50)
    )
    lines = printed(*evaluation_tables(evaluation))
    assert lines[0].strip() == "40 pairs of 10 jobs and 40 resumes"
    found = {line.split("  ")[0].strip(): line for line in lines}
    assert found["macro_roc_auc"].rstrip().endswith("0.750 (0.750 to 0.750)  10 jobs")
    assert " to " in found["f1"]
    assert found["f1"].rstrip().endswith("40 pairs")
    assert found["female"].split()[1:4] == ["20", "20", "10"]
    assert "sex demographic_parity_difference" in found


def test_with_one_job_there_is_no_interval_and_one_job_is_said() -> None:
    pairs = pairs_of(1)
    evaluation = evaluate_pairs(pairs, pairs.raw_scores, SUBJECT, data="made up")
    lines = printed(*evaluation_tables(evaluation))
    assert lines[0].strip() == "4 pairs of 1 job and 4 resumes"
    assert any(line.split() == ["macro_roc_auc", "0.750", "1", "jobs"] for line in lines)


def test_bundles_side_by_side_say_what_their_figures_stand_on() -> None:
    bundles = [
        ComparedBundle(
            path=name, name=name, version="1.0.0", digest=name, data="x", data_digest="x", pairs=1234,
            jobs=12, resumes=960,
        )
        for name in ("base", "ours")
    ]  # fmt: skip
    figure = ComparedFigure(
        name="utility/macro_roc_auc",
        better="higher",
        values=[Estimate(value=0.8, low=0.7, high=0.9, n=12), None],
        differences=[Estimate(value=0.1, low=0.05, high=0.15, n=12)],
    )
    comparison = BundleComparison(same_data=True, bundles=bundles, figures=[figure], notes=[])
    lines = printed(comparison_table(comparison), width=70)
    assert any(line.split() == ["pairs", "1,234", "1,234"] for line in lines)
    assert any(line.split() == ["jobs", "12", "12"] for line in lines)
    text = "".join(lines)
    assert "ours less" in text
    assert "0.100" in text
    assert "…" not in text
