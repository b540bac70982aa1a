"""A bundle as a folder that others can load, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from evenmatch.model import settings_for
from service.core.bundle import Bundle, read_bundle
from training.bundles.export import export_adapter, rebuild_bundle
from training.bundles.sentence_transformers_export import export_sentence_transformers


def export(
    bundle: str | Path,
    output: str | Path,
    *,
    form: Literal["peft", "sentence-transformers"] = "peft",
    base_model: str | None = None,
    repo_id: str | None = None,
    license_id: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write what `evenmatch-train export` writes to the folder `output`, and return it; nothing is sent.

    Args:
        bundle: Name of a shipped bundle, or a bundle's folder.
        output: Folder to write.
        form: "peft" is the adapter with a file that loads it and the eraser; "sentence-transformers" the
            whole encoder, whose vectors are those of `/v1/embed`.
        base_model: Hub id of the base model; by default the bundle's own.
        repo_id: OWNER/NAME on a hub, for the model card.
        license_id: For the model card, as a hub spells it: "mit".
        overwrite: Replace an earlier export.

    Raises `ExportError` or `BundleError`.
    """
    write = export_adapter if form == "peft" else export_sentence_transformers
    return write(
        read_bundle(settings_for(bundle).model.bundle_path),
        Path(output),
        base_model=base_model,
        repo_id=repo_id,
        license_id=license_id,
        overwrite=overwrite,
    )


def import_bundle(folder: str | Path, output: str | Path, *, overwrite: bool = False) -> Bundle:
    """Make the bundle again of what `export` wrote; every file is checked against its manifest.

    Raises `ExportError` if `folder` is no such export, `BundleError` if anything was changed on the way.
    """
    return rebuild_bundle(Path(folder), Path(output), overwrite=overwrite)
