"""What is redacted: the closed list of categories, and the versioned policy that a bundle records."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, field_validator

POLICY_VERSION = 2
"""Raised whenever the same text may come out redacted in another way."""

Category = Literal[
    "name",
    "email",
    "phone",
    "link",
    "address",
    "identity_number",
    "photo",
    "pronoun",
    "gender",
    "family",
    "age",
    "origin",
    "religion",
    "school",
    "graduation_year",
    "affinity",
]
"""`gender`: titles, gendered occupations, stated sex. `family`: marital and parental status.
`age`: stated age and date of birth. `origin`: stated nationality, ethnicity, visa and birth place."""

CATEGORIES: tuple[Category, ...] = get_args(Category)

TOKENS: dict[Category, str] = {category: f"[{category.upper()}]" for category in CATEGORIES}
TOKENS["graduation_year"] = "[YEAR]"


class RedactionPolicy(BaseModel):
    """The manifest's record of what the model may not see.

    A bundle made under another `version` is refused: its scores would not be those it was calibrated on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = POLICY_VERSION
    categories: tuple[Category, ...] = CATEGORIES

    @field_validator("version")
    @classmethod
    def _is_this_one(cls, version: int) -> int:
        if version != POLICY_VERSION:
            raise ValueError(
                f"made under redaction policy {version}, and this is policy {POLICY_VERSION}, under which a resume may "
                "read otherwise: make the bundle anew with its recipe"
            )
        return version

    @field_validator("categories")
    @classmethod
    def _each_once(cls, categories: tuple[Category, ...]) -> tuple[Category, ...]:
        if len(set(categories)) != len(categories):
            raise ValueError("each category may stand once")
        return tuple(category for category in CATEGORIES if category in categories)
