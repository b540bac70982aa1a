"""The pages and the checkout: links lead somewhere, indexes are whole, generated parts are current."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for path in [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("service/**/*.md")]
    if path.name != "CHANGELOG.md"
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    """The page without its blocks of code."""
    return _CODE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What `#...` may name in the page, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_every_decision_is_in_the_index() -> None:
    folder = CHECKOUT / "docs" / "adr"
    index = (folder / "README.md").read_text("utf-8")
    assert [path.name for path in sorted(folder.glob("0*.md")) if path.name not in index] == []


def test_what_repeats_the_code_is_as_the_code() -> None:
    docs = _load(CHECKOUT / "docs" / "generate.py")
    assert docs.OPENAPI_FILE.read_text("utf-8") == docs.openapi_text()
    readme, architecture = docs.README_FILE.read_text("utf-8"), docs.PAGE.read_text("utf-8")
    assert "EVENMATCH_QUEUE_TOKENS" in readme
    assert docs.with_settings_table(readme) == readme
    assert docs.with_rooms(architecture) == architecture
    keys = docs.TRAINING_KEYS.read_text("utf-8")
    assert "`learning_rate`" in keys
    assert docs.training_keys(keys) == keys
    assert docs.TRAINING_SCHEMA.read_text("utf-8") == docs.config_schema(docs.RunConfig)


def test_pages_name_files_that_are_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    known = set(listed.stdout.split())
    for page in PAGES:
        for path in re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|csv|yaml|yml|toml))`", text_of(page)):
            assert any(f"/{file}".endswith(f"/{path}") for file in known), f"{page.name}: {path}"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
