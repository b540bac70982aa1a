"""`evenmatch-train ablate`: the same run with parts of the recipe left out or added, under several seeds.

Each arm and seed is a whole run with a bundle of its own, kept in the work folder, so that an interrupted
ablation goes on where it was. Arms that train alike (they differ in erasure or evaluation only) share the
trained adapter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.core.base_model import describe
from service.core.bundle import read_bundle
from service.core.errors import BundleError
from training.bundles.candidate import load_reference_engine
from training.config import ConfigError, DataConfig, RunConfig, described, merged, read_yaml
from training.data.example import Example
from training.evaluation.schema import Estimate, Evaluation
from training.pipeline.run import RunOptions, Say, make_bundle
from training.pipeline.training import TRAINED_BY
from training.report.plots import value_text
from training.research.frontier import frontier_svg
from training.research.names_inside import names_inside

FIGURES: dict[str, str] = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "ece": "ECE",
    "name_shift_over_sd": "names inside: shift / sd",
    "name_min_max_ratio": "names inside: lowest / highest share of first places",
    "biased_selection_rate_gap": "biased data: selection-rate gap",
    "biased_tpr_gap": "biased data: TPR gap",
    "biased_fpr_gap": "biased data: FPR gap",
}


class AblationConfig(BaseModel):
    """`base`: a run's configuration, by a path relative to this file. `changes`: to it, for every arm.

    `arms`: name to further changes, nested as the configuration is. `seeds`: of training and sampling; the
    data stays the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    seeds: tuple[int, ...] = Field(min_length=1)
    changes: dict[str, Any] = {}
    arms: dict[str, dict[str, Any]] = Field(min_length=1)


class AblationArm(BaseModel):
    """One arm's figures, each the mean over the seeds with the widest reach of their intervals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    seeds: int
    figures: dict[str, Estimate]


def read_ablation(path: Path) -> tuple[AblationConfig, dict[str, RunConfig]]:
    """The ablation and the run of each arm, under the base's own seed.

    Raises `ConfigError` that names the file, the arm and the key.
    """
    content = read_yaml(path)
    try:
        config = AblationConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {described(error)}", field="config") from None
    base = read_yaml(path.parent / config.base)
    runs = {}
    for name, changes in config.arms.items():
        try:
            runs[name] = RunConfig.model_validate(merged(merged(base, config.changes), changes))
        except ValidationError as error:
            raise ConfigError(f"{path}: arm {name!r}: {described(error)}", field=f"arms.{name}") from None
    return config, runs


def run_ablation(path: Path, work: Path, *, quiet: bool = False, say: Say = print) -> list[AblationArm]:
    """Run what is not there yet, arm by arm; what the bundles' evaluations say of each."""
    config, runs = read_ablation(path)
    arms = []
    for name, run in runs.items():
        evaluated = []
        # Without losses nothing is drawn: one seed says it all.
        for seed in config.seeds if run.losses.names else config.seeds[:1]:
            seeded = run.model_copy(update={"seed": seed})
            say(f"arm {name!r}, seed {seed}")
            output = _bundle_of(seeded, work, quiet=quiet, say=say)
            evaluated.append(figures_of(_evaluations(output)) | _names(seeded, output, work))
        arms.append(_arm(name, evaluated))
    return arms


def table(arms: list[AblationArm]) -> str:
    """The arms as a Markdown table, one line an arm."""
    lines = [f"| arm | seeds | {' | '.join(FIGURES.values())} |", f"|---|---|{'---|' * len(FIGURES)}"]
    for arm in arms:
        cells = [value_text(arm.figures[name]) if name in arm.figures else "-" for name in FIGURES]
        lines.append(f"| {arm.name} | {arm.seeds} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def frontier(arms: list[AblationArm]) -> str:
    """PR-AUC of each arm against the gap in selection rates between the sexes on biased data, as SVG."""
    x, y = "pr_auc", "biased_selection_rate_gap"
    return frontier_svg(
        [(arm.name, arm.figures[x], arm.figures[y]) for arm in arms if y in arm.figures],
        title="What each arm gains, and what it leaves",
        x_label=f"{FIGURES[x]} (higher is better)",
        y_label=f"{FIGURES[y]} (lower is better)",
    )


def _bundle_of(config: RunConfig, work: Path, *, quiet: bool, say: Say) -> Path:
    """Where the run's bundle lies, made now if it is not there yet."""
    whole = config.model_dump(mode="json")
    output = work / "bundles" / _digest(whole)
    if not _finished(output):
        checkpoints = work / "training" / _digest({key: whole[key] for key in (*TRAINED_BY, "seed")})
        options = RunOptions(checkpoints, resume=True, overwrite=True, quiet=quiet, say=say)
        make_bundle(config, output, options)
    return output


def _evaluations(output: Path) -> dict[str, Evaluation]:
    """The evaluations in a run's bundle, by name of the file."""
    files = {name: output / f"{name}.json" for name in ("metrics", "metrics_biased")}
    there = {name: file.read_bytes() for name, file in files.items() if file.is_file()}
    return {name: Evaluation.model_validate_json(content) for name, content in there.items()}


def _names(config: RunConfig, output: Path, work: Path) -> dict[str, Estimate]:
    """What names inside the text do to a bundle's scores, on the audited share of the test split."""
    if config.evaluation.audited < 2:
        return {}
    bundle = read_bundle(output)
    base = describe(config.base_model.id, config.base_model.revision, pooling=config.base_model.pooling)
    matching = _matching(config.data.model_dump_json())
    found = names_inside(
        bundle,
        load_reference_engine(bundle, base, work / "cache"),
        matching[: config.evaluation.audited],
        rounds=config.evaluation.rounds,
        rng=np.random.default_rng(config.seed),
    )
    return {f"name_{name}": of for name, of in found.items()}


@lru_cache(maxsize=1)
def _matching(data: str) -> list[Example]:
    """The matching pairs of the test split; arms share their data."""
    return [example for example in DataConfig.model_validate_json(data).load().test if example.label == 1]


def _finished(output: Path) -> bool:
    try:
        read_bundle(output)
    except BundleError:
        return False
    return True


def _arm(name: str, by_seed: list[dict[str, Estimate]]) -> AblationArm:
    return AblationArm(
        name=name,
        seeds=len(by_seed),
        figures={key: _pooled([of[key] for of in by_seed]) for key in FIGURES if key in by_seed[0]},
    )


def figures_of(evaluations: Mapping[str, Evaluation]) -> dict[str, Estimate]:
    """The figures of `FIGURES` that there are: utility and parity by true labels where they are known."""
    plain = evaluations["metrics"]
    found = {name: plain.judgements[-1].utility[name] for name in ("roc_auc", "pr_auc", "ece")}
    if "metrics_biased" in evaluations:
        for of in evaluations["metrics_biased"].judgements[-1].attributes:
            if of.attribute == "sex":
                for name, key in _GAPS.items():
                    found[name] = of.differences[key]
    return found


_GAPS = {
    "biased_selection_rate_gap": "demographic_parity_difference",
    "biased_tpr_gap": "equal_opportunity_difference",
    "biased_fpr_gap": "false_positive_rate_difference",
}


def _pooled(figures: list[Estimate]) -> Estimate:
    """The mean of the values; the lowest low and the highest high; the smallest n."""
    values = [f.value for f in figures]
    known = [value for value in values if value is not None]
    n = min(f.n for f in figures)
    if len(known) < len(values):
        return Estimate(value=None, n=n, reason=next(f.reason for f in figures if f.value is None))
    return Estimate(
        value=round(sum(known) / len(known), 6),
        low=_reach(min, [f.low for f in figures]),
        high=_reach(max, [f.high for f in figures]),
        n=n,
    )


def _reach(end: Callable[[list[float]], float], values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return end(known) if known else None


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
