"""`import evenmatch` beside a notebook's own files: each case in a fresh interpreter, as a kernel is one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import evenmatch
from service.core.bundle import Bundle

CHECKOUT = Path(__file__).resolve().parents[2]

FINDER = """
import importlib.machinery, importlib.util, sys

class Finder:
    # What an editable install may be: it is asked after the path was searched.
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("evenmatch", "service", "training"):
            return importlib.util.spec_from_file_location(
                name, f"{place}/{{name}}/__init__.py", submodule_search_locations=[f"{place}/{{name}}"]
            )

sys.meta_path.append(Finder)
"""

USE = """
from pathlib import Path
from evenmatch.own_packages import claim
claim("service", "training")
import service.core.errors, training.data.example
for module in (service, training, service.core.errors, training.data.example):
    assert Path(module.__file__).is_relative_to({place!r}), module.__file__
print("ours")
"""


def run(code: str, folder: Path, install: str) -> subprocess.CompletedProcess[str]:
    """Run code in `folder`, which Python searches first, with Evenmatch installed in one of two ways."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    before = (
        FINDER.format(place=CHECKOUT)
        if install == "finder"
        else f"import sys; sys.path.append({str(CHECKOUT)!r})\n"
    )
    # The checkout itself must not be found before: an environment may have it installed.
    clean = f"import sys; sys.path[:] = ['', *(p for p in sys.path if p and p != {str(CHECKOUT)!r})]\n"
    body = textwrap.dedent(code).format(place=str(CHECKOUT))
    return subprocess.run(
        [sys.executable, "-W", "always::UserWarning", "-c", clean + before + body],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )


def put(folder: Path, kind: str, name: str) -> None:
    if kind == "file":
        (folder / f"{name}.py").write_text("mine = 1\n")
    elif kind == "package":
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("mine = 1\n")
    elif kind == "folder":
        (folder / name).mkdir()
        (folder / name / "data.csv").write_text("a,b\n")


@pytest.mark.parametrize("install", ["path", pytest.param("finder", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["nothing", "file", "package", "folder"])
def test_files_beside_a_notebook_do_no_harm(kind: str, install: str, tmp_path: Path) -> None:
    for name in ("service", "training"):
        put(tmp_path, kind, name)
    done = run(USE, tmp_path, install)
    assert done.stdout == "ours\n", done.stderr
    warned = done.stderr.count("means Evenmatch's own package from here on")
    # What somebody could have wanted to import is named.
    assert warned == (2 if kind in ("file", "package") else 0), done.stderr


@pytest.mark.parametrize(
    ("kind", "install"),
    [
        ("file", "path"),
        pytest.param("package", "path", marks=pytest.mark.slow),
        pytest.param("folder", "finder", marks=pytest.mark.slow),
        pytest.param("file", "finder", marks=pytest.mark.slow),
    ],
)
def test_a_module_of_our_name_that_was_imported_before_is_told(
    kind: str, install: str, tmp_path: Path
) -> None:
    put(tmp_path, kind, "training")
    code = """
    import training, evenmatch
    print(evenmatch.EvenmatchError.__name__)  # what needs no training still works
    try:
        evenmatch.train
    except ImportError as error:
        print(error)
    """
    done = run(code, tmp_path, install)
    assert done.returncode == 0, done.stderr
    worked, told = done.stdout.splitlines()
    assert worked == "EvenmatchError"
    assert "needs the name `training`" in told
    assert str(tmp_path / ("training.py" if kind == "file" else "training")) in told
    assert "Rename that one" in told


def test_importing_it_loads_nothing_heavy(tmp_path: Path) -> None:
    code = """
    import sys
    before = set(sys.modules)
    import evenmatch
    new = set(sys.modules) - before
    heavy = {{"torch", "transformers", "numpy", "pandas", "fastapi", "sqlalchemy", "service", "training"}}
    print(sorted(heavy & new), [name for name in new if name.startswith("evenmatch.")], len(new) < 60)
    """
    done = run(code, tmp_path, "path")
    assert done.stdout == "[] ['evenmatch.own_packages'] True\n", done.stderr


@pytest.mark.slow
def test_loading_a_model_needs_no_torch(tmp_path: Path) -> None:
    code = """
    import sys, evenmatch
    evenmatch.load
    print(sorted({{"torch", "transformers", "sklearn", "pandas", "matplotlib"}} & set(sys.modules)))
    """
    done = run(code, tmp_path, "path")
    assert done.stdout == "[]\n", done.stderr


def test_every_name_is_there_and_listed() -> None:
    assert set(evenmatch.__all__) <= set(dir(evenmatch))
    for name in evenmatch.__all__:
        assert getattr(evenmatch, name).__doc__, name
    wrong = "scor"
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        getattr(evenmatch, wrong)


def test_what_training_lacks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_: str) -> None:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn.metrics")

    monkeypatch.setattr(evenmatch, "import_module", lacking)
    with pytest.raises(ImportError) as raised:
        evenmatch.__getattr__("train")
    assert str(raised.value) == "evenmatch.train needs sklearn.metrics: pip install 'evenmatch[training]'"
    with pytest.raises(ModuleNotFoundError):  # no part of the extra
        evenmatch.__getattr__("load")


@pytest.mark.slow
def test_a_script_beside_our_names_converts_and_reads_in_processes_of_its_own(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    """Without `if __name__ == "__main__"`, and with a text so long that another process reads it."""
    for name in ("service", "training"):
        put(tmp_path, "package", name)
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys\nsys.path.append({str(CHECKOUT)!r})\nimport evenmatch\n"
        f"model = evenmatch.load({str(tiny_bundle.path)!r})\n"
        "long = 'nurse on a ward. ' * 1000\n"
        "print(model.engine.split()[0], len(model.score('nurse wanted for a ward', ['a nurse', long])))\n"
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env={**kept, "EVENMATCH_DATA_DIR": str(tmp_path / "data"), "EVENMATCH_ENGINE": "openvino"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "openvino 2\n", done.stderr
