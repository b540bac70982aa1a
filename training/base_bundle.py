"""`evenmatch-train base-bundle`: a base encoder without an adapter, calibrated and thresholded.

It is the honest baseline. Scores are always computed by the bundle as read back from disk: a draft
with a neutral calibration is written and reloaded first, the final one takes its place.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from service.core.base_model import describe
from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration
from service.core.engines.loading import LoadedModel
from service.core.manifest import DecisionRule, Pooling
from service.core.matching import Matcher
from training.bundles.candidate import load_reference, new_manifest, write_draft
from training.bundles.reference_vectors import make_probes
from training.data.pairs import LabelledPair, make_pairs, split_by_sector
from training.data.synthetic.vocabulary import load_occupations
from training.evaluation.resampling import JobResamples
from training.evaluation.scored_pairs import Floats, ScoredPairs
from training.evaluation.scoring import score_pairs
from training.evaluation.utility import decision_figures
from training.model_card import model_card
from training.postprocessing.calibration import CalibrationOptions, fit_calibration
from training.postprocessing.threshold import ThresholdOptions, choose_threshold


@dataclass(frozen=True)
class BaseBundleConfig:
    """Everything that determines a base bundle. The same config gives the same files."""

    base_model: str
    revision: str | None = None
    name: str = "minilm-base"
    version: str = "1.0.0"
    pooling: Pooling | None = None
    job_prefix: str | None = None
    resume_prefix: str | None = None
    seed: int = 20261123
    jobs_each: int = 6
    resumes_each: int = 6
    negatives: int = 3
    bootstrap_rounds: int = 500


def make_base_bundle(config: BaseBundleConfig, output: Path, *, overwrite: bool = False) -> Bundle:
    """Describe the base model, calibrate it on synthetic pairs, choose the threshold, write the bundle.

    Raises `BundleError` if the base model is unusable or `output` exists already.
    """
    base = describe(config.base_model, config.revision, pooling=config.pooling)
    manifest = new_manifest(
        config.name,
        config.version,
        base,
        job_prefix=config.job_prefix,
        resume_prefix=config.resume_prefix,
    )
    probes = make_probes(base, manifest)
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_draft(Path(scratch) / "draft", manifest, probes)
        calibration, rule, metrics = _fit(config, draft, load_reference(draft, base, Path(scratch)))
    parts: dict[str, Any] = {
        "calibration.json": calibration,
        "decision.json": rule,
        "probes.json": probes,
        "metrics.json": metrics,
        "training_config.json": asdict(config),
        "README.md": model_card(config.name, config.version, manifest, calibration, rule, metrics),
    }
    return write_bundle(output, manifest, parts, overwrite=overwrite)


def _fit(
    config: BaseBundleConfig, draft: Bundle, loaded: LoadedModel
) -> tuple[Calibration, DecisionRule, dict[str, Any]]:
    matcher = Matcher(draft, loaded.tokenizer)
    rng = random.Random(config.seed)
    splits = split_by_sector(load_occupations(), rng)

    def pairs_of(occupations: Sequence[Any]) -> list[LabelledPair]:
        return make_pairs(
            occupations,
            jobs_each=config.jobs_each,
            resumes_each=config.resumes_each,
            negatives=config.negatives,
            rng=rng,
        )

    scored = _scored(matcher, loaded, pairs_of(splits.calibration))
    calibration = fit_calibration(scored, CalibrationOptions(methods=("platt",))).calibration

    draws = np.random.default_rng(config.seed)
    scored = _scored(matcher, loaded, pairs_of(splits.threshold))
    choice = choose_threshold(
        scored.probabilities(calibration),
        scored.labels,
        scored.jobs,
        rng=draws,
        options=ThresholdOptions(rounds=config.bootstrap_rounds),
    )
    rule = choice.rule.model_copy(
        update={"constraint": "none: the base bundle is the baseline without any fairness constraint"}
    )

    scored = _scored(matcher, loaded, pairs_of(splits.test))
    metrics: dict[str, Any] = {
        "data": "synthetic pairs; sectors, occupations, jobs and people disjoint between the splits",
        "splits": {
            "calibration": sorted({o.sector for o in splits.calibration}),
            "threshold": sorted({o.sector for o in splits.threshold}),
            "test": sorted({o.sector for o in splits.test}),
        },
    }
    for name, part in (
        ("with_title", scored.take(scored.titled)),
        ("without_title", scored.take(~scored.titled)),
    ):
        metrics[name] = _utility(
            part, part.probabilities(calibration), rule, JobResamples(part, config.bootstrap_rounds, draws)
        )
    return calibration, rule, metrics


def _utility(
    pairs: ScoredPairs, probabilities: Floats, rule: DecisionRule, resamples: JobResamples
) -> dict[str, Any]:
    figures = decision_figures(pairs, pairs.labels, probabilities, resamples, rule.threshold)
    report: dict[str, Any] = {
        "pairs": len(pairs),
        "jobs": pairs.jobs_count,
        "matches": int(pairs.labels.sum()),
    }
    for name in ("roc_auc", "pr_auc", "f1", "selection_rate", "ece"):
        figure = figures[name].model_dump(include={"value", "low", "high"})
        report[name] = {part: value if value is None else round(value, 4) for part, value in figure.items()}
    return report


def _scored(matcher: Matcher, loaded: LoadedModel, pairs: Sequence[LabelledPair]) -> ScoredPairs:
    return ScoredPairs(
        raw_scores=score_pairs(matcher, loaded, pairs),
        labels=np.array([p.label for p in pairs], dtype=np.int64),
        jobs=[p.job_id for p in pairs],
        resumes=[p.resume_id for p in pairs],
        titled=np.array([p.title is not None for p in pairs], dtype=np.bool_),
    )
