"""What is trained: the encoder with its adapter, its heads, and the weighted sum of the losses.

The heads serve training only: none of them is in the bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from service.core.encoder import Encoder
from service.core.scoring import MatchPolicy
from training.learning import losses
from training.learning.adversary import AdversaryClamp, AdversaryClampConfig
from training.learning.interaction import Passages, mean_vectors, raw_scores
from training.learning.tokenized import PARAPHRASES, VERSIONS

NAME_GROUP = "name_group"
"""The attribute of counterfactual variants: race and sex that a name suggests."""


_START_SLOPE = 12.0
_START_CENTRE = 0.5


_REMOVED = ("group_order", "distillation")


class LossWeights(BaseModel):
    """The weight of each loss (`losses.py`); 0 leaves it out. `temperature` is that of `contrastive`.

    With all at 0 nothing is trained: the base model is calibrated and evaluated as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    contrastive: float = Field(
        1.0,
        ge=0,
        description="A job's matches above all other resumes of the batch, and the other way round "
        "(InfoNCE).",
    )
    temperature: float = Field(
        0.05,
        gt=0,
        description="Of `contrastive`, in units of raw_score: lower looks at the hardest resumes only.",
    )
    classification: float = Field(
        0.0, ge=0, description="Match or not, by a head on the score; both classes weigh the same."
    )
    pairing: float = Field(
        0.0, ge=0, description="The same score under any name as redacted, in units of the spread of scores."
    )
    benign_edits: float = Field(
        0.0,
        ge=0,
        description="The same score when sentences that say nothing about the occupation are put in.",
    )
    retelling: float = Field(
        0.0, ge=0, description="The same score for paraphrases; needs `data.synthetic.retell`."
    )
    demographic_parity: float = Field(0.0, ge=0, description="Equal mean probabilities of groups.")
    equalized_odds: float = Field(0.0, ge=0, description="The same among matches and among the others.")
    prediction_gap: float = Field(
        0.0, ge=0, description="The widest gap of mean probabilities between groups."
    )
    prediction_gap_squared: float = Field(0.0, ge=0, description="Its square.")
    adversary: float = Field(
        0.0,
        ge=0,
        description="An adversary cannot tell the groups from the embedding (gradient reversal, in "
        "two phases).",
    )
    attributes: float = Field(
        0.0, ge=0, description="A head can tell the groups from the embedding (multi-task, for comparison)."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_removed(cls, given: Any) -> Any:
        """Configurations inside older bundles name losses that are gone, with a weight of 0."""
        if not isinstance(given, dict):
            return given
        return {name: weight for name, weight in given.items() if name not in _REMOVED or weight}

    @property
    def names(self) -> tuple[str, ...]:
        """The losses that have a weight."""
        return tuple(name for name, weight in self if weight and name != "temperature")


@dataclass
class Strengths:
    """How far the warm-up has come: factors in [0, 1] that the trainer moves.

    `fairness` multiplies every loss but the match losses. `reversal` is the share of the adversary's
    gradient that reaches the encoder, reversed: 0 in the first phase, when the adversary only learns.
    `clamp` multiplies it further (`AdversaryClamp.strength`, which need not lie below 1).
    """

    fairness: float = 1.0
    reversal: float = 1.0
    clamp: float = 1.0

    @property
    def adversary(self) -> float:
        """What the adversary's gradient is multiplied by on its way into the encoder, but for its sign."""
        return self.reversal * self.clamp


class MatchHead(nn.Module):
    """raw_score -> probability of a match, by a learned slope (kept positive) and centre."""

    def __init__(self) -> None:
        super().__init__()
        self.log_slope = nn.Parameter(torch.tensor(_START_SLOPE).log())
        self.centre = nn.Parameter(torch.tensor(_START_CENTRE))

    def forward(self, raw_scores: Tensor) -> Tensor:
        """Logits of the same shape."""
        return self.log_slope.exp() * (raw_scores - self.centre)

    def probabilities(self, raw_scores: Tensor) -> Tensor:
        """Probabilities whose gradient reaches the scores, not the head: parity would flatten it."""
        slope, centre = self.log_slope.detach().exp(), self.centre.detach()
        return torch.sigmoid(slope * (raw_scores - centre))


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return inputs.view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(inputs: Tensor, strength: float) -> Tensor:
    """The identity forward; backward, the gradient times -strength (Ganin et al. 2016)."""
    reversed_: Tensor = _Reversal.apply(inputs, strength)  # type: ignore[no-untyped-call]
    return reversed_


class GroupClassifier(nn.Module):
    """Embedding (N, D) -> logits over the groups of each attribute. The adversary, or the multi-task head."""

    def __init__(self, dimensions: int, groups: dict[str, list[str]], hidden: int = 64) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(dimensions, hidden), nn.ReLU())
        # A list: the users' own names of attributes need not be names that a module may have.
        self._attributes = list(groups)
        self.outputs = nn.ModuleList(nn.Linear(hidden, len(names)) for names in groups.values())

    def forward(self, embeddings: Tensor) -> dict[str, Tensor]:
        """(N, D) -> attribute to (N, number of groups)."""
        features = self.shared(embeddings)
        return {
            attribute: output(features)
            for attribute, output in zip(self._attributes, self.outputs, strict=True)
        }


class FairMatcher(nn.Module):
    """Encoder, heads and losses. `groups`: attribute to its groups, for the heads that predict them."""

    def __init__(
        self,
        encoder: Encoder,
        policy: MatchPolicy,
        weights: LossWeights,
        groups: Mapping[str, Sequence[str]],
        *,
        dimensions: int,
        clamp: AdversaryClampConfig | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.match_head = MatchHead()
        predicted = {attribute: list(names) for attribute, names in groups.items()}
        self.adversary = GroupClassifier(dimensions, predicted) if weights.adversary else None
        self.attribute_head = GroupClassifier(dimensions, predicted) if weights.attributes else None
        self._policy = policy
        self._weights = weights
        self.strengths = Strengths()
        self.clamp: AdversaryClamp | None = None
        """Moves `strengths.clamp`, by the trainer's call; None where that is not asked for."""
        if self.adversary is not None and clamp is not None and clamp.adaptive:
            self.clamp = AdversaryClamp(clamp, {name: len(of) for name, of in predicted.items()})

    def forward(
        self,
        chunks: list[dict[str, Tensor]],
        jobs: Passages,
        titles: Tensor,
        resumes: Passages,
        labels: Tensor,
        groups: dict[str, Tensor],
        variants: Passages | None,
        references: Passages | None,
        variant_groups: Tensor | None,
        versions: Passages | None,
        paraphrases: Passages | None,
        weights: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """One batch, as `Collator` makes it -> `loss` and, detached, each loss before its weight."""
        of_pairs = weights or {}
        vectors = encode_chunks(self.encoder, chunks)
        scores = raw_scores(vectors, jobs, titles, resumes, self._policy)  # (J, R)
        found = self._match(scores, labels, of_pairs.get("match"))
        found |= self._parity(scores, labels, groups)
        embeddings = mean_vectors(vectors, resumes)
        if variants is not None and references is not None and variant_groups is not None:
            of_variants = raw_scores(vectors, jobs, titles, variants, self._policy)  # (J, S * V)
            of_variants = of_variants.T.reshape(*variant_groups.shape, len(jobs))  # (S, V, J)
            of_references = raw_scores(vectors, jobs, titles, references, self._policy).T  # (S, J)
            found["pairing"] = losses.counterfactual_pairing(
                of_variants, of_references, scores.std(), of_pairs.get("pairing")
            )
            varied = mean_vectors(vectors, variants)
            groups = _joined(groups, len(embeddings), variant_groups.reshape(-1))
            embeddings = torch.cat([embeddings, varied])
        for name, texts, count in (
            ("benign_edits", versions, VERSIONS),
            ("retelling", paraphrases, PARAPHRASES),
        ):
            if texts is not None:
                of_texts = raw_scores(vectors, jobs, titles, texts, self._policy)  # (J, S * V)
                of_texts = of_texts.T.reshape(-1, count, len(jobs))  # (S, V, J)
                found[name] = losses.benign_edits(of_texts, scores.std(), of_pairs.get(name))
        found |= self._predictions(embeddings, groups, found)
        terms = [self._weight(name) * value for name, value in found.items() if self._weight(name)]
        return {"loss": torch.stack(terms).sum()} | {name: value.detach() for name, value in found.items()}

    def current_weights(self) -> dict[str, float]:
        """The weight that each loss of the configuration has by now; `reversal` is in the adversary's."""
        return {
            name: self._weight(name) * (self.strengths.adversary if name == "adversary" else 1.0)
            for name in self._weights.names
        }

    def _weight(self, name: str) -> float:
        if name == "match_head":
            return 1.0
        weight = float(getattr(self._weights, name))
        return weight if name in ("contrastive", "classification") else weight * self.strengths.fairness

    def _match(self, scores: Tensor, labels: Tensor, weights: Tensor | None) -> dict[str, Tensor]:
        """The match losses. Without `classification`, the head still learns to read the scores."""
        head = "classification" if self._weights.classification else "match_head"
        read = scores if self._weights.classification else scores.detach()
        return {
            "contrastive": losses.contrastive(scores, labels, self._weights.temperature, weights),
            head: losses.classification(self.match_head(read), labels, weights),
        }

    def _parity(self, scores: Tensor, labels: Tensor, groups: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each parity loss, summed over the attributes."""
        if not groups:
            return {}
        p = self.match_head.probabilities(scores)
        gap = losses.prediction_gap
        return {
            "demographic_parity": _total(losses.demographic_parity(p, labels, of) for of in groups.values()),
            "equalized_odds": _total(losses.equalized_odds(p, labels, of) for of in groups.values()),
            "prediction_gap": _total(gap(p, labels, of, squared=False) for of in groups.values()),
            "prediction_gap_squared": _total(gap(p, labels, of, squared=True) for of in groups.values()),
        }

    def _predictions(
        self, embeddings: Tensor, groups: dict[str, Tensor], matched: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """How well the heads tell the groups apart from resumes' embeddings (N, D).

        `matched`: the match losses, which the adversary's clamp looks at.
        """
        found = {}
        if self.adversary is not None:
            hidden = reverse_gradient(embeddings, self.strengths.adversary)
            logits = self.adversary(hidden)
            found["adversary"] = self._prediction(logits, hidden, groups)
            if self.clamp is not None:
                name = "contrastive" if self._weights.contrastive else "classification"
                told = {of: (logits[of], groups[of]) for of in logits if of in groups}
                self.clamp.note(told, float(matched[name].detach()) if name in matched else 0.0)
        if self.attribute_head is not None:
            found["attributes"] = self._prediction(self.attribute_head(embeddings), embeddings, groups)
        return found

    def _prediction(self, logits: dict[str, Tensor], hidden: Tensor, groups: dict[str, Tensor]) -> Tensor:
        found = [
            losses.group_prediction(of, groups[attribute])
            for attribute, of in logits.items()
            if attribute in groups
        ]
        # Without variants, and in data that names no groups, a batch knows nobody's group.
        return _total(found) if found else hidden.sum() * 0.0


def encode_chunks(encoder: nn.Module, chunks: list[dict[str, Tensor]]) -> Tensor:
    """Unit vectors of all texts, (P, D) in f32; row i is of the text that a chunk's `rows` calls i.

    Rows that no chunk holds are zero.
    """
    parts = [encoder(chunk["input_ids"], chunk["attention_mask"]).float() for chunk in chunks]
    rows = torch.cat([chunk["rows"] for chunk in chunks])
    found = torch.cat(parts)
    vectors = found.new_zeros(int(rows.max()) + 1, found.shape[1])
    # Autocast leaves rows a little off unit length.
    return vectors.index_copy(0, rows, nn.functional.normalize(found, dim=-1))


def _joined(groups: dict[str, Tensor], resumes: int, name_groups: Tensor) -> dict[str, Tensor]:
    """Groups of resumes, then of variants: what is a fact of the one is unknown of the other."""
    unknown = torch.full_like(name_groups, losses.UNKNOWN)
    joined = {attribute: torch.cat([of, unknown]) for attribute, of in groups.items()}
    joined[NAME_GROUP] = torch.cat([unknown.new_full((resumes,), losses.UNKNOWN), name_groups])
    return joined


def _total(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).sum()
