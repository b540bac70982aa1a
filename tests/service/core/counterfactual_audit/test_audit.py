"""Audits of encoders with a planted bias, and without: the one must be found, the other not invented."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import numpy as np
import pytest

from service.core.base_model import find_verified
from service.core.bundle import read_bundle
from service.core.counterfactual.lexicons import load_groups
from service.core.counterfactual_audit.plan import (
    AuditResume,
    CounterfactualOptions,
    CounterfactualPlan,
    plan_audit,
)
from service.core.counterfactual_audit.results import CounterfactualReport
from service.core.counterfactual_audit.summary import summarise
from service.core.errors import AuditOptionsError, CountError, DuplicateIdError, InputErrors, TextTooLongError
from service.core.group_titles import group_title
from service.core.matching import Match, Matcher, TokenizedResume
from service.core.tokenization import TextTokenizer
from service.runtime.options import BUNDLES
from tests.support.resume_corpus import samples

JOB = "Design and run data pipelines in Python. Lead a team."
Score = Callable[[str], float]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    """The shipped bundle's policy; the tests score texts themselves, by encoders that react to names."""
    bundle = read_bundle(BUNDLES / "minilm-base")
    tokenizer = find_verified(bundle.manifest.base_model) / "tokenizer.json"
    return Matcher(bundle, TextTokenizer.load(tokenizer, bundle.manifest), keeps_names=True)


def resumes(count: int, seed: int = 41) -> list[AuditResume]:
    return [AuditResume(f"r{i}", sample.text) for i, sample in enumerate(samples(count, seed))]


def plan_of(matcher: Matcher, texts: list[AuditResume], **options: object) -> CounterfactualPlan:
    return plan_audit(
        matcher,
        JOB,
        None,
        texts,
        CounterfactualOptions(**options),  # type: ignore[arg-type]  # by keyword
        max_resumes=50,
        max_characters=100_000,
    )


def scored(plan: CounterfactualPlan, score: Score, threshold: float = 0.5) -> list[Match]:
    values = [score(text.read.document.text) for text in plan.texts]
    return [Match(value, value, value >= threshold, False) for value in values]


def noise(text: str, size: float = 0.004) -> float:
    """A score that any change of the text moves a little, names and benign edits alike."""
    digest = hashlib.sha256(text.encode()).digest()
    return 0.5 + size * (int.from_bytes(digest[:4], "big") / 2**32 - 0.5)


def reacts_to(names: tuple[str, ...], by: float) -> Score:
    return lambda text: noise(text) + (by if holds(text, names) else 0.0)


def holds(text: str, names: tuple[str, ...]) -> bool:
    return not set(names).isdisjoint(re.findall(r"\w+", text))


def audit(matcher: Matcher, score: Score, count: int = 8, **options: object) -> CounterfactualReport:
    plan = plan_of(matcher, resumes(count), redact=False, attributes=("name",), **options)
    return summarise(plan, scored(plan, score))


@pytest.mark.parametrize("redact", [pytest.param(True, marks=pytest.mark.slow), False])
@pytest.mark.slow
def test_texts_are_handed_on_in_order_and_the_control_arm_first(matcher: Matcher, redact: bool) -> None:
    parts: list[list[TokenizedResume]] = []
    plan = plan_audit(
        matcher,
        JOB,
        None,
        resumes(3),
        CounterfactualOptions(attributes=("name",), redact=redact),
        max_resumes=50,
        max_characters=100_000,
        ready=lambda job, texts: parts.append(texts),
    )
    assert [text for part in parts for text in part] == plan.texts
    first = plan.resumes[0].variants
    controls = {plan.rows[one.text] for one in first.variants if one.attribute == "control"}
    assert len(parts) > 1
    assert {plan.rows[first.original], *controls} <= set(range(len(parts[0])))


def test_a_planted_bias_against_one_groups_names_is_found(matcher: Matcher) -> None:
    group = "black_or_african_american:female"
    report = audit(matcher, reacts_to(load_groups("audit").given_names[group], -0.02))
    (names,) = report.attributes
    found = {g.group: g for g in names.groups}
    assert found[group].beyond_noise
    assert found[group].summary.mean_gap < -0.015
    interval = found[group].summary.mean_interval
    assert interval is not None
    assert interval.high < 0
    assert found[group].top_share == 0.0
    assert not any(g.beyond_noise for name, g in found.items() if name != group)
    assert names.adjusted_difference_p_value is not None
    assert names.adjusted_difference_p_value <= 0.001
    assert any(f"lowest {group_title(group)}" in finding for finding in report.findings)


def test_a_small_bias_inside_the_noise_of_single_scores_is_found_over_resumes(matcher: Matcher) -> None:
    group = "hispanic_or_latino:male"
    report = audit(matcher, reacts_to(load_groups("audit").given_names[group], -0.0015), count=16)
    assert report.attributes[0].adjusted_difference_p_value is not None
    assert report.attributes[0].adjusted_difference_p_value <= 0.01


@pytest.mark.slow
def test_no_bias_is_not_invented(matcher: Matcher) -> None:
    cried = 0
    for seed in range(10):
        report = audit(matcher, lambda text, s=seed: noise(f"{s}{text}"), count=4, seed=seed)  # type: ignore[misc]
        (names,) = report.attributes
        cried += any(g.beyond_noise for g in names.groups)
        cried += names.adjusted_difference_p_value is not None and names.adjusted_difference_p_value <= 0.05
    assert cried <= 4  # twenty tests at 5 %: five or more in 0.3 % of cases


def test_under_redaction_names_make_no_gap_at_all(matcher: Matcher) -> None:
    plan = plan_of(matcher, resumes(6), attributes=("name", "pronoun"))
    report = summarise(plan, scored(plan, noise))
    for attribute in report.attributes:
        for group in attribute.groups:
            assert group.summary.max_absolute_gap == 0.0
            assert group.summary.flips == 0
            assert not group.beyond_noise
        assert attribute.top is None
    assert report.distinct_texts <= 6 * (1 + 10)


def test_flips_are_counted_at_the_threshold(matcher: Matcher) -> None:
    names = load_groups("audit").given_names["asian:male"]
    plan = plan_of(matcher, resumes(3), redact=False, attributes=("name",))
    report = summarise(plan, scored(plan, lambda text: 0.4 if holds(text, names) else 0.6))
    flips = {g.group: g.summary.flip_rate for g in report.attributes[0].groups}
    assert flips.pop("asian:male") == 1.0
    assert set(flips.values()) == {0.0}


def test_the_spread_of_scores_is_that_of_the_originals(matcher: Matcher) -> None:
    plan = plan_of(matcher, resumes(4), redact=False, attributes=("name",))
    matches = scored(plan, lambda text: noise(text, size=0.2))
    report = summarise(plan, matches)
    originals = [matches[plan.rows[r.variants.original]].raw_score for r in plan.resumes]
    assert report.score_sd == pytest.approx(np.std(originals, ddof=1))
    summary = report.attributes[0].groups[0].summary
    assert summary.shift_over_sd == pytest.approx(summary.mean_absolute_gap / np.std(originals, ddof=1))


def test_gaps_are_variant_minus_reference(matcher: Matcher) -> None:
    plan = plan_of(matcher, resumes(1), redact=False, attributes=("school",))
    report = summarise(
        plan, scored(plan, lambda text: 0.7 if text == plan.resumes[0].variants.original else 0.4)
    )
    for group in report.attributes[0].groups:
        assert group.summary.mean_gap == pytest.approx(-0.3)
        assert group.summary.flip_rate == 1.0


def test_an_attribute_that_is_nowhere_is_not_a_gap_of_zero(matcher: Matcher) -> None:
    plan = plan_of(matcher, [AuditResume("a", "Summary\nBuilds data pipelines in Python.")])
    report = summarise(plan, scored(plan, noise))
    assert [a.attribute for a in report.attributes] == ["name"]
    assert report.missing["school"] == {"no_school_found": 1}
    assert report.names_placed == ["a"]
    assert any("the school could not be changed in 1 resume" in f.lower() for f in report.findings)
    assert any("no school was recognised; if one stands in the text, name it" in f for f in report.findings)
    assert report.warnings == {"a": ["no_name_found", "little_text"]}
    assert any("1 hold hardly any text" in f for f in report.findings)


def test_a_resume_in_another_language_is_named(matcher: Matcher) -> None:
    text = "Lebenslauf\nKrankenpfleger mit langer Erfahrung auf einer chirurgischen Station in Hamburg."
    plan = plan_of(matcher, [AuditResume("a", text)])
    assert summarise(plan, scored(plan, noise)).not_english == ["a"]


def test_the_report_holds_no_text_of_a_resume(matcher: Matcher) -> None:
    texts = resumes(2)
    plan = plan_of(matcher, texts, redact=False)
    shown = repr(summarise(plan, scored(plan, noise)))
    for sample in samples(2, 41):
        assert sample.names[0] not in shown
        assert sample.schools[0] not in shown


def test_the_same_seed_gives_the_same_report(matcher: Matcher) -> None:
    def once() -> CounterfactualReport:
        plan = plan_of(matcher, resumes(2), redact=False, seed=5)
        return summarise(plan, scored(plan, noise))

    assert once() == once()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attributes": ()}, "attributes is empty"),
        ({"attributes": ("name", "name")}, "names one of them twice"),
        ({"names_per_group": 1}, "names_per_group is 1; 2 to 20"),
        ({"names_per_group": 21}, "names_per_group is 21; 2 to 20"),
        ({"controls": 0}, "controls is 0; 2 to 20"),
    ],
)
def test_options_out_of_range_are_refused(matcher: Matcher, options: dict[str, object], message: str) -> None:
    with pytest.raises(AuditOptionsError, match=message):
        plan_of(matcher, resumes(1), **options)


def test_several_wrong_options_are_told_together(matcher: Matcher) -> None:
    with pytest.raises(InputErrors) as caught:
        plan_of(matcher, resumes(1), names_per_group=0, controls=99)
    assert len(caught.value.errors) == 2


def test_too_many_variants_name_the_limit(matcher: Matcher) -> None:
    with pytest.raises(CountError, match="more than 100 distinct texts, 2 of 3 resumes in") as caught:
        plan_audit(
            matcher,
            JOB,
            None,
            resumes(3),
            CounterfactualOptions(),
            max_resumes=9,
            max_characters=10_000,
            max_texts=100,
        )
    assert caught.value.limit == 100


def test_unusable_resumes_are_told_by_their_field(matcher: Matcher) -> None:
    with pytest.raises(CountError, match="resumes has 0 items"):
        plan_of(matcher, [])
    with pytest.raises(DuplicateIdError, match=r"resumes\[1\].id is that of resumes\[0\]"):
        plan_of(matcher, [AuditResume("a", "python"), AuditResume("a", "java")])
    with pytest.raises(TextTooLongError, match=r"resumes\[0\].resume has 100,001 characters"):
        plan_of(matcher, [AuditResume("a", "x" * 100_001)])


def test_without_redaction_an_audit_scores_what_the_service_would(matcher: Matcher) -> None:
    served = Matcher(matcher.bundle, matcher._tokenizer)
    plan = plan_of(served, resumes(2), redact=False, attributes=("name", "pronoun"), names_per_group=2)
    for resume in plan.resumes:
        variants = resume.variants.variants
        assert len({plan.rows[v.text] for v in variants if v.attribute == "name"}) == 1
        assert all(plan.rows[v.text] != plan.rows[v.reference] for v in variants if v.attribute == "pronoun")
    for text in plan.rows:
        seen = served.tokenize_resume(text, redact=False).read.document.text
        assert plan.texts[plan.rows[text]].read.document.text == seen
