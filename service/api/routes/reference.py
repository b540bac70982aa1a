"""`GET /docs`: the reference in a browser (Swagger UI). Nothing of it comes from elsewhere.

All its addresses are relative, so that it works behind any host, prefix and TLS of a gateway.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.core.errors import UnknownPageError

router = APIRouter(include_in_schema=False)

_ASSETS = {
    "swagger-ui-bundle.js": "application/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@router.get("/")
async def root() -> Response:
    """Lead to the reference."""
    return RedirectResponse("docs")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Show the reference."""
    page, policy = _page(request.app.title)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@router.get("/swagger/{name}")
async def asset(name: str) -> Response:
    """Return a file of the reference."""
    if name not in _ASSETS:
        raise UnknownPageError("there is no such file of the reference")
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_asset(name), media_type=_ASSETS[name], headers=headers)


@cache
def _page(title: str) -> tuple[bytes, str]:
    """The page and its content security policy, which names its one inline script by hash."""
    html = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=f"{title} - Swagger UI",
        swagger_js_url="swagger/swagger-ui-bundle.js",
        swagger_css_url="swagger/swagger-ui.css",
        swagger_favicon_url="swagger/favicon-32x32.png",
        swagger_ui_parameters={"tryItOutEnabled": True, "filter": True, "displayRequestDuration": True},
    )
    page = bytes(html.body)
    scripts = _INLINE.findall(page.decode())
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    )
    return page, policy


@cache
def _asset(name: str) -> bytes:
    return resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
