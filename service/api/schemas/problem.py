"""RFC 9457 problem details."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.api.schemas.base import Body


class FieldError(Body):
    """One thing wrong with one field."""

    field: str = Field(description="Path of the field, for example `candidates[3].resume`.")
    code: str
    message: str
    limit: int | None = None
    actual: int | None = None


class OpenAIError(Body):
    """An error as OpenAI's clients read it."""

    message: str
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    param: str | None = Field(description="Path of the first field at fault.")
    code: str = Field(description="The same as `code` beside it.")


class Problem(Body):
    """The body of every error, as `application/problem+json`."""

    type: str = Field(description="`urn:evenmatch:problem:` and the code.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; clients may branch on it.")
    request_id: str
    message: str | None = Field(
        None, description="On `/v1/embeddings`: `detail` again, where OpenAI's clients look for it."
    )
    error: OpenAIError | None = Field(
        None, description="On `/v1/embeddings` and `/v1/models`: the same as OpenAI's clients read it."
    )
    limit: int | None = Field(None, description="The limit that was passed.")
    actual: int | None = Field(None, description="What came in, in the limit's unit.")
    errors: list[FieldError] | None = Field(None, description="For 422: every field at fault.")
