"""A run from inputs to its folder, on a fake engine and without Ray: `tests/e2e/test_ray.py` has that."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest
from pyarrow import parquet
from sqlalchemy import func, select

from service.core.bundle import Bundle
from service.core.errors import CheckpointError, ClusterError, InputError
from service.ray_data import run as runs
from service.ray_data.results import COLUMNS
from service.ray_data.run import RayRun, ScoredOutput, score_folder
from service.settings import Settings
from service.store import tables
from service.store.verification import verify
from tests.support import forked
from tests.support.bundles import write_test_bundle
from tests.support.fake_command_line import load_fake_runtime
from tests.support.fakes import FakeEngine
from tests.support.in_process_cluster import InProcessCluster
from tests.support.ray_driver import ray_driver

ENGINEER = "Jane Roe\nSoftware engineer. Built payment services in Python and Java, designed the database."
NURSE = "Sam Poe\nRegistered nurse on a surgical ward. Cared for patients and managed a team."
POSTINGS = """job_id,job_title,job_description
eng,Engineer,"Design and build a payment service in Python and Java for the backend team."
nurse,Nurse,"Care for patients on a surgical ward as a registered nurse of our team."
"""

Run = Callable[..., ScoredOutput]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> InProcessCluster:
    found = InProcessCluster()
    monkeypatch.setattr(runs, "connected", found.connected)
    return found


@pytest.fixture
def settings(
    tiny_bundle: Bundle, bge_like: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    monkeypatch.setenv("TEST_TOKENIZER", str(bge_like / "tokenizer.json"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "postings.csv").write_text(POSTINGS)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        rows = [f'{name}{i},"{ENGINEER if i % 2 else NURSE}\nNumber {i}."\n' for i in range(5)]
        (tmp_path / "in" / f"{name}.csv").write_text("id,resume\n" + "".join(rows))
    return Settings(model={"bundle": str(tiny_bundle.path)}, store={"data_dir": tmp_path / "data"})


@pytest.fixture
def score(settings: Settings, cluster: InProcessCluster) -> Run:
    def run(output: str = "out", *, given: str = "in", **options: Any) -> ScoredOutput:
        wanted: dict[str, Any] = {"jobs": "postings.csv", "block_rows": 2, **options}
        return score_folder(
            RayRun(
                [given],
                output,
                wanted.pop("runtime", settings.runtime),
                settings.documents,
                settings.store,
                settings.archives,
                load=load_fake_runtime,
                **wanted,
            ),
            say=lambda said: None,
            advance=lambda count: None,
        )

    return run


def rows_in(folder: str | Path) -> list[dict[str, Any]]:
    return [
        row
        for file in sorted(Path(folder, "results").iterdir())
        for row in parquet.read_table(file).to_pylist()
    ]


def bytes_in(folder: str | Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(folder, "results").iterdir()}


def test_scores_are_those_of_the_matcher_bit_for_bit(score: Run, settings: Settings) -> None:
    done = score()
    assert (done.scored, done.blocks, done.faults, done.complete) == (10, 6, (), True)
    assert Path("out/_SUCCESS").exists()
    runtime = load_fake_runtime(settings.runtime)
    found = {(row["candidate_id"], row["job_id"]): row for row in rows_in("out")}
    assert len(found) == 20
    matcher, engine = runtime.matcher, FakeEngine()
    job = matcher.tokenize_job(
        "Care for patients on a surgical ward as a registered nurse of our team.", "Nurse"
    )
    for i in range(5):
        resume = matcher.tokenize_resume(f"{ENGINEER if i % 2 else NURSE}\nNumber {i}.")
        match = matcher.match(job, engine.embed(job.texts), engine.embed(resume.texts))
        row = found[f"a{i}", "nurse"]
        assert (row["raw_score"], row["calibrated_probability"]) == (
            match.raw_score,
            match.calibrated_probability,
        )
        assert (row["decision"] == "selected", row["line"]) == (match.selected, 2 + 3 * i)


def test_every_file_has_the_same_documented_columns(score: Run) -> None:
    score()
    for file in Path("out/results").iterdir():
        assert parquet.read_schema(file).names == list(COLUMNS)
    for name in COLUMNS:
        assert f"`{name}`" in (Path(__file__).parents[3] / "docs" / "ray.md").read_text()


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_a_run_that_breaks_off_goes_on_and_gives_the_same_bytes(
    score: Run, cluster: InProcessCluster, blocks: int
) -> None:
    score("whole")
    cluster.scored.clear()
    cluster.breaks_after = blocks
    with pytest.raises(ClusterError):
        score()
    assert not Path("out/_SUCCESS").exists()
    cluster.breaks_after = None
    with pytest.raises(CheckpointError, match=r"--resume"):
        score()
    done = score(resume=True)
    assert (done.reused, done.blocks) == (blocks, 6 - blocks)
    assert sorted(cluster.scored) == sorted(set(cluster.scored))
    assert bytes_in("out") == bytes_in("whole")
    assert score(resume=True).blocks == 0


def test_rows_at_fault_are_listed_by_file_and_line_and_the_rest_is_scored(score: Run) -> None:
    with Path("in/a.csv").open("a") as stream:
        stream.write('too,many,cells\n"",no id\nblank,"  "\n')
    done = score()
    assert done.scored == 10
    assert [(fault.file, fault.line) for fault in done.faults] == [("in/a.csv", n) for n in (17, 18, 19)]
    listed = [row for file in Path("out/errors").iterdir() for row in parquet.read_table(file).to_pylist()]
    assert {row["code"] for row in listed} == {"unusable_table", "empty_text"}


def test_a_table_that_vanished_is_named_and_can_be_scored_later(
    score: Run, cluster: InProcessCluster
) -> None:
    score("whole")
    cluster.scored.clear()
    cluster.breaks_after = 1
    with pytest.raises(ClusterError):
        score()
    cluster.breaks_after = None
    kept = Path("in/b.csv").rename("b.kept")
    done = score(resume=True)
    assert not done.complete
    assert [fault.message for fault in done.faults] == ["in/b.csv is not there any more"]
    kept.rename("in/b.csv")
    assert score(resume=True).complete
    assert bytes_in("out") == bytes_in("whole")


def test_documents_are_read_where_they_are_scored_and_one_that_vanishes_is_named(
    score: Run, cluster: InProcessCluster
) -> None:
    Path("cvs/deep").mkdir(parents=True)
    for i in range(5):
        Path("cvs", "deep" if i % 2 else ".", f"{i}.txt").write_text(ENGINEER)
    cluster.breaks_after = 1
    with pytest.raises(ClusterError):
        score(given="cvs")
    cluster.breaks_after = None
    Path("cvs/4.txt").unlink()
    done = score(given="cvs", resume=True)
    assert [(fault.candidate_id, fault.code) for fault in done.faults] == [("4", "not_found")]
    assert {row["candidate_id"] for row in rows_in("out")} == {"0", "deep/1", "2", "deep/3"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"redact": False}, "options"),
        ({"block_rows": 3}, "the block size"),
        ({"job": "job.txt", "jobs": None}, "the postings"),
        ({"record": True}, "recording"),
    ],
)
def test_other_options_than_the_checkpoints_are_refused_by_name(
    score: Run, options: dict[str, Any], named: str
) -> None:
    Path("job.txt").write_text(ENGINEER)
    score()
    with pytest.raises(CheckpointError, match=named):
        score(resume=True, **options)


def test_another_bundle_than_the_checkpoints_is_refused_by_name(
    score: Run, bge_like: Path, tmp_path: Path
) -> None:
    score()
    other = write_test_bundle(tmp_path / "other", str(bge_like), job_prefix="another: ")
    with pytest.raises(CheckpointError, match="the bundle"):
        score(resume=True, runtime=Settings(model={"bundle": str(other.path)}).runtime)


def test_inputs_that_changed_or_came_are_refused_by_name(score: Run) -> None:
    score()
    Path("in/c.csv").write_text("id,resume\n1,text\n")
    with pytest.raises(CheckpointError, match=r"added .*in/c\.csv"):
        score(resume=True)
    Path("in/c.csv").unlink()
    with Path("in/a.csv").open("a") as stream:
        stream.write("new,text\n")
    with pytest.raises(CheckpointError, match=r"changed .*in/a\.csv"):
        score(resume=True)


def test_a_folder_with_something_else_is_refused(score: Run) -> None:
    Path("out").mkdir()
    Path("out/thesis.doc").write_text("mine")
    with pytest.raises(CheckpointError, match=r"not empty.*thesis\.doc"):
        score()
    assert [file.name for file in Path("out").iterdir()] == ["thesis.doc"]


def test_postings_that_cannot_be_read_end_the_run_before_anything_is_written(score: Run) -> None:
    Path("postings.csv").write_text("job_id,job_description\na,text\nb,\n")
    with pytest.raises(InputError, match="line 3"):
        score()
    assert not Path("out").exists()


def test_inputs_and_output_in_another_file_system(score: Run) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/ray22-run/in/a.csv", Path("in/a.csv").read_bytes())
    memory.pipe("/ray22-run/in/b.csv", Path("in/b.csv").read_bytes())
    memory.pipe("/ray22-run/postings.csv", POSTINGS.encode())
    done = score("/ray22-run/out", given="/ray22-run/in", jobs="/ray22-run/postings.csv", system=memory)
    assert (done.scored, done.complete) == (10, True)
    score("whole")
    theirs = {Path(path).name: memory.cat(path) for path in memory.ls("/ray22-run/out/results", detail=False)}
    assert [row["raw_score"] for row in rows_in("whole")] == [
        row["raw_score"]
        for name in sorted(theirs)
        for row in parquet.read_table(io.BytesIO(theirs[name])).to_pylist()
    ]


@pytest.mark.parametrize("blocks", [1, 4])
def test_decisions_are_recorded_once_also_over_a_break(
    score: Run, cluster: InProcessCluster, settings: Settings, blocks: int
) -> None:
    cluster.breaks_after = blocks
    with pytest.raises(ClusterError):
        score(record=True)
    cluster.breaks_after = None
    done = score(record=True, resume=True)
    assert done.recorded >= 20 - 4 * blocks
    assert score(record=True, resume=True).recorded == 0
    for marker in Path("out/_evenmatch/recorded").iterdir():  # a kill between the commit and the marker
        marker.unlink()
    assert score(record=True, resume=True).recorded == 0
    with closing(settings.store.open_log()) as log:
        with log.reading() as connection:
            assert connection.execute(select(func.count()).select_from(tables.decisions)).scalar_one() == 20
            kept = {row.decision_id: row for row in connection.execute(select(tables.decisions))}
        assert not verify(log).broken
    for row in rows_in("out"):
        stored = kept[row["decision_id"]]
        assert (stored.candidate_id, stored.job_id) == (row["candidate_id"], row["job_id"])
        assert (stored.raw_score, stored.decision) == (row["raw_score"], row["decision"])


@pytest.mark.slow
def test_a_driver_killed_at_five_moments_gives_the_same_rows_and_records_each_once(
    score: Run, settings: Settings, tmp_path: Path
) -> None:
    score("whole", record=True)
    command = [
        "score",
        "--engine",
        "ray",
        "--jobs",
        "postings.csv",
        "--block-rows",
        "2",
        "--resume",
        "--record",
    ]
    env = os.environ | {
        "EVENMATCH_BUNDLE": settings.model.bundle,
        "EVENMATCH_DATA_DIR": str(tmp_path / "data"),
        "TEST_IN_PROCESS": "yes",
        "TEST_SECONDS_A_BATCH": "0.02",
    }
    results = tmp_path / "out" / "results"
    for _ in range(5):
        before = len(list(results.glob("part-*")))
        wanted = before + random.randint(0, 2)
        process = forked.Forked(ray_driver, [*command, "--output", "out", "in"], env, tmp_path)
        with process.stdout, process.stderr:
            while process.poll() is None and len(list(results.glob("part-*"))) < wanted:
                time.sleep(0.005)
            time.sleep(random.random() / 10)
            begun = len(list(results.glob("part-*"))) > before
            process.kill()
            said = process.stderr.read()
            # One that is killed when all is done has nothing to say.
            if process.wait() and begun and not (results.parent / "_SUCCESS").exists():
                assert "the same command with --resume goes on from there" in said
    done = score(resume=True, record=True)
    assert done.complete

    def rows(folder: str) -> list[dict[str, Any]]:
        return [{**row, "decision_id": None} for row in rows_in(folder)]

    assert rows("out") == rows("whole")
    with closing(settings.store.open_log()) as log, log.reading() as connection:
        query = select(tables.decisions.c.request_id, func.count()).group_by(tables.decisions.c.request_id)
        assert sorted(count for _, count in connection.execute(query)) == [20, 20]


def test_an_id_that_the_log_cannot_keep_is_a_fault(score: Run) -> None:
    with Path("in/a.csv").open("a") as stream:
        stream.write(f"{'i' * 201},{NURSE.splitlines()[1]}\n")
    done = score(record=True)
    assert [(fault.line, fault.code) for fault in done.faults] == [(17, "count_out_of_range")]
