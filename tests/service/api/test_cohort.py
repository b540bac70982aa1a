"""Serving with a cohort: the same scores wherever a pair is scored, named in answers and in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.core.bundle import Bundle
from service.core.errors import CohortError
from service.core.matching import Matcher, posting_of
from service.core.tokenization import TextTokenizer
from service.runtime.cohort_traffic import FOLDER, SUFFIX, erase_from_traffic
from service.store.chain import load_key
from service.store.tables import decisions
from tests.support.api import Api, Start, start_api
from tests.support.cohorts import words, write_fake_cohort
from tests.support.fakes import FakeEngine
from tests.support.jobs import create, finished
from tests.support.patience import wait_until

JOB = {"id": "req-1", "title": words(300, 2), "description": words(301)}
RESUMES = [words(seed) for seed in (400, 401, 402)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Bundle, bge_like: Path) -> Path:
    path = tmp_path_factory.mktemp("cohorts") / "cohort"
    write_fake_cohort(path, tiny_bundle, bge_like / "tokenizer.json")
    return path


@pytest.fixture(scope="module")
def api(
    folder: Path, tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    with ExitStack() as stack:
        data = tmp_path_factory.mktemp("data")
        yield start_api(
            stack, bge_like / "tokenizer.json", data, tiny_bundle, model={"cohort": folder, "cache_mib": 0}
        )


def raw_scores(bundle: Bundle, tokenizer: Path, resumes: list[str]) -> list[float]:
    """Without a cohort."""
    matcher, engine = Matcher(bundle, TextTokenizer.load(tokenizer, bundle.manifest)), FakeEngine()
    job = matcher.tokenize_job(JOB["description"], JOB["title"])
    of_job = engine.embed(job.texts)
    return [matcher.raw_score(job, of_job, engine.embed(matcher.tokenize_resume(r).texts)) for r in resumes]


def test_scores_are_normalised_and_name_the_cohort(api: Api, tiny_bundle: Bundle, bge_like: Path) -> None:
    answer = api.score(*RESUMES, job=JOB).json()
    cohort = api.runtime.cohort
    assert cohort is not None
    assert answer["model"]["cohort"] == cohort.cohort.digest
    assert answer["warnings"] == []
    matcher = api.runtime.matcher
    job = matcher.tokenize_job(JOB["description"], JOB["title"])
    of_job = FakeEngine().embed(job.texts)
    posting = cohort.cohort.posting(posting_of(job, of_job))
    assert posting.covered
    raw = raw_scores(tiny_bundle, bge_like / "tokenizer.json", RESUMES)
    assert [result["raw_score"] for result in answer["results"]] != raw
    for result, without, text in zip(answer["results"], raw, RESUMES, strict=True):
        vectors = FakeEngine().embed(matcher.tokenize_resume(text).texts)
        shift = posting.shift + cohort.cohort.resume(vectors).shift
        assert result["raw_score"] == round(without + shift, 6)
        assert 0 <= result["cohort_percentile"] <= 100
        assert result["cohort_percentile"] == posting.percentile(result["raw_score"])
        assert matcher.raw_score(job, of_job, vectors) == result["raw_score"]
        assert matcher.match(job, of_job, vectors).cohort_percentile == result["cohort_percentile"]


def test_a_score_does_not_depend_on_who_else_applies(api: Api) -> None:
    together = {r["candidate_id"]: r["raw_score"] for r in api.score(*RESUMES, job=JOB).json()["results"]}
    alone = [api.score(text, job=JOB).json()["results"][0]["raw_score"] for text in RESUMES]
    assert alone == list(together.values())


def test_batch_jobs_and_audits_score_as_requests_do(api: Api) -> None:
    scores = [result["raw_score"] for result in api.score(*RESUMES, job=JOB).json()["results"]]
    rows = [{"id": f"c-{i}", "resume": text} for i, text in enumerate(RESUMES)]
    job_id = create(api, {"job": JOB, "candidates": rows})
    finished(api, job_id)
    records = api.get(f"/v1/score/jobs/{job_id}/results").text.splitlines()
    found = [json.loads(line) for line in records]
    assert [record["raw_score"] for record in found] == scores
    assert all(record["cohort_percentile"] is not None for record in found)
    body: dict[str, Any] = {
        "job": JOB,
        "resumes": [{"id": "a", "resume": RESUMES[0]}],
        "attributes": ["name"],
    }
    audit = api.post("/v1/audit/counterfactual", json=body).json()
    assert audit["model"]["cohort"] == api.score(*RESUMES, job=JOB).json()["model"]["cohort"]


def test_an_explanation_keeps_the_cohorts_shift_constant(api: Api, start: Start) -> None:
    text = "\n\n".join(RESUMES)
    body = {"job": JOB, "candidates": [{"id": "c", "resume": text}], "explain": True}
    with_cohort = api.post("/v1/score", json=body).json()["results"][0]
    without = start().post("/v1/score", json=body).json()["results"][0]
    assert with_cohort["raw_score"] != without["raw_score"]
    assert with_cohort["explanation"] == without["explanation"]


def test_the_decision_log_holds_the_cohorts_digest_and_verifies(api: Api) -> None:
    api.score(*RESUMES, job=JOB)
    with api.database.connect() as connection:
        digests = connection.execute(select(decisions.c.cohort_digest).distinct()).scalars().all()
    assert api.runtime.cohort is not None
    assert digests == [api.runtime.cohort.cohort.digest]


def test_the_model_is_described_with_its_cohort(api: Api, start: Start) -> None:
    found = api.get("/v1/model").json()["cohort"]
    assert (found["resumes"]["used"], found["postings"]["used"]) == (12, 8)
    assert found["policy"]["posting_weight"] == 1.0
    assert api.runtime.cohort is not None
    assert found["digest"] == api.runtime.cohort.cohort.digest
    assert start().get("/v1/model").json()["cohort"] is None


def test_a_posting_that_is_not_covered_is_scored_as_without_and_said(
    api: Api, tiny_bundle: Bundle, bge_like: Path
) -> None:
    untitled = {"description": JOB["description"]}  # covered: references without their titles
    assert api.score(RESUMES[0], job=untitled).json()["warnings"] == []
    # Words that nobody in the cohort has.
    foreign = {"title": "zyx", "description": " ".join(f"q{i}z" for i in range(40))}
    cohort = api.runtime.cohort
    assert cohort is not None
    matcher = api.runtime.matcher
    job = matcher.tokenize_job(str(foreign["description"]), str(foreign["title"]))
    vectors = FakeEngine().embed(job.texts)
    covered = cohort.cohort.posting(posting_of(job, vectors)).covered
    answer = api.score(RESUMES[0], job=foreign).json()
    assert (answer["warnings"] == ["cohort_does_not_cover"]) is not covered
    assert not covered
    resume = FakeEngine().embed(matcher.tokenize_resume(RESUMES[0]).texts)
    assert answer["results"][0]["raw_score"] == matcher.similarity(job, vectors, resume)
    assert answer["results"][0]["cohort_percentile"] is None


def test_another_redaction_than_the_cohorts_is_refused_at_the_start(folder: Path, start: Start) -> None:
    with pytest.raises(CohortError, match="another redaction policy"):
        start(model={"cohort": folder}, redaction={"categories": ["name"]})
    with pytest.raises(CohortError, match=r"cohort\.json is missing"):
        start(model={"cohort": folder / "nowhere"})


def test_without_a_cohort_nothing_changes(start: Start, tiny_bundle: Bundle, bge_like: Path) -> None:
    answer = start().score(*RESUMES, job=JOB).json()
    assert answer["model"]["cohort"] is None
    assert [result["raw_score"] for result in answer["results"]] == raw_scores(
        tiny_bundle, bge_like / "tokenizer.json", RESUMES
    )
    assert all(result["cohort_percentile"] is None for result in answer["results"])


def test_vectors_of_live_requests_are_collected_only_if_asked_for(start: Start, tmp_path: Path) -> None:
    start().score(*RESUMES, job=JOB)
    assert not (tmp_path / "data" / FOLDER).exists()


def test_collected_vectors_hold_no_id_are_their_owners_and_go_with_the_person(
    start: Start, tmp_path: Path
) -> None:
    api = start(collecting={"cohort_collect": True})
    api.score(*RESUMES, job=JOB)
    api.score(*RESUMES, job=JOB)  # the same texts are kept once
    bare = {"job": JOB, "candidates": [{"id": "bare", "resume": words(999)}], "redact": False}
    api.post("/v1/score", json=bare)
    data = tmp_path / "data"
    wait_until(lambda: len(list((data / FOLDER).glob(f"*/*{SUFFIX}"))) >= 4)
    api.__exit__(None, None, None)  # all that waited is written
    files = list((data / FOLDER).glob(f"*/*{SUFFIX}"))
    assert sorted(file.name.split("-")[0] for file in files) == ["posting", "resume", "resume", "resume"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert {file.parent.stat().st_mode & 0o777 for file in files} == {0o700}
    assert not [file for file in files if b"c-0" in file.read_bytes() or "c-0" in file.name]
    sign = load_key("", data, create=False).sign
    assert erase_from_traffic(data, sign, "c-0") == 1
    assert erase_from_traffic(data, sign, "c-0") == 0
    assert len(list((data / FOLDER).glob(f"*/*{SUFFIX}"))) == 3
