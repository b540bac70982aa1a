from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.core import recalibration
from service.core.bundle import Bundle, read_bundle
from service.core.calibration_proposal import CalibrationProposal, apply_proposal, read_proposal
from service.core.errors import BundleError, CalibrationError, TableError
from service.core.recalibration import ScoredDecisions, propose
from service.core.recalibration_warnings import warnings_of
from tests.support.outcomes import judged


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibration, "_ROUNDS", 100)


def proposed(
    decisions: ScoredDecisions, bundle: Bundle, precision: float | None = None, truth: str = "label"
) -> CalibrationProposal:
    return propose(
        decisions,
        bundle,
        created="2026-03-31T12:00:00+00:00",
        source="tests",
        ground_truth=truth,
        precision=precision,
    )


def test_a_known_curve_is_found_again_with_its_interval(tiny_bundle: Bundle) -> None:
    found = proposed(judged(6_000), tiny_bundle)
    assert found.slope.value == pytest.approx(2.0, abs=0.15)
    assert found.intercept.value == pytest.approx(1.0, abs=0.2)
    for interval, true in ((found.slope, 2.0), (found.intercept, 1.0)):
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low < true < interval.high
    assert found.after is not None
    assert found.after.brier < found.shifted.brier
    assert found.after.expected_calibration_error < 0.5 * found.before.expected_calibration_error


def test_following_up_mostly_the_selected_does_not_bend_the_curve(tiny_bundle: Bundle) -> None:
    everybody = judged(9_000)
    followed = judged(9_000, followed=(0.9, 0.15))
    found = proposed(followed, tiny_bundle)
    assert found.slope.value == pytest.approx(2.0, abs=0.25)
    # The share among the outcomes is that of a better part; the curve knows the share among all.
    assert found.observed_prevalence > 1.5 * everybody.labels.mean()
    # Its standard deviation over seeds is 0.009, and its mean that of the truth.
    assert found.calibration.prevalence == pytest.approx(everybody.labels.mean(), abs=0.03)
    assert any("who was followed up differs" in warning for warning in found.warnings)


def test_the_first_threshold_keeps_every_decision(tiny_bundle: Bundle) -> None:
    decisions = judged()
    found = proposed(decisions, tiny_bundle)
    chosen = found.thresholds["same_decisions"]
    odds = 10 * np.linspace(-1, 1, 20_001) - 5  # of the bundle's curve
    raw = (odds + 5) / 10
    before = [tiny_bundle.calibration.probability(x, titled=True) >= 0.6 for x in raw]
    after = [found.calibration.probability(x, titled=True) >= chosen.threshold for x in raw]
    assert before == after
    low, high = chosen.borderline
    assert low < chosen.threshold < high
    assert chosen.today == 0.6
    assert chosen.selection_rate == pytest.approx((decisions.probabilities >= 0.6).mean(), abs=1e-6)


def test_a_threshold_of_a_precision_has_it_and_no_lower_one_does(tiny_bundle: Bundle) -> None:
    decisions = judged(4_000)
    chosen = proposed(decisions, tiny_bundle, precision=0.8).thresholds["precision"]
    assert chosen.expected_precision == pytest.approx(0.8, abs=0.005)
    selected = decisions.labels[decisions.probabilities >= chosen.today]
    assert chosen.observed_precision.value == pytest.approx(selected.mean(), abs=1e-6)
    assert selected.mean() == pytest.approx(0.8, abs=0.05)
    assert chosen.observed == len(selected)
    lower = decisions.probabilities[decisions.probabilities < chosen.today].max()
    assert lower < chosen.today
    low, high = chosen.borderline
    assert 0 < low <= chosen.threshold <= high < 1


def test_a_precision_that_no_threshold_has_is_said(tiny_bundle: Bundle) -> None:
    found = proposed(judged(slope=0.3, intercept=-1.0), tiny_bundle, precision=0.99)
    assert "precision" not in found.thresholds
    assert "no threshold has an expected precision of 0.99" in found.warnings


def test_groups_are_counted_and_change_nothing(tiny_bundle: Bundle) -> None:
    decisions = judged()
    found = proposed(decisions, tiny_bundle)
    nobody = proposed(replace(decisions, cells=np.zeros(len(decisions), np.int64), groups=[{}]), tiny_bundle)
    assert nobody.groups == []
    assert nobody == found.model_copy(update={"groups": []})
    of_women = next(one for one in found.groups if one.group == "female")
    women = decisions.cells == 0
    assert (of_women.decisions, of_women.matches) == (women.sum(), decisions.labels[women].sum())
    assert of_women.match_rate == pytest.approx(decisions.labels[women].mean(), abs=1e-6)
    assert of_women.mean_before == pytest.approx(decisions.probabilities[women].mean(), abs=1e-6)
    assert of_women.selection_rates["same_decisions"] == of_women.selection_rate


def test_a_small_group_has_counts_and_no_rates(tiny_bundle: Bundle) -> None:
    decisions = judged()
    cells = np.ones(len(decisions), np.int64)
    cells[: recalibration.LEAST_OF_GROUP - 1] = 0
    found = proposed(replace(decisions, cells=cells), tiny_bundle).groups
    small, large = found
    assert (small.group, small.decisions, small.match_rate, small.mean_after) == ("female", 29, None, None)
    assert large.match_rate is not None


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (lambda d: replace(d, labels=np.where(np.cumsum(d.labels) < 20, d.labels, -1)), "19 matches"),
        (lambda d: replace(d, labels=np.where(d.labels == 0, -1, d.labels)), "and 0 others"),
        (lambda d: replace(d, postings=d.postings % 4), "of 4 postings"),
        (lambda d: replace(d, labels=np.full(len(d), -1)), "0 matches and 0 others of 0 postings"),
    ],
)
def test_too_few_outcomes_are_refused_with_their_counts(tiny_bundle: Bundle, keep: object, said: str) -> None:
    with pytest.raises(CalibrationError, match="too few outcomes") as refused:
        proposed(keep(judged()), tiny_bundle)  # type: ignore[operator]
    assert said in refused.value.message
    assert "1,200 decisions" in refused.value.message


def test_warnings_say_what_the_outcomes_cannot_tell(tiny_bundle: Bundle) -> None:
    few = " ".join(proposed(judged(150, followed=(1.0, 1.0)), tiny_bundle).warnings)
    assert "few outcomes" in few
    right = " ".join(proposed(judged(slope=1.0, intercept=0.0), tiny_bundle).warnings)
    assert "nothing shows that the bundle's calibration is wrong" in right
    assert "the new curve is no better than the bundle's own (Brier" in right
    selected_only = " ".join(
        proposed(judged(9_000, followed=(1.0, 0.0)), tiny_bundle, truth="human_decision").warnings
    )
    assert "nothing is known of those who were not selected" in selected_only
    assert "% of the decisions have probabilities beyond those of all outcomes" in selected_only
    assert "what people decided, who may have seen the scores" in selected_only
    assert proposed(judged(3_000), tiny_bundle).warnings == []


def test_a_curve_that_is_no_better_than_a_prior_shift_is_said(tiny_bundle: Bundle) -> None:
    found = proposed(judged(3_000), tiny_bundle)
    assert found.after is not None
    as_good = found.after.model_copy(update={"brier": found.after.brier + 1e-3})
    for shifted, said in ((found.after, 1), (as_good, 0)):
        warnings = warnings_of(
            found.counts,
            np.array([0.2]),
            np.array([0.2]),
            found.slope,
            found.intercept,
            found.before,
            shifted,
            found.after,
            None,
            None,
        )
        assert sum("`EVENMATCH_PREVALENCE` may do" in warning for warning in warnings) == said


def test_the_curve_is_tried_on_other_postings(tiny_bundle: Bundle) -> None:
    # All matches are of one posting: without it nothing can be fitted.
    decisions = judged()
    one = np.where(decisions.labels == 1, 0, 1 + decisions.postings)
    found = proposed(replace(decisions, postings=one), tiny_bundle)
    assert found.after is None
    assert any("too few postings with both outcomes" in warning for warning in found.warnings)


def test_a_copy_of_the_bundle_has_the_new_curve_and_else_what_it_had(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    found = proposed(judged(), tiny_bundle, precision=0.7)
    file = tmp_path / "proposal.json"
    file.write_text(found.model_dump_json())
    assert read_proposal(file) == found
    before = {path: path.read_bytes() for path in tiny_bundle.path.rglob("*") if path.is_file()}
    made = apply_proposal(read_proposal(file), tiny_bundle, tmp_path / "new", "same_decisions")
    assert {path: path.read_bytes() for path in before} == before
    assert made == read_bundle(tmp_path / "new")
    assert made.digest != tiny_bundle.digest
    assert (made.manifest.name, made.manifest.version) == ("test-bundle-recalibrated", "1.0.0")
    assert made.calibration == found.calibration
    assert made.decision.threshold == found.thresholds["same_decisions"].threshold
    assert made.decision.constraint == tiny_bundle.decision.constraint
    assert made.manifest.files["probes.json"] == tiny_bundle.manifest.files["probes.json"]
    assert "Re-calibrated" in (made.path / "README.md").read_text()
    assert read_proposal(made.path / "recalibration.json") == found
    other = apply_proposal(found, tiny_bundle, tmp_path / "other", "precision")
    assert other.decision.threshold == found.thresholds["precision"].threshold
    assert "expected precision of 0.7" in other.decision.rule
    with pytest.raises(BundleError, match="exists already"):
        apply_proposal(found, tiny_bundle, tmp_path / "new", "precision")
    # Outcomes of the copy's own decisions: a copy of the copy has another version.
    again = apply_proposal(proposed(judged(), made), made, tmp_path / "again", "same_decisions")
    assert (again.manifest.name, again.manifest.version) == ("test-bundle-recalibrated", "1.0.1")


def test_a_proposal_of_another_bundle_or_without_the_threshold_is_refused(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    found = proposed(judged(), tiny_bundle)
    with pytest.raises(CalibrationError, match="no threshold precision; it has same_decisions"):
        apply_proposal(found, tiny_bundle, tmp_path / "new", "precision")
    foreign = found.model_copy(update={"bundle": found.bundle.model_copy(update={"digest": "0" * 64})})
    with pytest.raises(CalibrationError, match=r"for bundle test-bundle 1\.0\.0 \(0+\)"):
        apply_proposal(foreign, tiny_bundle, tmp_path / "new", "same_decisions")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema_version": "evenmatch.evaluation/1"}'])
def test_a_file_that_is_no_proposal_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "p.json"
    file.write_text(content)
    with pytest.raises(TableError, match=r"p\.json is no proposal of"):
        read_proposal(file)
    with pytest.raises(TableError, match=r"none\.json cannot be read"):
        read_proposal(tmp_path / "none.json")
