"""`evenmatch-train evaluate` with a tiny model: from users' files to tables, JSON, HTML and errors."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from tests.support.bundles import write_test_bundle
from tests.support.fakes import FakeEngine
from training.cli import app
from training.data.example import DataError
from training.evaluation.external.evaluate import ExternalOptions, Outcome, evaluate_external
from training.evaluation.external.given_table import Findings
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet, every_pair
from training.evaluation.external.schema import ExternalEvaluation
from training.evaluation.scoring import score_pairs
from training.report.external import external_html
from training.report.external_terminal import external_tables

WORDS = {
    "nurse": "ward patient surgical nurse care team registered",
    "engineer": "software engineer java python backend service database",
    "accountant": "accountant payment database manage senior warehouse",
}
SECRET = "zanzibarian"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def people(each: int = 3) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {
            "candidate_id": f"{name}-{i}",
            "resume": f"{' '.join(rng.permutation(words.split()))} {name} {SECRET} {'care' * (i % 2)}",
            "occupation": name,
            "gender": "FM"[i % 2],
        }
        for name, words in WORDS.items()
        for i in range(each)
    ]


def jobs() -> list[dict[str, Any]]:
    return [
        {"job_id": f"j-{name}", "title": name, "description": f"{words} wanted {SECRET}", "occupation": name}
        for name, words in WORDS.items()
    ]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "250"})


@pytest.fixture(scope="module")
def adapted(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_test_bundle(tmp_path_factory.mktemp("b") / "adapted", str(bge_like), adapter=adapter)


def test_a_pool_is_evaluated_from_files_to_reports(
    tiny_bundle: Bundle, adapted: Bundle, tmp_path: Path
) -> None:
    files = [
        "--resumes",
        write(tmp_path / "cvs.csv", people()),
        "--postings",
        write(tmp_path / "jobs.csv", jobs()),
    ]
    html, json_file, errors = (tmp_path / "out" / name for name in ("e.html", "e.json", "errors.jsonl"))
    options = ["--rounds", 20, "--errors", 4, "--minimum", 3]
    outputs = ["--html", html, "--json", json_file, "--show-text", errors]
    done = run(adapted.path, tiny_bundle.path, *files, *options, *outputs)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert "`occupation` is read as --resume-category" in said
    assert said.index("9 resumes (under 30), 3 postings (under 20)") < said.index("encodes")
    assert f"{SECRET}" not in done.stdout + done.stderr
    found = ExternalEvaluation.model_validate_json(json_file.read_text("utf-8"))
    assert (found.data.pairs, found.data.matches, found.data.resumes, found.data.postings) == (27, 9, 9, 3)
    names = [system.name for system in found.systems]
    assert names[2:] == ["base model, same scoring", "one vector a document", "BM25", "TF-IDF"]
    first, second, base = found.systems[:3]
    assert names[0] != names[1]  # two of one name and version are told apart
    assert first.subject is not None
    assert first.subject.digest == adapted.digest
    # The second is the same base model, but has a prefix before jobs, as the baseline of the first has not.
    assert first.ranking != base.ranking != second.ranking
    assert {row.category for row in first.categories} == set(WORDS)
    assert sum(row.matches for row in first.categories) == 9
    # The set's words part its classes: TF-IDF must find that.
    assert found.systems[5].ranking["roc_auc"].value == 1
    assert [e.kind for e in first.errors] == ["missed"] * 4 + ["false"] * 4
    missed = [e.calibrated_probability for e in first.errors[:4]]
    assert missed == sorted(missed)
    assert all(e.resume_categories == e.posting_categories for e in first.errors[:4])
    assert [group.group for group in first.groups[0].groups] == ["female", "male"]
    page = html.read_text("utf-8")
    assert "one vector a document" in page
    assert not re.search(r"(?:src|href)=|url\(|@import|https?:", page)  # it needs nothing else
    assert "engineer-1" in page
    for text in (page, json_file.read_text("utf-8")):
        assert SECRET not in text
    lines = [json.loads(line) for line in errors.read_text("utf-8").splitlines()]
    assert len(lines) == 8
    assert all(SECRET in line["resume_excerpt"] and SECRET in line["posting_excerpt"] for line in lines)
    for file in (html, json_file, errors):
        assert file.stat().st_mode & 0o077 == 0


def test_labelled_pairs_are_scored_as_they_are_everywhere(tiny_bundle: Bundle, tmp_path: Path) -> None:
    rows = [
        {
            "resume": person["resume"],
            "job": job["description"],
            "label": int(person["occupation"] == job["title"]),
        }
        for job in jobs()
        for person in people()
        if (job["title"], person["candidate_id"]) != ("nurse", "nurse-0")
    ]
    output = tmp_path / "e.json"
    data = write(tmp_path / "pairs.csv", rows)
    done = run(tiny_bundle.path, "--data", data, "--json", output, "--rounds", 0, "--no-redact")
    assert done.exit_code == 0, done.output
    found = ExternalEvaluation.model_validate_json(output.read_text("utf-8"))
    assert not found.data.every_pair
    assert not found.redact
    assert found.data.pairs == 26
    system = found.systems[0]
    assert system.ranking["roc_auc"].by_both is None  # no resampling was asked for
    assert system.categories == []
    assert [s.name for s in found.systems[1:]] == ["one vector a document", "BM25", "TF-IDF"]
    assert any("is its base model" in note for note in found.notes)


def test_a_scale_repeats_and_training_data_are_taken_into_account(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    rows = [
        {
            "resume": person["resume"],
            "person": person["candidate_id"],
            "job": job["description"],
            "stars": stars,
        }
        for job in jobs()
        for person in people(1)
        for stars in [5 if person["occupation"] == job["title"] else 2]
    ]
    again = [{**row, "person": f"{row['person']}-again"} for row in rows]
    data, output = write(tmp_path / "pairs.csv", rows + again), tmp_path / "e.json"
    done = run(
        *[tiny_bundle.path, "--data", data, "--label-column", "stars", "--label-cut", 4, "--no-baselines"],
        *["--resume-id-column", "person", "--repeats", "drop", "--trained-on", data, "--rounds", 0],
        *["--json", output],
    )
    assert done.exit_code == 0, done.output
    found = ExternalEvaluation.model_validate_json(output.read_text("utf-8"))
    assert (found.data.pairs, found.data.matches, found.data.resumes) == (9, 3, 3)
    assert [system.name for system in found.systems] == ["test-bundle 1.0.0"]
    notes = "\n".join(found.notes)
    assert "3 resumes with the text of another one were dropped" in notes
    assert "3 of 3 resumes and 3 of 3 postings stand in" in notes


def evaluated(bundle: Bundle, data: LabelledSet, **options: Any) -> Outcome:
    tokenizer = TextTokenizer.load(Path(bundle.manifest.base_model.id) / "tokenizer.json", bundle.manifest)

    def load(_: Bundle) -> LoadedModel:
        return LoadedModel(FakeEngine(), tokenizer)

    return evaluate_external(
        [bundle.path],
        data,
        Findings(),
        sources=("cvs", "jobs"),
        load=load,
        load_base=load,
        options=ExternalOptions(rounds=5, **options),
        say=lambda _: None,
        progress=lambda *_: None,
    )


def given(resumes: list[str] | None = None) -> LabelledSet:
    texts = resumes or [row["resume"] for row in people()]
    names = list(WORDS)
    return every_pair(
        [
            GivenDocument(f"r{i}", text, f"cvs line {i + 2}", categories=(names[i % 3],))
            for i, text in enumerate(texts)
        ],
        [
            GivenDocument(f"p{i}", f"{words} wanted", f"jobs line {i + 2}", name, (name,))
            for i, (name, words) in enumerate(WORDS.items())
        ],
    )


def test_scores_and_decisions_are_the_service_s_own(tiny_bundle: Bundle) -> None:
    outcome = evaluated(tiny_bundle, given(), baselines=False)
    data, first = outcome.data, outcome.first

    class Pair:
        def __init__(self, number: int) -> None:
            posting = data.postings[data.pair_postings[number]]
            self.job_id, self.title, self.description = posting.id, posting.title, posting.text
            resume = data.resumes[data.pair_resumes[number]]
            self.resume_id, self.resume = resume.id, resume.text

    tokenizer = TextTokenizer.load(
        Path(tiny_bundle.manifest.base_model.id) / "tokenizer.json", tiny_bundle.manifest
    )
    expected = score_pairs(
        Matcher(tiny_bundle, tokenizer),
        LoadedModel(FakeEngine(), tokenizer),
        [Pair(number) for number in range(len(data))],
    )
    assert first.scores.tolist() == expected.tolist()
    assert first.probabilities is not None
    assert first.selected is not None
    assert (first.selected == (first.probabilities >= tiny_bundle.decision.threshold)).all()


def test_what_the_model_cannot_read_is_named_and_left_out(tiny_bundle: Bundle) -> None:
    texts = [row["resume"] for row in people()]
    texts[4] = "null"
    outcome = evaluated(tiny_bundle, given(texts), baselines=False)
    assert len(outcome.data.resumes) == 8
    assert outcome.evaluation.data.unreadable == 1
    assert any(note.startswith("cvs line 6: ") for note in outcome.evaluation.notes)
    assert [resume.id for resume in outcome.data.resumes] == [f"r{i}" for i in range(9) if i != 4]


def test_a_posting_pasted_into_a_resume_is_said_before_anything_is_encoded(tiny_bundle: Bundle) -> None:
    posting = " ".join(
        f"{a} {b} of the {c}" for a, b, c in zip(*(w.split()[:6] for w in WORDS.values()), strict=True)
    )
    data = given([*(row["resume"] for row in people()), f"nurse\n{posting}"])
    pasted = LabelledSet(
        data.resumes,
        [GivenDocument("p", posting, "jobs line 9", None, ("nurse",)), *data.postings[1:]],
        data.pair_postings,
        data.pair_resumes,
        data.labels,
        True,
    )
    notes = evaluated(tiny_bundle, pasted, baselines=False).evaluation.notes
    assert any("leak" in note and "cvs line 11 holds jobs line 9" in note for note in notes)


def test_one_class_is_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    rows = [{"resume": "a nurse", "job": f"ward {i}", "label": 1} for i in range(3)]
    done = run(tmp_path / "no-bundle", "--data", write(tmp_path / "pairs.csv", rows))
    assert done.exit_code == 1
    assert "one class only: 3 of 3 pairs match" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give --data, or --resumes and --postings"),
        (["--data", "a.csv", "--resumes", "b.csv"], 2, "give --data"),
        (["--resumes", "b.csv"], 2, "give --data"),
        (["--data", "a.csv", "--map", "m.csv"], 2, "--map goes with"),
        (["--data", "a.csv", "--json", "a.csv"], 2, "a name of its own"),
        (["--data", "nowhere.csv"], 1, "nowhere.csv"),
        (["--data", "a.csv", "--precision", "1.5"], 1, "precision is 1.5"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert done.exit_code == code
    assert message in done.stderr


def test_options_that_are_none_are_refused() -> None:
    for wrong in ({"precision": 0.0}, {"rounds": -1}, {"errors": -1}):
        with pytest.raises(DataError, match=next(iter(wrong))):
            ExternalOptions(**wrong)


def test_reports_show_what_cannot_be_computed_and_escape_what_is_given(tiny_bundle: Bundle) -> None:
    data = given()
    hostile = GivenDocument("<b>id</b>\x1b[31m", data.resumes[0].text, "a<b line 2", None, ("nurse",))
    data = LabelledSet(
        [hostile, *data.resumes[1:]], data.postings, data.pair_postings, data.pair_resumes, data.labels, True
    )
    found = evaluated(tiny_bundle, data, precision=1.0, errors=30).evaluation
    page = external_html(found)
    assert "<b>id" not in page
    assert "&lt;b&gt;id" in page
    titles = [str(table.title) for table in external_tables(found)]
    assert any(title.startswith("by category") for title in titles)
    cells = [cell for table in external_tables(found) for column in table.columns for cell in column.cells]
    assert not any("\x1b" in str(cell) for cell in cells)
