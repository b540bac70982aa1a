"""`POST /v1/documents`: what is read of a document, without scoring it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from service.api import paths
from service.api.dependencies import DocumentsDep, PoolsDep
from service.api.forms import FilesRoute, form_of
from service.api.schemas.files import DocumentOut, DocumentRequest, DocumentText

router = APIRouter(tags=["documents"], route_class=FilesRoute)


@router.post(
    paths.DOCUMENTS,
    summary="Read a document",
    response_model=DocumentText,
    openapi_extra=form_of("DocumentRequest", single=True),
)
async def read_document(body: DocumentRequest, documents: DocumentsDep, pools: PoolsDep) -> Response:
    """Return the text that a reader sees in a document, and what to know of the reading.

    A scan has no text, and the warning `no_text_layer`. Nothing is stored.
    """
    document = await documents.read(body.file, "file")
    answer = DocumentText(**dict(DocumentOut.of(document)), text=document.text)
    content = await pools.text.run(lambda: answer.model_dump_json().encode())
    return Response(content, media_type="application/json")
