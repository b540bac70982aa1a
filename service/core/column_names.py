"""What people call the columns that Evenmatch asks for, and which column of a table is meant.

Names are compared without case, blanks and punctuation, so `Resume_str`, `resume str` and `RESUME-STR` are
one. Of each role the names stand in tiers: a column of an earlier tier goes before those of later ones; two
columns of one tier are ambiguous, and nobody guesses between them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

Role = Literal["candidate_id", "resume", "posting_id", "posting_title", "posting", "label"]

NAMES: dict[Role, tuple[tuple[str, ...], ...]] = {
    "candidate_id": (
        ("id",),
        ("candidate_id", "candidate", "applicant_id", "applicant", "candidate_number", "candidate_no",
         "applicant_number", "applicant_no", "candidate_ref", "bewerber_id"),
        ("application_id", "resume_id", "cv_id", "person_id", "profile_id", "application", "user_id",
         "employee_id", "external_id", "uid", "uuid", "key", "reference", "ref"),
        ("file", "filename"),
    ),
    "resume": (
        ("resume",),
        ("resume_text", "resume_str", "resume_txt", "resume_content", "resume_body", "cv", "cv_text",
         "cv_content", "curriculum_vitae", "curriculum", "lebenslauf"),
        ("text", "content", "body", "profile", "profile_text", "candidate_profile", "raw_text", "document"),
    ),
    "posting_id": (
        ("job_id", "posting_id"),
        ("id",),
        ("requisition_id", "req_id", "requisition", "vacancy_id", "position_id", "job_ref", "job_reference",
         "job_number", "job_no", "reference", "ref"),
    ),
    "posting_title": (
        ("job_title", "posting_title"),
        ("title",),
        ("position", "position_title", "role", "vacancy", "job_name", "designation"),
    ),
    "posting": (
        ("job_description", "posting"),
        ("description",),
        ("job_text", "job_posting", "posting_text", "job_desc", "jd", "jd_text", "job", "job_ad", "ad",
         "advert", "vacancy_text", "full_description"),
        ("text", "content", "body"),
    ),
    "label": (("label",), ("labels", "match", "is_match", "fit", "target")),
}  # fmt: skip
"""Roles to tiers of names."""

_LONGEST_LISTED = 40
_MOST_LISTED = 40


class AmbiguousColumnError(Exception):
    """Several columns may be meant. `columns`: which."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(f"{len(columns)} columns may be meant")
        self.columns = list(columns)


def key_of(name: str) -> str:
    """A column's name as it is compared: letters and digits in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(ch for ch in decomposed if ch.isalnum())


def guessed_column(role: Role, columns: Sequence[str]) -> str | None:
    """The column of `columns` that plays a role, by its name; None if none does.

    A column that is called exactly as the role's first name is the one, whatever others are called. Raises
    `AmbiguousColumnError` if two of one tier could be.
    """
    first = NAMES[role][0][0]
    if columns.count(first) == 1:
        return first
    for tier in NAMES[role]:
        keys = {key_of(name) for name in tier}
        found = [column for column in columns if key_of(column) in keys]
        if len(found) > 1:
            raise AmbiguousColumnError(found)
        if found:
            return found[0]
    return None


def list_columns(columns: Sequence[str]) -> str:
    """Column names for a message. Long ones are left out: in a file without a header they are cells."""
    if all(len(c) <= _LONGEST_LISTED for c in columns) and len(columns) <= _MOST_LISTED:
        return f"it has {', '.join(columns)}"
    return f"it has {len(columns)} columns, which do not look like a header"
