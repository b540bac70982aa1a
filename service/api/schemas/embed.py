"""Bodies of `POST /v1/embed` and of the OpenAI-compatible `POST /v1/embeddings`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from service.api.schemas.base import UNION_MEMBER, Body, RequestBody, StopEarly
from service.core.redaction.policy import Category

_TEXT, _TEXTS = f"{UNION_MEMBER}text", f"{UNION_MEMBER}texts"
_TOKENS, _TOKEN_ARRAYS = f"{UNION_MEMBER}tokens", f"{UNION_MEMBER}token arrays"

_Text = Annotated[str, Tag(_TEXT)]
_Texts = Annotated[list[str], StopEarly(), Tag(_TEXTS)]
_Tokens = Annotated[list[int], StopEarly(after=0), Tag(_TOKENS)]
_TokenArrays = Annotated[list[Annotated[list[int], StopEarly(after=0)]], StopEarly(), Tag(_TOKEN_ARRAYS)]


def _texts(given: Any) -> str | None:
    """The member of the union that is meant: errors speak of that one only."""
    if isinstance(given, str):
        return _TEXT
    return _TEXTS if isinstance(given, list) else None


def _texts_or_tokens(given: Any) -> str | None:
    match given:
        case [int(), *_]:
            return _TOKENS
        case [list(), *_]:
            return _TOKEN_ARRAYS
    return _texts(given)


class EmbedRequest(RequestBody):
    inputs: Annotated[
        _Text | _Texts,
        Discriminator(
            _texts,
            custom_error_type="text_or_texts",
            custom_error_message="Input should be a text or a list of texts",
        ),
    ] = Field(description="One text or several.")
    kind: Literal["resume", "job"] = Field("resume", description="Chooses the model's prefix.")
    redact: bool = Field(
        True,
        description="Hide clues to the person; texts of kind `job` are left as they are. Off, the text is "
        "embedded as it stands, names and all.",
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


class OpenAIEmbeddingsRequest(RequestBody):
    """As OpenAI's; `user` is accepted and forgotten, and so is any other field that is blank."""

    input: Annotated[
        _Text | _Texts | _Tokens | _TokenArrays,
        Discriminator(
            _texts_or_tokens,
            custom_error_type="text_or_tokens",
            custom_error_message="Input should be a text, a list of texts, or one or several lists of tokens",
        ),
    ]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None

    @classmethod
    def optional(cls, given: dict[str, Any]) -> Collection[str]:
        """Of this interface's clients many write `null` for an option that only another server has."""
        return given.keys() - {"input"}


class OpenAIModel(Body):
    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970 of the bundle's manifest.")
    owned_by: str


class OpenAIModels(Body):
    object: Literal["list"] = "list"
    data: list[OpenAIModel]


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
