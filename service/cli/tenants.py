"""`evenmatch tenants`: of whom something is stored, and what their webhooks are signed with."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from service.cli.console import EXIT_USAGE, exit_codes, fail, settings_from
from service.cli.tenant_options import check_tenant
from service.jobs.webhooks import check_secret, secret_of
from service.logs import log_to_stderr
from service.store.tenants import sizes

tenants = typer.Typer(
    no_args_is_help=True, help="Say of which tenants something is stored, and their webhook secrets."
)


@tenants.command("list")
def list_tenants() -> None:
    """Print a line for each tenant: its name, and how many decisions and batch jobs are kept of it."""
    log_to_stderr("warning")
    settings = settings_from()
    with (
        exit_codes(),
        closing(settings.store.open_log()) as decision_log,
        decision_log.reading() as connection,
    ):
        found = sizes(connection)
    for tenant, (decisions, jobs) in found.items():
        typer.echo(f"{tenant}\t{decisions:,} decisions\t{jobs:,} batch jobs")


@tenants.command("webhook-secret")
def webhook_secret(
    tenant: Annotated[str, typer.Argument(help="A tenant's name; it need not be there yet.")],
) -> None:
    """Print what the notices of a tenant's batch jobs are signed with: hand it to that tenant only.

    It is derived from EVENMATCH_JOBS_WEBHOOK_SECRET, which is the default tenant's own.
    """
    check_tenant(tenant)
    log_to_stderr("warning")
    settings = settings_from()
    with exit_codes():
        check_secret(settings.jobs)
        secret = secret_of(settings.jobs, tenant)
    if not secret:
        fail("EVENMATCH_JOBS_WEBHOOK_SECRET is not set: no webhooks are sent", EXIT_USAGE)
    typer.echo(secret)
