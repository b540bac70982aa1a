from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.metrics.baselines import MEASURES, Baselines, read_baselines
from service.runtime.options import BUNDLES


def evaluation(**differences: float | None) -> dict[str, Any]:
    return {
        "schema_version": "evenmatch.evaluation/1",
        "judgements": [
            {"labels": "true", "attributes": [], "reliability": []},
            {
                "labels": "given",
                "attributes": [
                    {
                        "attribute": "sex",
                        "differences": {
                            name: {"value": value, "n": 10, "reason": None}
                            for name, value in differences.items()
                        },
                    }
                ],
                "reliability": [{"high": 0.5, "n": 3}, {"high": 1.0, "n": 1}],
            },
        ],
        "audits": [],
    }


def write(folder: Path, content: object) -> Path:
    (folder / "metrics.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.mark.parametrize("bundle", ["minilm-fair", "minilm-base"])
def test_a_shipped_bundle_has_all_four_measures_and_a_distribution_of_scores(bundle: str) -> None:
    baselines = read_baselines(BUNDLES / bundle)
    written = json.loads((BUNDLES / bundle / "metrics.json").read_text())
    given = next(j for j in written["judgements"] if j["labels"] == "given")
    sex = next(a for a in given["attributes"] if a["attribute"] == "sex")
    for measure in MEASURES:
        assert baselines.parity["sex", measure] == sex["differences"][f"{measure}_difference"]["value"]
    assert ("sex_race_ethnicity", "equalized_odds") in baselines.parity
    shares = list(baselines.score_shares.values())
    assert list(baselines.score_shares) == [round(i / 10, 1) for i in range(1, 11)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] == given["reliability"][0]["n"] / sum(b["n"] for b in given["reliability"])


def test_figures_that_could_not_be_computed_have_no_baseline(tmp_path: Path) -> None:
    written = evaluation(demographic_parity_difference=None, equalized_odds_difference=0.25, impact_ratio=0.9)
    baselines = read_baselines(write(tmp_path, written))
    assert baselines.parity == {("sex", "equalized_odds"): 0.25}
    assert baselines.score_shares == {0.5: 0.75, 1.0: 1.0}


def test_an_evaluation_of_nobody_has_no_distribution(tmp_path: Path) -> None:
    written = evaluation()
    written["judgements"][1]["reliability"] = [{"high": 1.0, "n": 0}]
    assert read_baselines(write(tmp_path, written)) == Baselines()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        {"with_title": {"pairs": 1440}},
        {**evaluation(), "schema_version": "evenmatch.evaluation/2"},
        {**evaluation(), "judgements": []},
        {"schema_version": "evenmatch.evaluation/1"},
        {"schema_version": "evenmatch.evaluation/1", "judgements": [{"labels": "given"}]},
    ],
)
def test_what_cannot_be_used_is_no_baseline_and_no_failure(tmp_path: Path, content: object) -> None:
    assert read_baselines(write(tmp_path, content)) == Baselines()


def test_a_bundle_without_an_evaluation_has_no_baseline(tmp_path: Path) -> None:
    assert read_baselines(tmp_path) == Baselines()
