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
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.engines.torch_engine import available_device
from service.core.manifest import Calibration, DecisionRule, Manifest, Pooling, Prefixes
from service.core.matching import Matcher
from service.core.redaction.policy import RedactionPolicy
from service.core.scoring import CalibrationCurve
from service.core.tokenization import TokenIds
from training.calibrate import Floats, Labels, choose_threshold, fit_platt
from training.data.pairs import LabelledPair, make_pairs, split_by_sector
from training.data.vocabulary import load_occupations
from training.evaluate import utility
from training.model_card import model_card
from training.probes import make_probes


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


def score_pairs(matcher: Matcher, loaded: LoadedModel, pairs: Sequence[LabelledPair]) -> Floats:
    """raw_score of every pair, (N,); each job and resume is encoded once."""
    jobs = {(p.job_id, p.title): matcher.tokenize_job(p.description, p.title) for p in pairs}
    resumes = {p.resume_id: matcher.tokenize_resume(p.resume) for p in pairs}
    texts: list[TokenIds] = [ids for job in jobs.values() for ids in job.texts]
    texts += [ids for resume in resumes.values() for ids in resume.texts]
    unique = list(dict.fromkeys(texts))
    row = {ids: i for i, ids in enumerate(unique)}
    vectors = loaded.engine.embed(unique)
    return np.array(
        [
            matcher.match(
                jobs[p.job_id, p.title],
                vectors[[row[ids] for ids in jobs[p.job_id, p.title].texts]],
                vectors[[row[ids] for ids in resumes[p.resume_id].texts]],
            ).raw_score
            for p in pairs
        ]
    )


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

    calibration_pairs = pairs_of(splits.calibration)
    raw, labels, titled = _scored(matcher, loaded, calibration_pairs)
    calibration = Calibration(
        with_title=fit_platt(raw[titled], labels[titled]),
        without_title=fit_platt(raw[~titled], labels[~titled]),
        pairs=len(labels),
        prevalence=round(float(labels.mean()), 6),
    )

    draws = np.random.default_rng(config.seed)
    threshold_pairs = pairs_of(splits.threshold)
    raw, labels, titled = _scored(matcher, loaded, threshold_pairs)
    jobs = [p.job_id for p in threshold_pairs]
    rule = choose_threshold(
        _probabilities(calibration, raw, titled), labels, jobs, rounds=config.bootstrap_rounds, rng=draws
    )

    test_pairs = pairs_of(splits.test)
    raw, labels, titled = _scored(matcher, loaded, test_pairs)
    probabilities = _probabilities(calibration, raw, titled)
    metrics: dict[str, Any] = {
        "data": "synthetic pairs; sectors, occupations, jobs and people disjoint between the splits",
        "splits": {
            "calibration": sorted({o.sector for o in splits.calibration}),
            "threshold": sorted({o.sector for o in splits.threshold}),
            "test": sorted({o.sector for o in splits.test}),
        },
    }
    for name, rows in (("with_title", titled), ("without_title", ~titled)):
        metrics[name] = utility(
            raw[rows],
            probabilities[rows],
            labels[rows],
            [p.job_id for p, kept in zip(test_pairs, rows, strict=True) if kept],
            threshold=rule.threshold,
            rounds=config.bootstrap_rounds,
            rng=draws,
        )
    return calibration, rule, metrics


def _scored(
    matcher: Matcher, loaded: LoadedModel, pairs: Sequence[LabelledPair]
) -> tuple[Floats, Labels, np.ndarray[Any, np.dtype[np.bool_]]]:
    labels = np.array([p.label for p in pairs], dtype=np.int64)
    titled = np.array([p.title is not None for p in pairs])
    return score_pairs(matcher, loaded, pairs), labels, titled


def _probabilities(
    calibration: Calibration, raw: Floats, titled: np.ndarray[Any, np.dtype[np.bool_]]
) -> Floats:
    return np.array(
        [
            (calibration.with_title if has_title else calibration.without_title).probability(float(score))
            for score, has_title in zip(raw, titled, strict=True)
        ]
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
    curve = CalibrationCurve(slope=1.0, intercept=0.0)
    return Calibration(with_title=curve, without_title=curve, pairs=2, prevalence=0.5)
