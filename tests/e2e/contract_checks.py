"""What schemathesis checks beside its own checks, in its process (`test_contract.py`; SCHEMATHESIS_HOOKS).

Two of its checks know no reason but the schema's, so they are asked through the two below, which know this
service's. Ids of jobs and decisions that exist take the place of half of those that are drawn.
"""

from __future__ import annotations

import json
import os
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

BEYOND_THE_SCHEMA = {
    "unusable_window": "a window that ends before it begins",
    "invalid_input": "a cursor that no list gave",
    "unusable_upload": "parts and options that do not belong together",
    "count_out_of_range": "more items than the settings allow",
    "empty_text": "a text of white space and control characters",
    "not_text": "a text that cannot be one",
    "no_document": "what programs write where a text should stand",
    "unreadable_text": "characters that are none",
    "damaged_document": "the content of a file",
    "unsupported_document": "the content of a file",
    "duplicate_id": "ids are unique in a request",
    "unknown_group": "groups are configured",
    "audit_options": "more than a service may be asked for",
    "span_not_found": "a span stands in its resume",
    "unknown_token": "tokens of this model",
    "webhook_refused": "webhooks lead out of the own network",
    "token_arrays": "lists of token ids, which OpenAI's interface has and this one refuses by name",
    "outcome_time": "an outcome after its decision",
}
"""Codes of refusals that no schema can express, each with what it is about."""

BEYOND_IN_FIELDS = {
    "text_and_file": "a text or a file, not both",
    "missing": "one of both",
    "int_type": "a whole number written as 134.0, which is an integer to a schema",
    "string_type": "null for a text, which only a file in its place allows",
    "too_deep": "metadata",
    "too_large": "metadata",
    "half_character": "metadata",
    "no_number": "metadata",
    "base64": "a schema's contentEncoding is a remark",
    "file_not_sent": "the name of a file in JSON",
    "too_many_fields": "more fields than any object has",
}
"""The same of single fields, where the code is `validation_failed`."""

_IDS = {"job_id": os.environ.get("CONTRACT_JOB", ""), "decision_id": os.environ.get("CONTRACT_DECISION", "")}


@schemathesis.check
def valid_is_accepted(ctx: Any, response: Any, case: Any) -> None:
    """As `positive_data_acceptance`; a refusal for what no schema can say is one by right."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        if not _is_beyond(response):
            raise


@schemathesis.check
def invalid_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """As `negative_data_rejection`; an option that is blank is left out, as the interface promises."""
    try:
        negative_data_rejection(ctx, response, case)
    except Failure:
        if not _has_blank(case.query) and not _has_blank(_body(case)):
            raise


@schemathesis.check
def errors_are_problems(ctx: Any, response: Any, case: Any) -> None:
    """Every error has the one shape, a code and the request's id."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    assert response.headers["content-type"][0].startswith("application/problem+json")
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    assert problem["code"]
    assert [problem["request_id"]] == response.headers["x-request-id"]


@schemathesis.hook
def map_path_parameters(ctx: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """A job that exists, for every other id that is drawn."""
    for name, value in (path_parameters or {}).items():
        if _IDS.get(name) and len(str(value)) % 2:
            path_parameters = {**(path_parameters or {}), name: _IDS[name]}
    return path_parameters


@schemathesis.hook
def map_body(ctx: Any, body: Any) -> Any:
    """A decision that exists, for every other one that is drawn."""
    if isinstance(body, dict) and isinstance(body.get("decision_id"), str) and len(body["decision_id"]) % 2:
        return {**body, "decision_id": _IDS["decision_id"]}
    return body


def _is_beyond(response: Any) -> bool:
    problem = json.loads(response.content)
    if problem["code"] in BEYOND_THE_SCHEMA:
        return True
    errors = {one["code"] for one in problem.get("errors", ())}
    known = BEYOND_IN_FIELDS.keys() | BEYOND_THE_SCHEMA.keys()
    return problem["code"] == "validation_failed" and bool(errors) and errors <= known


def _body(case: Any) -> Any:
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("request"), str):
        try:
            return json.loads(body["request"])
        except ValueError:
            return body
    return body


def _has_blank(given: Any) -> bool:
    if given is None or (isinstance(given, str) and not given.strip()):
        return True
    inner = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return any(map(_has_blank, inner))
