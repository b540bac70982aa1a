from __future__ import annotations

from collections import Counter

import pytest

from training.data.synthetic.vocabulary import Occupation, load_occupations


@pytest.fixture(scope="module")
def occupations() -> list[Occupation]:
    return load_occupations()


def test_the_vocabulary_is_broad_and_each_occupation_complete(occupations: list[Occupation]) -> None:
    assert len(occupations) >= 50
    assert len({o.occupation for o in occupations}) == len(occupations)
    assert min(Counter(o.sector for o in occupations).values()) >= 3
    for o in occupations:
        assert len(o.titles) >= 3, o.occupation
        assert len(o.skills) >= 8, o.occupation
        assert len(o.duties) >= 6, o.occupation
        assert len(o.requirements) >= 5, o.occupation
        assert len(o.summary) >= 2, o.occupation
        assert len(o.education) >= 2, o.occupation


def test_no_sentence_stands_on_both_sides_or_in_two_occupations(occupations: list[Occupation]) -> None:
    sentences = Counter(s for o in occupations for s in (*o.duties, *o.requirements, *o.summary))
    assert [s for s, n in sentences.items() if n > 1] == []
