from __future__ import annotations

import pytest

from service.core.errors import InputErrors, UnknownGroupError
from service.core.group_reading import OTHER, GroupReader, ReadGroups
from service.core.groups import GroupSchema

SCHEMA = GroupSchema()
READER = GroupReader(SCHEMA)


def read(given: dict[str, str], reader: GroupReader = READER) -> ReadGroups:
    return reader.read(given, field="candidates[1].groups")


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        ({"sex": "female"}, {"sex": "female"}),
        ({"sex": "unknown"}, {"sex": "unknown"}),
        ({"Gender": "F"}, {"sex": "female"}),
        ({"SEX": " Male "}, {"sex": "male"}),
        ({"sex": "Decline To Self-Identify"}, {"sex": "unknown"}),
        ({"sex": "-"}, {"sex": "unknown"}),
        (
            {"Race/Ethnicity": "Black or African American (Not Hispanic or Latino)"},
            {"race_ethnicity": "black_or_african_american"},
        ),
        ({"race-ethnicity": "Two or More Races"}, {"race_ethnicity": "two_or_more_races"}),
        ({}, {}),
    ],
)
def test_groups_are_read_as_forms_write_them(given: dict[str, str], groups: dict[str, str]) -> None:
    assert read(given) == ReadGroups(groups)


@pytest.mark.parametrize(
    ("groups", "field"),
    [
        ({"sex": "Jane Doe"}, "candidates[1].groups.sex"),
        ({"Jane Doe": "x"}, "candidates[1].groups"),
        ({"sex": "female", "gender": "female"}, "candidates[1].groups"),
    ],
)
def test_unknown_groups_are_refused_without_being_repeated(groups: dict[str, str], field: str) -> None:
    with pytest.raises(UnknownGroupError) as caught:
        read(groups)
    assert caught.value.field == field
    assert "Jane" not in caught.value.message


def test_every_group_at_fault_is_named() -> None:
    with pytest.raises(InputErrors) as caught:
        read({"sex": "X", "race_ethnicity": "?!x", "shoe_size": "9"})
    assert [error.field for error in caught.value.errors] == [
        "candidates[1].groups.sex",
        "candidates[1].groups.race_ethnicity",
        "candidates[1].groups",
    ]


def test_unknown_labels_count_as_unknown_where_that_is_set() -> None:
    reader = GroupReader(SCHEMA, unknown_labels="unknown")
    assert read({"sex": "X", "race_ethnicity": "Asian", "shoe_size": "9"}, reader) == ReadGroups(
        {"sex": "unknown", "race_ethnicity": "asian"}, ("sex", OTHER)
    )


def test_aliases_go_before_the_table() -> None:
    reader = GroupReader(SCHEMA, {"sex": {"X": "nonbinary", "F": "male", "divers": "unknown"}})
    for label, group in (("x", "nonbinary"), ("f", "male"), ("Divers", "unknown"), ("M", "male")):
        assert read({"sex": label}, reader).groups == {"sex": group}


def test_names_of_a_schema_go_before_other_names_of_attributes() -> None:
    both = GroupSchema(attributes={"sex": ("female",), "gender": ("woman",)}, intersections=())
    assert read({"gender": "woman", "sex": "F"}, GroupReader(both)).groups == {
        "gender": "woman",
        "sex": "female",
    }


@pytest.mark.parametrize("aliases", [{"age": {"old": "unknown"}}, {"sex": {"W": "woman"}}])
def test_aliases_outside_the_schema_are_refused(aliases: dict[str, dict[str, str]]) -> None:
    with pytest.raises(UnknownGroupError, match="alias"):
        GroupReader(SCHEMA, aliases)
