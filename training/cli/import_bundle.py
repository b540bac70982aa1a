"""`evenmatch-train import`: a published bundle back into a folder that the service loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.console import exit_codes, say


def import_bundle(
    source: Annotated[str, typer.Argument(help="OWNER/NAME on the hub, or a folder made by `export`.")],
    output: Annotated[Path, typer.Option(help="Folder to write the bundle to.")],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit on the hub.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing bundle.")] = False,
) -> None:
    """Make a bundle of what `export` wrote or pushed, and verify every file against its manifest."""
    from training.bundles.export import rebuild_bundle
    from training.bundles.hub import pull_folder

    with exit_codes():
        folder = Path(source) if Path(source).is_dir() else pull_folder(source, revision=revision)
        bundle = rebuild_bundle(folder, output, overwrite=overwrite)
    say(f"wrote {bundle.path} ({bundle.manifest.name} {bundle.manifest.version}: {bundle.makeup})")
