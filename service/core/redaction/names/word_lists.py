"""Words that a name may or may not hold, folded."""

from __future__ import annotations

from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, Phrases, short_table
from service.core.redaction.words import fold

_ROWS = short_table("name_words.csv")


def _of_kind(kind: str) -> frozenset[str]:
    return frozenset(row["word"] for row in _ROWS if row["kind"] == kind)


STOP_WORDS = _of_kind("stop_word")
"""Words of job titles, headings and organisations. A phrase that holds one is no name."""

CREDENTIALS = _of_kind("credential")
"""PhD, MBA and the like, which stand after a name."""

GENERATIONS = _of_kind("generation")
"""Jr, III."""

LEADING_PARTICLES = _of_kind("leading_particle")
"""Particles that belong to the surname after them wherever it stands: "de la Cruz"."""

PARTICLES = LEADING_PARTICLES | _of_kind("inner_particle")
"""Small words of names; the other ones only join two parts of a name: "Ortega y Gasset"."""

PERSON_VERBS = _of_kind("person_verb")
"""What a person does: before one of these "Grace" is somebody."""

PLACES = frozenset(fold(word) for name in (*COUNTRY_NAMES, *DEMONYMS) for word in name.split()) | _of_kind(
    "place"
)
"""Words of countries, demonyms, states and cities, which speak against a name."""

THING_NOUNS = _of_kind("thing_noun")
"""What carries the names of people without being one: "Foundation", "algorithm", "Act"."""

MONTHS = _of_kind("month")
"""Months, in short forms too, and days of the week: no name where a date stands."""

NAMESAKES = Phrases(row["term"] for row in short_table("namesakes.csv"))
"""Firms, laws and methods that are named like a person: they stay, save where the candidate's name stands."""
