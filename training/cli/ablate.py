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
    plot: Annotated[
        Path | None, typer.Option(help="Draw PR-AUC against the gap on biased data here, as SVG.")
    ] = None,
    quiet: Annotated[bool, typer.Option(help="No progress bars.")] = False,
) -> None:
    """Run the recipe with parts left out or added, under several seeds, and compare."""
    from service.core.encoder import silence_transformers
    from training.research.ablation import frontier, run_ablation, table

    silence_transformers()
    with exit_codes():
        arms = run_ablation(config, work, quiet=quiet, say=say)
        for path, content in ((output, table(arms)), (plot, frontier(arms))):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, "utf-8")
                say(f"wrote {path}")
