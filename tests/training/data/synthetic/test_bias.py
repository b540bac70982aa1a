from __future__ import annotations

import random

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.feature_extraction.text import TfidfVectorizer

from training.data.example import Dataset, Example
from training.data.synthetic.bias import BIASED, BiasConfig, Disadvantage

ONLY_SEX = {"sex": Disadvantage(groups=("female",))}
WOMAN, MAN = {"sex": "female"}, {"sex": "male"}


def everyone(dataset: Dataset) -> list[Example]:
    return [e for _, examples in dataset.items() for e in examples]


def test_turned_off_it_changes_nothing() -> None:
    off = BiasConfig()
    rng = random.Random(1)
    for groups in (WOMAN, MAN):
        assert all(off.recorded_label(1, groups, rng) == 1 for _ in range(200))
        wording = off.wording_of(groups, rng)
        assert (wording.tone, wording.vague, wording.gap) == (None, 0.0, False)


def test_labels_are_flipped_at_the_set_rate_in_the_disadvantaged_group_only() -> None:
    bias = BiasConfig(label=0.3, on=ONLY_SEX)
    rng = random.Random(2)
    flipped = sum(bias.recorded_label(1, WOMAN, rng) == 0 for _ in range(4000)) / 4000
    assert flipped == pytest.approx(0.3, abs=0.03)
    assert all(bias.recorded_label(1, MAN, rng) == 1 for _ in range(500))
    assert all(bias.recorded_label(0, WOMAN, rng) == 0 for _ in range(500))


def test_disadvantages_add_up_below_one() -> None:
    weights = {
        "sex": Disadvantage(groups=("female",), weight=0.5),
        "school_category": Disadvantage(groups=("non_top_school",), weight=0.4),
    }
    bias = BiasConfig(on=weights)
    assert bias.disadvantage({"sex": "female", "school_category": "non_top_school"}) == pytest.approx(0.7)
    assert bias.disadvantage({"sex": "male", "school_category": "non_top_school"}) == pytest.approx(0.4)
    assert bias.disadvantage({}) == 0


def test_wording_follows_the_group() -> None:
    bias = BiasConfig(wording=1.0, on=ONLY_SEX)
    rng = random.Random(3)
    women = [bias.wording_of(WOMAN, rng) for _ in range(100)]
    assert {w.tone for w in women} == {"communal"}
    assert 20 < sum(w.gap for w in women) < 80
    assert {bias.wording_of(MAN, rng).tone for _ in range(100)} == {"agentic"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_people_at_both_ends_of_the_knob(
    plain: Dataset, biased: Dataset
) -> None:
    assert [(e.resume_id, e.job_id, e.groups, e.true_label, e.description) for e in everyone(plain)] == [
        (e.resume_id, e.job_id, e.groups, e.true_label, e.description) for e in everyone(biased)
    ]
    changed = {
        e.resume_id for e, o in zip(everyone(plain), everyone(biased), strict=True) if e.resume != o.resume
    }
    assert 0.3 < len(changed) / len({e.resume_id for e in everyone(plain)}) < 0.9


@pytest.mark.slow
def test_only_good_fits_of_the_disadvantaged_lose_their_label(biased: Dataset) -> None:
    flipped = [e for e in everyone(biased) if e.label != e.true_label]
    assert flipped
    for e in flipped:
        assert (e.label, e.true_label) == (0, 1)
        assert BIASED.disadvantage(e.groups) > 0


def word_overlap(examples: list[Example]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """TF-IDF cosine of job and resume: a scorer that knows no groups."""
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    vectors.fit([e.resume for e in examples] + [e.description for e in examples])
    jobs = vectors.transform([e.description for e in examples])
    resumes = vectors.transform([e.resume for e in examples])
    return np.asarray(jobs.multiply(resumes).sum(axis=1)).ravel()


@pytest.mark.slow
def test_a_scorer_that_knows_no_groups_scores_women_lower_only_if_the_knob_is_on(
    plain: Dataset, biased: Dataset
) -> None:
    gaps = {}
    for name, dataset in (("plain", plain), ("biased", biased)):
        matches = [e for e in everyone(dataset) if e.true_label == 1]
        scores = word_overlap(matches)
        women = np.array([e.groups["sex"] == "female" for e in matches])
        gaps[name] = float((scores[~women].mean() - scores[women].mean()) / scores.std())
    assert abs(gaps["plain"]) < 0.3
    assert gaps["biased"] > gaps["plain"] + 0.4


@pytest.mark.parametrize("on", [{"gender": ("female",)}, {"sex": ("woman",)}, {"sex": ()}])
def test_a_group_that_nobody_has_is_refused(on: dict[str, tuple[str, ...]]) -> None:
    """It would turn the knob for nobody, without a word."""
    with pytest.raises(ValidationError, match="must name groups of invented people"):
        BiasConfig(on={name: Disadvantage(groups=groups) for name, groups in on.items()})


@pytest.mark.slow
def test_every_group_of_invented_people_can_be_named(biased: Dataset) -> None:
    groups: dict[str, set[str]] = {}
    for e in everyone(biased):
        for attribute, group in e.groups.items():
            groups.setdefault(attribute, set()).add(group)
    assert set(groups) == {"sex", "race_ethnicity", "school_category"}
    BiasConfig(on={name: Disadvantage(groups=tuple(of)) for name, of in groups.items()})
