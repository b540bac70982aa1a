"""`evenmatch-train ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.console import exit_codes, say


def ablate(
    config: Annotated[Path, typer.Option(help="YAML file; see training/configs/ablations.yaml.")],
    work: Annotated[Path, typer.Option(help="Folder for the runs; finished ones in it are not run again.")],
    output: Annotated[Path, typer.Option(help="Write the table here, as Markdown.")],
    quiet: Annotated[bool, typer.Option(help="No progress bars.")] = False,
) -> None:
    """Run the recipe with parts left out or added, under several seeds, and compare."""
    from service.core.encoder import silence_transformers
    from training.ablation import run_ablation, table

    silence_transformers()
    with exit_codes():
        arms = run_ablation(config, work, quiet=quiet, say=say)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(table(arms), "utf-8")
    say(f"wrote {output}: {len(arms)} arms")
