"""`--tenant` and `--all-tenants` of commands that read what is stored."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Connection, inspect

from service.cli.console import EXIT_UNUSABLE_INPUT, EXIT_USAGE, fail
from service.core.errors import StoreError
from service.core.tenants import DEFAULT_TENANT, MAX_TENANT_CHARACTERS, TENANT_NAME
from service.store.tables import tenant_decision_counts
from service.store.tenants import known_tenants

TenantOption = Annotated[
    str | None, typer.Option(help="Whose; needed where something is stored of several tenants.")
]
AllTenants = Annotated[bool, typer.Option("--all-tenants", help="Those of all tenants together.")]

_MOST_NAMED = 20


def check_tenant(tenant: str | None, *, all_tenants: bool = False) -> None:
    """Exits on a name that no tenant has, and on one beside `--all-tenants`."""
    if tenant is not None and all_tenants:
        fail("--tenant and --all-tenants exclude each other", EXIT_USAGE)
    if tenant is not None and not TENANT_NAME.fullmatch(tenant):
        fail(
            f"--tenant takes 1 to {MAX_TENANT_CHARACTERS} of a-z, 0-9, _ and -; what was given has "
            f"{len(tenant):,} characters",
            EXIT_USAGE,
        )


def asked_tenant(
    connection: Connection, tenant: str | None, *, all_tenants: bool | None = None
) -> str | None:
    """The tenant that is asked about, None for all; `all_tenants`: None where a command has no such option.

    Exits if it is not said and there are several, or if nothing is stored of the one that is named: a name
    that is mistyped must not look like a tenant of whom nothing is known. Raises `StoreError` for a database
    that was not migrated yet.
    """
    if not inspect(connection).has_table(tenant_decision_counts.name):
        raise StoreError(
            "the database has not the tables of this version: they are made when its service starts"
        )
    if all_tenants:
        return None
    if tenant == DEFAULT_TENANT:
        return tenant
    known = known_tenants(connection)
    if tenant is None and len(known) > 1:
        or_all = "" if all_tenants is None else ", or say --all-tenants"
        fail(
            f"something is stored of several tenants ({_named(known)}): name one by --tenant{or_all}",
            EXIT_USAGE,
        )
    if tenant is not None and tenant not in known:
        fail(f"nothing is stored of that tenant; there are: {_named(known)}", EXIT_UNUSABLE_INPUT)
    return tenant or DEFAULT_TENANT


def _named(tenants: list[str]) -> str:
    more = f" and {len(tenants) - _MOST_NAMED:,} more" if len(tenants) > _MOST_NAMED else ""
    return ", ".join(tenants[:_MOST_NAMED]) + more
