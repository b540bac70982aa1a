"""What a comparison of groups is made with."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.errors import AuditOptionsError

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
