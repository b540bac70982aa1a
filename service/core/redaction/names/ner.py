"""Names by a spaCy model, beside the rules. Optional: needs `pip install 'evenmatch[ner]'` and a model."""

from __future__ import annotations

from typing import Any

from service.core.errors import ConfigurationError
from service.core.redaction.policy import TOKENS
from service.core.redaction.spans import Span

PERSON_LABELS = frozenset({"PERSON", "PER"})


class EntityFinder:
    """Persons as a spaCy pipeline sees them. Compared with the rules in docs/redaction.md."""

    def __init__(self, model: str) -> None:
        """Load the pipeline `model`, a package's name or a folder.

        Raises `ConfigurationError` if spaCy or the model is not installed.
        """
        try:
            import spacy

            self._pipeline: Any = spacy.load(model, exclude=["parser", "lemmatizer", "tagger"])
        except ImportError:
            raise ConfigurationError(
                f"redact_entities is {model!r}, but spaCy is not installed: pip install 'evenmatch[ner]'"
            ) from None
        except OSError:
            raise ConfigurationError(f"redact_entities: spaCy finds no model {model!r}") from None
        self.model = model

    def find(self, text: str) -> list[Span]:
        """Spans of persons' names."""
        return [
            Span(entity.start_char, entity.end_char, "name", TOKENS["name"])
            for entity in self._pipeline(text).ents
            if entity.label_ in PERSON_LABELS
        ]
