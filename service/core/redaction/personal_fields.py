"""Personal fields: a label such as "Date of birth", and the value that belongs to it.

A value stands behind a colon, in the label's own cell ("Sex Male | Nationality Spanish"), on the next line, or in a
column of values below a column of labels. The lists say what a label is (`personal_fields.csv`) and which words values
hold (`personal_values.csv`). A label that means other things too ("Visa", "Kids", "Race") counts only before a value
that looks like one of its field, or beside other fields. Words that need no label ("Married.") count in the personal
section and beside fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple, cast

from service.core.redaction.layout import HEADER_CHARACTERS, Line
from service.core.redaction.lexicon import short_table
from service.core.redaction.personal_values import FIELD_WORDS, VALUE_WORDS, loose_value, strict_value
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold, read_words

Form = Literal["own", "shared", "context"]
"""`own`: the label means nothing else. `shared`: it does. `context`: so much so that other fields must stand beside it."""

_CATEGORY: dict[str, Category] = {
    "birth_date": "age",
    "age": "age",
    "sex": "gender",
    "marital_status": "family",
    "children": "family",
    "relatives": "name",
    "nationality": "origin",
    "birth_place": "origin",
    "visa": "origin",
    "passport": "origin",
    "ethnicity": "origin",
    "religion": "religion",
}


class _Label(NamedTuple):
    """A label at [start, end) of a line; its value begins at `value`. `colon`: something like one stands between."""

    start: int
    end: int
    value: int
    field: str
    form: Form
    colon: bool
    opens_cell: bool


class _Value(NamedTuple):
    """The end of a value, and whether its words are those of values of the field."""

    end: int
    strict: bool


class _Field(NamedTuple):
    """[start, end) of line `at`. `sure`: it needs no other fields beside it."""

    at: int
    start: int
    end: int
    field: str
    sure: bool


def _read_labels() -> dict[str, list[tuple[tuple[str, ...], str, Form]]]:
    labels: dict[str, list[tuple[tuple[str, ...], str, Form]]] = {}
    for row in short_table("personal_fields.csv"):
        words = tuple(read_words(row["label"]).folded)
        labels.setdefault(words[0], []).append((words, row["field"], cast(Form, row["form"])))
    for phrases in labels.values():
        phrases.sort(key=lambda phrase: -len(phrase[0]))
    return labels


_LABELS = _read_labels()

_SECTIONS = frozenset({"personal", "contact"})
_LETTER_OF_SEX = frozenset("mfwd")
_UNSURE_ALONE = frozenset(
    "single engaged separated relationship partnership bachelor m f d w man woman other".split()
)
"""Words of values that mean other things too where no label stands before them."""

_FIRST_WORDS = frozenset(_LABELS)
_LOOSE_WORDS = frozenset(
    (VALUE_WORDS["marital_status"] | VALUE_WORDS["sex"] | {"citizen", "national", "resident"})
    - _LETTER_OF_SEX
)
_OPENERS = (
    VALUE_WORDS["marital_status"]
    | VALUE_WORDS["sex"]
    | FIELD_WORDS["nationality"]
    | VALUE_WORDS["country_glue"]
    | {"happily", "un"}
)
_SEPARATOR = re.compile(
    r"(?:\s?\([^()\n]{0,24}\))?[*_\"'”]{0,3}(?:\s{0,40}[:：=](?:-)?|\s{1,40}[-–—](?=\s))[*_\"'“]{0,3}\s{0,128}"
)
_GAP = re.compile(r"[ \t]{0,3}[*_]{0,3}(?:\|\s{0,3}|[ \t]{1,128}(?:\|\s{0,3})?)")
_BETWEEN_WORDS = re.compile(r"[ ./_'’&-]{0,4}")
_CELL_BEFORE = re.compile(r"(?:^|[|•·;,\t({/*>#▪●]|  |[.:] |\s[-–—])[\s*_#>•▪●·\"'-]{0,12}$")
_CELL_AFTER = re.compile(r"[\s*_\"'.,)]{0,12}(?:$|[|•·;,/\t(){}]|  |\. )")

_WINDOW = 3
"""Lines before and behind a line in which another field is its context."""

_PLACE = re.compile(r"(?:[^\W\d_a-z][\w'’-]{1,30}+(?:,? (?=[^\W\d_a-z]))?){1,5}+(?![ ]?[\w:])")
"""Words with capitals behind "Place of birth", up to the end of the cell."""

_WIDE_CELL = re.compile(r"\S{1,40}(?: \S{1,40}){0,5}")
_SHORT_LINE = 160
"""Characters of a line of the header that lists what a person is: "male, 34, German"."""

_CELL = re.compile(r"[^|•·;,\t.()/]{1,120}")


def find_personal_fields(lines: Sequence[Line], words: Sequence[Words]) -> list[Span]:
    """The values of personal fields. `words` are those of each line, by places in it."""
    fields: list[_Field] = []
    labels: dict[int, list[_Label]] = {}
    for at, line in enumerate(lines):
        if not _FIRST_WORDS.isdisjoint(words[at].folded):
            labels[at] = list(_labels_in(line.text, words[at]))
            fields += _in_line(at, line.text, labels[at])
            fields += _in_columns(at, line.text, labels[at])
    fields += _below(lines, labels)
    sure = sorted({field.at for field in fields if field.sure})
    kept = [
        field
        for field in fields
        if field.sure or lines[field.at].section == "personal" or _near(field.at, sure)
    ]
    for at, line in enumerate(lines):
        if not _LOOSE_WORDS.isdisjoint(words[at].folded):
            kept += _without_label(at, line, in_context=line.section in _SECTIONS or _near(at, sure))
    return [_span(lines[field.at], field) for field in kept]


def _span(line: Line, field: _Field) -> Span:
    category = _CATEGORY[field.field]
    start, end = field.start, field.end
    while end > start and line.text[end - 1] in " \t.,;*_":
        end -= 1
    return Span(
        line.start + start, line.start + end, category, TOKENS[category], reason=f"field.{field.field}"
    )


def _near(at: int, places: Sequence[int]) -> bool:
    return any(abs(place - at) <= _WINDOW for place in places[:200])


def _labels_in(text: str, words: Words) -> Iterator[_Label]:
    free = 0  # the first word that no label holds yet
    for i in [i for i, word in enumerate(words.folded) if word in _LABELS]:
        if i < free:
            continue
        length, field, form = _phrase_at(i, text, words)
        if length:
            free = i + length
            start, end = words.starts[i], words.ends[i + length - 1]
            if _in_compound(text, start):
                continue
            if text[end : end + 1] == "." and text[end + 1 : end + 2] in " :":
                end += 1
            separator = _SEPARATOR.match(text, end)
            before_value = separator or _GAP.match(text, end)
            value = before_value.end() if before_value else end
            opens = _CELL_BEFORE.search(text, max(0, start - 16), start) is not None
            yield _Label(start, end, value, field, form, separator is not None, opens)


def _phrase_at(i: int, text: str, words: Words) -> tuple[int, str, Form]:
    """How many words of a label begin at word `i`, its field and its form; no words if none does."""
    for phrase, field, form in _LABELS.get(words.folded[i], ()):
        length = len(phrase)
        if length == 1 or (
            tuple(words.folded[i : i + length]) == phrase
            and all(
                _BETWEEN_WORDS.fullmatch(text, words.ends[j], words.starts[j + 1])
                for j in range(i, i + length - 1)
            )
        ):
            return length, field, form
    return 0, "", "own"


def _in_compound(text: str, start: int) -> bool:
    """True if the word at `start` is the last part of another: "faith-based" has none, "non-age" has."""
    before = text[start - 1] if start else " "
    return before.isalnum() or (before in "-_/@'’" and start > 1 and text[start - 2] != " ")


def _in_line(at: int, text: str, labels: Sequence[_Label]) -> Iterator[_Field]:
    """Fields whose value stands behind the label."""
    done = 0  # where the last value ended
    limits = _next_colon_labels(labels, len(text))
    for i, label in enumerate(labels):
        if label.field == "other":
            continue
        limit = limits[i]
        if label.value >= limit:
            continue
        chained = bool(done) and not text[done : label.start].strip(" ,.")
        if not (label.colon or label.opens_cell or chained):
            continue
        value = _value(label, text, limit)
        if value is None:
            continue
        ends_cell = _CELL_AFTER.match(text, value.end) is not None or any(
            not text[value.end : other.start].strip(" ,.")
            for other in labels[i + 1 : i + 3]
            if other.start >= value.end
        )
        if label.colon:
            if label.form != "own" and not ends_cell:
                continue
            sure = label.form == "own" or (label.form == "shared" and value.strict)
            if label.field == "marital_status" and value.strict:
                sure = sure or _says_so("marital_status", text[label.value : value.end], in_context=False)
        elif value.strict and ends_cell:
            sure = label.form == "own" or label.field in ("sex", "age")
        else:
            continue
        yield _Field(at, label.value, value.end, label.field, sure)
        done = value.end


def _in_columns(at: int, text: str, labels: Sequence[_Label]) -> Iterator[_Field]:
    """Fields of a text that lost its line breaks: several labels in a row, then as many values with gaps between."""
    i = 0
    while i < len(labels):
        stop = i + 1
        while stop < len(labels) and labels[stop - 1].colon and labels[stop].start == labels[stop - 1].value:
            stop += 1
        if stop - i > 1 and labels[stop - 1].colon:
            cells = [
                match.span()
                for match in islice(_WIDE_CELL.finditer(text, labels[stop - 1].value), stop - i + 2)
            ]
            for label in labels[i:stop]:
                for cell in cells if _is_open(label, text, cells) else []:
                    end = strict_value(label.field, text, *cell)
                    if end is not None and not any(map(str.isalnum, text[end : cell[1]])):
                        yield _Field(at, cell[0], end, label.field, sure=True)
                        cells.remove(cell)
                        break
        i = stop


def _is_open(label: _Label, text: str, cells: Sequence[tuple[int, int]]) -> bool:
    """False if an earlier pass found the value of `label`, whose token stands in one of `cells`."""
    if label.field == "other":
        return False
    return all(TOKENS[_CATEGORY[label.field]] not in text[start:end] for start, end in cells)


def _next_colon_labels(labels: Sequence[_Label], end: int) -> list[int]:
    """Where the next label with a colon begins, of each label; `end` where there is none."""
    limits = [end] * len(labels)
    for i in range(len(labels) - 2, -1, -1):
        limits[i] = labels[i + 1].start if labels[i + 1].colon else limits[i + 1]
    return limits


def _value(label: _Label, text: str, limit: int) -> _Value | None:
    end = strict_value(label.field, text, label.value, limit)
    if end is not None:
        return _Value(end, strict=True)
    if not label.colon:
        is_name = _PLACE.match(text, label.value, limit) if label.field == "birth_place" else None
        return None if is_name is None else _Value(is_name.end(), strict=True)
    end = loose_value(label.field, text, label.value, limit)
    return None if end is None else _Value(end, strict=False)


def _below(lines: Sequence[Line], labels: dict[int, list[_Label]]) -> Iterator[_Field]:
    """Fields whose values stand on the lines below: after one label, or after a column of labels."""
    alone = {
        at: found[0]
        for at, found in labels.items()
        if (len(found) == 1 and _is_alone(lines[at].text, found[0]))
    }
    done = -1
    for at in alone:
        if at <= done:
            continue
        column = [alone[at]]
        while at + len(column) in alone:
            column.append(alone[at + len(column)])
        done = at + len(column) - 1
        values = range(done + 1, min(done + 1 + len(column) + (2 if len(column) > 1 else 0), len(lines)))
        free = [i for i in values if not lines[i].heading]
        many = len(column) > 1
        for j, label in enumerate(column):
            if label.field == "other":
                continue
            token = TOKENS[_CATEGORY[label.field]]
            if any(token in lines[i].text for i in values):
                continue  # an earlier pass found it
            aligned = done + 1 + j
            for i in ([aligned] if aligned in free else []) + [i for i in free if many and i != aligned]:
                field = _whole_line(i, lines[i].text, label, aligned=i == aligned)
                if field is not None:
                    free.remove(i)
                    yield field
                    break


def _is_alone(text: str, label: _Label) -> bool:
    return not any(map(str.isalnum, text[: label.start])) and not any(map(str.isalnum, text[label.value :]))


def _whole_line(at: int, text: str, label: _Label, *, aligned: bool) -> _Field | None:
    start = len(text) - len(text.lstrip(" \t*_:-•"))
    end = strict_value(label.field, text, start, len(text))
    if end is not None and not any(map(str.isalnum, text[end:])):
        return _Field(at, start, end, label.field, label.form == "own" or label.colon)
    if not aligned or label.form != "own":
        return None
    end = loose_value(label.field, text, start, len(text))
    if end is None or any(map(str.isalnum, text[end:])) or "@" in text:
        return None
    return _Field(at, start, end, label.field, sure=False)


def _without_label(at: int, line: Line, *, in_context: bool) -> Iterator[_Field]:
    """Cells and sentences that are nothing but such a value: "Married.", "male, 34, German"."""
    found: list[_Field] = []
    for match in _CELL.finditer(line.text):
        cell = match[0]
        if _OPENERS.isdisjoint(fold(cell).split(maxsplit=1)[:1]):
            continue
        start = match.start() + len(cell) - len(cell.lstrip())
        for field in ("marital_status", "sex", "nationality"):
            end = strict_value(field, line.text, start, match.end())
            if end is None or any(map(str.isalnum, line.text[end : match.end()])):
                continue
            found.append(
                _Field(at, start, end, field, _says_so(field, line.text[start:end], in_context=in_context))
            )
            break
    several = (
        len(line.text) <= _SHORT_LINE
        and (line.section in _SECTIONS or (line.section == "header" and line.start < HEADER_CHARACTERS))
        and len({field.field for field in found if field.end - field.start > 1}) > 1
    )
    yield from (field for field in found if field.sure or several)


def _says_so(field: str, value: str, *, in_context: bool) -> bool:
    """True if a value tells its field by itself."""
    words = set(read_words(value).folded)
    match field:
        case "marital_status":
            return in_context or not (words & VALUE_WORDS["marital_status"]) <= _UNSURE_ALONE
        case "sex":
            return in_context and not words <= _UNSURE_ALONE
        case "nationality":
            return bool(words & VALUE_WORDS["country"]) and bool(
                words & {"citizen", "national", "citizenship"}
            )
        case _:
            return False
