"""What a resume says to the requirements of a posting, as the model reads it: redacted.

"no" is said only where the resume itself says less: lower degrees only, fewer years in its periods, a list of
licences or of languages in which this one is missing. Silence alone is "unknown", and so is whatever resumes do
not tell or redaction hides: the right to work, times of work and places.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice

from service.core.redaction.layout import Line, lines_of
from service.core.redaction.policy import TOKENS
from service.core.requirements.credentials import credentials_in, languages_in, that_will_do
from service.core.requirements.degrees import PURSUED, Degree, degrees_in
from service.core.requirements.employment import Employment, employment_in
from service.core.requirements.kinds import Evidence, Requirement
from service.core.requirements.wording import small_letters

_UNKNOWN = Evidence("unknown")
_MOST_PLACES = 5
_MOST_DEGREES = 200
"""Far more than anybody has: a text of nothing but degrees must not take long."""
_BESIDE = 40


@dataclass(frozen=True)
class ResumeFacts:
    """What is read in a resume once for all requirements. `today` is what "present" means."""

    text: str
    today: date

    @cached_property
    def small(self) -> str:
        return small_letters(self.text)

    @cached_property
    def lines(self) -> list[Line]:
        return lines_of(self.text)

    @cached_property
    def employment(self) -> Employment:
        return employment_in(self.text, self.small, self.today)

    @cached_property
    def degrees(self) -> list[Degree]:
        every = (one for one in degrees_in(self.text, self.small) if not self._is_pursued(one.start, one.end))
        return list(islice(every, _MOST_DEGREES))

    @cached_property
    def schools(self) -> int:
        """How often it names a school, also one that is hidden."""
        return len(_SCHOOLS.findall(self.small))

    @cached_property
    def pursued(self) -> int:
        """The highest degree that is not there yet, 0 if there is none."""
        every = degrees_in(self.text, self.small)
        return max((one.level for one in every if self._is_pursued(one.start, one.end)), default=0)

    @cached_property
    def credentials(self) -> dict[str, list[tuple[int, int]]]:
        """Places of each licence and certification, by name."""
        found: dict[str, list[tuple[int, int]]] = {}
        for one in credentials_in(self.text, self.small):
            if not self._is_pursued(one.start, one.end):
                found.setdefault(one.name, []).append((one.start, one.end))
        return found

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Licences and certifications that it names in any way, also those that are not there yet."""
        return frozenset(one.name for one in credentials_in(self.text, self.small))

    @cached_property
    def languages(self) -> dict[str, list[tuple[int, int]]]:
        """Places of each language that somebody seems to speak, by name."""
        found: dict[str, list[tuple[int, int]]] = {}
        listed = self._spans_under(_LANGUAGES)  # in order and apart
        starts = [first for first, _ in listed]
        for start, end, name in languages_in(self.small):
            around = self.small[max(0, start - _BESIDE) : end + _BESIDE]
            span = bisect_right(starts, start) - 1
            in_list = span >= 0 and start < listed[span][1]
            if in_list or _SPEAKS.search(around):
                found.setdefault(name, []).append((start, end))
        return found

    @cached_property
    def lists_languages(self) -> bool:
        """Whether it has a list of languages."""
        return any(
            next(languages_in(self.small[first:last]), None) is not None
            for first, last in self._spans_under(_LANGUAGES)
        )

    @cached_property
    def lists_credentials(self) -> bool:
        """Whether it has a list of licences or certifications that names one at least."""
        return any(
            next(credentials_in(self.text[first:last], self.small[first:last]), None) is not None
            for first, last in self._spans_under(_CREDENTIALS)
        )

    def _spans_under(self, heading: re.Pattern[str]) -> list[tuple[int, int]]:
        """What stands under headings, and behind labels at the beginning of a line, that `heading` matches."""
        spans: list[tuple[int, int]] = []
        open_from: int | None = None
        for line in self.lines:
            small = self.small[line.start : line.end]
            label = heading.match(small)
            is_heading = line.heading or (label is not None and label.end() == len(small))
            if open_from is not None and (is_heading or line.start - open_from > _LONGEST_LIST):
                spans.append((open_from, line.start))
                open_from = None
            if label is not None and is_heading:
                open_from = line.end
            elif label is not None and ":" in small[: label.end() + 1]:
                spans.append((line.start + label.end(), line.end))
        if open_from is not None:
            spans.append((open_from, min(len(self.text), open_from + _LONGEST_LIST)))
        return spans

    def _is_pursued(self, start: int, end: int) -> bool:
        before = re.split(r"[.;\n]", self.small[max(0, start - _BESIDE) : start])[-1]
        behind = re.split(r"[.;\n]", self.small[end : end + _BESIDE])[0]
        return PURSUED.search(before) is not None or _NOT_YET.search(behind) is not None


_LONGEST_LIST = 800
_LANGUAGES = re.compile(
    r"[\W_]{0,5}(?:spoken |foreign |known )?languages?(?: known| spoken| skills| proficiency| competenc(?:y|ies)| abilities)?\s{0,2}[:\-–]?\s{0,2}"
)
_CREDENTIALS = re.compile(
    r"[\W_]{0,5}(?:(?:professional|technical|other|relevant|nursing|current|additional|certifications?|licen[sc]es?|licensure|registrations?|training|credentials|qualifications|and|&|/|,) ?){0,4}"
    r"(?:certifications?|certificates|licen[sc]es?|licensure|registrations?|credentials|accreditations?)(?: (?:and|&) \w{4,15})?\s{0,2}[:\-–]?\s{0,2}"
)
_SPEAKS = re.compile(
    r"\bfluen|\bbi-?lingual|\bspe(?:ak|ech)|\bspoken|\bproficien|\bconversational|\bread\b|\bwrit|\blanguage|\bverbal|\bintermediate|\badvanced|\bbasic\b|\bc[12]\b|\bb[12]\b"
)
_NOT_YET = re.compile(
    r"^\W{0,3}(?:\w{1,15} ){0,3}(?:in progress|candidate|pending|expected|eligible|ongoing|pursuing)\b"
)


def evidence_for(requirements: Sequence[Requirement], resume: ResumeFacts) -> list[Evidence]:
    """What the resume says to each requirement, in their order."""
    return [_evidence(one, resume) for one in requirements]


def _evidence(requirement: Requirement, resume: ResumeFacts) -> Evidence:
    match requirement.kind:
        case "licence" | "certification":
            return _credential(requirement, resume)
        case "degree":
            return _degree(requirement, resume)
        case "years":
            return _years(requirement, resume)
        case "language":
            return _language(requirement, resume)
        case _:
            return _UNKNOWN


def _credential(requirement: Requirement, resume: ResumeFacts) -> Evidence:
    places = [
        place
        for name in requirement.names
        for held in that_will_do(name)
        for place in resume.credentials.get(held, ())
    ]
    if places:
        return Evidence("yes", tuple(sorted(places)[:_MOST_PLACES]))
    if not requirement.names or requirement.lenient or _NOBODY_LISTS.intersection(requirement.names):
        return _UNKNOWN
    if resume.lists_credentials and resume.mentioned.isdisjoint(requirement.names):
        return Evidence("no")
    return _UNKNOWN


_NOBODY_LISTS = frozenset(
    {"driving licence", "CPR", "first aid", "food safety", "notary", "forklift", "TWIC"}
)
"""Many have it and do not write it down."""


def _degree(requirement: Requirement, resume: ResumeFacts) -> Evidence:
    high = [one for one in resume.degrees if one.level >= requirement.level]
    if requirement.fields and requirement.level > 1:
        fitting = [one for one in high if _is_in(requirement.fields, one, resume.small)]
    else:
        fitting = high
    if fitting:
        return Evidence("yes", tuple(sorted((one.start, one.end) for one in fitting)[:_MOST_PLACES]))
    if high or requirement.lenient or not resume.degrees or resume.pursued >= requirement.level:
        return _UNKNOWN
    # An entry whose degree is not recognised may be the one that is asked for.
    if resume.schools > len({one.start for one in resume.degrees}):
        return _UNKNOWN
    return Evidence("no", tuple(sorted((one.start, one.end) for one in resume.degrees)[:_MOST_PLACES]))


_SCHOOLS = re.compile(
    rf"{re.escape(TOKENS['school'].lower())}|\b(?:university|college|institute|academy|polytechnic)\b"
)


def _is_in(fields: Sequence[str], degree: Degree, small: str) -> bool:
    """Whether one of the words of the fields stands beside the degree."""
    around = small[max(0, degree.start - _BESIDE) : degree.end + 2 * _BESIDE]
    return any(re.search(rf"\b{re.escape(word[: max(5, len(word) - 3)])}", around) for word in fields)


def _years(requirement: Requirement, resume: ResumeFacts) -> Evidence:
    work = resume.employment
    asked = requirement.years
    for stated in work.stated:
        if stated.years >= asked and (
            not requirement.subject or _is_about(requirement.subject, stated.around)
        ):
            return Evidence("yes", ((stated.start, stated.end),))
    places = tuple((period.start, period.end) for period in work.periods[:_MOST_PLACES])
    if not requirement.subject and work.least >= asked:
        return Evidence("yes", places)
    if not work.periods or requirement.lenient or work.most >= asked:
        return _UNKNOWN
    if any(stated.years >= asked for stated in work.stated):
        return _UNKNOWN
    return Evidence("no", places)


def _is_about(subject: Sequence[str], around: str) -> bool:
    """Whether half of the words that say what the years are to be of stand beside a statement of years."""
    there = sum(word in around for word in subject)
    return subject != ("related",) and 2 * there >= len(subject)


def _language(requirement: Requirement, resume: ResumeFacts) -> Evidence:
    places = [place for name in requirement.names for place in resume.languages.get(name, ())]
    if places:
        return Evidence("yes", tuple(sorted(places)[:_MOST_PLACES]))
    # Who writes in English may leave it out of a list of others.
    if (
        not requirement.names
        or requirement.lenient
        or "english" in requirement.names
        or not resume.lists_languages
    ):
        return _UNKNOWN
    return Evidence("no")


def passages_of(places: Sequence[tuple[int, int]], text: str, passages: Sequence[str]) -> tuple[int, ...]:
    """Indices of the passages (`split_passages` of `text`) that hold one of `places`, in order.

    A passage's words stand in the text in the same order, with bullets and breaks between them.
    """
    starts: list[int] = []
    at = 0
    for passage in passages:
        words = passage.split()
        first = text.find(words[0], at) if words else at
        if first < 0:
            return ()
        starts.append(first)
        at = first
        for word in words:
            found = text.find(word, at)
            if found < 0:
                return ()
            at = found + len(word)
    return tuple(
        sorted({bisect_right(starts, start) - 1 for start, _ in places if starts and start >= starts[0]})
    )
