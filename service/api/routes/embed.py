"""`POST /v1/embed`: one unit vector a text, or one a passage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from service.api import paths
from service.api.bodies import BodyRoute, PartsResponse
from service.api.dependencies import (
    HeldDep,
    MetricsDep,
    PoolsDep,
    PrincipalOf,
    RuntimeDep,
    SettingsDep,
)
from service.api.disconnects import caller_disconnected
from service.api.schemas.embed import EmbedRequest, EmbedResponse
from service.api.thread_pools import ThreadPools
from service.core.errors import CountError, ErrorCollector
from service.core.vectors import Vectors
from service.runtime.reading import TextToEmbed, check_passages, read_all, tokenize_to_embed
from service.runtime.runtime import Runtime
from service.settings import Settings

router = APIRouter(tags=["embed"], route_class=BodyRoute)

_PART = 256
"""Vectors that are made into JSON at once: 2 MB. Larger answers are sent in such parts."""

_FLOAT_BYTES = 4
_NO_VECTORS = b'"embeddings":[]'
_VECTORS = TypeAdapter(list[list[float]])


@router.post(paths.EMBED, summary="Embed texts", response_model=EmbedResponse)
async def embed(
    body: EmbedRequest,
    runtime: RuntimeDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    pools: PoolsDep,
    held: HeldDep,
    principal: PrincipalOf,
) -> Response:
    """Embed texts as unit vectors, resumes redacted unless asked otherwise.

    A text beyond the model's length is cut, and says so.
    """
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    CountError.check(inputs, "inputs", settings.limits.max_inputs)
    async with runtime.turn(inputs) as turn:
        tokenized = await _tokenize_all(runtime, inputs, body, settings, pools)
        sequences = [ids for text in tokenized for ids in text.sequences]
        if len(sequences) > _PART:
            held.take_answer(len(sequences) * runtime.info.dimensions * _FLOAT_BYTES)
        turn.texts_read()
        vectors = await runtime.embedder.embed(sequences, tenant=principal.tenant)
    if body.kind == "resume":
        for text in tokenized:
            metrics.redacted(text.redactions if body.redact else None)
    metrics.truncated(sum(text.truncated for text in tokenized))
    answer = EmbedResponse(
        model=runtime.bundle.manifest.name,
        dimensions=runtime.info.dimensions,
        embeddings=[],
        tokens=[sum(map(len, text.sequences)) for text in tokenized],
        truncated=[text.truncated for text in tokenized],
        redactions=[text.redactions for text in tokenized],
        passage_counts=[len(text.sequences) for text in tokenized] if body.passages else None,
    )
    parts = _parts(answer, vectors, pools)
    if len(vectors) > _PART:
        return PartsResponse(parts, media_type="application/json")
    return Response(b"".join([part async for part in parts]), media_type="application/json")


async def _parts(answer: EmbedResponse, vectors: Vectors, pools: ThreadPools) -> AsyncIterator[bytes]:
    """The answer as JSON with these vectors, some of them at a time: a vector of 1.5 kB is 8 kB of JSON."""
    whole = await pools.text.run(lambda: answer.model_dump_json(exclude_none=True).encode())
    before, _, after = whole.partition(_NO_VECTORS)
    yield before + _NO_VECTORS[:-1]
    for start in range(0, len(vectors), _PART):
        part = vectors[start : start + _PART]
        rendered = await pools.text.run(partial(_rows, part))
        yield b"," + rendered if start else rendered
    yield b"]" + after


def _rows(vectors: Vectors) -> bytes:
    return _VECTORS.dump_json(vectors.tolist())[1:-1]


async def _tokenize_all(
    runtime: Runtime, inputs: Sequence[str], body: EmbedRequest, settings: Settings, pools: ThreadPools
) -> list[TextToEmbed]:
    """In steps. Raises one error that holds all that is wrong with the texts, or `RequestTooLargeError`."""

    def read(i: int) -> TextToEmbed:
        return tokenize_to_embed(
            runtime.matcher,
            runtime.tokenizer,
            inputs[i],
            kind=body.kind,
            redact=body.kind == "resume" and body.redact,
            by_passage=body.passages,
            field="inputs" if isinstance(body.inputs, str) else f"inputs[{i}]",
            cancelled=caller_disconnected,
        )

    def check(done: Sequence[TextToEmbed]) -> None:
        check_passages(sum(len(text.sequences) for text in done), settings.limits.max_passages)

    errors = ErrorCollector()
    run, run_long = pools.text.run, pools.long_text.run
    tokenized = await read_all(inputs, read, errors=errors, run=run, run_long=run_long, after_step=check)
    errors.raise_any()
    return tokenized
