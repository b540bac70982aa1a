from __future__ import annotations

import json
import uuid
from itertools import permutations
from typing import Any

import pytest

from tests.support.api import ENGINEER, JOB, NURSE, Api, Start, numbers

AS_JSON = {"Content-Type": "application/json"}


def test_a_score_has_the_documented_shape(api: Api) -> None:
    body = api.score(ENGINEER, job={**JOB, "id": "req-17"}).json()
    assert body["model"] == {
        "bundle": "test-bundle",
        "version": "1.0.0",
        "engine": "openvino",
        "precision": "f32",
        "cohort": None,
    }
    assert (body["job_id"], body["threshold"], body["warnings"]) == ("req-17", 0.6, [])
    (result,) = body["results"]
    assert set(result) == {
        "candidate_id",
        "decision_id",
        "raw_score",
        "calibrated_probability",
        "decision",
        "reason",
        "borderline",
        "cohort_percentile",
        "truncated",
        "language",
        "warnings",
        "warning_counts",
        "redactions",
        "document",
        "unknown_groups",
        "metadata",
        "explanation",
        "parts",
        "requirements",
    }
    assert uuid.UUID(result["decision_id"]).version == 4
    assert result["decision"] == ("selected" if result["calibrated_probability"] >= 0.6 else "not_selected")


def test_results_come_in_the_order_asked(api: Api) -> None:
    scores = {text: api.score(text).json()["results"][0]["raw_score"] for text in (ENGINEER, NURSE, "java")}
    for order in permutations(scores):
        results = api.score(*order).json()["results"]
        assert [r["candidate_id"] for r in results] == ["c-0", "c-1", "c-2"]
        assert [r["raw_score"] for r in results] == [scores[text] for text in order]


def test_scores_are_identical_with_and_without_groups(api: Api) -> None:
    groups = {"sex": "female", "race_ethnicity": "hispanic_or_latino"}
    keys = ("raw_score", "calibrated_probability", "decision", "borderline")
    without, with_groups = api.score(ENGINEER, NURSE), api.score(ENGINEER, NURSE, groups=groups)
    assert [[r[k] for k in keys] for r in without.json()["results"]] == [
        [r[k] for k in keys] for r in with_groups.json()["results"]
    ]


def test_every_decision_is_counted_under_its_groups(api: Api) -> None:
    decision = api.score(ENGINEER, groups={"sex": "female", "race_ethnicity": "asian"}).json()["results"][0]
    api.score(NURSE)
    for attribute, group in (
        ("sex", "female"),
        ("race_ethnicity", "asian"),
        ("sex_race_ethnicity", "female:asian"),
    ):
        labels = {"attribute": attribute, "group": group}
        assert api.series("evenmatch_decisions_total", **labels, decision=decision["decision"]) == 1
        assert api.series("evenmatch_match_score_count", **labels) == 1
        assert api.series("evenmatch_match_score_sum", **labels) == decision["calibrated_probability"]
        unknown = {"attribute": attribute, "group": "unknown"}
        assert api.series("evenmatch_match_score_count", **unknown) == 1


def test_the_job_is_encoded_once_for_a_hundred_resumes(api: Api) -> None:
    job = api.runtime.matcher.tokenize_job(JOB["description"], JOB["title"])
    texts = [f"{ENGINEER} {'x' * (i % 10)} {'y' * (i // 10)}" for i in range(100)]
    assert api.score(*texts).status_code == 200
    encoded = [ids for batch in api.engine.batches for ids in batch]
    assert [encoded.count(ids) for ids in job.texts] == [1] * len(job.texts)
    assert len(encoded) == len(job.texts) + 100


def test_a_title_counts(api: Api) -> None:
    without = api.score(ENGINEER, job={"description": JOB["description"]}).json()["results"][0]
    assert without["raw_score"] != api.score(ENGINEER).json()["results"][0]["raw_score"]


def test_another_script_is_scored_but_flagged(api: Api) -> None:
    # Greek letters are outside the tiny vocabulary, but most tokens are known.
    body = api.score("αβγδεζηθικλμνξοπρστυφχψω 1 2 3 4 5 6 7 8 9").json()
    assert body["results"][0]["warnings"] == ["non_latin_script", "no_name_found", "little_text"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"job": JOB, "candidates": []}, "candidates", "count_out_of_range"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "java"}] * 2}, "candidates[1].id", "duplicate_id"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": " \n\x00"}]}, "candidates[0].resume", "empty_text"),
        ({"job": {"description": ""}, "candidates": [{"id": "a", "resume": "java"}]}, "job.description", "empty_text"),
        ({"job": {**JOB, "title": "\u200b"}, "candidates": [{"id": "a", "resume": "x"}]}, "job.title", "empty_text"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": 7}]}, "candidates[0].resume", "string_type"),
        ({"job": JOB, "candidates": [{"id": 7, "resume": "java"}]}, "candidates[0].id", "string_type"),
        ({"job": JOB, "candidates": [{"id": "", "resume": "java"}]}, "candidates[0].id", "string_too_short"),
        ({"job": JOB, "candidates": [{"id": "a"}]}, "candidates[0].resume", "missing"),
        ({"job": JOB, "candidates": {"id": "a", "resume": "java"}}, "candidates", "list_type"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "java", "name": "x"}]}, "candidates[0].name", "extra_forbidden"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "java"}], "cutoff": 1}, "cutoff", "extra_forbidden"),
        ({"candidates": [{"id": "a", "resume": "java"}]}, "job", "missing"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "java", "groups": {"sex": "x"}}]}, "candidates[0].groups.sex", "unknown_group"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "java", "groups": {"age": "old"}}]}, "candidates[0].groups", "unknown_group"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "工 程 师"}]}, "candidates[0].resume", "unreadable_text"),
        ({"job": JOB, "candidates": [{"id": "a", "resume": "x" * 100_001}]}, "candidates[0].resume", "text_too_long"),
    ],
)  # fmt: skip
def test_bad_input_is_named_by_field_and_nothing_is_scored(
    shared_api: Api, body: dict[str, object], field: str, code: str
) -> None:
    shared_api.engine.batches.clear()
    counted = shared_api.series("evenmatch_match_score_count", attribute="sex", group="unknown")
    answer = shared_api.post("/v1/score", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert shared_api.engine.batches == []
    assert shared_api.series("evenmatch_match_score_count", attribute="sex", group="unknown") == counted


def test_every_bad_candidate_is_named_in_one_answer(api: Api) -> None:
    answer = api.score("java", "", "python", "\u200b")
    assert answer.json()["code"] == "validation_failed"
    assert [e["field"] for e in answer.json()["errors"]] == ["candidates[1].resume", "candidates[3].resume"]


def test_every_unknown_group_of_a_full_request_is_named(shared_api: Api) -> None:
    answer = shared_api.score(*["java"] * 200, groups={"sex": "Jane", "race_ethnicity": "Doe"})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [
        f"candidates[{i}].groups.{name}" for i in range(200) for name in ("sex", "race_ethnicity")
    ]
    assert not {"Jane", "Doe"} & set(answer.text.split())


def test_groups_are_counted_as_forms_write_them(api: Api) -> None:
    groups = {"Gender": "Female", "Race/Ethnicity": "Asian (Not Hispanic or Latino)"}
    (result,) = api.score(ENGINEER, groups=groups).json()["results"]
    assert result["unknown_groups"] == []
    assert api.series("evenmatch_match_score_count", attribute="sex", group="female") == 1
    assert api.series("evenmatch_match_score_count", attribute="race_ethnicity", group="asian") == 1


def test_unknown_groups_count_as_unknown_by_setting_and_are_said(start: Start) -> None:
    aliases = {"sex": {"W": "female"}}
    api = start(fairness={"unknown_groups": "unknown", "group_aliases": aliases})
    (plain,) = api.score(ENGINEER).json()["results"]
    (result,) = api.score(ENGINEER, groups={"sex": "?x", "shoe_size": "9"}).json()["results"]
    assert result["unknown_groups"] == ["sex", "other"]
    assert (result["warnings"], result["borderline"]) == (plain["warnings"], plain["borderline"])
    assert api.series("evenmatch_match_score_count", attribute="sex", group="unknown") == 2
    (result,) = api.score(ENGINEER, groups={"sex": "w"}).json()["results"]
    assert api.series("evenmatch_match_score_count", attribute="sex", group="female") == 1


def nested(levels: int) -> dict[str, Any]:
    found: Any = 1
    for i in range(levels - 1):
        found = [found] if i % 2 else {"a": found}
    return {"a": found}


def test_metadata_comes_back_and_is_no_field_of_the_service(shared_api: Api) -> None:
    metadata = {"crm": {"url": "https://x.example/1", "tags": ["a", None, 2.5]}, "größe": 1}
    (result,) = shared_api.score(ENGINEER, metadata=metadata).json()["results"]
    assert result["metadata"] == metadata
    assert shared_api.score(ENGINEER, metadata=nested(32)).json()["results"][0]["metadata"] == nested(32)
    for bad, code in (
        ({"x": "y" * 16_400}, "too_large"),
        ({"x": "\ud800"}, "half_character"),
        ({"x": float("inf")}, "no_number"),
        (nested(33), "too_deep"),
        (nested(900), "too_deep"),
        ([1], "dict_type"),
    ):
        body = {"job": JOB, "candidates": [{"id": "a", "resume": ENGINEER, "metadata": bad}]}
        content = json.dumps(body).replace("Infinity", "1e999")
        (error,) = shared_api.post("/v1/score", content=content, headers=AS_JSON).json()["errors"]
        assert (error["field"], error["code"]) == ("candidates[0].metadata", code)
    unknown = shared_api.score(ENGINEER, crm_id="7").json()["errors"]
    assert "metadata" in unknown[0]["message"]


def test_too_many_candidates_name_limit_and_number(start: Start) -> None:
    problem = start(limits={"max_candidates": 2}).score("a", "b", "c").json()
    assert (problem["code"], problem["limit"], problem["actual"]) == ("count_out_of_range", 2, 3)


def test_a_request_beyond_the_whole_queue_is_refused_for_good(start: Start) -> None:
    answer = start(model={"queue_tokens": 4_096}).score(*[numbers(i, 40) for i in range(20)])
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"
    assert answer.json()["limit"] == 4_096


@pytest.mark.parametrize("text", ["a " * 5_000, "python 🚀🚀 java", "java مهندس java backend"])
def test_repeated_characters_emoji_and_right_to_left_text_are_scored(api: Api, text: str) -> None:
    answer = api.score(text)
    assert answer.status_code == 200
    assert -1 <= answer.json()["results"][0]["raw_score"] <= 1


@pytest.mark.parametrize("text", ["a" * 50_000, "🚀" * 1_000])
def test_text_that_says_nothing_to_the_model_is_not_scored(api: Api, text: str) -> None:
    answer = api.score(ENGINEER, text)
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_text")
    assert answer.json()["errors"][0]["field"] == "candidates[1].resume"
