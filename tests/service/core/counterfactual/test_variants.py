from __future__ import annotations

import random
from collections import Counter

import pytest

from service.core.counterfactual.control import CONTROL_EDITS, control_variants
from service.core.counterfactual.lexicons import load_groups
from service.core.counterfactual.variants import ATTRIBUTES, ResumeVariants, VariantOptions, make_variants
from service.core.documents import normalise
from service.core.redaction.given import GivenSpan, places_of
from service.core.redaction.redactor import Redactor
from tests.support.resume_corpus import samples

REDACTOR = Redactor()
RESUME = normalise(
    """Emily Walsh
emily.walsh@x.org | 12 Maple Street, Springfield, IL 62704

Summary
She leads her team. Known for clear writing.

Experience
Cook, Blue Harbor Foods, Jan 2016 - March 2020
- Trained ten people.
- Member of the Society of Women Engineers

Education
BSc Nutrition, University of Leeds, 2010

Skills
baking, menu planning, purchasing, hygiene, budgeting
"""
)


def variants_of(text: str = RESUME, **options: object) -> ResumeVariants:
    return make_variants(text, VariantOptions(**options), REDACTOR, key="r")  # type: ignore[arg-type]  # by keyword


def changed_lines(before: str, after: str) -> list[str]:
    return list((Counter(after.split("\n")) - Counter(before.split("\n"))).elements())


def test_every_attribute_of_a_full_resume_is_changed() -> None:
    made = variants_of()
    assert {v.attribute for v in made.variants} == {*ATTRIBUTES, "control"}
    assert made.not_applicable == {}
    assert not made.name_placed


def test_eight_groups_of_five_names_and_the_control_are_at_most_sixty_texts() -> None:
    made = variants_of(attributes=("name",))
    names = [v for v in made.variants if v.attribute == "name"]
    assert Counter(v.group for v in names) == dict.fromkeys(load_groups("audit").name_groups, 5)
    assert len({v.text for v in made.variants} | {made.original}) <= 60
    assert len({v.text for v in names}) == 40


def test_one_attribute_changes_at_a_time() -> None:
    allowed = {
        "name": ("emily", "walsh"),
        "pronoun": ("she",),
        "school": ("leeds", "bsc"),
        "graduation_year": ("2010",),
        "affinity": ("society",),
        "postal_code": ("62704",),
    }
    for variant in variants_of().variants:
        if variant.attribute == "control":
            continue
        gone = list((Counter(RESUME.split("\n")) - Counter(variant.text.split("\n"))).elements())
        assert gone
        for line in gone:
            assert any(clue in line.lower() for clue in allowed[variant.attribute]), (variant.id, line)


def test_variants_say_what_they_are() -> None:
    by_id = {v.id: v for v in variants_of().variants}
    assert len(by_id) == len(variants_of().variants)
    assert "He leads his team." in by_id["pronoun/he_him/0"].text
    assert "pronoun/she_her/0" not in by_id  # the text has it already
    assert changed_lines(RESUME, by_id["school/no_school_mentioned/0"].text) == ["BSc Nutrition, 2010"]
    assert changed_lines(RESUME, by_id["graduation_year/35_years_ago/0"].text) == [
        "BSc Nutrition, University of Leeds, 1985"
    ]
    (school,) = changed_lines(RESUME, by_id["school/top_school/0"].text)
    assert (
        school.removeprefix("BSc Nutrition, ").removesuffix(", 2010")
        in load_groups("audit").schools["top_school"]
    )


def test_the_same_seed_makes_the_same_variants_and_another_seed_others() -> None:
    assert variants_of(seed=3) == variants_of(seed=3)
    assert variants_of(seed=3) != variants_of(seed=4)


def test_the_two_sexes_of_a_race_share_surnames() -> None:
    names = {v.id: v.text.split("\n")[0] for v in variants_of(attributes=("name",)).variants}
    for race in load_groups("audit").surnames:
        for i in range(5):
            female, male = names[f"name/{race}:female/{i}"], names[f"name/{race}:male/{i}"]
            assert female.split()[1:] == male.split()[1:]
            assert female != male


def test_what_is_not_in_the_text_is_not_applicable() -> None:
    made = variants_of("Summary\nBuilds data pipelines in Python.")
    assert made.not_applicable == {
        "pronoun": "no_pronoun_found",
        "school": "no_school_found",
        "graduation_year": "no_graduation_year_found",
        "affinity": "no_affinity_group_found",
        "postal_code": "no_us_postal_code_found",
    }
    assert made.name_placed
    assert {v.reference.split("\n")[0] for v in made.variants if v.attribute == "name"} == {"[NAME]"}


def test_lists_of_training_and_audit_are_apart() -> None:
    train, audit, test = (load_groups(split) for split in ("train", "audit", "test"))
    for group in audit.name_groups:
        assert len(audit.given_names[group]) >= 20
        assert len(train.given_names[group]) >= 20
        assert not set(train.given_names[group]) & set(audit.given_names[group])
        assert not set(test.given_names.get(group, ())) & {
            *train.given_names[group],
            *audit.given_names[group],
        }
    for one, other in (
        (train.surnames, audit.surnames),
        (train.schools, audit.schools),
        (train.postal_codes, audit.postal_codes),
    ):
        for group in other:
            assert len(other[group]) >= 5
            assert not set(one[group]) & set(other[group])


@pytest.mark.parametrize("attribute", ["name", "pronoun", "graduation_year", "postal_code"])
def test_swaps_vanish_under_redaction(attribute: str) -> None:
    made = variants_of(attributes=(attribute,))
    texts = {REDACTOR.redact(v.text).text for v in made.variants if v.attribute == attribute}
    assert texts == {REDACTOR.redact(RESUME).text}


def test_another_school_vanishes_under_redaction() -> None:
    made = variants_of(attributes=("school",))
    texts = {
        REDACTOR.redact(v.text).text for v in made.variants if v.group in ("top_school", "non_top_school")
    }
    assert texts == {REDACTOR.redact(RESUME).text}


def test_control_edits_never_touch_what_redaction_hides() -> None:
    seen: Counter[str] = Counter()
    for sample in samples(60, 33):
        spans = REDACTOR.analyse(sample.text).spans
        clues = Counter(sample.text[s.start : s.end] for s in spans)
        for kind, edited in control_variants(sample.text, spans, random.Random(1), 12):
            seen[kind] += 1
            assert edited != sample.text
            for clue, count in clues.items():
                assert edited.count(clue) >= count, (kind, sample.layout)
    assert set(seen) == set(CONTROL_EDITS)


def test_control_edits_keep_every_word_but_what_they_add() -> None:
    allowed = {"month_format", "neutral_sentence", "top_line"}
    for sample in samples(30, 34):
        spans = REDACTOR.analyse(sample.text).spans
        for kind, edited in control_variants(sample.text, spans, random.Random(2), 12):
            words = Counter("".join(ch if ch.isalnum() else " " for ch in edited).split())
            before = Counter("".join(ch if ch.isalnum() else " " for ch in sample.text).split())
            if kind not in allowed:
                assert words == before, kind
            elif kind != "month_format":
                assert not before - words, kind


def test_schools_for_children_are_told_from_none() -> None:
    made = variants_of("Ida Moor\n\nEducation\nHull Grammar School", attributes=("school",))
    assert made.not_applicable == {"school": "only_secondary_schools"}


NAMED = "xq zw\n\nWork\nBaker since 2015. In 2009 xq zw left Rookery Lane, and in 2012 the band."
GIVEN = (
    GivenSpan("name", "xq zw"),
    GivenSpan("school", "Rookery Lane"),
    GivenSpan("graduation_year", "2009"),
    GivenSpan("affinity", "the band"),
)


def test_what_is_named_is_changed_though_nobody_recognises_it() -> None:
    bare = make_variants(NAMED, VariantOptions(), REDACTOR, key="r")
    assert {"school", "graduation_year", "affinity"} <= bare.not_applicable.keys()
    assert bare.name_placed
    made = make_variants(NAMED, VariantOptions(), REDACTOR, key="r", given=GIVEN)
    assert made.not_applicable.keys() == {"pronoun", "postal_code"}
    assert not made.name_placed
    names = [v.text for v in made.variants if v.attribute == "name"]
    assert len(names) == 40
    assert not any("xq" in text or "zw" in text for text in names)
    schools = [v for v in made.variants if v.attribute == "school"]
    assert {v.group for v in schools} == {"top_school", "non_top_school", "no_school_mentioned"}
    assert not any("Rookery" in v.text for v in schools)
    years = {v.group: v.text for v in made.variants if v.attribute == "graduation_year"}
    assert "Baker since 2015. In 2010 xq zw left" in years["5_years_ago"]


def test_variants_know_where_what_was_named_stands_now() -> None:
    made = make_variants(NAMED, VariantOptions(), REDACTOR, key="r", given=GIVEN)
    original = Redactor(()).redact(NAMED, given=places_of(NAMED, GIVEN)).text
    for variant in made.variants:
        hidden = Redactor(()).redact(variant.text, given=variant.named).text
        if variant.attribute != "control" and variant.group != "no_school_mentioned":
            assert hidden == original, variant.id
    assert all(variant.named for variant in made.variants)


def test_a_year_inside_what_was_named_is_shifted() -> None:
    text = "Ida Moor\n\nBaker, 2015 - 2020\n\nDiploma, winter 2008/09 to summer 2011"
    given = [GivenSpan("graduation_year", "summer 2011")]
    options = VariantOptions(attributes=("graduation_year",))
    made = make_variants(text, options, REDACTOR, key="r", given=given)
    assert any("summer 2015" in variant.text for variant in made.variants)
