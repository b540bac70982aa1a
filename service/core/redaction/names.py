"""Person names: found where resumes put them, then wherever else they stand.

1. Anchors: the header, `Name:` fields, signatures, reference blocks, titles ("Dr. ..."), introductions.
2. Pairs of a given name and a surname of the lexicon in running text.
3. Propagation: the candidate's names again in the rest of the text, in file names and user names.

A name need not be in a lexicon: position, form and the e-mail address speak for it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from service.core.redaction.countries import COUNTRY_NAMES, DEMONYMS
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon, Word, fold
from service.core.redaction.name_words import (
    CLOSING,
    COMPANION,
    CREDENTIALS,
    GENERATIONS,
    HONORIFIC,
    INTRODUCTION,
    LABEL,
    PARTICLES,
    PERSON_LABEL,
    PERSON_VERB,
    RELATION,
    ROLE_WORDS,
)
from service.core.redaction.policy import TOKENS
from service.core.redaction.spans import Span

_SEPARATOR = re.compile(r"[|•·;:\t<>{}()\[\]\"“”*#_=/\\~+&^$%]|[–—]|\s-\s|\s{2,}|,")
_GAP = re.compile(r"[ \u00a0]?|\.? ?|[ ]?[-‐‑][ ]?|, ?$")
_HEADER_LINES = 8
_HEADER_CHARACTERS = 800
_LONG_LINE = 120
"""A line above this many characters is a text that lost its line breaks: a name can only be its start."""
_PREFIX = re.compile(
    r"^\W*(?:(?:resume|résumé|cv|c\.v\.|curriculum vitae|hoja de vida|lebenslauf|curriculum|biodata|bio-data|profile|application)"
    r"(?:\s+(?:of|for|von|de))?\b[\s:–—|-]*)",
    re.IGNORECASE,
)
_PLACES = frozenset(
    fold(word)
    for name in (*COUNTRY_NAMES, *DEMONYMS, "New York", "California", "Texas", "Florida", "Virginia", "Georgia", "Washington",
                 "Ohio", "Illinois", "Michigan", "Carolina", "Jersey", "Massachusetts", "Pennsylvania", "Indiana", "Arizona",
                 "Tennessee", "Missouri", "Maryland", "Wisconsin", "Colorado", "Minnesota", "Alabama", "Louisiana", "Kentucky",
                 "Oregon", "Oklahoma", "Connecticut", "Utah", "Iowa", "Nevada", "Arkansas", "Mississippi", "Kansas",
                 "Nebraska", "Idaho", "Hawaii", "Maine", "Montana", "Delaware", "Dakota", "Alaska", "Vermont", "Wyoming",
                 "London", "Paris", "Berlin", "Madrid", "Rome", "Dublin", "Boston", "Chicago", "Houston", "Dallas", "Austin",
                 "Denver", "Phoenix", "Atlanta", "Seattle", "Miami", "Toronto", "Sydney", "Melbourne", "Lagos", "Nairobi",
                 "Mumbai", "Delhi", "Bangalore", "Singapore", "Dubai", "Tokyo", "Francisco", "Angeles", "Diego", "Orlando")
    for word in name.split()
)  # fmt: skip
_LATEX = re.compile(
    r"\\(?:name|author|firstname|givenname|familyname|lastname|surname)(?:\[[^\]\n]*\])?(?:\{[^{}\n]{1,60}\}){1,2}"
)
_CITY_TAIL = re.compile(r",\s*(?:[A-Z]{2}\b|[A-Z][a-z]+\s*\d{4,})")
_FILE = re.compile(r"\b[\w.-]+\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\b", re.IGNORECASE)
_RESUME_FILE = re.compile(r"resume|résumé|cv|vitae|lebenslauf|bewerbung", re.IGNORECASE)
_SPACED = re.compile(r"^\W*((?:[A-ZÀ-Þ] ){2,}[A-ZÀ-Þ](?: {2,}(?:[A-ZÀ-Þ] )*[A-ZÀ-Þ])+)\W*$")
_HAN_NAME = re.compile(r"^[\u4e00-\u9fff]{2,4}$|^[\uac00-\ud7a3]{2,4}$|^[\u4e00-\u9fff\u3040-\u30ff]{1,4}[ \u3000][\u4e00-\u9fff\u3040-\u30ff]{1,4}$")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive words that may be a name, as indices [first, stop) into the words of the text."""

    first: int
    stop: int


@dataclass
class NameFinder:
    """Finds names in one text. `own` collects the parts of the candidate's names, folded."""

    text: str
    lines: Sequence[Line]
    words: Sequence[Word]
    folded: Sequence[str]
    lexicon: Lexicon
    taken: Sequence[Span]
    """Of links, addresses, schools: nothing in them is a name."""
    own: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    other_people: int = 0
    _chunks: frozenset[str] = frozenset()

    def find(self) -> list[Span]:
        """All spans of names, in no order."""
        phrases = list(self.lexicon.protected.find(self.words, self.folded))
        self._protected = {i for a, b in phrases for i in range(a, b)}
        self._protected_phrases = {i for a, b in phrases if b - a > 1 for i in range(a, b)}
        self._starts = {word.start: i for i, word in enumerate(self.words)}
        self._evidence = self._contact_evidence()
        spans = [
            *self._latex(),
            *self._labelled(),
            *self._introduced(),
            *self._header(),
            *self._closing(),
            *self._references(),
            *self._titled(),
            *self._related(),
            *self._pairs(),
        ]
        spans += self._again(spans)
        spans += self._in_file_names()
        return spans

    # -- anchors -----------------------------------------------------------------------------------------

    def _labelled(self) -> Iterator[Span]:
        for match in LABEL.finditer(self.text):
            run = self._run_at(match.end(), most=6, strict=False)
            if run is not None and not self._holds_role(run):
                yield self._keep(run, own="ather" not in match[0] and "other" not in match[0])
            else:
                yield from self._caseless_value(match.end())
        for match in PERSON_LABEL.finditer(self.text):
            run = self._run_at(match.end(), most=5)
            if run is not None and self._is_name(run, need=1.0):
                yield self._keep(run, own=False)

    def _latex(self) -> Iterator[Span]:
        for match in _LATEX.finditer(self.text):
            for part in re.finditer(r"\{([^{}\n]{1,60})\}", match[0]):
                run = self._run_at(match.start() + part.start(1), most=6, strict=False)
                if run is not None and not self._holds_role(run):
                    yield self._keep(run, own=True)

    def _caseless_value(self, start: int) -> Iterator[Span]:
        value = re.match(r"[^\n|;,\[:]{2,40}", self.text[start : start + 41])
        if value is None or any(ch.isdigit() for ch in value[0]):
            return
        end = start + len(value[0].rstrip())
        inside = [w for w in self.words if start <= w.start < end]
        if 1 <= len(inside) <= 5 and not any(w.folded in ROLE_WORDS for w in inside):
            for word in inside:
                self.own[word.folded] = None
            yield _span(inside[0].start, inside[-1].end)

    def _introduced(self) -> Iterator[Span]:
        for match in INTRODUCTION.finditer(self.text):
            run = self._run_at(match.end(), most=4)
            sure = "ame" in match[0] or "appelle" in match[0] or "heiße" in match[0] or "chiamo" in match[0]
            if run is not None and self._is_name(run, need=0.0 if sure else 2.0):
                yield self._keep(run, own=True)

    def _header(self) -> Iterator[Span]:
        """The best candidate among the segments of the first lines."""
        if TOKENS["name"] in self.text[:600]:
            return
        seen = 0
        best: tuple[float, list[_Run]] | None = None
        previous: tuple[Line, _Run] | None = None
        for line in self.lines:
            if line.heading:
                if seen or line.section in ("education", "experience", "references"):
                    break
                continue
            if not _PREFIX.sub("", line.text).strip():
                continue  # "CURRICULUM VITAE"
            seen += 1
            if seen > _HEADER_LINES or line.start > _HEADER_CHARACTERS:
                break
            for score, runs in self._header_candidates(line, seen):
                if best is None or score > best[0]:
                    best = (score, runs)
            single = self._short_line(line, 3)
            if single is not None and previous is not None and seen <= 3:
                score = 1.0 + self._score(previous[1]) + self._score(single)
                if best is None or score > best[0]:
                    best = (score, [previous[1], single])
            previous = (line, single) if single is not None and len(line.text.split()) == 1 else None
        if best is not None and best[0] >= 2.5:
            for run in best[1]:
                yield self._keep(run, own=True)
                self._spell_out_initials(run)

    def _spell_out_initials(self, run: _Run) -> None:
        """Spell out initials: "D. Patel" with deepa.patel@ is Deepa: the body may call her so."""
        parts = [self.folded[i] for i in range(run.first, run.stop)]
        for initial in (p for p in parts if len(p) == 1):
            for chunk in self._chunks:
                for part in parts:
                    chunk = chunk.removeprefix(part).removesuffix(part) if len(part) > 2 else chunk
                if len(chunk) > 2 and chunk[0] == initial:
                    self.own[chunk] = None

    def _header_candidates(self, line: Line, rank: int) -> Iterator[tuple[float, list[_Run]]]:
        offset = line.start
        prefix = _PREFIX.match(line.text)
        body = prefix.end() if prefix else 0
        bonus = {1: 1.5, 2: 0.75, 3: 0.5}.get(rank, 0.0) + (1.0 if prefix else 0.0)
        spaced = _SPACED.match(line.text)
        if spaced is not None:
            inside = [i for i, w in enumerate(self.words) if line.start <= w.start < line.end]
            if inside:
                yield 4.0 + bonus, [_Run(inside[0], inside[-1] + 1)]
            return
        segments = list(_segments(line.text, body))
        if len(line.text) > _LONG_LINE:
            segments = segments[:1]
        elif len(segments) == 1:
            bonus += 0.75
        for start, end in segments:
            stripped = line.text[start:end].strip()
            lead = len(line.text[start:end]) - len(line.text[start:end].lstrip())
            at = offset + start + lead
            if _HAN_NAME.match(stripped) and rank <= 3:
                inside = [i for i, w in enumerate(self.words) if at <= w.start < at + len(stripped)]
                if inside:
                    yield 3.0 + bonus, [_Run(inside[0], inside[-1] + 1)]
                continue
            run = self._run_at(at, most=6, strict=False)
            if run is None:
                run = self._lower_case_run(at, stripped)
                if run is None:
                    continue
            whole = self.words[run.stop - 1].end >= at + len(stripped.rstrip(" .,;:'’!?"))
            if whole and not self._holds_role(run) and run.stop - run.first <= 6:
                score = self._score(run) + bonus
                if run.stop - run.first == 1:
                    score -= 1.5
                if len(line.text) > _LONG_LINE and score - bonus < 2.0:
                    continue
                if _CITY_TAIL.match(self.text, self.words[run.stop - 1].end):
                    score -= 1.5  # "Austin, TX"
                yield score, [run]
            elif rank <= 3:
                leading = self._leading_name(run)
                if leading is not None:
                    yield self._score(leading) + bonus - 0.5, [leading]
        inverted = re.match(
            r"\W*([^\W\d_][\w'’\- ]{1,30}),\s+([^\W\d_][\w'’\-. ]{1,30}?)\s*(?:$|[|•(;]|\s{2}|\s[-–—]\s)",
            line.text,
        )
        if inverted is not None and rank <= 2:
            last = self._run_at(offset + inverted.start(1), most=3)
            first = self._run_at(offset + inverted.start(2), most=3)
            if last and first and not self._holds_role(last) and not self._holds_role(first):
                both = self._score(last) + self._score(first)
                if first.stop - first.first and not self._is_place(first):
                    yield both + bonus, [_Run(last.first, first.stop)]

    def _leading_name(self, run: _Run) -> _Run | None:
        """The name at the start of a longer run of capitalised words: "Jane Doe Software Engineer"."""
        lexicon, folded = self.lexicon, self.folded
        first = folded[run.first]
        if first in ROLE_WORDS or not (lexicon.is_given_name(first) or first in self._evidence):
            return None
        stop = run.first + 1
        while stop < min(run.stop, run.first + 4):
            word = folded[stop]
            if word in ROLE_WORDS or stop in self._protected or word in CREDENTIALS:
                break
            known = lexicon.is_surname(word) or lexicon.is_given_name(word) or word in self._evidence
            if not (known or word not in lexicon.english or len(word) == 1 or word in PARTICLES):
                break
            stop += 1
        return _Run(run.first, stop) if stop - run.first >= 2 else None

    def _lower_case_run(self, start: int, segment: str) -> _Run | None:
        """A name in small letters, "jane doe", if both are in the lexicon or in the e-mail address."""
        inside = [i for i, w in enumerate(self.words) if start <= w.start < start + len(segment)]
        if not 2 <= len(inside) <= 4 or any(ch.isdigit() or ch == "@" for ch in segment):
            return None
        known = sum(self._is_known(self.folded[i]) for i in inside)
        return _Run(inside[0], inside[-1] + 1) if known >= 2 else None

    def _short_line(self, line: Line, most: int) -> _Run | None:
        """A line of up to `most` capitalised words and nothing else."""
        inside = [i for i, w in enumerate(self.words) if line.start <= w.start < line.end]
        if not 1 <= len(inside) <= most or any(ch.isdigit() or ch in "@," for ch in line.text):
            return None
        if not all(self.words[i].capitalised and self.folded[i] not in ROLE_WORDS for i in inside):
            return None
        return _Run(inside[0], inside[-1] + 1)

    def _closing(self) -> Iterator[Span]:
        for match in CLOSING.finditer(self.text):
            run = self._run_at(match.end(), most=4)
            if run is not None and self._is_name(run, need=0.5):
                yield self._keep(run, own=not self.own)
        last = [line for line in self.lines if not line.heading][-1:]
        for line in last:
            if len(self.lines) > 3 and len(line.text) < 40:
                start = line.start + len(line.text) - len(line.text.lstrip(" \t(-–—~*_"))
                run = self._run_at(start, most=4)
                if run is not None and self._is_name(run, need=3.5) and run.stop - run.first > 1:
                    yield self._keep(run, own=False)

    def _references(self) -> Iterator[Span]:
        """In a reference block every segment that looks like a name is one."""
        for line in self.lines:
            if line.section != "references" or line.heading:
                continue
            first = True
            for start, end in _segments(line.text, 0):
                segment = line.text[start:end]
                lead = len(segment) - len(segment.lstrip(" .-–•\t'0123456789)"))
                if line.text[max(0, start - 9) : start].endswith(("[PHONE]", "[EMAIL]")):
                    first = True  # the next person in a text without line breaks
                if segment.strip().isupper() and f"[{segment.strip()}]" in TOKENS.values():
                    continue
                run = self._run_at(line.start + start + lead, most=5)
                if run is None or self._holds_role(run) or run.stop - run.first < 2:
                    first = first and run is None
                    continue
                if self._is_name(run, need=-1.0 if first else 3.0):
                    yield self._keep(run, own=False)
                first = False

    def _titled(self) -> Iterator[Span]:
        for match in HONORIFIC.finditer(self.text):
            run = self._run_at(match.end(), most=4)
            if run is not None and self._is_name(run, need=0.0):
                yield self._keep(run, own=False)

    def _related(self) -> Iterator[Span]:
        for pattern, need in ((RELATION, 2.0), (COMPANION, 3.5)):
            for match in pattern.finditer(self.text):
                run = self._run_at(match.end(), most=4)
                if run is not None and run.stop - run.first >= 2 and self._is_name(run, need=need):
                    yield self._keep(run, own=False)

    def _pairs(self) -> Iterator[Span]:
        """Given name and surname side by side in prose; not in lists, and not where an employer stands."""
        for line in self.lines:
            if line.heading or (line.section == "experience" and _is_entry(line.text)):
                continue
            if (
                line.text.count(",") > 4
                and line.section != "references"
                and "." not in line.text.strip()[:-1]
            ):
                continue
            inside = [
                i for i, w in enumerate(self.words) if line.start <= w.start < line.end and w.capitalised
            ]
            for i in inside:
                if not self.lexicon.is_given_name(self.folded[i]) or i in self._protected:
                    continue
                run = self._run_at(self.words[i].start, most=4)
                if run is None or not 2 <= run.stop - run.first <= 4 or self._holds_role(run):
                    continue
                if re.search(
                    r"\b(?:at|for|@|with|by|of|using|in)\s+$",
                    self.text[max(0, self.words[i].start - 8) : self.words[i].start],
                ):
                    continue
                if self.lexicon.is_surname(self.folded[run.stop - 1]) and self._is_name(run, need=4.0):
                    yield self._keep(run, own=False)

    # -- propagation -------------------------------------------------------------------------------------

    def _again(self, found: list[Span]) -> Iterator[Span]:
        """Parts of the names found, elsewhere in the text."""
        parts = {p for p in self.own if len(p) > 1 and p not in PARTICLES}
        initials = {p[0] for p in parts}
        ends = {span.end for span in found}
        starts = {span.start for span in found}
        for i, word in enumerate(self.words):
            folded = self.folded[i]
            mine = folded in parts
            if not (mine or folded in self.others):
                continue
            if not word.capitalised or self._is_taken(word.start):
                continue
            ambiguous = (
                self.lexicon.is_ambiguous(folded)
                or folded in ROLE_WORDS
                or folded in _PLACES
                or i in self._protected
            )
            neighbours = (
                self.text[word.start - 1 : word.start] in (" ", "-")
                and (
                    word.start - 1 in ends
                    or (i > 0 and self.folded[i - 1] in parts and self.words[i - 1].capitalised)
                )
            ) or (word.end + 1 in starts or (i + 1 < len(self.words) and self.folded[i + 1] in parts))
            if ambiguous and not (neighbours and mine) and not self._stands_for_person(i):
                continue
            if not mine and not (neighbours or not ambiguous):
                continue
            start, end = word.start, word.end
            before = re.search(r"\b(?:[A-Z]\.\s?){1,3}$", self.text[max(0, start - 12) : start])
            if before is not None and before[0][0].lower() in initials:
                start -= len(before[0])
            after = re.match(r",?\s(?:[A-Z]\.){1,3}", self.text[end : end + 10])
            if after is not None and re.sub(r"\W", "", after[0])[0].lower() in initials and not ambiguous:
                end += len(after[0])
            yield _span(start, end)
        if len(self.own) >= 2:
            letters = [p[0].upper() for p in self.own if p not in PARTICLES]
            dotted = r"\.\s?".join(map(re.escape, letters)) + r"\."
            if len(letters) <= 4 and all(ch.isalpha() for ch in letters):
                for match in re.finditer(rf"(?<![\w.]){dotted}(?!\w)", self.text):
                    yield _span(*match.span())

    def _in_file_names(self) -> Iterator[Span]:
        parts = [p for p in self.own if len(p) > 2]
        for match in _FILE.finditer(self.text):
            folded = fold(match[0])
            if _RESUME_FILE.search(match[0]) or any(p in folded for p in parts):
                yield _span(*match.span())
        if len(parts) >= 2:
            given, surname = re.escape(parts[0]), re.escape(parts[-1])
            joined = rf"\b\w*(?:{given}[._-]?{surname}|{surname}[._-]?{given}|{given[0]}[._]?{surname})\w*\b"
            for match in re.finditer(joined, self.text.casefold()) if self.text.isascii() else ():
                yield _span(*match.span())

    # -- what a name looks like --------------------------------------------------------------------------

    def _run_at(self, start: int, *, most: int, strict: bool = True) -> _Run | None:
        """The run of up to `most` capitalised words from the word at `start` on, as names are written."""
        first = self._starts.get(start)
        if first is None:
            first = next(
                (self._starts[p] for p in range(start, min(start + 4, len(self.text))) if p in self._starts),
                None,
            )
            if first is None or self.text[start : self.words[first].start].strip(" .-\"'("):
                return None
        words, folded = self.words, self.folded
        while first < len(words) and folded[first] in ("mr", "mrs", "ms", "miss", "dr", "prof", "mx"):
            if not re.fullmatch(
                r"\.? ?",
                self.text[words[first].end : words[first + 1].start] if first + 1 < len(words) else "x",
            ):
                return None
            first += 1
        if first >= len(words) or (not words[first].capitalised and folded[first] not in PARTICLES):
            return None
        stop = first + 1
        while stop < len(words) and stop - first < most:
            gap = self.text[words[stop - 1].end : words[stop].start]
            if gap not in (" ", "-", "‐", "‑", ". ", ".", " - ", "") or (gap == " - "):
                break
            if gap in (". ", ".") and len(words[stop - 1].text) > 2:
                break
            word = words[stop]
            if not (word.capitalised or folded[stop] in PARTICLES or folded[stop] in self._evidence):
                break
            if strict and (folded[stop] in ROLE_WORDS or self._is_taken(word.start)):
                break
            stop += 1
        while stop > first and (
            (folded[stop - 1] in PARTICLES and not words[stop - 1].capitalised)
            or (
                folded[stop - 1] in CREDENTIALS
                and stop - first > 2
                and words[stop - 1].text.isupper()
                and not self._is_known(folded[stop - 1])
            )
        ):
            stop -= 1
        return _Run(first, stop) if stop > first else None

    def _score(self, run: _Run) -> float:
        """Evidence that a run is a name, by its words alone."""
        score = 0.0
        for i in range(run.first, run.stop):
            word = self.folded[i]
            if word not in self._evidence and (
                i in self._protected_phrases or (i in self._protected and run.stop - run.first == 1)
            ):
                score -= 2.0
                continue
            if word in self._evidence and len(word) > 2:
                score += 3.0
            given, surname = self.lexicon.is_given_name(word), self.lexicon.is_surname(word)
            if len(word) == 1 or word in PARTICLES or word in GENERATIONS:
                score += 0.25
            elif given or surname:
                score += 2.0
            elif word in self.lexicon.english:
                score -= 0.5 if self._is_known(word) else 1.5
            elif len(word) <= 4 and self.words[i].text.isupper() and not self._in_capitals(i):
                score -= 1.0  # an acronym
            else:
                score += 0.5
            if word in _PLACES and word not in self._evidence:
                score -= 1.5
        return score

    def _is_name(self, run: _Run, *, need: float) -> bool:
        return (
            not self._holds_role(run)
            and self._score(run) >= need
            and not self._is_taken(self.words[run.first].start)
        )

    def _is_known(self, folded: str) -> bool:
        return (
            folded in self._evidence or folded in self.lexicon.given_names or folded in self.lexicon.surnames
        )

    def _in_capitals(self, i: int) -> bool:
        """True if a neighbour is in capitals and longer than an acronym: JANE DOE."""
        return any(
            len(self.words[j].text) > 4 and self.words[j].text.isupper()
            for j in (i - 1, i + 1)
            if 0 <= j < len(self.words)
        )

    def _is_place(self, run: _Run) -> bool:
        return any(self.folded[i] in _PLACES for i in range(run.first, run.stop))

    def _holds_role(self, run: _Run) -> bool:
        return any(
            self.folded[i] in ROLE_WORDS and self.folded[i] not in self._evidence
            for i in range(run.first, run.stop)
        )

    def _stands_for_person(self, i: int) -> bool:
        """True for "Grace's", "Grace leads", "Dear Grace"."""
        word = self.words[i]
        if word.text.endswith(("'s", "’s")) or re.match(r"['’]s\b", self.text[word.end : word.end + 2]):
            return True
        following = self.words[i + 1] if i + 1 < len(self.words) else None
        if following is not None and following.folded in PERSON_VERB and following.start == word.end + 1:
            return i not in self._protected_phrases
        return bool(
            re.search(
                r"\b(?:Dear|Hi|Hello|Mr\.?|Ms\.?|Mrs\.?|Dr\.?) $",
                self.text[max(0, word.start - 8) : word.start],
            )
        )

    def _is_taken(self, position: int) -> bool:
        return any(span.start <= position < span.end for span in self.taken)

    def _keep(self, run: _Run, *, own: bool) -> Span:
        memory = self.own if own else self.others
        parts = {self.folded[i] for i in range(run.first, run.stop)}
        if not own and parts.isdisjoint(self.own) and not parts <= self.others.keys():
            self.other_people += 1
        for i in range(run.first, run.stop):
            folded = self.folded[i]
            possessive = re.sub(r"['’]s$", "", self.words[i].text)
            if len(folded) > 1 and folded not in PARTICLES and folded not in GENERATIONS:
                memory[fold(possessive)] = None
        last = self.words[run.stop - 1]
        end = last.end - 2 if last.text.endswith(("'s", "’s")) else last.end
        if len(last.text) == 1 and self.text[end : end + 1] == ".":
            end += 1
        generation = re.match(r",?\s(?:Jr|Sr|II|III|IV)\b\.?", self.text[end : end + 6])
        return _span(self.words[run.first].start, end + (generation.end() if generation else 0))

    def _contact_evidence(self) -> frozenset[str]:
        """Words of the text that also stand in an e-mail address or a profile link."""
        places = " ".join(re.findall(r"[\w.+-]+(?=@)|(?:/in/|\.com/|\.io/|\.me/)[\w./-]+", self.text)).lower()
        if not places:
            return frozenset()
        flat = fold(places)
        self._chunks = chunks = frozenset(re.split(r"[^a-z]+", flat))
        head = self.folded[:60]
        found = {
            word for word in head if (word in chunks and len(word) > 1) or (len(word) > 3 and word in flat)
        }
        for word in head:
            if not word.isascii():  # people write their addresses without the letters that ASCII lacks
                plain = re.sub(r"[^a-z]", "", word)
                if len(plain) > 3 and plain in flat:
                    found.add(word)
        for a, b in pairwise(head):
            if len(a) > 1 and len(b) > 1 and not {a + b, b + a}.isdisjoint(chunks):
                found |= {a, b}
        return frozenset(found)


def _segments(line: str, start: int) -> Iterator[tuple[int, int]]:
    position = start
    for match in _SEPARATOR.finditer(line, start):
        if line[position : match.start()].strip():
            yield position, match.start()
        position = match.end()
    if line[position:].strip():
        yield position, len(line)


def _is_entry(line: str) -> bool:
    """A line that names a post or an employer: short, without a full stop inside, or with years."""
    return len(line.split()) <= 8 or re.search(r"\b(?:19|20)\d\d\b|\b[Pp]resent\b", line) is not None


def _span(start: int, end: int) -> Span:
    return Span(start, end, "name", TOKENS["name"])
