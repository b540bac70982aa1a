"""What a key is, and when it is right."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

import pytest

from service.access.keys import KeySecret, KeyTable, id_of, make_key, revoked, rotated
from service.access.principal import Principal, Scope
from service.core.errors import ConfigurationError, InputError
from tests.support.access import NOW, SECRET, new_key

DAY = timedelta(days=1)


def test_a_key_says_who_sends_it() -> None:
    key = new_key(Scope.SCORE, Scope.JOBS, tenant="acme")
    table = KeyTable(KeySecret(SECRET), [key.record, new_key().record])
    assert table.check(key.text, NOW) == Principal(
        "acme", frozenset({Scope.SCORE, Scope.JOBS}), key.record.id
    )


def test_a_key_holds_256_random_bits_and_its_record_none_of_them() -> None:
    key, other = new_key(), new_key()
    prefix, key_id, secret = key.text.split("_", 2)
    assert (prefix, key_id, len(secret)) == ("evm", key.record.id, 43)  # 32 bytes as base64
    assert key.text != other.text
    assert secret not in repr(key.record)
    assert key.record.digest not in repr(key.record)
    # The hash as RFC 2104 has it, of a key derived from the secret.
    derived = hashlib.sha256(b"evenmatch api keys\n" + SECRET.encode()).digest()
    assert key.record.digest == hmac.new(derived, b"key\n" + key.text.encode(), "sha256").hexdigest()


def test_what_is_no_key_or_over_is_nobody() -> None:
    key = new_key()
    texts = {
        "empty": "",
        "id alone": f"evm_{key.record.id}",
        "other secret": new_key().text.replace(new_key().record.id, key.record.id),
        "one character": key.text[:-1] + ("A" if key.text[-1] != "A" else "B"),
        "longer": key.text + "A",
        "line feed": key.text + "\n",
        "prefix": key.text.replace("evm_", "evn_"),
        "its hash": key.record.digest,
        "unknown": new_key().text,
        "not ascii": "é" * 60,
    }
    table = KeyTable(KeySecret(SECRET), [key.record])
    assert {name: table.check(text, NOW) for name, text in texts.items()} == dict.fromkeys(texts)


def test_a_key_ends_at_its_expiry_and_when_it_is_revoked() -> None:
    key = new_key(expires=NOW + DAY)
    table = KeyTable(KeySecret(SECRET), [key.record])
    assert table.check(key.text, NOW + DAY - timedelta(microseconds=1)) is not None
    assert table.check(key.text, NOW + DAY) is None
    ended = revoked(key.record, NOW)
    assert KeyTable(KeySecret(SECRET), [ended]).check(key.text, NOW) is None
    assert ended.status(NOW + 2 * DAY) == "revoked"
    assert revoked(ended, NOW + DAY) == ended
    forever = replace(key.record, expires=None)
    assert KeyTable(KeySecret(SECRET), [forever]).check(key.text, NOW + 9_999 * DAY) is not None


def test_keys_of_another_secret_do_not_work_and_are_counted() -> None:
    key = new_key()
    table = KeyTable(KeySecret("another secret of 32 characters or more"), [key.record])
    assert table.check(key.text, NOW) is None
    assert (len(table), table.foreign) == (0, 1)


def test_a_rotation_leaves_both_keys_working_for_the_overlap() -> None:
    old = new_key(Scope.AUDIT, tenant="acme", expires=NOW + 100 * DAY)
    ending, new = rotated(old.record, KeySecret(SECRET), now=NOW, overlap=DAY, expires=NOW + 365 * DAY)
    table = KeyTable(KeySecret(SECRET), [ending, new.record])
    for text in (old.text, new.text):
        found = table.check(text, NOW + DAY / 2)
        assert found is not None
        assert (found.tenant, found.scopes) == ("acme", frozenset({Scope.AUDIT}))
    assert table.check(old.text, NOW + DAY) is None
    assert table.check(new.text, NOW + DAY) is not None
    assert new.record.replaces == old.record.id
    sooner, _ = rotated(
        replace(old.record, expires=NOW + DAY / 2), KeySecret(SECRET), now=NOW, overlap=DAY, expires=None
    )
    assert sooner.expires == NOW + DAY / 2
    with pytest.raises(InputError, match=rf"evm_{old.record.id} is expired"):
        rotated(ending, KeySecret(SECRET), now=NOW + DAY, overlap=DAY, expires=None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "name has 0 characters; it takes 1 to 64"),
        ({"name": "x" * 65}, "name has 65 characters"),
        ({"name": "a\x1b[2J"}, "name has 5 characters"),
        ({"tenant": "Acme"}, "tenant has 4 characters; it takes 1 to 64 of a-z"),
        ({"tenant": "other"}, "no tenant can be called"),
        ({"tenant": "a" * 65}, "tenant has 65 characters"),
        ({"tenant": "acme\n"}, "tenant has 5 characters"),
        ({"scopes": ()}, "at least one scope"),
        ({"expires": NOW}, "expires must be in the future"),
    ],
)
def test_what_no_key_can_have_is_named(fields: dict[str, object], said: str) -> None:
    usual = {"name": "n", "scopes": [Scope.SCORE], "created": NOW, "expires": None}
    with pytest.raises(InputError, match=said):
        make_key(KeySecret(SECRET), **{**usual, **fields})  # type: ignore[arg-type]


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="keys_secret has 31 characters; at least 32"):
        KeySecret("x" * 31)


def test_the_id_of_a_key_is_found_in_it() -> None:
    key = new_key()
    assert id_of(key.text) == key.record.id
    assert id_of(key.text.upper()) is None
    assert id_of(f"evm_{key.record.id}_") is None


def test_keys_that_expire_soon_are_named_in_their_order() -> None:
    soon, sooner = new_key(expires=NOW + 5 * DAY).record, new_key(expires=NOW + 2 * DAY).record
    others = [new_key(expires=NOW).record, new_key(expires=None).record, new_key().record]
    table = KeyTable(KeySecret(SECRET), [soon, sooner, *others, revoked(new_key().record, NOW)])
    assert table.expiring(NOW, 14 * DAY) == [sooner, soon]
