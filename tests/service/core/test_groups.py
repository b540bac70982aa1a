from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.core.groups import GroupSchema

SCHEMA = GroupSchema()


def test_a_person_belongs_to_every_attribute_and_intersection() -> None:
    assert SCHEMA.memberships({"sex": "female", "race_ethnicity": "asian"}) == {
        "sex": "female",
        "race_ethnicity": "asian",
        "sex_race_ethnicity": "female:asian",
    }


def test_who_says_nothing_is_unknown() -> None:
    assert SCHEMA.memberships({"sex": "male"}) == {
        "sex": "male",
        "race_ethnicity": "unknown",
        "sex_race_ethnicity": "unknown",
    }


def test_members_hold_every_intersection_once() -> None:
    crossed = SCHEMA.members()["sex_race_ethnicity"]
    assert len(crossed) == 3 * 7 + 1
    assert crossed[0] == "female:hispanic_or_latino"
    assert len(set(crossed)) == len(crossed)


@pytest.mark.parametrize(
    "content",
    [
        {"attributes": {"sex": ["female", "female"]}, "intersections": []},
        {"attributes": {"sex": ["unknown", "male"]}, "intersections": []},
        {"attributes": {"sex": ["male"]}, "intersections": [["sex", "sex"]]},
        {"attributes": {"sex": ["male"]}, "intersections": [["sex", "age"]]},
        {"attributes": {"sex": ["Not A Label!"]}, "intersections": []},
        {"attributes": {"a": ["x"], "b": ["y"], "a_b": ["z"]}, "intersections": [["a", "b"]]},
        {
            "attributes": {"a": ["x"], "b_c": ["y"], "a_b": ["z"], "c": ["w"]},
            "intersections": [["a", "b_c"], ["a_b", "c"]],
        },
        {"attributes": {"a": [f"g{i}" for i in range(401)]}, "intersections": []},
    ],
)
def test_an_inconsistent_schema_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GroupSchema.model_validate(content)


def test_groups_of_another_schema_do_not_fit() -> None:
    recorded = {"sex": "male", "race_ethnicity": "martian", "age": "under_40"}
    assert GroupSchema().fitting(recorded) == {"sex": "male"}
