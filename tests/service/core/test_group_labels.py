from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.core.group_labels import ALIASES, LabelReader, key_of_label, values_given
from service.core.groups import RACE_ETHNICITY, SEX, UNKNOWN

PAGE = Path(__file__).resolve().parents[3] / "docs" / "groups.md"


def read(label: object, groups: tuple[str, ...] = (*SEX, *RACE_ETHNICITY)) -> str | None:
    return LabelReader("x", groups).known(label)


@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("F", "female"),
        (" Female ", "female"),
        ("M", "male"),
        ("Non-Binary", "nonbinary"),
        ("Black or African American", "black_or_african_american"),
        ("White (Not Hispanic or Latino)", "white"),
        ("ASIAN (NON-HISPANIC)", "asian"),
        ("Hispanic/Latino", "hispanic_or_latino"),
        ("Latiné", "hispanic_or_latino"),
        ("Native Hawaiian or Other Pacific Islander", "native_hawaiian_or_pacific_islander"),
        ("American Indian or Alaska Native", "native_american_or_alaska_native"),
        ("Two or More Races", "two_or_more_races"),
        ("2 or more races (not Hispanic or Latino)", "two_or_more_races"),
        ("Prefer not to say", UNKNOWN),
        ("I don't wish to answer", UNKNOWN),
        ("N/A", UNKNOWN),
        ("", UNKNOWN),
        ("-", UNKNOWN),
        (None, UNKNOWN),
        (float("nan"), UNKNOWN),
        ("X", None),
        ("Other", None),
        ("Not Hispanic or Latino", None),
        ("Male - M", "male"),
        ("F - Female", "female"),
        ("Female (F)", "female"),
        ("1. Male", "male"),
        ("Genderqueer/Non-binary", "nonbinary"),
        ("M - Female", None),
        ("Male/Female", None),
        ("Prefer to self-describe", None),
        ("Jane - Doe", None),
        ("Black or African American (United States of America)", "black_or_african_american"),
        ("White (Not Hispanic or Latino) (United States of America)", "white"),
        ("Asian (not Hispanic/Latino)", "asian"),
        ("Asian - A person having origins in any of the peoples of the Far East", "asian"),
        ("White/Caucasian (Non-Hispanic)", "white"),
        ("Hispanic, Latino, or Spanish origin", "hispanic_or_latino"),
        ("American Indian/Alaskan Native", "native_american_or_alaska_native"),
        ("Asian/Pacific Islander", None),
        ("White and Asian", None),
        ("I don\u2019t wish to answer", UNKNOWN),
        ("Decline To Self Identify", UNKNOWN),
        ("I decline to self-identify (United States of America)", UNKNOWN),
        ("Applicant did not disclose", UNKNOWN),
        ("Do not wish to disclose my gender", UNKNOWN),
        ("Choose not to say", UNKNOWN),
        ("Not declared", UNKNOWN),
        ("Unknown/Not Specified", UNKNOWN),
        ("N/A - not provided", UNKNOWN),
        ("(blank)", UNKNOWN),
        (1, None),
        (True, None),
    ],
)
def test_labels_as_forms_have_them(label: object, group: str | None) -> None:
    assert read(label) == group


def test_a_groups_own_name_goes_before_aliases() -> None:
    assert read("Caucasian", ("white", "caucasian")) == "caucasian"
    assert read("under 40", ("under_40", "40_and_over")) == "under_40"
    assert read("F", ("under_40",)) is None


def test_every_alias_is_written_as_it_is_compared_and_stands_for_one_group() -> None:
    aliases = [alias for labels in ALIASES.values() for alias in labels]
    assert [alias for alias in aliases if key_of_label(alias) != alias] == []
    assert len(aliases) == len(set(aliases))
    assert set(ALIASES) <= {*SEX, *RACE_ETHNICITY, UNKNOWN}


def test_what_is_given_goes_before_the_table() -> None:
    values = values_given(["sex.W=female", "sex.F=unknown", "age.a.b=c=d"])
    assert values == {"sex": {"W": "female", "F": "unknown"}, "age": {"a.b=c": "d"}}
    reader = LabelReader("sex", SEX, {"W": "female", "F": UNKNOWN})
    assert [reader.read(label) for label in ("w", "f", "M")] == ["female", UNKNOWN, "male"]
    for wrong in ("W=female", "sex.W", "sex.=female", "sex.W="):
        assert values_given([wrong]) is None


def test_labels_are_shown_only_where_many_rows_have_them() -> None:
    reader = LabelReader("sex", SEX)
    for label, rows in (("D", 12), ("Jane Doe", 2), ("W", 9)):
        for _ in range(rows):
            assert reader.read(label) == UNKNOWN
    said = reader.said_of_unknown
    assert said is not None
    assert "3 labels stand for none of female, male, nonbinary, unknown" in said
    assert "'D' in 12 rows; others in 11 rows" in said
    assert "Jane" not in said
    assert "'W'" not in said


def test_a_column_of_names_is_never_shown() -> None:
    reader = LabelReader("sex", SEX)
    for i in range(60):
        for _ in range(20):
            reader.read(f"Jane {i}")
    assert reader.said_of_unknown is not None
    assert "Jane" not in reader.said_of_unknown
    assert "60 labels" in reader.said_of_unknown


def test_the_page_has_the_table_of_aliases() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    for group, aliases in ALIASES.items():
        assert rows[group] == ", ".join(aliases)
