"""docs/operations.md: what it says of tests and alerts is so."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docker.promtool import ALERTS
from tests.test_documents import CHECKOUT

PAGE = (CHECKOUT / "docs" / "operations.md").read_text("utf-8")


def chapter(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the rows of a chapter's table, without its head."""
    lines = [line for line in chapter(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((CHECKOUT / file).read_text("utf-8"))
    defined = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in defined)


FAULTS = rows("What can break")


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: re.sub(r"\W+", "-", row[0]))
def test_every_fault_names_tests_that_are_there(row: list[str]) -> None:
    assert len(row) == 5
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row[4])
    assert named
    for file, name in named:
        assert name in names_in(file), f"{file} has no {name}"


def test_every_fault_of_the_list_is_there() -> None:
    said = " ".join(row[0] for row in FAULTS)
    for word in (
        "dies",
        "memory",
        "full",
        "read-only",
        "down",
        "slow",
        "locked",
        "damaged",
        "clock",
        "SIGTERM",
        "kill -9",
        "half written",
        "two services",
        "upgrade",
        "backup",
    ):
        assert word in said, word


def test_every_alert_leads_to_its_runbook() -> None:
    expected = {
        (
            f"[{rule['alert']}](runbooks.md#{rule['alert'].lower()})",
            rule["labels"]["severity"],
            rule["labels"]["team"],
        )
        for rule in ALERTS
    }
    assert {tuple(row) for row in rows("Alerts")} == expected
