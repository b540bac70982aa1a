"""Which prefixes a base model is used with, in the shapes that people have models in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.core.base_model import MINILM, BaseModel, describe
from service.core.manifest import Prefixes
from tests.support.tiny_models import write_json
from training.bundles.candidate import new_manifest

BGE = "Represent this sentence for searching relevant passages: "
BGE_CARD = """---
tags:
- sentence-transformers
- mteb
model-index:
- name: bge-small-en-v1.5
  results:
  - task:
      type: Classification
    dataset:
      type: mteb/amazon_counterfactual
      name: MTEB AmazonCounterfactualClassification (en)
    metrics:
    - type: accuracy
      value: 73.79
- name: another
license: mit
---

# FlagEmbedding
"""


def model_at(source: Path, folder: Path, *, card: str | None = None, **config: object) -> BaseModel:
    """A model in `folder` with this card, and with these keys in its config.json."""
    shutil.copytree(source, folder)
    if card is not None:
        (folder / "README.md").write_text(card, "utf-8")
    if config:
        file = folder / "config.json"
        write_json(file, json.loads(file.read_text("utf-8")) | config)
    return describe(str(folder))


@pytest.mark.parametrize(
    ("name", "job", "resume"),
    [
        ("bge-large-en-v1.5", BGE, ""),
        ("BAAI_bge-small-en-v1.5", BGE, ""),
        ("baai-bge-base-en", BGE, ""),
        ("bge-small-en-v1___5", BGE, ""),  # as ModelScope's cache writes it
        ("bge-small-en-v1.5-tuned-on-resumes", BGE, ""),
        ("bge-m3", "", ""),
        ("e5-base-v2", "query: ", "passage: "),
        ("multilingual-e5-small", "query: ", "passage: "),
        (
            "intfloat--multilingual-e5-large-instruct",
            "Instruct: Given a job posting, retrieve resumes of people who can do the job\nQuery: ",
            "",
        ),
        ("gte-large", "", ""),
        ("gte-base-en-v1.5", "", ""),
        ("nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("snowflake-arctic-embed-m", BGE, ""),
        ("snowflake-arctic-embed-m-v2.0", "query: ", ""),
        ("mxbai-embed-large-v1", BGE, ""),
        ("all-MiniLM-L6-v2", "", ""),
    ],
)
def test_a_folder_is_used_as_its_name_says_and_that_is_called_a_guess(
    bge_like: Path, tmp_path: Path, name: str, job: str, resume: str
) -> None:
    found = model_at(bge_like, tmp_path / name).found_prefixes
    assert (found.prefixes.job, found.prefixes.resume) == (job, resume)
    assert found.guessed_from == f"the folder's name {name}"
    warning = found.warning(None, None)
    assert warning is not None
    assert "a guess from the folder's name" in warning
    assert ("before jobs" in warning, "before resumes" in warning) == (bool(job), bool(resume))


def test_the_path_of_the_hubs_cache_is_as_sure_as_the_id(bge_like: Path, tmp_path: Path) -> None:
    place = tmp_path / "models--BAAI--bge-base-en-v1.5" / "snapshots" / ("5c38" * 10)
    found = model_at(bge_like, place).found_prefixes
    assert found.prefixes == Prefixes(job=BGE)
    assert found.warning(None, None) is None


@pytest.mark.parametrize(
    ("card", "config", "source"),
    [
        (BGE_CARD, {}, "the model card's name bge-small-en-v1.5"),
        ("---\nbase_model: BAAI/bge-small-en-v1.5\n---\n", {}, "the model card's base_model BAAI/bge-small"),
        ("---\r\nbase_model:\r\n- 'BAAI/bge-base-en'\r\n---\r\n", {}, "the model card's base_model BAAI/bge"),
        (None, {"_name_or_path": "/root/.cache/torch/BAAI_bge-large-en/"}, "config.json's _name_or_path"),
        ("# no head\nbase_model: e5-base\n", {"_name_or_path": "./bge-small-en"}, "config.json's _name"),
    ],
)
def test_a_folder_of_any_name_is_used_as_its_files_say(
    bge_like: Path, tmp_path: Path, card: str | None, config: dict[str, object], source: str
) -> None:
    found = model_at(bge_like, tmp_path / "our-encoder", card=card, **config).found_prefixes
    assert found.prefixes.job == BGE
    assert (found.guessed_from or "").startswith(source)


def test_its_own_name_goes_before_that_of_the_model_it_was_made_from(bge_like: Path, tmp_path: Path) -> None:
    card = "---\nbase_model: intfloat/e5-base-v2\n---\n"
    found = model_at(bge_like, tmp_path / "snowflake-arctic-embed-m", card=card).found_prefixes
    assert found.prefixes == Prefixes(job=BGE)


def test_a_folder_whose_name_tells_nothing_is_asked_for_the_one_above(bge_like: Path, tmp_path: Path) -> None:
    assert model_at(bge_like, tmp_path / "e5-small" / "model").prefixes.resume == "passage: "


@pytest.mark.parametrize(
    ("content", "job", "resume"),
    [
        ({"prompts": {"query": "q: ", "passage": "p: "}}, "q: ", "p: "),
        ({"prompts": {"Retrieval-query": "find: ", "Clustering": "c: "}}, "find: ", ""),
        ({"prompts": {"always": "text: "}, "default_prompt_name": "always"}, "text: ", "text: "),
        ({"prompts": {"query": "", "document": ""}}, "query: ", "passage: "),  # as the library fills it in
        ({"prompts": {"clustering": "c: "}}, "query: ", "passage: "),
    ],
)
def test_prompts_in_the_files_go_before_every_name(
    bge_like: Path, tmp_path: Path, content: object, job: str, resume: str
) -> None:
    folder = tmp_path / "e5-base"
    shutil.copytree(bge_like, folder)
    write_json(folder / "config_sentence_transformers.json", content)
    found = describe(str(folder)).found_prefixes
    assert (found.prefixes.job, found.prefixes.resume) == (job, resume)
    assert (found.guessed_from is None) == (job != "query: ")


def test_an_unknown_model_has_no_prefix_and_that_is_said(bge_like: Path, tmp_path: Path) -> None:
    found = model_at(bge_like, tmp_path / "ours").found_prefixes
    assert found.prefixes == Prefixes()
    assert "so none is used; base_model.job_prefix" in (found.warning(None, None) or "")


def test_the_packaged_minilm_is_known_to_want_none() -> None:
    found = describe(MINILM).found_prefixes
    assert found.prefixes == Prefixes()
    assert found.warning(None, None) is None


def test_a_guess_stands_in_the_manifest_and_settings_override_it(bge_like: Path, tmp_path: Path) -> None:
    base = model_at(bge_like, tmp_path / "e5-base")
    guessed = new_manifest("e5", "1.0.0", base).prefixes
    assert guessed.model_dump() == {
        "job": "query: ",
        "resume": "passage: ",
        "guessed_from": "the folder's name e5-base",
    }
    one = new_manifest("e5", "1.0.0", base, job_prefix="job: ").prefixes
    assert (one.job, one.resume, one.guessed_from) == ("job: ", "passage: ", "the folder's name e5-base")
    assert '"job: " before jobs and "passage: " before resumes' in (
        base.found_prefixes.warning("job: ", None) or ""
    )
    none = new_manifest("e5", "1.0.0", base, job_prefix="", resume_prefix="").prefixes
    assert none.model_dump() == {"job": "", "resume": ""}  # as older services read it
    assert base.found_prefixes.warning("", "") is None
