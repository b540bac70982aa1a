"""Domain errors and the framework's own -> RFC 9457 problems. The only place that knows status codes.

Nothing of the request's content is repeated, apart from field names that look like field names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from service.api import paths
from service.api.schemas.base import UNION_MEMBER
from service.api.schemas.problem import FieldError, OpenAIError, Problem
from service.core.errors import (
    AnswerErasedError,
    ArchiveTooLargeError,
    CapacityError,
    DatabaseDamagedError,
    DatabaseLostError,
    DocumentTooLargeError,
    EvenmatchError,
    InputError,
    InputErrors,
    JobDeletedError,
    JobRunningError,
    KeyReusedError,
    MediaTypeError,
    OutcomeConflictError,
    QueueFullError,
    RequestTooLargeError,
    UnknownDecisionError,
    UnknownJobError,
    UnknownModelError,
    UnknownPageError,
    UploadTooLargeError,
)

PROBLEM_JSON = "application/problem+json"

_STATUS: dict[type[EvenmatchError], HTTPStatus] = {
    RequestTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnknownModelError: HTTPStatus.NOT_FOUND,
    UnknownPageError: HTTPStatus.NOT_FOUND,
    UnknownDecisionError: HTTPStatus.NOT_FOUND,
    OutcomeConflictError: HTTPStatus.CONFLICT,
    KeyReusedError: HTTPStatus.CONFLICT,
    AnswerErasedError: HTTPStatus.CONFLICT,
    UnknownJobError: HTTPStatus.NOT_FOUND,
    JobRunningError: HTTPStatus.CONFLICT,
    JobDeletedError: HTTPStatus.CONFLICT,
    UploadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    DocumentTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ArchiveTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    QueueFullError: HTTPStatus.TOO_MANY_REQUESTS,
    CapacityError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseLostError: HTTPStatus.SERVICE_UNAVAILABLE,
    DatabaseDamagedError: HTTPStatus.SERVICE_UNAVAILABLE,
    EvenmatchError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_FIELD_ERRORS = 1_000
"""More than a request has candidates: one answer names all that are at fault."""


def status_of(error: EvenmatchError) -> HTTPStatus:
    """The status of the nearest class in the table."""
    return next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)


def problem_response(
    scope: Scope,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    limit: int | None = None,
    actual: int | None = None,
    errors: Sequence[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem+json response."""
    is_openai = paths.is_openai(scope["path"])
    problem = Problem(
        type=f"urn:evenmatch:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=scope.get("evenmatch.request_id", ""),
        message=detail if is_openai else None,
        error=_openai_error(status, code, detail, errors) if is_openai else None,
        limit=limit,
        actual=actual,
        errors=None if errors is None else list(errors)[:MAX_FIELD_ERRORS],
    )
    return Response(_without_nulls(problem), status, media_type=PROBLEM_JSON, headers=headers)


def _without_nulls(problem: Problem) -> str:
    """But for `param`, which OpenAI's clients expect."""
    found = problem.model_dump(exclude_none=True)
    if problem.error is not None:
        found["error"] = problem.error.model_dump()
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _openai_error(status: int, code: str, detail: str, errors: Sequence[FieldError] | None) -> OpenAIError:
    kind: Literal["invalid_request_error", "rate_limit_error", "server_error"] = "invalid_request_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "server_error"
    first = errors[0] if errors else None
    # OpenAI's clients show the message alone: what is wrong with which field has to be in it.
    message = f"{first.field}: {first.message}" if first and first.message not in detail else detail
    return OpenAIError(message=message, type=kind, param=first.field if first else None, code=code)


def install_error_handlers(app: FastAPI) -> None:
    """Give every error of the app the same shape."""
    app.add_exception_handler(EvenmatchError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EvenmatchError)
    errors = None
    if isinstance(error, InputErrors):
        errors = [_field_error(e) for e in error.errors]
    elif isinstance(error, InputError) and error.field:
        errors = [_field_error(error)]
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, CapacityError) else None
    return problem_response(
        request.scope,
        status=status_of(error),
        code=error.code,
        title=error.title,
        detail=error.message,
        limit=error.limit,
        actual=error.actual,
        errors=errors,
        headers=headers,
    )


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if _is_encoded(request):
        return _encoded(request)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_json = media_type == "application/json" or media_type.endswith("+json")
    takes_forms = request.url.path in paths.FORMS
    is_form = takes_forms and media_type == "multipart/form-data"
    if request.method == "POST" and not (is_json or is_form) and request.url.path not in paths.UPLOADS:
        return problem_response(
            request.scope,
            status=415,
            code="unsupported_media_type",
            title="Unsupported media type",
            detail="the body must be application/json" + (" or multipart/form-data" if takes_forms else ""),
        )
    for one in details:
        if one["type"] == "json_invalid":
            return problem_response(
                request.scope,
                status=400,
                code="malformed_json",
                title="Malformed JSON",
                detail=f"the body is not JSON: error at character {one['loc'][-1]}",
            )
    errors = [_shape_error(one) for one in details[:MAX_FIELD_ERRORS]]
    return problem_response(
        request.scope,
        status=422,
        code="validation_failed",
        title="Validation failed",
        detail=f"{errors[0].field}: {errors[0].message}"
        + (f" (and {len(details) - 1} more)" if details[1:] else ""),
        errors=errors,
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and _is_encoded(request):
        return _encoded(request)
    if isinstance(error.__cause__, UnicodeDecodeError):
        return problem_response(
            request.scope,
            status=400,
            code="not_utf8",
            title="Not UTF-8",
            detail=f"the body is not UTF-8: invalid byte at offset {error.__cause__.start}",
        )
    if error.status_code == 400:
        detail = "the body cannot be read as JSON"  # too deeply nested, or numbers too long
    elif error.status_code == 404:
        detail = "nothing is served at this path; see /docs"
        # Not served under such a path all the same: a gateway that keeps a path to itself would be passed by.
        if request.url.path.endswith("/") or "//" in request.url.path:
            detail = "nothing is served at this path, which has a slash too many; see /docs"
    elif error.status_code == 405:
        detail = "this method is not allowed at this path"
    else:
        detail = HTTPStatus(error.status_code).phrase
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request)
    return problem_response(
        request.scope,
        status=error.status_code,
        code=_HTTP_CODES.get(error.status_code, "http_error"),
        title=HTTPStatus(error.status_code).phrase,
        detail=detail,
        headers=headers,
    )


def _allowed(request: Request) -> str:
    """The methods of all routes at a path: Starlette names those of the first one alone."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path is not None and compile_path(route.path)[0].match(path):
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def _is_encoded(request: Request) -> bool:
    return request.headers.get("content-encoding", "identity").strip().lower() != "identity"


def _encoded(request: Request) -> Response:
    return problem_response(
        request.scope,
        status=415,
        code="unsupported_content_encoding",
        title="Unsupported content encoding",
        detail="compressed bodies are not read: send it as it is, without Content-Encoding",
        headers={"Accept-Encoding": "identity"},
    )


def _field_error(error: InputError) -> FieldError:
    return FieldError(
        field=error.field or "",
        code=error.code,
        message=error.message,
        limit=error.limit,
        actual=error.actual,
    )


def _shape_error(one: dict[str, Any]) -> FieldError:
    limit, actual = _sizes(one)
    return FieldError(
        field=_path(one["loc"]), code=str(one["type"]), message=_message(one), limit=limit, actual=actual
    )


def _sizes(one: dict[str, Any]) -> tuple[int | None, int | None]:
    """The limit that was passed and what came in, where both are whole numbers."""
    context = one.get("ctx", {})
    for name in ("max_length", "min_length"):
        if name in context:
            given = one["input"]
            return context[name], context.get("actual_length", len(given) if isinstance(given, str) else None)
    for name in ("ge", "le"):
        if isinstance(context.get(name), int):
            return context[name], None
    return None, None


def _message(one: dict[str, Any]) -> str:
    match one["type"]:
        case "missing":
            return "this field is required"
        case "extra_forbidden":
            # Those who send fields of their own with every candidate learn where they may.
            within = one["loc"][1:2] == ("candidates",) and len(one["loc"]) == 4
            return "no such field" + ("; `metadata` is for a caller's own data" if within else "")
        case _:
            return str(one["msg"])


def _path(loc: Sequence[int | str]) -> str:
    """`("body", "candidates", 3, "resume")` -> `candidates[3].resume`."""
    path = ""
    for part in loc[1:] if loc and loc[0] in ("body", "query", "header", "path") else loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not part.startswith(UNION_MEMBER):
            # An unknown key is the caller's text, and may be a pasted resume.
            name = part if _FIELD_NAME.fullmatch(part) else "(unprintable)"
            path += f".{name}" if path else name
    return path or "body"
