from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.core.bundle import Bundle
from service.core.engines.openvino_convert import converted


@pytest.mark.slow
def test_a_bundle_is_converted_ahead_of_its_first_start(tiny_bundle: Bundle, tmp_path: Path) -> None:
    models = tmp_path / "models"
    done = CliRunner().invoke(app, ["convert", "--bundle", str(tiny_bundle.path), "--output", str(models)])
    assert done.exit_code == 0, done.output
    assert "holds test-bundle 1.0.0" in done.output
    found = converted(tiny_bundle, tmp_path / "unused", base_override="/nowhere/at/all", ready=models)
    assert found.folder.parent == models
    assert not (tmp_path / "unused").exists()


def test_a_bundle_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    arguments = ["convert", "--bundle", str(tmp_path / "gone"), "--output", str(tmp_path / "models")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "no bundle at" in done.output
    assert not (tmp_path / "models").exists()


def test_a_folder_that_cannot_be_made_is_named(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    models = tmp_path / "file" / "models"
    done = CliRunner().invoke(app, ["convert", "--bundle", str(tiny_bundle.path), "--output", str(models)])
    assert done.exit_code == 1
    assert "models cannot be made" in " ".join(done.output.split())
