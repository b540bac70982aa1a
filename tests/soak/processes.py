"""Memory and descriptors of every process of the service, over its life."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import psutil

Role = Literal["supervisor", "serves", "reads long texts", "reads documents", "other"]
_MODULES: dict[str, Role] = {
    "spawn_main": "serves",
    "service.runtime.reader_process": "reads long texts",
    "service.files.documents.process": "reads documents",
}
SHARE = 0.05
"""Growth that is taken for none."""


@dataclass
class Life:
    """Samples of one process: seconds since the run began, resident bytes, open descriptors."""

    role: Role
    times: list[float] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.times[-1] - self.times[0] if self.times else 0.0


@dataclass(frozen=True)
class Growth:
    """Of one process over the second half of its life, by a straight line through it: 0.05 is 5 %."""

    role: Role
    seconds: float
    resident_mib: float
    resident: float
    descriptors: float


class Samples:
    """A process is told by its id and when it was born: ids come again."""

    def __init__(self) -> None:
        self._lives: dict[tuple[int, float], Life] = {}

    def take(self, supervisor: int, now: float) -> None:
        """Look at the supervisor and all below it. One that ends meanwhile is left out."""
        try:
            main = psutil.Process(supervisor)
            found = [main, *main.children(recursive=True)]
        except psutil.Error:
            return
        for process in found:
            try:
                with process.oneshot():
                    name = (process.pid, process.create_time())
                    resident, descriptors = process.memory_info().rss, process.num_fds()
                    life = self._lives.get(name) or Life(_role(process, main))
            except psutil.Error:
                continue
            self._lives[name] = life
            life.times.append(now)
            life.resident.append(resident)
            life.descriptors.append(descriptors)

    def growths(self, at_least: float) -> list[Growth]:
        """Of processes that lived so many seconds, the longest life first."""
        lives = sorted(self._lives.values(), key=lambda life: -life.seconds)
        return [_growth(life) for life in lives if life.seconds >= at_least]

    @property
    def largest_resident(self) -> int:
        """Bytes of the largest process at any moment."""
        return max((max(life.resident) for life in self._lives.values()), default=0)


def relative_growth(times: Sequence[float], values: Sequence[float]) -> float:
    """Rise of the least-squares line from the first to the last time, over the values' mean."""
    slope = statistics.linear_regression(times, values).slope
    return slope * (times[-1] - times[0]) / statistics.fmean(values)


def _growth(life: Life) -> Growth:
    half = life.times[0] + life.seconds / 2
    begin = next(i for i, time in enumerate(life.times) if time >= half)
    times = life.times[begin:]
    return Growth(
        role=life.role,
        seconds=life.seconds,
        resident_mib=statistics.fmean(life.resident[begin:]) / 2**20,
        resident=relative_growth(times, life.resident[begin:]),
        descriptors=relative_growth(times, life.descriptors[begin:]),
    )


def _role(process: psutil.Process, main: psutil.Process) -> Role:
    if process == main:
        return "supervisor"
    arguments = " ".join(process.cmdline())
    return next((role for module, role in _MODULES.items() if module in arguments), "other")
