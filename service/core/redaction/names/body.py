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
from service.core.redaction.names.word_lists import CREDENTIALS, MONTHS, PLACES, STOP_WORDS, THING_NOUNS

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

_SHORT = 40
_LISTED = re.compile(r"(?:[A-Z][\w'’.&-]{0,25}|&|of|and|the)(?: (?:[A-Z][\w'’.&-]{0,25}|&|of|and|the)){0,5}")
_RECOMMENDATION = re.compile(r"recommend|referred|endorsed", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r"[,.;!](?:\s|$)| (?:and|for|as|to)\b|\n|$")
_PUBLISHER_BEHIND = re.compile(r",\s{1,2}(?:19|20)\d\d\b|:\s")
_PUBLISHER_BEFORE = re.compile(r"[^\W\d_]: {1,2}$")
_HOUSE_NUMBER = re.compile(r"\b\d{1,5}[ \t]{1,2}$")
_QUOTES = ('"', "”", "»", "’", "“")
_RECOMMENDS = re.compile(
    r"\b(?:worked|works|managed|manages|reported|reports|mentor(?:ed|s)?|studied|taught|supervised|recommend(?:ed|s)?|"
    r"colleague|client|peer|senior to|junior to|same team)\b"
)
_FIRM_LABEL = re.compile(
    r"(?<!\w)(?:client|company|employer|organi[sz]ation|project|customer|account|firm|vendor|product|tool|bank|brand|store)s?"
    r"(?:[ ]name)?[ ]{0,3}(?::[-–]?|[-–](?=[ ]))[ ]{0,4}$",
    re.IGNORECASE,
)
_FIRMS_LISTED = re.compile(
    r"\b(?:clients?|customers|accounts|vendors|brands|firms|companies|employers|banks|retailers|stores)[ ]"
    r"(?:includ(?:e[ds]?|ing)|such as|like|are|were)[ :]{1,2}[^.;\n]{0,110}$",
    re.IGNORECASE,
)
_LABEL_ENDS = (":", "-", "–")
_SUCH_AS = ("nclu", "such as", "like", "are", "were")
"""One of these stands in what the pattern above finds."""

_ENTRY_BEFORE = re.compile(
    r"(?:^|[\n.!?|•·)\]]\s{0,2}|\s\s|(?:19|20)\d\d\s{1,2}|[Pp]resent\s{1,2}|\b(?:[Ee]xperience|EXPERIENCE|[Hh]istory|HISTORY)\s{1,2})$"
)
_PLACE_BEHIND = re.compile(r"(?:['’]s)?\s{0,2}[,|(–—-]")
_ITEM_BEFORE, _ITEM_BEHIND = (
    re.compile(r"(?:[•*·▪,;/]|^-|\n-)\s{0,2}$"),
    re.compile(r"\s{0,2}(?:$|[\n•·▪,;/])"),
)
_PERIOD = re.compile(
    r"\b(?:19|20)\d\d\s{0,2}(?:[-–—]|to|till|until)\s{0,2}(?:\d{1,2}[/.]|[a-z]{3,9}\.?\s)?"
    r"(?:(?:19|20)\d\d|present|current|now|till|date|today)\b",
    re.IGNORECASE,
)
_HYPHENS = ("-", "‐", "‑", "–")
_WORDS_BEFORE_THING = 3
_NEAR_WORDS, _NEAR = 5, 150
"""Words and characters on either side of a name that say whether a person bears it; no rule looks farther."""

_LEGAL_FORMS = frozenset({"limited", "ltd", "inc", "plc", "llc", "gmbh", "corporation"})
"""No post begins so, even behind a gap."""

_SHOPS = frozenset(
    "clinic clinics hospital hospitals pathlabs restaurant restaurants bakery salon pharmacy diner pub grill kitchen cafe "
    "foods store stores hotel pizza bbq deli motors jewelers".split()
)
_POST_SIGN = re.compile(r"\s{0,2}[(@:–—-]")
_AMONG = (", ", "; ", " and ", ", and ", " & ", "/", " / ", " | ")
_BEFORE_THING = (" ", "'s ", "’s ", "' ", "’ ", "-")
_JOINED_BEFORE = re.compile(r"(?:&|\bthe|\bThe|\ban?|\bour)\s{0,2}$")
_JOINED_BEHIND = re.compile(r"\s?&\s?[A-Z]|\s?[®™]")
_ABBREVIATION = re.compile(r"\s{0,2}\(([A-Z]{2,6})\)")
_SEPARATED = re.compile(r"\s{0,2}(?:$|[,/|;:(\n–—]|\s-\s|-\s|\s{2})")
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
            if candidate is not None and (len(candidate) > 1 or resume.is_name_word(candidate.first)):
                yield from found_if_name(resume, candidate, "name.form", need=0.5, own=True, placed=True)
        case "person_label":
            yield from _after_person_label(resume, cue, offset)
        case "introduction":
            candidate = resume.placed_candidate_at(at, most=4)
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
            yield from found_if_name(resume, candidate, "name.last_line", need=3.5, own=False)


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
            and not _means_no_person(resume, candidate, meant)
            and not (resume.lines[at].section == "experience" and _opens_entry(resume, candidate))
            and not (resume.lines[at].section == "skills" and _is_item(resume, candidate))
        ):
            found.append(candidate)
    for candidate in found:
        if tuple(resume.folded[candidate.first : candidate.stop]) not in employers:
            yield from found_if_name(resume, candidate, "name.prose", need=4.0, own=False)


def _means_no_person(
    resume: ParsedResume, candidate: NameCandidate, known: dict[tuple[object, ...], bool]
) -> bool:
    """True if a thing, a publisher, a house or an employer bears the name. `known`: answers so far.

    The answer follows from the characters and words around the name, which a long line may repeat thousands
    of times: where they are the same and no tool or employer is among them, it is looked up.
    """
    first, stop = max(0, candidate.first - _NEAR_WORDS), min(candidate.stop + _NEAR_WORDS, len(resume.starts))
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    left = max(0, min(start - _NEAR, resume.starts[first] - 1))
    right = max(end + _NEAR, resume.ends[stop - 1] + 1)
    key: tuple[object, ...] | None = None
    if resume.protected_phrases.isdisjoint(range(first, stop)):
        key = resume.text[left:right], start - left, end - left, left == 0, right >= len(resume.text)
        if key in known:
            return known[key]
    answer = (
        names_a_thing(resume, candidate)
        or _is_publisher_or_house(resume, candidate)
        or _names_an_employer(resume, candidate)
    )
    if key is not None:
        known[key] = answer
    return answer


def names_a_thing(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True if the words around a name say that a firm, a law, a prize or a method is called so."""
    text, start = resume.text, resume.starts[candidate.first]
    end = resume.ends[candidate.stop - 1]
    if (
        len(candidate) == 2
        and text[resume.ends[candidate.first] : resume.starts[candidate.stop - 1]] in _HYPHENS
    ):
        return True  # Dodd-Frank, Gale-Shapley
    if _JOINED_BEFORE.search(text[max(0, start - 6) : start]) or _JOINED_BEHIND.match(text[end : end + 4]):
        return True
    abbreviation = _ABBREVIATION.match(text, end, end + 10)
    if abbreviation is not None:  # "Nordic Yusen Kaisha (NYK)", and not "Jane Doe (CEO)"
        initials = "".join(resume.folded[i][0] for i in range(candidate.first, candidate.stop))
        if abbreviation[1].lower() == initials:
            return True
    after = candidate.stop
    most = min(after + _WORDS_BEFORE_THING, len(resume.folded))
    if after < most and resume.folded[after] in _LEGAL_FORMS and text[end : resume.starts[after]] == "  ":
        return True
    if _is_shop(resume, after):
        return True  # "Dr. Batra's Clinic"
    while after < most and text[end : resume.starts[after]] in _BEFORE_THING:
        if resume.folded[after] in THING_NOUNS:
            return True  # "Robert Wood Foundation", "King Fahad International Airport"
        if not resume.capitalised[after]:
            return False
        end = resume.ends[after]
        after += 1
    return False


def _is_shop(resume: ParsedResume, after: int) -> bool:
    """True if words [after, after + 2) are the "'s Clinic" of a firm that is called by its owner's name."""
    if after + 1 >= len(resume.folded) or resume.folded[after] != "s" or not resume.capitalised[after + 1]:
        return False
    joints = resume.text[resume.ends[after - 1] : resume.starts[after + 1]]
    return joints in ("'s ", "’s ") and resume.folded[after + 1] in _SHOPS


def _stands_among_firms(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True in "John Deere, Massey Ferguson" and "Massey Ferguson and John Deere", beside firms or methods that are known.

    "Sarah Holt, Morgan Stanley" is a person with an employer, and so is one with a post behind.
    """
    before = candidate.first - 1
    if before > 0 and resume.folded[before] == "and":
        before -= 1
    after = candidate.stop
    if after < len(resume.folded) and resume.folded[after] == "and":
        after += 1
    first, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    if after in resume.protected_phrases and resume.text[end : resume.starts[after]] in _AMONG[1:]:
        return True
    if before not in resume.protected_phrases or resume.text[resume.ends[before] : first] not in _AMONG:
        return False
    return _POST_SIGN.match(resume.text, end, end + 4) is None and not any(
        resume.folded[i] in STOP_WORDS
        for i in range(candidate.stop, min(candidate.stop + 3, len(resume.folded)))
    )


def _is_publisher_or_house(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True for the publisher in "New York: Marcel Dekker, 2010" and for the building "703 Clark Hall"."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 8) : start]
    if resume.folded[candidate.stop - 1] in THING_NOUNS and _HOUSE_NUMBER.search(before):
        return True
    city = resume.folded[candidate.first - 1] if candidate.first else ""
    return (
        city in PLACES
        and _PUBLISHER_BEFORE.search(before) is not None
        and _PUBLISHER_BEHIND.match(resume.text[end : end + 8]) is not None
    )


def _names_an_employer(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True behind "Client name:", before a post, and where a place and a period of work follow.

    As in "Reese Holt, Leeds, 2010 - 2014" at the start of an entry, also in a text that lost its line breaks.
    """
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 150) : start]
    # Plain looks come first: a long line holds thousands of names.
    if before.rstrip().endswith(_LABEL_ENDS) and _FIRM_LABEL.search(before, max(0, len(before) - 30)):
        return True
    if any(word in before for word in _SUCH_AS) and _FIRMS_LISTED.search(before):
        return True
    after = candidate.stop
    if (
        resume.is_followed_by_capital(candidate)
        and resume.folded[after] in STOP_WORDS
        and all(resume.folded[i] in resume.lexicon.english for i in range(candidate.first, candidate.stop))
    ):
        return True  # "Summer Camp Director"
    if _stands_among_firms(resume, candidate):
        return True
    behind = resume.text[end : end + 80].partition("\n")[0]
    return (
        _PLACE_BEHIND.match(behind) is not None
        and _PERIOD.search(behind) is not None
        and _ENTRY_BEFORE.search(before, max(0, len(before) - 14)) is not None
    )


def _opens_entry(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True at the start of a line, or behind a wide gap, unless a person acts there: an employer stands there."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 2) : start]
    opens = not before or before.endswith("\n") or before == "  " or before in ("• ", "- ", "* ")
    return (
        opens
        and not resume.precedes_person_verb(candidate)
        and _SEPARATED.match(resume.text[end : end + 4]) is not None
    )


def _is_item(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True if a bullet or a comma stands before and nothing else behind: in a list of skills a method's name."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    return (
        _ITEM_BEFORE.search(resume.text[max(0, start - 4) : start]) is not None
        and _ITEM_BEHIND.match(resume.text[end : end + 4]) is not None
    )


def _given_names(resume: ParsedResume) -> list[int]:
    """Indices of the words that could be given names."""
    known, folded, protected = resume.lexicon.given_names, resume.folded, resume.protected
    return [
        i
        for i, capitalised in enumerate(resume.capitalised)
        if capitalised
        and folded[i] in known
        and i not in protected
        and resume.lexicon.is_given_name(folded[i])
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
