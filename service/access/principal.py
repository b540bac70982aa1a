"""Who asks: the tenant a request belongs to and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.core.tenants import DEFAULT_TENANT


class Scope(StrEnum):
    """What a key may do: which routes each opens stands in `service.api.scopes`."""

    SCORE = "score"
    EMBED = "embed"
    AUDIT = "audit"
    OUTCOMES = "outcomes"
    REPORT = "report"
    JOBS = "jobs"
    METRICS = "metrics"
    ADMIN = "admin"


@dataclass(frozen=True)
class Principal:
    tenant: str = DEFAULT_TENANT
    scopes: frozenset[Scope] = frozenset(Scope)
    key_id: str | None = None  # public id of the key, None without keys
