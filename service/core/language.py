"""The language of a document, so that limits of what is made for English can be stated."""

from __future__ import annotations

import io
import lzma
from array import array
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from service.core.once import LoadedOnce

UNDETERMINED = "und"
"""ISO 639-2 code for a text too short or too mixed to tell, lists of tools for instance."""

LanguageWarning = Literal["non_latin_script", "not_english"]
"""A script or a language that scores and redaction were not made for."""

_CHARACTERS = 2_000
_MIN_PROBABILITY = 0.8


def language_of(text: str) -> str:
    """ISO 639-1 code of the language of `text`, or `UNDETERMINED`. Reads the first 2,000 characters.

    Raises `WarmingUpError` if the model cannot be loaded now.
    """
    code, probability = load_identifier().classify(text[:_CHARACTERS])
    return str(code) if probability >= _MIN_PROBABILITY else UNDETERMINED


def is_foreign(language: str) -> bool:
    """True for a language told to be another than English, for which scores and redaction are weaker."""
    return language not in ("en", UNDETERMINED)


def warnings_of_language(language: str, non_latin_script: bool) -> tuple[LanguageWarning, ...]:
    """The warnings about the language of a resume or a job."""
    script: tuple[LanguageWarning, ...] = ("non_latin_script",) if non_latin_script else ()
    return (*script, "not_english") if is_foreign(language) else script


def _read() -> Any:
    """The model of py3langid, unpacked in memory: about 0.8 s, 70 MiB, and 70 MiB more while it is read.

    `LanguageIdentifier.from_model_file` unpacks it to a temporary file of 65 MiB, which a container may have
    no room for, and makes lists of its arrays.
    """
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    with lzma.open(MODEL_DIR / MODEL_FILE) as file:
        unpacked = io.BytesIO(file.read())
    with np.load(unpacked, allow_pickle=False) as model:
        return LanguageIdentifier(
            model["ptc"],
            model["pc"],
            model["classes"].tolist(),
            _plain(model["nextmove"]),
            _plain(model["out_feat"]),
            norm_probs=True,
            tk_row=_plain(model["nextmove_row"]),
        )


def _plain(numbers: NDArray[Any]) -> array[int]:
    """An array of Python's own: it gives single numbers much faster than numpy's."""
    codes = {array(code).itemsize: code for code in ("HIL" if numbers.dtype.kind == "u" else "hil")}
    plain = array(codes[numbers.dtype.itemsize])
    plain.frombytes(np.ascontiguousarray(numbers).data.cast("B"))
    return plain


load_identifier = LoadedOnce("the language model", _read)
