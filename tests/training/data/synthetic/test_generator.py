from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from pydantic import ValidationError

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor
from tests.training.data.conftest import SMALL
from training.data.example import SPLITS, Dataset
from training.data.review import leaks, normalised
from training.data.synthetic.generator import GeneratorConfig, generate_split
from training.data.synthetic.people import draw_person, name_pool
from training.data.synthetic.professions import Atlas, split_professions


def test_the_same_config_writes_the_same_pairs(atlas: Atlas, plain: Dataset) -> None:
    professions = split_professions(atlas)["test"]
    assert generate_split(SMALL, atlas, professions, "test") == plain.test
    other = SMALL.model_copy(update={"seed": 4})
    assert generate_split(other, atlas, professions, "test")[0] != plain.test[0]


def test_each_job_meets_good_potential_and_unfit_resumes(plain: Dataset, atlas: Atlas) -> None:
    grades = Counter((e.job_id, e.grade) for e in plain.train)
    for job in {e.job_id for e in plain.train}:
        assert (grades[job, 2], grades[job, 1]) == (2, 1)
        assert 1 <= grades[job, 0] <= 5
    for split in SPLITS:
        for e in plain[split]:
            assert e.label == e.true_label == int(e.grade == 2)
            same = e.occupation == e.job_occupation
            assert same == (e.grade > 0)
            if not same:
                assert e.job_occupation is not None
                assert e.occupation not in atlas.duplicates[e.job_occupation]


def test_negatives_are_near_where_there_are_neighbours(atlas: Atlas) -> None:
    # Enough jobs that most neighbours of a profession are at hand.
    config = SMALL.model_copy(update={"train_jobs": 300})
    train = generate_split(config, atlas, split_professions(atlas)["train"][:300], "train")
    near = [
        e.occupation in atlas.neighbours[e.job_occupation]
        for e in train
        if e.grade == 0 and e.job_occupation is not None
    ]
    assert 0.15 < sum(near) / len(near) <= 0.5


def test_potential_fits_count_as_configured(atlas: Atlas) -> None:
    config = SMALL.model_copy(update={"potential_label": 1})
    made = generate_split(config, atlas, split_professions(atlas)["test"], "test")
    assert {e.label for e in made if e.grade == 1} == {1}


def test_splits_share_no_person_text_occupation_name_or_school(atlas: Atlas, plain: Dataset) -> None:
    assert leaks(plain) == []
    by_split = split_professions(atlas)
    pools = {split: name_pool(split) for split in SPLITS}
    for one, other in combinations(SPLITS, 2):
        near = {twin for p in by_split[one] for twin in atlas.duplicates[p.id]}
        assert not near & {p.id for p in by_split[other]}  # a profession is a duplicate of itself
        assert not {p.family for p in by_split[one]} & {p.family for p in by_split[other]}
        for kind in ("given_names", "surnames", "schools", "affinity"):
            first, second = (
                {value for values in getattr(pools[split], kind).values() for value in values}
                for split in (one, other)
            )
            assert not first & second, (one, other, kind)
    assert len(by_split["train"]) >= 1000
    assert min(len(professions) for professions in by_split.values()) >= 100
    for split in SPLITS:
        pool = name_pool(split)
        assert len(pool.given_names) == 8
        assert all(len(names) >= 5 for names in (*pool.given_names.values(), *pool.surnames.values()))
        assert all(len(schools) >= 5 for schools in pool.schools.values())


def test_names_are_of_the_splits_own_list(plain: Dataset) -> None:
    names = {name for names in name_pool("train").given_names.values() for name in names}
    held = {e.resume for split in ("calibration", "threshold", "test") for e in plain[split]}
    # Only where the header shows it: a name may be a word of another text.
    headers = [text.split("\n")[0] for text in held]
    found = [header for header in headers if header.split(" ")[0].title() in names]
    assert not found


def test_people_differ_independently_of_each_other() -> None:
    people = [draw_person("train", random.Random(i)) for i in range(2000)]
    women = [p for p in people if p.groups["sex"] == "female"]
    assert 0.45 < len(women) / len(people) < 0.55
    for some in (women, people):
        assert 0.35 < sum(p.groups["school_category"] == "top_school" for p in some) / len(some) < 0.45
        assert all((p.school is None) == (p.groups["school_category"] == "no_school_mentioned") for p in some)


def test_form_and_length_vary_as_in_real_documents(plain: Dataset) -> None:
    resumes = {e.resume_id: e.resume for e in plain.train}
    jobs = {e.job_id: e.description for e in plain.train}
    for texts in (resumes, jobs):
        words = sorted(len(text.split()) for text in texts.values())
        assert words[0] >= 30
        assert words[-1] <= 900
        assert words[-1] >= 2.5 * words[0]
    told = list(resumes.values())
    for mark in ("•", "➢", "## ", "Experience", "Company Details", "Technical Skills:", "@", "present"):
        share = sum(mark in text for text in told) / len(told)
        assert 0.01 < share < 0.95, mark
    titled = [e.title is not None for e in {e.job_id: e for e in plain.train}.values()]
    assert 0.4 < sum(titled) / len(titled) < 0.8


def test_job_and_good_resume_share_meaning_and_few_whole_sentences(plain: Dataset) -> None:
    def sentences(text: str) -> set[str]:
        return {normalised(s) for s in re.split(r"[.\n•➢♦*]", text) if len(s.split()) >= 5}

    shared, words = [], []
    for e in plain.train:
        if e.grade == 2:
            of_job = sentences(e.description)
            shared.append(len(of_job & sentences(e.resume)) / max(1, len(of_job)))
        common = set(normalised(e.description).split()) & set(normalised(e.resume).split())
        words.append((e.grade, len(common)))
    assert sum(shared) / len(shared) < 0.1
    good = [n for grade, n in words if grade == 2]
    unfit = [n for grade, n in words if grade == 0]
    assert sum(good) / len(good) > 1.3 * sum(unfit) / len(unfit)


@pytest.mark.parametrize(
    "wrong", [{"overlap": 1.5}, {"train_jobs": 0}, {"colour": 1}, {"bias": {"label": 2}}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GeneratorConfig.model_validate(wrong)


def test_good_fits_are_retold_in_training_only_and_nothing_else_changes(atlas: Atlas, plain: Dataset) -> None:
    config = SMALL.model_copy(update={"retell": True})
    professions = split_professions(atlas)
    train = generate_split(config, atlas, professions["train"], "train")
    assert [replace(e, paraphrase=None) for e in train] == plain.train
    good = {e.resume_id for e in train if e.grade == 2}
    assert all((e.paraphrase is not None) == (e.resume_id in good) for e in train)
    assert all(e.paraphrase != e.resume for e in train)
    # Told vaguely of people who do not do so, the same work takes fewer words.
    once = {e.resume_id: e for e in train if e.paraphrase is not None}.values()
    shorter = [len((e.paraphrase or "").split()) < len(e.resume.split()) for e in once]
    assert sum(shorter) / len(shorter) > 0.5
    assert all(e.paraphrase is None for e in generate_split(config, atlas, professions["test"], "test"))


def test_test_resumes_have_a_twin_without_clues(atlas: Atlas, plain: Dataset) -> None:
    assert all(e.clue_free is None for split, examples in plain.items() if split != "test" for e in examples)
    redactor = Redactor(["name", "email", "link", "school", "affinity", "pronoun"])
    twins = {e.resume_id: e for e in plain.test}.values()
    left = 0
    for example in twins:
        assert example.clue_free is not None
        left += bool(redactor.redact(normalise(example.clue_free)).counts)
        if example.resume.isascii():  # what is not a clue is the same but for the noise of copying
            words = set(example.clue_free.replace("[", " [").split())
            assert len(words - set(example.resume.split())) < 0.3 * len(words)
    assert left <= 0.02 * len(twins)
    assert any("[SCHOOL]" in (e.clue_free or "") and "[YEAR]" in (e.clue_free or "") for e in twins)
