"""Names of groups and attributes as people read them: `Black or African American`, not the id.

Ids stay what machines compare (metrics, JSON, settings). Reports, the terminal and dashboards show these.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.core.groups import UNKNOWN

GROUP_TITLES: Mapping[str, str] = {
    "female": "Female",
    "male": "Male",
    "nonbinary": "Nonbinary",
    "hispanic_or_latino": "Hispanic or Latino",
    "white": "White",
    "black_or_african_american": "Black or African American",
    "native_hawaiian_or_pacific_islander": "Native Hawaiian or Pacific Islander",
    "asian": "Asian",
    "native_american_or_alaska_native": "Native American or Alaska Native",
    "two_or_more_races": "Two or more races",
    UNKNOWN: "Unknown",
    "lgbtq": "LGBTQ",
}

ATTRIBUTE_TITLES: Mapping[str, str] = {
    "sex": "Sex",
    "race_ethnicity": "Race/ethnicity",
    "sex_race_ethnicity": "Sex and race/ethnicity",
}

BETWEEN = " / "
"""Between the groups of an intersection: a comma is between groups in a list."""


def group_title(group: str) -> str:
    """`Female / Asian` of `female:asian`, and `Under 40` of `under_40`, which stands in no table."""
    return BETWEEN.join(GROUP_TITLES.get(one) or _words(one) for one in group.split(":"))


def attribute_title(attribute: str) -> str:
    """`Race/ethnicity` of `race_ethnicity`, and `Age band` of `age_band`, which stands in no table."""
    return ATTRIBUTE_TITLES.get(attribute) or _words(attribute)


def _words(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
