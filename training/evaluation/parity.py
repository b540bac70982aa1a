"""Differences between groups in what is decided about them.

    demographic_parity_difference   largest - smallest selection_rate
    impact_ratio                    smallest / largest selection_rate; 1 is equal
    equal_opportunity_difference    largest - smallest true_positive_rate (Hardt et al. 2016)
    equalized_odds_difference       the larger of the differences in true and false positive rate
    predictive_parity_difference    largest - smallest precision (Chouldechova 2017)

All but impact_ratio: in [0, 1], ideal 0. A group takes part in a rate that stands on `minimum` of its pairs.
A largest-minus-smallest difference is never negative and grows with chance alone, so an interval that
starts near 0 is no proof of a difference, and none is a proof that there is no difference.

fairness_score (lower is better) of an attribute: the mean of its demographic_parity_, equalized_odds_
and predictive_parity_difference, as far as they can be computed. Over attributes: the worst of them, so
that none hides behind the others; intersections are left out, since in their small groups chance alone
makes large differences. The balanced variant weighs every group and label alike, so that groups' own
match rates play no part: selection rate (TPR + FPR) / 2, precision TPR / (TPR + FPR).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.evaluation.resampling import JobResamples, Resamples, estimate, ratio
from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Flags, Floats, Labels, ScoredPairs
from training.evaluation.utility import ece_samples

_EMPTY = {
    "selection_rate": "no pairs",
    "true_positive_rate": "no matches in this group",
    "false_positive_rate": "matches only in this group",
    "precision": "nobody of this group was selected",
}


_RATES_OF = {
    "demographic_parity_difference": ("selection_rate",),
    "impact_ratio": ("selection_rate",),
    "equal_opportunity_difference": ("true_positive_rate",),
    "false_positive_rate_difference": ("false_positive_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "predictive_parity_difference": ("precision",),
}

FAIRNESS_PARTS = (
    "demographic_parity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
)


@dataclass(frozen=True)
class GroupRates:
    """Rates of an attribute's groups in every resample: arrays of (1 + rounds, G)."""

    attribute: str
    names: list[str]
    size: Floats
    matches: Floats
    selected: Floats
    hits: Floats

    @classmethod
    def of(
        cls, pairs: ScoredPairs, labels: Labels, selected: Flags, attribute: str, resamples: Resamples
    ) -> GroupRates:
        """Count decisions and labels by group. `selected` (N,)."""
        names = pairs.group_names(attribute)
        members = np.stack([pairs.members(attribute, name) for name in names], axis=1)  # (N, G)
        match = (labels == 1)[:, None]
        chosen = selected[:, None]
        counted = np.stack([members, members & match, members & chosen, members & chosen & match], axis=2)
        size, matches, selections, hits = np.moveaxis(resamples.totals(counted), 2, 0)
        return cls(attribute, names, size, matches, selections, hits)

    @cached_property
    def rates(self) -> dict[str, tuple[Floats, Floats]]:
        """Each rate and what it stands on."""
        others = self.size - self.matches
        return {
            "selection_rate": (ratio(self.selected, self.size), self.size),
            "true_positive_rate": (ratio(self.hits, self.matches), self.matches),
            "false_positive_rate": (ratio(self.selected - self.hits, others), others),
            "precision": (ratio(self.hits, self.selected), self.selected),
        }

    def group_figures(self, group: int) -> dict[str, Estimate]:
        """The rates of one group; `n` is what each stands on."""
        return {
            name: estimate(rate[:, group], stands_on[0, group], _EMPTY[name])
            for name, (rate, stands_on) in self.rates.items()
        }

    def difference_samples(self, minimum: int) -> dict[str, Floats]:
        """Every difference in every resample, (1 + rounds,); NaN where it cannot be computed."""
        true_positive = self._spread("true_positive_rate", minimum)
        false_positive = self._spread("false_positive_rate", minimum)
        return {
            "demographic_parity_difference": self._spread("selection_rate", minimum),
            "impact_ratio": _lowest_over_highest(self._compared("selection_rate", minimum)),
            "equal_opportunity_difference": true_positive,
            "false_positive_rate_difference": false_positive,
            "equalized_odds_difference": np.maximum(true_positive, false_positive),  # NaN if one is
            "predictive_parity_difference": self._spread("precision", minimum),
        }

    def differences(self, minimum: int) -> dict[str, Estimate]:
        """Differences by name; `n` counts the pairs of the compared groups that the rates stand on."""
        found = {}
        for name, samples in self.difference_samples(minimum).items():
            stands_on = [self.rates[rate][1][0] for rate in _RATES_OF[name]]
            n = sum(int(counts[counts >= minimum].sum()) for counts in stands_on)
            reasons = [self._reason(rate, minimum) for rate in _RATES_OF[name]]
            found[name] = estimate(samples, n, next(filter(None, reasons), "nobody was selected"))
        return found

    def fairness_parts(self, minimum: int, *, balanced: bool) -> dict[str, Floats]:
        """The three differences of fairness_score in every resample, (1 + rounds,), by `FAIRNESS_PARTS`."""
        raw = self.difference_samples(minimum)
        if not balanced:
            return {name: raw[name] for name in FAIRNESS_PARTS}
        tpr, fpr = self.rates["true_positive_rate"][0], self.rates["false_positive_rate"][0]
        kept = self._takes_part("true_positive_rate", minimum)
        kept &= self._takes_part("false_positive_rate", minimum)
        tpr, fpr = tpr[:, kept], fpr[:, kept]
        return {
            "demographic_parity_difference": _spread((tpr + fpr) / 2),
            "equalized_odds_difference": raw["equalized_odds_difference"],
            "predictive_parity_difference": _spread(ratio(tpr, tpr + fpr)),
        }

    def fairness_samples(self, minimum: int, *, balanced: bool) -> Floats:
        """fairness_score in every resample, (1 + rounds,); NaN if no part of it can be computed."""
        stacked = np.stack(list(self.fairness_parts(minimum, balanced=balanced).values()))
        known = np.isfinite(stacked)
        return ratio(np.where(known, stacked, 0).sum(axis=0), known.sum(axis=0).astype(np.float64))

    def _takes_part(self, name: str, minimum: int) -> Flags:
        return np.asarray(self.rates[name][1][0] >= minimum)

    def _compared(self, name: str, minimum: int) -> Floats:
        return self.rates[name][0][:, self._takes_part(name, minimum)]

    def _spread(self, name: str, minimum: int) -> Floats:
        return _spread(self._compared(name, minimum))

    def _reason(self, name: str, minimum: int) -> str:
        """Why a rate cannot be compared; empty if it can."""
        stands_on = self.rates[name][1][0]
        if (stands_on >= minimum).sum() >= 2:
            return ""
        counts = ", ".join(f"{group} {int(n)}" for group, n in zip(self.names, stands_on, strict=True))
        return f"fewer than two groups with {minimum} pairs for {name}: {counts}"


def group_calibration(
    pairs: ScoredPairs, labels: Labels, probabilities: Floats, members: Flags, resamples: JobResamples
) -> dict[str, Estimate]:
    """Match rate, mean calibrated_probability and expected calibration error of one group's pairs."""
    size = resamples.totals(members)
    n = int(size[0])
    return {
        "match_rate": estimate(ratio(resamples.totals(members * labels), size), n, "no pairs"),
        "mean_probability": estimate(ratio(resamples.totals(members * probabilities), size), n, "no pairs"),
        "ece": estimate(ece_samples(resamples, probabilities, labels, members), n, "no pairs"),
    }


def _lowest_over_highest(rates: Floats) -> Floats:
    """Smallest over largest of each row (R, G), NaN left out; NaN if fewer than two are there, or all 0."""
    enough = np.isfinite(rates).sum(axis=1) >= 2
    found = np.full(len(rates), np.nan)
    if not enough.any():
        return found
    found[enough] = ratio(np.nanmin(rates[enough], axis=1), np.nanmax(rates[enough], axis=1))
    return found


def _spread(rates: Floats) -> Floats:
    """Largest minus smallest of each row (R, G), NaN left out; NaN if fewer than two are there."""
    enough = np.isfinite(rates).sum(axis=1) >= 2
    spread = np.full(len(rates), np.nan)
    if not enough.any():
        return spread
    spread[enough] = np.nanmax(rates[enough], axis=1) - np.nanmin(rates[enough], axis=1)
    return spread
