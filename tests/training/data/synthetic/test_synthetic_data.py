from __future__ import annotations

import random
from collections import Counter

import pytest

from training.data.pairs import LabelledPair, make_pairs, split_by_sector, write_job, write_resume
from training.data.synthetic.vocabulary import Occupation, load_occupations, sectors


@pytest.fixture(scope="module")
def occupations() -> list[Occupation]:
    return load_occupations()


@pytest.fixture(scope="module")
def pairs(occupations: list[Occupation]) -> list[LabelledPair]:
    return make_pairs(occupations, jobs_each=2, resumes_each=4, negatives=3, rng=random.Random(5))


def test_the_vocabulary_is_broad_and_each_occupation_complete(occupations: list[Occupation]) -> None:
    assert len(occupations) >= 50
    assert len({o.occupation for o in occupations}) == len(occupations)
    assert all(len(family) >= 3 for family in sectors(occupations).values())
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


def test_splits_share_no_sector_and_no_occupation(occupations: list[Occupation]) -> None:
    splits = split_by_sector(occupations, random.Random(1))
    parts = [splits.calibration, splits.threshold, splits.test]
    for of in ("sector", "occupation"):
        found = [{getattr(o, of) for o in part} for part in parts]
        assert not (found[0] & found[1])
        assert not (found[0] & found[2])
        assert not (found[1] & found[2])
    assert sum(map(len, parts)) == len(occupations)
    assert all(parts)


def test_a_quarter_of_the_pairs_match_and_each_label_is_right(pairs: list[LabelledPair]) -> None:
    assert sum(p.label for p in pairs) / len(pairs) == 0.25
    for pair in pairs:
        same = pair.job_id.split(" job ")[0] == pair.resume_id.split(" resume ")[0]
        assert pair.label == int(same)


def test_half_of_the_negatives_are_neighbours(
    pairs: list[LabelledPair], occupations: list[Occupation]
) -> None:
    sector = {o.occupation: o.sector for o in occupations}
    near = [
        sector[p.job_id.split(" job ")[0]] == sector[p.resume_id.split(" resume ")[0]]
        for p in pairs
        if not p.label
    ]
    assert sum(near) / len(near) == pytest.approx(0.5, abs=0.02)


def test_no_pair_stands_twice_and_half_of_the_jobs_have_no_title(pairs: list[LabelledPair]) -> None:
    assert len({(p.job_id, p.resume_id) for p in pairs}) == len(pairs)
    jobs = {p.job_id: p.title for p in pairs}
    assert sum(title is None for title in jobs.values()) == len(jobs) / 2


def test_lengths_vary_as_in_real_documents(occupations: list[Occupation]) -> None:
    rng = random.Random(2)
    resumes = [len(write_resume(o, rng).split()) for o in occupations for _ in range(10)]
    jobs = [len(write_job(o, o.titles[0], rng).split()) for o in occupations for _ in range(10)]
    for lengths in (resumes, jobs):
        assert min(lengths) >= 40
        assert max(lengths) >= 2 * min(lengths)


def test_the_same_seed_writes_the_same_text(occupations: list[Occupation]) -> None:
    texts = [write_resume(occupations[0], random.Random(9)) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0] != write_resume(occupations[0], random.Random(10))
