"""`POST /v1/embed`: one unit vector a text, or one a passage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from anyio import to_thread
from fastapi import APIRouter
from starlette.responses import Response

from service.api.dependencies import MetricsDep, RuntimeDep, SettingsDep
from service.api.schemas.embed import EmbedRequest, EmbedResponse
from service.core.errors import CountError, ErrorCollector
from service.core.matching import Matcher
from service.core.redaction.policy import Category
from service.core.tokenization import TextTokenizer, TokenIds

router = APIRouter(tags=["embed"])


@dataclass(frozen=True)
class _Tokenized:
    """Each input's sequences: one, or one a passage."""

    sequences: list[list[TokenIds]]
    truncated: list[bool]
    redactions: list[dict[Category, int]]


@router.post("/embed", summary="Embed texts", response_model=EmbedResponse)
async def embed(
    body: EmbedRequest, runtime: RuntimeDep, settings: SettingsDep, metrics: MetricsDep
) -> Response:
    """Embed texts as unit vectors, resumes redacted unless asked otherwise.

    A text beyond the model's length is cut, and says so.
    """
    inputs = [body.inputs] if isinstance(body.inputs, str) else body.inputs
    check_count(inputs, "inputs", settings.max_inputs)
    tokenized = await to_thread.run_sync(_tokenize, runtime.matcher, runtime.tokenizer, inputs, body)
    if body.kind == "resume":
        for counts in tokenized.redactions:
            metrics.redacted(counts if body.redact else None)
    metrics.truncated(sum(tokenized.truncated))
    vectors = await runtime.embedder.embed([ids for group in tokenized.sequences for ids in group])

    def render() -> bytes:
        response = EmbedResponse(
            model=runtime.bundle.manifest.name,
            dimensions=runtime.info.dimensions,
            embeddings=vectors.tolist(),
            tokens=[sum(map(len, group)) for group in tokenized.sequences],
            truncated=tokenized.truncated,
            redactions=tokenized.redactions,
            passage_counts=[len(group) for group in tokenized.sequences] if body.passages else None,
        )
        return response.model_dump_json(exclude_none=True).encode()

    return Response(await to_thread.run_sync(render), media_type="application/json")


def check_count(inputs: Sequence[object], field: str, most: int) -> None:
    """Raise `CountError` unless there are 1 to `most` inputs."""
    if not 1 <= len(inputs) <= most:
        raise CountError(
            f"{field} has {len(inputs):,} items; 1 to {most:,} are allowed",
            field=field,
            limit=most if inputs else 1,
            actual=len(inputs),
        )


def _tokenize(
    matcher: Matcher, tokenizer: TextTokenizer, inputs: Sequence[str], body: EmbedRequest
) -> _Tokenized:
    categories = matcher.redactor.categories if body.kind == "resume" and body.redact else None
    sequences: list[list[TokenIds]] = []
    truncated: list[bool] = []
    redactions: list[dict[Category, int]] = []
    errors = ErrorCollector()
    for i, text in enumerate(inputs):
        field = "inputs" if isinstance(body.inputs, str) else f"inputs[{i}]"
        with errors:
            read = matcher.read(text, field=field, categories=categories)
            document = read.document
            counts: dict[Category, int] = {}
            if read.redacted is not None:
                document, counts = replace(document, text=read.redacted.text), read.redacted.counts
            redactions.append(counts)
            if body.passages:
                passages = tokenizer.encode_passages(document, body.kind, field=field)
                sequences.append([passage.ids for passage in passages])
                truncated.append(False)
            else:
                one = tokenizer.encode_text(document, body.kind, field=field)
                sequences.append([one.ids])
                truncated.append(one.truncated)
    errors.raise_any()
    return _Tokenized(sequences, truncated, redactions)
