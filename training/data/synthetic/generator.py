"""Synthetic resume-job pairs in five splits, from a seed.

Each job brings its own resumes: good fits (of its profession, near in seniority, a set share of its
content in other words) and potential fits (of its profession, but far in seniority or with few of its
skills). Its negatives are resumes written for other jobs of the same split: half of them of neighbouring
professions.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from training.data.example import (
    SENIORITIES,
    SPLITS,
    Dataset,
    Example,
    Grade,
    Seniority,
    SplitName,
    from_splits,
)
from training.data.synthetic.bias import BiasConfig
from training.data.synthetic.grammar import as_gerund
from training.data.synthetic.people import Person, draw_person, without_clues
from training.data.synthetic.postings import Vacancy, posting_title, write_posting
from training.data.synthetic.professions import Atlas, Profession, load_atlas, split_professions
from training.data.synthetic.resumes import Career, Wording, write_resume


class GeneratorConfig(BaseModel):
    """Everything that determines the synthetic data. The same config gives the same texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(20261124, description="Of the people and texts.")
    train_jobs: int = Field(
        1200,
        ge=1,
        description="Jobs in the training split; each of a profession of its own until all are used.",
    )
    validation_jobs: int = Field(120, ge=1, description="Jobs of the split that epochs are compared on.")
    calibration_jobs: int = Field(150, ge=1, description="Jobs of the split that calibration is fitted on.")
    threshold_jobs: int = Field(150, ge=1, description="Jobs of the split that the threshold is chosen on.")
    test_jobs: int = Field(240, ge=1, description="Jobs of the split that is reported.")
    good_each: int = Field(2, ge=1, description="Good fits per job, resumes written for it.")
    potential_each: float = Field(1.0, ge=0, description="Potential fits per job, on average.")
    negatives_each: int = Field(5, ge=1, description="Resumes of other professions per job.")
    hard_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the negatives that are of neighbouring professions, where there are any.",
    )
    overlap: float = Field(
        0.3, ge=0, le=1, description="Share of a good fit's content that its job names too, in other words."
    )
    potential_overlap: float = Field(
        0.08, ge=0, le=1, description="The same for a potential fit that lacks skills."
    )
    potential_label: int = Field(0, ge=0, le=1, description="The label of a potential fit.")
    titled: float = Field(0.6, ge=0, le=1, description="Share of jobs with a title.")
    retell: bool = Field(
        False,
        description="Write a paraphrase of each good fit of the training split: vague if the resume "
        "is not, and the other way round. It changes no other text.",
    )
    bias: BiasConfig = Field(
        BiasConfig(),
        description="How groups differ in labels and wording; by default they do not. It changes "
        "neither people nor careers, so that the same seed gives the same world at every "
        "setting of the knob.",
    )

    def jobs(self, split: SplitName) -> int:
        """Number of jobs of a split."""
        return int(getattr(self, f"{split}_jobs"))


@dataclass(frozen=True, slots=True)
class WrittenResume:
    """A resume before it is paired: `grade` towards the job that it was written for."""

    id: str
    text: str
    person: Person
    profession: str
    grade: Grade
    seniority: Seniority
    paraphrase: str | None
    clue_free: str | None


@dataclass(frozen=True, slots=True)
class WrittenJob:
    id: str
    title: str | None
    text: str
    profession: str
    resumes: tuple[WrittenResume, ...]


def generate(config: GeneratorConfig) -> Dataset:
    """All five splits. Deterministic for a config; some 2,000 resumes a second after the first call."""
    atlas = load_atlas()
    by_split = split_professions(atlas)
    made = {split: generate_split(config, atlas, by_split[split], split) for split in SPLITS}
    return from_splits(made)


def generate_split(
    config: GeneratorConfig, atlas: Atlas, professions: Sequence[Profession], split: SplitName
) -> list[Example]:
    """The pairs of one split, made of `professions` and the split's own names and schools."""
    rng = random.Random(f"{config.seed}:{split}")
    order = list(professions)
    rng.shuffle(order)
    chosen = [order[i % len(order)] for i in range(config.jobs(split))]
    jobs = [
        write_job(config, profession, f"{split}-{i:05d}", split, random.Random(f"{config.seed}:{split}:{i}"))
        for i, profession in enumerate(chosen)
    ]
    return pair(config, atlas, jobs, rng)


def write_job(
    config: GeneratorConfig, profession: Profession, job_id: str, split: SplitName, rng: random.Random
) -> WrittenJob:
    """One posting and the resumes that are written for it."""
    activities = _sample(profession.activities, _many(6, rng), rng)
    skills = _sample(_skills_of(profession), rng.randint(3, 8), rng)
    vacancy = Vacancy(
        titles=profession.titles[:6],
        seniority=rng.choice(SENIORITIES),
        activities=activities,
        requirements=_sample(profession.requirements, rng.randint(3, 5), rng),
        skills=skills,
    )
    potential = int(config.potential_each) + (rng.random() < config.potential_each % 1)
    good: Grade = 2
    some: Grade = 1
    grades = [good] * config.good_each + [some] * potential
    title = posting_title(vacancy, rng) if rng.random() < config.titled else None
    text = write_posting(vacancy, rng)
    resumes = []
    for i, grade in enumerate(grades):
        draws = random.Random(f"{config.seed}:{job_id}-r{i}")
        person = draw_person(split, draws)
        career = write_career(config, vacancy, profession, grade, draws)
        seed_of_words = f"{config.seed}:{job_id}-r{i}:words"
        words = random.Random(seed_of_words)
        career = replace(career, wording=config.bias.wording_of(person.groups, words))
        twin = random.Random(seed_of_words)
        config.bias.wording_of(person.groups, twin)  # the draws that were made before the resume was written
        resumes.append(
            WrittenResume(
                id=f"{job_id}-r{i}",
                text=write_resume(career, person, words),
                person=person,
                profession=profession.id,
                grade=grade,
                seniority=career.seniority,
                paraphrase=_paraphrase(config, career, person, f"{job_id}-r{i}")
                if config.retell and split == "train" and grade == 2
                else None,
                clue_free=write_resume(career, without_clues(person), twin) if split == "test" else None,
            )
        )
    return WrittenJob(job_id, title, text, profession.id, tuple(resumes))


def _paraphrase(config: GeneratorConfig, career: Career, person: Person, resume_id: str) -> str:
    """The same career of the same person, worded as the other groups word theirs."""
    words = random.Random(f"{config.seed}:{resume_id}:retold")
    wording = Wording(tone="agentic") if career.wording.vague else _vague(words)
    return write_resume(replace(career, wording=wording), person, words)


def _vague(rng: random.Random) -> Wording:
    return Wording(tone="communal", vague=rng.uniform(0.4, 0.9), gap=rng.random() < 0.5)


def write_career(
    config: GeneratorConfig, vacancy: Vacancy, profession: Profession, grade: Grade, rng: random.Random
) -> Career:
    """What a good or potential fit has done. A potential fit is far in seniority or has few of the skills."""
    far = [s for s in SENIORITIES if abs(SENIORITIES.index(s) - SENIORITIES.index(vacancy.seniority)) >= 2]
    near = [s for s in SENIORITIES if s not in far]
    wrong_level = grade == 1 and rng.random() < 0.5
    few_skills = grade == 1 and not wrong_level
    overlap = config.potential_overlap if few_skills else config.overlap
    return Career(
        titles=_sample(profession.titles[:8], rng.randint(1, 3), rng),
        seniority=rng.choice(far if wrong_level else near),
        activities=_overlapping(profession.activities, vacancy.activities, _many(8, rng), overlap, rng),
        achievements=_sample(profession.achievements, rng.randint(4, 7), rng),
        skills=_overlapping(_skills_of(profession), vacancy.skills, _many(8, rng), overlap, rng),
        education=rng.choice(profession.education) if profession.education else None,
    )


def _skills_of(profession: Profession) -> tuple[str, ...]:
    """Abilities as nouns ("inspecting goods"), then topics of knowledge."""
    return (*map(as_gerund, profession.abilities), *profession.knowledge)


def _many(median: int, rng: random.Random) -> int:
    """A number of things that somebody writes down: log-normal, as lengths of documents are; 3 to 30."""
    return min(30, max(3, round(rng.lognormvariate(math.log(median), 0.55))))


def _overlapping(
    all_of_it: Sequence[str], asked: Sequence[str], count: int, share: float, rng: random.Random
) -> tuple[str, ...]:
    """`count` items, of which about `share` are among `asked`; more where the rest does not suffice."""
    rest = [item for item in all_of_it if item not in asked]
    exact = share * count
    common = min(len(asked), int(exact) + (rng.random() < exact % 1))
    found = [*_sample(asked, common, rng), *_sample(rest, count - common, rng)]
    rng.shuffle(found)
    return tuple(found)


def _sample(items: Sequence[str], count: int, rng: random.Random) -> tuple[str, ...]:
    return tuple(rng.sample(list(items), min(count, len(items))))


def pair(
    config: GeneratorConfig, atlas: Atlas, jobs: Sequence[WrittenJob], rng: random.Random
) -> list[Example]:
    """Each job with its own resumes and with negatives from the other jobs' resumes."""
    of_profession: dict[str, list[WrittenResume]] = {}
    for job in jobs:
        of_profession.setdefault(job.profession, []).extend(job.resumes)
    everybody = [resume for job in jobs for resume in job.resumes]
    examples = []
    for job in jobs:
        examples += [_example(config, job, resume, resume.grade) for resume in job.resumes]
        near = [r for p in atlas.neighbours[job.profession] for r in of_profession.get(p, ())]
        hard = rng.sample(near, min(len(near), round(config.hard_share * config.negatives_each)))
        taken = {resume.id for resume in hard}
        barred = atlas.duplicates[job.profession] | set(atlas.neighbours[job.profession]) | {job.profession}
        strangers = rng.sample(everybody, min(len(everybody), 12 * config.negatives_each))
        easy = [r for r in strangers if r.profession not in barred and r.id not in taken]
        negatives = [*hard, *easy[: config.negatives_each - len(hard)]]
        examples += [_example(config, job, resume, 0) for resume in negatives]
    return examples


def _example(config: GeneratorConfig, job: WrittenJob, resume: WrittenResume, grade: Grade) -> Example:
    label = (0, config.potential_label, 1)[grade]
    draws = random.Random(f"{config.seed}:{job.id}:{resume.id}:label")
    return Example(
        job_id=job.id,
        title=job.title,
        description=job.text,
        resume_id=resume.id,
        resume=resume.text,
        label=config.bias.recorded_label(label, resume.person.groups, draws),
        grade=grade,
        true_label=label,
        groups=resume.person.groups,
        occupation=resume.profession,
        job_occupation=job.profession,
        paraphrase=resume.paraphrase,
        clue_free=resume.clue_free,
        seniority=resume.seniority,
    )
