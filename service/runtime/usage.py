"""How many tokens a request makes the model read, told to whoever asked to count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Usage:
    """`tokens`: of all texts that were given to be encoded, those whose vectors were known already, too."""

    tokens: int = 0


_usage: ContextVar[Usage | None] = ContextVar("evenmatch_usage", default=None)


@contextmanager
def counting_tokens() -> Iterator[Usage]:
    """Count what is done inside, also by the tasks and threads that are started for it."""
    usage = Usage()
    token = _usage.set(usage)
    try:
        yield usage
    finally:
        _usage.reset(token)


def tokens_used(tokens: int) -> None:
    """Say that so many tokens are encoded for whoever counts, if anybody does."""
    if (usage := _usage.get()) is not None:
        usage.tokens += tokens
