"""`evenmatch data`: hand out, or erase, everything that is kept about one person."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from service.api.answers import kept_of as kept_of_answer
from service.cli.console import EXIT_UNUSABLE_MODEL, exit_codes, say, settings_from
from service.cli.given_ids import CandidateOption, candidate_id_of
from service.cli.tenant_options import TenantOption, asked_tenant, check_tenant
from service.core.printable import json_escaped
from service.core.tenants import DEFAULT_TENANT
from service.files.writing import write_whole
from service.jobs.chunk_records import kept_of as kept_of_block
from service.jobs.personal_data import Left, Person, Places, erase_everywhere, everything_about
from service.jobs.sealing import Sealer
from service.logs import log_to_stderr
from service.settings import Settings
from service.store.log import DecisionLog
from service.store.recorder import SPOOL_FOLDER

data = typer.Typer(no_args_is_help=True, help="Hand out, or erase, everything that is kept about one person.")

ERASURE_SCHEMA = "evenmatch.erasure/1"

_TO_DO = {
    "spooled": "decisions wait for the database: start the service, or wait, and erase again",
    "being_scored": "chunks of batch jobs are being scored: erase again when they are done",
    "sealed": "parts of batch jobs are sealed with another key: erase with that one, too",
    "unreadable": "lines of the spool are not what was written: start the service, which sets them aside",
    "damaged": "files of damaged lines in the spool may hold anybody: look at them, and delete them",
    "copies": "copies of a lost database may hold anybody: restart the service, and erase again",
}


@data.command()
def export(
    candidate: CandidateOption,
    tenant: TenantOption = None,
    output: Annotated[
        Path | None, typer.Option(help="A .json file, readable by its owner only; without it, to stdout.")
    ] = None,
) -> None:
    """Write as JSON what is kept about a candidate: decisions, outcomes, answers, jobs, spool, vectors."""
    candidate_id = candidate_id_of(candidate)
    with opened(tenant) as (places, whose):
        found = everything_about(places, Person(candidate_id, whose), _read_answer)
    # json leaves those of C1 and the marks of writing direction as they are, and a terminal obeys them.
    text = json_escaped(json.dumps(found, indent=2, ensure_ascii=False)) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        with exit_codes():
            write_whole(output, text)
        say(f"wrote {output}")


@data.command()
def erase(
    candidate: CandidateOption,
    tenant: TenantOption = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0, max=3_600, help="Seconds to wait for what a running service is about to bring in reach."
        ),
    ] = 30.0,
) -> None:
    """Erase a candidate everywhere, for good, and print as JSON what was erased where. May be repeated.

    Exits with 1 if something is left that this command does not reach, and says what to do.
    """
    candidate_id = candidate_id_of(candidate)
    with opened(tenant) as (places, whose):
        done = erase_everywhere(places, Person(candidate_id, whose), wait_seconds=wait)
    left = done.left.told()
    report = {
        "schema_version": ERASURE_SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tenant": whose,
        "erased": asdict(done.erased),
        "left": left,
        "complete": not left,
    }
    typer.echo(json.dumps(report, indent=2))
    tell_left(done.left)
    if left:
        raise typer.Exit(EXIT_UNUSABLE_MODEL)


def tell_left(left: Left) -> None:
    """Say what is left, and what to do."""
    for name, number in left.told().items():
        say(f"{number:,} {_TO_DO[name]}")


@contextmanager
def opened(tenant: str | None) -> Iterator[tuple[Places, str]]:
    """Where everything is kept, and the tenant that is asked about."""
    check_tenant(tenant)
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes(), closing(settings.store.open_log()) as decision_log:
        with decision_log.reading() as connection:
            whose = asked_tenant(connection, tenant)
        yield _places(settings, decision_log), whose or DEFAULT_TENANT


def _places(settings: Settings, decision_log: DecisionLog) -> Places:
    data_dir = settings.store.data_dir
    sealer = Sealer.of(settings.jobs.key.get_secret_value(), decision_log.key)
    return Places(decision_log, sealer, data_dir / SPOOL_FOLDER, data_dir)


def _read_answer(content: str, decision_ids: Collection[str]) -> list[dict[str, Any]]:
    """Of the answer to a request, or of a block of a batch job."""
    of_block = "pairs" in json.loads(content)
    return (kept_of_block if of_block else kept_of_answer)(content, decision_ids)
