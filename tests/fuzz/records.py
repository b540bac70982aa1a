"""What the service itself wrote and reads again, and what callers send as tables, forms and keys."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import time
from collections.abc import Coroutine
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from service.access.jwks import ProviderKeys
from service.access.key_storage import FileKeys
from service.access.keys import KeySecret, KeyTable, make_key
from service.access.principal import Scope
from service.access.tokens import TokenCheck, TokenOptions
from service.api.multipart import MultipartReader
from service.core.bundle import read_bundle, write_bundle
from service.core.calibration import Calibration, PlattCurve
from service.core.cohort import Posting, References
from service.core.cohort_file import COHORT, VECTORS, read_cohort, write_cohort
from service.core.concept_eraser import parse_concept_eraser
from service.core.errors import BackupError, BundleError, CohortError, ConfigurationError
from service.core.files import sha256_bytes, sha256_file
from service.core.group_reading import GroupReader
from service.core.groups import GroupSchema
from service.core.manifest import BaseModelSpec, DecisionRule, Manifest, ReferenceVector, ReferenceVectors
from service.core.occupations import parse_occupations
from service.core.redaction.policy import RedactionPolicy
from service.core.tables import Column, columns_of, inspect_table, read_rows
from service.files.decision_columns import DecisionColumns
from service.files.decision_files import read_decisions
from service.jobs.row_formats import CsvRows, JsonLines
from service.jobs.rows import Row, RowChecker, pack_rows, unpack_rows
from service.store.backup import MANIFEST, write_backup
from service.store.backup_reading import read_backup
from service.store.recorder import StoreOptions
from service.store.verification import read_anchors
from tests.fuzz.target import Target, file_of, folder, text_of
from tests.support.cohorts import making
from tests.support.erasers import random_eraser
from tests.support.occupations import random_occupations

DIMENSIONS = 4
_PARTS = ("manifest.json", "calibration.json", "decision.json", "probes.json")
_SECRET = "a secret of tests, 32 characters long or longer"
_BOUNDARY = b"boundary"


@cache
def bundle() -> Path:
    """A bundle of a model that is nowhere; its weights are never looked for."""
    digest = sha256_bytes(b"")
    unit = [1.0, 0.0, 0.0, 0.0]
    curve = PlattCurve(slope=10.0, intercept=-5.0)
    manifest = Manifest(
        name="fuzzed",
        version="1.0.0",
        base_model=BaseModelSpec(
            id="owner/model", weights_sha256=digest, tokenizer_sha256=digest, dimensions=DIMENSIONS
        ),
        pooling="cls",
        max_tokens=64,
        redaction=RedactionPolicy(),
        files={},
    )
    path = folder() / "bundle"
    write_bundle(
        path,
        manifest,
        {
            "calibration.json": Calibration(
                with_title=curve, without_title=curve, pairs=100, prevalence=0.25
            ),
            "decision.json": DecisionRule(
                threshold=0.6, borderline=(0.5, 0.7), rule="for tests", constraint="none"
            ),
            "probes.json": ReferenceVectors(
                probes=[ReferenceVector(kind=kind, text="Go", vector=unit) for kind in ("job", "resume")]
            ),
        },
    )
    return path


@cache
def cohort() -> Path:
    def text(seed: int) -> Any:
        made = np.random.default_rng(seed).standard_normal((2, DIMENSIONS))
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

    references = References(
        [text(seed) for seed in range(6)],
        [Posting(text(seed), text(seed)[0] if seed % 2 else None) for seed in range(10, 16)],
    )
    read = read_bundle(bundle())
    path = folder() / "cohort"
    write_cohort(path, read, references, making(read, references))
    return path


@cache
def backup() -> tuple[StoreOptions, bytes]:
    """Where it would be restored, and a backup of a log without decisions as a tar file."""
    options = StoreOptions(data_dir=folder() / "data")
    with closing(options.open_log(create_key=True)) as decision_log:
        decision_log.open()
    file = folder() / "backup.tar"
    write_backup(options, file)
    return options, file.read_bytes()


def with_part(number: int, content: bytes) -> Path:
    """The bundle with another content of one file, and its hash in the manifest, as a forger would."""
    copy = folder() / "forged"
    if not copy.exists():
        shutil.copytree(bundle(), copy)
    for name in _PARTS:
        shutil.copyfile(bundle() / name, copy / name)
    name = _PARTS[number % len(_PARTS)]
    (copy / name).write_bytes(content)
    if name != "manifest.json":
        manifest = json.loads((copy / "manifest.json").read_bytes())
        manifest["files"][name] = sha256_file(copy / name)
        (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def read_part(data: bytes) -> None:
    read_bundle(with_part(data[0] if data else 0, data[1:]))


def read_cohort_manifest(data: bytes) -> None:
    copy = folder() / "forged-cohort"
    if not copy.exists():
        shutil.copytree(cohort(), copy)
    (copy / COHORT).write_bytes(data)
    shutil.copyfile(cohort() / VECTORS, copy / VECTORS)
    read_cohort(copy)


def read_cohort_vectors(data: bytes) -> None:
    copy = folder() / "forged-vectors"
    if not copy.exists():
        shutil.copytree(cohort(), copy)
    manifest = json.loads((cohort() / COHORT).read_bytes())
    manifest["vectors_sha256"] = sha256_bytes(data)
    (copy / COHORT).write_text(json.dumps(manifest))
    (copy / VECTORS).write_bytes(data)
    read_cohort(copy)


def read_tensors(data: bytes) -> None:
    """The other two files of vectors."""
    parse = (parse_concept_eraser, parse_occupations)[data[0] % 2 if data else 0]
    parse(data[1:], DIMENSIONS)


def restore(data: bytes) -> None:
    options, _ = backup()
    place = folder() / "restored"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    read_backup(options, file_of(data, "given.tar"), place)


def read_backup_manifest(data: bytes) -> None:
    """The manifest alone, of a backup that is a folder."""
    options, _ = backup()
    place, given = folder() / "restored", folder() / "given"
    for path in (place, given):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    (given / MANIFEST).write_bytes(data)
    read_backup(options, given, place)


def read_key_file(data: bytes) -> None:
    FileKeys(file_of(data, "keys.json")).all()


def check_key(data: bytes) -> None:
    secret = KeySecret(_SECRET)
    table = KeyTable(secret, [_key().record])
    sent = data.decode("latin-1")  # as headers are
    assert (table.check(sent, datetime(2026, 3, 2, tzinfo=UTC)) is None) == (sent != _key().text)


@cache
def _key() -> Any:
    return make_key(
        KeySecret(_SECRET),
        name="fuzz",
        scopes=tuple(Scope),
        created=datetime(2026, 3, 1, tzinfo=UTC),
        expires=None,
    )


class _HeldKeys:
    """A provider's keys that are there already."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self._keys = ProviderKeys([{**public, "kid": "ec", "use": "sig"}])

    async def get_with(self, _: object) -> ProviderKeys:
        return self._keys


@cache
def _tokens() -> tuple[TokenCheck, _HeldKeys]:
    check = TokenCheck(TokenOptions(issuer="https://id.example.com", audience="evenmatch"))
    check._keys = held = _HeldKeys()  # type: ignore[assignment]
    return check, held


def _result(coroutine: Coroutine[Any, Any, object]) -> object:
    """Of a coroutine that waits for nothing: an event loop would take most of the time."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def check_token(data: bytes) -> None:
    """A header, and after a line break claims; the provider signs them if the header is `signed`."""
    check, held = _tokens()
    header, _, claims = data.partition(b"\n")
    if header == b"signed":
        token = jwt.api_jws.encode(claims, held.private, "ES256", headers={"kid": "ec"})
    else:
        token = b".".join(
            base64.urlsafe_b64encode(one).rstrip(b"=") for one in (header, claims, b"x" * 64)
        ).decode()
    _result(check.check(token))


def check_raw_token(data: bytes) -> None:
    _result(_tokens()[0].check(text_of(data)))


def read_table(data: bytes) -> None:
    """As CSV, JSON Lines or Parquet, whichever the first byte says."""
    suffix = (".csv", ".jsonl", ".parquet", ".txt")[data[0] % 4 if data else 0]
    table = inspect_table(file_of(data[1:], f"table{suffix}"), titled=True)
    columns_of(table)
    with closing(
        read_rows(table, [Column("id", "--id"), Column("resume", "--text", required=False)])
    ) as rows:
        for cells, line in rows:
            assert len(cells) == 2
            assert line >= 1


def read_decision_file(data: bytes) -> None:
    suffix = (".csv", ".jsonl")[data[0] % 2 if data else 0]
    read_decisions(file_of(data[1:], f"decisions{suffix}"), DecisionColumns(), GroupSchema())


def read_anchor_file(data: bytes) -> None:
    read_anchors(file_of(data, "anchors"))


def read_job_rows(data: bytes) -> None:
    """An upload in parts of a length that the first byte says; what is read is kept and read again."""
    checker = RowChecker(GroupReader(GroupSchema()), 1_000_000)
    first = data[0] if data else 0
    kind = CsvRows(checker, GroupReader(GroupSchema()), 5_000) if first % 2 else JsonLines(checker, 5_000)
    size = 1 + first * 4
    rows: list[Row] = []
    for start in range(1, len(data), size):
        rows += kind.feed(data[start : start + size])
    rows += kind.finish()
    assert [row.line for row in rows] == sorted(row.line for row in rows)
    assert unpack_rows(pack_rows(rows)) == rows


def read_form(data: bytes) -> None:
    reader = MultipartReader(f"multipart/form-data; boundary={_BOUNDARY.decode()}")
    for start in range(0, len(data), 97):
        reader.feed(data[start : start + 97])
    reader.finish()


def read_content_type(data: bytes) -> None:
    MultipartReader(data.decode("latin-1"))


def _parts() -> list[bytes]:
    return [bytes([i]) + (bundle() / name).read_bytes() for i, name in enumerate(_PARTS)]


def _backup_manifest() -> bytes:
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(backup()[1])) as archive:
        stream = archive.extractfile(MANIFEST)
        assert stream is not None
        return stream.read()


def _key_file() -> list[bytes]:
    file = folder() / f"keys-{secrets.token_hex(4)}.json"
    FileKeys(file).add(_key().record)
    return [file.read_bytes()]


def _token_parts() -> list[bytes]:
    claims = {
        "iss": "https://id.example.com",
        "aud": ["evenmatch"],
        "sub": "service-7",
        "exp": time.time() + 10**6,
        "nbf": 0,
        "iat": 0,
        "tenant": "acme",
        "scope": "score jobs",
    }
    said = json.dumps(claims).encode()
    return [b'{"alg":"ES256","kid":"ec","typ":"JWT"}\n' + said, b"signed\n" + said]


_CSV = b'id,resume,sex\nc-1,"Jane\nDoe",female\nc-2,nurse,\n'
_LINES = b'{"id": "c-1", "resume": "Jane"}\n{"id": "c-2", "resume": "nurse", "groups": {"sex": "female"}}\n'
_DECISIONS = (
    b"\x00candidate_id,decision,score,decided_at,sex,race\nc-1,selected,0.7,2026-03-01,female,Asian\n"
    b"c-2,not_selected,0.4,3/31/2026,male,White\n",
    b'\x01{"decision": 1, "sex": "F", "race_ethnicity": "white", "score": 0.3, "time": "2026-03-01"}\n',
)
_JOB_CSV = b'\x03id,resume,job_description,sex\nc-1,"Jane ""x""",Go,female\nc-2,nurse,care,\n'
_JOB_LINES = b'\x10{"job": {"description": "Go", "title": "x"}}\n' + _LINES
_FORM = (
    b'--boundary\r\nContent-Disposition: form-data; name="request"\r\nContent-Type: application/json\r\n\r\n'
    b'{"job": 1}\r\n--boundary\r\n'
    b'Content-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF\r\n'
    b"--boundary--\r\n"
)
_ANCHORS = b'{"sequence": 1, "hash": "ab"}\n{"sequence": 2, "hash": "cd", "time": "x"}\n'

TARGETS = {
    "bundle": Target(read_part, _parts, (BundleError,)),
    "tensors": Target(
        read_tensors,
        lambda: [
            b"\x00" + random_eraser(DIMENSIONS).to_bytes(),
            b"\x01" + random_occupations(DIMENSIONS, 20).to_bytes(),
        ],
        (BundleError,),
    ),
    "cohort": Target(read_cohort_manifest, lambda: [(cohort() / COHORT).read_bytes()], (CohortError,)),
    "cohort vectors": Target(
        read_cohort_vectors, lambda: [(cohort() / VECTORS).read_bytes()], (CohortError,)
    ),
    "backup": Target(restore, lambda: [backup()[1]], (BackupError, ConfigurationError)),
    "backup manifest": Target(
        read_backup_manifest, lambda: [_backup_manifest()], (BackupError, ConfigurationError)
    ),
    "key file": Target(read_key_file, _key_file, (ConfigurationError,)),
    "key": Target(check_key, lambda: [_key().text.encode()], ()),
    "token": Target(check_token, _token_parts, ()),
    "raw token": Target(check_raw_token, lambda: [b"eyJhbGciOiJFUzI1NiJ9.e30.eA"], ()),
    "table": Target(
        read_table, lambda: [b"\x00" + _CSV, b"\x01" + _LINES, b"\x03" + _CSV.replace(b",", b"\t")]
    ),
    "decision file": Target(read_decision_file, lambda: list(_DECISIONS)),
    "anchors": Target(read_anchor_file, lambda: [_ANCHORS]),
    "job rows": Target(read_job_rows, lambda: [_JOB_CSV, _JOB_LINES]),
    "form": Target(read_form, lambda: [_FORM]),
    "content type": Target(read_content_type, lambda: [b"multipart/form-data; boundary=\"x\"; a*=utf-8''b"]),
}
