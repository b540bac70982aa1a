"""Names that stand in no list of ours are hidden alike for eight groups, and what is no name stays."""

from __future__ import annotations

import re

import pytest

from service.core.documents import normalise
from service.core.redaction.lexicon import read_rows
from service.core.redaction.redactor import Redactor
from tests.service.core.redaction.names.unseen_names import (
    GIVEN,
    LAYOUTS,
    SURNAMES,
    Sample,
    control_samples,
    samples,
)

_LEAST_RECALL = 0.995
_MOST_APART = 0.005
_MOST_HIDDEN = 0.005


def _hidden(redactor: Redactor, sample: Sample) -> list[bool]:
    """For each place of the sample's name: whether every letter of it is hidden."""
    text = normalise(sample.text)
    covered = bytearray(len(text))
    for span in redactor.redact(text).spans:
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    places = list(re.finditer(re.escape(sample.name), text, re.IGNORECASE))
    assert places
    return [all(covered[i] for i in range(*m.span()) if text[i].isalnum()) for m in places]


def _check_recall(count: int, seed: int) -> None:
    redactor = Redactor()
    recall: dict[str, float] = {}
    missed: list[tuple[str, str, str]] = []
    for group in GIVEN:
        results = [(sample, all(_hidden(redactor, sample))) for sample in samples(group, count, seed)]
        assert len(results) == count * len(LAYOUTS)
        recall[group] = sum(hidden for _, hidden in results) / len(results)
        missed += [(group, sample.layout, sample.name) for sample, hidden in results if not hidden]
    assert min(recall.values()) >= _LEAST_RECALL, (recall, missed)
    assert max(recall.values()) - min(recall.values()) <= _MOST_APART, (recall, missed)


def _check_control(count: int, seed: int) -> None:
    redactor = Redactor()
    results = [
        (sample, any(_hidden(redactor, sample)))
        for group in GIVEN
        for sample in control_samples(group, count, seed)
    ]
    hidden = [(sample.name, sample.layout) for sample, is_hidden in results if is_hidden]
    assert len(hidden) <= _MOST_HIDDEN * len(results), hidden


@pytest.mark.slow
def test_no_group_of_unseen_names_is_hidden_less_than_another() -> None:
    _check_recall(50, seed=16)


def test_products_and_employers_in_the_same_layouts_stay() -> None:
    _check_control(12, seed=16)


@pytest.mark.slow
def test_no_group_is_hidden_less_than_another_in_many_names() -> None:
    _check_recall(800, seed=61)


@pytest.mark.slow
def test_products_and_employers_stay_beside_many_names() -> None:
    _check_control(150, seed=61)


def test_the_names_are_none_of_the_counterfactual_lists() -> None:
    rows = list(read_rows("names_by_group.csv"))
    listed = {(row["kind"], row["name"].casefold()) for row in rows}
    given = {name.casefold() for names in GIVEN.values() for name in names.split()}
    surnames = {name.casefold() for names in SURNAMES.values() for name in names.split()}
    assert not {("given", name) for name in given} & listed
    assert not {("surname", name) for name in surnames} & listed
