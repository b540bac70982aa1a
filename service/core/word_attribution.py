"""Which words of a resume carry its score, beside the passages that `matching.explain` tells.

Of the passages that matter most, words are replaced by the mask token bit by bit, all at once, and what each
adds on the way is summed up (`integrated_gradients.py`). Words are those of the redacted text. It needs torch
and takes gradients: seconds of a CPU, where passages cost nothing. Nothing is logged.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.core.bundle import Bundle
from service.core.errors import EngineUnavailableError, InputError
from service.core.matching import Matcher, PassageContribution, TokenizedJob, TokenizedResume, explain
from service.core.redaction.json_resume import plain_text
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.redactor import Redactor
from service.core.scoring import SCORE_DECIMALS, passage_weights
from service.core.tokenization import Passage, TextTokenizer

if TYPE_CHECKING:
    from service.core.encoder import Encoder
    from service.core.engines.engine import Device
    from service.core.engines.torch_engine import TorchEngine

MOST_PASSAGES = 20
MOST_STEPS = 256

_HIDDEN = {token: category for category, token in TOKENS.items()}
_HIDDEN_TOKEN = re.compile("|".join(map(re.escape, _HIDDEN)))


@dataclass(frozen=True, slots=True)
class WordContribution:
    """A word between blanks, with the marks beside it, and what it adds to `raw_score`.

    `start`, `end`: where it stands in `WordExplanation.text`, in characters, [start, end). `hidden`: the
    category of what redaction put a token in the place of; None for a word of the resume's own.
    """

    text: str
    start: int
    end: int
    contribution: float
    hidden: Category | None


@dataclass(frozen=True, slots=True)
class PassageWords:
    """One passage that was looked into, with its words in their order.

    `occlusion`: `raw_score` less that without the passage, None for the only one. `job_passage`: index of
    the job's passage that is nearest to it, `job_text` its text, `similarity` their cosine.
    """

    index: int
    occlusion: float | None
    job_passage: int
    job_text: str
    similarity: float
    words: list[WordContribution]

    @property
    def contribution(self) -> float:
        """Of all its words."""
        return sum(word.contribution for word in self.words)


@dataclass(frozen=True, slots=True)
class WordExplanation:
    """`text`: the redacted resume, of JSON its values. `passages`: in the order of the text.

    `raw_score`: by torch in f32, which may differ from the serving engine's in the third decimal.
    `baseline_score`: with all words of these passages masked. `residual`: what the contributions miss of the
    difference of the two, because a sum stands for an integral; more steps make it smaller.
    """

    text: str
    raw_score: float
    baseline_score: float
    residual: float
    passages: list[PassageWords]

    @property
    def words(self) -> list[WordContribution]:
        """All words that were looked into, the one that raised the score most first."""
        words = (word for passage in self.passages for word in passage.words)
        return sorted(words, key=lambda word: -word.contribution)


class WordAttributor:
    """Explains the scores of one bundle by words. Used by one thread at a time.

    `device`: None for the best that torch has. `base_model`: a folder, if the base model lies elsewhere than
    the bundle says. `redactor`: by default that of the bundle's policy. Raises `EngineUnavailableError` if
    torch is not installed, else as `load_model`.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        base_model: str | None = None,
        device: Device | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers", "peft")):
            raise EngineUnavailableError(
                "explaining by words needs gradients and so torch, which is not installed: install "
                "evenmatch[torch], or have passages explained, which needs no torch (`explain` of /v1/score)"
            )
        self._engine, self._encoder, self._tokenizer = _load(bundle, base_model, device)
        self._matcher = Matcher(bundle, self._tokenizer, redactor=redactor)

    def explain(
        self, description: str, resume: str, *, title: str | None = None, passages: int = 3, steps: int = 32
    ) -> WordExplanation:
        """Redact and score a resume against a job, and explain the score by words.

        Args:
            description: the job's text.
            resume: the resume's text as it came; it is redacted here.
            title: the job's title, if it has one.
            passages: how many of the resume's are looked into, those without which the score would change
                most; at most `MOST_PASSAGES`.
            steps: points of the path at which gradients are taken, at most `MOST_STEPS`. Time goes with
                passages times steps.

        Raises an `InputError` that names the field if a text cannot be read or a number is out of range.
        """
        _check("passages", passages, MOST_PASSAGES)
        _check("steps", steps, MOST_STEPS)
        job = self._matcher.tokenize_job(description, title)
        read = self._matcher.tokenize_resume(resume, job=job)
        job_vectors, vectors = self._engine.embed(job.texts), self._engine.embed(read.texts)
        explained = explain(self._matcher, job, job_vectors, read, vectors)
        chosen = sorted(sorted(explained, key=_weight, reverse=True)[:passages], key=lambda one: one.index)
        return self._words_of(job, job_vectors, read, vectors, chosen, steps)

    def _words_of(
        self,
        job: TokenizedJob,
        job_vectors: NDArray[np.float32],
        resume: TokenizedResume,
        vectors: NDArray[np.float32],
        chosen: Sequence[PassageContribution],
        steps: int,
    ) -> WordExplanation:
        import torch

        from service.core.integrated_gradients import (
            integrated_gradients,
            late_interaction_of,
            with_occupations,
        )

        policy = self._matcher.bundle.manifest.matching
        device = self._engine.info.device
        indices = torch.tensor([one.index for one in chosen], device=device)
        of_job = torch.from_numpy(job_vectors).to(device)
        of_resume = torch.from_numpy(vectors).to(device)
        bodies, title = (of_job, None) if job.title is None else (of_job[1:], of_job[0])
        prepared = self._matcher.prepared(job, job_vectors)
        weights = passage_weights(prepared.passages, prepared.title, prepared.shares, policy)
        of_passages = None if weights is None else torch.from_numpy(weights).to(of_job)
        known = self._matcher.bundle.occupations
        occupations = None if known is None else torch.from_numpy(known.vectors).to(of_job)

        def score(of_chosen: torch.Tensor) -> torch.Tensor:
            whole = of_resume.index_copy(0, indices, of_chosen)
            similarity = late_interaction_of(bodies, whole, title, policy, of_passages)
            if occupations is None or policy.occupations is None or prepared.profile is None:
                return similarity
            return with_occupations(similarity, whole, prepared.profile, occupations, policy.occupations)

        passages = [resume.passages[one.index] for one in chosen]
        places = [self._tokenizer.places(passage, "resume") for passage in passages]
        found = integrated_gradients(
            self._encoder,
            [passage.ids for passage in passages],
            [[place is not None for place in of_one] for of_one in places],
            self._tokenizer.mask_id,
            score,
            steps=steps,
        )
        text = plain_text(resume.read.document.text)
        all_words = _words_in(text, resume.passages)
        is_redacted = bool(resume.read.redactions)
        missed = found.value - found.baseline - sum(float(one.sum()) for one in found.attributions)
        return WordExplanation(
            text,
            round(found.value, SCORE_DECIMALS),
            round(found.baseline, SCORE_DECIMALS),
            round(missed, SCORE_DECIMALS),
            [
                PassageWords(
                    one.index,
                    one.contribution,
                    one.job_passage,
                    job.passages[one.job_passage].text,
                    one.similarity,
                    _summed(text, passage, all_words[one.index], of_tokens, at, is_redacted),
                )
                for one, passage, of_tokens, at in zip(
                    chosen, passages, found.attributions, places, strict=True
                )
            ],
        )


def _check(field: str, given: int, most: int) -> None:
    if not 1 <= given <= most:
        raise InputError(f"{field} must be 1 to {most}, not {given}", field=field, limit=most, actual=given)


def _load(
    bundle: Bundle, base_model: str | None, device: Device | None
) -> tuple[TorchEngine, Encoder, TextTokenizer]:
    from service.core.base_model import find_verified
    from service.core.encoder import load_encoder, silence_transformers
    from service.core.engines.loading import LoadedModel, check_parity
    from service.core.engines.torch_engine import TorchEngine, available_device

    silence_transformers()
    manifest = bundle.manifest
    base: Path = find_verified(manifest.base_model, base_model)
    tokenizer = TextTokenizer.load(base / "tokenizer.json", manifest)
    encoder = load_encoder(base, manifest.pooling, bundle.adapter_path, bundle.eraser).requires_grad_(False)
    engine = TorchEngine(
        encoder,
        device=device or available_device(),
        precision="f32",
        positions=manifest.max_tokens,
        dimensions=manifest.base_model.dimensions,
        reference_texts=[
            tokenizer.encode_all([one.text], one.kind)[0] for one in bundle.reference_vectors.probes
        ],
    )
    check_parity(bundle, LoadedModel(engine, tokenizer))
    return engine, encoder, tokenizer


def _weight(passage: PassageContribution) -> tuple[float, float]:
    """How much the score would change without it; among equals, how near it is to the job."""
    return abs(passage.contribution or 0.0), passage.similarity


def _words_in(text: str, passages: Sequence[Passage]) -> list[list[tuple[int, int]]]:
    """Of each passage where its words stand in `text`, [start, end).

    They come in order, and only marks of lists and bullets stand between them that are in no passage.
    """
    reached = 0
    found = []
    for passage in passages:
        of_passage = []
        for word in passage.text.split():
            start = text.index(word, reached)
            reached = start + len(word)
            of_passage.append((start, reached))
        found.append(of_passage)
    return found


def _summed(
    text: str,
    passage: Passage,
    words: Sequence[tuple[int, int]],
    of_tokens: NDArray[np.float64],
    places: Sequence[tuple[int, int] | None],
    is_redacted: bool,
) -> list[WordContribution]:
    """Contributions of a passage's words, from those of its tokens."""
    ends = np.array([match.end() for match in re.finditer(r"\S+", passage.text)])
    sums = np.zeros(len(ends))
    for value, place in zip(of_tokens, places, strict=True):
        if place is not None:
            # By its last character: in some models' vocabularies a piece begins with the blank before it.
            sums[int(np.searchsorted(ends, place[1]))] += value
    contributions = []
    for (start, end), value in zip(words, sums, strict=True):
        word = text[start:end]
        hidden = _HIDDEN_TOKEN.search(word) if is_redacted else None
        category = None if hidden is None else _HIDDEN[hidden[0]]
        contributions.append(
            WordContribution(word, start, end, round(float(value), SCORE_DECIMALS), category)
        )
    return contributions
