"""Why a person should look at a resume before anybody relies on what was made of it.

Each warning has a stable code. Those of `TO_LOOK_AT` make a decision `borderline`: the text may be no resume,
or not all of it, or redaction was unsure who is who. The decision itself stays as the threshold has it. Where
a rule is in doubt it says nothing, since a false alarm costs trust.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from service.core.other_texts import reads_like_something_else
from service.core.redaction.policy import TOKENS, Category
from service.core.structured_text import is_structured
from service.core.stuffing import stuffing_of

ResumeWarning = Literal[
    "non_latin_script",
    "not_english",
    "no_name_found",
    "several_names",
    "little_text",
    "not_a_resume",
    "structured_text",
    "repeats_posting",
    "hidden_text",
    "addressed_to_model",
    "repeated_words",
    "text_of_scan",
]
JobWarning = Literal["non_latin_script", "not_english", "little_text", "cohort_does_not_cover"]
RESUME_WARNINGS: tuple[ResumeWarning, ...] = get_args(ResumeWarning)

TO_LOOK_AT: frozenset[ResumeWarning] = frozenset(RESUME_WARNINGS) - {"non_latin_script", "not_english"}
"""A decision on such a resume is borderline, whatever its probability."""

WORDS_TO_JUDGE = 20
"""A text of so many words or fewer says little about anybody: a scan of which only a line came through."""

WORDS_OF_POSTING = 8
"""A posting of so many words or fewer, its title among them, says too little to judge anybody by.

By 8 words out of a posting 85 resumes are ranked with a ROC-AUC of 0.68, by 3 of 0.59, by all of it of 0.92
(docs/documents.md).
"""

_READ = 20_000
"""Characters that are looked at: what a text is shows on its first pages."""


class NamesInText(Protocol):
    """What redaction says about names (`redactor.Redacted`)."""

    @property
    def has_own_name(self) -> bool: ...

    @property
    def other_candidates(self) -> int: ...

    @property
    def counts(self) -> Mapping[Category, int]: ...


def needs_a_look(warnings: Collection[ResumeWarning]) -> bool:
    """True if a person should look at the resume before its decision is used."""
    return not TO_LOOK_AT.isdisjoint(warnings)


@dataclass(frozen=True, slots=True)
class Findings:
    """Warnings about one resume. `counts`: how much of it, for the warnings that count something."""

    warnings: tuple[ResumeWarning, ...] = ()
    counts: Mapping[ResumeWarning, int] = field(default_factory=dict)

    def with_more(self, more: Mapping[ResumeWarning, int]) -> Findings:
        """With more of what warnings count, as a document or a posting beside it tells."""
        added = {code: count + self.counts.get(code, 0) for code, count in more.items() if count}
        warnings = (*self.warnings, *(code for code in added if code not in self.warnings))
        return Findings(warnings, {**self.counts, **added})


def findings_of(raw: str, text: str, names: NamesInText | None = None) -> Findings:
    """What is to be said of a resume by itself: `raw` as it came, `text` normalised.

    `names`: what was found if names were hidden. The time grows with the length of the text and no faster.
    """
    stuffing: dict[ResumeWarning, int] = dict(stuffing_of(raw, text).items())
    return Findings((*warnings_of_text(text, names), *stuffing), stuffing)


def warnings_of_text(text: str, names: NamesInText | None = None) -> tuple[ResumeWarning, ...]:
    """As `findings_of`, of a normalised text alone: what kind of text it is, and whose name stands in it.

    It looks at the first 20,000 characters.
    """
    text = text[:_READ]
    warnings: list[ResumeWarning] = []
    if names is not None:
        warnings += _of_names(text, names)
    if _words(text, WORDS_TO_JUDGE) <= WORDS_TO_JUDGE:
        warnings.append("little_text")
    if is_structured(text):
        warnings.append("structured_text")
    elif reads_like_something_else(text, has_own_name=None if names is None else names.has_own_name):
        warnings.append("not_a_resume")
    return tuple(warnings)


def is_little_posting(text: str, title: str | None) -> bool:
    """True if a posting says too little to judge anybody by; `text` normalised."""
    return _words(f"{title or ''}\n{text}", WORDS_OF_POSTING) <= WORDS_OF_POSTING


def _of_names(text: str, names: NamesInText) -> list[ResumeWarning]:
    warnings: list[ResumeWarning] = []
    # A text that was redacted before has no name left to find.
    if not names.has_own_name and TOKENS["name"] not in text:
        warnings.append("no_name_found")
    if names.other_candidates:
        warnings.append("several_names")
    return warnings


_WORD = re.compile(r"[^\W\d_][^\s,;|/•·]*+")
_UNSPACED = "\u0e00"
"""From here on are scripts without blanks between words: Thai, Chinese, Japanese."""


def _words(text: str, most: int) -> int:
    """Words, an e-mail address being one; two characters are one where a script has no blanks.

    Counted up to one more than `most`.
    """
    count = 0
    for match in _WORD.finditer(text):
        count += 1 if match[0][0] < _UNSPACED else -(-len(match[0]) // 2)
        if count > most:
            break
    return count
