"""What one group's rate says beside the reference's. Never a verdict of fairness."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.fairness.counts import Share
from service.core.fairness.figure import percent_text
from service.core.fairness.options import FairnessOptions
from service.core.fairness.ratios import is_below_four_fifths, ratio_text


@dataclass(frozen=True, slots=True)
class Finding:
    """Adverse impact is indicated if all three conditions hold.

    Four fifths alone give false alarms in small groups, significance alone flags trifles in large ones:
    29 CFR 1607.4(D) asks for both. `significant` is None if the groups are too small to be tested.
    """

    group: str
    share: Share
    reference: str
    reference_share: Share
    adjusted_p_value: float | None
    options: FairnessOptions

    @property
    def enough_people(self) -> bool:
        return min(self.share.n, self.reference_share.n) >= self.options.minimum

    @property
    def below_four_fifths(self) -> bool:
        return is_below_four_fifths(self.share, self.reference_share)

    @property
    def significant(self) -> bool | None:
        return None if self.adjusted_p_value is None else self.adjusted_p_value < self.options.alpha

    @property
    def adverse_impact(self) -> bool:
        return self.enough_people and self.below_four_fifths and self.significant is True

    @property
    def ratio(self) -> float:
        return float(self.share.exact / self.reference_share.exact)

    @property
    def text(self) -> str:
        """One sentence: what was found, or which condition does not hold."""
        against = (
            f"{self.group} {_in_words(self.share)} against {self.reference} {_in_words(self.reference_share)}"
        )
        if self.adverse_impact:
            return (
                f"Adverse impact is indicated: {against}; the ratio {ratio_text(self.ratio)} is below four "
                f"fifths, p = {self.adjusted_p_value:.2g} (Holm)."
            )
        return f"No adverse-impact finding: {against}; {'; '.join(self._unmet())}."

    def _unmet(self) -> list[str]:
        unmet = []
        if not self.enough_people:
            unmet.append(f"too few people, {self.options.minimum} are needed in both groups")
        if not self.below_four_fifths:
            unmet.append(f"the ratio {ratio_text(self.ratio)} is not below four fifths")
        if self.significant is False:
            unmet.append(
                f"p = {self.adjusted_p_value:.2g} (Holm) is not below {self.options.alpha:g}, "
                "which a small sample can cause"
            )
        return unmet


def _in_words(share: Share) -> str:
    return f"{percent_text(share.rate)}% ({share.count:,} of {share.n:,})"
