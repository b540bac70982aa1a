"""Makes `service` and `training` mean Evenmatch's own packages, whatever lies beside a notebook.

Python looks for modules in the folder of the notebook first. A file `training.py` or a folder `service` there
would be taken for ours: with an editable install, whose finder comes last, even an empty folder. So the two
packages are loaded from where `evenmatch` itself lies, before anything asks for them by name. Who imports
`training` afterwards gets ours too, and is warned if that hides another one.
"""

from __future__ import annotations

import sys
import warnings
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

PLACE = Path(__file__).resolve().parents[1]
"""The folder that holds `evenmatch` and the two packages beside it."""


def claim(*names: str) -> None:
    """Load these packages of ours, unless they are loaded.

    Raises `ImportError` if another module of that name was imported before, or ours is not there.
    """
    for name in names:
        loaded = sys.modules.get(name)
        if loaded is None:
            _load(name)
        elif not _is_ours(loaded, name):
            raise ImportError(
                f"evenmatch needs the name `{name}` for a package of its own, but a module of that name was "
                f"imported before: {_where(loaded)}. Rename that one, restart Python, and import it again",
                name=name,
            )


def _load(name: str) -> None:
    file = PLACE / name / "__init__.py"
    if not file.is_file():
        raise ImportError(f"{file} is missing: install evenmatch again", name=name)
    spec = spec_from_file_location(name, file, submodule_search_locations=[str(file.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    hidden = PathFinder.find_spec(name)
    # A bare folder holds no code that anybody could miss.
    if hidden is not None and hidden.origin is not None and Path(hidden.origin).resolve() != file:
        warnings.warn(
            f"`import {name}` means Evenmatch's own package from here on, and not {hidden.origin}: rename "
            "that one if you need it in the same process",
            stacklevel=4,
        )


def _is_ours(module: ModuleType, name: str) -> bool:
    return module.__file__ is not None and Path(module.__file__).resolve() == PLACE / name / "__init__.py"


def _where(module: ModuleType) -> str:
    return str(module.__file__ or next(iter(getattr(module, "__path__", [])), "in memory"))
