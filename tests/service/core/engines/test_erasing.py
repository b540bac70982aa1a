"""A bundle's concept eraser is in the vectors of every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from service.core.bundle import Bundle
from service.core.concept_eraser import ConceptEraser
from service.core.encoder import load_encoder
from service.core.engines.engine import EngineName, Precision
from service.core.engines.loading import EngineOptions, LoadedModel, check_parity, load_model
from service.core.engines.torch_engine import TorchEngine
from service.core.errors import BundleParityError
from service.core.tokenization import TokenIds
from tests.support.bundles import write_test_bundle
from tests.support.erasers import random_eraser

ERASING = random_eraser(32)
RNG = np.random.default_rng(0)
TEXTS: list[TokenIds] = [(2, *(int(i) for i in RNG.integers(5, 60, n)), 3) for n in (1, 3, 3, 9, 20, 20, 60)]


# With OpenVINO in every run, too: each start of the real server compares its vectors with the bundle's.
EACH_ENGINE = pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def erasing(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("erasing") / "bundle"
    return write_test_bundle(folder, str(bge_like), adapter=adapter, eraser=ERASING)


@pytest.fixture(scope="module")
def without(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_test_bundle(tmp_path_factory.mktemp("without") / "bundle", str(bge_like), adapter=adapter)


def load(bundle: Bundle, engine: EngineName, cache: Path, precision: Precision | None = None) -> LoadedModel:
    return load_model(bundle, EngineOptions(engine, "cpu", 2, cache, precision=precision))


@EACH_ENGINE
def test_served_vectors_are_the_erased_ones(
    engine: EngineName, erasing: Bundle, without: Bundle, model_cache: Path
) -> None:
    plain = load(without, "torch", model_cache, "f32").engine.embed(TEXTS)
    loaded = load(erasing, engine, model_cache, "f32")
    vectors = loaded.engine.embed(TEXTS)
    np.testing.assert_allclose(vectors, ERASING.apply(plain), atol=2e-6)
    assert (vectors * plain).sum(axis=1).max() < 0.9995
    assert loaded.engine.info.batch_invariant


@EACH_ENGINE
def test_half_precision_erases_as_well(
    engine: EngineName, erasing: Bundle, without: Bundle, model_cache: Path
) -> None:
    # bf16 moves the vector before erasure; the erasure itself is exact: the components along `right`
    # are those of the mean. In bf16 they would be off by a hundredth of what was taken away.
    loaded = load(erasing, engine, model_cache, "bf16")
    vectors = loaded.engine.embed(TEXTS).astype(np.float64)
    plain = load(without, "torch", model_cache, "f32").engine.embed(TEXTS).astype(np.float64)
    length = np.linalg.norm(plain - (plain - ERASING.mean) @ ERASING.right.T @ ERASING.left.T, axis=1)
    parts = vectors @ ERASING.right.T  # (N, R)
    directions = parts / np.linalg.norm(parts, axis=1, keepdims=True)
    left_over = ERASING.right @ ERASING.mean
    np.testing.assert_allclose(
        directions, np.tile(left_over / np.linalg.norm(left_over), (len(TEXTS), 1)), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(parts, axis=1) * length, np.linalg.norm(left_over), rtol=0.05)


@EACH_ENGINE
def test_an_erased_text_has_the_same_vector_in_any_batch(
    engine: EngineName, erasing: Bundle, model_cache: Path
) -> None:
    loaded = load(erasing, engine, model_cache)
    batch = [*TEXTS, *reversed(TEXTS), *TEXTS, *TEXTS]
    together = loaded.engine.embed(batch)
    alone = np.concatenate([loaded.engine.embed([ids]) for ids in batch])
    assert np.array_equal(together, alone)


def test_without_an_eraser_the_encoder_computes_what_it_did(without: Bundle, bge_like: Path) -> None:
    encoder = load_encoder(bge_like, "cls", without.adapter_path)
    assert [name for name, _ in encoder.named_children()] == ["backbone"]
    ids = torch.tensor([TEXTS[3]])
    with torch.inference_mode():
        first = encoder.backbone(input_ids=ids, attention_mask=torch.ones_like(ids))[0][:, 0]
        assert torch.equal(encoder(ids, torch.ones_like(ids)), torch.nn.functional.normalize(first, dim=-1))


def test_only_the_backbone_computes_in_half_precision(erasing: Bundle, bge_like: Path) -> None:
    encoder = load_encoder(bge_like, "cls", None, ERASING)
    TorchEngine(
        encoder, device="cpu", precision="bf16", positions=64, dimensions=32, reference_texts=TEXTS[:1]
    )
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.bfloat16}
    assert {buffer.dtype for buffer in encoder.eraser.buffers()} == {torch.float32}  # type: ignore[union-attr]


def test_an_eraser_is_not_trained_but_gradients_pass_through(bge_like: Path) -> None:
    encoder = load_encoder(bge_like, "cls", None, ERASING).train()
    assert not [name for name, _ in encoder.named_parameters() if name.startswith("eraser")]
    ids = torch.tensor([TEXTS[3]])
    encoder(ids, torch.ones_like(ids))[0, 0].backward()
    gradients = [p.grad for p in encoder.backbone.parameters() if p.grad is not None]
    assert max(float(g.abs().max()) for g in gradients) > 0


def test_reference_vectors_made_without_the_eraser_are_not_reproduced(
    erasing: Bundle, without: Bundle, model_cache: Path
) -> None:
    forged = Bundle(**{**vars(erasing), "reference_vectors": without.reference_vectors})
    with pytest.raises(BundleParityError, match="reference vector 0 has cosine"):
        check_parity(forged, load(erasing, "torch", model_cache))


def test_another_eraser_is_another_bundle_hence_another_converted_model(
    bge_like: Path, erasing: Bundle, tmp_path: Path
) -> None:
    other = ConceptEraser(ERASING.mean + np.float32(0.01), ERASING.left, ERASING.right)
    assert write_test_bundle(tmp_path / "other", str(bge_like), eraser=other).digest != erasing.digest
