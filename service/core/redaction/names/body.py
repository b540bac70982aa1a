"""Names outside the header: after context cues, as signatures, in prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.context_cues import CUE_ORDER, ContextCue
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.things import is_item, means_no_person, names_a_thing, opens_entry
from service.core.redaction.names.word_lists import CREDENTIALS, MONTHS, PLACES, STOP_WORDS

_BRACED = re.compile(r"\{([^{}\n]{1,60})\}")
_VALUE = re.compile(r"[^\n|;,\[:]{2,40}")
_OF_A_RELATIVE = re.compile(r"father|mother|spouse|husband|wife|guardian", re.IGNORECASE)
_SURE = re.compile(r"name|appelle|heiße|chiamo|llamo|called", re.IGNORECASE)
_COLON = re.compile(r"[:=：]|/s/")
_OPENS_LINE = re.compile(r"(?:^|[\n|•;*])[ \t]{0,4}(?:[-–][ \t]{0,4})?$")
_SOMEBODY_S = re.compile(
    r"\b(?:my|our|his|her|their|under|thesis|by|reporting|line)[ \t]{1,2}(?:[a-z]{2,12}[ \t])?$",
    re.IGNORECASE,
)
_MAY_BE_A_POST = re.compile(r"(?:manager|author|contact|guide|mentor|advis[eo]r|supervisor)\b", re.IGNORECASE)
_DOUBTFUL_TITLES = frozenset({"MS", "Hon", "Col", "Maj", "Lt", "Fr", "Capt", "Madame"})
"""Without a dot: "Hon" and "MS" stand before other words too."""

_MICROSOFT = (
    "office",
    "word",
    "excel",
    "access",
    "powerpoint",
    "outlook",
    "visio",
    "project",
    "windows",
    "dos",
    "sql",
)
"""Behind "MS" and "Ms.", however they are run together: "Ms. OfficeEducation"."""

_DECLARES = re.compile(
    r"\b(?:hereby|declare|above (?:information|details|particulars|mentioned|furnished)|best of my knowledge)\b|^\W{0,3}(?:place|date)\s{0,3}:",
    re.IGNORECASE,
)
"""What stands above the name that signs an Indian resume."""

_GAP_BEHIND = re.compile(r"(?:\s\s|\t|[:：])$")
_SHORT = 40
_LISTED = re.compile(r"(?:[A-Z][\w'’.&-]{0,25}|&|of|and|the)(?: (?:[A-Z][\w'’.&-]{0,25}|&|of|and|the)){0,5}")
_RECOMMENDATION = re.compile(r"recommend|referred|endorsed", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r"[,.;!](?:\s|$)| (?:and|for|as|to)\b|\n|$")
_QUOTES = ('"', "”", "»", "’", "“")
_RECOMMENDS = re.compile(
    r"\b(?:worked|works|managed|manages|reported|reports|mentor(?:ed|s)?|studied|taught|supervised|recommend(?:ed|s)?|"
    r"colleague|client|peer|senior to|junior to|same team)\b"
)


_YEAR_BEHIND = re.compile(r"[.,]?\s{0,2}['’]?\d")
_YEAR_OR_PRESENT = re.compile(r"\b(?:19|20)\d\d\b|\b[Pp]resent\b")


class FoundName(NamedTuple):
    """Words that are a name. `own`: it is that of the person whose resume this is.

    `reason`: the rule that found it. `spreads`: its parts are names elsewhere in the text too.
    """

    candidate: NameCandidate
    own: bool
    reason: str = "name"
    spreads: bool = True


def cued_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Names that a context cue announces, those of the surest kinds first."""
    placed = [
        (line.start, cue)
        for line, features in zip(resume.lines, resume.features, strict=True)
        for cue in features.cues
    ]
    for offset, cue in sorted(placed, key=lambda pair: CUE_ORDER[pair[1].kind]):
        yield from _after_cue(resume, cue, offset)


def _after_cue(resume: ParsedResume, cue: ContextCue, offset: int) -> Iterator[FoundName]:
    at = offset + cue.end
    match cue.kind:
        case "latex":
            for part in _BRACED.finditer(cue.written):
                candidate = resume.candidate_at(offset + cue.start + part.start(1), most=6, strict=False)
                if candidate is not None and not resume.holds_stop_word(candidate):
                    yield FoundName(candidate, own=True, reason="name.latex")
        case "label":
            candidate = resume.candidate_at(at, most=6, strict=False)
            if candidate is None or resume.holds_stop_word(candidate, placed=True):
                candidate = _field_value(resume, at)
            if candidate is not None:
                own = not _OF_A_RELATIVE.search(cue.written)
                yield FoundName(candidate, own, reason="name.label")
        case "form":
            at += len(resume.text[at : at + 4]) - len(resume.text[at : at + 4].lstrip())
            candidate = resume.placed_candidate_at(at, most=6)
            if candidate is not None and _fills_field(resume, cue, candidate):
                yield from found_if_name(resume, candidate, "name.form", need=0.5, own=True, placed=True)
        case "person_label":
            yield from _after_person_label(resume, cue, offset)
        case "introduction":
            candidate = resume.placed_candidate_at(at, most=6)
            sure = _SURE.search(cue.written) is not None or _is_introduced(resume, candidate)
            need = -1.0 if sure else 1.0
            yield from found_if_name(resume, candidate, "name.introduction", need=need, own=True, placed=True)
        case "honorific":
            yield from _after_honorific(resume, cue, offset)
        case "relation" | "companion":
            recommends = _RECOMMENDATION.search(cue.written) is not None
            find = resume.placed_candidate_at if recommends else resume.candidate_at
            candidate = find(at, most=4)
            if (
                candidate is not None
                and len(candidate) >= 2
                and not names_a_thing(resume, candidate)
                and not _is_date(resume, candidate)
            ):
                need = 2.0 if cue.kind == "relation" else 3.5
                if recommends and _is_introduced(resume, candidate):
                    need = -1.0
                yield from found_if_name(
                    resume, candidate, f"name.{cue.kind}", need=need, own=False, placed=recommends
                )
        case "attribution":
            yield from _after_dash(resume, cue, offset)


def _fills_field(resume: ParsedResume, cue: ContextCue, candidate: NameCandidate) -> bool:
    """True for two words behind a field of a form, or for one that is known; after one blank they end the line."""
    if _GAP_BEHIND.search(cue.written) is None:
        end = resume.ends[candidate.stop - 1]
        return len(candidate) > 1 and not resume.text[end : end + 40].partition("\n")[0].strip(" .)")
    return len(candidate) > 1 or resume.is_name_word(candidate.first)


def _is_introduced(resume: ParsedResume, candidate: NameCandidate | None) -> bool:
    """True for "I am Wanjiru Samba, and": a clause ends behind two words of which the first means nothing else.

    An initial may stand between them.
    """
    if candidate is None or len(candidate) not in (2, 3):
        return False
    initial = len(candidate) == 3 and len(resume.folded[candidate.first + 1]) == 1
    if len(candidate) == 3 and not initial:
        return False
    first, end = candidate.first, resume.ends[candidate.stop - 1]
    return (
        resume.folded[first] not in resume.lexicon.english
        and resume.folded[first] not in PLACES
        and resume.folded[candidate.stop - 1] not in CREDENTIALS
        and first not in resume.protected
        and first not in resume.protected_phrases
        and not resume.written[first].isupper()
        and (initial or _CLAUSE_ENDS.match(resume.text, end, end + 6) is not None)
    )


def _after_person_label(resume: ParsedResume, cue: ContextCue, offset: int) -> Iterator[FoundName]:
    """Behind a colon a name; else only what is surely one, for "Account Manager Johnson Controls" is a post."""
    colon = _COLON.search(cue.written) is not None
    at = offset + cue.end
    candidate = resume.placed_candidate_at(at, most=5) if colon else resume.candidate_at(at, most=5)
    if candidate is None or _is_date(resume, candidate):
        return
    if colon:
        one_word = len(candidate) == 1
        if not (one_word and resume.is_followed_by_capital(candidate)):
            need = 2.0 if one_word else 1.0
            yield from found_if_name(
                resume,
                candidate,
                "name.person_label",
                need=need,
                own=False,
                placed=True,
                spreads=not one_word,
            )
        return
    start = offset + cue.start
    before = resume.text[max(0, start - 20) : start]
    if len(candidate) < 2 or names_a_thing(resume, candidate):
        return
    end = resume.ends[candidate.stop - 1]
    rest = resume.text[end : end + 30].split("\n", 1)[0]
    if _OPENS_LINE.search(before):
        # "Manager - Deutsche Bahn, 2014" is a post; "Reporting manager - ..." announces somebody.
        is_post = _MAY_BE_A_POST.match(cue.written) is not None
        sure = resume.is_full_name(candidate) if is_post else any(map(resume.is_name_word, range(*candidate)))
        need, may_be = 2.5, sure and not _YEAR_OR_PRESENT.search(rest)
    else:
        need, may_be = 3.5, _SOMEBODY_S.search(before) is not None
    if may_be:
        yield from found_if_name(resume, candidate, "name.person_label", need=need, own=False)


def _after_honorific(resume: ParsedResume, cue: ContextCue, offset: int) -> Iterator[FoundName]:
    """Mr Park. "Hon", "Col", "Madame" and "MS" are other things too, so the word after them must be a name."""
    candidate = resume.candidate_at(offset + cue.end, most=4)
    if candidate is None or (len(candidate) == 1 and len(resume.folded[candidate.first]) == 1):
        return
    if resume.protected_phrases.issuperset(range(*candidate)):
        return
    title = cue.written.strip()
    if title.rstrip(".").lower() == "ms" and resume.folded[candidate.first].startswith(_MICROSOFT):
        return
    doubtful = title in _DOUBTFUL_TITLES
    if doubtful and (len(candidate) == 1 or title == "MS") and names_a_thing(resume, candidate):
        return
    need = 2.0 if doubtful else 0.0
    placed = not doubtful
    if len(candidate) == 1 and resume.starts[candidate.first] > 0 and names_a_thing(resume, candidate):
        return
    spreads = len(candidate) > 1 or resume.lexicon.is_surname(resume.folded[candidate.first]) or not doubtful
    yield from found_if_name(
        resume, candidate, "name.honorific", need=need, own=False, placed=placed, spreads=spreads
    )


def _after_dash(resume: ParsedResume, cue: ContextCue, offset: int) -> Iterator[FoundName]:
    """Who wrote a recommendation: "- Gabriel G., IT specialist, worked with ..." under what is in quotes."""
    candidate = resume.candidate_at(offset + cue.end, most=4, strict=False)
    if candidate is None or resume.holds_stop_word(candidate) or names_a_thing(resume, candidate):
        return
    start = offset + cue.start
    before = resume.text[max(0, start - 4) : start].rstrip()
    end = resume.ends[candidate.stop - 1]
    rest = resume.text[end : end + 200].split("\n", 1)[0]
    quoted = before.endswith(_QUOTES)
    if not quoted and not _RECOMMENDS.search(rest):
        return
    need = 0.5 if quoted else 1.5
    yield from found_if_name(
        resume, candidate, "name.attribution", need=need, own=False, placed=True, spreads=len(candidate) > 1
    )


def closing_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Signatures after "Sincerely" and the like, and a name that stands alone in the last line."""
    for i, features in enumerate(resume.features[:-1]):
        if features.is_closing:
            line = resume.lines[i + 1]
            start = line.start + len(line.text) - len(line.text.lstrip())
            candidate = resume.placed_candidate_at(start, most=4)
            whole = candidate is not None and resume.ends[candidate.stop - 1] >= start + len(
                line.text.strip()
            )
            need = -1.0 if whole else 0.5
            yield from found_if_name(resume, candidate, "name.signature", need=need, own=True, placed=True)
    last = next((line for line in reversed(resume.lines) if not line.heading), None)
    if last is not None and len(resume.lines) > 3 and len(last.text) < 40:
        start = last.start + len(last.text) - len(last.text.lstrip(" \t(-–—~*_"))
        candidate = resume.candidate_at(start, most=4)
        if (
            candidate is not None
            and len(candidate) > 1
            and not any(ch.isalpha() for ch in resume.text[resume.ends[candidate.stop - 1] : last.end])
            and not _ends_a_list(resume, last)
        ):
            need = 0.5 if any(_DECLARES.search(line.text) for line in resume.lines[-6:-1]) else 3.5
            yield from found_if_name(
                resume, candidate, "name.last_line", need=need, own=False, placed=need < 1
            )


def _ends_a_list(resume: ParsedResume, last: Line) -> bool:
    """True if the two lines right above are as short and hold words in capitals only: the last of many employers."""
    above = resume.lines[:-1][-2:] if resume.lines[-1] is last else []
    if last.section == "references" or len(above) < 2 or above[1].end + 1 != last.start:
        return False
    return above[0].end + 1 == above[1].start and all(
        not line.heading and len(line.text) < _SHORT and _LISTED.fullmatch(line.text.strip()) is not None
        for line in above
    )


def prose_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Given name and surname side by side in prose; not in lists, and not where an employer stands."""
    line_starts = [line.start for line in resume.lines]
    employers: set[tuple[str, ...]] = set()
    found: list[NameCandidate] = []
    at, is_prose, next_line = -1, False, 0
    meant: dict[tuple[object, ...], bool] = {}
    for i in _given_names(resume):
        if resume.starts[i] >= next_line:  # once a line: a long one holds thousands of names
            at = bisect_right(line_starts, resume.starts[i]) - 1
            is_prose = _is_prose(resume.lines[at])
            next_line = line_starts[at + 1] if at + 1 < len(line_starts) else len(resume.text)
        follows = resume.follows_preposition(i)
        if not is_prose and not follows:
            continue
        candidate = resume.candidate_at(resume.starts[i], most=4)
        if (
            candidate is None
            or len(candidate) < 2
            or not resume.lexicon.is_surname(resume.folded[candidate.stop - 1])
        ):
            continue
        if resume.follows_employer_preposition(i):
            employers.add(tuple(resume.folded[candidate.first : candidate.stop]))
        if (
            is_prose
            and not follows
            and not means_no_person(resume, candidate, meant)
            and not (resume.lines[at].section == "experience" and opens_entry(resume, candidate))
            and not (resume.lines[at].section == "skills" and is_item(resume, candidate))
        ):
            found.append(candidate)
    for candidate in found:
        if tuple(resume.folded[candidate.first : candidate.stop]) not in employers:
            yield from found_if_name(resume, candidate, "name.prose", need=4.0, own=False)


def _given_names(resume: ParsedResume) -> list[int]:
    """Indices of the words that could be given names."""
    known, protected, is_given_name = (
        resume.lexicon.given_names,
        resume.protected,
        resume.lexicon.is_given_name,
    )
    return [
        i
        for i, (capitalised, word) in enumerate(zip(resume.capitalised, resume.folded, strict=True))
        if capitalised and word in known and i not in protected and is_given_name(word)
    ]


def found_if_name(
    resume: ParsedResume,
    candidate: NameCandidate | None,
    reason: str,
    *,
    need: float,
    own: bool,
    placed: bool = False,
    spreads: bool = True,
) -> Iterator[FoundName]:
    """`candidate` as a name, or nothing if it is none: its score must reach `need`."""
    if candidate is not None and resume.is_name(candidate, need=need, placed=placed):
        yield FoundName(candidate, own, reason, spreads)


def _is_date(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True for "Jun 2010", "Dec'05" and "May to July"."""
    first = resume.folded[candidate.first]
    end = resume.ends[candidate.first]
    return first in MONTHS and (
        len(candidate) == 1 or _YEAR_BEHIND.match(resume.text[end : end + 8]) is not None
    )


def _field_value(resume: ParsedResume, start: int) -> NameCandidate | None:
    """What follows "Name:" in small letters or in a script without capitals."""
    value = _VALUE.match(resume.text, start, start + 41)
    if value is None or any(ch.isdigit() for ch in value[0]):
        return None
    inside = resume.words_in(start, start + len(value[0].rstrip()))
    if not 1 <= len(inside) <= 5 or any(resume.folded[i] in STOP_WORDS for i in inside):
        return None
    return NameCandidate(inside[0], inside[-1] + 1)


def _is_prose(line: Line) -> bool:
    if line.heading or (line.section == "experience" and _is_entry(line.text)):
        return False
    is_list = line.text.count(",") > 4 and line.section != "references" and ". " not in line.text
    return not is_list


def _is_entry(line: str) -> bool:
    """A line that names a post or an employer: short, or with years."""
    return len(line.split()) <= 8 or _YEAR_OR_PRESENT.search(line) is not None
