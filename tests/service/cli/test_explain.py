"""`evenmatch explain` on files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.core.bundle import Bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.txt").write_text("build the backend service of the payment team in python")
    (tmp_path / "cv.txt").write_text(
        "Jane Roe\nsenior engineer, built python software and the payment service."
    )
    (tmp_path / "cvs.csv").write_text("id,resume\na,built python software\nb,nurse of the surgical ward\n")
    return tmp_path


def run(bundle: Bundle, folder: Path, resume: str, *arguments: str) -> Result:
    job = ["--job", str(folder / "job.txt"), "--title", "python engineer", "--steps", "4"]
    given = ["explain", str(folder / resume), "--bundle", str(bundle.path), *job, *arguments]
    return CliRunner().invoke(app, given)


def test_words_are_printed_and_written(tiny_bundle: Bundle, folder: Path) -> None:
    done = run(tiny_bundle, folder, "cv.txt", "--json", str(folder / "words.json"), "--words", "3")
    assert done.exit_code == 0, done.output
    written = json.loads((folder / "words.json").read_text())
    assert written["text"].startswith("[NAME]")
    (passage,) = written["passages"]
    words = passage["words"]
    assert [written["text"][word["start"] : word["end"]] for word in words] == [w["text"] for w in words]
    assert words[0]["hidden"] == "name"
    top = max(words, key=lambda word: abs(word["contribution"]))
    lines = done.stdout.splitlines()
    assert any(top["text"] in line and f"{top['contribution']:+.4f}" in line for line in lines)
    assert f"raw_score {written['raw_score']:.4f}; with the words of 1 passages masked" in done.stderr
    assert "1 of these words stand for something hidden" in done.stderr
    assert "Jane" not in done.output + (folder / "words.json").read_text()


def test_one_resume_of_a_table_is_chosen(tiny_bundle: Bundle, folder: Path) -> None:
    done = run(tiny_bundle, folder, "cvs.csv")
    assert done.exit_code == 3
    assert "cvs.csv holds 2 resumes, and one is explained: choose it by --candidate" in done.stderr
    done = run(tiny_bundle, folder, "cvs.csv", "--candidate", "b")
    assert done.exit_code == 0, done.output
    assert "surgical" in done.stdout
    assert "software" not in done.stdout
    done = run(tiny_bundle, folder, "cvs.csv", "--candidate", "z")
    assert done.exit_code == 3
    assert "has no candidate z" in done.stderr


def test_without_torch_it_is_refused_in_words(
    tiny_bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    done = run(tiny_bundle, folder, "cv.txt")
    assert done.exit_code == 1
    assert "explaining by words needs gradients and so torch, which is not installed" in done.stderr


@pytest.mark.parametrize("option", ["--passages", "--steps"])
def test_costs_are_limited(option: str, tiny_bundle: Bundle, folder: Path) -> None:
    assert run(tiny_bundle, folder, "cv.txt", option, "100000").exit_code == 2
