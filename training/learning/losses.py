"""Losses, as pure functions of scores, probabilities and groups.

Every one is a scalar and 0 (with a gradient path) where a batch holds nothing to compute it from.
`labels` (J, R): 1 match, 0 no match, -1 unknown. `groups` (R,): a group's number, -1 unknown.
`weights`: of the pairs (J, R) or resumes (S,), positive (`reweighing.py`); None: all weigh the same. A pair
of weight 2 counts as two such pairs would, and only the weights' ratios matter: means become weighted means.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

UNKNOWN = -1
_LEAST_IN_GROUP = 2


def contrastive(
    raw_scores: Tensor, labels: Tensor, temperature: float, weights: Tensor | None = None
) -> Tensor:
    """Multi-positive InfoNCE in both directions: jobs over resumes and resumes over jobs.

    -log( sum over matches of exp(s / temperature) / sum over known pairs ), averaged over the jobs and
    resumes that have a match and a non-match. Source: van den Oord et al. 2018; Khosla et al. 2020.

    With `weights` w, a non-match counts w times in the sum over known pairs; a job or resume counts in the
    average by the mean weight of its matches, among which the sums go by the weights over that mean. (With w
    itself in the sums, a match would be the nearer to its goal, and be pulled the less, the more it weighs.)
    """
    logits = raw_scores / temperature
    across = None if weights is None else weights.T
    return (_one_way(logits, labels, weights) + _one_way(logits.T, labels.T, across)) / 2


def classification(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy over known pairs, matches and non-matches weighing the same in sum.

    `weights` share each class's half out among its pairs.
    """
    known = labels != UNKNOWN
    matches, others = labels == 1, labels == 0
    if not bool(matches.any()) or not bool(others.any()):
        return _nothing(logits)
    if weights is None:
        shares = matches / (2 * matches.sum()) + others / (2 * others.sum())
    else:
        of_matches, of_others = weights * matches, weights * others
        shares = of_matches / (2 * of_matches.sum()) + of_others / (2 * of_others.sum())
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0).to(logits.dtype), reduction="none"
    )
    return (losses * shares)[known].sum()


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


def counterfactual_pairing(
    variants: Tensor, reference: Tensor, spread: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Mean squared shift of the variants' scores, in units of the spread of all scores.

    variants (S, V, J): raw scores of V variants of S resumes with J jobs; reference (S, J): of the
    redacted text; spread: standard deviation of the batch's scores. All three keep their gradients: with a
    fixed spread, pressing all scores together would look like progress, and with a fixed reference all
    scores would run away from it together. weights (S,): of the resumes in the mean. Source: counterfactual
    logit pairing, Garg et al. 2019.
    """
    shift = (variants - reference[:, None, :]) / _scale(spread)
    return _mean_square(shift, weights) + benign_edits(variants, spread, weights)


def benign_edits(versions: Tensor, spread: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared distance of a resume's versions from their mean, in units of the spread of all scores.

    versions (S, V, J): raw scores of S resumes in V versions that differ in sentences that say nothing
    about the occupation. As in `counterfactual_pairing` the spread keeps its gradient. weights (S,): of the
    resumes in the mean.
    """
    within = (versions - versions.mean(dim=1, keepdim=True)) / _scale(spread)
    return _mean_square(within, weights)


def group_prediction(logits: Tensor, groups: Tensor) -> Tensor:
    """Cross-entropy of the group, over the rows whose group is known. logits (N, G), groups (N,)."""
    known = groups != UNKNOWN
    if not bool(known.any()):
        return _nothing(logits)
    return nn.functional.cross_entropy(logits[known], groups[known])


def _one_way(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    matches, known = labels == 1, labels != UNKNOWN
    rows = matches.any(dim=1) & (labels == 0).any(dim=1)
    if not bool(rows.any()):
        return _nothing(logits)
    of_rows = None
    if weights is not None:
        mean = (weights * matches).sum(dim=1) / matches.sum(dim=1).clamp(min=1)  # (rows,), 0 without a match
        counted = torch.where(matches, weights / mean.clamp(min=1e-12)[:, None], weights)
        logits = logits + counted.log()
        of_rows = mean[rows]
    of_matches = logits.masked_fill(~matches, -torch.inf)[rows].logsumexp(dim=1)
    of_known = logits.masked_fill(~known, -torch.inf)[rows].logsumexp(dim=1)
    found = of_known - of_matches
    return found.mean() if of_rows is None else (found * of_rows).sum() / of_rows.sum()


def _mean_square(values: Tensor, weights: Tensor | None) -> Tensor:
    """Of values (S, V, J), with weights (S,)."""
    if weights is None:
        return values.square().mean()
    return (values.square().mean(dim=(1, 2)) * weights).sum() / weights.sum()


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
