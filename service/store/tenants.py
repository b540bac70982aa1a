"""Whose rows are asked about, and which tenants a database knows."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, select

from service.core.tenants import DEFAULT_TENANT
from service.store.job_tables import jobs
from service.store.tables import NOT_DEFAULT, decisions, tenant_decision_counts


def of_tenant(tenant: str | None) -> list[ColumnElement[bool]]:
    """Conditions for the decisions of a tenant; none for those of all (`tenant` None)."""
    if tenant is None:
        return []
    own = decisions.c.tenant == tenant
    # What the index of all others stands under has to be said, or SQLite does not use it.
    return [own] if tenant == DEFAULT_TENANT else [own, NOT_DEFAULT]


def has_tenants(connection: Connection) -> bool:
    """Whether decisions of any tenant but the default one are kept."""
    found = select(decisions.c.sequence).where(NOT_DEFAULT).limit(1)
    return connection.execute(found).first() is not None


def known_tenants(connection: Connection) -> list[str]:
    """The default tenant, and all others of which decisions, jobs or counts are kept, in their order."""
    found: set[str] = set()
    for column, where in (
        (decisions.c.tenant, [NOT_DEFAULT]),
        (jobs.c.tenant, []),
        (tenant_decision_counts.c.tenant, []),
    ):
        found.update(connection.execute(select(column).where(*where).distinct()).scalars())
    return [DEFAULT_TENANT, *sorted(found - {DEFAULT_TENANT})]


def sizes(connection: Connection) -> dict[str, tuple[int, int]]:
    """By tenant, how many decisions and batch jobs are kept; erased decisions and deleted jobs, too."""
    counted = []
    for table in (decisions, jobs):
        query = select(table.c.tenant, func.count()).group_by(table.c.tenant)
        counted.append({row[0]: row[1] for row in connection.execute(query)})
    of_decisions, of_jobs = counted
    return {
        tenant: (of_decisions.get(tenant, 0), of_jobs.get(tenant, 0)) for tenant in known_tenants(connection)
    }
