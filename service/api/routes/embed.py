"""`POST /v1/embed`: one unit vector a text, or one a passage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.responses import Response

from service.api.bodies import BodyRoute, PartsResponse
from service.api.dependencies import HeldDep, LanesDep, MetricsDep, RuntimeDep, SettingsDep
from service.api.disconnects import caller_has_gone
from service.api.lanes import Lanes
from service.api.routes.score import check_passages
from service.api.schemas.embed import EmbedRequest, EmbedResponse
from service.core.errors import CountError, ErrorCollector
from service.core.redaction.policy import Category
from service.core.scoring import Vectors
from service.core.tokenization import TokenIds
from service.runtime.reading import steps
from service.runtime.runtime import Runtime
from service.settings import Settings

router = APIRouter(tags=["embed"], route_class=BodyRoute)

_PART = 256
"""Vectors that are made into JSON at once: 2 MB. Larger answers are sent in such parts."""

_FLOAT_BYTES = 4
_NO_VECTORS = b'"embeddings":[]'
_VECTORS = TypeAdapter(list[list[float]])


@dataclass(frozen=True)
class _Tokenized:
    """Each input's sequences: one, or one a passage."""

    sequences: list[list[TokenIds]]
    truncated: list[bool]
    redactions: list[dict[Category, int]]


@router.post("/embed", summary="Embed texts", response_model=EmbedResponse)
async def embed(
    body: EmbedRequest,
    runtime: RuntimeDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    lanes: LanesDep,
    held: HeldDep,
) -> Response:
    """Embed texts as unit vectors, resumes redacted unless asked otherwise.

    A text beyond the model's length is cut, and says so.
    """
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    check_count(inputs, "inputs", settings.limits.max_inputs)
    async with runtime.turn(inputs) as turn:
        tokenized = await _tokenize_all(runtime, inputs, body, settings, lanes)
        sequences = [ids for group in tokenized.sequences for ids in group]
        if len(sequences) > _PART:
            held.take_answer(len(sequences) * runtime.info.dimensions * _FLOAT_BYTES)
        turn.texts_read()
        vectors = await runtime.embedder.embed(sequences)
    if body.kind == "resume":
        for counts in tokenized.redactions:
            metrics.redacted(counts if body.redact else None)
    metrics.truncated(sum(tokenized.truncated))
    answer = EmbedResponse(
        model=runtime.bundle.manifest.name,
        dimensions=runtime.info.dimensions,
        embeddings=[],
        tokens=[sum(map(len, group)) for group in tokenized.sequences],
        truncated=tokenized.truncated,
        redactions=tokenized.redactions,
        passage_counts=[len(group) for group in tokenized.sequences] if body.passages else None,
    )
    parts = _parts(answer, vectors, lanes)
    if len(vectors) > _PART:
        return PartsResponse(parts, media_type="application/json")
    return Response(b"".join([part async for part in parts]), media_type="application/json")


async def _parts(answer: EmbedResponse, vectors: Vectors, lanes: Lanes) -> AsyncIterator[bytes]:
    """The answer as JSON with these vectors, some of them at a time: a vector of 1.5 kB is 8 kB of JSON."""
    whole = await lanes.text.run(lambda: answer.model_dump_json(exclude_none=True).encode())
    before, _, after = whole.partition(_NO_VECTORS)
    yield before + _NO_VECTORS[:-1]
    for start in range(0, len(vectors), _PART):
        part = vectors[start : start + _PART]
        rendered = await lanes.text.run(partial(_rows, part))
        yield b"," + rendered if start else rendered
    yield b"]" + after


def _rows(vectors: Vectors) -> bytes:
    return _VECTORS.dump_json(vectors.tolist())[1:-1]


def check_count(inputs: Sequence[object], field: str, most: int) -> None:
    """Raise `CountError` unless there are 1 to `most` inputs."""
    if not 1 <= len(inputs) <= most:
        raise CountError(
            f"{field} has {len(inputs):,} items; 1 to {most:,} are allowed",
            field=field,
            limit=most if inputs else 1,
            actual=len(inputs),
        )


async def _tokenize_all(
    runtime: Runtime, inputs: Sequence[str], body: EmbedRequest, settings: Settings, lanes: Lanes
) -> _Tokenized:
    """In steps. Raises one error that holds all that is wrong with the texts, or `RequestTooLargeError`."""
    done = _Tokenized([], [], [])
    errors = ErrorCollector()
    for step in steps(inputs):

        def read(step: range = step) -> None:
            for i in step:
                field = "inputs" if isinstance(body.inputs, str) else f"inputs[{i}]"
                with errors:
                    _tokenize(runtime, inputs[i], body, field, done)

        await lanes.for_text(inputs[step[0]]).run(read)
        check_passages(sum(map(len, done.sequences)), settings.limits.max_passages)
    errors.raise_any()
    return done


def _tokenize(runtime: Runtime, text: str, body: EmbedRequest, field: str, done: _Tokenized) -> None:
    matcher = runtime.matcher
    categories = matcher.redactor.categories if body.kind == "resume" and body.redact else None
    read = matcher.read(text, field=field, categories=categories, cancelled=caller_has_gone)
    document = read.document
    counts: dict[Category, int] = {}
    if read.redacted is not None:
        document, counts = replace(document, text=read.redacted.text), read.redacted.counts
    done.redactions.append(counts)
    if body.passages:
        passages = runtime.tokenizer.encode_passages(document, body.kind, field=field)
        done.sequences.append([passage.ids for passage in passages])
        done.truncated.append(False)
    else:
        one = runtime.tokenizer.encode_text(document, body.kind, field=field)
        done.sequences.append([one.ids])
        done.truncated.append(one.truncated)
