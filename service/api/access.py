"""Who is let in: before anything of a request's body is read.

Whatever is wrong with a key or token, the answer is the same 401: it says nothing about which part of it was
right. Only a key that is right and may not do what is asked gets another one, 403.
"""

from __future__ import annotations

from collections.abc import Sequence

from anyio import CancelScope
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as HttpScope

from service.access.authentication import Authenticator, credential_of
from service.access.limits import Quota, RateLimiter, policy_header, state_header
from service.access.options import AccessOptions
from service.access.principal import Principal, Scope
from service.access.throttle import Throttle
from service.api import paths
from service.api.errors import problem_response
from service.api.scopes import METRICS_NEED, is_open, needed_at
from service.core.errors import KeysUnavailableError
from service.runtime.usage import counting_tokens

REALM = 'Bearer realm="evenmatch"'
_SMALL_BYTES = 64 * 1024
"""A refused body up to this length is read, and the connection stays."""

_NOBODY = Principal(scopes=frozenset())
"""Who asks for what is open."""


class Access:
    """Sets `request.state.principal`, or answers 401, 403, or 429 beyond the limits of the key.

    `keyed`: `app.state.authenticator` checks keys; else none are asked for, and who asks may do everything.
    `docs`: the reference is served, to everybody.
    """

    def __init__(
        self,
        app: ASGIApp,
        options: AccessOptions,
        keyed: bool,
        docs: bool,
        throttle: Throttle,
        limiter: RateLimiter,
    ) -> None:
        self._app = app
        self._keyed = keyed
        self._docs = docs
        self._throttle = throttle
        self._limiter = limiter
        self._metrics_port = options.metrics_port
        self._metrics_keyed = options.metrics_access == "keyed"

    async def __call__(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        answer: ASGIApp = self._limited
        if not self._is_served(scope, path):
            answer = _not_found(scope)
        else:
            checked = await self._checked(scope, path)
            if isinstance(checked, Response):
                answer = checked
            else:
                scope.setdefault("state", {})["principal"] = checked
        await answer(scope, receive, send)

    async def _limited(self, scope: HttpScope, receive: Receive, send: Send) -> None:
        """Go on within the limits of the key, if there is one."""
        key_id = scope["state"]["principal"].key_id
        limiter = self._limiter
        if key_id is None or not limiter.is_on:
            await self._app(scope, receive, send)
            return
        encodes = scope["method"] == "POST" and scope["path"] in paths.ENCODING
        if (passed := await limiter.take(key_id, encodes=encodes)) is not None:
            await _over_limit(scope, passed, await limiter.quotas(key_id))(scope, receive, send)
            return
        spent = 0

        async def send_with_limits(message: Message) -> None:
            nonlocal spent
            if message["type"] == "http.response.start":
                spent = usage.tokens
                await limiter.spend(key_id, spent)
                headers = MutableHeaders(scope=message)
                for name, value in _limit_headers(await limiter.quotas(key_id)).items():
                    headers[name] = value
            await send(message)

        with counting_tokens() as usage:
            try:
                await self._app(scope, receive, send_with_limits)
            finally:
                # Of a caller who left, or what was encoded while the answer was sent. Not more than that
                # is done for a request that was cancelled: the time limit of `spend` is short.
                if usage.tokens > spent:
                    with CancelScope(shield=True):
                        await limiter.spend(key_id, usage.tokens - spent)

    def _is_served(self, scope: HttpScope, path: str) -> bool:
        """Whether a path is served on the port that was asked."""
        # Patterns of routes end with `$`, which a line feed at the end passes; comparisons here it would not.
        if not path.isprintable():
            return False
        if self._metrics_port is None:
            return True
        server = scope.get("server")
        if server is not None and server[1] == self._metrics_port:
            return path in paths.PROBES
        return path != paths.METRICS

    async def _checked(self, scope: HttpScope, path: str) -> Principal | Response:
        """Who asks, or the answer if he may not."""
        if not self._keyed:
            return Principal()
        if path == paths.METRICS:
            if not self._metrics_keyed:
                return _NOBODY
            needed = METRICS_NEED
        elif is_open(path, docs=self._docs):
            return _NOBODY
        else:
            needed = needed_at(path)
        headers = Headers(scope=scope)
        credential = credential_of(headers.getlist("authorization"), headers.getlist("x-api-key"))
        authenticator: Authenticator = scope["app"].state.authenticator
        try:
            principal = await authenticator.principal(credential)
        except KeysUnavailableError as error:
            return _unavailable(scope, error)
        if principal is None:
            client = scope.get("client")
            # Who sends none has tried none.
            wait = None
            if client is not None and ("authorization" in headers or "x-api-key" in headers):
                wait = self._throttle.failed(client[0])
            return _unauthorized(scope) if wait is None else _too_many_wrong(scope, self._throttle.most, wait)
        if needed.isdisjoint(principal.scopes):
            return _forbidden(scope, needed)
        return principal


def _unauthorized(scope: HttpScope) -> Response:
    return problem_response(
        scope,
        status=401,
        code="unauthorized",
        title="Unauthorized",
        detail="this needs a valid key, sent as `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        headers={"WWW-Authenticate": REALM, **_end_of_long(scope)},
    )


def _too_many_wrong(scope: HttpScope, most: int, wait: int) -> Response:
    return problem_response(
        scope,
        status=429,
        code="too_many_wrong_keys",
        title="Too many wrong keys",
        detail=f"more than {most:,} wrong keys a minute came from this address; try again in {wait} s",
        limit=most,
        headers={"Retry-After": str(wait), "Connection": "close"},
    )


def _over_limit(scope: HttpScope, passed: Quota, quotas: Sequence[Quota]) -> Response:
    return problem_response(
        scope,
        status=429,
        code="rate_limited",
        title="Too much a minute",
        detail=f"with this key {passed.most:,} {passed.name} a minute are allowed; send it again in "
        f"{passed.resets} s",
        limit=passed.most,
        headers={"Retry-After": str(passed.resets), **_limit_headers(quotas), **_end_of_long(scope)},
    )


def _limit_headers(quotas: Sequence[Quota]) -> dict[str, str]:
    return {"RateLimit-Policy": policy_header(quotas), "RateLimit": state_header(quotas)}


def _forbidden(scope: HttpScope, needed: frozenset[Scope]) -> Response:
    wanted = sorted(needed)
    return problem_response(
        scope,
        status=403,
        code="insufficient_scope",
        title="Not allowed with this key",
        detail=f"this needs a key with the scope {' or '.join(wanted)}",
        headers={
            "WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{" ".join(wanted)}"',
            **_end_of_long(scope),
        },
    )


def _unavailable(scope: HttpScope, error: KeysUnavailableError) -> Response:
    return problem_response(
        scope,
        status=503,
        code=error.code,
        title=error.title,
        detail=error.message,
        headers={"Retry-After": str(error.retry_after), **_end_of_long(scope)},
    )


def _not_found(scope: HttpScope) -> Response:
    return problem_response(
        scope,
        status=404,
        code="not_found",
        title="Not Found",
        detail="nothing is served at this path on this port",
        headers=_end_of_long(scope),
    )


def _end_of_long(scope: HttpScope) -> dict[str, str]:
    """Ends the connection after the answer, if more of the request may come than is worth reading."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    is_short = length.isdecimal() and length.isascii() and int(length) <= _SMALL_BYTES
    return {} if is_short and "transfer-encoding" not in headers else {"Connection": "close"}
