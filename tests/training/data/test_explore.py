from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.training.data.conftest import example
from tests.training.data.user_tables import rows, write_csv
from training.cli import app
from training.data.data_report import data_html, data_json, write_data_report
from training.data.example import SPLITS, DataError, Dataset, from_splits
from training.data.explore import explore, rate

RESUME = "Maria Lopez\nmaria@example.org\n\nExperience\nWelder at Harbor Works, 2019 - 2022\n"


def by_hand() -> Dataset:
    train = [
        example(1, 1, 1, groups={"sex": "female"}, title="Welder", true_label=1),
        example(1, 2, 0, groups={"sex": "female"}, title="Welder", true_label=1),
        example(2, 1, 0, groups={"sex": "female"}, true_label=0),
        example(2, 3, 1, groups={"sex": "male"}, true_label=1),
        example(2, 4, 0, grade=1),
    ]
    rest = {split: [example(10 + i, 10 + i)] for i, split in enumerate(SPLITS)}
    return from_splits({**rest, "train": train}, ["something was decided"])


def test_a_rate_has_its_wilson_interval() -> None:
    # By hand, z = 1.959964: centre (k + z^2/2) / (n + z^2), half z sqrt(k(n-k)/n + z^2/4) / (n + z^2).
    z, k, n = 1.959964, 3, 10
    centre = (k + z * z / 2) / (n + z * z)
    half = z * math.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    found = rate(k, n)
    assert (found.n, found.positives, found.share) == (10, 3, 0.3)
    assert found.low == pytest.approx(centre - half)
    assert found.high == pytest.approx(centre + half)
    assert rate(0, 0).share is None


def test_counts_are_those_of_the_data() -> None:
    summary = explore(by_hand(), source="hand")
    train = summary.splits[0]
    assert (train.name, train.pairs, train.jobs, train.resumes) == ("train", 5, 2, 4)
    assert (train.label.positives, train.label.n) == (2, 5)
    assert train.grades == {"no_fit": 2, "potential_fit": 1, "good_fit": 2}
    assert train.missing == {"title": 1, "sex": 1}
    women, men = train.groups
    assert (women.group, women.resumes, women.label.positives, women.label.n) == ("female", 2, 1, 3)
    assert women.true_label is not None
    assert women.true_label.positives == 2
    assert (men.group, men.label.positives) == ("male", 1)
    assert (train.resume_words.n, train.resume_words.least, train.resume_words.most) == (4, 6, 6)
    assert sum(train.resume_words.histogram) == 4
    assert summary.warnings == ("something was decided",)
    assert summary.leaks == ()


def test_two_resumes_of_one_person_are_counted_as_two() -> None:
    one = example(1, 1, 1, groups={"sex": "female"})
    other = replace(example(2, 1, 0, groups={"sex": "female"}), resume="a longer resume of the same person")
    rest = {split: [example(10 + i, 10 + i)] for i, split in enumerate(SPLITS)}
    train = explore(from_splits({**rest, "train": [one, other]})).splits[0]
    assert (train.resumes, train.resume_words.n, train.groups[0].resumes) == (2, 2, 2)


def test_repeats_and_leaks_are_counted() -> None:
    dataset = by_hand()
    again = replace(
        dataset, train=[*dataset.train, dataset.train[0], example(3, 9, resume=dataset.train[0].resume)],
        test=[dataset.train[0]],
    )  # fmt: skip
    summary = explore(again)
    assert summary.splits[0].repeated_pairs == 1
    assert summary.splits[0].repeated_resumes == 1
    assert any(leak.startswith("train and test share 1 pairs") for leak in summary.leaks)


def test_redactions_are_counted_by_group() -> None:
    people = [
        example(1, 1, groups={"sex": "female"}, resume=RESUME),
        example(1, 2, groups={"sex": "male"}, resume="Experience\nWelder at Harbor Works, 2019 - 2022\n"),
        example(1, 3, groups={"sex": "male"}, resume="x" * 2_000_000),
    ]
    summary = explore(from_splits({split: people if split == "train" else [] for split in SPLITS}))
    women, men = summary.redactions
    assert women.mean_by_category["name"] == 1
    assert women.mean_by_category["email"] == 1
    assert men.mean_by_category == {}
    assert (summary.redacted_resumes, summary.unreadable_resumes) == (2, 1)


@pytest.mark.slow
def test_reports_hold_numbers_and_no_text(biased: Dataset) -> None:
    summary = explore(biased)
    page, numbers = data_html(summary), data_json(summary)
    assert json.loads(numbers)["summary"]["splits"][4]["pairs"] == len(biased.test)
    for text in (page, numbers):
        for e in biased.test[:40]:
            assert e.resume.split("\n")[0] not in text
            assert e.description[:60] not in text
    assert not re.search(r"https?://|src=|@import", page)
    assert page.count("<svg") == len(SPLITS) * 3
    assert "race_ethnicity: hispanic_or_latino" in page


def test_data_without_groups_says_so() -> None:
    plain = from_splits({split: [example(i, i)] for i, split in enumerate(SPLITS)})
    page = data_html(explore(plain))
    assert "The data names no groups" in page
    assert "No resume, job or pair stands in two splits" in page


def test_a_report_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written: Not a directory"):
        write_data_report(explore(by_hand()), tmp_path / "file" / "report.html")


def test_a_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        write_data_report(explore(by_hand()), tmp_path / "none" / "report.html")


def test_the_command_reports_on_the_users_file(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "pairs.csv", rows())
    output = tmp_path / "report.json"
    columns = [
        "--resume-column",
        "cv",
        "--job-column",
        "ad",
        "--title-column",
        "ad_title",
        "--group-column",
        "gender",
    ]
    result = CliRunner().invoke(app, ["explore", "--data", str(file), "--output", str(output), *columns])
    assert result.exit_code == 0, result.output
    summary = json.loads(output.read_text())["summary"]
    assert summary["source"] == str(file)
    assert sum(split["pairs"] for split in summary["splits"]) == 60
    assert {g["attribute"] for split in summary["splits"] for g in split["groups"]} == {"gender"}


def test_the_command_reads_a_runs_configuration(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "pairs.csv", rows())
    config = tmp_path / "run.yaml"
    files = {"file": str(file), "columns": {"resume": "cv", "job": "ad"}}
    config.write_text(json.dumps({"name": "ours", "data": {"files": files}}))  # JSON is YAML
    result = CliRunner().invoke(
        app, ["explore", "--config", str(config), "--output", str(tmp_path / "report.html")]
    )
    assert result.exit_code == 0, result.output
    assert "<h1>Data report</h1>" in (tmp_path / "report.html").read_text()


def test_the_command_reports_what_training_would_refuse(tmp_path: Path) -> None:
    """Leaks, repeats and missing labels are what a report is for."""
    table = rows(180)
    for i, row in enumerate(table):
        row["ad_id"], row["ad"] = f"j{i}", f"Duties of job {i}"
    table[0]["label"] = ""
    parts = {"train": table[:60], "validation": [*table[55:120], table[119]], "test": table[120:]}
    files = {name: str(write_csv(tmp_path / f"{name}.csv", part)) for name, part in parts.items()}
    config = tmp_path / "run.yaml"
    columns = {"resume": "cv", "job": "ad"}
    config.write_text(json.dumps({"name": "ours", "data": {"files": {"files": files, "columns": columns}}}))
    report = tmp_path / "report.json"
    result = CliRunner().invoke(app, ["explore", "--config", str(config), "--output", str(report)])
    assert result.exit_code == 0, result.output
    summary = json.loads(report.read_text())["summary"]
    assert any(
        re.match(r"train and (validation|calibration|threshold) share \d resumes", leak)
        for leak in summary["leaks"]
    )
    assert sum(split["repeated_pairs"] for split in summary["splits"]) == 1
    warnings = "\n".join(summary["warnings"])
    assert "1 of 60 rows have no label" in warnings
    assert "training refuses rows without a label; `missing_label: drop` leaves them out" in warnings
    assert "training refuses this data: train and " in warnings


def test_data_of_one_class_is_reported(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "pairs.csv", rows(label=1))
    report = tmp_path / "report.json"
    columns = ["--resume-column", "cv", "--job-column", "ad"]
    result = CliRunner().invoke(app, ["explore", "--data", str(file), "--output", str(report), *columns])
    assert result.exit_code == 0, result.output
    assert "training refuses this data: the file has one class only" in report.read_text()


@pytest.mark.parametrize("output", ["pairs.csv", ".", "/", "report"])
def test_the_report_replaces_no_data_file(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = write_csv(tmp_path / "pairs.csv", rows()).read_text()
    columns = ["--resume-column", "cv", "--job-column", "ad"]
    result = CliRunner().invoke(app, ["explore", "--data", "pairs.csv", "--output", output, *columns])
    assert result.exit_code == 2
    assert (tmp_path / "pairs.csv").read_text() == before


def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("left,right,label\na,b,1\n")
    output = str(tmp_path / "report.html")
    result = CliRunner().invoke(app, ["explore", "--data", str(file), "--output", output])
    assert result.exit_code == 1
    assert "has no column `resume`" in result.output.replace("\n", "")
    both = CliRunner().invoke(
        app, ["explore", "--data", str(file), "--config", str(file), "--output", output]
    )
    assert both.exit_code == 2
    assert not Path(output).exists()
