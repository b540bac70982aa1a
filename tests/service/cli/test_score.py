"""`evenmatch score` on a fake engine: files in, files out, many postings, and runs that break off."""

from __future__ import annotations

import csv
import html
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from service.cli import app, console
from service.core.bundle import Bundle
from service.core.calibration import shift_prevalence
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime
from tests.service.files.documents.small_files import docx, line, paragraph, pdf, zipped
from tests.support import forked
from tests.support.fake_command_line import fake_command_line, load_fake_runtime
from tests.support.fakes import FakeEngine
from tests.support.patience import PATIENCE

ENGINEER = "Jane Roe\nSoftware engineer. Built payment services in Python and Java, designed the database."
NURSE = "Sam Poe\nRegistered nurse on a surgical ward. Cared for patients and managed a team."
POSTINGS = """job_id,job_title,job_description
eng,Engineer,"Design and build a payment service in Python and Java for the backend team."
nurse,Nurse,"Care for patients on a surgical ward as a registered nurse of our team."
"""

Score = Callable[..., Result]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def score(
    tiny_bundle: Bundle,
    bge_like: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: FakeEngine,
) -> Score:
    def load(options: RuntimeOptions) -> Runtime:
        return load_fake_runtime(options, engine)

    monkeypatch.setattr(console, "load_runtime", load)
    monkeypatch.setenv("TEST_TOKENIZER", str(bge_like / "tokenizer.json"))
    monkeypatch.setenv("EVENMATCH_CACHE_MIB", "0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.txt").write_text(POSTINGS.split('"')[1])
    (tmp_path / "postings.csv").write_text(POSTINGS)

    def run(*arguments: str | Path, job: bool = True) -> Result:
        given = ["--job", "job.txt"] if job else []
        chosen = ["--bundle", str(tiny_bundle.path), *given]
        engine.closed = False
        return CliRunner().invoke(app, ["score", *chosen, *map(str, arguments)], env={"COLUMNS": "160"})

    return run


def write_table(file: Path, count: int) -> Path:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["candidate_id", "cv"])
        writer.writerows([f"c-{i}", f"{ENGINEER if i % 2 else NURSE}\nNumber {i}."] for i in range(count))
    return file


def records(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_documents_of_all_kinds_are_ranked(score: Score, tmp_path: Path) -> None:
    folder = tmp_path / "cvs"
    (folder / "deep").mkdir(parents=True)
    text = " ".join(ENGINEER.split())
    (folder / "a.pdf").write_bytes(pdf(line(text[:70], 40, 700) + line(text[70:], 40, 680)))
    (folder / "deep" / "b.docx").write_bytes(docx(paragraph(NURSE)))
    (folder / "all.zip").write_bytes(zipped({"c.txt": ENGINEER, "d.html": f"<html><p>{NURSE}</p></html>"}))
    (folder / "posting.docx").write_bytes(docx(paragraph(POSTINGS.split('"')[1])))
    done = score("--job", folder / "posting.docx", folder, "--output", "out.jsonl", job=False)
    assert done.exit_code == 0, done.output
    found = [json.loads(row) for row in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {row["candidate_id"]: row["document"]["type"] for row in found} == {
        "a": "pdf",
        "deep/b": "docx",
        "c": "text",
        "d": "html",
    }
    assert {found[0]["candidate_id"], found[1]["candidate_id"]} == {"a", "c"}
    assert not list(tmp_path.glob(".*"))


def test_many_postings_read_and_encode_each_resume_once(
    score: Score, tmp_path: Path, engine: FakeEngine
) -> None:
    write_table(tmp_path / "r.csv", 40)
    alone = score("r.csv", "--title", "Engineer", "--output", "one.csv")
    assert alone.exit_code == 0, alone.output
    encoded = sum(map(len, engine.batches))
    engine.batches.clear()
    both = score("--jobs", "postings.csv", "r.csv", "--output", "many.csv", job=False)
    assert both.exit_code == 0, both.output
    # The second posting alone is encoded in addition.
    assert encoded < sum(map(len, engine.batches)) < 1.2 * encoded
    found = records(tmp_path / "many.csv")
    assert [row["job_id"] for row in found] == ["eng"] * 40 + ["nurse"] * 40
    assert [int(row["rank"]) for row in found] == [*range(1, 41)] * 2
    first = {row["candidate_id"]: row["raw_score"] for row in found[:40]}
    assert first == {row["candidate_id"]: row["raw_score"] for row in records(tmp_path / "one.csv")}
    (tmp_path / "nurse.txt").write_text(POSTINGS.split('"')[3])
    other = score("--job", "nurse.txt", "--title", "Nurse", "r.csv", "--output", "two.csv", job=False)
    assert other.exit_code == 0, other.output
    assert [(row["candidate_id"], row["raw_score"]) for row in found[40:]] == [
        (row["candidate_id"], row["raw_score"]) for row in records(tmp_path / "two.csv")
    ]


def test_a_prevalence_moves_probabilities_and_neither_ranks_nor_decisions(
    score: Score, tmp_path: Path, tiny_bundle: Bundle
) -> None:
    write_table(tmp_path / "r.csv", 6)
    assert score("r.csv", "--output", "own.csv").exit_code == 0
    done = score("r.csv", "--prevalence", "0.01", "--output", "other.csv")
    assert done.exit_code == 0, done.output
    assert "a share 0.01 matches" in " ".join(done.output.split())
    for own, other in zip(*(records(tmp_path / name) for name in ("own.csv", "other.csv")), strict=True):
        shifted = shift_prevalence(
            float(own.pop("calibrated_probability")), of=tiny_bundle.calibration.prevalence, to=0.01
        )
        assert float(other.pop("calibrated_probability")) == pytest.approx(shifted, abs=1e-6)
        assert other == own
    refused = score("r.csv", "--prevalence", "1.5")
    assert refused.exit_code == 2
    assert "EVENMATCH_PREVALENCE: must be above 0 and below 1" in " ".join(refused.output.split())
    assert "it is 1.5" in " ".join(refused.output.split())


def test_only_the_best_are_written(score: Score, tmp_path: Path) -> None:
    write_table(tmp_path / "r.csv", 40)
    assert score("--jobs", "postings.csv", "r.csv", "--output", "all.csv", job=False).exit_code == 0
    done = score("--jobs", "postings.csv", "r.csv", "--top", "3", "--output", "top.parquet", job=False)
    assert done.exit_code == 0, done.output
    best = parquet.read_table(tmp_path / "top.parquet").to_pylist()
    everybody = records(tmp_path / "all.csv")
    assert [(row["job_id"], row["candidate_id"]) for row in best] == [
        (row["job_id"], row["candidate_id"]) for row in everybody if int(row["rank"]) <= 3
    ]


def test_guesses_are_said_and_a_table_is_printed_for_each_posting(score: Score, tmp_path: Path) -> None:
    write_table(tmp_path / "r.csv", 2)
    done = score("--jobs", "postings.csv", "r.csv", job=False)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert "r.csv: column 'cv' is read as the resume's text (--text-column names another)" in said
    assert [one for one in done.stdout.split() if one in ("eng", "nurse")] == ["eng", "nurse"]


@pytest.mark.slow
def test_one_bad_file_does_not_lose_the_others(score: Score, tmp_path: Path) -> None:
    folder = tmp_path / "cvs"
    folder.mkdir()
    (folder / "good.txt").write_text(ENGINEER)
    (folder / "empty.txt").write_text("")
    (folder / "blank.txt").write_text(" \n ")
    (folder / "scan.pdf").write_bytes(pdf("q 500 0 0 500 50 50 cm /I Do Q", image=True))
    (folder / "wrong.pdf").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = score(folder, "--output", "out.csv")
    assert done.exit_code == 3
    said = " ".join(done.stderr.split())
    for part in (
        "empty.txt is empty",
        "blank.txt holds no text",
        "scan.pdf has no text layer",
        "an image (PNG)",
    ):
        assert part in said
    assert not (tmp_path / "out.csv").exists()
    done = score(folder, "--output", "out.csv", "--resume", "--skip-unreadable")
    assert done.exit_code == 5, done.output
    assert [row["candidate_id"] for row in records(tmp_path / "out.csv")] == ["good"]
    assert done.stderr.count("skipped:") == 4


@pytest.mark.slow
def test_markup_in_tables_and_files_is_read_and_rows_without_a_document_are_named(
    score: Score, tmp_path: Path
) -> None:
    first, second = ENGINEER.split("\n")
    markup = f"<p>{first}</p><p>{second}</p>"
    plain = f"{first}\n\n{second}"
    with (tmp_path / "r.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "resume"])
        for name, text in [
            ("a", plain),
            ("b", markup),
            ("c", html.escape(markup)),
            ("d", "null"),
            ("e", "cv.pdf"),
        ]:
            writer.writerow([name, text])
    folder = tmp_path / "cvs"
    folder.mkdir()
    (folder / "f.txt").write_text(html.escape(markup))
    (folder / "g.txt").write_text("[object Object]")
    posting = (tmp_path / "job.txt").read_text()
    (tmp_path / "job.txt").write_text(html.escape(f"<p>{posting}</p>"))
    found: dict[str, dict[str, str]] = {}
    for given, ids in (("r.csv", ["a", "b", "c"]), ("cvs", ["f"])):
        done = score(given, "--output", "out.csv", "--skip-unreadable")
        assert done.exit_code == 5, done.output
        assert "is no document" in " ".join(done.stderr.split())
        rows = {row["candidate_id"]: row for row in records(tmp_path / "out.csv")}
        assert sorted(rows) == ids
        found |= rows
    assert len({row["raw_score"] for row in found.values()}) == 1
    (tmp_path / "job.txt").write_text(posting)
    done = score("r.csv", "--output", "out.csv", "--skip-unreadable")
    assert {row["raw_score"] for row in records(tmp_path / "out.csv")} == {found["a"]["raw_score"]}


def test_a_malformed_row_is_named_before_the_model_is_loaded(
    score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["id,resume", *(f"c-{i},{NURSE.splitlines()[1]}" for i in range(10_000))]
    lines[6] = "c-6,too,many"
    (tmp_path / "r.csv").write_text("\n".join(lines))
    monkeypatch.setattr(console, "load_runtime", lambda _: pytest.fail("loaded"))
    done = score("r.csv", "--output", "out.csv")
    assert done.exit_code == 3
    assert "r.csv line 7: 3 cells; the header has 2" in " ".join(done.stderr.split())
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["r.csv", "--resume"], 2, "--resume needs --output"),
        (["r.csv", "--output", "out.xlsx"], 2, "must end in .csv, .jsonl or .parquet"),
        (["r.csv", "--output", "r.csv"], 2, "is a file of resumes, which it would replace"),
        (["r.csv", "--output", "gone/out.csv"], 3, "cannot be written: No such file or directory"),
        (["r.csv", "--encoding", "klingon"], 2, "--encoding klingon is not known"),
        (["r.csv", "--jobs", "postings.csv"], 2, "give either --job or --jobs"),
        (["*.pdf"], 3, "*.pdf fits no file"),
        (["r.csv", "--top", "0"], 2, "--top"),
    ],
)
def test_wrong_usage_is_refused(
    score: Score, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    write_table(tmp_path / "r.csv", 2)
    done = score(*arguments)
    assert done.exit_code == status, done.output
    assert message in " ".join(done.stderr.split())
    assert len(records(tmp_path / "r.csv")) == 2


def break_off(engine: FakeEngine, after: int) -> None:
    """Let the engine fail from its batch `after` on."""

    def fail(_: object) -> None:
        if len(engine.batches) > after:
            raise RuntimeError("the engine broke")

    engine.batches.clear()
    engine.before = fail


def test_a_run_that_breaks_off_goes_on_with_what_has_changed(
    score: Score, tmp_path: Path, engine: FakeEngine
) -> None:
    file = write_table(tmp_path / "r.csv", 150)
    run = ("--jobs", "postings.csv", "r.csv", "--output", "out.csv")
    journal = tmp_path / ".out.csv.journal"
    break_off(engine, 3)
    done = score(*run, job=False)
    assert done.exit_code == 1, done.output
    assert "the same command with --resume goes on from there" in " ".join(done.stderr.split())
    kept = journal.read_bytes().count(b"\n") - 1
    assert 0 < kept < 150
    file.write_text(file.read_text().replace("Number 3.", "Number three, registered nurse."))
    engine.before = None
    done = score(*run, "--resume", job=False)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert f"{kept - 1:,} of 150 resumes were scored by the earlier run" in said
    assert "scored anew, since they have changed after the earlier run: 1" in said
    assert not journal.exists()
    resumed = (tmp_path / "out.csv").read_bytes()
    assert score(*run, job=False).exit_code == 0
    assert (tmp_path / "out.csv").read_bytes() == resumed


def test_other_postings_or_options_score_all_anew(score: Score, tmp_path: Path, engine: FakeEngine) -> None:
    write_table(tmp_path / "r.csv", 150)
    run = ("--jobs", "postings.csv", "r.csv", "--output", "out.csv")
    break_off(engine, 3)
    assert score(*run, job=False).exit_code == 1
    (tmp_path / "postings.csv").write_text(POSTINGS.replace("Java", "Python"))
    break_off(engine, 3)
    done = score(*run, "--no-redact", "--resume", job=False)
    assert done.exit_code == 1
    assert "the postings and options changed since the earlier run" in " ".join(done.stderr.split())
    engine.before = None
    done = score(*run, "--resume", job=False)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert "options changed since the earlier run: all resumes are scored anew" in said
    assert "scored by the earlier run" not in said


class Killed:
    """Runs of the command line in processes of their own, in one folder."""

    def __init__(self, folder: Path, bundle: Bundle, tokenizer: Path) -> None:
        self.folder = folder
        self._arguments = [
            "score", "--bundle", str(bundle.path), "--jobs", "postings.csv", "r.csv", "--output", "out.csv",
        ]  # fmt: skip
        self._env = {
            **os.environ,
            "TEST_TOKENIZER": str(tokenizer),
            "EVENMATCH_CACHE_MIB": "0",
            "COLUMNS": "200",
        }
        (folder / "postings.csv").write_text(POSTINGS)

    @property
    def journal(self) -> Path:
        return self.folder / ".out.csv.journal"

    def run(self, *more: str) -> tuple[int, str]:
        done = forked.run(fake_command_line, [*self._arguments, *more], self._env, self.folder)
        return done.returncode, " ".join(done.stderr.split())

    def run_until(self, lines: int, number: int, *more: str, seconds: float = 1.0) -> int:
        """Start a slow run, send it a signal when its journal has `lines`, and wait for its end.

        `seconds`: for which the engine sleeps at each part.
        """
        env = {**self._env, "TEST_SECONDS_A_BATCH": str(seconds)}
        process = forked.Forked(fake_command_line, [*self._arguments, *more], env, self.folder)
        with process.stdout, process.stderr:
            deadline = time.monotonic() + PATIENCE
            while self.lines < lines and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(number)
            return process.wait()

    @property
    def lines(self) -> int:
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0


@pytest.fixture
def killed(tmp_path: Path, tiny_bundle: Bundle, bge_like: Path) -> Killed:
    return Killed(tmp_path, tiny_bundle, bge_like / "tokenizer.json")


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_results(killed: Killed) -> None:
    write_table(killed.folder / "r.csv", 200)
    status, said = killed.run()
    assert status == 0, said
    whole = (killed.folder / "out.csv").read_bytes()
    (killed.folder / "out.csv").unlink()
    assert killed.run_until(33, signal.SIGKILL) == -signal.SIGKILL
    assert not (killed.folder / "out.csv").exists()
    assert killed.lines >= 33
    assert b"Roe" not in killed.journal.read_bytes()
    status, said = killed.run()
    assert status == 2
    assert "add --resume to go on from there, or delete it" in said
    # What was half written when the process ended does no harm.
    with killed.journal.open("ab") as stream:
        stream.write(b'1234abcd {"id": "c-3')
    status, said = killed.run("--resume")
    assert status == 0, said
    assert "of 200 resumes were scored by the earlier run" in said
    assert (killed.folder / "out.csv").read_bytes() == whole
    assert not killed.journal.exists()


@pytest.mark.slow
def test_twenty_kills_at_any_moment_change_nothing(killed: Killed) -> None:
    write_table(killed.folder / "r.csv", 1_500)
    assert killed.run()[0] == 0
    whole = (killed.folder / "out.csv").read_bytes()
    (killed.folder / "out.csv").unlink()
    seeded = random.Random(17)
    for _ in range(20):
        more = killed.lines + seeded.choice([0, 1, 20, 33, 60])
        number = seeded.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
        assert killed.run_until(more, number, "--resume", seconds=0.05) in (0, -number)
        assert not (killed.folder / "out.csv").exists() or (killed.folder / "out.csv").read_bytes() == whole
    assert killed.run("--resume")[0] == 0
    assert (killed.folder / "out.csv").read_bytes() == whole


def test_requirements_are_listed_and_decide_only_if_asked(score: Score, tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text(
        POSTINGS.split('"')[1] + "\nBachelor's degree required.\nPMP preferred."
    )
    (tmp_path / "a.txt").write_text(ENGINEER + "\nEducation\nHigh school diploma")
    (tmp_path / "b.txt").write_text(ENGINEER + "\nEducation\nBSc in physics; PMP")
    told = score("a.txt", "b.txt", "--requirements", "--output", "told.jsonl")
    assert told.exit_code == 0, told.output
    by_id = {}
    for row in map(json.loads, (tmp_path / "told.jsonl").read_text().splitlines()):
        by_id[row["candidate_id"]] = row
    found = {
        name: [(one["kind"], one["found"]) for one in row["requirements"]] for name, row in by_id.items()
    }
    assert found == {
        "a": [("degree", "no"), ("certification", "unknown")],
        "b": [("degree", "yes"), ("certification", "yes")],
    }
    assert score("a.txt", "b.txt", "--require", "degree", "--output", "decided.csv").exit_code == 0
    for row in records(tmp_path / "decided.csv"):
        lacks = row["candidate_id"] == "a"
        assert row["reason"] == ("requirement_not_found" if lacks else "")
        assert row["decision"] == ("not_selected" if lacks else by_id["b"]["decision"])
        assert row["requirements"].startswith("degree:no" if lacks else "degree:yes")
    shown = score("a.txt", "b.txt", "--requirements")
    assert "Bachelor's degree required." in shown.output
    for wrong in (["--require", "age"], ["--requirements", "--jobs", "postings.csv"]):
        assert score("a.txt", *wrong, job="--jobs" not in wrong).exit_code == 2
