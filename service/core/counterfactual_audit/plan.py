"""What an audit scores: the variants of every resume, redacted if asked, each distinct text once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.core.counterfactual.variants import (
    ATTRIBUTES,
    Attribute,
    ResumeVariants,
    Variant,
    VariantOptions,
    make_variants,
)
from service.core.documents import Document
from service.core.errors import AuditOptionsError, CountError, DuplicateIdError, ErrorCollector
from service.core.language import UNDETERMINED, language_of, warnings_of_language
from service.core.matching import Matcher, ReadResume, TokenizedJob, TokenizedResume
from service.core.no_document import check_document
from service.core.redaction.cache import RedactionCache
from service.core.redaction.given import GivenSpan, places_of
from service.core.redaction.policy import CATEGORIES
from service.core.redaction.redactor import Redactor
from service.core.redaction.spans import Span
from service.core.resume_warnings import ResumeWarning
from service.core.text_reader import ReadText

MIN_NAMES, MAX_NAMES = 2, 20
"""Names of each group: one name could stand for anything, and the lists of a split end."""

MAX_CONTROLS = 20
DEFAULT_MAX_TEXTS = 5_000
DEFAULT_MAX_CHARACTERS = 20_000_000

_PART = 8
"""Texts that are redacted before the first are handed on: a resume and its control arm."""


@dataclass(frozen=True, slots=True)
class CounterfactualOptions:
    """`redact`: score as with redaction on, or off. `seed`: the same seed draws the same variants."""

    attributes: tuple[Attribute, ...] = ATTRIBUTES
    names_per_group: int = 5
    controls: int = 6
    redact: bool = True
    seed: int = 0

    def check(self) -> None:
        """Raise `AuditOptionsError`, or one error that holds everything that is wrong."""
        errors = ErrorCollector()
        with errors:
            if not self.attributes:
                raise AuditOptionsError(
                    "attributes is empty: name one at least", field="attributes", limit=1, actual=0
                )
        with errors:
            if len(set(self.attributes)) != len(self.attributes):
                raise AuditOptionsError("attributes names one of them twice", field="attributes")
        with errors:
            if not MIN_NAMES <= self.names_per_group <= MAX_NAMES:
                raise AuditOptionsError(
                    f"names_per_group is {self.names_per_group}; {MIN_NAMES} to {MAX_NAMES} are allowed",
                    field="names_per_group",
                    limit=MAX_NAMES if self.names_per_group > MAX_NAMES else MIN_NAMES,
                    actual=self.names_per_group,
                )
        with errors:
            if not 2 <= self.controls <= MAX_CONTROLS:
                raise AuditOptionsError(
                    f"controls is {self.controls}; 2 to {MAX_CONTROLS} are allowed",
                    field="controls",
                    limit=MAX_CONTROLS if self.controls > MAX_CONTROLS else 2,
                    actual=self.controls,
                )
        with errors:
            if self.seed < 0:
                raise AuditOptionsError(
                    f"seed is {self.seed}; 0 or more is allowed", field="seed", limit=0, actual=self.seed
                )
        errors.raise_any()


@dataclass(frozen=True, slots=True)
class AuditResume:
    """A resume to audit and what the caller calls it. `given`: spans that the caller names in it.

    `found`: what is to be said of the document that it comes from. `source`: what errors call it.
    """

    id: str
    text: str
    given: tuple[GivenSpan, ...] = ()
    found: Mapping[ResumeWarning, int] = field(default_factory=dict)
    source: str = "resume"


@dataclass(frozen=True, slots=True)
class PlannedResume:
    """One resume's variants. `language`, `non_latin_script`, `warnings`: why they may be poor."""

    id: str
    variants: ResumeVariants
    language: str
    non_latin_script: bool
    warnings: tuple[ResumeWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterfactualPlan:
    """`rows`: index into `texts` of every text that variants compare, as it stood before redaction."""

    options: CounterfactualOptions
    job: TokenizedJob
    resumes: list[PlannedResume]
    texts: list[TokenizedResume]
    rows: dict[str, int]

    @property
    def variants(self) -> list[tuple[str, Variant]]:
        """Every variant with its resume's id."""
        return [(resume.id, variant) for resume in self.resumes for variant in resume.variants.variants]


Ready = Callable[[TokenizedJob, list[TokenizedResume]], None]
Pause = Callable[[], None]


def plan_audit(
    matcher: Matcher,
    description: str,
    title: str | None,
    resumes: Sequence[AuditResume],
    options: CounterfactualOptions,
    *,
    max_resumes: int,
    max_characters: int,
    max_texts: int = DEFAULT_MAX_TEXTS,
    max_total: int = DEFAULT_MAX_CHARACTERS,
    ready: Ready = lambda job, texts: None,
    pause: Pause = lambda: None,
) -> CounterfactualPlan:
    """Make, redact, deduplicate and tokenize all variants.

    `ready` is given the texts of the plan, in order and in parts, as soon as they are known: those that
    redaction leaves different come first, so that they can be encoded while the rest is redacted.
    `pause` is called before each step: what has time may wait there, or raise to break off.

    Raises `AuditOptionsError` for options out of range, `CountError` for too many resumes, variants, or
    characters in all variants (`max_total`), with the limit, `DuplicateIdError`, and what `Matcher` raises
    for unusable texts.
    """
    options.check()
    CountError.check(resumes, "resumes", max_resumes)
    errors = ErrorCollector()
    reads: list[ReadText] = []
    seen: dict[str, int] = {}
    with errors:
        job = matcher.tokenize_job(description, title, field="job.description")
    for i, resume in enumerate(resumes):
        pause()
        with errors:
            first = seen.setdefault(resume.id, i)
            if first != i:
                raise DuplicateIdError(
                    f"resumes[{i}].id is that of resumes[{first}]", field=f"resumes[{i}].id"
                )
        with errors:
            check_document(resume.text, f"resumes[{i}].{resume.source}")
            # Redacted once where that can be broken off: what follows is done here, to the same text.
            read = matcher.reader.read(
                resume.text,
                field=f"resumes[{i}].{resume.source}",
                max_characters=max_characters,
                categories=CATEGORIES,
                given=resume.given,
            )
            whole = ReadResume(read.document, None, UNDETERMINED)
            matcher.tokenize_read(whole, field=f"resumes[{i}].{resume.source}")
            reads.append(read)
    errors.raise_any()
    finder = Redactor()  # of all categories: variants need to know where every attribute stands
    made = VariantOptions(options.attributes, options.names_per_group, options.controls, options.seed)
    cache = RedactionCache()
    planned: list[PlannedResume] = []
    distinct: dict[str, Sequence[Span]] = {}  # with the spans that the caller named in each
    characters = 0
    for resume, read in zip(resumes, reads, strict=True):
        pause()
        document = read.document
        variants = make_variants(document.text, made, finder, key=resume.id, cache=cache, given=resume.given)
        language = language_of(document.text)
        findings = read.findings.with_more(resume.found)
        warnings = (*warnings_of_language(language, document.non_latin_script), *findings.warnings)
        planned.append(PlannedResume(resume.id, variants, language, document.non_latin_script, warnings))
        for text, named in _texts_of(variants, resume.given):
            if text not in distinct:
                distinct[text] = named
                characters += len(text)
        if len(distinct) > max_texts:
            raise CountError(
                f"the audit would score more than {max_texts:,} distinct texts, "
                f"{len(planned)} of {len(resumes)} resumes in: "
                "take fewer resumes, attributes or names_per_group",
                field="resumes",
                limit=max_texts,
                actual=len(distinct),
            )
        if characters > max_total:
            raise CountError(
                f"the texts that the audit would score have more than {max_total:,} characters, "
                f"{len(planned)} of {len(resumes)} resumes in: "
                "take fewer or shorter resumes, fewer attributes or names_per_group",
                field="resumes",
                limit=max_total,
                actual=characters,
            )
    texts: list[TokenizedResume] = []
    row_of: dict[str, int] = {}
    rows: dict[str, int] = {}
    handed_on = 0
    for before, after in _as_scored(matcher, options, distinct, cache):
        pause()
        if after not in row_of:
            row_of[after] = len(row_of)
            seen_by_model = ReadResume(Document(after, 1.0), {} if options.redact else None, UNDETERMINED)
            texts.append(matcher.tokenize_read(seen_by_model))
        rows[before] = row_of[after]
        if len(texts) > handed_on and len(rows) % _PART == 0:
            ready(job, texts[handed_on:])
            handed_on = len(texts)
    if len(texts) > handed_on:
        ready(job, texts[handed_on:])
    return CounterfactualPlan(options, job, planned, texts, rows)


def _texts_of(variants: ResumeVariants, given: Sequence[GivenSpan]) -> Iterator[tuple[str, Sequence[Span]]]:
    """Each text that the variants of a resume compare, with the spans that the caller named in it."""
    yield variants.original, places_of(variants.original, given)
    seen = {variants.original}
    for variant in sorted(variants.variants, key=lambda variant: variant.attribute != "control"):
        if variant.reference not in seen:
            seen.add(variant.reference)
            yield variant.reference, places_of(variant.reference, given)
        yield variant.text, variant.named


def _as_scored(
    matcher: Matcher,
    options: CounterfactualOptions,
    texts: Mapping[str, Sequence[Span]],
    cache: RedactionCache,
) -> Iterator[tuple[str, str]]:
    """Each text, and what the model sees of it."""
    if options.redact:
        redacted = matcher.redactor.redact_all(texts, cache, texts)
    elif matcher.keeps_names:
        return zip(texts, texts, strict=True)
    else:  # as `redact: false` is scored, where nobody names spans
        redacted = matcher.redactor.of_names_alone().redact_all(texts, cache)
    return ((before, one.text) for before, one in zip(texts, redacted, strict=True))
