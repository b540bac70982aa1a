"""Load the adapter that lies beside this file with all that its vectors need, or fail.

    from evenmatch_adapter import load

    encoder = load()
    vectors = encoder.encode(["Built payment services in Python."], kind="resume")

The adapter alone is not the model: after pooling, a linear concept eraser takes out of a vector what tells a
group, and without it vectors are others. Nothing of Evenmatch itself is needed, but torch, transformers, peft
and safetensors. Vectors are of texts as they are given: redaction is not part of the model.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from huggingface_hub import snapshot_download
from numpy.typing import NDArray
from peft import PeftModel
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel

LEAST_COSINE = 0.9999
"""To each of the bundle's reference vectors."""

_BATCH = 32


class AdapterError(RuntimeError):
    """A part of the model is missing or changed, so its vectors would be others."""


class AdapterEncoder:
    """Base model, adapter, pooling, prefixes and eraser."""

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        manifest: dict[str, Any],
        eraser: dict[str, torch.Tensor] | None,
    ) -> None:
        tokenizer.enable_truncation(manifest["max_tokens"])
        tokenizer.enable_padding()
        self._model = model
        self._tokenizer = tokenizer
        self._prefixes = manifest.get("prefixes", {})
        self._takes_first = manifest["pooling"] == "cls"
        self._eraser = eraser

    def encode(self, texts: Sequence[str], kind: Literal["job", "resume"]) -> NDArray[np.float32]:
        """Unit vectors of `texts`, (N, D). Texts beyond the model's length are cut."""
        prefix = self._prefixes.get(kind, "")
        with torch.inference_mode():
            parts = [
                self._forward([prefix + text for text in texts[start : start + _BATCH]])
                for start in range(0, len(texts), _BATCH)
            ]
        vectors: NDArray[np.float32] = torch.cat(parts).numpy()
        return vectors

    def _forward(self, texts: list[str]) -> torch.Tensor:
        encodings = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([one.ids for one in encodings])
        mask = torch.tensor([one.attention_mask for one in encodings])
        hidden = self._model(input_ids=ids, attention_mask=mask)[0].float()  # (B, T, D)
        if self._takes_first:
            pooled = hidden[:, 0]
        else:
            weights = mask.unsqueeze(-1)  # (B, T, 1)
            pooled = (hidden * weights).sum(1) / weights.sum(1)
        vectors = torch.nn.functional.normalize(pooled, dim=-1)
        if self._eraser is None:
            return vectors
        parts = (vectors - self._eraser["mean"]) @ self._eraser["right"].T  # (B, R)
        return torch.nn.functional.normalize(vectors - parts @ self._eraser["left"].T, dim=-1)


def load(folder: str | Path | None = None, base: str | Path | None = None) -> AdapterEncoder:
    """The encoder of the adapter in `folder`, by default that of this file.

    `base`: a folder with the base model; by default it is looked up on the model hub under the name that
    `adapter_config.json` has. Raises `AdapterError` if the eraser, the adapter or the base model is missing
    or changed, or if a reference vector comes out otherwise.
    """
    here = Path(__file__).parent if folder is None else Path(folder)
    manifest = json.loads(_existing(here / "bundle" / "manifest.json").read_text("utf-8"))
    files: dict[str, str] = manifest["files"]
    adapter = here / "adapter_model.safetensors"
    _check(adapter, files["adapter/adapter_model.safetensors"])
    probes = here / "bundle" / "probes.json"
    _check(probes, files["probes.json"])
    eraser = None
    if "eraser.safetensors" in files:
        file = here / "bundle" / "eraser.safetensors"
        _check(file, files["eraser.safetensors"], "without the concept eraser the vectors are others")
        eraser = load_file(file)
    config = json.loads(_existing(here / "adapter_config.json").read_text("utf-8"))
    named = config["base_model_name_or_path"]
    place = _base_folder(named, config.get("revision")) if base is None else Path(base)
    expected, actual = manifest["base_model"]["weights_sha256"], _weights_sha256(place)
    if actual != expected:
        raise AdapterError(
            f"{place} is not the base model that the adapter was trained on: its weights have the SHA-256 "
            f"{actual}, needed is {expected}"
        )
    model: Any = AutoModel.from_pretrained(  # nosec B615
        place, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*vectors_are_wrong_without_the_concept_eraser")
        model = PeftModel.from_pretrained(model, str(here)).merge_and_unload().eval()
    tokenizer = Tokenizer.from_file(str(_existing(place / "tokenizer.json")))
    encoder = AdapterEncoder(model, tokenizer, manifest, eraser)
    for i, probe in enumerate(json.loads(probes.read_text("utf-8"))["probes"]):
        vector, wanted = encoder.encode([probe["text"]], probe["kind"])[0], np.asarray(probe["vector"])
        cosine = float(vector @ wanted) / float(np.linalg.norm(vector) * np.linalg.norm(wanted))
        if not cosine >= LEAST_COSINE:
            raise AdapterError(
                f"reference vector {i} comes out with a cosine of {cosine:.4f}, needed is {LEAST_COSINE}: "
                "the base model, its tokenizer, the adapter or the eraser is not the one of this bundle"
            )
    return encoder


def _base_folder(name: str, revision: str | None) -> Path:
    if Path(name).is_dir():
        return Path(name)
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=["*.json", "*.safetensors"]))
    except (OSError, ValueError) as error:
        raise AdapterError(
            f"the base model {name} is not here and could not be downloaded ({type(error).__name__}): "
            "give its folder as `base`"
        ) from error


def _existing(file: Path, why: str = "") -> Path:
    if not file.is_file():
        raise AdapterError(f"{file} is missing" + (f": {why}" if why else ""))
    return file


def _check(file: Path, expected: str, why: str = "") -> None:
    actual = _sha256(_existing(file, why))
    if actual != expected:
        raise AdapterError(f"{file} was changed: SHA-256 {actual}, needed {expected}")


def _weights_sha256(base: Path) -> str:
    """Of the base's weights; of several shards, of the list of their hashes."""
    files = sorted(base.glob("*.safetensors"))
    if not files:
        raise AdapterError(f"no *.safetensors in {base}: the base model is missing")
    if len(files) == 1:
        return _sha256(files[0])
    return hashlib.sha256("\n".join(f"{file.name} {_sha256(file)}" for file in files).encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
