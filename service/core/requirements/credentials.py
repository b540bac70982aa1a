"""Licences and certifications by the names in `lexicons/credentials.csv`, and languages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.scanning import scan
from service.core.requirements.kinds import Kind

_ROWS = short_table("credentials.csv")
_KIND: dict[str, Kind] = {row["name"]: cast(Kind, row["kind"]) for row in _ROWS}


def _is_acronym(written: str) -> bool:
    return " " not in written and sum(ch.isupper() for ch in written) > 1


_BY_WRITTEN: dict[str, tuple[str, bool]] = {}
for _row in _ROWS:
    _key = _row["written"] if _is_acronym(_row["written"]) else _row["written"].lower()
    _BY_WRITTEN[_key] = (_row["name"], bool(_row["cue"]))
_ACRONYMS = scan(rf"(?<![\w+]){any_of(w for w in _BY_WRITTEN if _is_acronym(w))}(?![\w+]|[-/]?\d)")
_PHRASES = scan(rf"(?<![\w]){any_of(w for w in _BY_WRITTEN if not _is_acronym(w))}(?![\w])")

LANGUAGES = frozenset(
    """english spanish french german mandarin cantonese chinese japanese korean portuguese italian russian arabic hindi urdu punjabi gujarati
    bengali marathi tamil telugu kannada malayalam polish dutch swedish norwegian danish finnish turkish vietnamese tagalog creole hebrew farsi persian
    somali romanian bulgarian greek czech hungarian ukrainian thai welsh gaelic hmong indonesian malay swahili""".split()
)
_LANGUAGES = scan(rf"\b(?:{any_of(LANGUAGES)}|american sign language|british sign language)\b")


@dataclass(frozen=True, slots=True)
class Credential:
    """Characters [start, end) of a text. `needs_cue`: the name alone may be a job title or a firm's."""

    start: int
    end: int
    name: str
    kind: Kind
    needs_cue: bool


def credentials_in(text: str, small: str) -> Iterator[Credential]:
    """Licences and certifications in `text`, which is `small` in small letters and equally long."""
    for pattern, where in ((_ACRONYMS, text), (_PHRASES, small)):
        for match in pattern.finditer(where):
            name, needs_cue = _BY_WRITTEN[match[0]]
            yield Credential(match.start(), match.end(), name, _KIND[name], needs_cue)


def languages_in(small: str) -> Iterator[tuple[int, int, str]]:
    """Names of languages in a text in small letters, as start, end and name."""
    for match in _LANGUAGES.finditer(small):
        yield match.start(), match.end(), match[0]


_HIGHER: dict[str, tuple[str, ...]] = defaultdict(tuple)
_HIGHER.update(
    {
        "practical nurse": ("registered nurse", "nurse practitioner"),
        "nursing assistant": ("practical nurse", "registered nurse", "nurse practitioner"),
        "registered nurse": ("nurse practitioner",),
        "commercial driver": ("commercial driver, class A",),
        "driving licence": ("commercial driver", "commercial driver, class A"),
        "CAPM": ("PMP",),
        "CCNA": ("CCNP", "CCIE"),
        "CCNP": ("CCIE",),
        "Six Sigma green belt": ("Six Sigma black belt",),
        "Network+": ("CCNA", "CCNP", "CCIE"),
        "CPR": ("BLS", "ACLS"),
        "BLS": ("ACLS",),
        "first aid": ("CPR", "BLS"),
        "OSHA 10": ("OSHA 30",),
        "engineer in training": ("professional engineer",),
    }
)


def that_will_do(name: str) -> tuple[str, ...]:
    """The credentials that include what is asked for, itself first."""
    return (name, *_HIGHER[name])
