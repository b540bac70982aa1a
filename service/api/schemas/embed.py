"""Bodies of `POST /v1/embed` and of the OpenAI-compatible `POST /v1/embeddings`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.api.schemas.base import Body
from service.core.redaction.policy import Category


class EmbedRequest(Body):
    inputs: str | list[str] = Field(description="One text or several.")
    kind: Literal["resume", "job"] = Field("resume", description="Chooses the model's prefix.")
    redact: bool = Field(
        True, description="Hide clues to the person; texts of kind `job` are left as they are."
    )
    passages: bool = Field(
        False, description="One vector a passage instead of one a text; then nothing is truncated."
    )


class EmbedResponse(Body):
    model: str
    dimensions: int
    embeddings: list[list[float]] = Field(description="Unit vectors, in order.")
    tokens: list[int] = Field(description="Tokens read of each input, special tokens included.")
    truncated: list[bool] = Field(description="Per input: true if its end was cut off.")
    redactions: list[dict[Category, int]] = Field(description="Per input: spans hidden, by category.")
    passage_counts: list[int] | None = Field(
        None, description="With `passages`: how many of the vectors belong to each input."
    )


class OpenAIEmbeddingsRequest(Body):
    """As OpenAI's; `user` is accepted and forgotten."""

    input: str | list[str] | list[int] | list[list[int]]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None


class OpenAIEmbedding(Body):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class OpenAIUsage(Body):
    prompt_tokens: int
    total_tokens: int


class OpenAIEmbeddingsResponse(Body):
    object: Literal["list"] = "list"
    data: list[OpenAIEmbedding]
    model: str
    usage: OpenAIUsage
