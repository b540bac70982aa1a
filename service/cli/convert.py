"""`evenmatch convert`: make the converted model ahead of the first start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import BundleOption, exit_codes, say, settings_from
from service.core.bundle import read_bundle
from service.core.engines.loading import EngineOptions, load_model
from service.logs import log_to_stderr
from service.runtime.devices import usable_cores


def convert(
    output: Annotated[Path, typer.Option(help="Folder of converted models [EVENMATCH_MODELS_DIR].")],
    bundle: BundleOption = None,
) -> None:
    """Convert a bundle's model for OpenVINO and check it, for machines that will serve without torch."""
    settings = settings_from(model={"bundle": bundle})
    log_to_stderr(settings.server.log_level, settings.server.log_format)
    with exit_codes():
        source = read_bundle(settings.model.bundle_path)
        load_model(
            source,
            EngineOptions(
                "openvino",
                "cpu",
                threads=settings.model.threads or usable_cores(),
                cache=output.expanduser(),
                base_model=settings.model.base_model,
            ),
        )
    name, version = source.manifest.name, source.manifest.version
    say(f"{output} holds {name} {version}")
