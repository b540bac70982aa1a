"""Bundles on data from elsewhere from Python, with a tiny model."""

from __future__ import annotations

from pathlib import Path

import pandas
import polars
import pytest

import evenmatch
from service.core.bundle import Bundle
from service.core.errors import InputError
from tests.support.training_world import examples_of
from training.data.example import DataError, DataFormatError
from training.evaluation.external.schema import ExternalEvaluation

MARK = "surgical"


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is converted."""
    monkeypatch.setenv("EVENMATCH_ENGINE", "torch-cpu")
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "data"))


def pool() -> tuple[pandas.DataFrame, polars.DataFrame]:
    examples = examples_of(2, prefix="test")
    people = {e.resume_id: e for e in examples}.values()
    jobs = {e.job_id: e for e in examples}.values()
    return (
        pandas.DataFrame(
            [
                {"id": e.resume_id, "cv": f"{e.resume} {MARK}", "trade": e.occupation, "sex": e.groups["sex"]}
                for e in people
            ]
        ),
        polars.DataFrame(
            [
                {"job_id": e.job_id, "description": e.description, "field": f"the {e.job_occupation}"}
                for e in jobs
            ]
        ),
    )


def test_a_pool_is_evaluated_with_a_map_of_categories(tiny_bundle: Bundle, tmp_path: Path) -> None:
    resumes, postings = pool()
    found = evenmatch.evaluate_external(
        tiny_bundle.path,
        resumes=resumes,
        postings=postings,
        resume_category_column="trade",
        posting_category_column="field",
        category_map={name: [f"the {name}"] for name in ("nurse", "engineer", "accountant")},
        rounds=10,
        minimum=3,
    )
    data = found.evaluation.data
    assert (data.resumes, data.postings, data.matches * 3) == (len(resumes), len(postings), data.pairs)
    ranking = found.ranking().set_index(["scores", "figure"])
    assert {"BM25", "TF-IDF", "one vector a document"} < set(ranking.index.get_level_values("scores"))
    auc = found.evaluation.systems[0].ranking["roc_auc"]
    assert auc.by_both is not None
    name = found.evaluation.systems[0].name
    assert ranking.loc[(name, "roc_auc"), ["value", "low", "high"]].tolist() == [
        auc.value,
        auc.by_both.low,
        auc.by_both.high,
    ]
    assert set(found.categories()["category"]) == {"the nurse", "the engineer", "the accountant"}
    assert set(found.groups()["group"]) == {"female", "male"}
    assert set(found.decisions()["threshold_of"]) <= {"bundle", "precision"}
    assert set(found.probabilities()["probabilities"]) == {"as_shipped", "at_prevalence"}
    assert set(found.errors()["kind"]) == {"missed", "false"}
    assert any("resumes (under 30)" in note for note in found.notes)
    written = found.save(tmp_path / "e.json").read_text("utf-8")
    assert ExternalEvaluation.model_validate_json(written) == found.evaluation
    assert MARK not in written + found.save(tmp_path / "e.html").read_text("utf-8")
    assert "matches>" in repr(found)


def test_what_is_wrong_is_an_error_before_a_bundle_is_loaded(tmp_path: Path) -> None:
    resumes, postings = pool()
    nowhere = tmp_path / "nowhere"
    with pytest.raises(InputError, match="give pairs, or resumes and postings"):
        evenmatch.evaluate_external(nowhere, resumes=resumes)
    with pytest.raises(DataFormatError, match="no column looks like --posting-category"):
        evenmatch.evaluate_external(
            nowhere, resumes=resumes, postings=postings, resume_category_column="trade"
        )
    with pytest.raises(DataError, match="no category is on both sides"):
        evenmatch.evaluate_external(
            nowhere,
            resumes=resumes,
            postings=postings,
            resume_category_column="trade",
            posting_category_column="field",
        )
    with pytest.raises(TypeError, match="job_family_column is no keyword"):
        evenmatch.evaluate_external(nowhere, [], job_family_column="x")  # type: ignore[call-arg]
