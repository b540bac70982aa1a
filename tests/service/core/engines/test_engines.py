"""Both engines, on the tiny model in the bge layout (CLS pooling, prefix)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.bundle import Bundle
from service.core.engines.engine import EngineName, checked, same_length_groups
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.engines.openvino_convert import converted
from service.core.engines.openvino_engine import OpenVinoEngine
from service.core.errors import BundleError, BundleParityError, EngineError, EngineUnavailableError
from tests.conftest import QUERY
from tests.support.bundles import write_test_bundle


def options(name: EngineName, cache: Path, **changes: object) -> EngineOptions:
    return EngineOptions(**{"name": name, "device": "cpu", "threads": 2, "cache": cache, **changes})  # type: ignore[arg-type]  # keyword by keyword


@pytest.fixture(scope="module", params=["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def loaded(request: pytest.FixtureRequest, tiny_bundle: Bundle, model_cache: Path) -> LoadedModel:
    return load_model(tiny_bundle, options(request.param, model_cache))


def test_openvino_binds_no_thread_to_a_core(tiny_bundle: Bundle, model_cache: Path) -> None:
    """By default every process would bind its first thread to the same core, and two would share that."""
    engine = load_model(tiny_bundle, options("openvino", model_cache)).engine
    assert isinstance(engine, OpenVinoEngine)
    assert engine._compiled.get_property("ENABLE_CPU_PINNING") is False


TEXTS = ["python engineer", "nurse", "the backend service of the payment team", "x " * 25, "java"]


@pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_vectors_are_those_of_sentence_transformers(
    engine: EngineName, tiny_bundle: Bundle, model_cache: Path, bge_like: Path
) -> None:
    from sentence_transformers import SentenceTransformer  # seconds, which no other test should wait for

    exact = load_model(tiny_bundle, options(engine, model_cache, precision="f32"))
    oracle = SentenceTransformer(str(bge_like), device="cpu")
    for kind, prefix in (("job", QUERY), ("resume", "")):
        expected = oracle.encode([prefix + text for text in TEXTS], batch_size=1)
        ids = exact.tokenizer.encode_all(TEXTS, "job" if kind == "job" else "resume")
        np.testing.assert_allclose(exact.engine.embed(ids), expected, atol=2e-6)


def test_the_precision_picked_for_this_machine_stays_near_f32(
    loaded: LoadedModel, tiny_bundle: Bundle, model_cache: Path
) -> None:
    ids = loaded.tokenizer.encode_all(TEXTS, "resume")
    exact = load_model(tiny_bundle, options("torch", model_cache, precision="f32")).engine.embed(ids)
    assert (loaded.engine.embed(ids) * exact).sum(axis=1).min() > 0.9999


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(texts=st.lists(st.lists(st.integers(5, 60), min_size=1, max_size=60), min_size=1, max_size=30))
def test_a_text_has_the_same_vector_in_any_batch(loaded: LoadedModel, texts: list[list[int]]) -> None:
    assert loaded.engine.info.batch_invariant
    batch = [(2, *ids, 3) for ids in texts]
    together = loaded.engine.embed(batch)
    backwards = loaded.engine.embed(batch[::-1])[::-1]
    alone = np.concatenate([loaded.engine.embed([ids]) for ids in batch])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, backwards)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_an_empty_batch_has_no_vectors(loaded: LoadedModel) -> None:
    assert loaded.engine.embed([]).shape == (0, 32)


# With OpenVINO in every run, too: the real server's bundle has an adapter and an eraser.
@pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_an_adapter_is_merged_at_load(
    engine: EngineName, bge_like: Path, adapter: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModel

    bundle = write_test_bundle(tmp_path / "adapted", str(bge_like), adapter=adapter)
    loaded = load_model(bundle, options(engine, tmp_path, precision="f32"))
    ids = loaded.tokenizer.encode_all(TEXTS, "resume")
    unmerged = PeftModel.from_pretrained(AutoModel.from_pretrained(bge_like), str(adapter)).eval()
    plain = load_model(tiny_bundle, options("torch", tmp_path)).engine.embed(ids)
    for text, actual, before in zip(ids, loaded.engine.embed(ids), plain, strict=True):
        with torch.inference_mode():
            first = unmerged(input_ids=torch.tensor([text]))[0][0, 0]
        np.testing.assert_allclose(actual, (first / first.norm()).numpy(), atol=5e-6)
        assert actual @ before < 0.99


def test_a_bundle_whose_reference_vectors_are_not_reproduced_is_refused(
    bge_like: Path, adapter: Path, tmp_path: Path
) -> None:
    # The reference vectors of another encoder: what a wrong merge or a wrong pooling would look like.
    bundle = write_test_bundle(tmp_path / "adapted", str(bge_like), adapter=adapter)
    plain = write_test_bundle(tmp_path / "plain", str(bge_like))
    forged = Bundle(**{**vars(plain), "reference_vectors": bundle.reference_vectors})
    with pytest.raises(BundleParityError, match=r"reference vector 0 has cosine [-0-9.]+ to the"):
        load_model(forged, options("torch", tmp_path))


def test_a_missing_base_model_stops_the_conversion(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        load_model(tiny_bundle, options("openvino", tmp_path, base_model=str(tmp_path / "gone")))


@pytest.mark.slow
def test_a_damaged_converted_model_is_converted_again(tiny_bundle: Bundle, tmp_path: Path) -> None:
    first = converted(tiny_bundle, tmp_path)
    weights = first.folder / "model.bin"
    good = weights.read_bytes()
    weights.write_bytes(good[:-4] + b"\x00\x00\x00\x00")
    assert converted(tiny_bundle, tmp_path).folder == first.folder
    assert weights.read_bytes() == good
    assert [entry.name for entry in tmp_path.iterdir()] == [first.folder.name]


@pytest.mark.slow
def test_a_converted_model_is_found_again_without_the_base_model(tiny_bundle: Bundle, tmp_path: Path) -> None:
    first = converted(tiny_bundle, tmp_path)
    made = (first.folder / "record.json").stat().st_mtime_ns
    again = converted(tiny_bundle, tmp_path, base_override="/nowhere/at/all")
    assert (again.folder / "record.json").stat().st_mtime_ns == made
    assert json.loads((again.folder / "record.json").read_text())["bundle"] == tiny_bundle.digest


@pytest.mark.slow
def test_models_made_ahead_are_only_read(tiny_bundle: Bundle, tmp_path: Path) -> None:
    ready, cache = tmp_path / "ready", tmp_path / "cache"
    made = converted(tiny_bundle, ready)
    assert converted(tiny_bundle, cache, ready=ready).folder == made.folder
    assert not cache.exists()
    damaged = b"not a model"
    (made.folder / "model.bin").write_bytes(damaged)
    assert converted(tiny_bundle, cache, ready=ready).folder.parent == cache
    assert (made.folder / "model.bin").read_bytes() == damaged


@pytest.mark.slow  # it converts first
def test_a_precision_that_the_engine_has_not_is_refused(tiny_bundle: Bundle, model_cache: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="OpenVINO does not compute in f16"):
        load_model(tiny_bundle, options("openvino", model_cache, precision="f16"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_device_that_is_not_there_is_refused(tiny_bundle: Bundle, model_cache: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="torch cannot use cuda"):
        load_model(tiny_bundle, options("torch", model_cache, device="cuda"))


def test_openvino_is_imported_without_its_telemetry() -> None:
    import service.core.engines.openvino_engine  # noqa: F401  (imported for what it does)

    modules: dict[str, ModuleType | None] = dict(sys.modules)
    assert modules["openvino_telemetry"] is None
    assert not [name for name in modules if name.startswith("openvino_telemetry.")]


def test_a_vector_that_is_not_finite_is_no_vector() -> None:
    with pytest.raises(EngineError, match="not finite"):
        checked(np.array([[1.0, np.nan]], dtype=np.float32))


def test_only_texts_of_one_padded_length_travel_together() -> None:
    batch = [tuple(range(n)) for n in (3, 20, 8, 9, 5, 64, 61)]
    groups = list(same_length_groups(batch, step=8, rows=2, tokens=1000, positions=64))
    assert groups == [(64, [5, 6]), (24, [1]), (16, [3]), (8, [0, 2]), (8, [4])]


def test_padding_never_exceeds_the_models_positions() -> None:
    assert list(same_length_groups([tuple(range(60))], step=64, rows=8, tokens=100, positions=61)) == [
        (61, [0])
    ]
