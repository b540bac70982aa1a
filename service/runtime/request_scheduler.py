"""Lines before the inference queue, in which requests wait for their turn with nothing computed for them yet.

A request's texts are redacted when its turn comes, not before: who leaves while it waits has cost nothing,
and who came first is served first. Requests of more than `small_words` wait in one line and are read while
little waits for the engine, so that the next is redacted while the last is encoded. Smaller ones wait in a
line of their own and pass them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from service.core.errors import QueueFullError, RequestTooLargeError
from service.tracing import span

_SMALL_AHEAD = 2
"""Small requests in turn have so many times the words of a largest one: a batch, and one more to wait."""


def count_words(texts: Iterable[str]) -> int:
    """White-space separated words of all texts: what reading them costs, and about the tokens they have."""
    return sum(len(text.split()) for text in texts)


class Turn:
    """One request's place in a line, and then its turn."""

    def __init__(self, scheduler: RequestScheduler, line: _WaitingRequests, words: int) -> None:
        self.words = words
        self.granted: asyncio.Future[None] | None = None
        self._scheduler = scheduler
        self._line = line
        self._holds = False

    def begin(self) -> None:
        self._holds = True
        self._line.words_in_turn += self.words

    def texts_read(self) -> None:
        """Call when the texts are about to be queued: from then on they wait for the engine as tokens."""
        if not self._line.until_answered:
            self.end()

    def end(self) -> None:
        if self._holds:
            self._holds = False
            self._line.words_in_turn -= self.words
            self._scheduler.look_soon()


class _WaitingRequests:
    """`until_answered`: a turn lasts until the answer, not only until its texts are queued."""

    def __init__(self, *, until_answered: bool) -> None:
        self.until_answered = until_answered
        self.waiting: deque[Turn] = deque()
        self.words_in_turn = 0

    @property
    def words_waiting(self) -> int:
        return sum(turn.words for turn in self.waiting)


class RequestScheduler:
    """For one event loop; only `queue_changed` may be called from other threads.

    `limit`: most words of one request, and most words that wait, with the tokens in the queue. `ahead`: words
    or tokens in progress below which the next large request begins. `backlog`: tokens in the queue.
    `retry_after`: seconds until so many words, and what is in the queue, are done. `on_change` is told how
    many words wait.
    """

    def __init__(
        self,
        limit: int,
        *,
        small_words: int,
        ahead: int,
        backlog: Callable[[], int],
        retry_after: Callable[[int], int],
        on_change: Callable[[int], None],
    ) -> None:
        self._limit = limit
        self._small_words = small_words
        self._ahead = ahead
        self._backlog = backlog
        self._retry_after = retry_after
        self._on_change = on_change
        self._large = _WaitingRequests(until_answered=False)
        self._small = _WaitingRequests(until_answered=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def words_waiting(self) -> int:
        return self._large.words_waiting + self._small.words_waiting

    @property
    def requests_waiting(self) -> int:
        return len(self._large.waiting) + len(self._small.waiting)

    def seconds_to_drain(self) -> int:
        """Estimated seconds, at least 1, until all that waits is done."""
        return self._retry_after(self.words_waiting + self._large.words_in_turn)

    @asynccontextmanager
    async def turn(self, words: int) -> AsyncIterator[Turn]:
        """Wait for a turn to read `words` words.

        Raises what `check` raises, at once.
        """
        self.check(words)
        line = self._small if words <= self._small_words else self._large
        turn = Turn(self, line, words)
        self._loop = asyncio.get_running_loop()
        if line.waiting or not self._may_begin(line, turn):
            turn.granted = self._loop.create_future()
            line.waiting.append(turn)
            self._on_change(self.words_waiting)
            try:
                with span("evenmatch.turn", words=words):
                    await turn.granted
            except asyncio.CancelledError:
                if turn in line.waiting:
                    line.waiting.remove(turn)
                    self._on_change(self.words_waiting)
                turn.end()  # it may have been granted in the same moment
                self.look_soon()
                raise
        else:
            turn.begin()
        try:
            yield turn
        finally:
            turn.end()

    def queue_changed(self) -> None:
        """The inference queue has another length. From any thread."""
        if self._loop is not None and self.requests_waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def look_soon(self) -> None:
        """Begin the next turns once the running step is over: it may be about to fill the queue."""
        if self._loop is not None and self.requests_waiting:
            self._loop.call_soon(self._look)

    def check(self, words: int) -> None:
        """Raise `RequestTooLargeError` if so many words never fit, `QueueFullError` if not now."""
        if words > self._limit:
            raise RequestTooLargeError(
                f"the texts of the request have {words:,} words; the limit is {self._limit:,}: split it",
                limit=self._limit,
                actual=words,
            )
        ahead = self.words_waiting + self._large.words_in_turn + self._small.words_in_turn
        ahead = max(ahead, self.words_waiting + self._backlog())
        if ahead + words > self._limit:
            raise QueueFullError(
                f"{ahead:,} words or tokens of other requests wait, and {words:,} more do not fit now; "
                f"the limit is {self._limit:,}",
                retry_after=self.seconds_to_drain(),
                limit=self._limit,
                actual=ahead + words,
            )

    def _may_begin(self, line: _WaitingRequests, turn: Turn) -> bool:
        if line is self._small:
            return line.words_in_turn + turn.words <= _SMALL_AHEAD * self._small_words
        return line.words_in_turn + self._backlog() < self._ahead

    def _look(self) -> None:
        before = self.requests_waiting
        for line in (self._small, self._large):
            while line.waiting and self._may_begin(line, line.waiting[0]):
                turn = line.waiting.popleft()
                assert turn.granted is not None
                if not turn.granted.done():
                    turn.begin()
                    turn.granted.set_result(None)
        if self.requests_waiting != before:
            self._on_change(self.words_waiting)
