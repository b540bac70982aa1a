"""`evenmatch log`: verify, anchor, migrate, erase from, purge and export the decision log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import (
    EXIT_BROKEN_LOG,
    EXIT_UNUSABLE_MODEL,
    EXIT_USAGE,
    exit_codes,
    fail,
    say,
    settings_from,
)
from service.cli.data import opened, tell_left
from service.cli.given_ids import CandidateOption, candidate_id_of
from service.cli.tenant_options import AllTenants, TenantOption, asked_tenant, check_tenant
from service.core.errors import DatabaseDamagedError, StoreError
from service.core.printable import one_line
from service.files.decision_export import EXPORT_SUFFIXES, export_decisions
from service.jobs.personal_data import Left, Person, erase_everywhere
from service.logs import log_to_stderr
from service.settings import Settings
from service.store.log import DecisionLog
from service.store.retention import MAX_DAYS, SIX_MONTHS_DAYS
from service.store.retention import purge as purge_old
from service.store.score_index import build_score_indexes
from service.store.spool import damaged_files, spooled_lines
from service.store.sqlite import rescued_copies
from service.store.verification import Verification, read_anchors
from service.store.verification import verify as verify_log

log = typer.Typer(
    no_args_is_help=True, help="Verify, anchor, migrate, erase from, purge and export the decision log."
)


@log.command()
def verify(
    anchor: Annotated[
        Path | None, typer.Option(help="Records of `evenmatch log head`, one a line, kept elsewhere.")
    ] = None,
) -> None:
    """Find edited, deleted, inserted and moved rows. Exits with 4 if there are any; names none of the people.

    That rows are missing at the end together with the head is found by an anchor only.
    """
    with _opened() as (decision_log, _):
        try:
            result = verify_log(decision_log, {} if anchor is None else read_anchors(anchor))
        except DatabaseDamagedError as error:  # so much that nothing can be read
            fail(error.message, EXIT_BROKEN_LOG)
        copies = _copies(decision_log)
    for fault in result.damage:
        typer.echo(one_line(f"damaged pages: {fault}"))
    for defect in result.defects:
        typer.echo(one_line(f"broken: {defect}"))
    if result.broken > len(result.defects):
        typer.echo(f"broken: and {result.broken - len(result.defects):,} more")
    typer.echo(_summary(result))
    for copy in copies:
        typer.echo(f"not in the log: {copy.name}, saved when the database was lost: restart the service")
    if result.broken or result.damage or copies:
        raise typer.Exit(EXIT_BROKEN_LOG)


@log.command()
def migrate() -> None:
    """Bring the database to this version's state, and build indexes while others write. May be repeated.

    Every start does the former by itself; what takes long on a large log is left to this.
    """
    with _opened(create_key=True) as (decision_log, _):
        end = decision_log.open()
        built = build_score_indexes(decision_log.engine, say)
    typer.echo(
        f"the tables are those of this version, with {end.sequence:,} decisions; built {built} indexes"
    )


@log.command()
def head() -> None:
    """Print the end of the chain as one line of JSON, an anchor: append it to a file on another machine."""
    with _opened() as (decision_log, _), decision_log.reading() as connection:
        found = decision_log.head(connection)
        if found is None or not found.authentic:
            raise StoreError("the head of the decision log was changed: see `evenmatch log verify`")
    time = datetime.now(UTC).isoformat(timespec="seconds")
    typer.echo(json.dumps({"sequence": found.sequence, "hash": found.hash, "time": time}))


@log.command()
def erase(candidate: CandidateOption, tenant: TenantOption = None) -> None:
    """Empty all rows of a candidate, for good. A signed tombstone stays, so that the chain still holds.

    `evenmatch data erase` does the same, and reports it as JSON.
    """
    candidate_id = candidate_id_of(candidate)
    with opened(tenant) as (places, whose):
        # Before, too: they may come to the database just after it was looked through.
        waiting = spooled_lines(places.spool)
        done = erase_everywhere(places, Person(candidate_id, whose))
        waiting = max(waiting, spooled_lines(places.spool))
        damaged = damaged_files(places.spool)
        copies = _copies(places.log)
    typer.echo(f"erased {done.erased.decisions:,} decisions")
    if of_jobs := done.erased.job_rows + done.erased.job_records:
        typer.echo(f"erased {of_jobs:,} rows and results of batch jobs")
    if of_traffic := done.erased.collected_vectors:
        typer.echo(f"erased {of_traffic:,} resumes' vectors collected for a cohort; build the cohort anew")
    tell_left(Left(being_scored=done.left.being_scored, sealed=done.left.sealed))
    if waiting:
        fail(
            f"{waiting:,} decisions of anybody wait in the spool, out of reach: erase again when the service "
            "has brought them to the database",
            EXIT_UNUSABLE_MODEL,
        )
    if damaged:
        fail(
            f"{damaged:,} files of damaged lines in {places.spool} may hold decisions of anybody: look at "
            "them, and delete them",
            EXIT_UNUSABLE_MODEL,
        )
    if copies:
        fail(
            f"{len(copies):,} copies saved when the database was lost ({copies[0].name}) may hold decisions "
            "of anybody: restart the service, which brings them back, and erase again",
            EXIT_UNUSABLE_MODEL,
        )


@log.command()
def purge(
    older_than: Annotated[
        int | None, typer.Option(min=1, max=MAX_DAYS, help="Age in days [EVENMATCH_RETENTION_DAYS].")
    ] = None,
    law_allows: Annotated[
        bool, typer.Option("--law-allows", help="Confirm that other law asks for less than six months.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Purge even if the log contradicts this machine's clock.")
    ] = False,
) -> None:
    """Delete old decisions from the front of the log, leaving a signed record that `verify` starts from."""
    with _opened() as (decision_log, settings):
        days = settings.store.retention_days if older_than is None else older_than
        if days < SIX_MONTHS_DAYS and not law_allows:
            fail(
                f"--older-than {days} is less than the {SIX_MONTHS_DAYS} days that the EU's AI Act asks of "
                "logs; add --law-allows if other law goes before it",
                EXIT_USAGE,
            )
        purged = purge_old(decision_log, timedelta(days=days), force=force)
    typer.echo(f"purged {purged.rows:,} decisions older than {days} days, all through {purged.through:,}")


@log.command()
def export(
    output: Annotated[Path, typer.Argument(help="A .csv or .jsonl file, as `evenmatch report` reads it.")],
    tenant: TenantOption = None,
    all_tenants: AllTenants = False,
) -> None:
    """Write all decisions but the erased ones to a file; with --all-tenants, in a column whose they are."""
    check_tenant(tenant, all_tenants=all_tenants)
    if output.suffix.lower() not in EXPORT_SUFFIXES:
        fail(
            f"the file must end in {' or '.join(EXPORT_SUFFIXES)}, not {output.suffix or 'nothing'}",
            EXIT_USAGE,
        )
    with _opened() as (decision_log, settings):
        with decision_log.reading() as connection:
            whose = asked_tenant(connection, tenant, all_tenants=all_tenants)
        written = export_decisions(decision_log, output, settings.fairness.groups, whose)
    say(f"wrote {written:,} decisions to {output}")


def _copies(decision_log: DecisionLog) -> list[Path]:
    """What was saved of a database that was lost, and is not in the log yet."""
    return [] if decision_log.file is None else rescued_copies(decision_log.file)


@contextmanager
def _opened(*, create_key: bool = False) -> Iterator[tuple[DecisionLog, Settings]]:
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes(), closing(settings.store.open_log(create_key=create_key)) as decision_log:
        yield decision_log, settings


def _summary(result: Verification) -> str:
    end = "no valid head" if result.head is None or not result.head.authentic else f"{result.head.sequence:,}"
    parts = [f"{result.rows:,} rows read, {result.erased:,} of them lawfully erased; the chain ends at {end}"]
    if result.purged:
        parts.append(f"lawfully purged through {result.purged:,}")
    if result.anchors:
        parts.append(f"{result.anchors - result.unchecked_anchors:,} anchors compared")
    if result.unchecked_anchors:
        parts.append(f"{result.unchecked_anchors:,} anchors of purged rows left out")
    parts.append(f"{result.broken:,} breaks" if result.broken else "unbroken")
    if result.damage:
        parts.append(f"{len(result.damage):,} faults in the database's pages: put a backup in its place")
    return "; ".join(parts)
