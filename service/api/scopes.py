"""What a key must be allowed for each route. A path that is not here needs a key, whatever it may do."""

from __future__ import annotations

from starlette.routing import compile_path

from service.access.principal import Scope
from service.api import paths

ANY = frozenset(Scope)
"""A key with one scope or another: what is served, and what is not there."""

PROBES = (paths.LIVE, paths.READY)

REFERENCE = ("/", "/docs", "/openapi.json", "/swagger/{name}")
"""The reference says nothing about anybody. Where it is off, these are paths at which nothing is."""

NEEDED: dict[str, frozenset[Scope]] = {
    paths.SCORE: frozenset({Scope.SCORE}),
    paths.REDACT: frozenset({Scope.SCORE}),
    paths.DOCUMENTS: frozenset({Scope.SCORE}),
    paths.SCORE_JOBS: frozenset({Scope.JOBS}),
    paths.SCORE_JOB: frozenset({Scope.JOBS}),
    paths.SCORE_JOB_RESULTS: frozenset({Scope.JOBS}),
    paths.SCORE_JOB_ERRORS: frozenset({Scope.JOBS}),
    paths.SCORE_JOB_CANCEL: frozenset({Scope.JOBS}),
    paths.EMBED: frozenset({Scope.EMBED}),
    paths.OPENAI_EMBEDDINGS: frozenset({Scope.EMBED}),
    paths.OPENAI_MODELS: ANY,
    paths.OPENAI_MODEL: ANY,
    paths.MODEL: ANY,
    paths.AUDIT: frozenset({Scope.AUDIT}),
    paths.OUTCOMES: frozenset({Scope.OUTCOMES}),
    paths.OUTCOMES_BULK: frozenset({Scope.OUTCOMES}),
    paths.FAIRNESS: frozenset({Scope.REPORT}),
    paths.FAIRNESS_REPORT: frozenset({Scope.REPORT}),
    paths.KEYS: frozenset({Scope.ADMIN}),
}
"""By the path without `/v1`; a key needs one of the scopes."""

METRICS_NEED = frozenset({Scope.METRICS})
"""Where `/metrics` is not open. It is about all tenants."""

_PLAIN = {prefix + path: needed for path, needed in NEEDED.items() for prefix in ("", paths.PREFIX)}
_PATTERNS = [(compile_path(path)[0], needed) for path, needed in _PLAIN.items() if "{" in path]
_REFERENCE_PATTERNS = [compile_path(path)[0] for path in REFERENCE]


def is_open(path: str, *, docs: bool) -> bool:
    """Whether a path is answered without a key. `docs`: the reference is served."""
    return path in PROBES or (docs and any(pattern.match(path) for pattern in _REFERENCE_PATTERNS))


def needed_at(path: str) -> frozenset[Scope]:
    """The scopes of which a key needs one at a path, with or without `/v1`."""
    if (needed := _PLAIN.get(path)) is not None:
        return needed
    return next((needed for pattern, needed in _PATTERNS if pattern.match(path)), ANY)
