"""Places in a text as it came -> places in the same text normalised.

Normalising composes characters, drops invisible ones and shortens runs of blanks and line breaks. A place is
found by normalising what stands before it: that is the beginning of the whole, but for blanks at its end and
for a character that is composed across the place.
"""

from __future__ import annotations

from service.core.documents import normalise


class NormalisedPlaces:
    """`text`: the normalised text. It takes the length of the text for each place that is asked for."""

    def __init__(self, raw: str) -> None:
        self.text = normalise(raw)
        self._raw = raw

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters [start, end) of the raw text stand, without blanks at both ends.

        Start and end are equal if nothing of them is left. A character that is composed of some inside and
        some outside is inside.
        """
        if self.text == self._raw:
            return self._trimmed(start, end)
        return self._trimmed(self._begin(start), self._end(end))

    def _begin(self, place: int) -> int:
        before = normalise(self._raw[:place])
        return _common(before, self.text)

    def _end(self, place: int) -> int:
        before = normalise(self._raw[:place])
        common = _common(before, self.text)
        return common if common == len(before) else min(common + 1, len(self.text))

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        while start < end and self.text[start].isspace():
            start += 1
        while start < end and self.text[end - 1].isspace():
            end -= 1
        return start, max(start, end)


def _common(before: str, text: str) -> int:
    """How many characters both begin with. Nearly always all of `before`."""
    if text.startswith(before):
        return len(before)
    pairs = zip(before, text, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(before), len(text)))
