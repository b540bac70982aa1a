"""Words that a name may or may not hold, folded."""

from __future__ import annotations

from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, Phrases, short_table, words_by
from service.core.redaction.words import fold

_WORDS = words_by("kind", "name_words.csv")


STOP_WORDS = _WORDS["stop_word"]
"""Words of job titles, headings and organisations. A phrase that holds one is no name."""

CREDENTIALS = _WORDS["credential"]
"""PhD, MBA and the like, which stand after a name."""

GENERATIONS = _WORDS["generation"]
"""Jr, III."""

LEADING_PARTICLES = _WORDS["leading_particle"]
"""Particles that belong to the surname after them wherever it stands: "de la Cruz"."""

PARTICLES = LEADING_PARTICLES | _WORDS["inner_particle"]
"""Small words of names; the other ones only join two parts of a name: "Ortega y Gasset"."""

PERSON_VERBS = _WORDS["person_verb"]
"""What a person does: before one of these "Grace" is somebody."""

PLACES = (
    frozenset(fold(word) for name in (*COUNTRY_NAMES, *DEMONYMS) for word in name.split()) | _WORDS["place"]
)
"""Words of countries, demonyms, states and cities, which speak against a name."""

THING_NOUNS = _WORDS["thing_noun"]
"""What carries the names of people without being one: "Foundation", "algorithm", "Act"."""

MONTHS = _WORDS["month"]
"""Months, in short forms too, and days of the week: no name where a date stands."""

NAMESAKES = Phrases(row["term"] for row in short_table("namesakes.csv"))
"""Firms, laws and methods that are named like a person: they stay, save where the candidate's name stands."""
