"""API keys: `evm_<id>_<secret>`, of which only a keyed hash is stored.

The id is public: it names the key in lists and logs. The secret is 256 random bits, so that no slow hash is
needed: nobody can try that many. Its hash is keyed (HMAC-SHA256 with the service's own secret): who copies
the table cannot check guesses, and who can write to it cannot add a key. (He can change what an existing key
may do; but then he has the decisions, too.)
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple

from service.access.principal import Principal, Scope
from service.core.errors import ConfigurationError, InputError
from service.core.tenants import DEFAULT_TENANT, MAX_TENANT_CHARACTERS, OTHER_TENANTS, TENANT_NAME

PREFIX = "evm"
LEAST_SECRET_CHARACTERS = 32
LONGEST_NAME = 64

_ID_CHARACTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that people mistake for another
_ID_LENGTH = 12
_SECRET_BYTES = 32
_KEY = re.compile(rf"{PREFIX}_([{_ID_CHARACTERS}]{{{_ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")

KeyStatus = Literal["active", "expired", "revoked"]


class KeySecret:
    """The service's own secret, with which keys are hashed. `id` names it without giving it away."""

    def __init__(self, text: str) -> None:
        """Raises `ConfigurationError` if it is too short to be secret."""
        if len(text) < LEAST_SECRET_CHARACTERS:
            raise ConfigurationError(
                f"keys_secret has {len(text)} characters; at least {LEAST_SECRET_CHARACTERS} are needed",
                field="keys_secret",
                limit=LEAST_SECRET_CHARACTERS,
                actual=len(text),
            )
        self._secret = sha256(b"evenmatch api keys\n" + text.encode()).digest()
        self.id = self._sign("id", "")[:16]

    def digest(self, key: str) -> str:
        """Hexadecimal HMAC-SHA256 of a whole key."""
        return self._sign("key", key)

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.digest(self._secret, f"{purpose}\n{text}".encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key. Times are aware, in UTC."""

    id: str
    name: str
    tenant: str
    scopes: frozenset[Scope]
    digest: str = field(repr=False)
    secret_id: str
    """Of the service's secret that it was hashed with."""
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    replaces: str | None = None
    """The id of the key in whose place it was made."""

    @property
    def shown(self) -> str:
        """What it is recognised by, as `evm_k7m2p9xw4abc`."""
        return f"{PREFIX}_{self.id}"

    @property
    def principal(self) -> Principal:
        return Principal(self.tenant, self.scopes, self.id)

    def status(self, now: datetime) -> KeyStatus:
        """Revocation goes before expiry."""
        if self.revoked is not None and self.revoked <= now:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class NewKey(NamedTuple):
    """A key that was made: `text` is what its owner sends, and is not kept anywhere."""

    record: ApiKey
    text: str


def make_key(
    secret: KeySecret,
    *,
    name: str,
    tenant: str = DEFAULT_TENANT,
    scopes: Collection[Scope],
    created: datetime,
    expires: datetime | None,
    replaces: str | None = None,
) -> NewKey:
    """A new key. Raises `InputError` for a name, tenant or list of scopes that no key can have."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"name has {len(name)} characters; it takes 1 to {LONGEST_NAME} that can be printed",
            field="name",
            limit=LONGEST_NAME,
            actual=len(name),
        )
    if tenant == OTHER_TENANTS:
        raise InputError(
            f'no tenant can be called "{OTHER_TENANTS}": metrics call those so that have no name there',
            field="tenant",
        )
    if not TENANT_NAME.fullmatch(tenant):
        raise InputError(
            f"tenant has {len(tenant)} characters; it takes 1 to 64 of a-z, 0-9, _ and -",
            field="tenant",
            limit=MAX_TENANT_CHARACTERS,
            actual=len(tenant),
        )
    if not scopes:
        raise InputError("a key needs at least one scope", field="scopes", limit=1, actual=0)
    if expires is not None and expires <= created:
        raise InputError("expires must be in the future", field="expires")
    key_id = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    record = ApiKey(
        id=key_id,
        name=name,
        tenant=tenant,
        scopes=frozenset(scopes),
        digest=secret.digest(text),
        secret_id=secret.id,
        created=created,
        expires=expires,
        replaces=replaces,
    )
    return NewKey(record, text)


def rotated(
    old: ApiKey, secret: KeySecret, *, now: datetime, overlap: timedelta, expires: datetime | None
) -> tuple[ApiKey, NewKey]:
    """The old key, which ends after `overlap` if not before, and a new one that may do the same.

    Raises `InputError` if the old one is over already.
    """
    if (status := old.status(now)) != "active":
        raise InputError(f"{old.shown} is {status}; only a key that works can be rotated", field="key")
    end = now + overlap
    new = make_key(
        secret,
        name=old.name,
        tenant=old.tenant,
        scopes=old.scopes,
        created=now,
        expires=expires,
        replaces=old.id,
    )
    return replace(old, expires=end if old.expires is None else min(end, old.expires)), new


def revoked(key: ApiKey, now: datetime) -> ApiKey:
    """The key, revoked now unless it was before."""
    return key if key.revoked is not None else replace(key, revoked=now)


def id_of(key: str) -> str | None:
    """The id in what may be a key; None if it is none."""
    found = _KEY.fullmatch(key)
    return None if found is None else found[1]


class KeyTable:
    """Keys by their ids, as they were at one moment: what a request is checked against."""

    def __init__(self, secret: KeySecret, keys: Iterable[ApiKey]) -> None:
        """Keys that were hashed with another secret can never be right, and are left out."""
        self._secret = secret
        given = list(keys)
        self._keys = {key.id: key for key in given if key.secret_id == secret.id}
        self.foreign = len(given) - len(self._keys)
        """Keys that were left out."""
        self._nobody = secret.digest("")

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def keys(self) -> list[ApiKey]:
        return list(self._keys.values())

    def check(self, text: str, now: datetime) -> Principal | None:
        """Who sent this; None if it is no key, or one that does not exist or is over.

        All of that takes the same steps: a hash and a comparison of constant time.
        """
        record = self._keys.get(id_of(text) or "")
        expected = self._nobody if record is None else record.digest
        if not hmac.compare_digest(self._secret.digest(text), expected):
            return None
        return record.principal if record is not None and record.status(now) == "active" else None

    def expiring(self, now: datetime, within: timedelta) -> list[ApiKey]:
        """Keys that work now and will not soon, the next to end first."""
        found = [
            key
            for key in self._keys.values()
            if key.status(now) == "active" and key.expires is not None and key.expires <= now + within
        ]
        return sorted(found, key=lambda key: key.expires or now)


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
