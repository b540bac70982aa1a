"""Cells that no spreadsheet runs as a formula, and what stood in them before (OWASP, CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_FORMULA = (
    "=+\\-@"
    "\uff1d\uff0b\uff0d\uff20"  # full-width: Excel in East Asian languages reads them as the others
    "\ufe66\ufe62\ufe63\ufe6b"  # small forms
    "\u2212"  # minus sign
)
_BLANK = r"\s\x00-\x1f\u200b-\u200f\u2060\ufeff"
"""What a spreadsheet, or the parser in front of it, may take away: white space, controls, zero width."""

_LEADING = re.compile(rf"'*[\t\r\n]|['\"{_BLANK}]*[{_FORMULA}]")
_NOT_A_WORD = rf";|'\"{_BLANK}"
_BEFORE_FORMULA = re.compile(f"(?<![{_NOT_A_WORD}])[{_NOT_A_WORD}]+(?=[{_FORMULA}])")
_SEPARATOR = {True: re.compile(r"([;|\t\r\n])"), False: re.compile(r"([;|\t])")}
_QUOTED_SEPARATOR = re.compile(r"([;|\t\r\n])'")


def spreadsheet_safe(value: str | int | float | bool, *, lines: bool = True) -> str | int | float | bool:
    """A text that a spreadsheet could run as a formula gets a quote in front; numbers stay numbers.

    A quote also goes behind a semicolon, bar, tab or (with `lines`) line end within the text if a formula
    follows: where the system's list separator is another, a spreadsheet begins a cell there. `lines` is for
    ids; texts have list items ("- ...") on lines of their own. `cell_as_given` takes the quotes away.
    """
    if not isinstance(value, str):
        return value
    separator = _SEPARATOR[lines]
    safe = _BEFORE_FORMULA.sub(lambda found: separator.sub(r"\1'", found[0]), value)
    return f"'{safe}" if _LEADING.match(safe) else safe


def cell_as_given(cell: str) -> str:
    """The text that `spreadsheet_safe` made `cell` of; any other text as it is."""
    if "'" not in cell:
        return cell
    given = _BEFORE_FORMULA.sub(lambda found: _QUOTED_SEPARATOR.sub(r"\1", found[0]), cell)
    return given[1:] if given.startswith("'") and _LEADING.match(given, 1) else given


def csv_record(cells: Iterable[object]) -> str:
    """One record of CSV, which ends in a line feed; carriage returns in a cell are quoted, too."""
    record = io.StringIO(newline="")
    csv.writer(record).writerow(cells)  # quotes those of its own line end only, which is both
    return record.getvalue().removesuffix("\r\n") + "\n"
