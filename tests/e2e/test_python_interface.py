"""`evenmatch.load` in this process answers what the real server answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

import evenmatch
from evenmatch import Model
from service.cli import app
from service.core.errors import (
    BundleError,
    CohortError,
    ConfigurationError,
    CountError,
    InputError,
    InputErrors,
)
from tests.e2e.conftest import Server
from tests.e2e.texts import BACKEND_JOB, ENGINEER, NURSE
from tests.support.cohorts import words

JOB, TITLE = BACKEND_JOB["description"], BACKEND_JOB["title"]
MARKED = "<p>" + NURSE.replace("\n", "</p>\n<p>") + "</p>"
LONG = "\n".join([ENGINEER] * 11)  # read by another process
RESUMES = [ENGINEER, NURSE, MARKED, LONG, "Cook. Cooks."]


@pytest.fixture(scope="module")
def model(server: Server, data_dir: Path) -> Iterator[Model]:
    """With the model that the server has converted."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EVENMATCH_DATA_DIR", str(data_dir))
        with evenmatch.load() as loaded:
            yield loaded


def test_scores_are_those_of_the_server(model: Model, client: httpx.Client) -> None:
    for redact, resumes, prevalence in ((True, RESUMES, None), (False, RESUMES[:2], 0.02)):
        candidates = [{"id": f"c-{i}", "resume": text} for i, text in enumerate(resumes)]
        answer = client.post(
            "/v1/score",
            json={"job": BACKEND_JOB, "candidates": candidates, "redact": redact, "prevalence": prevalence},
        ).json()
        ids = [one["id"] for one in candidates]
        scores = model.score(JOB, resumes, title=TITLE, ids=ids, redact=redact, prevalence=prevalence)
        assert (scores.threshold, scores.prevalence) == (answer["threshold"], answer["prevalence"])
        assert len(scores) == len(answer["results"])
        for score, result in zip(scores, answer["results"], strict=True):
            assert score.id == result["candidate_id"]
            for name in (
                "raw_score", "calibrated_probability", "decision", "borderline", "language", "redactions",
                "warning_counts",
            ):  # fmt: skip
                assert getattr(score, name) == result[name], name
            assert list(score.warnings) == result["warnings"]


def test_requirements_are_those_of_the_server(model: Model, client: httpx.Client) -> None:
    job = {**BACKEND_JOB, "description": f"{JOB}\nBachelor's degree required. Must be fluent in German."}
    lacking = ENGINEER.replace("BSc Computer Science", "High school diploma")
    candidates = [{"id": "a", "resume": lacking}, {"id": "b", "resume": ENGINEER}]
    answer = client.post(
        "/v1/score", json={"job": job, "candidates": candidates, "require": ["degree"]}
    ).json()
    scores = model.score(job["description"], [lacking, ENGINEER], title=TITLE, require=["degree"])
    for score, result in zip(scores, answer["results"], strict=True):
        assert (score.decision, score.reason) == (result["decision"], result["reason"])
        assert [asdict(one) | {"where": list(one.where)} for one in score.requirements or ()] == result[
            "requirements"
        ]
    assert [score.reason for score in scores] == ["requirement_not_found", None]
    with pytest.raises(InputError, match="age is no kind of requirement"):
        model.score(JOB, ENGINEER, require=["age"])  # type: ignore[list-item]


def test_pairs_of_a_frame_are_scored_as_alone(model: Model) -> None:
    frame = pandas.DataFrame(
        {
            "Resume_str": [ENGINEER, NURSE, NURSE],
            "job_description": [JOB, JOB, "A nurse for our ward: wound care, triage and medication."],
            "job_title": [TITLE, TITLE, None],
        },
        index=["x", "x", "y"],
    )
    found = model.score_pairs(frame, title_column="job_title").to_frame()
    first = model.score(JOB, [ENGINEER, NURSE], title=TITLE)
    other = model.score(frame["job_description"].iloc[2], NURSE)
    assert list(found["raw_score"]) == [one.raw_score for one in (*first, *other)]
    assert list(found["id"]) == ["row-1", "row-2", "row-3"]
    with pytest.raises(InputError, match="no column ad; it has Resume_str, job_description, job_title"):
        model.score_pairs(frame, job_column="ad")


def test_vectors_and_redacted_texts_are_those_of_the_server(model: Model, client: httpx.Client) -> None:
    for kind, texts in (("resume", [ENGINEER, NURSE]), ("job", [JOB])):
        answer = client.post("/v1/embed", json={"inputs": texts, "kind": kind}).json()
        assert not any(answer["truncated"])
        vectors = model.embed(texts, kind="resume" if kind == "resume" else "job")
        assert np.array_equal(vectors, np.array(answer["embeddings"], dtype=np.float32))
    with pytest.warns(UserWarning, match="1 of 2 texts have more than"):
        model.embed([LONG, JOB])
    for text in (ENGINEER, MARKED):
        answer = client.post("/v1/redact", json={"resume": text}).json()
        redacted = model.redact(text)
        assert redacted.text == answer["text"]
        assert dict(redacted.redactions) == answer["redactions"]
        assert list(redacted.warnings) == answer["warnings"]
    assert "robin@example.org" in model.redact(ENGINEER, categories=["name"]).text


def test_an_audit_is_that_of_the_server(model: Model, client: httpx.Client, tmp_path: Path) -> None:
    request = {
        "job": BACKEND_JOB,
        "resumes": [{"id": "e", "resume": ENGINEER}, {"id": "n", "resume": NURSE}],
        "attributes": ["name"],
        "names_per_group": 2,
        "controls": 2,
        "redact": False,
        "seed": 3,
    }
    answer = client.post("/v1/audit/counterfactual", json=request).json()
    audit = model.audit(
        JOB,
        [ENGINEER, NURSE],
        title=TITLE,
        ids=["e", "n"],
        attributes=["name"],
        names_per_group=2,
        controls=2,
        redact=False,
        seed=3,
    )
    assert audit.findings == answer["findings"]
    table = audit.to_frame()
    groups = answer["attributes"][0]["groups"]
    assert list(table["mean_gap"])[1:] == [group["gaps"]["mean_gap"] for group in groups]
    assert table["n"].iloc[0] == answer["control"]["n"]
    html = audit.save(tmp_path / "audit.html").read_text("utf-8")
    assert "Robin" not in html
    assert audit.save(tmp_path / "audit.json").stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match=r"must end in \.html or \.json"):
        audit.save(tmp_path / "audit.csv")


def test_a_document_is_read_where_a_path_stands(model: Model, tmp_path: Path) -> None:
    file = tmp_path / "cv.html"
    file.write_text(f"<html><body>{MARKED}</body></html>", "utf-8")
    assert model.score(JOB, [file, NURSE])[0].raw_score == pytest.approx(
        model.score(JOB, NURSE)[0].raw_score, abs=0.02
    )
    with pytest.raises(InputError, match=r"resumes\[0\]: .*none.pdf cannot be read"):
        model.score(JOB, [tmp_path / "none.pdf"])


def test_bad_texts_are_told_all_at_once(model: Model) -> None:
    with pytest.raises(InputErrors) as raised:
        model.score(JOB, [ENGINEER, None, float("nan"), " ", 7])  # type: ignore[list-item]
    said = str(raised.value).splitlines()
    assert said[0] == "resumes[1] must be a text, is missing"
    assert said[1] == "resumes[2] must be a text, is missing"
    assert said[2].startswith("resumes[3] holds no text")
    assert said[3] == "resumes[4] must be a text, is a int"
    untitled = model.score(JOB, ENGINEER).results
    assert model.score(JOB, ENGINEER, title=float("nan")).results == untitled  # type: ignore[arg-type]
    assert model.score(JOB, ENGINEER, title=" ").results == untitled
    with pytest.raises(InputError, match=r"prevalence must be above 0 and below 1 .* it is 2"):
        model.score(JOB, NURSE, prevalence=2)
    with pytest.raises(InputError, match="job must be a text, is missing"):
        model.score(None, ENGINEER)  # type: ignore[arg-type]
    with pytest.raises(CountError, match="1 ids for 2 resumes"):
        model.score(JOB, [ENGINEER, NURSE], ids=["a"])
    with pytest.raises(InputError, match="each resume needs another"):
        model.score(JOB, [ENGINEER, NURSE], ids=["a", "a"])
    with pytest.raises(InputError, match="shoe_size is no attribute; name"):
        model.audit(JOB, ENGINEER, attributes=["shoe_size"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="shoe_size is no category"):
        model.redact(ENGINEER, categories=["shoe_size"])  # type: ignore[list-item]


def test_many_resumes_are_scored_in_parts(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    resumes = [ENGINEER, NURSE, *(f"{name}\n\n{ENGINEER}" for name in ("Ada", "Bob", "Cid"))]
    together = model.score(JOB, resumes)
    monkeypatch.setattr("evenmatch.model._PART_TOKENS", 300)
    assert model.score(JOB, resumes).results == together.results
    assert [one.id for one in together.ranked()[:1]] == ["resume-1"]
    assert len(model.score(JOB, [])) == 0


@pytest.mark.usefixtures("server")
def test_what_cannot_be_loaded_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(data_dir))
    with pytest.raises(BundleError, match=r"no bundle nope: .* \(minilm-base, minilm-fair\)"):
        evenmatch.load("nope")
    with pytest.raises(BundleError, match="no bundle"):
        evenmatch.load(data_dir / "minilm-fair")  # a path is never a shipped bundle's name
    monkeypatch.setenv("EVENMATCH_THREADS", "many")
    with pytest.raises(ConfigurationError, match="EVENMATCH_THREADS: "):
        evenmatch.load()


@pytest.mark.slow
def test_a_cohort_that_the_command_built_shifts_all_scores_of_a_job_and_of_a_resume(
    model: Model, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, postings = tmp_path / "pool", tmp_path / "postings"
    for folder, count in ((pool, 40), (postings, 22)):
        folder.mkdir()
        for i in range(count):
            (folder / f"{i}.txt").write_text(words(i, 40))
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(data_dir))
    asked = ["--resumes", str(pool), "--postings", str(postings), "--output", str(tmp_path / "cohort")]
    done = CliRunner().invoke(app, ["cohort", "build", *asked])
    assert done.exit_code == 0, done.output
    jobs, resumes = [words(500, 40), words(501, 40)], [words(600 + i, 40) for i in range(3)]
    with evenmatch.load(cohort=tmp_path / "cohort") as normalised:
        found = [normalised.score(job, resumes) for job in jobs]
        alone = normalised.score(jobs[0], resumes[:1])
    covered = [not scores.job_warnings for scores in found]
    assert [all(one.cohort_percentile is not None for one in scores) for scores in found] == covered
    assert alone[0] == found[0][0]
    for job, scores, is_covered in zip(jobs, found, covered, strict=True):
        moved = [
            one.raw_score - plain.raw_score
            for one, plain in zip(scores, model.score(job, resumes), strict=True)
        ]
        assert any(abs(shift) > 1e-4 for shift in moved) is is_covered
    monkeypatch.setenv("EVENMATCH_COHORT", str(tmp_path / "cohort"))
    with pytest.raises(CohortError, match=r"is of another .*minilm-fair.*minilm-base"):
        evenmatch.load("minilm-base")


def test_a_closed_model_says_so(model: Model, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(data_dir))
    other = evenmatch.load(model.bundle.path)
    assert "minilm-fair" in repr(other)
    other.close()
    other.close()
    with pytest.raises(ConfigurationError, match="this model was closed"):
        other.score(JOB, ENGINEER)
