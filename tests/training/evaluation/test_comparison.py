from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from service.core.bundle import Bundle, write_bundle
from service.core.engines.loading import LoadedModel
from service.core.errors import BundleError, CountError
from service.core.tokenization import TextTokenizer
from tests.support.bundles import CALIBRATION, RULE
from tests.support.fakes import FakeEngine
from tests.support.scored_pairs import SUBJECT, random_pairs
from tests.training.evaluation.examples import EXAMPLES
from training.bundles.card import evaluated_model_card
from training.cli import app
from training.evaluation.comparison import (
    BundleComparison,
    compare_metrics,
    compare_on,
    key_figures,
    key_samples,
)
from training.evaluation.evaluate import EvaluationOptions, evaluate_pairs
from training.evaluation.schema import Evaluation
from training.report.html import best_of, comparison_html

OPTIONS = EvaluationOptions(rounds=20)


def with_metrics(tiny: Bundle, path: Path, evaluation: Evaluation, **manifest: object) -> Path:
    parts = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny.reference_vectors,
        "metrics.json": evaluation,
    }
    return write_bundle(path, tiny.manifest.model_copy(update=manifest), parts).path


def evaluation(shift: float = 0.1, seed: int = 0) -> Evaluation:
    pairs = random_pairs(shift=shift, seed=seed)
    return evaluate_pairs(pairs, pairs.raw_scores, SUBJECT, data=f"random pairs {seed}", options=OPTIONS)


@pytest.fixture(scope="module")
def two(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same pairs; in the second bundle women are not scored lower."""
    folder = tmp_path_factory.mktemp("compared")
    return [
        with_metrics(tiny_bundle, folder / "one", evaluation(), name="one"),
        with_metrics(tiny_bundle, folder / "two", evaluation(shift=0.0), name="two"),
    ]


def of(comparison: BundleComparison, name: str) -> tuple[float | None, ...]:
    figure = next(f for f in comparison.figures if f.name == name)
    return tuple(None if value is None else value.value for value in figure.values)


def test_metrics_stand_side_by_side(two: list[Path]) -> None:
    found = compare_metrics(two)
    assert found.same_data
    assert found.notes == []
    first, second = of(found, "parity/sex/demographic_parity_difference")
    assert first is not None
    assert second is not None
    assert first > second
    assert of(found, "utility/f1")[0] == evaluation().judgements[0].utility["f1"].value
    page = comparison_html(found)
    assert "one" in page
    assert "<strong>" in page


def test_other_data_are_said_to_be(tiny_bundle: Bundle, two: list[Path], tmp_path: Path) -> None:
    other = with_metrics(tiny_bundle, tmp_path / "three", evaluation(seed=5), name="three")
    found = compare_metrics([two[0], other])
    assert not found.same_data
    assert "different pairs" in found.notes[0]


def test_figures_of_different_sizes_show_both(tiny_bundle: Bundle, two: list[Path], tmp_path: Path) -> None:
    pairs = random_pairs().take(np.arange(400))
    smaller = evaluate_pairs(pairs, pairs.raw_scores, SUBJECT, data="fewer", options=OPTIONS)
    page = comparison_html(
        compare_metrics([two[0], with_metrics(tiny_bundle, tmp_path / "three", smaller, name="three")])
    )
    assert "<td>600 / 400</td></tr>" in page
    assert page.count("<td>600</td></tr>") == 0


def test_a_bundle_without_an_evaluation_is_named(
    tiny_bundle: Bundle, two: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match=r"metrics\.json is missing"):
        compare_metrics([two[0], tiny_bundle.path])
    parts: dict[str, Any] = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny_bundle.reference_vectors,
        "metrics.json": {"auc": 1},
    }
    path = write_bundle(tmp_path / "old", tiny_bundle.manifest, parts).path
    with pytest.raises(BundleError, match=r"metrics\.json is no evaluation"):
        compare_metrics([two[0], path])
    with pytest.raises(CountError, match="two at least are needed"):
        compare_metrics(two[:1])


def test_on_shared_pairs_the_differences_have_intervals(tiny_bundle: Bundle, two: list[Path]) -> None:
    tokenizer = TextTokenizer.load(
        Path(tiny_bundle.manifest.base_model.id) / "tokenizer.json", tiny_bundle.manifest
    )

    def load(bundle: Bundle) -> LoadedModel:
        return LoadedModel(FakeEngine(), tokenizer)

    found = compare_on(
        two, EXAMPLES, load, data="eight pairs", options=EvaluationOptions(rounds=10, minimum=1)
    )
    assert found.same_data
    for figure in found.figures:
        # Both bundles hold the same model: whatever they find, they find the same.
        for difference in figure.differences:
            assert difference.value in (0, None)
            assert difference.low in (0, None)
    assert any(figure.differences for figure in found.figures)
    assert "two minus one" in comparison_html(found)


def test_paired_differences_are_those_of_the_same_jobs() -> None:
    worse, better = random_pairs(shift=0.15), random_pairs(shift=0.0)
    a, b = (key_samples(p, p.raw_scores, 0.5, EvaluationOptions(rounds=200)) for p in (worse, better))
    paired = (b["utility/roc_auc"] - a["utility/roc_auc"])[1:]
    unpaired = np.random.default_rng(0).permutation(b["utility/roc_auc"][1:]) - a["utility/roc_auc"][1:]
    assert paired.std() < 0.7 * unpaired.std()


def test_the_samples_begin_with_the_figures_themselves() -> None:
    pairs = random_pairs()
    figures = key_figures(evaluation())
    for name, of in key_samples(pairs, pairs.raw_scores, 0.5, OPTIONS).items():
        expected = figures[name].value
        assert of[0] == pytest.approx(np.nan if expected is None else expected, abs=1e-6, nan_ok=True)


def test_the_best_is_marked_in_its_direction(two: list[Path]) -> None:
    figures = {f.name: f for f in compare_metrics(two).figures}
    assert best_of(figures["parity/fairness_score"]) == {1}
    assert best_of(figures["utility/roc_auc"]) == {1}
    assert best_of(figures["utility/selection_rate"]) == set()


def test_the_card_holds_every_figure_with_its_size(tiny_bundle: Bundle) -> None:
    found = evaluation()
    card = evaluated_model_card(tiny_bundle.manifest, CALIBRATION, found, training="Not trained.")
    auc = found.judgements[0].utility["roc_auc"]
    assert f"| roc_auc | {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}) | 600 |" in card
    assert "## Intended use" in card
    assert "## Limits" in card
    women = next(g for g in found.judgements[0].attributes[0].groups if g.group == "female")
    row = next(line for line in card.splitlines() if line.startswith("| female |"))
    assert f" {women.exposure['top_1_ratio'].value:.3f} (" in row
    assert "is fair" not in card


def test_names_of_groups_and_files_cannot_change_the_card(tiny_bundle: Bundle) -> None:
    pairs = random_pairs()
    hostile = "a|b<script>alert(1)</script>\n## Verified"
    groups = {hostile: [hostile if group == "female" else group for group in pairs.groups["sex"]]}
    found = evaluate_pairs(
        replace(pairs, groups=groups), pairs.raw_scores, SUBJECT, data=hostile, options=OPTIONS
    )
    found = found.model_copy(update={"notes": [hostile]})
    card = evaluated_model_card(tiny_bundle.manifest, CALIBRATION, found, training="Not trained.")
    assert "<script>" not in card
    assert "\n## Verified" not in card
    escaped = r"a\|b&lt;script&gt;alert(1)&lt;/script&gt; ## Verified"
    assert f"### {escaped}\n" in card
    assert f"| {escaped} | " in card
    assert f"## Notes\n\n- {escaped}\n" in card


def test_a_place_that_cannot_be_written_is_named(two: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = CliRunner().invoke(app, ["compare", *map(str, two), "--html", str(tmp_path / "file" / "c.html")])
    assert done.exit_code == 1
    assert f"error: {tmp_path / 'file'}" in done.stderr


def test_the_command_prints_and_writes(two: list[Path], tmp_path: Path) -> None:
    arguments = ["compare", *map(str, two), "--html", str(tmp_path / "out/c.html")]
    done = CliRunner().invoke(app, [*arguments, "--json", str(tmp_path / "c.json")], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "parity/fairness_score" in done.stdout
    assert "<!doctype html>" in (tmp_path / "out/c.html").read_text()
    written = json.loads((tmp_path / "c.json").read_text())
    assert BundleComparison.model_validate(written) == compare_metrics(two)
    failed = CliRunner().invoke(app, ["compare", str(two[0]), str(tmp_path / "nowhere")])
    assert failed.exit_code == 1
    assert "no bundle at" in failed.stderr


def test_the_command_evaluates_on_the_users_pairs(two: list[Path], tmp_path: Path) -> None:
    data = tmp_path / "pairs.jsonl"
    rows = [
        {"resume": e.resume, "job": e.description, "ad": e.title, "label": e.label, "sex": e.groups["sex"]}
        for e in EXAMPLES[:4]
    ]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    arguments = ["compare", *map(str, two), "--data", str(data), "--title-column", "ad"]
    arguments += ["--group-column", "sex", "--minimum", "1", "--rounds", "5"]
    done = CliRunner().invoke(app, [*arguments, "--json", str(tmp_path / "c.json")])
    assert done.exit_code == 0, done.stderr
    written = BundleComparison.model_validate_json((tmp_path / "c.json").read_text())
    assert written.same_data
    assert written.bundles[0].data == f"{data}, all pairs"
    # Both hold the same model, and its differences to itself are nothing.
    auc = next(f for f in written.figures if f.name == "utility/roc_auc")
    assert auc.values[0] == auc.values[1]
    assert auc.values[0] is not None
    assert auc.values[0].n == 4
    assert [d.value for d in auc.differences] == [0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", "nowhere.csv"], 1, "nowhere.csv"),
        (["--data", "a.csv", "--config", "b.json"], 2, "not both"),
        (["--data", "a.csv", "--split", "dev"], 2, "one of train"),
    ],
)
def test_unusable_data_is_named(two: list[Path], arguments: list[str], code: int, message: str) -> None:
    done = CliRunner().invoke(app, ["compare", *map(str, two), *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == code
    assert message in done.stderr
