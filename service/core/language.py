"""The language of a document, so that limits of what is made for English can be stated."""

from __future__ import annotations

from functools import cache
from typing import Any

UNDETERMINED = "und"
"""ISO 639-2 code for a text too short or too mixed to tell, lists of tools for instance."""

_CHARACTERS = 2_000
_MIN_PROBABILITY = 0.8


def language_of(text: str) -> str:
    """ISO 639-1 code of the language of `text`, or `UNDETERMINED`. Reads the first 2,000 characters."""
    code, probability = _identifier().classify(text[:_CHARACTERS])
    return str(code) if probability >= _MIN_PROBABILITY else UNDETERMINED


def is_foreign(language: str) -> bool:
    """True for a language told to be another than English, for which scores and redaction are weaker."""
    return language not in ("en", UNDETERMINED)


@cache
def _identifier() -> Any:
    """The model of py3langid. About 0.6 s and 90 MiB, hence loaded at first use."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
