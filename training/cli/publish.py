"""`evenmatch-train export` and `import`: a bundle in a form that others load, onto a model hub and back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.cli.console import EXIT_USAGE, exit_codes, fail, say


def export(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    output: Annotated[Path | None, typer.Option(help="Folder to write; optional with --push.")] = None,
    form: Annotated[
        Literal["peft", "sentence-transformers"],
        typer.Option(
            "--format",
            help="peft: the adapter, with a file that loads it and the concept eraser. "
            "sentence-transformers: the whole encoder, adapter and eraser in its weights.",
        ),
    ] = "peft",
    push: Annotated[bool, typer.Option("--push", help="Upload to the model hub.")] = False,
    repo_id: Annotated[str | None, typer.Option(help="OWNER/NAME on the hub.")] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Create it private; refuse to add to a public one.")
    ] = False,
    base_model: Annotated[
        str | None, typer.Option(help="Hub id of the base model; default: the bundle's own.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", "--branch", help="Branch to push to; made if it is not there.")
    ] = None,
    commit_message: Annotated[
        str | None, typer.Option(help="Default: the bundle's name and version.")
    ] = None,
    license_id: Annotated[
        str | None, typer.Option("--license", help="License for the model card, as the hub spells it: mit.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
) -> None:
    """Write a bundle as a PEFT adapter or as a sentence-transformers model, with its card and policy files.

    Nothing leaves this machine without --push. The token comes from HF_TOKEN or `hf auth login`.
    """
    from service.core.bundle import read_bundle
    from training.bundles.hub import check_repo_id, open_hub, push_folder

    if output is None and not push:
        fail("nothing to do: give --output DIR, or --push with --repo-id OWNER/NAME", EXIT_USAGE)
    if push and repo_id is None:
        fail("--push needs --repo-id OWNER/NAME", EXIT_USAGE)
    if not push and (private or revision or commit_message):
        fail("--private, --revision and --commit-message only make sense with --push", EXIT_USAGE)
    with exit_codes(), tempfile.TemporaryDirectory() as scratch:
        if repo_id is not None:
            check_repo_id(repo_id)
        hub = open_hub() if push else None  # no token: said before anything is written
        source = read_bundle(bundle)
        if form == "peft":
            from training.bundles.export import export_adapter as write
        else:
            from service.core.encoder import silence_transformers
            from training.bundles.sentence_transformers_export import export_sentence_transformers as write

            silence_transformers()
        folder = write(
            source,
            output or Path(scratch) / "export",
            base_model=base_model,
            repo_id=repo_id,
            license_id=license_id,
            overwrite=overwrite,
        )
        if output is not None:
            say(f"wrote {folder}")
        if hub is not None and repo_id is not None:
            url = push_folder(
                hub,
                folder,
                repo_id,
                private=private,
                branch=revision,
                commit_message=commit_message or f"{source.manifest.name} {source.manifest.version}",
            )
            say(f"pushed {url}")


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
