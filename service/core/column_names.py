"""What people call the columns that Evenmatch asks for, and which column of a table is meant.

Names are compared without case, blanks and punctuation, so `Resume_str`, `resume str` and `RESUME-STR` are
one. Of each role the names stand in tiers: a column of an earlier tier goes before those of later ones; two
columns of one tier are ambiguous, and nobody guesses between them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal

Role = Literal[
    "candidate_id", "resume", "posting_id", "posting_title", "posting", "label", "original", "counterfactual",
    "decision", "decision_score", "decision_time", "decided_candidate", "decided_job",
    "paired_resume_id", "paired_posting_id", "category",
]  # fmt: skip

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
    "original": (
        ("original",),
        ("original_resume", "resume_original", "original_text", "text_original", "resume_text_original",
         "resume_orig", "orig_resume", "resume_text_orig", "orig"),
        ("before", "resume_before", "text_before", "factual", "unchanged", "baseline"),
        ("resume", "resume_text", "cv"),
    ),
    "counterfactual": (
        ("counterfactual",),
        ("counterfactual_resume", "resume_counterfactual", "counterfactual_text", "text_counterfactual",
         "resume_text_counterfactual", "resume_cf", "cf_resume", "resume_text_cf", "cf"),
        ("after", "resume_after", "text_after", "changed", "changed_resume", "modified", "modified_resume",
         "rewritten", "rewritten_resume", "perturbed", "perturbed_resume", "swapped", "variant"),
    ),
    "decision": (
        ("decision",),
        ("selected", "hired", "is_selected", "is_hired", "was_selected", "was_hired", "hired_y_n",
         "selected_y_n", "hired_yes_no", "selected_yes_no", "final_decision", "hiring_decision",
         "hire_decision", "selection_decision", "application_decision", "selection", "hire"),
        ("outcome", "result", "disposition", "application_status", "candidate_status", "status",
         "application_outcome", "application_result", "hiring_outcome", "selection_outcome", "final_status",
         "application_state", "disposition_status", "final_outcome", "selection_status", "hire_status"),
    ),
    "decision_score": (
        ("score",),
        ("match_score", "matching_score", "overall_score", "total_score", "final_score", "candidate_score",
         "ai_score", "fit_score"),
    ),
    "decision_time": (
        ("time",),
        ("decision_time", "decision_date", "date_of_decision", "decided_at", "decided_on", "decided",
         "time_of_decision", "decision_timestamp", "disposition_date", "date_decided"),
        ("date", "timestamp", "datetime"),
    ),
    "decided_candidate": (
        ("candidate_id",),
        ("applicant_id", "candidate_number", "candidate_no", "applicant_number", "applicant_no", "person_id",
         "candidate_ref", "candidate_reference"),
        ("application_id", "application_number", "application_no"),
    ),
    "decided_job": (
        ("job_id",),
        ("requisition_id", "req_id", "requisition", "requisition_number", "job_requisition",
         "job_requisition_id", "posting_id", "vacancy_id", "position_id", "job_number", "job_no", "job_ref",
         "job_reference", "req_number"),
        ("job", "job_title", "position", "vacancy", "posting", "job_name", "requisition_title"),
    ),
    "paired_resume_id": (
        ("resume_id",),
        ("candidate_id", "cv_id", "applicant_id", "person_id", "profile_id"),
    ),
    "paired_posting_id": (
        ("job_id", "posting_id"),
        ("requisition_id", "req_id", "vacancy_id", "position_id"),
    ),
    "category": (
        ("category",),
        ("categories", "job_category", "occupation", "profession", "occupation_category", "job_family"),
    ),
}  # fmt: skip
"""Roles to tiers of names."""

_SEX = (
    ("sex",),
    ("gender", "sex_gender", "gender_sex", "gender_identity", "m_f", "legal_sex", "eeo_gender", "eeo_sex"),
)
_RACE_ETHNICITY = (
    ("race_ethnicity",),
    ("ethnicity_race", "race_and_ethnicity", "race_or_ethnicity", "race_ethnic_group", "racial_ethnic_group",
     "race_ethnicity_category", "eeo_race_ethnicity", "eeo_1_race_ethnicity", "eeo_category"),
    ("race", "ethnicity", "ethnic_group", "ethnic_origin", "race_category", "race_group", "eeo_race",
     "racial_group", "ethnic_background", "eeo_1_category"),
)  # fmt: skip
GROUP_NAMES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "sex": _SEX,
    "gender": (("gender",), ("sex", *_SEX[1][1:])),
    "race_ethnicity": _RACE_ETHNICITY,
    "race": (("race",), ("race_ethnicity", *_RACE_ETHNICITY[1])),
    "ethnicity": (("ethnicity",), ("race_ethnicity", *_RACE_ETHNICITY[1], "ethnic_group", "ethnic_origin")),
}
"""Attributes to tiers of names. Any other attribute goes by its own."""

_OF_PERSON = (
    "candidate",
    "applicant",
    "selfreported",
    "selfidentified",
    "voluntary",
    "eeoc",
    "eeo",
    "employee",
)
"""Beginnings of columns' names, as compared, that say no more than whose or what for."""

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
    return _guessed(NAMES[role], columns)


def guessed_group_column(attribute: str, columns: Sequence[str]) -> str | None:
    """The column with the groups of an attribute, as `guessed_column`."""
    return _guessed(GROUP_NAMES.get(attribute, ((attribute,),)), columns, _OF_PERSON)


def _guessed(
    tiers: Sequence[Sequence[str]], columns: Sequence[str], beginnings: Sequence[str] = ()
) -> str | None:
    first = tiers[0][0]
    if columns.count(first) == 1:
        return first
    for tier in tiers:
        keys = {beginning + key_of(name) for name in tier for beginning in ("", *beginnings)}
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
