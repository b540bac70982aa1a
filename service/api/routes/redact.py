"""`POST /v1/redact`: a resume as the model would read it, for people to check."""

from __future__ import annotations

from fastapi import APIRouter

from service.api import paths
from service.api.dependencies import DocumentsDep, MetricsDep, PoolsDep, RuntimeDep
from service.api.disconnects import caller_disconnected
from service.api.forms import FilesRoute, form_of
from service.api.schemas.files import DocumentOut
from service.api.schemas.redact import RedactRequest, RedactResponse
from service.api.schemas.spans import given_spans
from service.core.language import language_of, warnings_of_language
from service.core.no_document import check_document
from service.core.redaction.redactor import Redacted
from service.core.text_reader import ReadText
from service.files.documents.parsed import about_text

router = APIRouter(tags=["redact"], route_class=FilesRoute)


@router.post(paths.REDACT, summary="Redact a resume", openapi_extra=form_of("RedactRequest", single=True))
async def redact(
    body: RedactRequest,
    runtime: RuntimeDep,
    metrics: MetricsDep,
    pools: PoolsDep,
    documents: DocumentsDep,
) -> RedactResponse:
    """Return the resume without names, contact data, schools and other clues, and what was hidden how often.

    `spans` names what the rules missed. Redacting the answer again changes nothing.

    The resume may be a document: in base64, or the part `file` of `multipart/form-data`, whose part
    `request` may hold the rest. No span is returned apart from its token, and none is logged.
    """
    (document,) = await documents.fill([("", body)])
    matcher = runtime.matcher
    categories = frozenset(matcher.redactor.categories if body.categories is None else body.categories)

    def read() -> tuple[ReadText, Redacted, str]:
        check_document(body.resume, body.source)
        found = matcher.read(
            body.resume,
            field=body.source,
            categories=categories,
            given=given_spans(body.spans, "spans"),
            cancelled=caller_disconnected,
        )
        assert found.redacted is not None
        return found, found.redacted, language_of(found.document.text)

    found, redacted, language = await pools.for_text(body.resume).run(read)
    findings = found.findings.with_more(about_text(document))
    warnings = [*warnings_of_language(language, found.document.non_latin_script), *findings.warnings]
    metrics.redacted(redacted.counts)
    metrics.warned(warnings)
    return RedactResponse(
        text=redacted.text,
        redactions=redacted.counts,
        policy_version=runtime.bundle.manifest.redaction.version,
        language=language,
        warnings=warnings,
        warning_counts=dict(findings.counts),
        document=DocumentOut.of_any(document),
    )
