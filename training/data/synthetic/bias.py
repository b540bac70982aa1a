"""The bias knob: synthetic data in which groups differ in recorded labels and in wording.

`label` is how a biased past decided: some good fits of a disadvantaged group stand as 0, while
`true_label` keeps the truth. `wording` is how people write of the same work: a disadvantaged group's
resumes tell it in fewer and vaguer words, with communal phrases, other hobbies and career breaks; the
others' with agentic ones (wording differs so in Gaucher, Friesen and Kay 2011). Nothing of that is hidden
by redaction, so that plain scoring without names still shows gaps.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.data.synthetic.resumes import Wording


class Disadvantage(BaseModel):
    """Groups of one attribute, and how strongly the knob works on them, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[str, ...] = Field(description="The disadvantaged groups of the attribute.")
    weight: float = Field(1.0, ge=0, le=1, description="How strongly, in [0, 1].")


_GROUPS: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male"),
    "race_ethnicity": ("asian", "black_or_african_american", "hispanic_or_latino", "white"),
    "school_category": ("top_school", "non_top_school", "no_school_mentioned"),
}
"""What invented people are: a test holds it to them."""


class BiasConfig(BaseModel):
    """Both knobs in [0, 1]; at 0 groups differ by chance only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Chance that a good fit of a disadvantaged group (weight 1) is recorded as 0.",
    )
    wording: float = Field(
        0.0, ge=0, le=1, description="Chance that a resume is worded as its group's are (weight 1)."
    )
    vagueness: float = Field(
        0.8, ge=0, le=1, description="Share of the work that a disadvantaged wording tells vaguely."
    )
    on: dict[str, Disadvantage] = Field(
        {
            "sex": Disadvantage(groups=("female",)),
            "race_ethnicity": Disadvantage(
                groups=("black_or_african_american", "hispanic_or_latino"), weight=0.4
            ),
            "school_category": Disadvantage(groups=("non_top_school", "no_school_mentioned"), weight=0.3),
        },
        description="The disadvantaged groups by attribute.",
    )

    @model_validator(mode="after")
    def _of_people_there_are(self) -> BiasConfig:
        for attribute, at in self.on.items():
            unknown = sorted(set(at.groups) - set(_GROUPS.get(attribute, ())))
            if unknown or not at.groups:
                known = "; ".join(f"{name}: {', '.join(groups)}" for name, groups in _GROUPS.items())
                raise ValueError(f"on.{attribute} must name groups of invented people ({known})")
        return self

    def disadvantage(self, groups: Mapping[str, str]) -> float:
        """How strongly a person is disadvantaged, in [0, 1]: 1 - product of (1 - weight)."""
        spared = 1.0
        for attribute, at in self.on.items():
            if groups.get(attribute) in at.groups:
                spared *= 1 - at.weight
        return 1 - spared

    def wording_of(self, groups: Mapping[str, str], rng: random.Random) -> Wording:
        """How this person's resume is worded."""
        strength = self.disadvantage(groups)
        communal = rng.random() < self.wording * strength
        agentic = rng.random() < self.wording * (1 - strength)
        gap = rng.random() < 0.5
        if communal:
            return Wording(tone="communal", vague=self.vagueness, gap=gap)
        return Wording(tone="agentic") if agentic else Wording()

    def recorded_label(self, true_label: int, groups: Mapping[str, str], rng: random.Random) -> int:
        """The label as a biased past recorded it: only good fits are ever changed, to 0."""
        flipped = rng.random() < self.label * self.disadvantage(groups)
        return 0 if flipped else true_label


BIASED = BiasConfig(label=0.3, wording=0.75)
"""The bias of the evaluation set that mitigation is measured on."""
