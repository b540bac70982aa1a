"""How far a long run is: a bar with the time left in a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft
from rich.text import Text

_LINE_SECONDS = 30.0


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.1f} a second")


class ScoringProgress:
    """Shows how many of `total` (`what`: resumes, postings) are done. Used as a context manager.

    Where `console` is no terminal, a line is said by `say` after `line_seconds` and every so often again:
    short runs say nothing. `clock` counts seconds.
    """

    def __init__(
        self,
        total: int,
        console: Console,
        say: Callable[[str], object],
        *,
        what: str,
        line_seconds: float = _LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self._what = what
        self._say = say
        self._clock = clock
        self._line_seconds = line_seconds
        self._started = self._said = clock()
        self._done = self._reused = 0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("left"),
            TimeLeft(compact=True),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> ScoringProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, count: int, *, reused: int = 0) -> None:
        """`count` more are done, `reused` of them by an earlier run."""
        self._done += count
        self._reused += reused
        self._bar.advance(self._task, count)
        now = self._clock()
        if self._bar.disable and now - self._said >= self._line_seconds:
            self._said = now
            self._say(self._line(now - self._started))

    def _line(self, seconds: float) -> str:
        line = f"{self._done:,} of {self.total:,} {self._what} done ({self._done / max(1, self.total):.0%})"
        rate = (self._done - self._reused) / seconds
        if rate > 0:
            left = max(0, self.total - self._done) / rate
            line += f", {rate:,.1f} a second, {_in_words(left)} left"
        return line


def _in_words(seconds: float) -> str:
    if seconds >= 5_400:
        return f"about {seconds / 3_600:.1f} hours"
    return f"about {seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
