"""Reading takes time that grows with the length of a text and not faster, whatever the text holds.

Proved by counting, never by the clock (docs/adr/0015-bounded-text.md):

- slow: instructions executed for each generator of `hostile_texts`, counted by valgrind;
- fast: lines of Python executed for some of them, which sees loops and not what `re` does inside; and for
  `re` a rule that each pattern must keep: a repeat without an upper bound ends the pattern, repeats white
  space (whose runs are bounded), or stands in `ARGUED` with the reason why it does no harm.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType
from typing import Any

import pytest

import service.core
from service.core.redaction.redactor import Redactor
from service.core.redaction.scanning import Scan
from tests.service.core.counted_reading import read
from tests.support.hostile_texts import GENERATORS, PATTERNS

CHECKOUT = Path(__file__).resolve().parents[3]
SIZES = 10_000, 40_000
MOST_GROWTH = 4.8
"""Steps for four times the characters: 4 if they grow with the length, 16 if with its square."""

_ONE_ATTEMPT = "is matched at one place of a line only"
_SHORT = "reads a short text or window only"
_APART = "no two attempts read the same characters: each begins where another must have ended"
ARGUED = {
    "counterfactual.control._LIST_LINE": _ONE_ATTEMPT,
    "counterfactual.swaps._SECONDARY": _SHORT,
    "documents._NO_HYPHEN": _APART,
    "no_document._ADDRESS": _SHORT,
    "no_document._BASE64": _ONE_ATTEMPT,
    "no_document._HEX": _SHORT,
    "no_document._OBJECT": _SHORT,
    "no_document._TRACE": _SHORT,
    "no_document._XML_ERROR": _SHORT,
    "redaction.affinity_groups._AFFINITY": _APART,
    "redaction.age_and_family._FAMILY": _APART,
    "redaction.emails_and_links._LINK": _APART,
    "redaction.gender._PRONOUN": _APART,
    "redaction.graduation_years._GRADUATED": _APART,
    "redaction.graduation_years._SENTENCE": _APART,
    "redaction.headings._DECORATION_BEFORE": _SHORT,
    "redaction.headings._TAG": _SHORT,
    "redaction.identity_numbers._SEVEN_DIGITS": _ONE_ATTEMPT,
    "redaction.names.context_cues.CLOSING": _SHORT,
    "redaction.names.context_cues._INTRODUCTION": _APART,
    "redaction.names.context_cues._LABEL": _APART,
    "redaction.names.header._CITY_TAIL": _ONE_ATTEMPT,
    "redaction.names.header_line._FILE": _ONE_ATTEMPT,
    "redaction.names.header_line._PREFIX": _ONE_ATTEMPT,
    "redaction.names.profile._IN_ONE_LINE": _ONE_ATTEMPT,
    "redaction.origin_and_religion._ORIGIN": _APART,
    "redaction.personal_values._TOKEN": _APART,
    "redaction.phone_numbers._ENOUGH_DIGITS": _ONE_ATTEMPT,
    "redaction.photos._PHOTO": _APART,
    "redaction.schools._PATTERNS[3]": _APART,
    "redaction.words._ASCII_WORD": _APART,
    "redaction.words._WORD": _APART,
    "spreadsheets._BEFORE_FORMULA": _APART,
    "spreadsheets._LEADING": _ONE_ATTEMPT,
    "stuffing._IN_A_WORD": _APART,
    "stuffing._SENTENCES": _APART,
}
_LONG = 200
"""A repeat that may take more than so many is taken for unbounded."""


def _patterns() -> dict[re.Pattern[str], str]:
    """Every pattern that a module of the core holds, by the first name under which it is found."""
    found: dict[re.Pattern[str], str] = {}

    def look(value: object, name: str) -> None:
        if isinstance(value, re.Pattern):
            found.setdefault(value, name)
        elif isinstance(value, Scan):
            look(value.pattern, name)
        elif isinstance(value, tuple):
            for i, part in enumerate(value):
                look(part, f"{name}[{i}]")

    for module in pkgutil.walk_packages(service.core.__path__, "service.core."):
        if ".engines" in module.name or module.name == "service.core.base_model":
            continue  # they read models, not texts
        for name, value in vars(importlib.import_module(module.name)).items():
            look(value, f"{module.name.removeprefix('service.core.')}.{name}")
    return found


def _unbounded(tree: Any, *, at_end: bool) -> Iterator[str]:
    """Repeats without an upper bound that neither end the pattern nor repeat white space."""
    items = list(tree)
    for i, (kind, value) in enumerate(items):
        last = at_end and i == len(items) - 1
        if kind is c.BRANCH:
            for branch in value[1]:
                yield from _unbounded(branch, at_end=last)
        elif kind is c.SUBPATTERN:
            yield from _unbounded(value[3], at_end=last)
        elif kind is c.ATOMIC_GROUP:
            yield from _unbounded(value, at_end=last)
        elif kind in (c.ASSERT, c.ASSERT_NOT):
            yield from _unbounded(value[1], at_end=False)
        elif kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            _, most, repeated = value
            one = len(repeated) == 1 and repeated[0][0] in (c.IN, c.LITERAL, c.NOT_LITERAL, c.ANY)
            if (most is c.MAXREPEAT or most > _LONG) and not (one and (last or _is_blank(repeated[0]))):
                yield str(repeated)
            yield from _unbounded(repeated, at_end=False)


def _is_blank(item: Any) -> bool:
    kind, value = item
    if kind is c.LITERAL:
        return chr(value) in " \t"
    return kind is c.IN and all(
        part == (c.CATEGORY, c.CATEGORY_SPACE) or (part[0] is c.LITERAL and chr(part[1]) in " \t")
        for part in value
    )


def test_every_pattern_is_bounded_or_argued_for() -> None:
    patterns = _patterns()
    assert len(patterns) > 90
    found = {
        name
        for pattern, name in patterns.items()
        if any(_unbounded(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE), at_end=True))
    }

    assert found == set(ARGUED)


@pytest.mark.parametrize(
    "name",
    [
        "lines of one letter",
        "names",
        "names in lines",
        "titles",
        "mentions",
        "links between",
        "own names",
        "own initials",
        "own files",
        "own particles",
        "schools and tools",
        "mixed marks",
        "different words",
    ],
)
def test_loops_of_python_are_linear(name: str) -> None:
    redactor = Redactor()
    read("Jane Doe", redactor)

    few, many = (_lines_executed(GENERATORS[name](size), redactor) for size in (1_000, 4_000))

    assert many / few < MOST_GROWTH


def _lines_executed(text: str, redactor: Redactor) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(text, redactor)
    finally:
        sys.settrace(before)
    return count


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """Of each generator: what its text of either size takes. About ten minutes."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("valgrind, which counts instructions, is not installed")
    folder = tmp_path_factory.mktemp("counted")
    counter = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    program = [sys.executable, "-m", "tests.service.core.counted_reading", str(folder)]
    subprocess.run(
        [*counter, f"--log-file={folder}/%p", *program, *map(str, SIZES), "--", *GENERATORS],
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    children = json.loads((folder / "children.json").read_text())

    def spent(name: str, size: int) -> int:
        idle, reading = (_total(folder / str(pid)) for pid in children[f"{name}:{size}"])
        return reading - idle

    return {name: (spent(name, SIZES[0]), spent(name, SIZES[1])) for name in GENERATORS}


def _total(log: Path) -> int:
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATORS)
def test_instructions_grow_with_the_length(name: str, instructions: dict[str, tuple[int, int]]) -> None:
    few, many = instructions[name]

    assert many / few < MOST_GROWTH * SIZES[1] / SIZES[0] / 4


def test_there_are_generators_of_every_kind() -> None:
    assert len(PATTERNS) >= 105
