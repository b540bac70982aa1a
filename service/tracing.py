"""Spans of the request that runs here, if requests are traced (`service.serving.traces`).

A span has a name of the program's and numbers: there is no way to give it a text or an id. Where requests are
not traced, a span costs one look at a context variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Literal, Protocol

SpanName = Literal["evenmatch.turn", "evenmatch.queue", "evenmatch.inference", "evenmatch.store"]
"""Waiting until a request's texts are read; until the engine takes the first of them; until it has encoded
the last; until decisions are safe, or a question is answered by the database."""


class Spans(Protocol):
    """What makes the spans of one request."""

    def span(self, name: SpanName, numbers: dict[str, int]) -> AbstractContextManager[None]:
        """A span around a block. Of an exception it says the class."""

    def past(self, name: SpanName, start: int, end: int, numbers: dict[str, int]) -> None:
        """A span of what is over, from `start` to `end` in nanoseconds since 1970."""


_spans: ContextVar[Spans | None] = ContextVar("evenmatch_spans", default=None)
_NONE = nullcontext()


def spans() -> Spans | None:
    """Those of the request that runs here; None if it is not traced, or there is no request."""
    return _spans.get()


def span(name: SpanName, **numbers: int) -> AbstractContextManager[None]:
    """A span around a block, if the request is traced."""
    traced = _spans.get()
    return _NONE if traced is None else traced.span(name, numbers)


@contextmanager
def tracing(traced: Spans) -> Iterator[None]:
    """Within it, also in threads and tasks that begin there, spans are made by `traced`."""
    token = _spans.set(traced)
    try:
        yield
    finally:
        _spans.reset(token)
