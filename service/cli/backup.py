"""`evenmatch backup` and `evenmatch restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import EXIT_UNUSABLE_INPUT, exit_codes, fail, say, settings_from
from service.core.errors import DamagedBackupError
from service.jobs.erasure import erase_from_jobs
from service.jobs.sealing import Sealer
from service.logs import log_to_stderr
from service.settings import Settings
from service.store.backup import MANIFEST, write_backup
from service.store.chain import KEY_FILE
from service.store.log import DecisionLog
from service.store.restoring import Restored, check_backup
from service.store.restoring import restore as put_back
from service.store.right_to_erasure import erase_person


def backup(
    output: Annotated[
        Path, typer.Option(help="A folder that is not there yet, or a file whose name ends in .tar.")
    ],
    with_key: Annotated[
        bool,
        typer.Option("--with-key", help="With log.key, without which nothing can be verified or put back."),
    ] = False,
) -> None:
    """Back up decisions, outcomes, jobs, the spool and the cohort, while the service runs.

    PostgreSQL needs pg_dump. What is in a backup is personal data: it is readable by its owner only.
    """
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes():
        made = write_backup(settings.store, output, cohort=settings.model.cohort, with_key=with_key)
    typer.echo(f"{output}: {_contents(len(made.files), made.sequence)}, as of {made.begun}")
    if KEY_FILE not in made.files:
        say(f"the log's key is not in it: keep a copy of it elsewhere (its id is {made.key_id})")


def restore(
    given: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `evenmatch backup` made.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Also where a SQLite database stands, which is kept beside it."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Verify the backup and put it nowhere; the service may run.")
    ] = False,
) -> None:
    """Verify a backup, files and chain, then put it where the settings say. Stop the service first.

    Exits with 3 if a file of the backup is damaged or its chain does not hold, and with 1 if it does not fit
    here; then nothing was put anywhere.
    """
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes():
        try:
            if check:
                done = check_backup(settings.store, given)
            else:
                cohort, erase = settings.model.cohort, _eraser(settings)
                done = put_back(settings.store, given, replace=replace, cohort=cohort, erase=erase)
        except DamagedBackupError as error:
            fail(error.message, EXIT_UNUSABLE_INPUT)
    _tell(given, done, checked_only=check, with_cohort=settings.model.cohort is not None)


def _eraser(settings: Settings) -> Callable[[DecisionLog, str], int]:
    def erase(decision_log: DecisionLog, candidate_id: str) -> int:
        sealer = Sealer.of(settings.jobs.key.get_secret_value(), decision_log.key)
        erase_from_jobs(decision_log.engine, sealer, candidate_id)
        return erase_person(decision_log, candidate_id)

    return erase


def _tell(given: Path, done: Restored, *, checked_only: bool, with_cohort: bool) -> None:
    made = done.manifest
    contents = _contents(len(made.files), made.sequence)
    if checked_only and made.database == "postgresql":
        typer.echo(f"{given}: {contents}, as of {made.begun}; files and {MANIFEST} are as they were written")
        say("the chain of a PostgreSQL backup is verified when it is put back, into an empty database")
        return
    typer.echo(
        f"{given}: {contents}, as of {made.begun}; files are as they were written, and the chain of "
        f"{done.verification.rows:,} rows is unbroken" + ("" if checked_only else ": restored")
    )
    if checked_only:
        return
    if done.erased:
        say(f"erased {done.erased:,} decisions again, of people who were erased since")
    elif done.erased is None:
        say("who was erased after that time is in it again: erase those candidates again")
    if done.kept is not None:
        say(f"what stood there is kept as {done.kept}: delete it when nobody needs it any more")
    if done.cohort is not None and done.cohort_left:
        say(f"the cohort at {done.cohort} stays as it is")
    elif done.cohort is not None and not with_cohort:
        say(f"the cohort is at {done.cohort}: set EVENMATCH_COHORT to it")


def _contents(files: int, decisions: int) -> str:
    return f"{files:,} files, {decisions:,} decisions in the chain"
