"""`POST /v1/embeddings`: OpenAI's embeddings interface, so that its clients work unchanged."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from service.api import paths
from service.api.bodies import BodyRoute
from service.api.dependencies import PoolsDep, RuntimeDep, SettingsDep
from service.api.disconnects import caller_disconnected
from service.api.schemas.embed import (
    OpenAIEmbedding,
    OpenAIEmbeddingsRequest,
    OpenAIEmbeddingsResponse,
    OpenAIUsage,
)
from service.api.thread_pools import ThreadPools
from service.core.errors import (
    CountError,
    EmptyTextError,
    ErrorCollector,
    TextTooLongError,
    UnknownModelError,
)
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer, TokenIds
from service.runtime.reading import read_all
from service.runtime.request_scheduler import count_words
from service.runtime.runtime import Runtime

router = APIRouter(tags=["embed"], route_class=BodyRoute)


@router.post(
    paths.OPENAI_EMBEDDINGS,
    summary="Embed texts (OpenAI-compatible)",
    response_model=OpenAIEmbeddingsResponse,
)
async def embeddings(
    body: OpenAIEmbeddingsRequest, runtime: RuntimeDep, settings: SettingsDep, pools: PoolsDep
) -> Response:
    """Embed texts or token arrays of this model's vocabulary.

    This interface cannot say that a text was cut, so one beyond the model's length is refused.
    """
    name, dimensions = runtime.bundle.manifest.name, runtime.info.dimensions
    if body.model not in (None, name):
        raise UnknownModelError(f"model is not served here; the model is {name}", field="model")
    if body.dimensions not in (None, dimensions):
        raise CountError(
            f"dimensions is {body.dimensions}; this model has {dimensions}",
            field="dimensions",
            limit=dimensions,
            actual=body.dimensions,
        )
    inputs = _as_list(body.input)
    CountError.check(inputs, "input", settings.limits.max_inputs)
    words = count_words(item for item in inputs if isinstance(item, str))
    words += sum(len(item) for item in inputs if not isinstance(item, str))
    async with runtime.scheduler.turn(words) as turn:
        sequences = await _tokenize_all(runtime, inputs, pools)
        turn.texts_read()
        vectors = await runtime.embedder.embed(sequences)

    def render() -> bytes:
        as_text = body.encoding_format == "base64"
        tokens = sum(map(len, sequences))
        response = OpenAIEmbeddingsResponse(
            data=[
                OpenAIEmbedding(
                    index=i,
                    embedding=base64.b64encode(vector.astype("<f4").tobytes()).decode()
                    if as_text
                    else vector.tolist(),
                )
                for i, vector in enumerate(vectors)
            ],
            model=name,
            usage=OpenAIUsage(prompt_tokens=tokens, total_tokens=tokens),
        )
        return response.model_dump_json().encode()

    return Response(await pools.text.run(render), media_type="application/json")


def _as_list(value: str | list[str] | list[int] | list[list[int]]) -> list[str | list[int]]:
    if isinstance(value, str):
        return [value]
    if value and isinstance(value[0], int):
        return [[item for item in value if isinstance(item, int)]]
    return [item for item in value if not isinstance(item, int)]


async def _tokenize_all(
    runtime: Runtime, inputs: Sequence[str | list[int]], pools: ThreadPools
) -> list[TokenIds]:
    """In steps. Raises one error that holds all that is wrong with the inputs."""

    def read(i: int) -> TokenIds:
        return _tokenize_one(runtime.matcher, runtime.tokenizer, inputs[i], f"input[{i}]")

    errors = ErrorCollector()
    sequences = await read_all(inputs, read, errors=errors, run=pools.text.run, run_long=pools.long_text.run)
    errors.raise_any()
    return sequences


def _tokenize_one(matcher: Matcher, tokenizer: TextTokenizer, item: str | list[int], field: str) -> TokenIds:
    if isinstance(item, str):
        document = matcher.read(item, field=field, categories=None, cancelled=caller_disconnected).document
        text = tokenizer.encode_text(document, "resume", field=field)
        ids, fits = text.ids, not text.truncated
    elif not item:
        raise EmptyTextError(f"{field} holds no tokens", field=field, limit=1, actual=0)
    else:
        ids = tokenizer.from_token_ids(item, field=field)
        fits = len(ids) <= tokenizer.max_tokens
    if not fits:
        raise TextTooLongError(
            f"{field} has more than {tokenizer.max_tokens} tokens; split it, or use /v1/embed",
            field=field,
            limit=tokenizer.max_tokens,
        )
    return ids
