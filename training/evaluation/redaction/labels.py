"""What a label of somebody's annotation means to redaction: to be hidden, to stay, or neither.

Labels are compared in small letters, with a blank for each run of anything but letters and digits: `Email
Address`, `EMAIL_ADDRESS` and `email-address` are one label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from service.core.redaction.policy import CATEGORIES, Category
from training.data.example import DataFormatError

Use = Literal["hide", "keep", "ignore", "unknown"]

HIDDEN: Mapping[str, Category] = {
    "name": "name",
    "full name": "name",
    "person": "name",
    "per": "name",
    "person name": "name",
    "candidate name": "name",
    "email": "email",
    "e mail": "email",
    "email address": "email",
    "email id": "email",
    "phone": "phone",
    "phone number": "phone",
    "mobile": "phone",
    "mobile number": "phone",
    "telephone": "phone",
    "contact number": "phone",
    "link": "link",
    "links": "link",
    "url": "link",
    "website": "link",
    "linkedin link": "link",
    "address": "address",
    "street address": "address",
    "postal address": "address",
    "home address": "address",
    "postal code": "address",
    "zip code": "address",
    "identity number": "identity_number",
    "national id": "identity_number",
    "passport number": "identity_number",
    "school": "school",
    "school name": "school",
    "college": "school",
    "college name": "school",
    "university": "school",
    "institution": "school",
    "graduation year": "graduation_year",
    "year of graduation": "graduation_year",
    "gender": "gender",
    "sex": "gender",
    "pronoun": "pronoun",
    "pronouns": "pronoun",
    "marital status": "family",
    "age": "age",
    "date of birth": "age",
    "birth date": "age",
    "nationality": "origin",
    "ethnicity": "origin",
    "place of birth": "origin",
    "religion": "religion",
}
"""Label to the category that is to hide it."""

WORK: frozenset[str] = frozenset(
    {
        "skill",
        "skills",
        "technical skills",
        "job specific skills",
        "soft skills",
        "tool",
        "tools",
        "tech tools",
        "technology",
        "programming language",
        "product",
        "designation",
        "title",
        "job title",
        "position",
        "role",
        "occupation",
        "company",
        "companies",
        "companies worked at",
        "employer",
        "org",
        "organization",
        "organisation",
    }
)
"""Labels of skills, tools, job titles and employers, whose words must stay."""

STUDY_AND_TIME: frozenset[str] = frozenset(
    {
        "degree",
        "field of study",
        "major",
        "certification",
        "certifications",
        "experience",
        "years of experience",
        "language",
        "languages",
    }
)
"""Other labels whose words must stay."""

IGNORED: frozenset[str] = frozenset({"location", "loc", "gpe", "city", "state", "country", "place", "date"})
"""Hidden in one place and kept in another: a place of residence is hidden, a place of work stays."""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The tables above and what a user's options change. `work`: those of `kept` that count as work."""

    hidden: Mapping[str, Category]
    kept: frozenset[str]
    work: frozenset[str]
    ignored: frozenset[str]

    @classmethod
    def with_options(
        cls, hide: Iterable[str] = (), keep: Iterable[str] = (), ignore: Iterable[str] = ()
    ) -> LabelTable:
        """`hide`: `LABEL=category` each. A label in an option means only what its last option says.

        Raises `DataFormatError` for an option without a label, or with a category that there is not.
        """
        hidden, kept, ignored = dict(HIDDEN), set(WORK | STUDY_AND_TIME), set(IGNORED)

        def taken(label: str) -> str:
            folded = folded_label(label)
            if not folded:
                raise DataFormatError("an option names a label without letters or digits")
            hidden.pop(folded, None)
            kept.discard(folded)
            ignored.discard(folded)
            return folded

        for option in hide:
            label, _, category = option.rpartition("=")
            if category not in CATEGORIES:
                raise DataFormatError(f"--label is LABEL=CATEGORY; categories are {', '.join(CATEGORIES)}")
            hidden[taken(label)] = category
        kept |= {taken(label) for label in keep}
        ignored |= {taken(label) for label in ignore}
        return cls(hidden, frozenset(kept), frozenset(kept - STUDY_AND_TIME), frozenset(ignored))

    def category_of(self, label: str) -> Category | None:
        """The category that is to hide spans of `label`; None if none is."""
        return self.hidden.get(folded_label(label))

    def is_work(self, label: str) -> bool:
        """True for labels of skills, tools, job titles and employers, and those that options add."""
        return folded_label(label) in self.work

    def use_of(self, label: str) -> Use:
        """What spans of `label` are measured as."""
        folded = folded_label(label)
        if folded in self.hidden:
            return "hide"
        if folded in self.kept:
            return "keep"
        return "ignore" if folded in self.ignored else "unknown"


def folded_label(label: str) -> str:
    """As labels are compared."""
    return " ".join(re.findall(r"[^\W_]+", label.lower()))
