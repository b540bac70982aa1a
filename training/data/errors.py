"""Errors of training data. Like all of Evenmatch's, they name field, limit and value, never a text.

EvenmatchError
|-- VocabularyError             the ESCO texts are missing or not as expected
|-- DataError                   the data cannot be used for training
|   |-- DataFormatError           an unreadable file, or a row that is not as the mapping says
|   `-- LeakageError              the splits share what they must not share
"""

from __future__ import annotations

from service.core.errors import EvenmatchError


class VocabularyError(EvenmatchError):
    code = "vocabulary_error"
    title = "Unusable vocabulary"


class DataError(EvenmatchError):
    code = "data_error"
    title = "Unusable training data"


class DataFormatError(DataError):
    code = "data_format_error"
    title = "Unreadable training data"


class LeakageError(DataError):
    code = "data_leakage"
    title = "Splits leak into each other"
