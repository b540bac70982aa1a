"""`evenmatch keys`: create, list, rotate and revoke the API keys of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service.access.key_storage import KeyStorage
from service.access.keys import PREFIX, ApiKey, KeySecret, NewKey, make_key, revoked, rotated, utc_now
from service.access.principal import Scope
from service.cli.console import EXIT_USAGE, add_row, exit_codes, fail, say, settings_from
from service.core.errors import ConfigurationError
from service.core.tenants import DEFAULT_TENANT
from service.logs import log_to_stderr
from service.store.database import migrate, open_database
from service.store.transactions import store_errors

keys = typer.Typer(no_args_is_help=True, help="Create, list, rotate and revoke API keys.")

_DAYS = 365
_LONGEST_DAYS = 3_650

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as evm_k7m2p9xw4abc.")]
DaysOption = Annotated[
    int, typer.Option(min=0, max=_LONGEST_DAYS, help="Days until the key expires; 0: it never does.")
]


@dataclass(frozen=True)
class _Keys:
    storage: KeyStorage
    secret: KeySecret
    seconds: float
    """After which a change takes effect."""


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for, as `ats` or `nightly report`.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    tenant: Annotated[str, typer.Option(help="Whose data it works on: a-z, 0-9, _ and -.")] = DEFAULT_TENANT,
    days: DaysOption = _DAYS,
) -> None:
    """Make a key and print it. It is shown this once and kept nowhere."""
    now = utc_now()
    with _opened() as opened:
        new = make_key(
            opened.secret, name=name, tenant=tenant, scopes=scope, created=now, expires=_end(now, days)
        )
        opened.storage.add(new.record)
    _show(new)


@keys.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """List all keys, those that are over too. No key can be read from what is kept."""
    with _opened() as opened:
        found = opened.storage.all()
        secret_id = opened.secret.id
    now = utc_now()
    if as_json:
        typer.echo(json.dumps([_described(key, now, secret_id) for key in found], indent=2))
        return
    table = Table(box=None, header_style="bold")
    for title in ("key", "name", "tenant", "scopes", "created", "expires", "status"):
        table.add_column(title, overflow="fold")
    for key in found:
        of = _described(key, now, secret_id)
        end = "never" if key.expires is None else _day(key.expires)
        scopes = " ".join(of["scopes"])
        add_row(table, key.shown, key.name, key.tenant, scopes, _day(key.created), end, of["status"])
    Console().print(table)


@keys.command()
def rotate(
    key: KeyArgument,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=24 * 365, help="Hours for which the old key goes on working.")
    ] = 24.0,
    days: DaysOption = _DAYS,
) -> None:
    """Make a key with the same name, tenant and scopes, and let the old one expire after the overlap."""
    now = utc_now()
    made: list[NewKey] = []
    with _opened() as opened:

        def replace(old: ApiKey) -> tuple[ApiKey, ApiKey]:
            ending, new = rotated(
                old,
                opened.secret,
                now=now,
                overlap=timedelta(hours=overlap_hours),
                expires=_end(now, days),
            )
            made.append(new)
            return ending, new.record

        opened.storage.change(_id(key), replace)
    _show(made[-1])
    say(f"{PREFIX}_{_id(key)} works for {overlap_hours:g} hours more, unless it expires before")


@keys.command()
def revoke(key: KeyArgument) -> None:
    """Let a key work no more. A service that runs knows it within EVENMATCH_KEYS_SECONDS."""
    with _opened() as opened:
        opened.storage.change(_id(key), lambda old: (revoked(old, utc_now()), None))
    say(f"{PREFIX}_{_id(key)} is revoked; services know it within {opened.seconds:g} seconds")


@contextmanager
def _opened() -> Iterator[_Keys]:
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes():
        options = settings.access
        secret = options.secret()
        if secret is None:
            raise ConfigurationError(
                "keys are hashed with a secret, and none is set: write 32 or more random characters to a "
                "file (umask 077; openssl rand -hex 32 > keys.secret) and set EVENMATCH_KEYS_SECRET_FILE to "
                "it, here and for the service",
                field="keys_secret",
            )
        engine = open_database(settings.store.url, timeout=settings.store.database_seconds)
        try:
            if options.keys_file is None:
                with store_errors():
                    migrate(engine)
            yield _Keys(options.storage(engine), secret, options.keys_seconds)
        finally:
            engine.dispose()


def _id(given: str) -> str:
    """The id in what names a key; exits if a whole key was given, which is then in the shell's history."""
    bare = given.strip().removeprefix(f"{PREFIX}_")
    if "_" in bare:
        fail(
            "this looks like a whole key: name it by its id alone, which ends before the second _; revoke it "
            "if others may have read it here",
            EXIT_USAGE,
        )
    return bare


def _end(now: datetime, days: int) -> datetime | None:
    return now + timedelta(days=days) if days else None


def _day(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M")


def _show(new: NewKey) -> None:
    """The key alone on stdout, so that a script can take it."""
    record = new.record
    end = "never expires" if record.expires is None else f"expires at {record.expires:%Y-%m-%dT%H:%MZ}"
    say(
        f"{record.shown} of tenant {record.tenant} may {', '.join(sorted(record.scopes))} and {end}; keep it "
        "now, it is not shown again:"
    )
    typer.echo(new.text)


def _described(key: ApiKey, now: datetime, secret_id: str) -> dict[str, Any]:
    return {
        "key": key.shown,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "created": key.created.isoformat(),
        "expires": None if key.expires is None else key.expires.isoformat(),
        "revoked": None if key.revoked is None else key.revoked.isoformat(),
        "replaces": None if key.replaces is None else f"{PREFIX}_{key.replaces}",
        "status": key.status(now) if key.secret_id == secret_id else "another secret",
    }
