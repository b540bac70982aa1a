"""What a redactor missed, and what it broke, on the corpus."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from service.core.redaction.spans import PLACEHOLDER
from service.core.redaction.words import fold, words_of
from tests.support.resume_corpus import Sample

_SMALL = frozenset("of the and de la du e y le di do da in for al el st at van von der".split())


@dataclass
class Report:
    """Mentions are parts of names (a word of two letters or more), or whole schools."""

    names: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    by_layout: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    schools: list[int] = field(default_factory=lambda: [0, 0])
    words: list[int] = field(default_factory=lambda: [0, 0])
    missed: list[tuple[str, str, str]] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)

    @property
    def name_recall(self) -> float:
        hidden = sum(h for h, _ in self.names.values())
        return hidden / sum(n for _, n in self.names.values())

    @property
    def school_recall(self) -> float:
        return self.schools[0] / self.schools[1]

    @property
    def damage(self) -> float:
        """Share of the words that say nothing about who the person is, yet were hidden."""
        return self.words[0] / self.words[1]

    def recall_by_group(self) -> dict[str, float]:
        return {group: hidden / mentions for group, (hidden, mentions) in self.names.items()}


def measure(samples: Iterable[Sample], redact: Callable[[str], str]) -> Report:
    report = Report()
    for sample in samples:
        output = redact(sample.text)
        before, after = _counts(sample.text), _counts(output)
        own = _parts(sample.names[:1])
        neutral = _neutral_words(sample)
        for part in _parts(sample.names):
            mentions = before[part] - neutral[part]
            if mentions <= 0:
                continue
            left = max(0, min(mentions, after[part] - neutral[part]))
            if part in own:
                for table, key in ((report.names, sample.group), (report.by_layout, sample.layout)):
                    table[key][0] += mentions - left
                    table[key][1] += mentions
            else:
                report.names["referees"][0] += mentions - left
                report.names["referees"][1] += mentions
            if left:
                report.missed.append((sample.layout, sample.group, part))
        for school in sample.schools:
            distinctive = [w for w in _parts([school]) if w not in _SMALL and w not in neutral]
            left = any(after[w] for w in distinctive)
            report.schools[0] += not left
            report.schools[1] += 1
            if left:
                report.missed.append((sample.layout, "school", school))
        for word, count in neutral.items():
            lost = max(0, count - after[word])
            report.words[0] += lost
            report.words[1] += count
            if lost:
                report.broken[word] += lost
    return report


def _neutral_words(sample: Sample) -> Counter[str]:
    """Words of the resume's body that redaction must keep: all but what `corpus` plants to be hidden."""
    text = sample.text
    body = re.search(r"\b\d+ years of experience.*", text, re.DOTALL)
    text = body[0] if body else text
    cut = re.search(r"(?:References|REFERENCES|Referees|I declare|, 12 May)\b", text)
    text = text[: cut.start()] if cut else text
    for hidden in (*sample.schools, sample.names[0].split()[0] + " was", " his ", " her "):
        text = text.replace(hidden, " ")
    return _counts(text)


def _counts(text: str) -> Counter[str]:
    return Counter(word.folded for word in words_of(PLACEHOLDER.sub(" ", text)))


def _parts(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(p.folded for name in names for p in words_of(name) if len(p.folded) > 1))


__all__ = ["Report", "fold", "measure"]
