from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions, plan_audit
from service.core.counterfactual_audit.summary import summarise
from service.core.engines.loading import LoadedModel
from service.core.errors import CountError
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine
from tests.support.scored_pairs import SUBJECT, random_pairs
from tests.training.evaluation.examples import EXAMPLES, JOB, PAIRS, RESUMES, Labelled
from training.evaluation.evaluate import EvaluationOptions, data_digest, evaluate_bundle, evaluate_pairs
from training.evaluation.schema import DecisionEffect, Evaluation
from training.evaluation.scored_pairs import ScoredPairs
from training.evaluation.scoring import encode_distinct
from training.evaluation.variants import VariantSet, evaluate_variants
from training.report.html import report_html

OPTIONS = EvaluationOptions(rounds=20)
AUDIT = CounterfactualOptions(attributes=("name", "school"), names_per_group=2, controls=3, redact=False)


@pytest.fixture(scope="module")
def loaded(tiny_bundle: Bundle) -> LoadedModel:
    folder = Path(tiny_bundle.manifest.base_model.id)
    return LoadedModel(FakeEngine(), TextTokenizer.load(folder / "tokenizer.json", tiny_bundle.manifest))


def evaluated(pairs: ScoredPairs) -> Evaluation:
    return evaluate_pairs(pairs, pairs.raw_scores, SUBJECT, data="random pairs", options=OPTIONS)


def test_the_worst_attribute_makes_the_fairness_score() -> None:
    judged = evaluated(random_pairs()).judgements[0]
    assert [a.attribute for a in judged.attributes] == ["sex", "race_ethnicity", "sex_race_ethnicity"]
    plain = judged.attributes[:2]  # intersections are shown, but chance alone makes them large
    values = [a.fairness_score.value for a in plain if a.fairness_score.value is not None]
    assert judged.fairness_score.value == max(values)
    sexes = judged.attributes[0]
    assert sexes.unknown == sum(g is None for g in random_pairs().groups["sex"])
    assert sum(g.pairs for g in sexes.groups) + sexes.unknown == 600
    assert all(sum(g.score_histogram) == g.pairs for g in sexes.groups)


def test_true_labels_are_judged_beside_the_given_ones() -> None:
    pairs = random_pairs(shift=0.0)
    women = pairs.members("sex", "female")
    rng = np.random.default_rng(1)
    held_back = np.where(women & (rng.uniform(size=600) < 0.5), 0, pairs.labels)
    biased = ScoredPairs(
        pairs.raw_scores, held_back, pairs.jobs, pairs.resumes, pairs.titled, pairs.groups, pairs.labels
    )
    given, true = evaluated(biased).judgements
    assert (given.labels, true.labels) == ("given", "true")
    assert given.matches < true.matches == pairs.labels.sum()
    # Half of women's matches were recorded as none: their precision falls against these labels alone.
    by_given, by_true = (
        j.attributes[0].differences["predictive_parity_difference"].value for j in (given, true)
    )
    assert by_given is not None
    assert by_true is not None
    assert by_given > by_true + 0.1


def test_without_groups_it_says_that_nothing_is_known() -> None:
    pairs = random_pairs()
    alone = ScoredPairs(pairs.raw_scores, pairs.labels, pairs.jobs, pairs.resumes, pairs.titled)
    found = evaluated(alone)
    assert found.judgements[0].fairness_score.reason == "no groups are known"
    assert found.notes == ["No groups are known: nothing can be said about differences between them."]
    assert "nothing can be said" in report_html(found)


def test_the_digest_tells_data_apart_and_not_scores() -> None:
    pairs = random_pairs()
    other_scores = ScoredPairs(
        pairs.raw_scores / 2, pairs.labels, pairs.jobs, pairs.resumes, pairs.titled, pairs.groups
    )
    assert data_digest(pairs) == data_digest(other_scores)
    assert data_digest(pairs) != data_digest(pairs.take(np.arange(599)))


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = (evaluated(random_pairs()).model_dump(exclude={"created"}) for _ in range(2))
    assert first == second


def test_a_bundle_end_to_end(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    found = evaluate_bundle(
        tiny_bundle,
        loaded,
        EXAMPLES,
        data="four resumes",
        options=EvaluationOptions(rounds=5, minimum=1),
        audits=[VariantSet("a", "nurse", JOB, RESUMES)],
        audit_options=(AUDIT,),
        counterfactual_pairs=PAIRS,
    )
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    assert found.data.pairs == len(EXAMPLES)
    assert found.judgements[1].labels == "true"
    audit = found.audits[0]
    assert (audit.resumes, audit.jobs, audit.redact) == (len(RESUMES), 1, False)
    names = next(a for a in audit.attributes if a.attribute == "name")
    assert sum(g.figures["top_share"].value or 0 for g in names.groups) == pytest.approx(1, abs=1e-4)
    shares = [g.figures["top_share"].value or 0 for g in names.groups]
    assert names.min_max_ratio.value == pytest.approx(min(shares) / max(shares), abs=1e-4)
    assert audit.control is not None
    assert audit.control.figures["mean_shift"].value is not None
    # A pair whose halves are equal does not move, redacted or not.
    for shift in found.shifts.values():
        assert shift.figures["mean_signed_shift"].value is not None
        assert (shift.pairs, shift.jobs) == (2, 1)
    written = found.model_dump_json() + report_html(found)
    for secret in ("Keisha", "wound", "surgical", "Riverside"):
        assert secret not in written


def test_redaction_leaves_no_gap_between_names(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    matcher = Matcher(tiny_bundle, loaded.tokenizer)
    options = CounterfactualOptions(attributes=("name",), names_per_group=2, controls=3, redact=True)
    found = evaluate_variants(
        matcher,
        loaded,
        [VariantSet("a", None, JOB, RESUMES[:1]), VariantSet("b", None, JOB, RESUMES[1:])],
        options,
        rounds=5,
        rng=np.random.default_rng(0),
    )
    assert (found.jobs, found.resumes) == (2, len(RESUMES))
    names = found.attributes[0]
    assert {g.figures["mean_shift"].value for g in names.groups} == {0.0}
    assert {g.figures["flip_rate"].value for g in names.groups} == {0.0}
    assert names.min_max_ratio.value is None
    assert names.min_max_ratio.reason == "in every set all groups tied, or there was none"


def test_pooling_one_set_gives_what_the_audit_itself_gives(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    matcher = Matcher(tiny_bundle, loaded.tokenizer, keeps_names=True)
    plan = plan_audit(
        matcher,
        JOB,
        None,
        [AuditResume(f"a/{r.id}", r.text) for r in RESUMES],
        AUDIT,
        max_resumes=9,
        max_characters=10_000,
    )
    encoded = encode_distinct(loaded, [plan.job], plan.texts)
    vectors = encoded.of(plan.job.texts)
    report = summarise(plan, [matcher.match(plan.job, vectors, encoded.of(t.texts)) for t in plan.texts])
    pooled = evaluate_variants(
        matcher, loaded, [VariantSet("a", None, JOB, RESUMES)], AUDIT, rounds=5, rng=np.random.default_rng(0)
    )
    assert pooled.findings == report.findings
    for ours, theirs in zip(pooled.attributes, report.attributes, strict=True):
        for arm, group in zip(ours.groups, theirs.groups, strict=True):
            assert arm.figures["mean_shift"].value == pytest.approx(group.summary.mean_absolute_gap, abs=1e-6)
            assert arm.figures["p95_shift"].value == pytest.approx(group.summary.p95_absolute_gap, abs=1e-6)
            assert arm.figures["flip_rate"].value == pytest.approx(group.summary.flip_rate, abs=1e-6)
            assert arm.figures["shift_over_sd"].value == pytest.approx(group.summary.shift_over_sd, abs=1e-5)
            assert sum(arm.gap_histogram) == group.summary.n
        assert theirs.top is not None
        assert ours.min_max_ratio.value == pytest.approx(theirs.top.min_max_ratio, abs=1e-6)


def test_redaction_decides_nothing_where_there_is_no_clue(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    def effect_on(resume: str) -> DecisionEffect | None:
        pairs = [Labelled(job, None, JOB, key, resume + key, 1) for job in "ab" for key in "xyz"]
        return evaluate_bundle(
            tiny_bundle, loaded, EXAMPLES, data="four", options=OPTIONS, clue_free=pairs
        ).redaction_without_clues

    clean = effect_on("[NAME]\n[EMAIL]\n\nNurse on a surgical ward.\n\nEducation\n[SCHOOL], [YEAR]\n\n")
    assert clean is not None
    assert (clean.pairs, clean.jobs, clean.resumes) == (6, 2, 3)
    assert clean.figures["mean_shift"].value == 0
    assert clean.figures["resumes_differ"].value == 0
    marred = effect_on("[NAME]\n\nNurse on a surgical ward.\n\nEducation\nHarvard University, 2014\n\n")
    assert marred is not None
    assert marred.figures["mean_shift"].value != 0


def test_metrics_from_before_there_was_a_figure_still_load(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    found = evaluate_bundle(tiny_bundle, loaded, EXAMPLES, data="four", options=OPTIONS)
    assert found.redaction_without_clues is None
    assert "beside hiding clues" not in report_html(found)
    older = found.model_dump(mode="json")
    del older["redaction_without_clues"]
    assert Evaluation.model_validate(older) == found


def test_the_report_shows_what_redaction_decides(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    found = evaluate_bundle(tiny_bundle, loaded, EXAMPLES, data="four", options=OPTIONS, clue_free=EXAMPLES)
    assert "What redaction decides beside hiding clues" in report_html(found)


def test_an_audit_of_nothing_is_refused(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    with pytest.raises(CountError, match="one job with resumes at least"):
        evaluate_variants(
            Matcher(tiny_bundle, loaded.tokenizer), loaded, [], AUDIT, rounds=1, rng=np.random.default_rng(0)
        )


def test_the_schema_of_the_metrics_is_documented() -> None:
    schema = json.dumps(Evaluation.model_json_schema())
    for name in ("Estimate", "GroupReport", "Judgement", "VariantEvaluation", "ShiftReport"):
        assert f'"{name}"' in schema
