"""What a run came to, as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.soak.processes import SHARE, Growth

if TYPE_CHECKING:
    from tests.soak.soak import Plan


@dataclass
class Report:
    """`broken`: wrong answers, and what is not stored as it was answered.

    `kept`: folder of a run that went wrong.
    """

    when: str
    plan: Plan
    seconds: float
    faults: Mapping[str, int]
    fault_seconds: float
    answers: Mapping[str, int]
    decisions: int
    outcomes: int
    jobs: int
    hung_up: int
    retried: int
    refusals: Mapping[str, int]
    unexplained: Sequence[str]
    growths: Sequence[Growth]
    largest_resident_mib: float
    broken: Sequence[str]
    kept: str = ""

    @property
    def wrong(self) -> list[str]:
        """All that must not be."""
        return [
            *self.broken,
            *(f"not explained by anything broken: {one}" for one in self.unexplained),
            *(
                f"{one.role}: grew by {one.resident:.1%} of {one.resident_mib:.0f} MiB and by "
                f"{one.descriptors:.1%} of its descriptors in the second half of {one.seconds / 60:.0f} min"
                for one in self.growths
                if max(one.resident, one.descriptors) > SHARE
            ),
        ]

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"wrong": self.wrong}, indent=1)

    def as_markdown(self) -> str:
        total = sum(self.answers.values())
        by_fault = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.refusals.items())) or "none"
        lines = [
            f"{self.when}: {self.seconds / 60:.1f} minutes, seed {self.plan.seed}, "
            f"{self.plan.workers} serving processes",
            "",
            "| figure | value |",
            "|---|---|",
            f"| answers | {total:,} |",
            f"| decisions answered | {self.decisions:,}, {self.jobs:,} batch jobs among them |",
            f"| outcomes answered | {self.outcomes:,} |",
            f"| callers who hung up; requests sent more than once | {self.hung_up:,}; {self.retried:,} |",
            f"| faults | {sum(self.faults.values())}: {by_fault} |",
            f"| time in which something was broken | {self.fault_seconds / 60:.1f} minutes |",
            f"| refusals | {refused} |",
            f"| refusals that no fault explains | {len(self.unexplained)} |",
            f"| wrong, lost, doubled or otherwise stored | {len(self.broken)} |",
            f"| largest process | {self.largest_resident_mib:.0f} MiB |",
            "",
            "| a process that | lived, min | MiB | grew in its second half | descriptors grew |",
            "|---|---|---|---|---|",
            *(
                f"| {one.role} | {one.seconds / 60:.0f} | {one.resident_mib:.0f} | {one.resident:+.1%} "
                f"| {one.descriptors:+.1%} |"
                for one in self.growths
            ),
            "",
            *(f"- WRONG: {one}" for one in self.wrong[:50]),
            *([f"- kept in {self.kept}"] if self.kept else []),
        ]
        return "\n".join(lines)
