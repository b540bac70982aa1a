"""Words that a name may or may not hold, folded."""

from __future__ import annotations

from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, short_table
from service.core.redaction.words import fold

_KINDS: dict[str, set[str]] = {}
for _row in short_table("name_words.csv"):
    _KINDS.setdefault(_row["kind"], set()).add(_row["word"])

STOP_WORDS = frozenset(_KINDS["stop_word"])
"""Words of job titles, headings and organisations. A phrase that holds one is no name."""

CREDENTIALS = frozenset(_KINDS["credential"])
"""PhD, MBA and the like, which stand after a name."""

GENERATIONS = frozenset(_KINDS["generation"])
"""Jr, III."""

LEADING_PARTICLES = frozenset(_KINDS["leading_particle"])
"""Particles that belong to the surname after them wherever it stands: "de la Cruz"."""

PARTICLES = LEADING_PARTICLES | _KINDS["inner_particle"]
"""Small words of names; the other ones only join two parts of a name: "Ortega y Gasset"."""

PERSON_VERBS = frozenset(_KINDS["person_verb"])
"""What a person does: before one of these "Grace" is somebody."""

PLACES = (
    frozenset(fold(word) for name in (*COUNTRY_NAMES, *DEMONYMS) for word in name.split()) | _KINDS["place"]
)
"""Words of countries, demonyms, states and cities, which speak against a name."""
