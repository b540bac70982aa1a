from __future__ import annotations

import pytest

from training.evaluation.redaction.name_groups import Grouping, group_of


@pytest.mark.parametrize(
    ("name", "grouping", "group"),
    [
        ("Keisha Robinson", "given_name", "black_or_african_american:female"),
        ("KEISHA ROBINSON", "given_name", "black_or_african_american:female"),
        ("Robinson, Keisha", "given_name", "black_or_african_american:female"),
        ("Dr. Keisha M. Robinson", "given_name", "black_or_african_american:female"),
        ("Zyxwa Robinson", "given_name", "unknown"),
        ("Zyxwa Nguyen", "surname", "asian"),
        ("Nguyen", "surname", "unknown"),  # one word says nothing about which of the two it is
        ("Linh Vo", "form", "short_surname"),
        ("Mary Baker", "form", "surname_is_a_word"),
        ("Mary Nguyen", "form", "in_the_census"),
        ("Zyxwa Qwxyzt", "form", "in_no_list"),
        ("Mary", "form", "unknown"),
        ("", "given_name", "unknown"),
        ("J. D.", "surname", "unknown"),
        ("12345", "form", "unknown"),
    ],
)
def test_the_group_of_a_name(name: str, grouping: Grouping, group: str) -> None:
    assert group_of(name, grouping) == group
