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

from service.core.base_model import BaseModel, describe
from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration, PlattCurve
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.engines.torch_engine import available_device
from service.core.manifest import DecisionRule, Manifest, Pooling, Prefixes
from service.core.matching import Matcher
from service.core.redaction.policy import RedactionPolicy
from training.calibrate import CalibrationOptions, fit_calibration
from training.data.pairs import LabelledPair, make_pairs, split_by_sector
from training.data.vocabulary import load_occupations
from training.evaluation.resampling import JobResamples
from training.evaluation.utility import decision_figures
from training.model_card import model_card
from training.probes import make_probes
from training.scored_pairs import Floats, ScoredPairs
from training.scoring import score_pairs
from training.threshold import ThresholdOptions, choose_threshold


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
    manifest = _manifest(config, base)
    probes = make_probes(base, manifest)
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_bundle(
            Path(scratch) / "draft",
            manifest,
            {
                "calibration.json": _neutral_calibration(),
                "decision.json": DecisionRule(
                    threshold=0.5, borderline=(0.5, 0.5), rule="draft", constraint="none"
                ),
                "probes.json": probes,
            },
        )
        device = available_device()
        options = EngineOptions(
            "torch", device, threads=2, cache=Path(scratch), precision="f32", base_model=str(base.folder)
        )
        calibration, rule, metrics = _fit(config, draft, load_model(draft, options))
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


def _manifest(config: BaseBundleConfig, base: BaseModel) -> Manifest:
    prefixes = Prefixes(
        job=base.prefixes.job if config.job_prefix is None else config.job_prefix,
        resume=base.prefixes.resume if config.resume_prefix is None else config.resume_prefix,
    )
    return Manifest(
        name=config.name,
        version=config.version,
        base_model=base.spec,
        pooling=base.pooling,
        prefixes=prefixes,
        max_tokens=base.max_tokens,
        redaction=RedactionPolicy(),
        files={},
    )


def _neutral_calibration() -> Calibration:
    curve = PlattCurve(slope=1.0, intercept=0.0)
    return Calibration(with_title=curve, without_title=curve, pairs=2, prevalence=0.5)
