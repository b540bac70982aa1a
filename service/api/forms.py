"""A body as `multipart/form-data` -> the JSON body that it stands for, with files where their names stood.

For bodies that are in memory whole; those of batch jobs are read as they arrive (`service.api.job_forms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import Request
from starlette.types import Scope

from service.api.bodies import BodyRoute, JsonRequest, json_errors, parse
from service.api.disconnects import media_type_of
from service.api.multipart import MultipartReader, PartBegins, PartData
from service.api.thread_pools import ThreadPools
from service.core.errors import CountError, UploadError

FORM = "multipart/form-data"
_REQUEST, _FILE, _FILES = "request", "file", "files"
_JOB, _LISTS = "job", ("candidates", "resumes")
_MOST_PARTS = 2_000


class FilesRoute(BodyRoute):
    """A route whose body may hold documents, as JSON or as a form."""

    async def prepared(self, request: Request) -> Request:
        if media_type_of(request.scope) != FORM:
            return await super().prepared(request)
        body, content_type = await request.body(), request.headers["content-type"]
        pools = cast(ThreadPools, request.app.state.pools)
        return _FormRequest(request.scope, await pools.parsing.run(lambda: json_of_form(body, content_type)))


class _FormRequest(JsonRequest):
    """What FastAPI takes for a request with a body of JSON."""

    def __init__(self, scope: Scope, given: Any) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
        super().__init__({**scope, "headers": [*headers, (b"content-type", b"application/json")]})
        self._body = b"{}"
        self._given = given

    async def json(self) -> Any:
        return self._given


@dataclass
class _Part:
    name: str
    filename: str
    content: bytearray = field(default_factory=bytearray)


def json_of_form(body: bytes, content_type: str) -> Any:
    """The part `request` as JSON, with the parts `files` where their names stand as `"file": "cv.pdf"`.

    The part `file` becomes its `file`.

    Raises `UploadError` for a form that is none, a part that is none of these or there twice, a name that no
    part has and a file that nothing names; and what JSON is refused with.
    """
    parts = _parts(body, content_type)
    requests = [part for part in parts if part.name == _REQUEST]
    given: Any = {}
    if requests:
        with json_errors():
            given = parse(bytes(requests[0].content))
    if not isinstance(given, dict):
        return given  # refused by its schema
    named = {part.filename: part for part in parts if part.name == _FILES}
    if len(named) < sum(part.name == _FILES for part in parts):
        raise UploadError("two parts `files` have the same filename", field=_FILES)
    _fill(given, "", named, taken := set[str]())
    if single := next((part for part in parts if part.name == _FILE), None):
        if _FILE in given:
            raise UploadError("the document is a part `file` and in the part `request`, too", field=_FILE)
        given[_FILE] = _file(single)
    for i, name in enumerate(named):
        if name not in taken:
            raise UploadError(
                f"{_FILES}[{i}] is named by no `file` of the part `request`", field=f"{_FILES}[{i}]"
            )
    return given


def _parts(body: bytes, content_type: str) -> list[_Part]:
    reader = MultipartReader(content_type)
    parts: list[_Part] = []
    for event in reader.feed(body):
        if isinstance(event, PartBegins):
            if event.name not in (_REQUEST, _FILE, _FILES):
                raise UploadError(f"a part is none of {_REQUEST}, {_FILE} and {_FILES}", field="body")
            if event.name != _FILES and any(part.name == event.name for part in parts):
                raise UploadError(f"the part `{event.name}` is there twice", field=event.name)
            parts.append(_Part(event.name, event.filename))
            CountError.check(parts, "parts", _MOST_PARTS)
        elif isinstance(event, PartData):
            parts[-1].content += event.content
    reader.finish()
    return parts


def _fill(given: dict[str, Any], where: str, named: Mapping[str, _Part], taken: set[str]) -> None:
    """Put the files in where their names stand: in the body, its job, its candidates or its resumes."""
    name = given.get(_FILE)
    if isinstance(name, str):
        if name not in named:
            raise UploadError(
                f"{where}{_FILE} names a file that no part `files` has", field=f"{where}{_FILE}"
            )
        taken.add(name)
        given[_FILE] = _file(named[name])
    if where:
        return
    if isinstance(job := given.get(_JOB), dict):
        _fill(job, f"{_JOB}.", named, taken)
    for key in _LISTS:
        for i, one in enumerate(given[key] if isinstance(given.get(key), list) else []):
            if isinstance(one, dict):
                _fill(one, f"{key}[{i}].", named, taken)


def _file(part: _Part) -> dict[str, Any]:
    return {"name": part.filename or "file", "content": bytes(part.content)}


def form_of(schema: str, *, single: bool) -> dict[str, Any]:
    """What OpenAPI says of a form beside the JSON body: `single` for a document alone in the part `file`."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    properties: dict[str, Any] = {"request": {"$ref": f"#/components/schemas/{schema}"}}
    if single:
        properties["file"] = file
    else:
        properties["files"] = {"type": "array", "items": file}
    form = {
        "schema": {"type": "object", "properties": properties, "required": ["file" if single else "request"]},
        "encoding": {"request": {"contentType": "application/json"}},
    }
    return {"requestBody": {"content": {FORM: form}}}
