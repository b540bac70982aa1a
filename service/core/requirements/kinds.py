"""The kinds of hard facts, what a posting asks for, and what a resume says to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal["licence", "certification", "degree", "years", "language", "right_to_work", "shift", "place"]
"""`licence`: a licence or registration without which the work may not be done; `years`: of experience, at least;
`right_to_work`: also citizenship and clearance; `shift`: times of work and its extent; `place`: being there,
moving, travelling."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Found = Literal["yes", "no", "unknown"]

MAX_TEXT = 200
"""Characters of a requirement's text."""

MAX_REQUIREMENTS = 50
"""Of one posting; those beyond are left out."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One hard fact in a posting.

    `text`: the posting's own words, at most `MAX_TEXT` characters, from `start` on in the normalised posting.
    `required`: False if it is only preferred. `names`: of licences, certifications and languages, any of which
    will do; empty if the posting says no more than "licence". `level` and `fields`: of a degree. `years`: the
    fewest that are asked for, and `subject`, what of, empty if of work as such. `lenient`: something else will do as
    well ("or equivalent"), or later ("able to obtain"), so that its absence proves nothing.
    """

    kind: Kind
    text: str
    start: int
    required: bool
    names: tuple[str, ...] = ()
    level: int = 0
    fields: tuple[str, ...] = ()
    years: float = 0.0
    subject: tuple[str, ...] = ()
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a resume says to a requirement.

    `places`: characters [start, end) of the resume's text that say so. "unknown" wherever silence proves nothing.
    """

    found: Found
    places: tuple[tuple[int, int], ...] = field(default=())
