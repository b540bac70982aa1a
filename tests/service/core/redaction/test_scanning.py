"""A `Scan` finds what its pattern finds, for every pattern of redaction."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import service.core.redaction
from service.core.redaction.scanning import Scan, scan
from tests.support.hostile_texts import GENERATORS

RESUME = """Jane O'Neill, MSc
12 Old Oak Street, Springfield, IL 62704 | +1 (415) 555-0132 | jane.oneill@mail.example | linkedin.com/in/jane-oneill
Profile: https://example.org/~jane, GitHub: joneill, www.janeoneill.dev
SUMMARY
I am a nurse, mother of two children, and I worked with Dr. Amara Okafor. My name is Jane. Born on 3 May 1990, she/her.
EDUCATION
Bachelor of Science, University of Springfield, 2008-2012; graduated in 2012, Alpha Beta Society, St. Anna Church
EXPERIENCE
Reporting manager: Ravi Nair. Indian citizen, passport no. M1234567, SSN 078-05-1120, Hauptstraße 12, 10115 Berlin
Rue de la Paix 5, 75002 Paris, Calle Mayor 3, Blk 12 Bedok North Road 4, 3rd Avenue 5th, photo_jane.jpg, cv.pdf
"""


def _scans() -> Iterator[tuple[str, Scan]]:
    def look(value: object, name: str) -> Iterator[tuple[str, Scan]]:
        if isinstance(value, Scan):
            yield name, value
        elif isinstance(value, tuple):
            for i, part in enumerate(value):
                yield from look(part, f"{name}[{i}]")

    for module in pkgutil.walk_packages(service.core.redaction.__path__, "service.core.redaction."):
        for name, value in vars(importlib.import_module(module.name)).items():
            yield from look(value, f"{module.name.rpartition('.')[2]}.{name}")


SCANS = dict(_scans())
TEXTS = [
    RESUME,
    RESUME.upper(),
    RESUME.lower(),
    RESUME.replace("\n", " "),
    RESUME.replace("\n", "   "),
    RESUME.replace("i", "ı").replace("s", "ſ").replace("I", "İ"),
    *(generate(300) for generate in GENERATORS.values()),
]


def _found(matches: Iterator[re.Match[str]]) -> list[tuple[tuple[int, int], tuple[str | None, ...]]]:
    return [(match.span(), match.groups()) for match in matches]


@pytest.mark.parametrize("name", SCANS)
def test_a_scan_finds_what_its_pattern_finds(name: str) -> None:
    one = SCANS[name]
    for text in TEXTS:
        assert _found(one.finditer(text)) == _found(one.pattern.finditer(text))


def test_most_patterns_are_tried_at_their_beginnings_only() -> None:
    assert len(SCANS) > 80
    assert not [name for name, one in SCANS.items() if one.starts is None]


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (r"\b(?:the )?(?:red|green) hat", 0),
        (r"\b(?:the )?(?:red|green) hat", re.IGNORECASE),
        (r"(?i:the) hat|(?<!\w)a(?=\s\w)|hats?", 0),
        (r"^[^\w\n]*+hat", re.MULTILINE),
        (r"(?<![\w-])(?=[\w-]{2,9}+\.)[\w-]{1,9}+\.[a-z]", 0),
        (r"(?:(\w)\1|[^a-z])hat{2,}", re.IGNORECASE),
        (r"x?y?z?[\d:]{1,3}?h|\]|\^|[\]^-]\d", 0),
        (r"(?>ab|a)+?c|.\b", re.DOTALL),
    ],
)
def test_forms_of_patterns(pattern: str, flags: int) -> None:
    one = scan(pattern, flags)
    for text in (
        "The red hat, the green hat\n--hat a hatt THE RED HAT re.d pa-th.x",
        "aahat AAHATTT 1hatt xz1h :h ]2 ^3 -4 ababc aac\n\n.hat ſ ı",
        "",
    ):
        assert _found(one.finditer(text)) == _found(one.pattern.finditer(text))
        for start in range(len(text)):
            assert _found(one.finditer(text, start)) == _found(one.pattern.finditer(text, start))


def test_letters_that_are_the_same_but_for_case() -> None:
    assert [match[0] for match in scan("sikh", re.IGNORECASE).finditer("SIKH ſıKh sikh")] == [
        "SIKH",
        "ſıKh",
        "sikh",
    ]


def test_a_pattern_that_may_be_empty_is_left_to_re() -> None:
    one = scan(r"a*")

    assert one.starts is None
    assert _found(one.finditer("baab")) == _found(re.finditer(r"a*", "baab"))
    assert one.search("baab") is not None


def test_search_finds_the_first_from_a_place_on() -> None:
    one = scan(r"\bhats?\b")
    first, second = one.search("hat hats"), one.search("hat hats", 1)

    assert first is not None
    assert first.span() == (0, 3)
    assert second is not None
    assert second.span() == (4, 8)
    assert one.search("hat", 1) is None


def test_windows_hold_where_a_match_begins_and_not_where_it_ends() -> None:
    one = scan(r"\d{4}-\d{4}")
    text = "1234-5678 and 2345-6789"

    assert [match[0] for match in one.finditer_in(text, [(0, 1), (12, 15)])] == ["1234-5678", "2345-6789"]
    assert [match[0] for match in one.finditer_in(text, [(0, 1)])] == ["1234-5678"]
