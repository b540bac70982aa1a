from __future__ import annotations

from service.core.group_titles import GROUP_TITLES, attribute_title, group_title
from service.core.groups import RACE_ETHNICITY, SEX, UNKNOWN


def test_every_group_of_the_default_schema_has_a_title() -> None:
    assert set(GROUP_TITLES) >= {*SEX, *RACE_ETHNICITY, UNKNOWN}


def test_groups_and_attributes_are_named_as_people_read_them() -> None:
    assert group_title("black_or_african_american") == "Black or African American"
    assert group_title("female:native_hawaiian_or_pacific_islander") == (
        "Female / Native Hawaiian or Pacific Islander"
    )
    assert group_title("under_40") == "Under 40"
    assert group_title("40_and_over") == "40 and over"
    assert attribute_title("race_ethnicity") == "Race/ethnicity"
    assert attribute_title("age_band") == "Age band"
