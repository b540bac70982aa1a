"""Places by path and URI, and files that appear whole."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import fsspec
import pytest

from service.core.errors import ConfigurationError, TableError
from service.ray_data.storage import found_by, location


def test_a_path_and_a_file_uri_are_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    by_path, by_uri = location(tmp_path / "a.csv"), location(f"file://{tmp_path}/a.csv")
    assert by_path.path == by_uri.path
    assert by_uri.read() == b"x"
    assert by_path.local == tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("uri", "kind", "path"),
    [
        ("s3://bucket/in/a.parquet?region=eu-west-1", "s3", "bucket/in/a.parquet"),
        ("gs://bucket/in", "gcs", "bucket/in"),
        ("abfs://box@account.dfs.core.windows.net/in", "abfs", "box/in"),
    ],
)
def test_object_stores_are_known_by_their_schemes(uri: str, kind: str, path: str) -> None:
    place = location(uri)
    assert (place.system.type_name, place.path) == (kind, path)
    assert "?" not in place.name


def test_secrets_of_a_uri_are_never_said() -> None:
    place = location("s3://AKIAKEY:verysecret@bucket/in?region=eu-west-1")
    assert place.name == "s3://bucket/in"
    for refused in ("nowhere://user:verysecret@host/x", "s3://AKIAKEY@bucket/in?token=verysecret"):
        with pytest.raises(TableError) as raised:
            location(refused)
        assert "verysecret" not in raised.value.message


def test_a_file_in_any_file_system_appears_whole_and_leaves_nothing_beside() -> None:
    memory = fsspec.filesystem("memory")
    folder = location("/ray22/out", memory)
    folder.make_folder()
    (folder / "part.parquet").write(b"first")
    (folder / "part.parquet").write(b"second")
    assert (folder / "part.parquet").read() == b"second"
    assert [one.place.path for one in folder.files()] == ["/ray22/out/part.parquet"]
    (folder / "part.parquet").delete()
    (folder / "part.parquet").delete()
    assert (folder / "part.parquet").read() is None


def test_a_file_on_this_machine_is_its_owners_alone(tmp_path: Path) -> None:
    (location(tmp_path / "out")).make_folder()
    (location(tmp_path / "out") / "part").write(b"x")
    assert stat.S_IMODE((tmp_path / "out" / "part").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", ["a.csv"]),
        ("**/*.csv", ["a.csv", "deep/b.csv", "deep/er/c.csv"]),
        ("deep/*", ["deep/b.csv", "deep/d.txt"]),
        ("[!b]*", ["a.csv"]),
        ("deep/?.csv", ["deep/b.csv"]),
    ],
)
def test_patterns_find_what_a_shell_would(tmp_path: Path, pattern: str, names: list[str]) -> None:
    for name in ("a.csv", "deep/b.csv", "deep/d.txt", "deep/er/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [one.place.path.removeprefix(f"{tmp_path}/") for one in found_by(f"{tmp_path}/{pattern}")]
    assert found == names


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"gone\.csv holds no files"):
        found_by(str(tmp_path / "gone.csv"))


def test_what_to_install_is_said_where_nothing_of_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "pyarrow.fs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'evenmatch\[ray\]'"):
        location("scored")
