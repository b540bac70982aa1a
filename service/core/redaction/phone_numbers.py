"""Phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span

# Not after a currency sign, a point or a comma (amounts, versions), nor before "%". Up to three signs may stand
# between digits.
_PHONE = re.compile(r"(?<![\w.,/$€£#-])(?:\+|00)?[(]?\d(?:[\s().\-\u2010-\u2014/]{0,3}\d){6,14}(?![\w%])")
_PHONE_LABEL = re.compile(
    r"(?:tel|phone|mobile|cell|fax|whatsapp|telephone|telefon|teléfono|téléphone|handy|móvil|cellulare|"
    r"contact(?: no\.?| number)?|ph|mob|m|t|p|c|h)\.?\s*+(?:no\.?|number)?\s*+[:.#]?\s*+$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_EXTENSION = re.compile(r"\s*(?:ext|x|extension)\.?\s*\d{1,6}\b", re.IGNORECASE)


def find_phones(text: str) -> Iterator[Span]:
    """Numbers of 7 to 15 digits in the form of phone numbers; periods of years are left alone."""
    for match in _PHONE.finditer(text):
        number = match[0]
        groups = re.findall(r"\d+", number)
        digits = sum(map(len, groups))
        labelled = _PHONE_LABEL.search(text, max(0, match.start() - 30), match.start()) is not None
        marked = number.startswith(("+", "(", "00"))
        # Digits that nothing marks as a number to call are often years, ids, dates or amounts.
        if not (labelled or marked):
            if any(_YEAR.fullmatch(group) for group in groups) or "/" in number or "\n" in number:
                continue
            if len(groups) == 1 and not (number.startswith("0") and digits >= 9):
                if digits < 10 or digits > 11:
                    continue
            elif (
                (digits < 9 and not re.fullmatch(r"\d{3}[-. ]\d{4}", number))
                or len(groups) > 6
                or min(map(len, groups)) == 1
            ):
                continue
        if (
            "\n" in number
        ):  # the separators in the pattern hold line breaks: the next line has its own numbers
            number = number.split("\n")[0]
            if len(re.findall(r"\d", number)) < 7:
                continue
        end = match.start() + len(number)
        extension = _EXTENSION.match(text, end)
        yield Span(match.start(), extension.end() if extension else end, "phone", TOKENS["phone"])


PHONES = Recogniser(prefilter(substrings="0123456789"), find_phones)
