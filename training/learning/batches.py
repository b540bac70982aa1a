"""What the encoder sees in one step: jobs, resumes and counterfactual variants, each passage once.

Everything random is drawn from (seed, epoch, item), so that a resumed run sees what it would have seen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.utils.data import Dataset

from service.core.counterfactual.lexicons import load_groups
from service.core.tokenization import TokenIds
from training.learning.draws import Draw, EveryPair, OneMatchAJob
from training.learning.group_balance import EveryPairBalanced, OneMatchAJobBalanced
from training.learning.interaction import Passages
from training.learning.losses import UNKNOWN
from training.learning.reweighing import PairWeights, ReweighingConfig
from training.learning.tokenized import JobTokens, PairTokenizer, ResumeTokens, Texts, TokenizedPairs

_LENGTH_STEP = 16
_ROWS = 32


_OF_OLDER_BUNDLES = {
    "negatives",
    "potential_unknown",
    "in_batch_negatives",
    "bare_share",
    "title_share",
    "counterfactual_share",
    "spliced_share",
    "edited_share",
    "retold_share",
}


class SamplingConfig(BaseModel):
    """How training items are drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: Literal["all", "one_a_job"] = Field(
        "all",
        description="What an epoch passes over: every labelled pair once, or one match of each job with "
        "some of its labelled non-matches.",
    )
    negatives: int = Field(
        1, ge=0, description="Labelled non-matches of a job in each item, beside the other items' resumes."
    )
    balance_by: str | None = Field(
        None,
        min_length=1,
        description="An attribute of the data whose groups are to have about as many resumes each in every "
        "batch, as the parity losses need them. With `pairs: all` the pairs of smaller groups are drawn more "
        "than once an epoch; with `one_a_job` groups decide which of a job's pairs is drawn. null: chance "
        "decides.",
    )
    balance_repeats: int = Field(
        4,
        ge=1,
        description="Most times that `balance_by` draws a pair in an epoch; 1 only orders the pairs. A group "
        "that is smaller than the largest by more than this factor stays rarer in the batches.",
    )
    reweighing: ReweighingConfig = Field(
        ReweighingConfig(), description="Weights of pairs in the losses by group and label."
    )
    mined_negatives: int = Field(
        0,
        ge=0,
        description="Hard negatives in each item: resumes of the split without a label for the job that the "
        "model of the moment ranks highest for it. 0: none.",
    )
    mine_every: int = Field(
        50, ge=1, description="Steps after which they are mined anew, counted from each epoch's begin."
    )
    mined_from: int = Field(
        2_000, ge=10, description="Resumes of the split that are looked at each time, drawn at random."
    )
    potential_unknown: bool = Field(
        True, description="Leave potential fits (grade 1) out of the match losses."
    )
    in_batch_negatives: bool = Field(
        True, description="Count a resume of another job as a non-match where no label says otherwise."
    )
    bare_share: float = Field(
        0.3, ge=0, le=1, description="Share of resumes that are read unredacted, under a newly drawn name."
    )
    title_share: float = Field(
        0.5, ge=0, le=1, description="Share of titled jobs that are read with their title."
    )
    counterfactual_share: float = Field(
        0.5, ge=0, le=1, description="Share of items that bring a variant for each name group."
    )
    spliced_share: float = Field(
        0.7, ge=0, le=1, description="Share of those that put the name into a passage of the redacted text."
    )
    edited_share: float = Field(
        0.5, ge=0, le=1, description="Share of items that bring their resume with filler sentences put in."
    )
    retold_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of items that bring a paraphrase of their resume, where the data has one.",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_older_bundles_were_made(cls, given: Any) -> Any:
        """Configurations inside older bundles name every key but `pairs`: one match of a job was drawn."""
        if isinstance(given, dict) and "pairs" not in given and set(given) >= _OF_OLDER_BUNDLES:
            return given | {"pairs": "one_a_job"}
        return given


@dataclass(frozen=True, slots=True)
class SeenResume:
    """A resume as this item reads it."""

    number: int
    tokens: ResumeTokens
    passages: Texts


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One job with some of its resumes.

    Of `resumes[0]`: its `variants` (group, passages) under other names, its `versions` with other filler and
    its `paraphrases` in other words. `mined`: numbers of the resumes that were mined for the job.
    """

    job: int
    tokens: JobTokens
    with_title: bool
    resumes: tuple[SeenResume, ...]
    variants: tuple[tuple[str, Texts], ...]
    versions: tuple[Texts, ...]
    paraphrases: tuple[Texts, ...]
    mined: frozenset[int] = frozenset()


class TrainingItems(Dataset[TrainingItem]):
    """The items of an epoch, as `SamplingConfig.pairs` says; `batch` of them make a step of all processes."""

    def __init__(
        self,
        pairs: TokenizedPairs,
        tokenizer: PairTokenizer,
        config: SamplingConfig,
        *,
        seed: int,
        batch: int = 1,
    ) -> None:
        self.pairs = pairs
        self._tokenizer = tokenizer
        self._config = config
        self._seed = seed
        self._epoch = 0
        self._mined: Mapping[int, Sequence[int]] = {}
        self._lexicon = load_groups("train")
        self._draw = _draw_of(pairs, config, seed=seed, batch=batch)
        self.weights: PairWeights | None = None
        """Of the pairs in the losses; None where all weigh the same."""
        if config.reweighing.method != "none":
            self.weights = PairWeights(pairs, config.reweighing, self._draw.times())

    @property
    def distinct(self) -> int:
        """Items of an epoch, but those that only fill up the last batch."""
        return self._draw.distinct

    @property
    def coverage(self) -> tuple[int, int]:
        """Labelled pairs that an epoch draws, and those that there are."""
        return self._draw.drawn, self._draw.labelled

    @property
    def in_order(self) -> bool:
        """Whether consecutive items make a batch, in an order that is not to be shuffled."""
        return self._draw.in_order

    @property
    def draws_by_group(self) -> dict[str, int]:
        """How often an epoch draws pairs of each group of `balance_by`, "unknown" last; else nothing."""
        attribute = self._config.balance_by
        if attribute is None:
            return {}
        found: dict[str, float] = {}
        for (_, resume), times in self._draw.times().items():
            group = self.pairs.resumes[resume].groups.get(attribute, "")
            found[group] = found.get(group, 0.0) + times
        return {group or "unknown": round(found[group]) for group in sorted(found, key=lambda g: (not g, g))}

    @property
    def name_groups(self) -> list[str]:
        """The race x sex groups of counterfactual variants."""
        return list(self._lexicon.name_groups)

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader: each epoch draws again."""
        self._epoch = epoch
        self._draw.set_epoch(epoch)

    def set_mined(self, mined: Mapping[int, Sequence[int]]) -> None:
        """Hard negatives by job, of which items draw `mined_negatives` from now on."""
        self._mined = mined

    def __len__(self) -> int:
        return len(self._draw)

    def __getitem__(self, index: int) -> TrainingItem:
        rng = random.Random(f"{self._seed}:{self._epoch}:{index}")
        job, chosen = self._draw.item(index, rng)
        mined: list[int] = []
        if hard := self._mined.get(job):
            mined = rng.sample(hard, min(self._config.mined_negatives, len(hard)))
            chosen = chosen + mined
        resumes = tuple(self._seen(number, rng) for number in chosen)
        title = self.pairs.jobs[job].title
        with_title = title is not None and rng.random() < self._config.title_share
        variants: tuple[tuple[str, Texts], ...] = ()
        if rng.random() < self._config.counterfactual_share:
            spliced = rng.random() < self._config.spliced_share
            variants = tuple(self._tokenizer.variants(resumes[0].tokens, self._lexicon, rng, spliced=spliced))
        versions: tuple[Texts, ...] = ()
        if rng.random() < self._config.edited_share:
            versions = self._tokenizer.versions(resumes[0].tokens, rng)
        paraphrases: tuple[Texts, ...] = ()
        # Draw only where there is a paraphrase: items of data without any must stay as they were.
        if resumes[0].tokens.paraphrase and rng.random() < self._config.retold_share:
            paraphrases = (resumes[0].tokens.redacted, resumes[0].tokens.paraphrase)
        return TrainingItem(
            job, self.pairs.jobs[job], with_title, resumes, variants, versions, paraphrases, frozenset(mined)
        )

    def _seen(self, number: int, rng: random.Random) -> SeenResume:
        tokens = self.pairs.resumes[number]
        if rng.random() >= self._config.bare_share:
            return SeenResume(number, tokens, tokens.redacted)
        group = rng.choice(self._lexicon.name_groups)
        return SeenResume(number, tokens, self._tokenizer.named(tokens, group, self._lexicon, rng))


def _draw_of(pairs: TokenizedPairs, config: SamplingConfig, *, seed: int, batch: int) -> Draw:
    if config.balance_by is None:
        if config.pairs == "all":
            return EveryPair(pairs, config.negatives, batch=batch, seed=seed)
        return OneMatchAJob(pairs, config.negatives)
    if config.pairs == "all":
        return EveryPairBalanced(
            pairs,
            config.negatives,
            attribute=config.balance_by,
            repeats=config.balance_repeats,
            batch=batch,
            seed=seed,
        )
    return OneMatchAJobBalanced(pairs, config.negatives, attribute=config.balance_by, batch=batch, seed=seed)


class Collator:
    """Items -> tensors for `FairMatcher.forward`. `weights`: of the pairs in the losses, if they differ."""

    def __init__(
        self,
        pairs: TokenizedPairs,
        groups: dict[str, list[str]],
        config: SamplingConfig,
        weights: PairWeights | None = None,
    ) -> None:
        self._pairs = pairs
        self._groups = groups
        self._config = config
        self._weights = weights
        self._name_groups = {name: i for i, name in enumerate(load_groups("train").name_groups)}

    def __call__(self, items: Sequence[TrainingItem]) -> dict[str, Any]:
        rows = Rows()
        jobs = [rows.of(item.tokens.passages) for item in items]
        titles = [
            rows.of([item.tokens.title])[0] if item.with_title and item.tokens.title else -1 for item in items
        ]
        resumes = [seen for item in items for seen in item.resumes]
        seen = [rows.of(resume.passages) for resume in resumes]
        sets = [item for item in items if item.variants]
        variants = [rows.of(passages) for item in sets for _, passages in item.variants]
        references = [rows.of(item.resumes[0].tokens.redacted) for item in sets]
        versions = [rows.of(passages) for item in items for passages in item.versions]
        paraphrases = [rows.of(passages) for item in items for passages in item.paraphrases]
        variant_groups = [[self._name_groups[group] for group, _ in item.variants] for item in sets]
        labels = self._labels(items, resumes)
        return {
            "chunks": chunks_of(rows.ids),
            "jobs": Passages.of(jobs),
            "titles": torch.tensor(titles),
            "resumes": Passages.of(seen),
            "labels": labels,
            "groups": {
                attribute: torch.tensor([_number(names, r.tokens.groups.get(attribute)) for r in resumes])
                for attribute, names in self._groups.items()
            },
            "variants": Passages.of(variants) if sets else None,
            "references": Passages.of(references) if sets else None,
            "variant_groups": torch.tensor(variant_groups) if sets else None,
            "versions": Passages.of(versions) if versions else None,
            "paraphrases": Passages.of(paraphrases) if paraphrases else None,
            "weights": None
            if self._weights is None
            else self._weighed(self._weights, items, resumes, labels),
        }

    def _weighed(
        self,
        weights: PairWeights,
        items: Sequence[TrainingItem],
        resumes: Sequence[SeenResume],
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Weights of the pairs (J, R), `match`, 1 where the label is unknown; of resumes (S,), by loss.

        Those resumes bring variants, versions or paraphrases; each weighs as the pair with its own job.
        """
        of_pairs = [
            [
                1.0 if label == UNKNOWN else weights.of(resume.number, label)
                for resume, label in zip(resumes, of_job, strict=True)
            ]
            for of_job in labels.tolist()
        ]
        own = [
            weights.of(item.resumes[0].number, self._pairs.label(item.job, item.resumes[0].number))
            for item in items
        ]
        return {"match": torch.tensor(of_pairs)} | {
            name: torch.tensor([weight for weight, item in zip(own, items, strict=True) if chosen(item)])
            for name, chosen in _SETS.items()
        }

    def _labels(self, items: Sequence[TrainingItem], resumes: Sequence[SeenResume]) -> Tensor:
        """(J, R): what the data says of a pair; else by the jobs that the resume is known to match."""
        return torch.tensor([[self._label(item, resume) for resume in resumes] for item in items])

    def _label(self, item: TrainingItem, resume: SeenResume) -> int:
        if (item.job, resume.number) in self._pairs.labels or resume.number in item.mined:
            return self._pairs.label(item.job, resume.number)
        return self._pairs.label(item.job, resume.number) if self._config.in_batch_negatives else UNKNOWN


_SETS: Mapping[str, Callable[[TrainingItem], object]] = {
    "pairing": lambda item: item.variants,
    "benign_edits": lambda item: item.versions,
    "retelling": lambda item: item.paraphrases,
}
"""By loss, what the items have that take part in it."""


class Rows:
    """Row numbers of token ids; equal ones share a row."""

    def __init__(self) -> None:
        self._row: dict[TokenIds, int] = {}

    @property
    def ids(self) -> list[TokenIds]:
        return list(self._row)

    def of(self, texts: Sequence[TokenIds]) -> list[int]:
        return [self._row.setdefault(ids, len(self._row)) for ids in texts]


def chunks_of(texts: Sequence[TokenIds]) -> list[dict[str, Tensor]]:
    """Texts by length, in chunks padded to a multiple of 16; `rows` says where their vectors belong."""
    # By length, so that little is padding; to multiples, so that kernels meet few different shapes.
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    chunks = []
    for start in range(0, len(order), _ROWS):
        rows = order[start : start + _ROWS]
        width = -(-max(len(texts[i]) for i in rows) // _LENGTH_STEP) * _LENGTH_STEP
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for position, i in enumerate(rows):
            ids[position, : len(texts[i])] = torch.tensor(texts[i])
            mask[position, : len(texts[i])] = 1
        chunks.append({"input_ids": ids, "attention_mask": mask, "rows": torch.tensor(rows)})
    return chunks


def _number(names: list[str], group: str | None) -> int:
    return names.index(group) if group in names else UNKNOWN
