"""A bundle's encoder as a folder of sentence-transformers, whole: adapter and eraser are in its weights.

    modules.json                                    Transformer, Pooling, Normalize[, Dense, Normalize]
    model.safetensors, config.json, tokenizer*      the base model with the adapter merged into it
    3_Dense/                                        the concept eraser, where the bundle has one
    config_sentence_transformers.json               the prefixes, as prompts
    bundle/                                         the bundle, from which `import` makes it again

The eraser is affine, x -> x - left right (x - mean), which is a linear layer of weight I - left right and
bias left right mean. It works on unit vectors, so it stands between two Normalize modules. The classic names
of modules are written, which every release of sentence-transformers reads.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from numpy.typing import NDArray

from service.core.base_model import find_verified
from service.core.bundle import Bundle
from service.core.concept_eraser import ConceptEraser
from service.core.encoder import Encoder, load_encoder
from service.core.engines.loading import PARITY_TOLERANCE
from service.core.files import draft_of
from service.core.tokenization import TextTokenizer
from training.bundles.card import sentence_transformers_card
from training.bundles.export import BUNDLE_FOLDER, ExportError, check_export_place, public_base_if_any

_MODULE = "sentence_transformers.models."
_DENSE = "3_Dense"

_SPECIAL_TOKENS = {
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def export_sentence_transformers(
    bundle: Bundle,
    output: Path,
    *,
    base_model: str | None = None,
    repo_id: str | None = None,
    license_id: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the bundle's whole encoder to the folder `output`, whole or not at all, and return it.

    `SentenceTransformer(folder).encode(texts)` gives the vectors that the service gives for the same texts,
    normalised and redacted; what is written is read back and checked against the bundle's reference vectors.
    The weights are f32, in safetensors. `base_model` is the hub id that the model card names as the base (by
    default the bundle's own, if it is one); `repo_id` and `license_id` go into the card, too.

    Raises `ExportError` if `output` exists and `overwrite` is false, if what stands there is no export, if
    `base_model` is no hub id, if the tokenizer has no token to pad with, or if what was written does not give
    the bundle's vectors; `BundleError` if the base model is missing or another one.
    """
    manifest = bundle.manifest
    base = public_base_if_any(bundle, base_model)
    check_export_place(output, overwrite)
    source = find_verified(manifest.base_model)
    encoder = load_encoder(source, manifest.pooling, bundle.adapter_path)
    with draft_of(output) as draft:
        _write_backbone(encoder, draft)
        _write_tokenizer(source, manifest.max_tokens, draft)
        _write_modules(bundle, draft)
        shutil.copytree(bundle.path, draft / BUNDLE_FOLDER)
        card = sentence_transformers_card(bundle, base, repo_id=repo_id, license_id=license_id)
        (draft / "README.md").write_text(card, "utf-8")
        _check(bundle, draft)
    return output


def as_linear_layer(eraser: ConceptEraser) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (D, D) and bias (D,) of the linear layer that erases, before vectors are normalised again."""
    projection = eraser.left.astype(np.float64) @ eraser.right.astype(np.float64)  # (D, D)
    weight = np.eye(eraser.dimensions) - projection
    return weight.astype(np.float32), (projection @ eraser.mean).astype(np.float32)


def _write_backbone(encoder: Encoder, draft: Path) -> None:
    backbone: Any = encoder.backbone  # transformers' classes do not resolve under mypy strict
    backbone.save_pretrained(draft)
    file = draft / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config.pop("_name_or_path", None)  # where the base model lay on this machine
    _write_json(file, config)


def _write_tokenizer(base: Path, max_tokens: int, draft: Path) -> None:
    """The base's own `tokenizer.json`, to be read as it is: other classes build theirs anew from settings."""
    shutil.copyfile(base / "tokenizer.json", draft / "tokenizer.json")
    vocabulary = json.loads((base / "tokenizer.json").read_text("utf-8"))
    known = _vocabulary(vocabulary)
    stated_file = base / "tokenizer_config.json"
    stated = json.loads(stated_file.read_text("utf-8")) if stated_file.is_file() else {}
    special = {}
    for name, usual in _SPECIAL_TOKENS.items():
        given = stated.get(name)
        given = given.get("content") if isinstance(given, dict) else given
        token = next((one for one in (given, *usual) if one in known), None)
        if token is not None:
            special[name] = token
    if "pad_token" not in special:
        raise ExportError(f"{base / 'tokenizer.json'} has none of the tokens to pad with that are known")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_tokens,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "right",
        "truncation_side": "right",
        "clean_up_tokenization_spaces": False,
        **special,
    }
    _write_json(draft / "tokenizer_config.json", config)


def _vocabulary(tokenizer: dict[str, Any]) -> set[str]:
    vocabulary = tokenizer["model"].get("vocab", ())
    # Of Unigram a list of pairs of piece and score, of all others a dict.
    pieces = [one if isinstance(one, str) else one[0] for one in vocabulary]
    return {*pieces, *(one["content"] for one in tokenizer.get("added_tokens") or ())}


def _write_modules(bundle: Bundle, draft: Path) -> None:
    manifest = bundle.manifest
    dimensions = manifest.base_model.dimensions
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    if bundle.eraser is not None:
        modules += [(_DENSE, "Dense"), ("4_Normalize", "Normalize")]
        weight, bias = as_linear_layer(bundle.eraser)
        _write_json(
            draft / _DENSE / "config.json",
            {
                "in_features": dimensions,
                "out_features": dimensions,
                "bias": True,
                "activation_function": "torch.nn.modules.linear.Identity",
            },
        )
        tensors = {"linear.weight": weight, "linear.bias": bias}
        safetensors.numpy.save_file(tensors, draft / _DENSE / "model.safetensors", metadata={"format": "pt"})
    _write_json(
        draft / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": _MODULE + kind}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    _write_json(
        draft / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": dimensions,
            "pooling_mode_cls_token": manifest.pooling == "cls",
            "pooling_mode_mean_tokens": manifest.pooling == "mean",
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    _write_json(
        draft / "sentence_bert_config.json", {"max_seq_length": manifest.max_tokens, "do_lower_case": False}
    )
    job, resume = manifest.prefixes.job, manifest.prefixes.resume
    _write_json(
        draft / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            # `query` and `document` are what encode_query and encode_document look for.
            "prompts": {"job": job, "resume": resume, "query": job, "document": resume},
            # As in /v1/embed, a text is a resume unless it is said to be a job.
            "default_prompt_name": "resume" if resume else None,
            "similarity_fn_name": "cosine",
        },
    )


def _check(bundle: Bundle, draft: Path) -> None:
    """Read what was written, without sentence-transformers. Raises `ExportError` if a vector is off."""
    encoder = load_encoder(draft, bundle.manifest.pooling)
    tokenizer = TextTokenizer.load(draft / "tokenizer.json", bundle.manifest)
    dense = draft / _DENSE / "model.safetensors"
    layer = safetensors.numpy.load_file(dense) if bundle.eraser is not None else None
    for i, one in enumerate(bundle.reference_vectors.probes):
        ids = torch.tensor(tokenizer.encode_all([one.text], one.kind))
        with torch.inference_mode():
            vector = encoder(ids, torch.ones_like(ids))[0].numpy().astype(np.float64)
        if layer is not None:
            vector = layer["linear.weight"] @ vector + layer["linear.bias"]
        expected = np.asarray(one.vector)
        cosine = float(vector @ expected) / math.sqrt(float(vector @ vector) * float(expected @ expected))
        if not cosine >= 1 - PARITY_TOLERANCE["f32"]:
            raise ExportError(
                f"what was written gives reference vector {i} of {bundle.path / 'probes.json'} with a cosine "
                f"of {cosine:.6f}; {1 - PARITY_TOLERANCE['f32']:.4f} is needed"
            )


def _write_json(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
