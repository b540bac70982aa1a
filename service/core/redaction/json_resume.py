"""Resumes that come as JSON: which values are personal by their place, and the same resume as plain text.

A text that follows the schema of jsonresume.org (an object with `basics`, or with two of its lists) is read by that
schema: `name` is a person's under `basics` and `references` only. Other JSON is read as lines of "key: value", in
which `name` is a person's where the object around it is one. Either way recognisers see the values in a text of their
own and never a key, quotation mark or bracket; what they find is brought back to the places in the JSON, which stays
JSON.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.core.redaction.headings import heading
from service.core.redaction.json_values import Container, JsonValue, Rendering, looks_like_json, read_values
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import PLACEHOLDER, Span, without_overlaps
from service.core.redaction.words import fold, read_words

_Lines = tuple[tuple[str, ...], ...]


class _Section(NamedTuple):
    """`lines`: the fields of an entry that share a line, in order; other fields have lines of their own."""

    heading: str
    lines: _Lines


_SECTIONS: dict[str, _Section] = {
    "basics": _Section("", (("name",), ("label",), ("email",), ("phone",), ("url", "website"), ("location",))),
    "work": _Section("Experience", (("position",), ("name", "company", "location"), ("startDate", "endDate"))),
    "volunteer": _Section("Volunteering", (("position",), ("organization",), ("startDate", "endDate"))),
    "education": _Section("Education", (("studyType", "area"), ("institution",), ("startDate", "endDate"), ("score",))),
    "awards": _Section("Awards", (("title", "awarder"), ("date",))),
    "certificates": _Section("Certifications", (("name", "issuer", "date"),)),
    "publications": _Section("Publications", (("name", "publisher"), ("releaseDate",))),
    "skills": _Section("Skills", (("name", "level", "keywords"),)),
    "languages": _Section("Languages", (("language", "fluency"),)),
    "interests": _Section("Interests", (("name", "keywords"),)),
    "references": _Section("References", (("name",), ("reference",))),
    "projects": _Section("Projects", (("name", "entity"), ("startDate", "endDate"), ("roles",))),
}  # fmt: skip
"""In the schema's order."""

_IN_ONE_LINE = frozenset({"keywords", "courses", "roles", "location", "profiles"})
_DATES = frozenset({"startDate", "endDate"})
_BY_SCHEMA: dict[tuple[str, ...], Category] = {
    ("basics", "name"): "name",
    ("basics", "email"): "email",
    ("basics", "phone"): "phone",
    ("basics", "url"): "link",
    ("basics", "website"): "link",
    ("basics", "image"): "photo",
    ("basics", "picture"): "photo",
    ("basics", "location"): "address",
    ("basics", "profiles", "username"): "link",
    ("basics", "profiles", "url"): "link",
    ("education", "institution"): "school",
    ("education", "startDate"): "graduation_year",
    ("education", "endDate"): "graduation_year",
    ("education", "url"): "link",
    ("references", "name"): "name",
    ("meta", "canonical"): "link",
}
_NOT_A_PERSON = frozenset(
    {
        *(("work", key) for key in ("name", "company", "position")),
        *(("volunteer", key) for key in ("organization", "position")),
        *(("education", key) for key in ("area", "studyType", "score")),
        *(("skills", key) for key in ("name", "level", "keywords")),
        *(("projects", key) for key in ("name", "entity", "keywords", "roles")),
        *(("interests", key) for key in ("name", "keywords")),
        *(("languages", key) for key in ("language", "fluency")),
        *(("certificates", key) for key in ("name", "issuer", "date")),
        *(("awards", key) for key in ("awarder", "date")),
        *(("publications", key) for key in ("publisher", "releaseDate")),
        *(
            (section, key)
            for section in ("work", "volunteer", "projects")
            for key in ("startDate", "endDate")
        ),
    }
)
"""Fields that hold an employer, a post, a skill or when that was."""

_NOT_OF_THINGS: frozenset[Category] = frozenset(
    {"address", "phone", "age", "graduation_year", "pronoun", "origin"}
)
"""What is not hidden in the name of an employer or a skill, however it looks."""

_PERSONS = frozenset(
    """basics person people candidate applicant personal personalinfo personalinformation personaldetails contact contactinfo
    contactinformation contactdetails contacts profile header me about employee user member reference references referee referees
    recommender recommendation recommendations supervisor manager author owner personname individual jobseeker identity general
    student bio""".split()
)
_THINGS = frozenset(
    """company companies employer employers organization organizations organisation organisations client clients customer
    customers skill skills project projects product products tool tools technology technologies certificate certificates
    certification certifications course courses award awards language languages interest interests hobby hobbies work job jobs
    experience experiences employment position positions location city country industry department team role title degree
    publication publications category categories volunteer volunteering business firm vendor society association""".split()
)
_SCHOOLS = frozenset("school university college institution institute schoolname universityname".split())
_FULL_NAMES = frozenset("name displayname formattedname legalname".split())
_PARTS_OF_NAMES = frozenset(
    """firstname lastname givenname familyname middlename surname forename fullname preferredname nickname maidenname
    candidatename applicantname vorname nachname nombre apellido apellidos prenom""".split()
)
_SIGNS_OF_PERSON = frozenset(
    "email emailaddress mail phone phonenumber mobile telephone tel birthdate dateofbirth dob gender nationality linkedin".split()
)
_SIGNS_OF_PACKAGE = frozenset("version dependencies scripts license devdependencies".split())
_ADDRESSES = frozenset("address location homeaddress postaladdress currentaddress residence".split())
_KEY_WORD = re.compile(r"[A-Z]{0,40}[a-z]{1,40}|[A-Z]{1,40}|[^\W_A-Za-z\d]{1,40}|\d{1,40}")


@dataclass(frozen=True, slots=True)
class JsonText:
    """`text`: the values of a JSON text, read as a resume. `to_source` brings back what was found in it."""

    text: str
    _rendering: Rendering
    _source: str
    _places: Sequence[tuple[int, int, JsonValue]]
    """Where the values stand in `text`, in order."""
    _is_schema: bool

    def to_source(
        self, found: Iterable[Span], own_name: Collection[str], categories: Collection[Category]
    ) -> list[Span]:
        """The spans to hide in the JSON: those `found` in `text`, and the values that are personal by their place.

        `own_name`: parts of the candidate's name, folded.
        """
        spans: list[Span] = []
        by_place: set[int] = set()
        for _, _, value in self._places:
            category = self._category(value)
            if category in categories and category is not None:
                by_place.add(value.start)
                spans += self._whole(value, category)
        starts = [start for start, _, _ in self._places]
        for span in found:
            for start, end, value in self._places[max(0, bisect_right(starts, span.start) - 1) :]:
                if start >= span.end:
                    break
                if end <= span.start or value.start in by_place:
                    continue
                part = max(start, span.start), min(end, span.end)
                written = self.text[slice(*part)]
                whole = part == (start, end)
                if self._is_thing(value) and not _may_hide_in_thing(span, value, written, whole, own_name):
                    continue
                place = self._rendering.to_source(*part)
                if place is None or not any(map(str.isalnum, written)):
                    continue
                if value.quoted:
                    spans.append(span._replace(start=place[0], end=place[1]))
                else:
                    spans.append(span._replace(start=value.start, end=value.end, token=f'"{span.token}"'))
        return without_overlaps(dict.fromkeys(spans))

    def _category(self, value: JsonValue) -> Category | None:
        if not self._is_schema:
            return _by_keys(value)
        return None if value.path[:2] in _NOT_A_PERSON else _by_schema(value) or _by_keys(value)

    def _is_thing(self, value: JsonValue) -> bool:
        if self._is_schema and value.path[:2] in _NOT_A_PERSON:
            return True
        return bool(value.path) and _plain(value.path[-1]) in _FULL_NAMES and not _names_person(value)

    def _whole(self, value: JsonValue, category: Category) -> Iterator[Span]:
        """What of `value` is no token of an earlier pass."""
        token, reason = TOKENS[category], "json.place"
        if not value.quoted:
            yield Span(value.start, value.end, category, f'"{token}"', reason=reason)
            return
        start = value.start
        for match in PLACEHOLDER.finditer(self._source, value.start, value.end):
            if any(map(str.isalnum, self._source[start : match.start()])):
                yield Span(start, match.start(), category, token, reason=reason)
            start = match.end()
        if any(map(str.isalnum, self._source[start : value.end])):
            yield Span(start, value.end, category, token, reason=reason)


def _may_hide_in_thing(
    span: Span, value: JsonValue, written: str, whole: bool, own_name: Collection[str]
) -> bool:
    if span.category == "school":
        return whole  # an employer that is a university, not a word of "Institute" in a firm's name
    if span.category == "name":
        return any(word in own_name for word in read_words(written).folded)
    if span.category == "gender":
        return value.path[-1] == "position"  # a salesman is a salesperson, a project's name stays
    return span.category not in _NOT_OF_THINGS


def read_json(text: str) -> JsonText | None:
    """`text` as recognisers should read it if it is JSON, or None. It may be cut off or not quite JSON."""
    if not looks_like_json(text):
        return None
    values, top_keys, end = read_values(text)
    if not values:
        return None
    is_schema = _is_resume(top_keys)
    writer = _Writer(text)
    (_write_by_schema if is_schema else _write_by_keys)(writer, values, labels=True)
    writer.rest(end, len(text))
    return JsonText(writer.rendering.text, writer.rendering, text, writer.places, is_schema)


def plain_text(text: str) -> str:
    """JSON, redacted or not, as its values without keys: a JSON Resume with headings and in the schema's order.

    Any other text comes back as it is.
    """
    if not looks_like_json(text):
        return text
    values, top_keys, end = read_values(text)
    if not values:
        return text
    writer = _Writer(text)
    (_write_by_schema if _is_resume(top_keys) else _write_by_keys)(writer, values, labels=False)
    writer.rest(end, len(text))
    return writer.rendering.text.strip()


def is_json_resume(text: str) -> bool:
    """True for an object with the sections of jsonresume.org."""
    if not looks_like_json(text):
        return False
    values, top_keys, _ = read_values(text)
    return bool(values) and _is_resume(top_keys)


def _is_resume(top_keys: Collection[str]) -> bool:
    return "basics" in top_keys or sum(key in top_keys for key in ("work", "education", "skills")) >= 2


class _Writer:
    """Puts values into a rendering and notes where each stands."""

    def __init__(self, source: str) -> None:
        self.rendering = Rendering(source)
        self.places: list[tuple[int, int, JsonValue]] = []

    def value(self, value: JsonValue) -> None:
        start = self.rendering.length
        self.rendering.add_string(value.start, value.end)
        self.places.append((start, self.rendering.length, value))

    def rest(self, start: int, end: int) -> None:
        """Text that follows the JSON: it is read as it stands."""
        if start < end:
            at = self.rendering.length
            self.rendering.add_plain(start, end)
            whole = JsonValue(start, end, True, (), (), Container(is_object=False, path=(), items=()))
            self.places.append((at, self.rendering.length, whole))

    def line(self, values: Iterable[JsonValue], label: str = "", separator: str = ", ") -> None:
        """One line of `values`, if there are any."""
        between = label
        empty = True
        for value in values:
            if between:
                self.rendering.add_text(between)
            self.value(value)
            between, empty = separator, False
        if not empty:
            self.rendering.add_text("\n")

    def heading(self, written: str) -> None:
        self.rendering.add_text(f"\n{written}\n" if written else "")


def _write_by_schema(writer: _Writer, values: Sequence[JsonValue], *, labels: bool) -> None:
    sections: dict[str, dict[int, dict[str, list[JsonValue]]]] = {name: {} for name in _SECTIONS}
    others: list[JsonValue] = []
    for value in values:
        if not value.path or value.path[0] not in sections:
            if value.path[:1] != ("$schema",) and (labels or value.path[:1] != ("meta",)):
                others.append(value)
            continue
        entry = value.items[0] if value.items and value.path[0] != "basics" else 0
        field = value.path[1] if len(value.path) > 1 else ""
        sections[value.path[0]].setdefault(entry, {}).setdefault(field, []).append(value)
    for name, section in _SECTIONS.items():
        entries = sections[name]
        if entries:
            writer.heading(section.heading)
        for i, fields in enumerate(entries.values()):
            if i and name not in ("skills", "languages", "interests"):
                writer.rendering.add_text("\n")
            _write_entry(writer, name, section.lines, fields, labels)
    _write_by_keys(writer, others, labels=labels)


def _write_entry(
    writer: _Writer, section: str, lines: _Lines, fields: dict[str, list[JsonValue]], labels: bool
) -> None:
    for line in lines:
        together = [value for field in line for value in fields.get(field, ())]
        is_name = labels and any(_by_schema(value) == "name" for value in together)
        writer.line(together, "Name: " if is_name else "", " - " if _DATES.issuperset(line) else ", ")
    shown = {field for line in lines for field in line}
    for field, values in fields.items():
        if field in shown:
            continue
        in_words = section != "basics" or field in ("summary", "profiles")
        label = "" if in_words or not labels else _label_of(values[0])
        if field in _IN_ONE_LINE:
            writer.line(values, label)
        else:
            for value in values:
                writer.line([value], label)


def _write_by_keys(writer: _Writer, values: Sequence[JsonValue], *, labels: bool) -> None:
    """Lines of "key: value" in the order of the text, with headings where a key is one."""
    opened: tuple[str, ...] = ()
    item: tuple[int, ...] = ()
    for value in values:
        path = value.path
        common = zip(path, opened, strict=False)
        depth = next((i for i, (a, b) in enumerate(common) if a != b), min(len(path), len(opened)))
        for key in path[depth:-1] if value.parent.is_object else path[depth:]:
            if heading(_label(key)) is not None:
                writer.heading(_label(key))
        if value.parent.is_object and (depth < len(path) - 1 or value.items != item):
            writer.rendering.add_text("\n")
        opened, item = path, value.items
        writer.line([value], _label_of(value) if labels else "")


def _label_of(value: JsonValue) -> str:
    """What stands before a value: nothing before items of lists and names of things."""
    if not value.path or not value.parent.is_object:
        return ""
    key = _plain(value.path[-1])
    if key in _FULL_NAMES or key in _PARTS_OF_NAMES:
        return "Name: " if _names_person(value) else ""
    return f"{_label(value.path[-1])}: "


def _by_schema(value: JsonValue) -> Category | None:
    for length in (3, 2):
        category = _BY_SCHEMA.get(value.path[:length])
        if category is not None:
            return category
    return None


def _by_keys(value: JsonValue) -> Category | None:
    if not value.path:
        return None
    key, around = _plain(value.path[-1]), _around(value)
    if key in _FULL_NAMES | _PARTS_OF_NAMES and around not in _SCHOOLS:
        return "name" if _names_person(value) else None
    if key in _SCHOOLS or (key in _FULL_NAMES and around in _SCHOOLS):
        return "school"
    if around in _ADDRESSES and (len(value.path) == 2 or _plain(value.path[-3]) in _PERSONS):
        return "address"
    return None


def _names_person(value: JsonValue) -> bool:
    """True if a value under `name` is that of a person: by the object around it, or by what else is in there."""
    key, around = _plain(value.path[-1]), _around(value)
    if around in _THINGS or around in _SCHOOLS:
        return key in _PARTS_OF_NAMES and around in ("work", "profile")
    if key in _PARTS_OF_NAMES or around in _PERSONS:
        return True
    if value.parent.plain_keys is None:
        value.parent.plain_keys = frozenset(map(_plain, value.parent.keys))
    beside = value.parent.plain_keys
    if not around and not value.items:
        return not beside & _SIGNS_OF_PACKAGE
    return bool(beside & (_SIGNS_OF_PERSON | _PARTS_OF_NAMES))


def _around(value: JsonValue) -> str:
    return _plain(value.path[-2]) if len(value.path) > 1 else ""


def _plain(key: str) -> str:
    return "".join(filter(str.isalpha, fold(key)))


def _label(key: str) -> str:
    """`dateOfBirth` and `date_of_birth` as "Date of birth"."""
    return " ".join(_KEY_WORD.findall(key[:100])).lower().capitalize()
