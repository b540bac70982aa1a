"""`Idempotency-Key`: a request that may be sent again, and is carried out once.

After the draft httpapi-idempotency-key of the IETF, but that another body under the same key is 409, as two
different requests in conflict are everywhere here, and not 422.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from service.api.dependencies import PrincipalOf, RecorderDep
from service.api.middleware import route_label
from service.core.errors import InputError
from service.store.decisions import KeyedRequest
from service.store.recorder import Recorder

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
MAX_CHARACTERS = 255
_VISIBLE_ASCII = re.compile(r"[!-~]+")

REPLAYED: dict[str, Any] = {
    "headers": {
        REPLAYED_HEADER: {
            "description": f"`true` if this is the answer to an earlier request with the same `{HEADER}`.",
            "schema": {"type": "string", "enum": ["true"]},
        }
    }
}
"""What OpenAPI says of an answer that may be given again."""


class Idempotency:
    """The key of one request, if it has one."""

    def __init__(self, key: str, route: str, tenant: str, recorder: Recorder, response: Response) -> None:
        self._route = route
        self._tenant = tenant
        self._recorder = recorder
        self._response = response
        self.key = key
        self.headers: dict[str, str] = {}
        """Of an answer that the route sends as a response of its own."""

    def request(self, body: BaseModel) -> KeyedRequest | None:
        """What was asked under the key, or None without a key. Takes milliseconds per megabyte."""
        if not self.key:
            return None
        return self._recorder.keyed_request(self._route, self.key, canonical(body), self._tenant)

    async def request_of_texts(self, body: BaseModel) -> KeyedRequest | None:
        """As `request`, beside the event loop."""
        return await to_thread.run_sync(self.request, body) if self.key else None

    def replayed(self) -> None:
        """Say that the answer is that of an earlier request."""
        self._response.headers[REPLAYED_HEADER] = self.headers[REPLAYED_HEADER] = "true"


def canonical(body: BaseModel) -> bytes:
    """The same bytes for whatever asks the same: order of fields, white space, escapes and defaults aside.

    Left out are fields that say what they say when they are absent, so that a field that a later version adds
    does not make a repeated request another one.
    """
    asked = body.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()


async def _idempotency(
    request: Request,
    response: Response,
    recorder: RecorderDep,
    principal: PrincipalOf,
    _: Annotated[
        str,
        Header(
            alias=HEADER,
            description="1 to 255 visible ASCII characters, best a new UUID for every request that is not "
            "a repetition. For 24 hours the same key and body give the same answer, and nothing is recorded "
            "twice; the same key with another body is 409 (`idempotency_key_reused`).",
            json_schema_extra={"maxLength": MAX_CHARACTERS, "pattern": "^[!-~]*$"},
        ),
    ] = "",
) -> Idempotency:
    given = [value for value in request.headers.getlist(HEADER) if value.strip()]
    if len(given) > 1:
        raise InputError(
            f"{HEADER} is given {len(given)} times; it names one request",
            field=HEADER,
            limit=1,
            actual=len(given),
        )
    key = given[0].strip() if given else ""
    if len(key) > MAX_CHARACTERS:
        raise InputError(
            f"{HEADER} has {len(key):,} characters; the limit is {MAX_CHARACTERS}",
            field=HEADER,
            limit=MAX_CHARACTERS,
            actual=len(key),
        )
    if key and not _VISIBLE_ASCII.fullmatch(key):
        raise InputError(
            f"{HEADER} has characters other than visible ASCII ones, of which it may have 1 to "
            f"{MAX_CHARACTERS}; it has {len(key):,} characters",
            field=HEADER,
            limit=MAX_CHARACTERS,
            actual=len(key),
        )
    return Idempotency(key, route_label(request.scope) or "", principal.tenant, recorder, response)


IdempotencyDep = Annotated[Idempotency, Depends(_idempotency)]
