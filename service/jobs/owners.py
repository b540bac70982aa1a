"""Whose batch jobs these are: a tenant's, or those of one credential where a gateway checks them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from service.core.tenants import DEFAULT_TENANT
from service.store.job_tables import jobs


@dataclass(frozen=True, slots=True)
class Owner:
    """`credential`: a digest of what a caller sent that this service does not know, "" for nothing.

    None: the service knows the caller by a key of its own, and all keys of the tenant see the same jobs, so
    that a key can be replaced by another.
    """

    tenant: str = DEFAULT_TENANT
    credential: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What holds for the rows of its jobs."""
        own = [jobs.c.tenant == self.tenant]
        return own if self.credential is None else [*own, jobs.c.owner == self.credential]

    @property
    def signed(self) -> list[str | None]:
        """What of it enters the digest of an `Idempotency-Key`; of a credential's as it always was."""
        if self.credential is not None and self.tenant == DEFAULT_TENANT:
            return [self.credential]
        return [self.credential, self.tenant]
