"""What stands in a label column -> match or not, and the grade behind it.

Without more being said: 0 and 1, true and false, or "No Fit", "Potential Fit" and "Good Fit". Data of one's
own say it in other words, on a scale, or as a score: `labels` maps words to numbers, and `label_cut` is the
number from which on a pair is a match.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from training.data.example import Grade

_GRADES: Mapping[str, Grade] = {
    "no fit": 0,
    "potential fit": 1,
    "good fit": 2,
    "0": 0,
    "1": 2,
    "0.0": 0,
    "1.0": 2,
    "false": 0,
    "true": 2,
    "no": 0,
    "yes": 2,
}
MISSING = frozenset({"", "nan", "none", "null", "na", "n/a"})
"""Cells that say nothing."""


def cell_text(cell: object) -> str | None:
    """The cell as text; None if it says nothing. Whole floats are integers that a reader widened."""
    if isinstance(cell, float) and not math.isnan(cell) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell).strip()
    return None if text.lower() in MISSING else text


class LabelError(Exception):
    """A cell that is no label. `args[0]` says what it must be, and never what it is."""


def label_key(cell: object) -> str:
    """A label as it is compared: without case, and with blanks for underscores and hyphens."""
    text = "" if cell is None else str(cell)
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split()) or text.strip()


def check_meanings(meanings: Mapping[str, float], cut: float | None) -> None:
    """Raise `ValueError` for a mapping by which no label, or every label, is a match."""
    keys = [label_key(name) for name in meanings]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"labels: {', '.join(repeated)} stands there twice (case and hyphens do not count)")
    if not meanings:
        return
    if cut is None and not set(meanings.values()) <= {0, 1}:
        raise ValueError(
            "labels: values are 0 and 1; for a scale give label_cut, from which on it is a match"
        )
    least = 1 if cut is None else cut
    if cut is None or len(meanings) > 1:
        matches = sum(value >= least for value in meanings.values())
        if matches in (0, len(meanings)):
            raise ValueError(
                f"labels: {'every' if matches else 'no'} label is a match, so there is one class"
            )


class MatchLabels:
    """Reads the cells of a label column. `potential_label`: what the grade in the middle counts as."""

    def __init__(
        self, meanings: Mapping[str, float], cut: float | None, potential_label: Literal[0, 1]
    ) -> None:
        self._meanings = {label_key(name): value for name, value in meanings.items()}
        self._names = dict(zip(self._meanings, meanings, strict=True))
        self._cut = cut
        self._of_grade = (0, potential_label, 1)
        self._seen: set[str] = set()

    def read(self, cell: Any) -> tuple[int, Grade] | None:
        """Label and grade; None if the cell says nothing. Raises `LabelError`."""
        key = label_key(cell)
        if key in self._meanings:
            self._seen.add(key)
            return self._of_value(self._meanings[key])
        if key in MISSING:
            return None
        if self._cut is not None:
            return self._of_value(self._number(str(cell)))
        if self._meanings:
            raise LabelError(f"must be one of {', '.join(self._names.values())} (data.files.labels)")
        grade = _GRADES.get(key)
        if grade is None:
            raise LabelError(
                "must be 0, 1, true, false, or No Fit, Potential Fit, Good Fit; `labels` says what other "
                "words mean, `label_cut` from which number on a pair is a match"
            )
        return self._of_grade[grade], grade

    @property
    def unseen(self) -> list[str]:
        """Names of `labels` that no cell had."""
        return [name for key, name in self._names.items() if key not in self._seen]

    def _of_value(self, value: float) -> tuple[int, Grade]:
        is_match = value >= (1 if self._cut is None else self._cut)
        return (1, 2) if is_match else (0, 0)

    def _number(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            more = f", or one of {', '.join(self._names.values())}" if self._names else ""
            raise LabelError(f"must be a number, since `label_cut` is given{more}")
        return number
