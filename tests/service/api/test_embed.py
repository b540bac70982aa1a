from __future__ import annotations

import base64

import numpy as np
import pytest

from service.core.tokenization import TokenIds
from tests.support.api import Api, Start


def rows(api: Api, path: str, **body: object) -> list[list[float]]:
    answer = api.post(path, json=body)
    assert answer.status_code == 200, answer.json()
    return list(answer.json()["embeddings"])


def test_one_text_or_several_give_unit_vectors_in_order(api: Api) -> None:
    several = rows(api, "/v1/embed", inputs=["python java", "nurse"])
    assert rows(api, "/v1/embed", inputs="nurse") == [several[1]]
    assert rows(api, "/v1/embed", inputs=["python java"]) == [several[0]]
    assert np.linalg.norm(several, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_the_kind_chooses_the_prefix(api: Api) -> None:
    assert rows(api, "/v1/embed", inputs="java", kind="job") != rows(api, "/v1/embed", inputs="java")


def test_a_cut_text_says_so_and_is_counted(api: Api) -> None:
    body = api.post("/v1/embed", json={"inputs": ["java", "java " * 100]}).json()
    assert body["truncated"] == [False, True]
    assert body["tokens"] == [3, 64]
    assert api.series("evenmatch_truncated_total") == 1


def test_passages_cover_the_whole_text(api: Api) -> None:
    text = " ".join(["java"] * 90)
    body = api.post("/v1/embed", json={"inputs": [text, "python"], "passages": True}).json()
    assert body["passage_counts"] == [3, 1]
    assert len(body["embeddings"]) == 4
    assert body["truncated"] == [False, False]
    assert body["tokens"] == [90 + 3 * 2, 3]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"inputs": []}, "inputs", "count_out_of_range"),
        ({"inputs": ""}, "inputs", "empty_text"),
        ({"inputs": ["java", " "]}, "inputs[1]", "empty_text"),
        ({"inputs": ["java"], "kind": "cv"}, "kind", "literal_error"),
        ({}, "inputs", "missing"),
    ],
)
def test_bad_input_is_named(api: Api, body: dict[str, object], field: str, code: str) -> None:
    answer = api.post("/v1/embed", json=body)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_too_many_texts_are_refused(start: Start) -> None:
    problem = start(limits={"max_inputs": 2}).post("/v1/embed", json={"inputs": ["a", "b", "c"]}).json()
    assert (problem["limit"], problem["actual"]) == (2, 3)


def test_openai_floats_base64_and_token_arrays_agree(start: Start) -> None:
    api = start(model={"accept_token_arrays": True})
    text = "python java"
    (expected,) = rows(api, "/v1/embed", inputs=text)
    ids: TokenIds = api.runtime.tokenizer.encode_all([text], "resume")[0]
    for given in (text, [text], list(ids), [list(ids)], list(ids[1:-1])):
        for form in ("float", "base64"):
            body = api.post("/v1/embeddings", json={"input": given, "encoding_format": form}).json()
            (item,) = body["data"]
            vector = item["embedding"]
            if form == "base64":
                vector = np.frombuffer(base64.b64decode(vector), "<f4").tolist()
            assert vector == pytest.approx(expected, abs=1e-7)
            assert body["usage"] == {"prompt_tokens": len(ids), "total_tokens": len(ids)}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"input": "java", "model": "gpt-9"}, 404, "model_not_found"),
        ({"input": "java", "dimensions": 8}, 422, "count_out_of_range"),
        ({"input": "java " * 100}, 422, "text_too_long"),
        ({"input": [5] * 100}, 422, "token_arrays"),
        ({"input": [[5, 6]]}, 422, "token_arrays"),
        ({"input": ["java"] * 2_049}, 422, "count_out_of_range"),
        ({"input": []}, 422, "count_out_of_range"),
        ({"input": [1, "java"]}, 422, "validation_failed"),
        ({"input": None}, 422, "validation_failed"),
    ],
)
def test_openai_interface_refuses_what_it_cannot_answer_rightly(
    shared_api: Api, body: dict[str, object], status: int, code: str
) -> None:
    answer = shared_api.post("/v1/embeddings", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_token_arrays_are_checked_where_they_are_taken(start: Start) -> None:
    api = start(model={"accept_token_arrays": True})
    for given, code in (([5] * 100, "text_too_long"), ([999_999], "unknown_token"), ([[]], "empty_text")):
        assert api.post("/v1/embeddings", json={"input": given}).json()["code"] == code


def test_refused_token_arrays_say_what_to_set(shared_api: Api) -> None:
    answer = shared_api.post("/v1/embeddings", json={"input": [[5, 6, 7]]}).json()
    assert "check_embedding_ctx_length=False" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"input": "java", "model": "gpt-9"}, 404, ("invalid_request_error", "model", "model_not_found")),
        ({"input": ["a", " "]}, 422, ("invalid_request_error", "input[1]", "empty_text")),
        ({"input": "a", "size": 1}, 422, ("invalid_request_error", "size", "validation_failed")),
    ],
)
def test_errors_are_also_those_of_openai(
    shared_api: Api, body: dict[str, object], status: int, error: tuple[str, str, str]
) -> None:
    answer = shared_api.post("/v1/embeddings", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    found = answer.json()["error"]
    assert (found["type"], found["param"], found["code"]) == error
    assert error[1] in found["message"]
    assert "error" not in shared_api.post("/v1/embed", json=body).json()


def test_options_of_other_servers_are_taken_where_they_are_null(shared_api: Api) -> None:
    body = {
        "input": "java",
        "input_type": None,
        "truncate_prompt_tokens": None,
        "truncate": "",
        "dimensions": None,
    }
    assert shared_api.post("/v1/embeddings", json=body).status_code == 200
    refused = shared_api.post("/v1/embeddings", json={**body, "input_type": "query"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "input_type")
    assert shared_api.post("/v1/embed", json={"inputs": "java", "input_type": None}).status_code == 422


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/chat/completions"]
)
def test_what_else_openais_clients_ask_for_says_that_it_is_not_served(shared_api: Api, path: str) -> None:
    answer = shared_api.post(path, json={"model": "test-bundle"})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "nothing is served at this path; see /docs"


def test_the_model_is_listed(shared_api: Api) -> None:
    (model,) = shared_api.get("/v1/models").json()["data"]
    assert (model["id"], model["object"], model["owned_by"]) == ("test-bundle", "model", "evenmatch")
    assert shared_api.get("/models/test-bundle").json() == model
    unknown = shared_api.get("/v1/models/gpt-9")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.slow
def test_many_inputs_are_answered_as_one_by_one(start: Start) -> None:
    api = start(model={"queue_tokens": 20_000})
    texts = [f"python java {i % 7}" for i in range(2_048)]
    items = api.post("/v1/embeddings", json={"input": texts}).json()["data"]
    assert [item["index"] for item in items] == list(range(2_048))
    each = rows(api, "/v1/embed", inputs=texts[:7])
    for item in items:
        assert item["embedding"] == pytest.approx(each[item["index"] % 7], abs=1e-7)
