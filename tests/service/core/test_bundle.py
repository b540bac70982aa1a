from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from service.core.bundle import Bundle, read_bundle, write_bundle
from service.core.errors import BundleError
from service.core.files import sha256_file
from tests.support.bundles import CALIBRATION, RULE


def edit(file: Path, **changes: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def relist(bundle: Path, name: str) -> None:
    """Bring the manifest's hash in line with a changed file, as a forger would."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"][name] = sha256_file(bundle / name)
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def test_a_bundle_reads_back_as_written(tiny_bundle: Bundle) -> None:
    again = read_bundle(tiny_bundle.path)
    assert again == tiny_bundle
    assert again.calibration == CALIBRATION
    assert again.decision == RULE
    assert set(again.manifest.files) == {"calibration.json", "decision.json", "probes.json"}


@pytest.mark.parametrize("name", ["calibration.json", "decision.json", "probes.json", "manifest.json"])
def test_a_missing_file_is_named(broken: Path, name: str) -> None:
    (broken / name).unlink()
    with pytest.raises(BundleError, match=rf"{name} is missing"):
        read_bundle(broken)


@pytest.mark.parametrize("name", ["calibration.json", "decision.json", "probes.json"])
def test_a_changed_byte_is_named_with_both_hashes(broken: Path, name: str) -> None:
    before = sha256_file(broken / name)
    (broken / name).write_bytes((broken / name).read_bytes() + b" ")
    with pytest.raises(BundleError) as caught:
        read_bundle(broken)
    assert str(broken / name) in caught.value.message
    assert before in caught.value.message
    assert sha256_file(broken / name) in caught.value.message


def test_a_file_that_the_manifest_does_not_list_is_foreign(broken: Path) -> None:
    (broken / "adapter").mkdir()
    (broken / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(BundleError, match=r"adapter/adapter_config\.json is foreign"):
        read_bundle(broken)


def test_an_unknown_format_version_is_refused_before_anything_else(broken: Path) -> None:
    edit(broken / "manifest.json", format_version=99, brand_new_field=1)
    with pytest.raises(BundleError, match=r"manifest\.json: unknown format_version 99"):
        read_bundle(broken)


def test_a_format_version_is_not_repeated_whatever_it_holds(broken: Path) -> None:
    edit(broken / "manifest.json", format_version="Jane Doe, born 1970")
    with pytest.raises(BundleError, match=r"unknown format_version of type str") as caught:
        read_bundle(broken)
    assert "Jane" not in caught.value.message


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle at .*nothing-here"):
        read_bundle(tmp_path / "nothing-here")


@pytest.mark.parametrize("content", [b"", b"not json", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_manifest_is_named(broken: Path, content: bytes) -> None:
    (broken / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        read_bundle(broken)


@pytest.mark.parametrize("path", ["../outside.json", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_a_manifest_cannot_point_outside_its_bundle(broken: Path, path: str) -> None:
    manifest = json.loads((broken / "manifest.json").read_text())
    edit(broken / "manifest.json", files={**manifest["files"], path: "0" * 64})
    with pytest.raises(BundleError, match=r"manifest\.json: files.*relative path inside the bundle"):
        read_bundle(broken)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("decision.json", {"threshold": 1.5}),
        ("decision.json", {"threshold": None}),
        ("decision.json", {"thresholds_by_group": {"female": 0.4}}),
        ("calibration.json", {"with_title": {"slope": -1.0, "intercept": 0.0}}),
        ("calibration.json", {"prevalence": 0}),
        ("probes.json", {"probes": []}),
    ],
)
def test_content_that_makes_no_sense_is_named(broken: Path, name: str, change: dict[str, object]) -> None:
    edit(broken / name, **change)
    relist(broken, name)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        read_bundle(broken)


def test_not_a_number_is_no_threshold(broken: Path) -> None:
    text = (broken / "decision.json").read_text().replace("0.6", "NaN")
    (broken / "decision.json").write_text(text)
    relist(broken, "decision.json")
    with pytest.raises(BundleError, match=r"decision\.json"):
        read_bundle(broken)


def test_writing_over_a_bundle_must_be_asked_for(tiny_bundle: Bundle, broken: Path) -> None:
    parts = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny_bundle.reference_vectors,
    }
    with pytest.raises(BundleError, match="exists already"):
        write_bundle(broken, tiny_bundle.manifest, parts)
    changed = tiny_bundle.manifest.model_copy(update={"version": "2.0.0"})
    assert write_bundle(broken, changed, parts, overwrite=True).manifest.version == "2.0.0"
    assert [entry.name for entry in broken.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize("name", ["adapter/adapter_model.bin", "weights.pt", "notes"])
def test_no_pickle_is_in_a_bundle_even_if_its_manifest_lists_it(broken: Path, name: str) -> None:
    (broken / name).parent.mkdir(exist_ok=True)
    (broken / name).write_bytes(pickle.dumps({}))
    relist(broken, name)
    with pytest.raises(BundleError, match=rf"{name} is none of .*\.safetensors"):
        read_bundle(broken)


@pytest.mark.parametrize("name", ["adapter/adapter_config.json", "adapter/adapter_model.safetensors"])
def test_half_an_adapter_is_none(broken: Path, name: str) -> None:
    (broken / name).parent.mkdir()
    (broken / name).write_text("{}")
    relist(broken, name)
    with pytest.raises(BundleError, match="without the other"):
        read_bundle(broken)


def test_only_a_bundle_is_ever_overwritten(tiny_bundle: Bundle, tmp_path: Path) -> None:
    parts = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": tiny_bundle.reference_vectors,
    }
    home = tmp_path / "home"
    home.mkdir()
    write_bundle(home, tiny_bundle.manifest, parts, overwrite=True)  # empty: nothing is lost
    (home / "manifest.json").rename(home / "thesis.txt")
    for place in (home, home / "thesis.txt"):
        with pytest.raises(BundleError, match=r"is not a bundle .*not overwritten"):
            write_bundle(place, tiny_bundle.manifest, parts, overwrite=True)
    assert (home / "thesis.txt").is_file()
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_a_failed_write_leaves_nothing_behind(tiny_bundle: Bundle, tmp_path: Path) -> None:
    short = tiny_bundle.reference_vectors.model_copy(
        update={
            "probes": [
                p.model_copy(update={"vector": p.vector[:3]}) for p in tiny_bundle.reference_vectors.probes
            ]
        }
    )
    parts = {"calibration.json": CALIBRATION, "decision.json": RULE, "probes.json": short}
    with pytest.raises(BundleError, match="reference vector 0 has 3 dimensions"):
        write_bundle(tmp_path / "new", tiny_bundle.manifest, parts)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_without_a_required_part_is_not_written(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"needs decision\.json, probes\.json"):
        write_bundle(tmp_path / "new", tiny_bundle.manifest, {"calibration.json": CALIBRATION})


def test_the_same_parts_give_the_same_digest(tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.path, tmp_path / "copy")
    assert read_bundle(tmp_path / "copy").digest == tiny_bundle.digest


def test_a_bundle_must_say_under_which_redaction_it_was_calibrated(broken: Path) -> None:
    manifest = json.loads((broken / "manifest.json").read_text())
    unknown = {**manifest, "redaction": {**manifest["redaction"], "version": 99}}
    without = {name: value for name, value in manifest.items() if name != "redaction"}
    for content in (unknown, without):
        (broken / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(BundleError, match=r"manifest\.json: redaction"):
            read_bundle(broken)
