"""What words that are written as a name are if they are no person: firms, shops, publishers, methods and prizes."""

from __future__ import annotations

import re

from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.word_lists import PLACES, STOP_WORDS, THING_NOUNS

_PUBLISHER_BEHIND = re.compile(r",\s{1,2}(?:19|20)\d\d\b|:\s")
_PUBLISHER_BEFORE = re.compile(r"[^\W\d_]: {1,2}$")
_HOUSE_NUMBER = re.compile(r"\b\d{1,5}[ \t]{1,2}$")
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
_OPENS_ITEM = re.compile(r"(?:[•*·▪,;/|\n\t:]|^-|\n-|\s\s)\s{0,2}$")
_ITEM_BEHIND = re.compile(r"\s{0,2}(?:$|[\n•·▪,;/|\t(]|\s\s)")
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
_BEHIND_A_POST = (", ", " | ", " - ", " – ", " — ", "  ", ": ")
_BEFORE_THING = (" ", "'s ", "’s ", "' ", "’ ", "-")
_JOINED_BEFORE = re.compile(r"(?:&|\bthe|\bThe|\ban?|\bour)\s{0,2}$")
_JOINED_BEHIND = re.compile(r"\s?&\s?[A-Z]|\s?[®™]")
_ABBREVIATION = re.compile(r"\s{0,2}\(([A-Z]{2,6})\)")
_SEPARATED = re.compile(r"\s{0,2}(?:$|[,/|;:(\n–—]|\s-\s|-\s|\s{2})")


def means_no_person(
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
    last = resume.folded[candidate.stop - 1]
    if len(candidate) > 1 and last in THING_NOUNS and last not in resume.lexicon.surnames:
        return True  # "Murphy Oil"
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
        and (
            _ENTRY_BEFORE.search(before, max(0, len(before) - 14)) is not None
            or _stands_behind_a_post(resume, candidate)
        )
    )


def _stands_behind_a_post(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True in "Reader, Ernst Klett, Leeds 2014 - 2016" and "Welder | Ernst Klett | Leeds"."""
    before = candidate.first - 1
    return (
        before >= 0
        and resume.capitalised[before]
        and (resume.folded[before] in STOP_WORDS or resume.folded[before] in resume.lexicon.english)
        and not resume.is_name_word(before)
        and resume.text[resume.ends[before] : resume.starts[candidate.first]] in _BEHIND_A_POST
    )


def opens_entry(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True at the start of a line, or behind a wide gap, unless a person acts there: an employer stands there."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 2) : start]
    opens = not before or before.endswith("\n") or before == "  " or before in ("• ", "- ", "* ")
    return (
        opens
        and not resume.precedes_person_verb(candidate)
        and _SEPARATED.match(resume.text[end : end + 4]) is not None
    )


def is_item(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True for a method's or a product's name in a list of skills: alone in its line, its cell or behind a bullet."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 4) : start]
    opens = not before or _OPENS_ITEM.search(before) is not None
    return opens and _ITEM_BEHIND.match(resume.text[end : end + 4]) is not None
