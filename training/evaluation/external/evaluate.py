"""Bundles on a labelled set from elsewhere, end to end: checks, scores, baselines, figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from service.core.bundle import Bundle, read_bundle
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from training.data.example import DataError
from training.evaluation.evaluate import subject_of
from training.evaluation.external import checks
from training.evaluation.external.details import by_category, by_group, error_list
from training.evaluation.external.given_table import Findings
from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.lexical import bm25_scores, tfidf_scores
from training.evaluation.external.operating_point import operating_point, threshold_at_precision
from training.evaluation.external.probabilities import calibration_report
from training.evaluation.external.ranking import RankingSamples, ranking_samples
from training.evaluation.external.resampling import TwoWayResamples
from training.evaluation.external.schema import (
    ExternalData,
    ExternalEvaluation,
    OperatingPoint,
    SystemReport,
)
from training.evaluation.external.systems import (
    Progress,
    ReadSet,
    SystemScores,
    TokenizedSet,
    is_plain,
    one_vector_scores,
    postings_of,
    score_with_bundle,
    seconds_a_token,
    tokenize,
)
from training.evaluation.schema import Subject

Load = Callable[[Bundle], LoadedModel]


@dataclass(frozen=True)
class ExternalOptions:
    """What is measured.

    `precision`: that the thresholds of `at_precision` reach. `errors`: of each kind. `minimum`: pairs of a
    group that is compared. `drop_repeats`: count texts of resumes once. `baselines`: score them, too.
    `trained_on`: a table of the texts that a bundle was trained on, to look for these among them.
    Raises `DataError` for a precision or number that is none.
    """

    redact: bool = True
    rounds: int = 500
    seed: int = 0
    precision: float = 0.75
    errors: int = 30
    minimum: int = 30
    drop_repeats: bool = False
    baselines: bool = True
    trained_on: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.precision <= 1:
            raise DataError(
                f"precision is {self.precision:g}; it must be above 0 and at most 1", field="precision"
            )
        for name in ("rounds", "errors"):
            if getattr(self, name) < 0:
                raise DataError(f"{name} is {getattr(self, name)}; 0 is the least", field=name)


@dataclass(frozen=True)
class Outcome:
    """What was found, on which set (less what could not be read), and how the first bundle scored it."""

    evaluation: ExternalEvaluation
    data: LabelledSet
    first: SystemScores


@dataclass
class _Told:
    """What is told as it is found, and stands in the report."""

    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.say(text)


@dataclass(frozen=True)
class _Loaded:
    bundle: Bundle
    model: LoadedModel
    matcher: Matcher
    name: str
    subject: Subject


def evaluate_external(
    paths: Sequence[Path],
    data: LabelledSet,
    findings: Findings,
    *,
    sources: tuple[str, str],
    load: Load,
    load_base: Load,
    options: ExternalOptions,
    say: Callable[[str], None],
    progress: Progress,
) -> Outcome:
    """Everything that `ExternalEvaluation` holds, of one bundle or more; baselines are of the first one.

    Args:
        paths: the bundles' folders.
        data: the set.
        findings: what reading the set found; it is said first.
        sources: what resumes and postings were read from, for the report.
        load: makes a bundle's engine.
        load_base: makes an engine of a bundle's base model alone.
        options: what is measured.
        say: told each note as it is found, all that can be known before anything is encoded.
        progress: told how far the work is.

    Raises `DataError` for one class only and if nothing can be read, `BundleError`.
    """
    told = _Told(say)
    for line in (*findings.notes, *findings.said_of_faults):
        told.note(line)
    checks.check_classes(data)
    if options.drop_repeats:
        data, dropped = data.with_texts_once()
        if dropped:
            told.note(f"{dropped:,} resumes with the text of another one were dropped")
            checks.check_classes(data)
    bundles = [read_bundle(path) for path in paths]
    if not bundles:
        raise DataError("no bundle to evaluate", field="bundles")
    for note in checks.repeat_notes(data):
        told.note(note)
    for bundle in bundles:
        told.note(checks.trained_on_note(bundle))
    if options.trained_on is not None:
        told.note(checks.shared_note(data, options.trained_on))
    with ExitStack() as stack:
        loaded = [
            stack.enter_context(_loaded(bundle, load, options.redact, name))
            for bundle, name in zip(bundles, _names(bundles), strict=True)
        ]
        return _evaluate(loaded, data, findings, sources, load_base, options, told, progress)


def _evaluate(
    loaded: Sequence[_Loaded],
    data: LabelledSet,
    findings: Findings,
    sources: tuple[str, str],
    load_base: Load,
    options: ExternalOptions,
    told: _Told,
    progress: Progress,
) -> Outcome:
    tokenized = [tokenize(of.matcher, data, redact=options.redact, progress=progress) for of in loaded]
    note = checks.repeating_note(data, tokenized[0].repeating)
    if note is not None:
        told.note(note)
    data, read, unreadable = _readable(data, tokenized, told)
    checks.check_classes(data)
    for note in checks.size_notes(data):
        told.note(note)
    _say_how_long(loaded, read, options, told)
    systems = []
    for of, texts in zip(loaded, read, strict=True):
        systems.append(score_with_bundle(of.matcher, of.model, texts, data, of.name, progress))
    if options.baselines:
        systems += _baselines(loaded[0], read[0], data, load_base, told, progress)
    resamples = TwoWayResamples(data, options.rounds, np.random.default_rng(options.seed))
    reports: list[SystemReport] = []
    first: RankingSamples | None = None
    for number, system in enumerate(systems):
        progress("measuring", number, len(systems))
        ranking = ranking_samples(system.scores, resamples, options.precision)
        subject = loaded[number].subject if number < len(loaded) else None
        reports.append(_report(system, subject, ranking, first, resamples, options, loaded[: number + 1]))
        first = first or ranking
    progress("measuring", len(systems), len(systems))
    evaluation = ExternalEvaluation(
        data=ExternalData(
            resumes_from=sources[0],
            postings_from=sources[1],
            every_pair=data.every_pair,
            pairs=len(data),
            matches=int(data.labels.sum()),
            resumes=len(data.resumes),
            postings=len(data.postings),
            postings_with_matches=int((data.matches_of_postings > 0).sum()),
            unreadable=len(findings.faults) + unreadable,
            digest=data.digest,
        ),
        redact=options.redact,
        rounds=options.rounds,
        seed=options.seed,
        precision=options.precision,
        minimum=options.minimum,
        systems=reports,
        notes=told.notes,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        evenmatch=metadata.version("evenmatch"),
    )
    return Outcome(evaluation, data, systems[0])


@contextmanager
def _loaded(bundle: Bundle, load: Load, redact: bool, name: str) -> Iterator[_Loaded]:
    model = load(bundle)
    try:
        matcher = Matcher(bundle, model.tokenizer, keeps_names=True)
        yield _Loaded(bundle, model, matcher, name, subject_of(bundle, model, redact=redact))
    finally:
        model.engine.close()


def _names(bundles: Sequence[Bundle]) -> list[str]:
    """What the bundles are called, told apart by their digests where they have one name and version."""
    names = [f"{bundle.manifest.name} {bundle.manifest.version}" for bundle in bundles]
    return [
        f"{name} ({bundle.digest[:8]})" if names.count(name) > 1 else name
        for name, bundle in zip(names, bundles, strict=True)
    ]


def _readable(
    data: LabelledSet, tokenized: Sequence[TokenizedSet], told: _Told
) -> tuple[LabelledSet, list[ReadSet], int]:
    """The set less what some bundle cannot read, the tokens of the rest, and how many documents went."""
    resumes = {number: why for of in tokenized for number, why in of.unreadable_resumes.items()}
    postings = {number: why for of in tokenized for number, why in of.unreadable_postings.items()}
    if resumes or postings:
        found = Findings(
            faults=[f"{data.resumes[i].place}: {why}" for i, why in sorted(resumes.items())]
            + [f"{data.postings[i].place}: {why}" for i, why in sorted(postings.items())]
        )
        for line in found.said_of_faults:
            told.note(line)
    numbers = {id(document): i for i, document in enumerate((*data.postings, *data.resumes))}
    kept = data.without(resumes, postings) if resumes or postings else data
    first = len(data.postings)
    read = [
        ReadSet(
            [job for d in kept.postings if (job := of.jobs[numbers[id(d)]]) is not None],
            [resume for d in kept.resumes if (resume := of.resumes[numbers[id(d)] - first]) is not None],
        )
        for of in tokenized
    ]
    return kept, read, len(resumes) + len(postings)


def _say_how_long(
    loaded: Sequence[_Loaded], read: Sequence[ReadSet], options: ExternalOptions, told: _Told
) -> None:
    tokens = sum(texts.tokens for texts in read)
    if options.baselines:
        whole = len(read[0].jobs) + len(read[0].resumes)
        tokens += read[0].tokens * (not is_plain(loaded[0].bundle))
        tokens += whole * loaded[0].bundle.manifest.max_tokens
    seconds = tokens * seconds_a_token(loaded[0].model, read[0].sample())
    minutes = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{max(1, round(seconds))} s"
    info = loaded[0].model.engine.info
    told.say(f"encodes {tokens:,} tokens, about {minutes} on this machine ({info.name}, {info.precision})")


def _baselines(
    of: _Loaded, read: ReadSet, data: LabelledSet, load_base: Load, told: _Told, progress: Progress
) -> list[SystemScores]:
    """The base model under the bundle's scoring, one vector a document, BM25 and TF-IDF."""
    systems = []
    postings = postings_of(of.matcher, data)
    with ExitStack() as stack:
        if is_plain(of.bundle):
            base = of.model
            told.note(f"{of.name} is its base model: no baseline of that with the same scoring")
        else:
            base = load_base(of.bundle)
            stack.callback(base.engine.close)
            same = score_with_bundle(of.matcher, base, read, data, "base model, same scoring", progress)
            systems.append(
                SystemScores(
                    same.name,
                    "baseline",
                    f"{of.bundle.manifest.base_model.id} without what {of.name} adds, scored as it scores",
                    same.scores,
                )
            )
        systems.append(
            SystemScores(
                "one vector a document",
                "baseline",
                f"cosine of {of.bundle.manifest.base_model.id}, texts cut off at "
                f"{of.bundle.manifest.max_tokens} tokens, the title before the posting",
                one_vector_scores(base, postings, read, data, progress),
            )
        )
    words = [document.text for document in postings]
    for name, score, description in (
        (
            "BM25",
            bm25_scores,
            "k1 = 1.5, b = 0.75, idf of these resumes and postings, per word of the posting",
        ),
        ("TF-IDF", tfidf_scores, "cosine, idf of these resumes and postings"),
    ):
        try:
            texts = (resume.document.text for resume in read.resumes)
            scores = score(words, texts, data.pair_postings, data.pair_resumes)
        except DataError as error:
            told.note(f"no {name}: {error.message}")
            continue
        systems.append(SystemScores(name, "baseline", description, scores))
    return systems


def _report(
    system: SystemScores,
    subject: Subject | None,
    ranking: RankingSamples,
    first: RankingSamples | None,
    resamples: TwoWayResamples,
    options: ExternalOptions,
    loaded: Sequence[_Loaded],
) -> SystemReport:
    report = SystemReport(
        name=system.name,
        kind=system.kind,
        description=system.description,
        subject=subject,
        ranking=ranking.figures(resamples),
        differences={} if first is None else ranking.less(first, resamples),
        at_precision=_at_precision(system, resamples, options.precision),
    )
    if system.selected is None or system.probabilities is None or subject is None:
        return report
    shipped_for = loaded[-1].bundle.calibration.prevalence
    return report.model_copy(
        update={
            "at_threshold": operating_point(
                subject.threshold, "calibrated_probability", system.selected, resamples
            ),
            "calibration": calibration_report(system.probabilities, shipped_for, resamples),
            "categories": by_category(system, resamples),
            "errors": error_list(system, resamples.data, options.errors),
            "groups": by_group(system, resamples, options.minimum),
        }
    )


def _at_precision(
    system: SystemScores, resamples: TwoWayResamples, precision: float
) -> OperatingPoint | None:
    threshold = threshold_at_precision(system.decided_on, resamples.data.labels, precision)
    if threshold is None:
        return None
    return operating_point(
        threshold,
        "score" if system.probabilities is None else "calibrated_probability",
        system.decided_on >= threshold,
        resamples,
    )
