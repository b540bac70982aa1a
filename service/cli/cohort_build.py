"""`evenmatch cohort build`: from files, or from what live requests left."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from service.cli.cohort_texts import EncodedTexts, TextOptions, encode_texts
from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    EngineOption,
    IdColumn,
    NumberRows,
    SkipOption,
    TextColumn,
    document_texts,
    end_skipped,
    exit_codes,
    fail,
    running,
    say,
    settings_from,
)
from service.cli.tenant_options import check_tenant
from service.core.bundle import Bundle, read_bundle
from service.core.cohort import CohortPolicy, Posting, References
from service.core.cohort_file import CohortMaking, ReadCohort, check_place, write_cohort
from service.core.cohort_manifest import (
    AS_SERVED,
    CohortRedaction,
    CountedTexts,
    SourceKind,
    warning_text,
)
from service.core.cohort_texts import drawn, without_near_duplicates
from service.core.errors import CohortError, ErrorCollector
from service.core.matching import posting_of
from service.core.redaction.policy import Category
from service.core.tenants import DEFAULT_TENANT
from service.core.vectors import Vectors
from service.logs import log_to_stderr
from service.runtime.cohort_traffic import collected, place_of, purge
from service.settings import Settings

MOST_RESUMES = 1_000
MOST_POSTINGS = 300
LONGEST_DAYS = 3_650
_DEFAULT = CohortPolicy()

PostingsOption = Annotated[
    str | None, typer.Option(help="Postings: a table with one a row, or a folder or archive of documents.")
]
JobIdColumn = Annotated[str | None, typer.Option(help="A table's column with the posting's id.")]
JobTitleColumn = Annotated[str | None, typer.Option(help="That with its title.")]
JobTextColumn = Annotated[str | None, typer.Option(help="That with its text.")]


@dataclass(frozen=True, slots=True)
class _Build:
    """What is to be built and where. `most`: resumes and postings."""

    output: Path
    overwrite: bool
    policy: CohortPolicy
    seed: int
    most: tuple[int, int]
    created: datetime
    expires: datetime | None


def build(
    output: Annotated[Path, typer.Option(help="Folder of the cohort.")],
    resumes: Annotated[
        list[str] | None,
        typer.Option(help="Resumes of the pool: a table, documents, a folder, an archive; may be repeated."),
    ] = None,
    postings: PostingsOption = None,
    from_traffic: Annotated[
        bool, typer.Option("--from-traffic", help="Of what EVENMATCH_COHORT_COLLECT has collected.")
    ] = False,
    tenant: Annotated[str, typer.Option(help="Of whose requests, with --from-traffic.")] = DEFAULT_TENANT,
    most_resumes: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most resumes, drawn by --seed.")
    ] = MOST_RESUMES,
    most_postings: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most postings, drawn by --seed.")
    ] = MOST_POSTINGS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same texts.")] = 0,
    resume_weight: Annotated[
        float, typer.Option(min=0, max=1, help="How much of a resume's own level is taken off.")
    ] = _DEFAULT.resume_weight,
    posting_weight: Annotated[
        float, typer.Option(min=0, max=1, help="How much of a posting's own level is taken off.")
    ] = _DEFAULT.posting_weight,
    top_resumes: Annotated[
        int, typer.Option(min=1, max=1_000, help="Best resumes of a posting that make its level.")
    ] = _DEFAULT.top_resumes,
    top_postings: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000, help="Best postings of a resume that make its level; without it all of them."
        ),
    ] = None,
    coverage: Annotated[
        float,
        typer.Option(
            min=0, max=0.5, help="A posting below this quantile of the cohort's own is scored as without it."
        ),
    ] = _DEFAULT.coverage,
    kept_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="Share of the cohort's own pairs, from the top, whose lowest score stays where it was; "
            "0: scores are not moved as a whole.",
        ),
    ] = _DEFAULT.kept_share or 0.0,
    expires_after: Annotated[
        int | None,
        typer.Option(min=1, max=LONGEST_DAYS, metavar="DAYS", help="After so many days it is refused."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the cohort that is there.")] = False,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    number_rows: NumberRows = False,
    job_id_column: JobIdColumn = None,
    job_title_column: JobTitleColumn = None,
    job_text_column: JobTextColumn = None,
    bundle: BundleOption = None,
    engine: EngineOption = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
) -> None:
    """Encode reference resumes, redacted, and postings, and write their vectors: no text, no id.

    Near-duplicates count once. See docs/cohorts.md.
    """
    settings = settings_from(model={"bundle": bundle, "engine": engine}).without_cohort()
    log_to_stderr("warning")
    if from_traffic and (resumes or postings):
        fail("--from-traffic takes neither --resumes nor --postings", EXIT_USAGE)
    if tenant != DEFAULT_TENANT and not from_traffic:
        fail("--tenant is for --from-traffic", EXIT_USAGE)
    check_tenant(tenant)
    if not from_traffic and not (resumes and postings):
        fail("give --resumes and --postings, or --from-traffic", EXIT_USAGE)
    created = datetime.now(UTC)
    asked = _Build(
        output,
        overwrite,
        CohortPolicy(
            resume_weight=resume_weight,
            posting_weight=posting_weight,
            top_resumes=top_resumes,
            top_postings=top_postings,
            coverage=coverage,
            kept_share=kept_share or None,
        ),
        seed,
        (most_resumes, most_postings),
        created,
        None if expires_after is None else created + timedelta(days=expires_after),
    )
    errors = ErrorCollector()
    with exit_codes():
        check_place(output, overwrite=overwrite)
        if from_traffic:
            made = _of_traffic(settings, asked, tenant)
        else:
            options = TextOptions(
                resumes or [],
                postings or "",
                id_column,
                text_column,
                number_rows,
                job_id_column,
                job_title_column,
                job_text_column,
                encoding,
            )
            made = asyncio.run(_of_files(settings, options, asked, errors, skip=skip_unreadable))
        for kind, counted in (("resumes", made.manifest.resumes), ("postings", made.manifest.postings)):
            say(f"{counted.used:,} {kind}, {_left_out(counted)}")
        say(f"wrote {output}, digest {made.digest}")
        for warning in made.manifest.warnings:
            say(f"warning: {warning_text(made.manifest, warning)}")
        end_skipped(errors)


async def _of_files(
    settings: Settings, options: TextOptions, asked: _Build, errors: ErrorCollector, *, skip: bool
) -> ReadCohort:
    with running(settings) as runtime, document_texts(settings, options.encoding) as texts:
        read = await encode_texts(
            runtime, settings, options, texts, errors=errors, skip=skip, most=asked.most, seed=asked.seed
        )
        judged = [one for one in read.postings if not one.job.is_little]
        little = len(read.postings) - len(judged)
        resumes, of_resumes = _once([one.vectors for one in read.resumes])
        postings, of_postings = _postings_once([posting_of(one.job, one.vectors) for one in judged])
        making = CohortMaking(
            _redaction(runtime.bundle, runtime.matcher.redactor.categories, settings.redaction.entities),
            runtime.info.name,
            runtime.info.precision,
            asked.policy,
            asked.seed,
            _counted(resumes, read, 0, of_resumes),
            _counted([posting.body for posting in postings], read, 1, of_postings, little),
            asked.created,
            asked.expires,
        )
        references = References(resumes, postings)
        return write_cohort(asked.output, runtime.bundle, references, making, overwrite=asked.overwrite)


def _of_traffic(settings: Settings, asked: _Build, tenant: str) -> ReadCohort:
    bundle = read_bundle(settings.model.bundle_path)
    options = settings.redaction
    categories = bundle.manifest.redaction.categories if options.categories is None else options.categories
    place = place_of(settings.store.data_dir, bundle, categories, options.entities, tenant)
    try:
        purge(place.parent, settings.collecting.cohort_days)
        all_resumes = [one.body for one in collected(place, "resume")]
        all_postings = list(collected(place, "posting"))
    except OSError as error:
        raise CohortError(f"{place} cannot be read: {error.strerror}") from None
    if not all_resumes or not all_postings:
        raise CohortError(
            f"{place} holds the vectors of {len(all_resumes):,} resumes and {len(all_postings):,} postings: "
            "serve this bundle with EVENMATCH_COHORT_COLLECT=true for a while"
        )
    chosen = [all_resumes[i] for i in drawn(len(all_resumes), asked.most[0], asked.seed)]
    chosen_postings = [all_postings[i] for i in drawn(len(all_postings), asked.most[1], asked.seed)]
    resumes, of_resumes = _once(chosen)
    postings, of_postings = _postings_once(chosen_postings)
    making = CohortMaking(
        _redaction(bundle, categories, options.entities),
        AS_SERVED,
        AS_SERVED,
        asked.policy,
        asked.seed,
        _count(resumes, len(all_resumes), len(chosen), of_resumes, "traffic"),
        _count(
            [posting.body for posting in postings],
            len(all_postings),
            len(chosen_postings),
            of_postings,
            "traffic",
        ),
        asked.created,
        asked.expires,
    )
    return write_cohort(
        asked.output, bundle, References(resumes, postings), making, overwrite=asked.overwrite
    )


def _redaction(bundle: Bundle, categories: Collection[Category], entities: str | None) -> CohortRedaction:
    version = bundle.manifest.redaction.version
    return CohortRedaction(version=version, categories=tuple(sorted(categories)), entities=entities)


def _once(resumes: Sequence[Vectors]) -> tuple[list[Vectors], int]:
    """Without near-duplicates, and how many those are."""
    kept = without_near_duplicates(resumes)
    return [resumes[i] for i in kept], len(resumes) - len(kept)


def _postings_once(postings: Sequence[Posting]) -> tuple[list[Posting], int]:
    kept = without_near_duplicates([posting.body for posting in postings])
    return [postings[i] for i in kept], len(postings) - len(kept)


def _counted(
    used: Sequence[Vectors], read: EncodedTexts, kind: int, duplicates: int, little: int = 0
) -> CountedTexts:
    source: SourceKind = "table" if read.of_tables[kind] else "documents"
    return _count(used, read.given[kind], read.drawn[kind], duplicates, source, little)


def _count(
    used: Sequence[Vectors], given: int, taken: int, duplicates: int, source: SourceKind, little: int = 0
) -> CountedTexts:
    return CountedTexts(
        used=len(used),
        passages=sum(map(len, used)),
        given=given,
        duplicates=duplicates,
        unreadable=taken - len(used) - duplicates - little,
        little=little,
        not_drawn=given - taken,
        sources={source: given},
    )


def _left_out(counted: CountedTexts) -> str:
    """Why not all of the texts are in the cohort, in words."""
    reasons = {
        "near-duplicates of others": counted.duplicates,
        "unreadable": counted.unreadable,
        "with hardly any text": counted.little,
        "not drawn": counted.not_drawn,
    }
    said = [f"{count:,} {why}" for why, count in reasons.items() if count]
    return f"of {counted.given:,}" + (f" ({', '.join(said)})" if said else "")
