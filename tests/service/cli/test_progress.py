from __future__ import annotations

import io

from rich.console import Console

from service.cli.progress import ScoringProgress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_now_and_then() -> None:
    clock = Clock()
    said: list[str] = []
    stream = io.StringIO()
    progress = ScoringProgress(1_000, Console(file=stream), said.append, what="resumes", clock=clock)
    with progress:
        progress.advance(200, reused=200)
        clock.now = 29.0
        progress.advance(10)
        assert said == []
        clock.now = 31.0
        progress.advance(52)
        clock.now = 32.0
        progress.advance(10)
    assert said == ["262 of 1,000 resumes done (26%), 2.0 a second, about 6 minutes left"]
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar_with_the_time_left() -> None:
    stream = io.StringIO()
    said: list[str] = []
    console = Console(file=stream, force_terminal=True, width=100)
    with ScoringProgress(40, console, said.append, what="resumes", line_seconds=0) as progress:
        progress.advance(20)
    assert "20/40" in stream.getvalue()
    assert "left" in stream.getvalue()
    assert said == []
