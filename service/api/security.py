"""What OpenAPI says of keys: how they are sent, and which scope each route needs."""

from __future__ import annotations

from typing import Any

from service.api import paths
from service.api.scopes import ANY, needed_at

_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`evm_…`) or, where they are configured, a token of an identity provider. "
        "A service without keys, as on a developer's machine, asks for none.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same API key in a header of its own.",
    },
}


def declare_security(document: dict[str, Any]) -> None:
    """Add the ways to send a key to an OpenAPI document, and to each operation what it needs."""
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        if path in paths.PROBES:
            continue
        needed = needed_at(path)
        scopes = [] if needed == ANY else sorted(needed)
        for operation in operations.values():
            operation["security"] = [{name: scopes} for name in _SCHEMES]
