"""Losses, as pure functions of scores, probabilities and groups.

Every one is a scalar and 0 (with a gradient path) where a batch holds nothing to compute it from.
`labels` (J, R): 1 match, 0 no match, -1 unknown. `groups` (R,): a group's number, -1 unknown.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

UNKNOWN = -1
_LEAST_IN_GROUP = 2


def contrastive(raw_scores: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Multi-positive InfoNCE in both directions: jobs over resumes and resumes over jobs.

    -log( sum over matches of exp(s / temperature) / sum over known pairs ), averaged over the jobs and
    resumes that have a match and a non-match. Source: van den Oord et al. 2018; Khosla et al. 2020.
    """
    logits = raw_scores / temperature
    return (_one_way(logits, labels) + _one_way(logits.T, labels.T)) / 2


def classification(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over known pairs, matches and non-matches weighing the same in sum."""
    known = labels != UNKNOWN
    matches, others = labels == 1, labels == 0
    if not bool(matches.any()) or not bool(others.any()):
        return _nothing(logits)
    weights = matches / (2 * matches.sum()) + others / (2 * others.sum())
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0).to(logits.dtype), reduction="none"
    )
    return (losses * weights)[known].sum()


def demographic_parity(probabilities: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Variance between groups of the mean probability over the known pairs; 0 at demographic parity."""
    return _between_groups(probabilities, labels != UNKNOWN, groups)


def equalized_odds(probabilities: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """The same among matches plus the same among non-matches; 0 at equalized odds."""
    return _between_groups(probabilities, labels == 1, groups) + _between_groups(
        probabilities, labels == 0, groups
    )


def prediction_gap(probabilities: Tensor, labels: Tensor, groups: Tensor, *, squared: bool) -> Tensor:
    """Highest less lowest of the groups' mean probabilities over the known pairs, as it is or squared."""
    means = _group_means(probabilities, labels != UNKNOWN, groups)
    if means is None:
        return _nothing(probabilities)
    gap = means.max() - means.min()
    return gap**2 if squared else gap


def counterfactual_pairing(variants: Tensor, reference: Tensor, spread: Tensor) -> Tensor:
    """Mean squared shift of the variants' scores, in units of the spread of all scores.

    variants (S, V, J): raw scores of V variants of S resumes with J jobs; reference (S, J): of the
    redacted text; spread: standard deviation of the batch's scores. All three keep their gradients: with a
    fixed spread, pressing all scores together would look like progress, and with a fixed reference all
    scores would run away from it together. Source: counterfactual logit pairing, Garg et al. 2019.
    """
    shift = (variants - reference[:, None, :]) / _scale(spread)
    return shift.square().mean() + benign_edits(variants, spread)


def benign_edits(versions: Tensor, spread: Tensor) -> Tensor:
    """Mean squared distance of a resume's versions from their mean, in units of the spread of all scores.

    versions (S, V, J): raw scores of S resumes in V versions that differ in sentences that say nothing
    about the occupation. As in `counterfactual_pairing` the spread keeps its gradient.
    """
    within = (versions - versions.mean(dim=1, keepdim=True)) / _scale(spread)
    return within.square().mean()


def group_prediction(logits: Tensor, groups: Tensor) -> Tensor:
    """Cross-entropy of the group, over the rows whose group is known. logits (N, G), groups (N,)."""
    known = groups != UNKNOWN
    if not bool(known.any()):
        return _nothing(logits)
    return nn.functional.cross_entropy(logits[known], groups[known])


def _one_way(logits: Tensor, labels: Tensor) -> Tensor:
    matches, known = labels == 1, labels != UNKNOWN
    rows = matches.any(dim=1) & (labels == 0).any(dim=1)
    if not bool(rows.any()):
        return _nothing(logits)
    of_matches = logits.masked_fill(~matches, -torch.inf)[rows].logsumexp(dim=1)
    of_known = logits.masked_fill(~known, -torch.inf)[rows].logsumexp(dim=1)
    return (of_known - of_matches).mean()


def _between_groups(probabilities: Tensor, counted: Tensor, groups: Tensor) -> Tensor:
    means = _group_means(probabilities, counted, groups)
    return _nothing(probabilities) if means is None else (means - means.mean()).square().mean()


def _group_means(probabilities: Tensor, counted: Tensor, groups: Tensor) -> Tensor | None:
    """Means over the counted pairs of each group with enough of them; None with fewer than two groups."""
    means = []
    for group in torch.unique(groups[groups != UNKNOWN]):
        chosen = counted & (groups == group)[None, :]
        if int(chosen.sum()) >= _LEAST_IN_GROUP:
            means.append(probabilities[chosen].mean())
    return torch.stack(means) if len(means) > 1 else None


def _scale(spread: Tensor) -> Tensor:
    return spread.clamp(min=1e-6)


def _nothing(like: Tensor) -> Tensor:
    return like.sum() * 0.0
