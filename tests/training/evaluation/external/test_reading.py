"""Users' tables as they are: guessed columns, ids, categories, and rows at fault that stop nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.data.example import DataError, DataFormatError
from training.evaluation.external.categories import read_map
from training.evaluation.external.given_documents import ExternalColumns
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.pair_reading import read_labelled_pairs
from training.evaluation.external.pool_reading import read_pool

SECRET = "zanzibarian"


def pairs(rows: list[dict[str, Any]], columns: ExternalColumns | None = None) -> tuple[LabelledSet, Findings]:
    findings = Findings()
    table = GivenTable.of_rows("the table", rows)
    return read_labelled_pairs(table, columns or ExternalColumns(), findings), findings


def pool(
    resumes: list[dict[str, Any]],
    postings: list[dict[str, Any]],
    mapped: dict[str, list[str]] | None = None,
    columns: ExternalColumns | None = None,
) -> tuple[LabelledSet, Findings]:
    findings = Findings()
    tables = (GivenTable.of_rows("cvs", resumes), GivenTable.of_rows("jobs", postings))
    return read_pool(*tables, columns or ExternalColumns(), mapped, findings), findings


def person(category: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"resume_text": text or f"a {category} by trade", "category": category, **more}


def job(category: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"job_description": text or f"{category} wanted", "category": category, **more}


def test_pairs_are_told_by_ids_or_by_texts() -> None:
    rows = [
        {"cv": "a nurse", "jd": "ward nurse", "match": "yes", "candidate_id": "c1", "job_id": 7.0},
        {"cv": "a welder", "jd": "ward nurse", "match": "no", "candidate_id": "c2", "job_id": 7},
    ]
    data, findings = pairs(rows)
    assert [document.id for document in data.resumes] == ["c1", "c2"]
    assert [document.id for document in data.postings] == ["7"]
    assert data.labels.tolist() == [1, 0]
    assert any("`cv` is read as columns.resume" in note for note in findings.notes)
    without = [{key: row[key] for key in ("cv", "jd", "match")} for row in rows]
    data, findings = pairs(without)
    assert [document.id for document in data.resumes] == ["row 1", "row 2"]
    assert len(data.postings) == 1
    assert any("no column of ids" in note for note in findings.notes)


def test_rows_at_fault_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    good = {"resume": "a nurse", "job": "ward nurse", "label": 1}
    lines: list[object] = [
        good,
        {**good, "resume": "  "},
        {**good, "label": "perhaps"},
        {"job": "cook", "label": 0},
        {**good, "resume": 5},
        {**good, "resume": "x" * 200_000},
        {**good, "resume": "a cook", "label": None},
        {**good, "resume": "a welder", "label": 0},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + f"\n{{{SECRET}\n"
    file.write_text(text, "utf-8")
    findings = Findings()
    data = read_labelled_pairs(GivenTable.of_file(file, findings), ExternalColumns(), findings)
    assert data.labels.tolist() == [1, 0]
    faults = "\n".join(findings.faults)
    for line, said in (
        (2, "`resume` is empty"),
        (3, "column `label` must be"),
        (4, "no column 'resume'"),
        (5, "must hold a text, not a int"),
        (6, "100,000"),
        (9, "not JSON"),
    ):
        assert any(f"{file} line {line}" in fault and said in fault for fault in findings.faults), faults
    assert len(findings.faults) == 6
    assert any("1 rows have no label" in note for note in findings.notes)
    assert SECRET not in faults


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "holds no rows"),
        ("a.jsonl", "not json\n", "holds no rows"),
        ("a.xlsx", "PK", "cannot read `.xlsx` files; known are .csv"),
        ("a.csv", "resume,job,label\n", "no row can be used"),
        ("a.csv", "resume,resume,job,label\na,b,c,1\n", "'resume' stands there twice"),
        ("a.parquet", "none", "Parquet"),
        ("nowhere/a.csv", None, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_named(name: str, content: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, "utf-8")
    findings = Findings()
    with pytest.raises(DataFormatError, match=said) as raised:
        read_labelled_pairs(GivenTable.of_file(file, findings), ExternalColumns(), findings)
    assert str(file) in raised.value.message


def test_no_usable_row_says_why() -> None:
    with pytest.raises(DataFormatError, match="row 1: column `resume` is empty"):
        pairs([{"resume": "", "job": "cook", "label": 1}])


def test_one_id_with_two_texts_is_refused_and_one_pair_with_two_labels() -> None:
    first = {"resume": "a nurse", "job": "ward", "label": 1, "resume_id": "c1"}
    with pytest.raises(
        DataFormatError, match="resume id has different texts in the table row 1 and the table row 2"
    ):
        pairs([first, {**first, "resume": f"a {SECRET}"}])
    with pytest.raises(DataError, match="twice with different labels: the table row 2 and the table row 1"):
        pairs([first, {**first, "label": 0}])
    data, findings = pairs([first, first, {**first, "resume_id": None, "resume": "a cook", "label": 0}])
    assert len(data) == 2
    assert any("1 rows repeat a pair" in note for note in findings.notes)
    assert any("1 resumes have no id" in note for note in findings.notes)


def test_all_pairs_match_by_a_shared_category() -> None:
    data, findings = pool(
        [person("HR", candidate_id="a"), person("Java Developer", candidate_id="b")],
        [
            job("human  resources; java developer", id="x", job_title="Both"),
            job("hr", id="y"),
        ],
    )
    # Rows: posting by posting. Case does not count; a posting may be of several categories.
    assert data.every_pair
    assert data.labels.tolist() == [0, 1, 1, 0]
    assert data.postings[0].title == "Both"
    assert data.postings[0].categories == ("human resources", "java developer")
    assert any(
        "1 postings are of categories that no resume has" in n and "human resources (1)" in n
        for n in findings.notes
    )


def test_a_map_joins_categories_of_other_names(tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text("resume,posting\nHR,Human resources\nAdvocate,Lawyer; Paralegal\nCook,Chef\n", "utf-8")
    mapped = read_map(file, Findings())
    assert mapped["advocate"] == ["Lawyer", "Paralegal"]
    data, findings = pool(
        [person("HR"), person("ADVOCATE"), person("Nurse")],
        [job("human resources"), job("paralegal"), job("nurse")],
        mapped,
    )
    assert data.labels.reshape(3, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert any("no resume has: cook (1)" in note for note in findings.notes)
    (tmp_path / "bad.csv").write_text("from,to\na,b\n", "utf-8")
    with pytest.raises(DataFormatError, match="no column `resume`"):
        read_map(tmp_path / "bad.csv", Findings())


def test_a_row_without_a_category_is_left_out_and_a_text_is_none() -> None:
    data, findings = pool(
        [person("HR"), person("Cook"), person("", text="somebody"), person("x" * 200)], [job("HR")]
    )
    assert len(data.resumes) == 2
    assert "cvs row 3: column `category`: no category" in findings.faults
    assert any("cvs row 4" in fault and "200 characters" in fault for fault in findings.faults)


def test_columns_that_cannot_be_guessed_are_asked_for() -> None:
    with pytest.raises(DataFormatError, match="no column looks like --resume-category; it has resume, x"):
        pool([{"resume": "a", "x": "HR"}], [job("HR")])
    with pytest.raises(DataFormatError, match="no column `kind`"):
        pool([person("HR")], [job("HR")], columns=ExternalColumns(category="kind"))
    with pytest.raises(DataFormatError, match="occupation and profession could be --resume-category"):
        pool([{"resume": "a", "occupation": "HR", "profession": "HR"}], [job("HR")])


def test_groups_are_guessed_where_they_look_so_and_read_by_their_labels() -> None:
    data, findings = pool(
        [person("HR", Gender="F"), person("HR", text="other", Gender="decline to say")], [job("HR")]
    )
    assert [dict(resume.groups) for resume in data.resumes] == [{"sex": "female"}, {}]
    assert any("`Gender` is read as the group of sex" in note for note in findings.notes)
    data, _ = pool([person("HR", Gender="F")], [job("HR")], columns=ExternalColumns(groups={}))
    assert not data.resumes[0].groups
    named = [person("HR", text=f"person {i}", club=f"club {i}") for i in range(51)]
    with pytest.raises(DataFormatError, match="`club` has 51 different values; at most 50"):
        pool(named, [job("HR")], columns=ExternalColumns(groups={"club": "club"}))
    data, findings = pool(
        [person("HR", club="x" * 70), person("Cook", club="chess")],
        [job("HR"), job("Cook")],
        columns=ExternalColumns(groups={"club": "club"}),
    )
    assert [dict(resume.groups) for resume in data.resumes] == [{"club": "chess"}]
    assert any("70 characters" in fault for fault in findings.faults)


def test_repeats_are_counted_once_on_request() -> None:
    data, _ = pool(
        [person("HR", text="one and the same"), person("HR", text="One and the same."), person("Cook")],
        [job("HR"), job("Cook")],
    )
    once, dropped = data.with_texts_once()
    assert dropped == 1
    assert once.labels.reshape(2, 2).tolist() == [[1, 0], [0, 1]]
    assert once.with_texts_once() == (once, 0)
    torn, _ = pool([person("HR", text="the same"), person("Cook", text="the same")], [job("HR")])
    with pytest.raises(DataError, match="match the same posting under one id and not under another"):
        torn.with_texts_once()


def test_whoever_is_in_no_pair_any_more_goes_with_what_was_unreadable() -> None:
    data, _ = pairs(
        [
            {"resume": "a", "job": "x", "label": 1},
            {"resume": "b", "job": "x", "label": 0},
            {"resume": "b", "job": "y", "label": 1},
        ]
    )
    kept = data.without([1], [])
    assert ([d.text for d in kept.resumes], [d.text for d in kept.postings]) == (["a"], ["x"])
    assert kept.labels.tolist() == [1]
    with pytest.raises(DataError, match="no pair is left"):
        data.without([0, 1], [])
