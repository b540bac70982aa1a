"""Whatever stands in a bundle's JSON, the bundle is read or a `BundleError` says what is wrong, briefly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.core.base_model import find_verified
from service.core.bundle import Bundle, read_bundle
from service.core.errors import BundleError
from service.core.manifest import MAX_NAME_BYTES, MAX_PATH_BYTES, BaseModelSpec
from tests.service.core.test_bundle import edit, relist

HOSTILE: list[Any] = [
    "", " ", "x", "x" * 300, "/" * 300, "x" * 100_000, "\x1b[2J", "a\x00b", "\u202e", "é" * 200, "../..",
    "pypi:", "pypi:a.b", "pypi:.", "pypi:" + "x" * 5_000, "owner/" + "n" * 5_000, "a--b/c..d", "~nobody/x",
    "~" * 300, None, True, -1, 0, 10**12, 10**30, 1.5, 1e308, [], {}, [[]], {"x": "y"}, ["x"] * 10,
    "[" * 1_000,
]  # fmt: skip
LONGEST_MESSAGE = 1_000


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a document; of a list the first item only."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy with `value` at `path`."""
    copy = json.loads(json.dumps(document))
    if not path:
        return value
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


def refusal_of(bundle: Path) -> str:
    """Why it is refused; nothing if it is read."""
    try:
        find_verified(read_bundle(bundle).manifest.base_model)
    except BundleError as error:
        return error.message.replace(str(bundle), "")
    return ""


@pytest.mark.parametrize("name", ["manifest.json", "decision.json", "calibration.json", "probes.json"])
def test_a_value_that_does_not_belong_there(broken: Path, name: str) -> None:
    file = broken / name
    document = json.loads(file.read_text())
    if name == "probes.json":
        document["probes"][0]["vector"] = document["probes"][0]["vector"][:3]
    manifest = (broken / "manifest.json").read_text()
    for path in places(document):
        for value in HOSTILE:
            file.write_text(json.dumps(put(document, path, value)))
            if name != "manifest.json":
                relist(broken, name)
            assert len(refusal_of(broken)) <= LONGEST_MESSAGE
            if name != "manifest.json":
                (broken / "manifest.json").write_text(manifest)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("n" * 400 + ".json", rf"files.*400|405 bytes; the limit is {MAX_NAME_BYTES}"),
        ("é" * 200 + ".json", rf"405 bytes; the limit is {MAX_NAME_BYTES}"),
        ("/".join(["folder"] * 400) + "/x.json", rf"2,806 bytes; the limit is {MAX_PATH_BYTES:,}"),
        ("a\x1b[2J.json", "must be printable"),
        ("a\x00.json", "must be printable"),
    ],
)
def test_a_name_of_a_file_that_no_file_can_have(broken: Path, name: str, said: str) -> None:
    manifest = json.loads((broken / "manifest.json").read_text())
    edit(broken / "manifest.json", files={**manifest["files"], name: "0" * 64})
    with pytest.raises(BundleError, match=rf"manifest\.json: files.*{said}") as caught:
        read_bundle(broken)
    assert len(caught.value.message) - len(str(broken)) <= LONGEST_MESSAGE


def test_names_that_only_the_whole_path_makes_too_long(tiny_bundle: Bundle, tmp_path: Path) -> None:
    """In a folder of a long path, a name that is allowed by itself leads beyond the system's limit."""
    deep = tmp_path
    while len(str(deep)) < 3_300:
        deep = deep / ("d" * 200)
    deep.mkdir(parents=True)
    copy = Path(shutil.copytree(tiny_bundle.path, deep / "bundle"))
    name = "/".join(["f" * 200] * 5) + ".json"
    manifest = json.loads((copy / "manifest.json").read_text())
    edit(copy / "manifest.json", files={**manifest["files"], name: "0" * 64})
    with pytest.raises(BundleError, match="File name too long"):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("field", "value", "limit"), [("name", "n" * 65, 64), ("version", "1" * 61 + ".0.0", 64)]
)
def test_a_text_that_is_too_long_is_said_with_its_limit(
    broken: Path, field: str, value: str, limit: int
) -> None:
    edit(broken / "manifest.json", **{field: value})
    with pytest.raises(BundleError, match=rf"{field}.*at most {limit} characters; it has 65") as caught:
        read_bundle(broken)
    assert (caught.value.field, caught.value.limit, caught.value.actual) == (field, limit, 65)


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 3_000])
def test_a_bundle_at_a_place_that_cannot_be(path: str) -> None:
    with pytest.raises(BundleError, match="File name too long"):
        read_bundle(Path(path))


@pytest.mark.parametrize("model", [value for value in HOSTILE if isinstance(value, str) and value])
def test_a_base_model_that_cannot_be(model: str) -> None:
    spec = BaseModelSpec.model_construct(
        id=model, revision="r" * 300, weights_sha256="0" * 64, tokenizer_sha256="0" * 64, dimensions=1
    )
    with pytest.raises(BundleError) as caught:
        find_verified(spec)
    assert len(caught.value.message) <= LONGEST_MESSAGE
