from __future__ import annotations

import pytest

from service.core.column_names import NAMES, AmbiguousColumnError, Role, guessed_column, key_of, list_columns


@pytest.mark.parametrize(
    ("role", "columns", "guess"),
    [
        ("candidate_id", ["ID", "Resume_str", "Category"], "ID"),
        ("candidate_id", ["Candidate ID", "CV"], "Candidate ID"),
        ("candidate_id", ["applicationId", "candidateId"], "candidateId"),
        ("candidate_id", ["id", "candidate_id"], "id"),
        ("candidate_id", ["name", "email"], None),
        ("resume", ["ID", "Resume_str", "Resume_html"], "Resume_str"),
        ("resume", ["cv", "text"], "cv"),
        ("resume", ["Résumé", "x"], "Résumé"),
        ("posting", ["job_title", "organization", "location", "job_description"], "job_description"),
        ("posting_title", ["job_title", "title"], "job_title"),
        ("posting_id", ["Req ID", "x"], "Req ID"),
        ("label", ["match", "x"], "match"),
    ],
)
def test_columns_are_known_by_what_people_call_them(
    role: Role, columns: list[str], guess: str | None
) -> None:
    assert guessed_column(role, columns) == guess


def test_two_of_one_tier_are_ambiguous() -> None:
    with pytest.raises(AmbiguousColumnError) as caught:
        guessed_column("resume", ["cv", "resume_text", "id"])
    assert caught.value.columns == ["cv", "resume_text"]


def test_no_name_stands_for_two_tiers_of_a_role() -> None:
    for role, tiers in NAMES.items():
        keys = [key_of(name) for tier in tiers for name in tier]
        assert len(keys) == len(set(keys)), role


def test_cells_are_not_listed_as_columns() -> None:
    assert list_columns(["a", "b"]) == "it has a, b"
    assert "Jane" not in list_columns(["Jane Doe", "x" * 41])
