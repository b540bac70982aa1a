"""Names of tenants: on whose behalf a request is made, and whose decisions, outcomes and jobs come of it."""

from __future__ import annotations

import re

DEFAULT_TENANT = "default"
"""Of everything that names no tenant, and of all that was stored before there were tenants."""

OTHER_TENANTS = "other"
"""In metrics, all tenants that have no series of their own."""

MAX_TENANT_CHARACTERS = 64
TENANT_NAME = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
