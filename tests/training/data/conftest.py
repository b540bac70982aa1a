from __future__ import annotations

import pytest

from training.data.example import Dataset, Example
from training.data.synthetic.bias import BIASED
from training.data.synthetic.generator import GeneratorConfig, generate
from training.data.synthetic.professions import Atlas, load_atlas

SMALL = GeneratorConfig(
    seed=3, train_jobs=60, validation_jobs=30, calibration_jobs=30, threshold_jobs=30, test_jobs=60
)


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    return load_atlas()


@pytest.fixture(scope="session")
def plain() -> Dataset:
    return generate(SMALL)


@pytest.fixture(scope="session")
def biased() -> Dataset:
    return generate(SMALL.model_copy(update={"bias": BIASED}))


def example(job: int, person: int, label: int = 1, **changes: object) -> Example:
    """A pair of made-up texts."""
    fields: dict[str, object] = {
        "job_id": f"j{job}",
        "title": None,
        "description": f"The duties of job number {job}.",
        "resume_id": f"p{person}",
        "resume": f"The career of person number {person}.",
        "label": label,
        "grade": 2 * label,
    }
    return Example(**{**fields, **changes})  # type: ignore[arg-type]  # field by field
