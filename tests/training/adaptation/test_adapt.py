"""From tables of postings and resumes to a base model that a run goes on from."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner

from service.core.base_model import describe
from service.core.bundle import read_bundle
from tests.support.tiny_models import write_bge_like
from tests.support.training_world import examples_of
from training.cli import app

WORDS = {
    "nurse": ["nurse", "ward", "patient", "care", "surgical", "registered"],
    "engineer": ["engineer", "python", "java", "backend", "service", "software"],
    "accountant": ["accountant", "payment", "database", "manage", "senior", "warehouse"],
}
EVERY_WORD = [word for words in WORDS.values() for word in words]
SECRET = "Xanthippe Quorn"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapt")
    write_bge_like(folder / "base")
    rng = random.Random(1)
    with (folder / "postings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Job Title", "Job Description"])
        for _ in range(200):  # a body says its title's words more often than others
            title = rng.sample(EVERY_WORD, 3)
            body = ". ".join(" ".join(rng.choices(title * 4 + EVERY_WORD, k=12)) for _ in range(5))
            writer.writerow([" ".join(title), body])
        writer.writerow(["", "no title"])
    with (folder / "resumes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cv"])
        for i in range(40):
            words = WORDS[list(WORDS)[i % 3]]
            lines = [" ".join(rng.choices(words, k=12)) + "." for _ in range(6)]
            writer.writerow([f"{SECRET}\n\n" + "\n".join(lines)])
    return folder


def adapt(place: Path, output: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        app,
        ["adapt", "--output", str(output), "--base-model", str(place / "base"), *more],
    )
    return result.exit_code, result.stderr


@pytest.fixture(scope="module")
def adapted(place: Path) -> tuple[Path, str]:
    both = ["--postings", str(place / "postings.csv"), "--resumes", str(place / "resumes.csv")]
    code, said = adapt(place, place / "model", *both, "--learning-rate", "5e-3", "--epochs", "4")
    assert code == 0, said
    return place / "model", said


def test_it_learns_which_body_a_title_belongs_to(adapted: tuple[Path, str]) -> None:
    folder, said = adapted
    record = json.loads((folder / "adaptation.json").read_text("utf-8"))
    before, after = (record["held_out"][when] for when in ("before", "after"))
    assert before["postings"] == after["postings"] == 20
    assert after["titles_first"] > before["titles_first"]
    assert before["neighbours_kept"] is None
    assert 0 < after["neighbours_kept"] < 1
    assert record["learned_from"] == {"postings": 180, "resumes": 36, "steps": 36}
    assert "held out, titles whose own body is nearest" in said
    assert "1 of 201 rows have no title or no body" in said
    assert "column `Job Title` is read as the posting title" in said


def test_the_result_is_a_base_model_with_the_layout_of_the_first(
    adapted: tuple[Path, str], place: Path
) -> None:
    base, model = describe(str(place / "base")), describe(str(adapted[0]))
    assert (model.pooling, model.max_tokens, model.prefixes) == (base.pooling, base.max_tokens, base.prefixes)
    assert model.spec.dimensions == base.spec.dimensions
    assert model.spec.weights_sha256 != base.spec.weights_sha256
    names = set(load_file(place / "base" / "model.safetensors"))
    assert set(load_file(adapted[0] / "model.safetensors")) == names


def test_nothing_of_the_texts_is_written(adapted: tuple[Path, str]) -> None:
    folder, said = adapted
    assert SECRET not in said
    for file in folder.rglob("*.json"):
        assert "Xanthippe" not in file.read_text("utf-8"), file


@pytest.mark.slow
def test_the_same_texts_and_seed_make_the_same_model(adapted: tuple[Path, str], place: Path) -> None:
    both = ["--postings", str(place / "postings.csv"), "--resumes", str(place / "resumes.csv")]
    code, said = adapt(place, place / "again", *both, "--learning-rate", "5e-3", "--epochs", "4")
    assert code == 0, said
    name = "model.safetensors"
    assert (place / "again" / name).read_bytes() == (adapted[0] / name).read_bytes()


@pytest.mark.slow
def test_a_bundle_is_made_of_it(adapted: tuple[Path, str], tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    with pairs.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["job_id", "job", "resume_id", "resume", "label"])
        for e in examples_of(8, prefix="own"):
            writer.writerow([e.job_id, e.description, e.resume_id, e.resume, e.label])
    config = {
        "name": "adapted",
        "base_model": {"id": str(adapted[0])},
        "data": {
            "files": {
                "file": str(pairs),
                "columns": {"job_id": "job_id", "resume_id": "resume_id"},
                "folds": 3,
            }
        },
        "losses": {"contrastive": 0.0},
        "erasure": {"method": "none"},
        "threshold": {"parity_limit": None},
        "evaluation": {"rounds": 20, "audited": 0},
    }
    (tmp_path / "run.yaml").write_text(json.dumps(config), "utf-8")
    result = CliRunner().invoke(
        app, ["run", "--config", str(tmp_path / "run.yaml"), "--output", str(tmp_path / "b"), "--quiet"]
    )
    assert result.exit_code == 0, result.stderr
    assert read_bundle(tmp_path / "b").manifest.base_model.id == str(adapted[0])


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "give --postings, --resumes or both"),
        (["--postings", "{}/postings.csv", "--title-column", "x"], 1, "has no column `x` (--title-column)"),
        (["--resumes", "{}/postings.csv"], 1, "no column looks like a resume; say --resume-column"),
        (
            ["--postings", "{}/postings.csv", "--kept-share", "2"],
            2,
            "--kept-share: Input should be less than",
        ),
        (["--postings", "{}/nowhere.csv"], 1, "nowhere.csv cannot be read"),
        (["--resumes", "{}/few.csv"], 1, "0 postings and 3 resumes are too few to adapt to"),
        (["--resumes", "{}/short.csv"], 1, "no posting and no resume of two passages or more"),
    ],
)
def test_what_cannot_be_done_is_said(place: Path, options: list[str], code: int, said: str) -> None:
    lines = "\n".join(" ".join(["care for the patient on the ward", str(i)]) * 6 + "." for i in range(3))
    with (place / "few.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["cv"], *[[f"{number}. {lines}"] for number in range(3)]])
    (place / "short.csv").write_text("cv\nnurse\n", "utf-8")
    output = place / "not-made"
    found, message = adapt(place, output, *[option.format(place) for option in options])
    assert found == code, message
    assert said in " ".join(message.replace("│", " ").split())
    assert not output.exists()


def test_a_folder_that_is_no_adapted_model_is_not_replaced(place: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    options = ["--postings", str(place / "postings.csv")]
    for more, said in (([], "exists already"), (["--overwrite"], "is no adapted model")):
        code, message = adapt(place, tmp_path / "mine", *options, *more)
        assert code == 1
        assert said in message
    assert (tmp_path / "mine" / "thesis.txt").is_file()
