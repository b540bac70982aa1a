"""What one group's rate says beside the reference's, and the limits it is judged by; never a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.errors import AuditOptionsError
from service.core.fairness.counts import Share
from service.core.fairness.figure import percent_text
from service.core.fairness.rates import is_below_four_fifths, ratio_text
from service.core.group_titles import group_title

MINIMUM = 30
ALPHA = 0.05
SMALL_SHARE = 0.02
"""6 RCNY 5-301(d): a category under 2 % of the data may be left out of the ratios, with a justification."""


@dataclass(frozen=True, slots=True)
class FairnessOptions:
    """`minimum`: people in both groups for any conclusion. `alpha`: adjusted p-values below it count.

    `small_share`: groups under this share of the people whose group is known are marked as small, and
    left out of ratios, tests and differences if `leave_out_small`.
    """

    minimum: int = MINIMUM
    alpha: float = ALPHA
    small_share: float = SMALL_SHARE
    leave_out_small: bool = False

    def check(self) -> None:
        """Raise `AuditOptionsError` for an option that is out of range."""
        if self.minimum < 1:
            raise AuditOptionsError(
                f"minimum is {self.minimum}; at least 1 is allowed",
                field="minimum",
                limit=1,
                actual=self.minimum,
            )
        for name, value in (("alpha", self.alpha), ("small_share", self.small_share)):
            if not 0 <= value < 1:
                raise AuditOptionsError(f"{name} is {value}; 0 to below 1 is allowed", field=name)


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
            f"{group_title(self.group)} {_in_words(self.share)} against "
            f"{group_title(self.reference)} {_in_words(self.reference_share)}"
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
