"""`evenmatch-train explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.console import exit_codes, say


def explore_data(
    output: Annotated[Path, typer.Option(help="Report to write: .html, or .json for the numbers alone.")],
    data: Annotated[
        Path | None, typer.Option(help="CSV, JSONL or Parquet file, or a `save_to_disk` folder.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file that says where the data is and what its columns mean.")
    ] = None,
    resume_column: Annotated[str, typer.Option(help="With --data.")] = "resume",
    job_column: Annotated[str, typer.Option(help="With --data.")] = "job",
    label_column: Annotated[str, typer.Option(help="With --data.")] = "label",
    title_column: Annotated[str | None, typer.Option(help="With --data; the job's title.")] = None,
    group_column: Annotated[
        list[str] | None, typer.Option(help="With --data; an attribute's column, again for each.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the synthetic data, without --data and --config.")] = 20261124,
    train_jobs: Annotated[int, typer.Option(min=1, help="Jobs of the synthetic training split.")] = 1200,
    biased: Annotated[bool, typer.Option(help="Synthetic data with the bias knob turned on.")] = False,
) -> None:
    """Report balance, lengths, gaps and leaks of a data set: your own, or the synthetic one."""
    from training.data.bias import BIASED, BiasConfig
    from training.data.data_report import write_data_report
    from training.data.explore import explore
    from training.data.generator import GeneratorConfig, generate
    from training.data.user_data import ColumnMapping, UserDataConfig, load_user_data, read_user_data_config

    if data is not None and config is not None:
        raise typer.BadParameter("give --data or --config, not both")
    with exit_codes():
        if data is None and config is None:
            bias = BIASED if biased else BiasConfig()
            dataset = generate(GeneratorConfig(seed=seed, train_jobs=train_jobs, bias=bias))
            source = f"synthetic, seed {seed}"
        else:
            if config is not None:
                wanted = read_user_data_config(config)
            else:
                columns = ColumnMapping(
                    resume=resume_column,
                    job=job_column,
                    label=label_column,
                    title=title_column,
                    groups={column: column for column in group_column or []},
                )
                wanted = UserDataConfig(file=data, columns=columns)
            dataset = load_user_data(wanted)
            source = str(config or data)
        summary = explore(dataset, source=source)
        write_data_report(summary, output)
    for line in (*summary.leaks, *summary.warnings):
        say(f"note: {line}")
    say(f"wrote {output}")
