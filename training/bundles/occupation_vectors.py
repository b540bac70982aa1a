"""The occupations of ESCO by a bundle's own encoder: what `core/occupations.py` sets texts against."""

from __future__ import annotations

import numpy as np

from service.core.engines.loading import LoadedModel
from service.core.occupations import Occupations, in_half_precision
from training.data.synthetic.esco import read_occupations

_MOST_WORDS = 40
_AT_ONCE = 256


def occupation_texts() -> list[tuple[str, str]]:
    """The title of each occupation that has a description, and the beginning of that, in the file's order."""
    return [
        (occupation.titles[0], " ".join(" ".join(occupation.description).split()[:_MOST_WORDS]))
        for occupation in read_occupations()
        if occupation.description
    ]


def encoded_occupations(loaded: LoadedModel) -> Occupations:
    """For each occupation the mean of the vectors of its title and its description, as a unit vector.

    In half precision, as it is stored. Raises `VocabularyError` if the texts of ESCO are not installed.
    """
    texts = occupation_texts()
    ids = loaded.tokenizer.encode_all([text for pair in texts for text in pair], "job")
    by_length = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    vectors = np.empty((len(ids), loaded.engine.embed(ids[:1]).shape[1]), dtype=np.float32)
    for start in range(0, len(by_length), _AT_ONCE):
        rows = by_length[start : start + _AT_ONCE]
        vectors[rows] = loaded.engine.embed([ids[i] for i in rows])
    means = vectors.reshape(len(texts), 2, -1).mean(axis=1)
    return in_half_precision(means / np.linalg.norm(means, axis=1, keepdims=True))
