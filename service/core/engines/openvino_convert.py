"""Convert an encoder to OpenVINO's format, once per bundle, base model and OpenVINO version.

The result is a cache folder: the model, the base model's tokenizer and `record.json` with their
hashes. It is written beside its place and renamed. Conversion needs torch and transformers and
runs in a process of its own, so the server never loads either.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import service
from service.core.base_model import find_verified
from service.core.bundle import Bundle, read_bundle
from service.core.errors import BundleError, EngineError, EngineUnavailableError, EvenmatchError
from service.core.files import sha256_bytes, sha256_file

log = logging.getLogger(__name__)

_FILES = ("model.xml", "model.bin", "tokenizer.json")
_RUN = """import sys
sys.path.insert(0, sys.argv[1])
from service.core.engines.openvino_convert import convert_as_child
convert_as_child(*sys.argv[2:])"""


@dataclass(frozen=True)
class ConvertedModel:
    """A verified cache folder."""

    folder: Path

    @property
    def model_file(self) -> Path:
        return self.folder / "model.xml"

    @property
    def tokenizer_file(self) -> Path:
        return self.folder / "tokenizer.json"


def converted(
    bundle: Bundle, cache: Path, base_override: str | None = None, ready: Path | None = None
) -> ConvertedModel:
    """Return the converted model from `ready` or `cache`, converting into `cache` if neither has it intact.

    `ready` is only read: it may lie on a read-only file system. Raises `BundleError` if the base model is
    missing or another one, `EngineUnavailableError` if torch is needed and missing, `EngineError` if the
    conversion fails.
    """
    name = f"openvino-{_key(bundle)}"
    for place in (ready, cache):
        if place is not None and _is_intact(place / name):
            return ConvertedModel(place / name)
    if find_spec("torch") is None:
        raise EngineUnavailableError(
            f"bundle {bundle.manifest.name} must be converted for OpenVINO first, which needs torch: "
            "pip install 'evenmatch[torch]', or run `evenmatch convert` where it is and set models_dir"
        )
    folder = cache / name
    log.info("converting %s for OpenVINO; once only, about ten seconds", bundle.manifest.name)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"{cache} cannot be made, for converted models: {error.strerror}") from None
    _convert_in_child(bundle.path, folder, base_override)
    if not _is_intact(folder):
        raise EngineError(f"the converted model in {folder} does not match its own record")
    return ConvertedModel(folder)


def _key(bundle: Bundle) -> str:
    version = metadata.version("openvino")
    return sha256_bytes(f"{bundle.digest} {version}".encode())[:16]


def _is_intact(folder: Path) -> bool:
    try:
        record = json.loads((folder / "record.json").read_text("utf-8"))
        return all(sha256_file(folder / name) == record["files"][name] for name in _FILES)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _convert_in_child(bundle_path: Path, folder: Path, base_override: str | None) -> None:
    # Not `multiprocessing`: it runs the caller's own script again, and finds a `service` beside it first.
    arguments = [str(bundle_path), str(folder), *([] if base_override is None else [base_override])]
    child = subprocess.run(
        [sys.executable, "-P", "-c", _RUN, str(Path(service.__file__).parents[1]), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if child.returncode:
        raise EngineError("the conversion process died (out of memory?)")
    failure: tuple[str, str] | None = json.loads(child.stdout)
    if failure is not None:
        kind, message = failure
        raise (BundleError if kind == "bundle" else EngineError)(message)


def convert_as_child(bundle_path: str, folder: str, base_override: str | None = None) -> None:
    """Convert, and write to stdout as JSON what went wrong: its kind and message, or null."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not get into the answer
    warnings.simplefilter("ignore")  # the tracer's remarks on the backbone's own code
    failure = None
    try:
        from service.core.encoder import silence_transformers

        silence_transformers()
        convert(read_bundle(Path(bundle_path)), Path(folder), base_override)
    except EvenmatchError as error:
        failure = ("bundle" if isinstance(error, BundleError) else "engine", error.message)
    except Exception as error:
        failure = ("engine", f"conversion to OpenVINO failed: {type(error).__name__}: {error}")
    with answer:
        json.dump(failure, answer)


def convert(bundle: Bundle, folder: Path, base_override: str | None = None) -> None:
    """Convert in this process (imports torch) and write the cache folder."""
    import torch

    from service.core.encoder import load_encoder
    from service.core.engines.openvino_engine import ov

    base = find_verified(bundle.manifest.base_model, base_override)
    encoder = load_encoder(base, bundle.manifest.pooling, bundle.adapter_path, bundle.eraser)
    example = torch.ones(2, 16, dtype=torch.long)
    shape = ov.PartialShape([-1, -1])
    model = ov.convert_model(
        encoder,
        example_input={"input_ids": example, "attention_mask": example},
        input=[("input_ids", shape, ov.Type.i64), ("attention_mask", shape, ov.Type.i64)],
    )
    draft = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    draft.mkdir(parents=True)
    try:
        ov.save_model(model, draft / "model.xml", compress_to_fp16=False)
        shutil.copyfile(base / "tokenizer.json", draft / "tokenizer.json")
        record = {
            "bundle": bundle.digest,
            "base_model_weights": bundle.manifest.base_model.weights_sha256,
            "openvino": metadata.version("openvino"),
            "files": {name: sha256_file(draft / name) for name in _FILES},
        }
        (draft / "record.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        try:
            draft.rename(folder)
        except OSError:
            # Another process converted the same bundle meanwhile; its result is as good as ours.
            if not _is_intact(folder):
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
