"""The HTTP API: routes, schemas, errors, admission and idempotency."""
