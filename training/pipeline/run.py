"""`evenmatch-train run`: data -> training -> concept erasure -> calibration -> threshold -> evaluation.

Whatever may be interrupted lies in the work folder; the bundle is written in one step at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from transformers import set_seed

from service.core.base_model import BaseModel, describe
from service.core.bundle import Bundle, check_place, write_bundle
from service.core.concept_eraser import ConceptEraser
from service.core.engines.loading import LoadedModel
from service.core.manifest import Manifest
from service.core.matching import Matcher
from service.core.occupations import Occupations
from training.bundles.candidate import load_reference_engine, new_manifest, write_candidate
from training.bundles.card import evaluated_model_card
from training.bundles.occupation_vectors import encoded_occupations
from training.config import RunConfig
from training.data.example import Dataset
from training.evaluation.evaluate import subject_of
from training.evaluation.schema import VariantEvaluation
from training.evaluation.scored_pairs import ScoredPairs
from training.evaluation.scoring import RememberingEngine, score_examples
from training.learning.callbacks import Watcher
from training.learning.epochs import Final
from training.learning.processes import check_data_parallel, part, process_rank
from training.learning.tokenized import PairTokenizer
from training.pipeline.cross_fitting import FoldDecision, cross_fit, evaluate_folds
from training.pipeline.measuring import audit_names, calibrate_and_decide, evaluate_biased, evaluate_test
from training.pipeline.support import check_support
from training.pipeline.training import (
    TrainedAdapter,
    TrainingError,
    chosen_again,
    kept_adapter,
    listed_draws,
    return_freed_memory,
    train_adapter,
)
from training.postprocessing.concept_erasure import fit_concept_eraser
from training.report.html import report_html

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    """Where and how a run works; nothing of it changes what the run makes.

    Attributes:
        work: Folder for checkpoints, candidate bundles and caches.
        resume: Go on from the last checkpoint in `work`, if there is one.
        overwrite: Replace a bundle that stands at the output.
        quiet: No progress bar.
        say: Called with each message.
        watcher: Told of each step and epoch, in place of a progress bar.
    """

    work: Path
    resume: bool = False
    overwrite: bool = False
    quiet: bool = False
    say: Say = print
    watcher: Watcher | None = None


def make_bundle(
    config: RunConfig, output: Path, options: RunOptions, dataset: Dataset | None = None
) -> Bundle | None:
    """Train, measure and write the bundle to `output`; returns it as read back.

    `dataset`: the pairs, where the configuration names no files to read them from.

    Where several processes train together, the first one alone does what follows the training; the others
    return None. Raises `BundleError`, `InputError`, `CalibrationError` or `TrainingError`, each saying what
    is wrong.
    """
    setting = _set_up(config, output, options, dataset)
    folds = setting.of_folds()
    # All models first: other processes are needed for that only. Without losses nothing is learned, and no
    # training text needs to be tokenized.
    trained_folds = [_train(fold) if config.losses.names else None for fold in folds]
    trained = _train(setting) if config.losses.names else None
    part()
    if process_rank():
        return None
    adapter = None if trained is None else trained.folder
    options.say("fitting the concept eraser, calibrating, choosing the threshold")
    eraser = _fit_eraser(setting, adapter)
    made = _Made(adapter, eraser, setting.occupations(adapter, eraser))
    parts = _measure(setting, trained, made, _score_folds(folds, trained_folds))
    return made.write(output, setting.manifest, parts, overwrite=options.overwrite)


def choose_again(work: Path, output: Path, final: Final | None, options: RunOptions) -> Bundle:
    """Make a bundle of another kept epoch of a finished run: everything but the training is done anew.

    `final` None: the run's own choice. Raises what `make_bundle` raises, and `ResumeError` if `work` is not
    of a finished run or the data are not the run's.
    """
    config, record = chosen_again(work, final)
    setting = _set_up(config, output, options)
    trained = kept_adapter(config, setting.dataset, work, record)
    folds = setting.of_folds()
    trained_folds = []
    for fold in folds:
        _, record_of_fold = chosen_again(fold.options.work, final)
        trained_folds.append(kept_adapter(config, fold.dataset, fold.options.work, record_of_fold))
    options.say(f"taking {trained.folder.name}, calibrating, choosing the threshold")
    eraser = _fit_eraser(setting, trained.folder)
    made = _Made(trained.folder, eraser, setting.occupations(trained.folder, eraser))
    parts = _measure(setting, trained, made, _score_folds(folds, trained_folds))
    return made.write(output, setting.manifest, parts, overwrite=options.overwrite)


def measure_again(bundle: Bundle, config: RunConfig, output: Path, options: RunOptions) -> Bundle:
    """A bundle's encoder under another matching policy, calibration or threshold.

    Its adapter and its eraser are taken as they are; `config` says the rest. Raises what `make_bundle`
    raises.
    """
    setting = _set_up(config, output, options)
    wanted, has = setting.manifest, bundle.manifest
    for name in ("base_model", "pooling", "prefixes", "passages"):
        if getattr(wanted, name) != getattr(has, name):
            raise TrainingError(f"the configuration has another `{name}` than the bundle {bundle.path}")
    if setting.cross_fitted:
        raise TrainingError(
            "few jobs are cross-fitted, which trains models: give `folds: 0` to measure again"
        )
    options.say("encoding occupations, calibrating, choosing the threshold")
    made = _Made(bundle.adapter_path, bundle.eraser, setting.occupations(bundle.adapter_path, bundle.eraser))
    parts = _measure(setting, None, made, [])
    kept = ("epoch_metrics.csv", "training_history.json")
    parts |= {name: (bundle.path / name).read_text("utf-8") for name in kept if name in bundle.manifest.files}
    return made.write(output, setting.manifest, parts, overwrite=options.overwrite)


@dataclass(frozen=True)
class _Made:
    """What of a bundle is trained or fitted before it is measured."""

    adapter: Path | None
    eraser: ConceptEraser | None
    occupations: Occupations | None

    def write(self, place: Path, manifest: Manifest, parts: dict[str, Any], *, overwrite: bool) -> Bundle:
        return write_bundle(
            place,
            manifest,
            parts,
            adapter=self.adapter,
            eraser=self.eraser,
            occupations=self.occupations,
            overwrite=overwrite,
        )


@dataclass(frozen=True)
class _Setting:
    """What every step of a run works with."""

    config: RunConfig
    options: RunOptions
    base: BaseModel
    manifest: Manifest
    dataset: Dataset
    cross_fitted: bool = False

    def candidate(
        self,
        name: str,
        adapter: Path | None = None,
        eraser: ConceptEraser | None = None,
        occupations: Occupations | None = None,
    ) -> Bundle:
        """A bundle of what there is so far. Each process has a folder of its own to write and read it in."""
        rank = process_rank()
        folder = self.options.work / (f"candidates-{rank}" if rank else "candidates") / name
        return write_candidate(
            folder, self.manifest, self.base, adapter=adapter, eraser=eraser, occupations=occupations
        )

    def occupations(self, adapter: Path | None, eraser: ConceptEraser | None) -> Occupations | None:
        """Those of the encoder as it will be served; None if the matching policy has none."""
        if self.config.matching.occupations is None:
            return None
        loaded = self.load(self.candidate("encoder", adapter, eraser))
        found = encoded_occupations(loaded)
        loaded.engine.close()
        return found

    def load(self, bundle: Bundle) -> LoadedModel:
        return load_reference_engine(bundle, self.base, self.options.work / "cache")

    def of_folds(self) -> list[_Setting]:
        """For each fold of cross-fitted data, what its own model is made with; its test split is held out."""
        count = len(self.dataset.folds)
        return [
            replace(
                self,
                dataset=Dataset(fold.train, fold.validation, [], [], fold.held_out),
                options=replace(
                    self.options,
                    work=self.options.work / f"fold-{number}",
                    say=_prefixed(self.options.say, f"fold {number} of {count}: "),
                ),
                cross_fitted=True,
            )
            for number, fold in enumerate(self.dataset.folds, 1)
        ]


def _prefixed(say: Say, prefix: str) -> Say:
    return lambda message: say(prefix + message)


def _set_up(config: RunConfig, output: Path, options: RunOptions, dataset: Dataset | None = None) -> _Setting:
    check_data_parallel()
    check_place(output, overwrite=options.overwrite)  # now, not after hours of work
    for folder in (output.parent, options.work):
        _check_writable(folder)
    base = describe(config.base_model.id, config.base_model.revision, pooling=config.base_model.pooling)
    manifest = new_manifest(
        config.name,
        config.version,
        base,
        job_prefix=config.base_model.job_prefix,
        resume_prefix=config.base_model.resume_prefix,
        passages=config.passages,
        matching=config.matching,
    )
    wanted = config.base_model
    if warning := base.found_prefixes.warning(wanted.job_prefix, wanted.resume_prefix):
        options.say(f"note: {warning}")
    return_freed_memory()
    set_seed(config.seed)
    if config.trainer.threads is not None:
        torch.set_num_threads(config.trainer.threads)
    dataset = dataset or config.data.load()
    for warning in dataset.warnings:
        options.say(f"note: {warning}")
    for note in check_support(config, dataset):
        options.say(f"note: {note}")
    return _Setting(config, options, base, manifest, dataset, cross_fitted=bool(dataset.folds))


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written to: {error.strerror}") from None


def _train(setting: _Setting) -> TrainedAdapter:
    options = setting.options
    if setting.cross_fitted:
        options.work.mkdir(parents=True, exist_ok=True)
        # Each model begins with the same weights, whether those before it were trained now or earlier.
        set_seed(setting.config.seed)
    tokenizer = PairTokenizer.of(setting.candidate("untrained"), setting.base)
    return train_adapter(
        setting.config,
        setting.base,
        setting.dataset,
        tokenizer,
        options.work,
        resume=options.resume,
        quiet=options.quiet,
        say=options.say,
        watcher=options.watcher,
    )


def _fit_eraser(setting: _Setting, adapter: Path | None) -> ConceptEraser | None:
    """Fitted on vectors of the encoder as trained; None if the configuration asks for none."""
    config = setting.config
    if config.erasure.method == "none":
        return None
    trained = setting.candidate("trained", adapter)
    tokenizer = PairTokenizer.of(trained, setting.base)
    engine = setting.load(trained).engine
    return fit_concept_eraser(config.erasure, setting.dataset.train, tokenizer, engine, seed=config.seed)


@dataclass(frozen=True)
class _ScoredFold:
    """A fold's model, and the pairs that were held out from it with the scores that it gave them."""

    setting: _Setting
    made: _Made
    pairs: ScoredPairs


def _score_folds(settings: Sequence[_Setting], trained: Sequence[TrainedAdapter | None]) -> list[_ScoredFold]:
    folds = []
    for setting, of_fold in zip(settings, trained, strict=True):
        setting.options.say(f"scoring {len(setting.dataset.test):,} held-out pairs")
        adapter = None if of_fold is None else of_fold.folder
        eraser = _fit_eraser(setting, adapter)
        made = _Made(adapter, eraser, setting.occupations(adapter, eraser))
        candidate = setting.candidate("erased", adapter, eraser, made.occupations)
        loaded = setting.load(candidate)
        pairs = score_examples(Matcher(candidate, loaded.tokenizer), loaded, setting.dataset.test)
        loaded.engine.close()
        folds.append(_ScoredFold(setting, made, pairs))
    return folds


def _audit_fold(fold: _ScoredFold, decision: FoldDecision) -> list[VariantEvaluation]:
    """The audit of some of a fold's held-out resumes under other names, by the fold's own model."""
    setting = fold.setting
    made = fold.made
    candidate = setting.candidate("erased", made.adapter, made.eraser, made.occupations)
    decision_parts = {
        "calibration.json": decision.calibration,
        "decision.json": decision.rule,
        "probes.json": candidate.reference_vectors,
    }
    decided = made.write(
        candidate.path.with_name("decided"), setting.manifest, decision_parts, overwrite=True
    )
    loaded = setting.load(decided)
    audits = audit_names(setting.config, decided, loaded, setting.dataset.test)
    loaded.engine.close()
    return audits


def _measure(
    setting: _Setting,
    trained: TrainedAdapter | None,
    made: _Made,
    folds: Sequence[_ScoredFold],
) -> dict[str, Any]:
    """Calibrate, choose the threshold and evaluate: the bundle's files beside what was `made` before."""
    config, say, dataset = setting.config, setting.options.say, setting.dataset
    candidate = setting.candidate("erased", made.adapter, made.eraser, made.occupations)
    loaded = setting.load(candidate)
    # The splits and their variants share most of their passages.
    loaded = replace(loaded, engine=RememberingEngine(loaded.engine))
    cross_fitted = cross_fit(config, [fold.pairs for fold in folds]) if folds else None
    calibration, rule, notes = (
        calibrate_and_decide(config, candidate, loaded, dataset)
        if cross_fitted is None
        else (cross_fitted.calibration, cross_fitted.rule, cross_fitted.notes)
    )
    notes = (*notes, *(() if trained is None else trained.notes))
    for note in notes:
        say(f"note: {note}")
    parts: dict[str, Any] = {
        "calibration.json": calibration,
        "decision.json": rule,
        "probes.json": candidate.reference_vectors,
    }
    # Read back with its threshold, so that what is evaluated decides as the final bundle will.
    decided = made.write(candidate.path.with_name("decided"), setting.manifest, parts, overwrite=True)
    if cross_fitted is None:
        say("evaluating on the test split")
        evaluation = evaluate_test(config, decided, loaded, dataset.test)
    else:
        say("evaluating on the held-out pairs of all folds")
        if not config.evaluation.redact:
            notes = (*notes, "evaluation.redact is false, but held-out pairs are scored once: as redacted")
        subject = subject_of(decided, loaded, redact=True)
        evaluation = evaluate_folds(config, cross_fitted, subject)
        if config.evaluation.audited:
            audits = _audit_fold(folds[0], cross_fitted.decisions[0])
            note = "The audits are of the first fold's model, on resumes that it had not seen."
            evaluation = evaluation.model_copy(
                update={"audits": audits, "notes": [*evaluation.notes, note] if audits else evaluation.notes}
            )
    evaluation = evaluation.model_copy(update={"notes": [*evaluation.notes, *notes, *dataset.warnings]})
    parts |= {
        "metrics.json": evaluation,
        "training_config.json": config,
        "fairness_report.html": report_html(evaluation),
        "README.md": evaluated_model_card(
            decided.manifest, calibration, evaluation, training=_training_note(config, trained, made)
        ),
    }
    if trained is not None:
        parts["epoch_metrics.csv"] = trained.history.as_csv()
        parts["training_history.json"] = trained.history.as_json()
    if config.data.synthetic is not None:
        say("evaluating on biased data")
        parts["metrics_biased.json"] = evaluate_biased(config, decided, loaded)
    return parts


def _training_note(config: RunConfig, trained: TrainedAdapter | None, made: _Made) -> str:
    """What the model card says about the training."""
    repeat = "Repeat it with `evenmatch-train run --config` and `training_config.json`."
    if trained is None and made.adapter is not None:
        return f"As in `training_history.json`; matching, calibration and threshold were made anew. {repeat}"
    if trained is None:
        return f"None: the base model as it is; erasure: {config.erasure.method}. {repeat}"
    share, on, epochs = config.trainer.kept_share, trained.on, len(trained.history.rows)
    kept = "" if share == 1 else f"{share:.0%} of the update kept, "
    length = f"{epochs} epoch{'s'[: epochs - 1]} in {on.seconds / 60:.0f} minutes"
    whole = config.adapter.attention_layers
    attention = f" and whole attention of the last {whole} layer{'s'[: whole - 1]}" if whole else ""
    balanced = f"; draws an epoch: {listed_draws(on.draws)}" if on.draws else ""
    method = config.sampling.reweighing.method
    weighed = "" if method == "none" else f"pairs weighed by group and label ({method}), "
    return (
        f"LoRA of rank {config.adapter.r}{attention} on {on.pairs:,} {config.data.pairs_are} ({on.drawn:,} "
        f"an epoch{balanced}) of {on.jobs:,} jobs and {on.resumes:,} resumes, {length}, {kept}{weighed}"
        f"losses: {', '.join(config.losses.names)}; erasure: {config.erasure.method}. {repeat}"
    )
