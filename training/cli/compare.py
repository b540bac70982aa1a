"""`evenmatch-train compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from service.core.files import write_private
from training.cli.columns import (
    GroupColumns,
    GroupValues,
    JobColumn,
    LabelColumn,
    ResumeColumn,
    TitleColumn,
    UnknownLabelsOption,
    check_one_source,
    wanted_data,
)
from training.cli.console import exit_codes, say, stderr
from training.cli.engine import load_reference
from training.data.example import SPLITS, DataError, Example, SplitName

if TYPE_CHECKING:
    from training.config import DataConfig


def compare(
    bundles: Annotated[list[Path], typer.Argument(help="Folders of two bundles or more.")],
    html: Annotated[Path | None, typer.Option(help="Write the whole comparison as HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the whole comparison as JSON here.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Evaluate the bundles on these pairs: CSV, JSONL, Parquet or `save_to_disk`."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Instead of --data: a run's configuration, for its `data`."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Only this split, cut as a training run cuts it; default: all pairs.")
    ] = None,
    resume_column: ResumeColumn = None,
    job_column: JobColumn = None,
    label_column: LabelColumn = None,
    title_column: TitleColumn = None,
    group_column: GroupColumns = None,
    group_value: GroupValues = None,
    unknown_labels: UnknownLabelsOption = "keep",
    redact: Annotated[bool, typer.Option(help="With --data: score as with redaction on.")] = True,
    minimum: Annotated[
        int, typer.Option(min=1, help="With --data: pairs that a group's rate must stand on.")
    ] = 30,
    rounds: Annotated[int, typer.Option(min=0, help="With --data: bootstrap resamples of jobs.")] = 500,
    seed: Annotated[int, typer.Option(help="With --data: of the bootstrap.")] = 0,
) -> None:
    """Put bundles side by side: by their metrics.json, or re-evaluated on the same pairs."""
    from training.evaluation.comparison import compare_metrics, compare_on
    from training.evaluation.evaluate import EvaluationOptions
    from training.report.html import comparison_html
    from training.report.terminal import comparison_table

    check_one_source(data, config)
    if split is not None and split not in SPLITS:
        raise typer.BadParameter(f"--split is one of {', '.join(SPLITS)}")
    with exit_codes():
        if data is None and config is None:
            comparison = compare_metrics(bundles)
        else:
            wanted = wanted_data(
                data,
                config,
                resume=resume_column,
                job=job_column,
                label=label_column,
                title=title_column,
                groups=group_column,
                group_values=group_value,
                unknown_labels=unknown_labels,
            )
            examples, warnings = _examples(wanted, split)
            for line in warnings:
                say(f"note: {line}")
            with stderr.status(f"evaluating {len(bundles)} bundles on {len(examples):,} pairs ..."):
                comparison = compare_on(
                    bundles,
                    examples,
                    load_reference,
                    data=f"{data or config}, {split or 'all'} pairs",
                    options=EvaluationOptions(minimum=minimum, rounds=rounds, seed=seed, redact=redact),
                )
    Console(markup=False, highlight=False).print(comparison_table(comparison))
    for note in comparison.notes:
        say(note)
    with exit_codes():
        for path, content in (
            (html, comparison_html(comparison)),
            (json, comparison.model_dump_json(indent=2) + "\n"),
        ):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_private(path, content)  # the figures may be of users' own decisions
                say(f"wrote {path}")


def _examples(data: DataConfig, split: str | None) -> tuple[list[Example], Sequence[str]]:
    """The pairs of a split; without one, all pairs of a user's data, or the test split of synthetic data."""
    from training.data.user_data import load_unsplit

    if split is None and data.files is not None:
        return load_unsplit(data.files)
    dataset = data.load()
    if split is not None and dataset.folds:
        raise DataError(
            f"cross-fitted in {len(dataset.folds)} folds, the data has no {split} split: leave out --split"
        )
    return dict(dataset.items())[cast(SplitName, split or "test")], dataset.warnings
