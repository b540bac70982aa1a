"""All that is wrong with a table's rows, gathered by kind: the first lines of each, and how many more."""

from __future__ import annotations

from service.core.errors import ErrorCollector, InputError, TableError
from service.core.files import Source

LINES_NAMED = 20
"""Of each kind of fault."""


class _Kind:
    def __init__(self, first: InputError) -> None:
        self.first = first
        self.reason = first.reason
        self.lines: list[int] = []
        self.count = 0

    def error(self, file: Source, unit: str) -> InputError:
        if self.count == 1:
            return self.first
        lines = ", ".join(map(str, self.lines))
        if more := self.count - len(self.lines):
            lines += f" and {more:,} more"
        error = type(self.first)(f"{file} {unit}s {lines}: {self.reason}")
        error.line, error.reason = self.first.line, self.reason
        return error


class RowFaults:
    """Gathers faults of rows. `unit`: what the numbers count, `line` or `row`."""

    def __init__(self, file: Source, unit: str = "line") -> None:
        self._file = file
        self.unit = unit
        self._kinds: dict[tuple[type[InputError], str], _Kind] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, error: InputError) -> None:
        """Keep an error of one line."""
        kind = self._kinds.setdefault((type(error), error.reason), _Kind(error))
        kind.count += 1
        if error.line is not None and len(kind.lines) < LINES_NAMED:
            kind.lines.append(error.line)

    def cell(self, line: int, column: str, reason: str) -> None:
        """Keep a fault of one cell. The reason may be told better at the end (`explain`)."""
        self.add(TableError.of_line(self._file, line, f": column {column!r} {reason}", unit=self.unit))

    def explain(self, column: str, reason: str, better: str) -> None:
        """Say `better` of the cells of a column that are faults for `reason`."""
        kind = self._kinds.get((TableError, f"column {column!r} {reason}"))
        if kind is not None and kind.first.line is not None:
            kind.reason = f"column {column!r} {better}"
            kind.first = TableError.of_line(self._file, kind.first.line, f": {kind.reason}", unit=self.unit)

    def into(self, errors: ErrorCollector) -> None:
        """Put one error of each kind into `errors`."""
        for kind in self._kinds.values():
            with errors:
                raise kind.error(self._file, self.unit)
