"""The data summary as JSON and as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from service.core.files import write_private
from service.core.html import template_environment
from training.data.example import DataError
from training.data.explore import LENGTH_EDGES, DataSummary, Lengths, Rate

WIDTH = 420
"""Plot width in SVG units; the labels' column is beside it."""

_HISTOGRAM_HEIGHT = 70


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar of a histogram: x, y, width and height in SVG units, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    words: str
    count: int


def data_json(summary: DataSummary) -> str:
    """The whole summary as JSON: numbers and names of groups, no text."""
    document = {"evenmatch": metadata.version("evenmatch"), "summary": asdict(summary)}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def data_html(summary: DataSummary) -> str:
    """The report with plots: label rates by group with intervals, lengths by split."""
    rates = [balance.label.high for split in summary.splits for balance in split.groups]
    most = max([high for high in rates if high is not None], default=1.0)
    return (
        template_environment("training.data")
        .get_template("data.html.j2")
        .render(
            summary=summary,
            version=metadata.version("evenmatch"),
            width=WIDTH,
            height=_HISTOGRAM_HEIGHT,
            scale=min(1.0, most * 1.05) or 1.0,
            bars=_bars,
            percent=_percent,
            interval=_interval,
            categories=sorted({c for r in summary.redactions for c in r.mean_by_category}),
        )
    )


def write_data_report(summary: DataSummary, path: Path) -> None:
    """Write `path`: HTML, or JSON if it ends in .json. Raises `DataError` if it cannot be written."""
    text = data_json(summary) if path.suffix.lower() == ".json" else data_html(summary)
    try:
        write_private(path, text)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from None


def _bars(lengths: Lengths) -> list[_Bar]:
    highest = max(lengths.histogram) or 1
    width = WIDTH / len(lengths.histogram)
    edges = [*map(str, LENGTH_EDGES), ""]
    return [
        _Bar(
            x=round(i * width + 1, 1),
            y=round(_HISTOGRAM_HEIGHT * (1 - count / highest), 1),
            width=round(width - 2, 1),
            height=round(_HISTOGRAM_HEIGHT * count / highest, 1),
            words=edges[i],
            count=count,
        )
        for i, count in enumerate(lengths.histogram)
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"  # noqa: RUF001  # the dash of our reports


def _interval(rate: Rate) -> str:
    if rate.low is None or rate.high is None:
        return "–"  # noqa: RUF001
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"
