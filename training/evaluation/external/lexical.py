"""What words alone do: TF-IDF and BM25, fitted on the texts that they are measured on.

A trained model has to be worth more than these. Fitting them on the evaluated texts themselves (no labels)
gives them document frequencies of the very pool, which a model that is served never sees: they are strong
baselines rather than weak ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from training.data.example import DataError
from training.evaluation.external.labelled_set import Indexes
from training.evaluation.scored_pairs import Floats

K1, B = 1.5, 0.75

_AT_ONCE = 20_000


def tfidf_scores(
    postings: Sequence[str], resumes: Iterable[str], pair_postings: Indexes, pair_resumes: Indexes
) -> Floats:
    """Cosine of TF-IDF vectors, (N,), in [0, 1].

    scikit-learn's `TfidfVectorizer` on postings and resumes together: words of two letters or more without
    English stop words, their counts times smoothed idf. Raises `DataError` if the texts have no such words.
    """
    vectorizer = TfidfVectorizer(stop_words="english")
    matrix = _fitted(vectorizer, chain(postings, resumes))
    return _products(matrix[: len(postings)], matrix[len(postings) :], pair_postings, pair_resumes)


def bm25_scores(
    postings: Sequence[str], resumes: Iterable[str], pair_postings: Indexes, pair_resumes: Indexes
) -> Floats:
    """Okapi BM25 of resumes for postings as queries, (N,), in words' idf.

        score = sum over words t of the posting, as often as they stand there, of
                idf(t) * tf (k1 + 1) / (tf + k1 (1 - b + b * length / mean length)),   over the words counted
        idf(t) = ln(1 + (n - df + 0.5) / (df + 0.5))

    Robertson & Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond", k1 = 1.5,
    b = 0.75; idf as in Lucene, never negative, of the n resumes and postings. Dividing by the posting's words
    changes no posting's order and lets scores of long and short postings be pooled. Words as in
    `tfidf_scores`; raises as it does.
    """
    counts = _fitted(CountVectorizer(stop_words="english"), chain(resumes, postings))
    given = counts.shape[0] - len(postings)
    documents, queries = counts[:given].tocsr().astype(np.float64), counts[given:].tocsr()
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log1p((counts.shape[0] - frequency + 0.5) / (frequency + 0.5))
    lengths = np.asarray(documents.sum(axis=1)).ravel()
    norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1e-12))
    weights = documents.copy()
    of_row = np.repeat(norm, np.diff(documents.indptr))
    weights.data = documents.data * (K1 + 1) / (documents.data + of_row)
    words = np.maximum(np.asarray(queries.sum(axis=1)).ravel(), 1)
    per_word = diags(1 / words) @ queries
    return _products(per_word, weights @ diags(idf), pair_postings, pair_resumes)


def _fitted(vectorizer: Any, texts: Iterable[str]) -> csr_matrix:
    try:
        return vectorizer.fit_transform(texts).tocsr()
    except ValueError:  # "empty vocabulary; perhaps the documents only contain stop words"
        raise DataError("the texts have no words beside stop words") from None


def _products(one: csr_matrix, other: csr_matrix, rows: Indexes, columns: Indexes) -> Floats:
    """Products of the rows of two sparse matrices, pair by pair."""
    one, other = one.tocsr(), other.tocsr()
    found = np.empty(len(rows))
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found[part] = np.asarray(one[rows[part]].multiply(other[columns[part]]).sum(axis=1)).ravel()
    return found
