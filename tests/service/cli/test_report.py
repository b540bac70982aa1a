from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app


def report(*arguments: str | Path, columns: str = "160", **environment: str) -> Result:
    return CliRunner().invoke(
        app,
        ["report", *map(str, arguments)],
        env={"COLUMNS": columns, "EVENMATCH_GROUPS": None, **environment},
    )


def write(
    file: Path, people: list[tuple[int, str]], header: str = "decision,sex,race_ethnicity,score"
) -> Path:
    file.write_text(header + "\n" + "".join(f"{row}\n" * count for count, row in people))
    return file


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Women are selected half as often as men; white and Asian people alike."""
    people = [
        (100, "selected,female,white,0.9"),
        (400, "not_selected,female,asian,0.2"),
        (200, "selected,male,asian,0.8"),
        (300, "not_selected,male,white,0.1"),
        (7, "selected,,,0.7"),
    ]
    return write(tmp_path / "planted.csv", people)


def test_a_planted_disparity_is_printed_and_written(planted: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"r.{suffix}" for suffix in ("html", "json", "csv")]
    done = report(
        planted, *(part for file in outputs for part in ("--output", file)),
        "--source", "our ATS", "--explanation", "office jobs", "--title", "Audit of 2025",
        "--distribution-date", "2025-02-03", "--limitation", "One office only.",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    line = next(line for line in done.stdout.splitlines() if line.strip().startswith("Female "))
    assert line.split() == ["Female", "100", "of", "500", "20.0%", "0.500", "[0.41,", "0.61]", "indicated"]
    assert (
        "Adverse impact is indicated: Female 20.0% (100 of 500) against Male 40.0% (200 of 500)"
        in done.stdout
    )
    document = json.loads(outputs[1].read_text())
    assert (document["title"], document["data"]["source"], document["distribution_date"]) == (
        "Audit of 2025",
        "our ATS",
        "2025-02-03",
    )
    assert document["data"]["people"] == 1007
    assert document["limitations"][-1] == "One office only."
    female = document["attributes"][0]["groups"][0]["selection"]
    assert (female["count"], female["n"], female["adverse_impact"]) == (100, 500, True)
    with outputs[2].open(newline="") as stream:
        rows = {(row["attribute"], row["group"]): row for row in csv.DictReader(stream)}
    assert rows["sex", "female"]["selection_impact_ratio"] == str(female["impact_ratio"]) == "0.5"
    assert rows["sex", "unknown"]["people"] == "7"
    assert rows["sex_race_ethnicity", "female:white"]["selection_count"] == "100"
    html = outputs[0].read_text()
    assert "<h1>Audit of 2025</h1>" in html
    assert "One office only." in html
    assert sorted(file.name for file in tmp_path.iterdir()) == ["planted.csv", "r.csv", "r.html", "r.json"]


def test_a_narrow_terminal_cuts_no_name_and_no_number(planted: Path) -> None:
    lines = report(planted, columns="40").stdout.splitlines()
    assert not [line for line in lines if "…" in line]
    female = next(line for line in lines if line.startswith("Female "))
    assert female.split()[1:6] == ["100", "of", "500", "20.0%", "0.500"]


def test_no_disparity_is_no_finding(tmp_path: Path) -> None:
    people = [(sex_and_decision[0], f"{sex_and_decision[1]},white,") for sex_and_decision in (
        (99, "1,female"), (201, "0,female"), (100, "1,male"), (200, "0,male"),
    )]  # fmt: skip
    done = report(write(tmp_path / "d.csv", people), "--output", tmp_path / "r.json")
    assert done.exit_code == 0
    assert "Adverse impact is indicated" not in done.stdout
    assert "Sex, selection rates: No adverse-impact finding among the 2 groups" in done.stdout
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["attributes"][0]["groups"][0]["selection"]["adverse_impact"] is False
    assert any("There are no scores" in limitation for limitation in document["limitations"])


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([(40, "no,female,white,"), (40, "no,male,asian,")], "nobody of those compared was selected"),
        ([(40, "yes,female,white,")], "there is one group only"),
        ([(40, "yes,unknown,,")], "everybody's group is unknown"),
    ],
)
def test_what_cannot_be_computed_is_said(tmp_path: Path, rows: list[tuple[int, str]], text: str) -> None:
    done = report(write(tmp_path / "d.csv", rows))
    assert done.exit_code == 0
    assert f"Sex, selection rates: Impact ratios are not computable: {text}" in done.stdout
    assert "1.000" not in done.stdout


def test_columns_options_and_citations(tmp_path: Path) -> None:
    people = [(60, "yes,F,0.5,2026-01-01"), (60, "no,m,0.4,2026-02-01"), (2, "yes,x,0.3,2026-03-01")]
    file = write(tmp_path / "d.csv", people, "hired,gender,rating,when")
    schema = {"attributes": {"sex": ["f", "m", "x"]}, "intersections": []}
    done = report(
        file, "--decision-column", "hired", "--score-column", "rating", "--time-column", "when",
        "--group-column", "sex=gender", "--exclude-under", "0.02", "--justification", "Two people.",
        "--minimum", "61", "--citation", "A", "--citation", "B", "--output", tmp_path / "r.json",
        EVENMATCH_GROUPS=json.dumps(schema),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Too few people for a conclusion: M." in done.stdout
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["citations"] == ["A", "B"]
    assert document["method"]["minimum"] == 61
    assert document["method"]["justification"] == "Two people."
    assert (document["data"]["first_decision"], document["data"]["last_decision"]) == (
        "2026-01-01",
        "2026-03-01",
    )
    x = document["attributes"][0]["groups"][2]
    assert (x["left_out"], x["selection"]["count"], x["selection"]["rate"], x["selection"]["reason"]) == (
        True,
        2,
        1.0,
        "left_out",
    )


def test_an_attribute_may_have_no_column(tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", [(3, "1,female")], "decision,sex")
    assert report(file).exit_code == 3
    done = report(file, "--group-column", "race_ethnicity=")
    assert done.exit_code == 0
    assert (
        "Race/ethnicity, selection rates: Impact ratios are not computable: everybody's group" in done.stdout
    )


def test_bad_input_writes_nothing_and_shows_no_cell(planted: Path, tmp_path: Path) -> None:
    with planted.open("a") as stream:
        stream.write("selected,Jane Doe,white,0.4\n")
    output = tmp_path / "r.html"
    output.write_text("old")
    done = report(planted, "--output", output)
    assert done.exit_code == 3
    assert f"{planted}: sex: 1 label stands for none of female, male, nonbinary, unknown" in done.stderr
    assert "1009" not in done.output
    assert "Jane" not in done.output
    assert output.read_text() == "old"


@pytest.mark.parametrize("content", ["", "decision,sex,race_ethnicity\n"])
def test_an_empty_file_is_no_report(tmp_path: Path, content: str) -> None:
    (tmp_path / "d.csv").write_text(content)
    done = report(tmp_path / "d.csv", "--output", tmp_path / "r.json")
    assert done.exit_code == 3
    assert "holds no decisions" in done.stderr
    assert not (tmp_path / "r.json").exists()


def test_labels_are_read_as_people_write_them(tmp_path: Path) -> None:
    people = [(40, "1,F,Black or African American"), (50, "0,M,White"), (12, "1,W,Prefer not to say")]
    file = write(tmp_path / "d.csv", people, "decision,sex,race_ethnicity")
    done = report(file)
    assert done.exit_code == 3
    assert "'W' in 12 rows" in done.stderr
    done = report(file, "--group-value", "sex.W=female")
    assert done.exit_code == 0, done.output
    assert "sex: read 'f' as female (40), 'm' as male (50), 'w' as female (12)" in " ".join(
        done.stderr.split()
    )
    line = next(line for line in done.stdout.splitlines() if line.strip().startswith("Female "))
    assert line.split()[1:4] == ["52", "of", "52"]
    assert report(file, "--unknown-labels", "unknown").exit_code == 0
    assert report(file, "--group-value", "W=female").exit_code == 2


def test_a_folder_that_is_not_there_is_named(planted: Path, tmp_path: Path) -> None:
    done = report(planted, "--output", tmp_path / "gone" / "r.json")
    assert done.exit_code == 3
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "r.xlsx"], "--output must end in .html, .json, .csv, not .xlsx"),
        (["--group-column", "sex"], "--group-column takes ATTRIBUTE=COLUMN"),
        (["--group-column", "shoes=x"], "attributes are sex, race_ethnicity"),
        (["--minimum", "0"], "--minimum"),
        (["--exclude-under", "2"], "--exclude-under"),
        (["--distribution-date", "soon"], "--distribution-date"),
        (["--source", " "], "--source is empty"),
        (["--citation", "29 CFR 1607.4(D)", "--citation", ""], "--citation is empty"),
    ],
)
def test_wrong_usage_is_refused(planted: Path, arguments: list[str], message: str) -> None:
    done = report(planted, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_only_tables_are_read(tmp_path: Path) -> None:
    done = report(tmp_path / "d.xlsx")
    assert done.exit_code == 3
    assert ".csv, .tsv, .jsonl" in done.stderr
