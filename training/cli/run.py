"""`evenmatch-train run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.console import exit_codes, say


def run(
    config: Annotated[Path, typer.Option(help="YAML file; see training/configs.")],
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    work: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints; by default beside the output.")
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on from the last checkpoint in the work folder, to the same result.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing bundle.")] = False,
    quiet: Annotated[bool, typer.Option(help="No progress bar.")] = False,
) -> None:
    """Train an adapter, erase, calibrate, choose the threshold, evaluate, and write the bundle."""
    from service.core.encoder import silence_transformers
    from training.config import read_run_config
    from training.pipeline.run import Run

    silence_transformers()
    with exit_codes():
        settings = read_run_config(config)
        place = work or Path(f"{output.resolve()}.work")  # also beside "."
        bundle = Run(settings, place, resume=resume, quiet=quiet, say=say)(output, overwrite=overwrite)
    say(f"wrote {bundle.path} ({bundle.makeup}), threshold {bundle.decision.threshold}")
