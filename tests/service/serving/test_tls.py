"""Certificates and keys that can be used, and what is said of others."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from service.core.errors import ConfigurationError
from service.serving.tls import RenewedTls, tls_context
from service.settings import ServerOptions
from tests.support.certificates import Authority, Made


def options(**given: Any) -> ServerOptions:
    return ServerOptions(**{f"tls_{name}": value for name, value in given.items()})


def test_without_a_certificate_nothing_is_encrypted() -> None:
    assert tls_context(ServerOptions()) is None


def test_old_protocols_are_refused_and_callers_need_a_certificate_if_it_is_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    made = authority.certificate("localhost")
    plain = tls_context(options(certificate=made.certificate, key=made.key))
    assert plain is not None
    assert (plain.minimum_version, plain.verify_mode) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_NONE)
    mutual = tls_context(options(certificate=made.certificate, key=made.key, client_ca=authority.file))
    assert mutual is not None
    assert mutual.verify_mode == ssl.CERT_REQUIRED


def test_a_key_may_have_a_password_or_stand_in_the_certificates_file(tmp_path: Path) -> None:
    locked = Authority(tmp_path).certificate("locked", password=b"hush")
    given = {"certificate": locked.certificate, "key": locked.key}
    assert tls_context(options(**given, key_password="hush")) is not None
    for password in ("", "wrong"):
        with pytest.raises(
            ConfigurationError, match=r"locked\.crt with .*locked\.key cannot be used"
        ) as told:
            tls_context(options(**given, key_password=password))
        assert "wrong" not in told.value.message
    made = Authority(tmp_path).certificate("both")
    both = tmp_path / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
    assert tls_context(options(certificate=both)) is not None


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    made, other = (Authority(tmp_path).certificate(name) for name in ("one", "other"))
    with pytest.raises(ConfigurationError, match=r"tls_certificate: .*KEY_VALUES_MISMATCH"):
        tls_context(options(certificate=made.certificate, key=other.key))
    with pytest.raises(ConfigurationError, match=r"tls_key: .*missing cannot be read: No such file"):
        tls_context(options(certificate=made.certificate, key=tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match=r"tls_client_ca: .* cannot be used"):
        tls_context(options(certificate=made.certificate, key=made.key, client_ca=made.key))
    with pytest.raises(ConfigurationError, match="tls_key is set without tls_certificate"):
        tls_context(options(key=made.key))
    made.key.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"tls_key: .* has mode 0644"):
        tls_context(options(certificate=made.certificate, key=made.key))


def put(made: Made, *, certificate: Path | None = None, key: Path | None = None) -> None:
    """As certificate managers do: a new file takes the place of the old one."""
    for new, old in ((made.certificate, certificate), (made.key, key)):
        if old is not None:
            new.rename(old)


async def test_a_renewed_certificate_is_used_once_it_fits_its_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path)
    used, next_one = authority.certificate("used"), authority.certificate("next")
    tls = RenewedTls(options(certificate=used.certificate, key=used.key))
    first = tls.context
    await tls.look()
    assert tls.context is first
    put(next_one, certificate=used.certificate)
    for _ in range(2):
        await tls.look()
        assert tls.context is first
    assert "the certificate from before is in use: tls_certificate" in caplog.text
    put(next_one, key=used.key)
    await tls.look()
    assert tls.context is not first
    second = tls.context
    used.key.chmod(0o644)
    put(authority.certificate("third"), certificate=used.certificate)
    await tls.look()
    assert tls.context is second
    used.certificate.unlink()
    await tls.look()
    assert tls.context is second
