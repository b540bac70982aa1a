"""The folder against the service's own engines, read by sentence-transformers as anybody would."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import load_file
from typer.testing import CliRunner

from service.core.base_model import describe
from service.core.bundle import Bundle, read_bundle, write_bundle
from service.core.engines.engine import EngineName
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.errors import BundleError
from service.core.manifest import Manifest, Prefixes
from service.core.matching import Matcher
from service.core.occupations import OccupationPolicy
from service.core.redaction.policy import RedactionPolicy
from service.core.scoring import MatchPolicy
from service.core.vectors import Vectors
from service.runtime.options import BUNDLES
from tests.conftest import QUERY
from tests.support.bundles import CALIBRATION, RULE
from tests.support.erasers import random_eraser
from tests.support.occupations import random_occupations
from tests.support.tiny_models import write_bge_like
from training.bundles.candidate import make_reference_vectors
from training.bundles.export import ExportError, rebuild_bundle
from training.bundles.sentence_transformers_export import as_linear_layer, export_sentence_transformers
from training.cli import app

TEXTS = [
    "python engineer",
    "registered nurse; the surgical ward. care",
    "backend service of the payment team " * 20,  # beyond the model's 64 tokens
    "[NAME] built software",
    "x",
]


class Made(NamedTuple):
    bundle: Bundle
    folder: Path


@pytest.fixture(scope="module")
def make(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """A bundle of a tiny base and its export."""

    def make(
        *, pooling: str, prefixes: Prefixes, adapted: bool, erasing: bool, matching: MatchPolicy | None = None
    ) -> Made:
        place = tmp_path_factory.mktemp("exports")
        base = describe(str(write_bge_like(place / "base", pooling_mode=pooling)))
        manifest = Manifest(
            name="test-bundle",
            version="1.0.0",
            base_model=base.spec,
            pooling=base.pooling,
            prefixes=prefixes,
            max_tokens=base.max_tokens,
            matching=matching or MatchPolicy(),
            redaction=RedactionPolicy(),
            files={},
        )
        eraser = random_eraser(32, seed=3) if erasing else None
        lora = adapter if adapted else None
        parts: dict[str, Any] = {
            "calibration.json": CALIBRATION,
            "decision.json": RULE,
            "probes.json": make_reference_vectors(base, manifest, lora, eraser),
        }
        occupations = None if manifest.matching.occupations is None else random_occupations(32)
        bundle = write_bundle(
            place / "bundle", manifest, parts, adapter=lora, eraser=eraser, occupations=occupations
        )
        folder = export_sentence_transformers(bundle, place / "export", repo_id="me/fair", license_id="mit")
        return Made(bundle, folder)

    return make


@pytest.fixture(scope="module")
def whole(make: Callable[..., Made]) -> Made:
    """CLS pooling, a query prefix, adapter, eraser and occupations: as a trained bge."""
    matching = MatchPolicy(
        temperature=16.0, resume_share=0.5, title_focus=4.0, occupations=OccupationPolicy()
    )
    return make(pooling="cls", prefixes=Prefixes(job=QUERY), adapted=True, erasing=True, matching=matching)


def read(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer  # seconds, which no other test should wait for

    return SentenceTransformer(str(folder), device="cpu", trust_remote_code=False, local_files_only=True)


def load(bundle: Bundle, engine: EngineName, cache: Path) -> LoadedModel:
    return load_model(bundle, EngineOptions(engine, "cpu", threads=2, cache=cache, precision="f32"))


def cosines(a: Vectors, b: Vectors) -> Vectors:
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1.0, atol=1e-5)
    found: Vectors = (a * b).sum(axis=1)
    return found


def assert_same_vectors(made: Made, loaded: LoadedModel) -> None:
    model = read(made.folder)
    assert model.max_seq_length == made.bundle.manifest.max_tokens
    for kind in ("job", "resume"):
        ours = loaded.engine.embed(loaded.tokenizer.encode_all(TEXTS, "job" if kind == "job" else "resume"))
        assert cosines(model.encode(TEXTS, prompt_name=kind), ours).min() >= 0.9999
    # Without a word about the kind a text is a resume, as in /v1/embed.
    assert cosines(model.encode(TEXTS), ours).min() >= 0.9999
    asked = model.encode_query(TEXTS), loaded.engine.embed(loaded.tokenizer.encode_all(TEXTS, "job"))
    assert cosines(*asked).min() >= 0.9999
    assert cosines(model.encode_document(TEXTS), ours).min() >= 0.9999


@pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_sentence_transformers_gives_the_services_vectors(
    engine: EngineName, whole: Made, tmp_path: Path
) -> None:
    assert_same_vectors(whole, load(whole.bundle, engine, tmp_path))


@pytest.mark.parametrize(
    ("pooling", "prefixes", "adapted", "erasing"),
    [
        ("cls", Prefixes(job=QUERY), True, False),
        ("mean", Prefixes(job="query: ", resume="passage: "), False, True),
        pytest.param("mean", Prefixes(), False, False, marks=pytest.mark.slow),
    ],
)
def test_with_and_without_adapter_and_eraser(
    make: Callable[..., Made],
    pooling: str,
    prefixes: Prefixes,
    adapted: bool,
    erasing: bool,
    tmp_path: Path,
) -> None:
    made = make(pooling=pooling, prefixes=prefixes, adapted=adapted, erasing=erasing)
    assert (made.folder / "3_Dense").exists() == erasing
    assert_same_vectors(made, load(made.bundle, "torch", tmp_path))
    assert rebuild_bundle(made.folder, tmp_path / "again").digest == made.bundle.digest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minilm-fair", "minilm-base"])
def test_the_shipped_bundles_vectors_as_served(name: str, tmp_path: Path, model_cache: Path) -> None:
    bundle = read_bundle(BUNDLES / name)
    folder = export_sentence_transformers(bundle, tmp_path / "export")
    loaded = load_model(bundle, EngineOptions("openvino", "cpu", threads=2, cache=model_cache))
    texts = [one.text for one in bundle.reference_vectors.probes]
    ours = loaded.engine.embed(loaded.tokenizer.encode_all(texts, "resume"))
    assert cosines(read(folder).encode(texts), ours).min() >= 0.9999


def test_the_command_writes_it(whole: Made, tmp_path: Path) -> None:
    given = ["export", str(whole.bundle.path), "--format", "sentence-transformers", "--license", "mit"]
    done = CliRunner().invoke(app, [*given, "--output", str(tmp_path / "out"), "--repo-id", "me/fair"])
    assert done.exit_code == 0, done.output
    assert f"wrote {tmp_path / 'out'}" in done.stderr
    for name in ("model.safetensors", "3_Dense/model.safetensors", "modules.json", "README.md"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.folder / name).read_bytes()


def test_without_the_erasing_layer_vectors_are_others(whole: Made, tmp_path: Path) -> None:
    copy = shutil.copytree(whole.folder, tmp_path / "copy")
    modules = json.loads((copy / "modules.json").read_text())
    assert [one["type"].rpartition(".")[2] for one in modules] == [
        "Transformer",
        "Pooling",
        "Normalize",
        "Dense",
        "Normalize",
    ]
    (copy / "modules.json").write_text(json.dumps(modules[:3]))
    assert cosines(read(copy).encode(TEXTS), read(whole.folder).encode(TEXTS)).max() < 0.99


def test_the_linear_layer_is_the_eraser() -> None:
    eraser = random_eraser(16, directions=3)
    weight, bias = as_linear_layer(eraser)
    x = np.random.default_rng(1).standard_normal((5, 16))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = x @ weight.T + bias
    np.testing.assert_allclose(y / np.linalg.norm(y, axis=1, keepdims=True), eraser.apply(x), atol=1e-6)


def test_the_folder_is_whole_and_holds_no_pickle_and_no_path_of_this_machine(whole: Made) -> None:
    files = {file.relative_to(whole.folder).as_posix() for file in whole.folder.rglob("*") if file.is_file()}
    assert {file.rpartition(".")[2] for file in files} == {"json", "md", "safetensors"}
    assert {"model.safetensors", "tokenizer.json", "3_Dense/model.safetensors", "README.md"} < files
    assert {"bundle/manifest.json", *(f"bundle/{name}" for name in whole.bundle.manifest.files)} < files
    place = str(whole.folder.parent)
    texts = [file for file in files if not file.endswith(".safetensors") and not file.startswith("bundle/")]
    assert not [file for file in texts if place in (whole.folder / file).read_text("utf-8")]
    weights = load_file(whole.folder / "model.safetensors")
    assert not [name for name in weights if "lora" in name]


def test_the_code_in_the_card_scores_as_the_service_does(whole: Made, tmp_path: Path) -> None:
    card = (whole.folder / "README.md").read_text("utf-8")
    header = ModelCard(card).data
    assert (header["library_name"], header["license"]) == ("sentence-transformers", "mit")
    assert "Redaction is not in this model" in card
    assert f"`{QUERY}` before them" in card
    code = "\n".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL))
    assert "me/fair" in code
    names: dict[str, Any] = {}
    code = code.replace("me/fair", str(whole.folder)).replace('"bundle/', f'"{whole.folder}/bundle/')
    exec(compile(code, "README.md", "exec"), names)
    loaded = load(whole.bundle, "torch", tmp_path)
    matcher = Matcher(whole.bundle, loaded.tokenizer)
    body = "python engineer to build the backend service.\n" * 20
    resume = matcher.tokenize_resume(
        "senior java engineer built payment software.\n" * 15 + "nurse of the ward.\n" * 30, redact=False
    )
    for title in (None, "python engineer"):
        job = matcher.tokenize_job(body, title)
        vectors = loaded.engine.embed(job.texts), loaded.engine.embed(resume.texts)
        passages = [one.text for one in job.passages], [one.text for one in resume.passages]
        assert len(passages[0]) > 1
        assert len(passages[1]) > 3
        assert names["raw_score"](*passages, title) == pytest.approx(
            matcher.raw_score(job, *vectors), abs=1e-5
        )


def test_an_export_is_no_base_model_of_a_bundle(whole: Made) -> None:
    with pytest.raises(BundleError, match=r"modules\.json: a module Dense, .* would be left out"):
        describe(str(whole.folder))


def test_an_export_of_either_form_is_overwritten_and_nothing_else(whole: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").touch()
    with pytest.raises(ExportError, match="home exists already"):
        export_sentence_transformers(whole.bundle, home)
    with pytest.raises(ExportError, match="not an earlier export"):
        export_sentence_transformers(whole.bundle, home, overwrite=True)
    assert [entry.name for entry in home.iterdir()] == ["thesis.txt"]
    with pytest.raises(ExportError, match="not a/hub/id is not a hub id"):
        export_sentence_transformers(whole.bundle, tmp_path / "out", base_model="not a/hub/id")
    assert not (tmp_path / "out").exists()


def test_what_does_not_give_the_bundles_vectors_is_not_written(
    whole: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a release of transformers would that writes other weights."""
    from training.bundles import sentence_transformers_export as module

    weight, bias = as_linear_layer(random_eraser(32, seed=9))
    monkeypatch.setattr(module, "as_linear_layer", lambda eraser: (weight, bias))
    with pytest.raises(ExportError, match=r"gives reference vector 0 of .* with a cosine of 0\.\d+; 0\.9999"):
        export_sentence_transformers(whole.bundle, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_base_model_that_is_gone_is_said(whole: Made, tmp_path: Path) -> None:
    spec = whole.bundle.manifest.base_model.model_copy(update={"id": str(tmp_path / "gone")})
    parts: dict[str, Any] = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": whole.bundle.reference_vectors,
    }
    manifest = whole.bundle.manifest.model_copy(update={"base_model": spec})
    bundle = write_bundle(tmp_path / "bundle", manifest, parts, occupations=whole.bundle.occupations)
    with pytest.raises(BundleError, match=r"gone: no such folder"):
        export_sentence_transformers(bundle, tmp_path / "out")
