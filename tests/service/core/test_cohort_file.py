"""The folder of a cohort: written whole, verified when read, and refused by name where it does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.cohort import CohortPolicy, Posting, References, vector_scores
from service.core.cohort_file import (
    COHORT,
    STORED,
    VECTORS,
    fitted,
    read_cohort,
    write_cohort,
)
from service.core.cohort_manifest import agreement_of
from service.core.errors import CohortError
from service.core.scorer import Scorer
from service.core.scoring import MatchPolicy
from tests.service.core.test_cohort import texts
from tests.support.cohorts import MADE, making, random_references


@pytest.fixture
def written(tmp_path: Path, tiny_bundle: Bundle) -> Path:
    write_cohort(tmp_path / "cohort", tiny_bundle, random_references(tiny_bundle), making(tiny_bundle))
    return tmp_path / "cohort"


def test_what_is_read_scores_as_what_was_written(tmp_path: Path, tiny_bundle: Bundle) -> None:
    references = random_references(tiny_bundle)
    made = write_cohort(tmp_path / "cohort", tiny_bundle, references, making(tiny_bundle))
    again = read_cohort(tmp_path / "cohort")
    assert again.manifest == made.manifest
    assert again.digest == made.digest
    assert again.manifest.resumes.used == len(references.resumes)
    assert [one.title is None for one in again.references.postings] == [
        one.title is None for one in references.postings
    ]
    postings, resumes = list(references.postings[:3]), list(references.resumes[4:8])
    raw = vector_scores(postings, resumes, Scorer(tiny_bundle.manifest.matching))
    categories = tiny_bundle.manifest.redaction.categories
    first, second = (
        fitted(one, tiny_bundle, categories=categories, entities=None).cohort for one in (made, again)
    )
    found = second.normalised(raw, postings, resumes)
    assert np.array_equal(found, first.normalised(raw, postings, resumes))
    assert not np.array_equal(found, raw)


def test_it_is_its_owners_only_and_holds_no_more_than_two_files(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in written.iterdir()} == {
        COHORT: 0o600,
        VECTORS: 0o600,
    }


def test_it_fits_its_own_bundle(written: Path, tiny_bundle: Bundle) -> None:
    read = read_cohort(written)
    fitted(read, tiny_bundle, categories=tiny_bundle.manifest.redaction.categories, entities=None)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"base_model_sha256": "0" * 64}, "another encoder"),
        ({"redaction": {"version": 1, "categories": ["name"], "entities": None}}, "another redaction policy"),
        ({"passages": {"words": 33, "layout": True}}, "another passage policy"),
        ({"matching": {"temperature": 3.0}}, "another matching policy"),
        ({"bundle": {"name": "other", "version": "1.0.0", "digest": "1" * 64}}, "another bundle"),
    ],
)
def test_another_encoder_policy_or_bundle_is_refused_by_name_with_both_digests(
    written: Path, tiny_bundle: Bundle, change: dict[str, Any], named: str
) -> None:
    file = written / COHORT
    content = json.loads(file.read_text())
    content["bundle"]["digest"] = "1" * 64
    file.write_text(json.dumps({**content, **change}))
    with pytest.raises(CohortError, match=named) as caught:
        fitted(
            read_cohort(written),
            tiny_bundle,
            categories=tiny_bundle.manifest.redaction.categories,
            entities=None,
        )
    assert "1" * 64 in caught.value.message
    assert tiny_bundle.digest in caught.value.message


def test_one_that_is_over_is_refused(tmp_path: Path, tiny_bundle: Bundle) -> None:
    until = replace(making(tiny_bundle), expires=MADE + timedelta(days=30))
    write_cohort(tmp_path / "cohort", tiny_bundle, random_references(tiny_bundle), until)
    read, categories = read_cohort(tmp_path / "cohort"), tiny_bundle.manifest.redaction.categories
    fitted(read, tiny_bundle, categories=categories, entities=None, now=MADE + timedelta(days=29))
    with pytest.raises(CohortError, match="until 2026-03-31"):
        fitted(read, tiny_bundle, categories=categories, entities=None, now=MADE + timedelta(days=31))


def test_a_changed_file_is_named_with_both_hashes(written: Path) -> None:
    file = written / VECTORS
    sha = json.loads((written / COHORT).read_text())["vectors_sha256"]
    file.write_bytes(file.read_bytes()[:-2] + b"xx")
    with pytest.raises(CohortError, match=rf"{VECTORS} was changed: SHA-256 [0-9a-f]{{64}}.*{sha}"):
        read_cohort(written)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[]", "no JSON object"),
        (b"{", "no JSON object"),
        (b'{"format_version": 2}', "unknown format_version 2; this release reads 1"),
        (b'{"format_version": 1}', "created: Field required"),
    ],
)
def test_what_is_no_cohort_is_said(written: Path, content: bytes, said: str) -> None:
    (written / COHORT).write_bytes(content)
    with pytest.raises(CohortError, match=said):
        read_cohort(written)


def test_an_unknown_field_of_the_policy_or_a_weight_out_of_range_is_refused(written: Path) -> None:
    file = written / COHORT
    content = json.loads(file.read_text())
    for policy in ({**content["policy"], "more": 1}, {**content["policy"], "resume_weight": 1.5}):
        file.write_text(json.dumps({**content, "policy": policy}))
        with pytest.raises(CohortError, match=r"policy\.(more|resume_weight)"):
            read_cohort(written)


def test_nothing_foreign_is_replaced(tmp_path: Path, tiny_bundle: Bundle, written: Path) -> None:
    references, how = random_references(tiny_bundle), making(tiny_bundle)
    with pytest.raises(CohortError, match="exists already"):
        write_cohort(written, tiny_bundle, references, how)
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("dear")
    with pytest.raises(CohortError, match="is not a cohort"):
        write_cohort(home, tiny_bundle, references, how, overwrite=True)
    write_cohort(written, tiny_bundle, references, replace(how, seed=9), overwrite=True)
    assert read_cohort(written).manifest.seed == 9


def test_a_cohort_that_is_too_small_or_of_one_occupation_says_so(tmp_path: Path, tiny_bundle: Bundle) -> None:
    few = random_references(tiny_bundle, resumes=39)
    made = write_cohort(
        tmp_path / "few", tiny_bundle, few, replace(making(tiny_bundle, few), policy=CohortPolicy())
    )
    assert made.manifest.warnings == ("too_small",)
    categories = tiny_bundle.manifest.redaction.categories
    assert fitted(made, tiny_bundle, categories=categories, entities=None).cohort.is_too_small
    many = random_references(tiny_bundle, resumes=45)
    first = many.postings[0].body
    alike = References(
        many.resumes,
        [Posting(np.concatenate([first, one.body[:1]]), None) for one in many.postings],
    )
    made = write_cohort(
        tmp_path / "alike", tiny_bundle, alike, replace(making(tiny_bundle, alike), policy=CohortPolicy())
    )
    assert made.manifest.warnings == ("one_occupation",), made.manifest.agreement


def test_agreement_is_the_mean_correlation_of_two_postings() -> None:
    scores = np.random.default_rng(2).normal(size=(5, 12))
    correlations = np.corrcoef(scores)
    assert agreement_of(scores) == pytest.approx(
        np.mean(np.asarray(correlations)[np.triu_indices(5, 1)]), abs=1e-4
    )
    assert agreement_of(scores[:1]) is None
    assert agreement_of(np.ones((3, 4))) is None


def test_half_precision_moves_scores_by_next_to_nothing() -> None:
    chance = np.random.default_rng(0)
    resumes = texts(chance, 20)
    stored = [one.astype(STORED).astype(np.float32) for one in resumes]
    posting, scorer = Posting(texts(chance, 1)[0], None), Scorer(MatchPolicy())
    exact = vector_scores([posting], resumes, scorer)
    assert np.abs(vector_scores([posting], stored, scorer) - exact).max() < 2e-4


def test_times_have_a_zone(written: Path) -> None:
    assert read_cohort(written).manifest.created == datetime(2026, 3, 1, 12, tzinfo=UTC)
