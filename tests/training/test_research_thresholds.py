from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle, read_bundle
from service.core.errors import BundleError
from tests.training.postprocessing.test_threshold import biased
from training.evaluation.scored_pairs import ScoredPairs
from training.research_thresholds import (
    FILE_NAME,
    ResearchThresholdsError,
    group_thresholds,
    write_research_thresholds,
)


def pairs() -> ScoredPairs:
    p, y, groups = biased(2_000)
    n = len(y)
    return ScoredPairs(p, y, ["j"] * n, [str(i) for i in range(n)], np.ones(n, np.bool_), groups)


@pytest.mark.parametrize("rate", ["selection_rate", "true_positive_rate"])
def test_each_group_comes_nearest_to_the_common_rate(rate: str) -> None:
    found = group_thresholds(
        pairs(),
        pairs().raw_scores,
        attribute="sex",
        threshold=0.5,
        equalised=rate,  # type: ignore[arg-type]  # parametrised over its two values
    )
    a, b = found.groups
    assert a.rate_at_global_threshold > found.target > b.rate_at_global_threshold
    assert a.threshold > 0.5 > b.threshold
    for group in found.groups:
        assert group.rate_at_own_threshold == pytest.approx(found.target, abs=1 / group.n)


def test_the_mode_is_loud(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level(logging.WARNING):
        found = group_thresholds(pairs(), pairs().raw_scores, attribute="sex", threshold=0.5)
        path = write_research_thresholds(found, tmp_path / "study")
    assert [record.message.count("RESEARCH ONLY") for record in caplog.records] == [1, 1]
    assert path.name == FILE_NAME
    assert "must not decide about people" in json.loads(path.read_text())["warning"]


def test_no_bundle_holds_them(broken: Path, tiny_bundle: Bundle) -> None:
    found = group_thresholds(pairs(), pairs().raw_scores, attribute="sex", threshold=0.5)
    with pytest.raises(ResearchThresholdsError, match="is a bundle"):
        write_research_thresholds(found, broken)
    assert read_bundle(broken).decision == tiny_bundle.decision
    (broken / FILE_NAME).write_text(found.model_dump_json())
    with pytest.raises(BundleError, match="foreign"):
        read_bundle(broken)


def test_small_and_unknown_groups_are_named() -> None:
    small = pairs().take(np.arange(20))
    with pytest.raises(ResearchThresholdsError, match="sex=a has 9 pairs for selection_rate; 30 are needed"):
        group_thresholds(small, small.raw_scores, attribute="sex", threshold=0.5)
    with pytest.raises(ResearchThresholdsError, match="age is no attribute of these pairs; known are sex"):
        group_thresholds(small, small.raw_scores, attribute="age", threshold=0.5)
