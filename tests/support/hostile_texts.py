"""Texts made to be slow to read: each generator gives about as many characters as it is asked for.

Three kinds: runs of what Unicode has, beginnings of what the patterns of redaction look for (so that many
attempts start and none ends), and documents whose parts are many (lines, names, tokens).
"""

from __future__ import annotations

import random
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from functools import cache

Generator = Callable[[int], str]


def repeated(part: str) -> Generator:
    """`part` over and over."""
    return lambda n: (part * (n // len(part) + 1))[:n]


def framed(start: str, part: str, end: str) -> Generator:
    """`part` over and over between two others."""
    return lambda n: start + (part * (n // len(part) + 1))[: max(0, n - len(start) - len(end))] + end


def nested(opening: str, closing: str) -> Generator:
    """Half of the text opens, half closes."""
    return lambda n: opening * (n // (2 * len(opening))) + closing * (n // (2 * len(closing)))


def drawn(characters: str, seed: int) -> Generator:
    """Characters drawn at random, the same each time."""
    return lambda n: "".join(random.Random(seed).choices(characters, k=n))


@cache
def _by_category() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for character in map(chr, range(sys.maxunicode + 1)):
        found[unicodedata.category(character)].append(character)
    return found


@cache
def _of_category(category: str) -> str:
    """Up to 200 characters of one general category of Unicode, spread over the code points."""
    found = _by_category()[category]
    return "".join(found[:: max(1, len(found) // 200)])


CATEGORIES = "Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs"


def _of_all(category: str) -> Generator:
    return lambda n: repeated(_of_category(category))(n)


def _with_letters(category: str) -> Generator:
    return lambda n: "".join(pair for ch in repeated(_of_category(category))(n // 2) for pair in (ch, "a"))


_PERSON = "Jane Doe\njane.doe@mail.com | +1 415 555 0100\n"

PATTERNS: dict[str, Generator] = {
    # white space
    "blanks": framed("a", " ", "b"),
    "blanks before breaks": repeated(" " * 40 + "\n"),
    "blanks and words": repeated("a" + " " * 15),
    "wide spaces": framed("a", "\u3000\u2003\u00a0", "b"),
    "tabs": framed("a", "\t", "b"),
    "breaks": framed("a", "\n", "b"),
    "kinds of breaks": framed("a", "\u2028\u2029\x85\x0b\x0c", "b"),
    "lines of one letter": repeated("a\n"),
    "paragraphs of one letter": repeated("a\n\n"),
    "lines without words": repeated(".\n"),
    # marks and expansion
    "mixed marks": framed("a", "\u0301\u0323", "b"),
    "unsorted marks": framed("a", "\u0301\u0316\u0345\u05b0\u3099", "b"),
    "marks that are two": framed("a", "\u0344", "b"),
    "marks and format characters": framed("a", "\u0301\u200b\u0323\u200d", "b"),
    "marks on letters": repeated("e" + "\u0301\u0323" * 15),
    "ligature of eighteen": repeated("\ufdfa"),
    "ligatures": repeated("ﬃ㌀㏂"),
    "hangul": repeated("\u1112\u1161\u11ab"),
    "zero width": framed("a", "\u200b\u200d\ufeff", "b"),
    "flags": repeated("🇩🇪🏴󠁧󠁢"),
    # contact data
    "at signs": repeated("@"),
    "user names": repeated("a.b-"),
    "user names and at": repeated("a@"),
    "domains": repeated("a."),
    "domains and at": repeated("a@b."),
    "spelt-out addresses": repeated("a [at] b "),
    "links": repeated("http://"),
    "links with paths": repeated("linkedin.com/in/"),
    "slashes": repeated("/"),
    "handles": repeated("github: "),
    "handles of dots": framed("skills\ngithub: ", ".", " x"),
    "handles without end": framed("github", " ", ":"),
    "digits": repeated("1"),
    "grouped digits": repeated("12 34-"),
    "phones": repeated("+1 (415) "),
    "phone labels": repeated("tel. no. "),
    "short numbers": repeated("1 "),
    "streets": repeated("1 Main "),
    "street ends": repeated("12 Old Oak Elm Ash Street, "),
    "cities": repeated("Paris-"),
    "cities and commas": repeated("Paris, "),
    "states": repeated("Xa, CA "),
    "European streets": repeated("Via della "),
    "European numbers": repeated("12 rue "),
    "German streets": repeated("Aweg"),
    "addresses": repeated("address: "),
    "flats": repeated("Flat No. "),
    "postcodes": repeated("zip code no. "),
    "years": repeated("2019-"),
    "classes": repeated("class of "),
    # markup
    "pictures": repeated("!["),
    "pictures with text": repeated("![a]("),
    "image tags": repeated("<img "),
    "captions": repeated("<figcaption>"),
    "tags": repeated("<a "),
    "short lines of tags": repeated("<a<a<a<a<a<a<a<a<a<a<a<a<a<a<a\n"),
    "photo names": repeated("photo-"),
    "photo notes": repeated("[photo "),
    "latex": repeated("\\name{"),
    "latex options": repeated("\\photo[]"),
    "brackets": nested("(", ")"),
    "square brackets": nested("[", "]"),
    "braces": nested("{", "}"),
    "quotes": repeated("\"'“"),
    "bars": repeated("|"),
    "bullets": repeated("• "),
    "stars": repeated(" * "),
    "list marks": repeated("- a\n"),
    "hyphens": repeated("-"),
    "words with hyphens": repeated("a-"),
    "apostrophes": repeated("a'"),
    "commas": repeated("a,"),
    "dots": repeated("."),
    "sentences": repeated("a. "),
    "underscores": repeated("_"),
    "equals": repeated("="),
    # what is personal
    "pronouns": repeated("she/"),
    "stated pronouns": framed("pronouns: ", "she, ", ""),
    "family": repeated("proud single "),
    "families": repeated("mother of a a-"),
    "birth": repeated("born on 1."),
    "ages": repeated("aged 20 to "),
    "origins": repeated("Indian and "),
    "sponsors": repeated("without visa any "),
    "permits": framed("authorized to work in ", "A ", ""),
    "churches": repeated("A' "),
    "capitals and churches": repeated("St. Anna "),
    "dots and churches": framed("church ", "A.", ""),
    "lines beside a family": framed("married\n", ".\n", ""),
    "affinity": repeated("National Society "),
    "affinity with people": repeated("Black Women in "),
    "letters of Greek": repeated("Alpha "),
    # schools
    "capitalised words": repeated("Ab "),
    "capitals": repeated("A"),
    "capitals apart": repeated("A "),
    "schools": repeated("University of "),
    "qualified schools": repeated("State Technical "),
    "schools of two": repeated("School of Science and "),
    "foreign schools": repeated("Universidad de la "),
    "particles of schools": repeated("Universidad eleeleeleeleele "),
    "words beside a school": framed("School ", "Ab ", ""),
    "schools and tools": framed("Bachelor ", "Harvard Python ", ""),
    "Chinese": repeated("大"),
    "Cyrillic": repeated("Ая "),
    "Cyrillic words": framed("А", "я", " "),
    "Cyrillic hyphens": framed("университет ", "А-", ""),
    "degrees": repeated("Bachelor of "),
    "degrees and dots": repeated("B.S."),
    # names
    "names": repeated("Jane Doe "),
    "names in lines": repeated("Jane Doe\n"),
    "titles": repeated("Dr. "),
    "labels": repeated("Name "),
    "label decorations": framed("x", "\"'*_•", ":"),
    "referees": framed("References\n", "Jane Doe, ", ""),
    "particles": framed("Name: Jane ", "van der ", "Doe"),
    "initials": repeated("J.R."),
    "mentions": framed(_PERSON, "Jane ", ""),
    "user names of one": framed(_PERSON, "janedoe ", ""),
    "links between": framed(_PERSON, "Jane a@b.co ", ""),
    "own particles": framed("Name: De Jong\n", "De ", ""),
    "own names": lambda n: "".join(f"Name: {_word(7 * i)} {_word(7 * i + 1)}\n" for i in range(n // 18)),
    "own initials": lambda n: "".join(f"Name: J. {_word(i)}\nj{_word(i)}@mail.com\n" for i in range(n // 30)),
    "own files": lambda n: "".join(f"Name: {_word(i)} Doe\n{_word(i)}_x.doc\n" for i in range(n // 26)),
    "other names": lambda n: "".join(f"Dr. {_word(7 * i)} {_word(7 * i + 1)}, " for i in range(n // 18)),
    "file names": repeated("resume.pdf "),
    "file names without end": repeated("a.b_"),
    "introductions": repeated("I am "),
    "supervisors": repeated("supervised by "),
    "greetings": framed("Hi", ",!.", ""),
    "closings": repeated("sincerely, "),
    "headings": repeated("EDUCATION "),
    "headings in lines": repeated("Education\n"),
    "heading decoration": repeated("=" * 39 + "x" + "=" * 39 + "\n"),
    # many parts
    "tokens of names": repeated("[NAME] "),
    "tokens in a row": repeated("[NAME]"),
    "tokens of all kinds": repeated("[EMAIL][PHONE] [SCHOOL], [YEAR] "),
    "lines of text": repeated("Built the service in Python for 3 teams.\n"),
    "different words": lambda n: " ".join(_word(i) for i in range(n // 6)),
    "one sentence": repeated("and built the service in Python "),
    "letters at random": drawn("abcdefghijklmnopqrstuvwxyz ", 1),
    "marks at random": drawn("@.,-/()[]{}<>|:;'\"#*_=+ ", 2),
    "anything at random": drawn("aA1 @.,-/([{<>}])|:;'\"#*_=+\n\u0301é大", 3),
    # personal fields, groups and JSON
    "field labels": repeated("Nationality: "),
    "fields in a row": repeated("Sex Male "),
    "columns of labels": repeated("Date of birth:\n"),
    "labels without colons": repeated("Date of birth 12 "),
    "marital status": repeated("Married. "),
    "married with": repeated("married with a "),
    "peoples": repeated("Indian "),
    "congregations": repeated("Church of "),
    "saints": repeated("St. A "),
    "greek letters": repeated("Alpha "),
    "teams": repeated("Women's "),
    "sports": repeated("soccer ("),
    "majesties": repeated("Her Majesty "),
    "misses": repeated("Miss A "),
    "open objects": repeated('{"a":'),
    "open lists": framed("[[", "[", '"a"'),
    "names in an object": framed("{", '"name":"Erin Holm",', "}"),
    "objects in a list": framed("[", '{"name":"Erin Holm"},', "]"),
    "quotes in a string": framed('{"a":"', '"', '"}'),
    "slashes in a string": framed('{"a":"', "\\", '"}'),
    "escaped marks": framed('{"a":"', "\\u0301", '"}'),
    "escaped breaks": framed('{"a":"', "\\n", '"}'),
}  # fmt: skip

UNICODE: dict[str, Generator] = {
    **{f"all of {category}": _of_all(category) for category in CATEGORIES.split()},
    **{f"{category} and letters": _with_letters(category) for category in CATEGORIES.split()},
}

GENERATORS: dict[str, Generator] = {**PATTERNS, **UNICODE}


def _word(number: int) -> str:
    """A capitalised word of five letters, another one for each number below 26**5."""
    letters = []
    for _ in range(5):
        number, letter = divmod(number, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(letters).capitalize()
