"""What all reports share: the environment of their templates, and values to positions in SVG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def template_environment(package: str) -> Environment:
    """Templates in the folder `templates` of `package`; a name that is not there is an error, not a blank.

    What is put into HTML and SVG is escaped; into Markdown it goes as it is.

    Threads may render templates of one environment side by side.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        auto_reload=False,
    )


def decimals(places: int) -> Callable[[float], str]:
    """Labels with so many decimals."""
    return partial(_fixed, places)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values in [low, high] to positions in [0, length], in SVG units. `marked`: values that get a tick."""

    low: float
    high: float
    length: float
    marked: tuple[float, ...]
    label: Callable[[float], str]

    @classmethod
    def even(cls, low: float, high: float, length: float, places: int = 2) -> Scale:
        """Five ticks from end to end, with `places` decimals."""
        marked = tuple(low + (high - low) * i / 4 for i in range(5))
        return cls(low, high, length, marked, decimals(places))

    def at(self, value: float) -> float:
        """The position of `value`; beyond the ends it stays at the end."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.length * min(1.0, max(0.0, share)), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Positions with their labels."""
        return [(self.at(value), self.label(value)) for value in self.marked]


def _fixed(places: int, value: float) -> str:
    return f"{value:.{places}f}"
