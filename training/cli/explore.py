"""`evenmatch-train explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
from training.cli.console import exit_codes, say

FORMATS = (".html", ".json")


def explore_data(
    output: Annotated[Path, typer.Option(help="Report to write: .html, or .json for the numbers alone.")],
    data: Annotated[
        Path | None, typer.Option(help="CSV, JSONL or Parquet file, or a `save_to_disk` folder.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Instead of --data: a run's configuration, for its `data`.")
    ] = None,
    resume_column: ResumeColumn = None,
    job_column: JobColumn = None,
    label_column: LabelColumn = None,
    title_column: TitleColumn = None,
    group_column: GroupColumns = None,
    group_value: GroupValues = None,
    unknown_labels: UnknownLabelsOption = "keep",
    seed: Annotated[int, typer.Option(help="Of the synthetic data, without --data and --config.")] = 20261124,
    train_jobs: Annotated[int, typer.Option(min=1, help="Jobs of the synthetic training split.")] = 1200,
    biased: Annotated[bool, typer.Option(help="Synthetic data with the bias knob turned on.")] = False,
) -> None:
    """Report balance, lengths, gaps and leaks of a data set: your own, or the synthetic one."""
    from training.data.data_report import write_data_report
    from training.data.explore import explore
    from training.data.synthetic.bias import BIASED, BiasConfig
    from training.data.synthetic.generator import GeneratorConfig, generate
    from training.data.user_data import load_as_it_is

    check_one_source(data, config)
    if output.suffix.lower() not in FORMATS:
        # Above all no data file, which the report would replace.
        raise typer.BadParameter(f"--output must end in {' or '.join(FORMATS)}")
    with exit_codes():
        if data is None and config is None:
            bias = BIASED if biased else BiasConfig()
            dataset = generate(GeneratorConfig(seed=seed, train_jobs=train_jobs, bias=bias))
            source = f"synthetic, seed {seed}"
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
            dataset = wanted.load() if wanted.files is None else load_as_it_is(wanted.files)
            source = str(config or data)
        summary = explore(dataset, source=source)
        write_data_report(summary, output)
    for line in (*summary.leaks, *summary.warnings):
        say(f"note: {line}")
    say(f"wrote {output}")
