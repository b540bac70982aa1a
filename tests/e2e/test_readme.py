"""The README's example, asked of the real server: its printed answer is what comes back."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.e2e.conftest import CHECKOUT


def test_the_readmes_answer_is_what_the_server_says(client: httpx.Client) -> None:
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    request = re.search(r"curl -s \S+/v1/score .* -d '(\{.*?\})'\n", readme, re.DOTALL)
    printed = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert request
    assert printed
    answer = client.post("/v1/score", json=json.loads(request[1])).json()
    expected = json.loads(printed[1])
    results = zip(answer.pop("results"), expected.pop("results"), strict=True)
    # The precision is the machine's own, and bf16 moves the last digits.
    answer["model"].pop("precision")
    expected["model"].pop("precision")
    assert answer == expected
    for given, wanted in results:
        for key in ("raw_score", "calibrated_probability"):
            assert given.pop(key) == pytest.approx(wanted.pop(key), abs=2e-3)
        assert given.pop("decision_id") != wanted.pop("decision_id")
        assert given == wanted
