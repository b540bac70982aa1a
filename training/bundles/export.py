"""A bundle as a PEFT adapter folder, from which the bundle can be rebuilt.

    adapter_config.json, adapter_model.safetensors, README.md    what any user of PEFT loads
    evenmatch_adapter.py                                         loads them with the eraser, or fails
    bundle/                                                      the bundle, without the adapter's weights

The concept eraser acts on the pooled and normalised vector, which no LoRA reaches: the adapter alone is
another model. Its configuration says so to whoever loads it with plain PEFT. Rebuilding copies the weights
back; the bundle's own manifest then proves that every byte is the same.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from service.core.base_model import MINILM
from service.core.bundle import MANIFEST, Bundle, check_place, read_bundle
from service.core.errors import BundleError, EvenmatchError
from service.core.files import draft_of, is_in_the_way
from training.bundles.card import adapter_card
from training.bundles.hub import is_repo_id

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
LOADER = "evenmatch_adapter.py"
BUNDLE_FOLDER = "bundle"

ERASER_NOTICE = "vectors_are_wrong_without_the_concept_eraser_load_with_evenmatch_adapter_py"
"""A key of `adapter_config.json`. PEFT names keys that it does not know in a warning, so whoever loads the
adapter alone reads this one."""

_PUBLIC_IDS = {MINILM: "sentence-transformers/all-MiniLM-L6-v2"}
"""The same weights (equal SHA-256) under the id that everybody else knows."""


class ExportError(EvenmatchError):
    """The bundle cannot be published as an adapter, or the folder is in the way."""

    code = "export_failed"
    title = "Export failed"


def export_adapter(
    bundle: Bundle,
    output: Path,
    *,
    base_model: str | None = None,
    repo_id: str | None = None,
    license_id: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the bundle's adapter to the folder `output`, whole or not at all, and return it.

    `base_model` is the hub id to name as the base; by default the bundle's own, where it has a public
    one. `repo_id` and `license_id` go into the model card. Raises `ExportError` if the bundle has no
    adapter, if no public base model is known, if `output` exists and `overwrite` is false, or if what
    stands there is no such export.
    """
    adapter = bundle.adapter_path
    if adapter is None or not (adapter / WEIGHTS).is_file():
        raise ExportError(
            f"{bundle.path} has no adapter/{WEIGHTS}: it is the plain base model "
            f"{bundle.manifest.base_model.id}, and there is nothing to publish"
        )
    base = public_base(bundle, base_model)
    check_export_place(output, overwrite)
    config = json.loads((adapter / CONFIG).read_text("utf-8"))
    # A revision in the config would be one of the base model under its old name.
    revision = bundle.manifest.base_model.revision if base == bundle.manifest.base_model.id else None
    config |= {"base_model_name_or_path": base, "revision": revision}
    if bundle.eraser is not None:
        config[ERASER_NOTICE] = True
    with draft_of(output) as draft:
        shutil.copytree(bundle.path, draft / BUNDLE_FOLDER)
        (draft / BUNDLE_FOLDER / "adapter" / WEIGHTS).rename(draft / WEIGHTS)
        (draft / CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        card = adapter_card(bundle, base, repo_id=repo_id, license_id=license_id)
        (draft / "README.md").write_text(card, "utf-8")
        shutil.copyfile(Path(__file__).with_name(LOADER), draft / LOADER)
    return output


def rebuild_bundle(folder: Path, output: Path, *, overwrite: bool = False) -> Bundle:
    """Make the bundle again that an export wrote to `folder`, of either form: same files, same digest.

    Raises `ExportError` if `folder` is no such export, and `BundleError`, which names the file, if
    anything was changed on the way, or as `check_place` does.
    """
    source = folder / BUNDLE_FOLDER
    # In the form of sentence-transformers the bundle is whole, and may have no adapter at all.
    weights_apart = (source / "adapter" / CONFIG).is_file() and not (source / "adapter" / WEIGHTS).is_file()
    for file in (source / MANIFEST, *([folder / WEIGHTS] if weights_apart else [])):
        if not file.is_file():
            raise ExportError(
                f"{folder} was not made by `evenmatch-train export`: no {file.relative_to(folder)}"
            )
    check_place(output, overwrite=overwrite)
    with draft_of(output) as draft:
        shutil.copytree(source, draft, dirs_exist_ok=True)
        if weights_apart:
            shutil.copyfile(folder / WEIGHTS, draft / "adapter" / WEIGHTS)
        try:
            read_bundle(draft)
        except BundleError as error:
            raise BundleError(error.message.replace(str(draft), str(source))) from None
    return read_bundle(output)


def public_base(bundle: Bundle, given: str | None) -> str:
    """The base model's hub id: `given`, or the bundle's own. Raises `ExportError` if it is none."""
    base = _base_of(bundle, given)
    if not is_repo_id(base):
        why = "is not a hub id" if given else "is a base model that nobody else can find"
        raise ExportError(f"{base} {why}: name its hub id with --base-model OWNER/NAME")
    return base


def public_base_if_any(bundle: Bundle, given: str | None) -> str | None:
    """As `public_base`, or None if the bundle's own is no hub id and none is given."""
    return public_base(bundle, given) if given or is_repo_id(_base_of(bundle, None)) else None


def _base_of(bundle: Bundle, given: str | None) -> str:
    own = bundle.manifest.base_model.id
    return given or _PUBLIC_IDS.get(own, own)


def check_export_place(output: Path, overwrite: bool) -> None:
    """Raise `ExportError` if `output` exists and `overwrite` is false, or if it is no earlier export."""
    if output.exists() and not overwrite:
        raise ExportError(f"{output} exists already; choose another place or ask to overwrite it")
    sign = f"{BUNDLE_FOLDER}/{MANIFEST}"
    if is_in_the_way(output, sign=sign):
        raise ExportError(f"{output} is not an earlier export (it has no {sign}), so it is not overwritten")
