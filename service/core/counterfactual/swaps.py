"""One attribute of a resume exchanged, everything else left as it stands.

Each function returns the spans to replace, each with its new text as `token`, or None if there is nothing to
exchange.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.core.documents import MOST_BLANKS
from service.core.redaction.spans import Span

_YEAR = re.compile(r"(?:19|20)\d\d")
_SECONDARY = re.compile(
    r"\b(?:High|Secondary|Grammar|Middle|Elementary|Primary|Prep\w*|Public|Hr|Sec|Matriculation) School|Lyc|Gymnas|Liceo"
)
_LEADS_TO = re.compile(r"(?:\s*(?:[,|–—]|\s-)\s*|\s+(?:at|from|of)(?: the)?\s+)$")
_FOLLOWS = re.compile(r"\s*(?:,|–|—|\||\s-)\s*")
_LEAD = 2 * MOST_BLANKS + 10
"""Longest that `_LEADS_TO` finds, in characters: a comma or "from the" between two runs of blanks."""

_US_POSTCODE = re.compile(r"\b\d{5}(?:-\d{4})?\b")


def with_schools(text: str, spans: Sequence[Span], schools: Sequence[str]) -> list[Span] | None:
    """Each university or college replaced by the next of `schools`, the same one by the same."""
    spans = tertiary(text, spans)
    chosen: dict[str, str] = {}
    for span in spans:
        written = text[span.start : span.end].casefold()
        chosen.setdefault(written, schools[len(chosen) % len(schools)])
    if not spans:
        return None
    return [span._replace(token=chosen[text[span.start : span.end].casefold()]) for span in spans]


def without_schools(text: str, spans: Sequence[Span]) -> list[Span] | None:
    """Every university or college left out, with the comma, dash or "at" that led to it."""
    spans = tertiary(text, spans)
    if not spans:
        return None
    wider = []
    for span in spans:
        before = _LEADS_TO.search(text, max(0, span.start - _LEAD), span.start)
        after = _FOLLOWS.match(text, span.end)
        if before is not None and "\n" not in before[0]:
            wider.append(span._replace(start=before.start(), token=""))
        elif after is not None:
            wider.append(span._replace(end=after.end(), token=""))
        else:
            wider.append(span._replace(token=""))
    return wider


def tertiary(text: str, spans: Sequence[Span]) -> list[Span]:
    """Schools without those for children and young people."""
    return [span for span in spans if not _SECONDARY.search(text[span.start : span.end])]


def with_graduation(text: str, spans: Sequence[Span], years_ago: int) -> list[Span] | None:
    """All years of study shifted so that the last one lies `years_ago` before the latest year of the text."""
    mentioned = [int(year) for year in _YEAR.findall(text)]
    study = [int(year) for span in spans for year in _YEAR.findall(text[span.start : span.end])]
    if not study:
        return None
    offset = max(mentioned) - years_ago - max(study)
    shifted = []
    for span in spans:
        written = text[span.start : span.end]
        digits = re.sub(r"\D", "", written)
        if _YEAR.search(written):
            shifted.append(span._replace(token=_YEAR.sub(lambda year: str(int(year[0]) + offset), written)))
        elif len(digits) == 2:
            shifted.append(
                span._replace(token=written.replace(digits, f"{(int(digits) + offset) % 100:02d}"))
            )
    return shifted


def with_affinity(spans: Sequence[Span], groups: Sequence[str]) -> list[Span] | None:
    """Each affinity group replaced by the next of `groups`."""
    if not spans:
        return None
    return [span._replace(token=groups[i % len(groups)]) for i, span in enumerate(spans)]


def with_postal_code(text: str, spans: Sequence[Span], code: str) -> list[Span] | None:
    """Every five-digit postal code inside an address replaced by `code`; place names stay."""
    parts = []
    for span in spans:
        written = text[span.start : span.end]
        codes = list(_US_POSTCODE.finditer(written))
        if codes and (
            len(written) > 10
            or re.search(r"zip|postal|post", text[max(0, span.start - 20) : span.start], re.IGNORECASE)
        ):
            last = codes[-1]
            start = span.start + last.start()
            parts.append(span._replace(start=start, end=start + len(last[0]), token=code))
    return parts or None
