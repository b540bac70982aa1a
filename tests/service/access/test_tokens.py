"""Tokens of an identity provider, good and forged."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.access import fresh_copy, jwks
from service.access.jwks import fetch_keys, is_safe_url
from service.access.principal import Principal, Scope
from service.access.tokens import TokenCheck, TokenOptions
from service.core.errors import ConfigurationError, KeysUnavailableError
from service.core.tenants import DEFAULT_TENANT
from tests.support.patience import PATIENCE
from tests.support.provider import (
    EC_KEY,
    P384_KEY,
    RSA_KEY,
    Provider,
    public,
    running_provider,
)

OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not a provider that is away."""
    monkeypatch.setattr(jwks, "_TIMEOUT_SECONDS", PATIENCE)
    monkeypatch.setattr(fresh_copy, "_LONGEST_WAIT_SECONDS", PATIENCE)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def checking(
    provider: Provider, clock: Callable[[], float] = time.monotonic, **options: Any
) -> AsyncIterator[TokenCheck]:
    check = TokenCheck(TokenOptions(**provider.settings(**options)), clock=clock)
    await check.start()
    try:
        yield check
    finally:
        await check.stop()


async def test_a_token_says_tenant_and_scopes(provider: Provider) -> None:
    async with checking(provider) as tokens:
        found = await tokens.check(provider.token())
        assert found is not None
        assert (found.tenant, found.scopes) == ("acme", frozenset({Scope.SCORE, Scope.JOBS}))
        assert found.key_id is not None
        assert "service-7" not in found.key_id
        assert found == await tokens.check(provider.token(EC_KEY, "ES256", "ec"))
        other = await tokens.check(provider.token(sub="service-8"))
        assert other is not None
        assert other.key_id != found.key_id


async def test_claims_are_read_as_the_settings_say(provider: Provider) -> None:
    options: dict[str, Any] = {"scope_claim": "roles", "scope_prefix": "evenmatch:", "tenant": "default"}
    async with checking(provider, **options) as tokens:
        found = await tokens.check(provider.token(roles=["evenmatch:report", "score", "evenmatch:x", 7]))
        assert isinstance(found, Principal)
        assert (found.tenant, found.scopes) == (DEFAULT_TENANT, frozenset({Scope.REPORT}))
        nothing = await tokens.check(provider.token(roles={"a": 1}))
        assert nothing is not None
        assert nothing.scopes == frozenset()


def forged(header: dict[str, Any], payload: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (header, payload)
    ]
    signature = base64.urlsafe_b64encode(sign(".".join(parts).encode())).rstrip(b"=").decode()
    return ".".join((*parts, signature))


async def test_what_is_wrong_with_a_token_makes_it_nobodys(provider: Provider) -> None:
    now = time.time()
    payload = {
        "iss": provider.issuer,
        "aud": "evenmatch",
        "sub": "a",
        "exp": now + 300,
        "tenant": "acme",
        "scope": "score",
    }
    pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    good = provider.token()
    head, body, signature = good.split(".")
    wrong = {
        "expired": provider.token(exp=now - 60),
        "no expiry": provider.token(exp=None),
        "not yet": provider.token(nbf=now + 600),
        "other audience": provider.token(aud="another"),
        "no audience": provider.token(aud=None),
        "other issuer": provider.token(iss="https://evil.example"),
        "issuer with a slash": provider.token(iss=provider.issuer + "/"),
        "no issuer": provider.token(iss=None),
        "no subject": provider.token(sub=None),
        "no tenant": provider.token(tenant=None),
        "odd tenant": provider.token(tenant="../acme"),
        "tenants": provider.token(tenant=["acme"]),
        "other key, known id": provider.token(OTHER_KEY),
        "other key, unknown id": provider.token(OTHER_KEY, kid="other"),
        "no id among several": provider.token(kid=None),
        "algorithm not allowed": provider.token(algorithm="RS512"),
        "algorithm of another kind of key": provider.token(EC_KEY, "ES256", "rsa"),
        "alg none": forged({"alg": "none", "kid": "rsa"}, payload, lambda _: b""),
        "alg none, signed": forged({"alg": "none", "kid": "rsa"}, payload, lambda _: b"x"),
        "public key as a secret": forged(
            {"alg": "HS256", "kid": "rsa"}, payload, lambda text: hmac.digest(pem, text, "sha256")
        ),
        "key of its own": forged(
            {"alg": "RS256", "kid": "rsa", "jwk": public(OTHER_KEY, "rsa")}, payload, lambda _: b"x" * 256
        ),
        "payload changed": f"{head}.{body[:-2]}AA.{signature}",
        "signature of another": f"{head}.{body}.{provider.token(sub='b').split('.')[2]}",
        "no signature": f"{head}.{body}.",
        "critical extension": forged({"alg": "RS256", "kid": "rsa", "crit": ["x"]}, payload, lambda _: b"x"),
        "not base64": "a.b.c!",
        "header no JSON": "YQ.YQ.YQ",
        "empty": "",
    }
    async with checking(provider) as tokens:
        assert await tokens.check(good) is not None
        assert {name: await tokens.check(token) for name, token in wrong.items()} == dict.fromkeys(wrong)


async def test_a_key_is_used_only_for_what_it_is_for(provider: Provider) -> None:
    provider.keys = [
        public(RSA_KEY, "encryption", use="enc"),
        public(RSA_KEY, "other algorithm", alg="RS512"),
        public(P384_KEY, "other curve"),
        public(EC_KEY, "twice"),
        public(P384_KEY, "twice"),
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "kid": "secret"},
        {"kty": "RSA", "kid": "half"},
    ]
    async with checking(provider) as tokens:
        for kid in ("encryption", "other algorithm", "half", "secret"):
            assert await tokens.check(provider.token(kid=kid)) is None, kid
        for kid in ("other curve", "twice"):
            assert await tokens.check(provider.token(EC_KEY, "ES256", kid)) is None, kid


async def test_rotated_keys_are_fetched_at_once_but_not_for_every_unknown_one(provider: Provider) -> None:
    clock = Clock()
    async with checking(provider, clock) as tokens:
        provider.keys = [public(OTHER_KEY, "new")]
        clock.seconds += 10
        assert await tokens.check(provider.token(OTHER_KEY, kid="new")) is not None
        assert await tokens.check(provider.token()) is None  # its key was dropped
        fetches = provider.fetches
        for i in range(50):
            assert await tokens.check(provider.token(OTHER_KEY, kid=f"made up {i}")) is None
        assert provider.fetches == fetches
        clock.seconds += 10
        assert await tokens.check(provider.token(OTHER_KEY, kid="made up")) is None
        assert provider.fetches == fetches + 1


async def test_keys_of_a_provider_that_is_away_count_until_they_are_stale(provider: Provider) -> None:
    clock = Clock()
    async with checking(provider, clock, jwks_stale_seconds=60) as tokens:
        provider.answers["/keys"] = 500, b""
        clock.seconds += 60
        assert await tokens.check(provider.token()) is not None
        clock.seconds += 1
        with pytest.raises(KeysUnavailableError):
            await tokens.check(provider.token())
        # Nothing is said about a token that could not be checked, right or wrong.
        with pytest.raises(KeysUnavailableError):
            await tokens.check(provider.token(OTHER_KEY))


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/.well-known/openid-configuration", (404, b""), "status 404"),
        ("/.well-known/openid-configuration", (200, b'{"issuer": "https://evil.example"}'), "another issuer"),
        ("/.well-known/openid-configuration", (302, b"https://evil.example/x"), "status 302"),
        ("/keys", (200, b"[]"), "no JSON object"),
        ("/keys", (200, b'{"keys": ["a"]}'), "no set of keys"),
        ("/keys", (200, b"[" * 100_000), "no JSON object"),
        ("/keys", (200, b" " * (2**20 + 1)), "more than 1,048,576 bytes"),
    ],
)
def test_a_provider_that_answers_nonsense_is_named(
    provider: Provider, path: str, answer: tuple[int, bytes], said: str
) -> None:
    provider.answers[path] = answer
    with pytest.raises(ConfigurationError, match=said):
        fetch_keys(provider.issuer, None)


def test_keys_come_from_https_or_this_machine_only(provider: Provider) -> None:
    for url in (
        "https://id.example.com/realms/a",
        "http://127.0.0.1:8080",
        "http://localhost/x",
        "http://[::1]/",
    ):
        assert is_safe_url(url), url
    for url in (
        "http://id.example.com",
        "file:///etc/passwd",
        "https://",
        "ftp://x",
        "https://a:b@c/",
        "http://[x",
    ):
        assert not is_safe_url(url), url
    told = json.dumps({"issuer": provider.issuer, "jwks_uri": "http://id.example.com/keys"}).encode()
    provider.answers["/.well-known/openid-configuration"] = 200, told
    with pytest.raises(ConfigurationError, match="no https address"):
        fetch_keys(provider.issuer, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"issuer": "https://id.example.com"}, "needs jwt_audience"),
        ({"issuer": "http://id.example.com", "audience": "a"}, "jwt_issuer must be an https address"),
        ({"algorithms": ["none"]}, "Input should be 'RS256'"),
        ({"algorithms": ["HS256"]}, "Input should be 'RS256'"),
        ({"algorithms": []}, "at least 1 item"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TokenOptions(**options)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "crit", "typ", "b64", "jku"]),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2)),
    ),
    payload=st.binary(max_size=20),
)
@pytest.mark.slow
async def test_no_token_makes_it_fail(provider: Provider, header: dict[str, Any], payload: bytes) -> None:
    async with checking(provider) as tokens:
        parts = [json.dumps({"alg": "RS256", "kid": "rsa", **header}).encode(), payload, b"signature"]
        token = ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
        assert await tokens.check(token) is None
