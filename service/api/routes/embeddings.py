"""`POST /v1/embeddings`, `GET /v1/models`: OpenAI's interface, so that its clients work unchanged."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import partial

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from service.api import paths
from service.api.bodies import BodyRoute
from service.api.dependencies import HeldDep, PoolsDep, PrincipalOf, RuntimeDep, SettingsDep
from service.api.disconnects import caller_disconnected
from service.api.schemas.embed import (
    OpenAIEmbedding,
    OpenAIEmbeddingsRequest,
    OpenAIEmbeddingsResponse,
    OpenAIModel,
    OpenAIModels,
    OpenAIUsage,
)
from service.api.thread_pools import ThreadPools
from service.core.errors import (
    CountError,
    EmptyTextError,
    ErrorCollector,
    TextTooLongError,
    TokenArraysError,
    UnknownModelError,
)
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer, TokenIds
from service.core.vectors import Vectors
from service.runtime.reading import read_all
from service.runtime.request_scheduler import count_words
from service.runtime.runtime import Runtime

router = APIRouter(tags=["embed"], route_class=BodyRoute)

_PART = 256
_PART_WORDS = 20_000
"""Of a request that are read and encoded together."""

_FLOAT_BYTES = 4
_NO_DATA = b'"data":[]'
_ITEMS = TypeAdapter(list[OpenAIEmbedding])


@router.post(
    paths.OPENAI_EMBEDDINGS,
    summary="Embed texts (OpenAI-compatible)",
    response_model=OpenAIEmbeddingsResponse,
)
async def embeddings(
    body: OpenAIEmbeddingsRequest,
    runtime: RuntimeDep,
    settings: SettingsDep,
    pools: PoolsDep,
    held: HeldDep,
    principal: PrincipalOf,
) -> Response:
    """Embed texts. Up to 2,048 of them are read and encoded in parts, between which other requests come.

    This interface cannot say that a text was cut, so one beyond the model's length is refused. So are lists
    of token ids, which nearly always are those of another model's tokenizer
    (`EVENMATCH_ACCEPT_TOKEN_ARRAYS`).
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
    if not settings.model.accept_token_arrays and not all(isinstance(item, str) for item in inputs):
        raise TokenArraysError(
            "input holds token ids, which are those of another model's tokenizer unless the client has this "
            "model's: send texts (LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))",
            field="input",
        )
    if len(inputs) > _PART:
        held.take_answer(len(inputs) * dimensions * _FLOAT_BYTES)
    tokens = 0
    rendered: list[bytes] = []
    for part in _parts(inputs):
        async with runtime.scheduler.turn(sum(_words(inputs[i]) for i in part)) as turn:
            sequences = await _tokenize_all(runtime, inputs, part, pools)
            turn.texts_read()
            vectors = await runtime.embedder.embed(sequences, tenant=principal.tenant)
        tokens += sum(map(len, sequences))
        as_text = body.encoding_format == "base64"
        rendered.append(await pools.text.run(partial(_rendered, vectors, part.start, as_text=as_text)))
    answer = OpenAIEmbeddingsResponse(
        data=[], model=name, usage=OpenAIUsage(prompt_tokens=tokens, total_tokens=tokens)
    )
    before, _, after = answer.model_dump_json().encode().partition(_NO_DATA)
    content = b"".join((before, _NO_DATA[:-1], b",".join(rendered), b"]", after))
    return Response(content, media_type="application/json")


@router.get(paths.OPENAI_MODELS, summary="List models (OpenAI-compatible)")
async def models(runtime: RuntimeDep) -> OpenAIModels:
    """List the one model that is served."""
    return OpenAIModels(data=[_model(runtime)])


@router.get(paths.OPENAI_MODEL, summary="Describe a model (OpenAI-compatible)")
async def model(model_id: str, runtime: RuntimeDep) -> OpenAIModel:
    """Say that the model is served."""
    found = _model(runtime)
    if model_id != found.id:
        raise UnknownModelError(f"model is not served here; the model is {found.id}", field="model")
    return found


def _model(runtime: Runtime) -> OpenAIModel:
    bundle = runtime.bundle
    created = int((bundle.path / "manifest.json").stat().st_mtime)
    return OpenAIModel(id=bundle.manifest.name, created=created, owned_by="evenmatch")


def _words(item: str | list[int]) -> int:
    return count_words([item]) if isinstance(item, str) else len(item)


def _parts(inputs: Sequence[str | list[int]]) -> Iterator[range]:
    """Runs of inputs of about `_PART_WORDS` words, of `_PART` inputs at most."""
    start = words = 0
    for i, item in enumerate(inputs):
        size = _words(item)
        if i > start and (words + size > _PART_WORDS or i - start >= _PART):
            yield range(start, i)
            start, words = i, 0
        words += size
    yield range(start, len(inputs))


def _rendered(vectors: Vectors, first: int, *, as_text: bool) -> bytes:
    """Items of `data`, without brackets."""
    items = [
        OpenAIEmbedding(
            index=i,
            embedding=base64.b64encode(vector.astype("<f4").tobytes()).decode()
            if as_text
            else vector.tolist(),
        )
        for i, vector in enumerate(vectors, first)
    ]
    return _ITEMS.dump_json(items)[1:-1]


def _as_list(value: str | list[str] | list[int] | list[list[int]]) -> list[str | list[int]]:
    if isinstance(value, str):
        return [value]
    if value and isinstance(value[0], int):
        return [[item for item in value if isinstance(item, int)]]
    return [item for item in value if not isinstance(item, int)]


async def _tokenize_all(
    runtime: Runtime, inputs: Sequence[str | list[int]], part: range, pools: ThreadPools
) -> list[TokenIds]:
    """In steps. Raises one error that holds all that is wrong with the inputs of the part."""

    def read(i: int) -> TokenIds:
        number = part.start + i
        return _tokenize_one(runtime.matcher, runtime.tokenizer, inputs[number], f"input[{number}]")

    errors = ErrorCollector()
    given = inputs[part.start : part.stop]
    sequences = await read_all(given, read, errors=errors, run=pools.text.run, run_long=pools.long_text.run)
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
