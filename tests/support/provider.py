"""An identity provider on this machine: keys that it rotates, and tokens signed with them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "evenmatch"
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())


def public(key: Any, kid: str, **fields: str) -> dict[str, Any]:
    """As a JWK."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **fields}


class Provider:
    """`keys` are those that it publishes now. `fetches` counts how often they were asked for."""

    def __init__(self, url: str) -> None:
        self.issuer = url
        self.keys: list[dict[str, Any]] = [public(RSA_KEY, "rsa"), public(EC_KEY, "ec")]
        self.fetches = 0
        self.answers: dict[str, tuple[int, bytes]] = {}
        """Given in place of the usual ones, by path."""

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"issuer": self.issuer, "audience": AUDIENCE, **more}

    def token(
        self, key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa", **claims: Any
    ) -> str:
        """A good token; `claims` are put in place of the usual ones, and left out where they are None."""
        usual = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "service-7",
            "exp": time.time() + 300,
            "tenant": "acme",
            "scope": "openid score jobs",
        }
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(payload, key, algorithm, headers=headers)


@contextmanager
def running_provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = provider.answers.get(self.path) or (200, usual(self.path))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", content.decode())
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    def usual(path: str) -> bytes:
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}).encode()
        provider.fetches += 1
        return json.dumps({"keys": provider.keys}).encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
