"""The chain by hand, its canonical form, and the key it is signed with."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import ConfigurationError
from service.store import chain
from service.store.chain import KEY_FILE, LogKey, load_key
from service.store.decisions import CONTENT
from service.store.tables import from_microseconds, to_microseconds
from tests.support.decision_logs import KEY, decision

_TEXT = st.none() | st.text(max_size=20)
_ROWS = st.fixed_dictionaries(
    {
        name: st.floats(allow_nan=False, width=64)
        if name in ("raw_score", "calibrated_probability", "threshold")
        else st.booleans()
        if name == "redact"
        else _TEXT
        for name in CONTENT
    }
    | {"tenant": st.sampled_from(["default", "acme", ""])}
)


def mac(purpose: str, message: bytes) -> str:
    """The second implementation, to compare with."""
    return hmac.new(b"k" * 32, purpose.encode() + b"\n" + message, hashlib.sha256).hexdigest()


def test_a_row_is_chained_as_documented() -> None:
    row = chain.chained(KEY, decision(7), 2, "previous")
    content = (
        '["r-1","req-17","c-7","{\\"sex\\":\\"female\\"}",0.41,0.7125,0.62,"selected",true,'
        f'"{"b" * 64}","openvino"]'
    )
    assert row["content"] == mac("content", f"{row['salt']}\n{content}".encode())
    link = ["previous", 2, "00000000-0000-4000-8000-000000000007", 1772366820000000, row["content"]]
    assert row["hash"] == mac("row", json.dumps(link, separators=(",", ":")).encode())
    assert chain.tombstone(KEY, row, 5) == mac("tombstone", f'[2,"{row["hash"]}",5]'.encode())
    assert chain.genesis(KEY) == mac("genesis", b"[]")


def test_a_field_that_was_added_is_signed_where_there_is_one() -> None:
    without, with_one = decision(7), decision(7, cohort_digest="c" * 64)
    row = chain.chained(KEY, with_one, 2, "previous")
    assert chain.canonical(row).endswith(f',"openvino","{"c" * 64}"]'.encode())
    assert chain.content_digest(KEY, {**row, "cohort_digest": None}) != row["content"]
    plain = chain.chained(KEY, without, 2, "previous")
    assert chain.content_digest(KEY, {**plain, "cohort_digest": "c" * 64}) != plain["content"]


def test_a_tenant_is_signed_in_content_and_hash_unless_it_is_the_default_one() -> None:
    row = chain.chained(KEY, decision(7, tenant="acme"), 2, "previous")
    assert chain.canonical(row).endswith(b',"openvino",null,"acme"]')
    link = ["previous", 2, row["decision_id"], row["time"], row["content"], "acme"]
    assert row["hash"] == mac("row", json.dumps(link, separators=(",", ":")).encode())
    # Not to be taken for a cohort, which stands in the place before.
    as_cohort = {**row, "tenant": "default", "cohort_digest": "acme"}
    assert chain.canonical(as_cohort) != chain.canonical(row)


def test_equal_decisions_have_different_digests() -> None:
    one, other = (chain.chained(KEY, decision(7), 1, "") for _ in range(2))
    assert len(one["salt"]) == 32
    assert one["salt"] != other["salt"]
    assert one["content"] != other["content"]


@given(_ROWS, _ROWS)
def test_other_content_has_another_canonical_form(one: dict[str, Any], other: dict[str, Any]) -> None:
    names = (*CONTENT, "tenant")
    equal = all(type(one[n]) is type(other[n]) and repr(one[n]) == repr(other[n]) for n in names)
    assert (chain.canonical(one) == chain.canonical(other)) is equal


@given(_ROWS, st.sampled_from(CONTENT), st.sampled_from(CONTENT))
def test_values_that_change_places_change_the_form(row: dict[str, Any], a: str, b: str) -> None:
    swapped = {**row, a: row[b], b: row[a]}
    same = repr(row[a]) == repr(row[b])
    assert (chain.canonical(row) == chain.canonical(swapped)) is same


def test_what_no_writer_wrote_has_a_form_too() -> None:
    row = chain.chained(KEY, decision(1), 1, "")
    assert chain.canonical({**row, "candidate_id": b"\xff"}) != chain.canonical(row)
    assert chain.row_hash(KEY, "", {**row, "time": b"\xff"}) != row["hash"]


def test_a_zero_has_no_sign() -> None:
    assert str(chain.chained(KEY, decision(1, raw_score=-0.0), 1, "")["raw_score"]) == "0.0"


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_kept_to_the_microsecond(time: datetime) -> None:
    assert from_microseconds(to_microseconds(time)) == time


def test_times_of_other_zones_are_the_same_moment() -> None:
    berlin = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert to_microseconds(berlin) == to_microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC))


def test_a_signature_serves_one_purpose_only() -> None:
    signature = KEY.sign("head", [1, "x"])
    assert KEY.signed(signature, "head", [1, "x"])
    assert not KEY.signed(signature, "purge", [1, "x"])
    assert not KEY.signed(signature, "head", [2, "x"])
    assert not KEY.signed(None, "head", [1, "x"])
    assert not KEY.signed("ä", "head", [1, "x"])
    assert not LogKey(b"other").signed(signature, "head", [1, "x"])


def test_a_key_file_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    first = load_key("", tmp_path / "data", create=True)
    file = tmp_path / "data" / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_key("", tmp_path / "data", create=False).id == first.id
    assert load_key("", tmp_path / "elsewhere", create=True).id != first.id
    assert [p.name for p in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_of_two_processes_that_make_a_key_the_first_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, keys = os.link, []

    def slow_link(source: Any, target: Any) -> None:
        monkeypatch.setattr(os, "link", link)
        keys.append(load_key("", tmp_path, create=True))  # the other process, in between
        link(source, target)

    monkeypatch.setattr(os, "link", slow_link)
    keys.append(load_key("", tmp_path, create=True))
    assert keys[0].id == keys[1].id


def test_a_key_of_the_settings_needs_no_file(tmp_path: Path) -> None:
    key = load_key("correct horse battery staple", tmp_path, create=True)
    assert key.id == load_key("correct horse battery staple", tmp_path / "other", create=False).id
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="log_key has 6 characters; at least 16"):
        load_key("secret", tmp_path, create=True)
    with pytest.raises(ConfigurationError, match="no key for the decision log"):
        load_key("", tmp_path, create=False)
    (tmp_path / KEY_FILE).write_text("abc")
    with pytest.raises(ConfigurationError, match="is not a key: 64 hexadecimal digits"):
        load_key("", tmp_path, create=True)


def test_a_key_file_that_others_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_key("", tmp_path, create=True)
    assert caplog.text == ""
    (tmp_path / KEY_FILE).chmod(0o644)
    load_key("", tmp_path, create=False)
    assert "chmod 600" in caplog.text
