"""Annotated resumes -> a `RedactionReport`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata

import numpy as np

from service.core.engines.loading import LoadedModel
from service.core.errors import InputError
from service.core.groups import UNKNOWN
from service.core.matching import Matcher
from service.core.redaction.policy import CATEGORIES, POLICY_VERSION, Category
from service.core.redaction.redactor import Redactor
from training.data.example import DataFormatError
from training.data.explore import rate
from training.evaluation.decision_effect import draws_of
from training.evaluation.redaction.annotated import AnnotatedResume, Half, half_of
from training.evaluation.redaction.decisions import Posting, decide
from training.evaluation.redaction.labels import LabelTable
from training.evaluation.redaction.measuring import ClueFound, MeasuredResume, Miss, measure
from training.evaluation.redaction.name_groups import Grouping, group_of
from training.evaluation.redaction.schema import (
    AnnotatedData,
    CategoryPrecision,
    CategoryRecall,
    GroupedRecall,
    LabelUse,
    NameGroup,
    RedactionReport,
    WordsLost,
)
from training.evaluation.resampling import estimate, ratio
from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Floats


@dataclass(frozen=True)
class ReportOptions:
    """How annotated resumes are measured.

    Attributes:
        table: What labels mean.
        half: Measure this half of the resumes only, by a hash of their ids with `seed`.
        groupings: Of names.
        minimum: Names that a group's share must stand on to be compared.
        rounds: Of the bootstrap over resumes.
        entities: Name of the named-entity model that the redactor has beside its rules, for the record.
    """

    table: LabelTable = field(default_factory=LabelTable.with_options)
    half: Half | None = None
    groupings: tuple[Grouping, ...] = ("given_name", "surname", "form")
    minimum: int = 30
    rounds: int = 500
    seed: int = 0
    entities: str | None = None


@dataclass(frozen=True)
class Scoring:
    """What decisions are compared with."""

    matcher: Matcher
    loaded: LoadedModel
    postings: Sequence[Posting]


def redaction_report(
    resumes: Sequence[AnnotatedResume],
    redactor: Redactor,
    *,
    source: str,
    options: ReportOptions | None = None,
    scoring: Scoring | None = None,
) -> tuple[RedactionReport, list[Miss]]:
    """The report, and private examples of what was left and lost, which hold text.

    `source` says in words what the resumes are. Raises `DataFormatError` if the half holds no resume, or none
    that can be read, and what `decide` raises.
    """
    options = options or ReportOptions()
    chosen = list(resumes) if options.half is None else half_of(resumes, options.half, options.seed)
    if not chosen:
        raise DataFormatError(f"the {options.half} half holds no resume")
    redactor.redact("Jane Doe")  # word lists are read at the first text, which is not to be timed
    measured: list[MeasuredResume] = []
    for resume in chosen:
        try:
            measured.append(measure(resume, redactor, options.table))
        except InputError:
            continue
    if not measured:
        raise DataFormatError("none of the resumes can be read")
    rng = np.random.default_rng(options.seed)
    labels = Counter(span.label for resume in chosen for span in resume.spans)
    uses = [
        LabelUse(
            label=label, use=options.table.use_of(label), category=options.table.category_of(label), spans=n
        )
        for label, n in sorted(labels.items())
    ]
    annotated = frozenset(use.category for use in uses if use.category is not None)
    pool = _Pool(measured, draws_of(len(measured), options.rounds, rng))
    times = [resume.ms for resume in measured]
    report = RedactionReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        evenmatch=metadata.version("evenmatch"),
        policy_version=POLICY_VERSION,
        entities=options.entities,
        data=AnnotatedData(
            source=source,
            half=options.half,
            seed=options.seed,
            resumes=len(measured),
            unreadable=len(chosen) - len(measured),
            spans=sum(len(resume.spans) for resume in chosen),
            vanished=sum(resume.vanished for resume in measured),
            labels=uses,
            digest=_digest(chosen),
        ),
        rounds=options.rounds,
        minimum=options.minimum,
        recall={c: pool.recall(c) for c in CATEGORIES if c in annotated},
        groups=[_grouped(measured, grouping, options.minimum) for grouping in options.groupings],
        precision={
            c: pool.precision(c, known=c in annotated)
            for c in CATEGORIES
            if any(c in resume.redacted.counts for resume in measured)
        },
        words_lost=pool.words_lost(options.table),
        median_ms=round(float(np.median(times)), 3),
        p95_ms=round(float(np.quantile(times, 0.95)), 3),
        warnings=dict(Counter(code for resume in measured for code in resume.warnings)),
        decisions=None
        if scoring is None
        else decide(
            scoring.matcher,
            scoring.loaded,
            measured,
            scoring.postings,
            annotated,
            rounds=options.rounds,
            rng=rng,
        ),
        notes=_notes(uses, len(measured)),
    )
    return report, [miss for resume in measured for miss in resume.misses]


@dataclass(frozen=True, slots=True)
class _Pool:
    """Sums over resumes, resample by resample. `draws` (1 + rounds, R)."""

    resumes: Sequence[MeasuredResume]
    draws: Floats

    def recall(self, category: Category) -> CategoryRecall:
        def of(count: Callable[[list[ClueFound]], tuple[int, int]]) -> Estimate:
            return self._share(
                lambda resume: count([clue for clue in resume.found if clue.category == category]),
                "no span of this category can be read",
            )

        return CategoryRecall(
            whole=of(lambda clues: (sum(c.whole for c in clues), len(clues))),
            characters=of(lambda clues: (sum(c.hidden for c in clues), sum(c.characters for c in clues))),
            as_category=of(lambda clues: (sum(c.whole and c.touched for c in clues), len(clues))),
        )

    def precision(self, category: Category, *, known: bool) -> CategoryPrecision:
        def right(resume: MeasuredResume) -> tuple[int, int]:
            return resume.touching[category], resume.redacted.counts.get(category, 0)

        share = self._share(right, "nothing was hidden as this category")
        return CategoryPrecision(spans=share.n, share=share if known else None)

    def words_lost(self, table: LabelTable) -> WordsLost:
        labels = sorted({label for resume in self.resumes for label in resume.words})

        def lost(*of: str) -> Estimate:
            return self._share(
                lambda resume: (
                    sum(resume.lost[label] for label in of),
                    sum(resume.words[label] for label in of),
                ),
                "no words of such a label are in the data",
            )

        taken: Counter[Category] = Counter()
        for resume in self.resumes:
            taken.update(resume.taken)
        return WordsLost(
            work=lost(*filter(table.is_work, labels)),
            share=lost(*labels),
            by_label={label: lost(label) for label in labels},
            by_category={category: taken[category] for category in CATEGORIES if taken[category]},
        )

    def _share(self, count: Callable[[MeasuredResume], tuple[int, int]], reason: str) -> Estimate:
        """Of what `count` gives as (those that are so, all) of each resume; `n` counts all."""
        counts = np.array([count(resume) for resume in self.resumes], dtype=np.float64)  # (R, 2)
        sums = self.draws @ counts
        return estimate(ratio(sums[:, 0], sums[:, 1]), int(counts[:, 1].sum()), reason)


def _grouped(resumes: Iterable[MeasuredResume], grouping: Grouping, minimum: int) -> GroupedRecall:
    hidden: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for resume in resumes:
        for clue in resume.found:
            if clue.category == "name":
                group = group_of(clue.text, grouping)
                all_of[group] += 1
                hidden[group] += clue.whole
    groups = []
    for group, n in sorted(all_of.items()):
        share = rate(hidden[group], n)
        assert share.share is not None
        assert share.low is not None
        assert share.high is not None
        groups.append(
            NameGroup(
                group=group,
                n=n,
                hidden=hidden[group],
                share=round(share.share, 6),
                low=round(share.low, 6),
                high=round(share.high, 6),
                compared=n >= minimum and group != UNKNOWN,
            )
        )
    shares = [g.share for g in groups if g.compared]
    return GroupedRecall(
        grouping=grouping,
        groups=groups,
        difference=round(max(shares) - min(shares), 6) if len(shares) > 1 else None,
    )


def _digest(resumes: Sequence[AnnotatedResume]) -> str:
    rows = [(r.id, r.text, [(s.label, s.start, s.end) for s in r.spans]) for r in resumes]
    return hashlib.sha256(repr(rows).encode(errors="surrogatepass")).hexdigest()


def _notes(uses: Sequence[LabelUse], resumes: int) -> list[str]:
    notes = []
    unknown = [use.label for use in uses if use.use == "unknown"]
    if unknown:
        notes.append(
            f"Labels that say nothing to this report and were left out: {', '.join(unknown)}. "
            "Name them with --label, --keep or --ignore."
        )
    if resumes < 2:
        notes.append("One resume only: no intervals, since they are drawn over resumes.")
    return notes
