"""Clients of OpenAI's interface, as people use them, against the real server: `make test-clients`.

They run in environments of their own (tests/clients), each in a process, and are skipped where they are not
installed. docs/openai.md has the table of what was found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.e2e.conftest import CHECKOUT, Server, start_server
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

ENVIRONMENT = Path(os.environ.get("CLIENTS_ENVIRONMENT", CHECKOUT / ".venv-clients")).absolute()
PROGRAMS = CHECKOUT / "tests" / "clients"

PYTHON = (
    "openai",
    "openai async",
    "langchain",
    "llama-index openai",
    "llama-index openai-like",
    "litellm",
    "haystack",
)
JAVASCRIPT = ("openai", "langchain", "ai-sdk")
CLIENTS = [("python", name) for name in PYTHON] + [("javascript", name) for name in JAVASCRIPT]

FEW = [
    "Backend engineer, Python and PostgreSQL",
    "Registered nurse on a surgical ward",
    "Koch in Köln, 5 Jahre ☕",
]
SOME = [f"Candidate {i}: Python and SQL, {i % 7} years" for i in range(300)]
MANY = [f"Posting {i}: nurse, ward {i % 11}" for i in range(2_048)]


@pytest.fixture(scope="module")
def cached_server(data_dir: Path) -> Iterator[Server]:
    """With the usual cache: every client sends the same texts."""
    running = start_server(data_dir)
    yield running
    running.terminate()


@pytest.fixture(scope="module")
def expected(cached_server: Server) -> dict[str, Any]:
    """The vectors of `/v1/embed`."""
    vectors = {}
    with httpx.Client(base_url=cached_server.url, timeout=PATIENCE) as client:
        for name, texts in (("few", FEW), ("some", SOME), ("many", MANY)):
            answer = client.post("/v1/embed", json={"inputs": texts, "redact": False}).json()
            vectors[name] = np.array(answer["embeddings"])
    return vectors


def command(language: str, name: str, url: str) -> list[str]:
    if language == "python":
        python = ENVIRONMENT / "bin" / "python"
        if not python.exists():
            pytest.skip(f"no clients in {ENVIRONMENT}: make test-clients")
        return [str(python), str(PROGRAMS / "python_clients.py"), name, url]
    node = shutil.which("node")
    if node is None or not (ENVIRONMENT / "node_modules").exists():
        pytest.skip(f"no node, or no clients in {ENVIRONMENT}: make test-clients")
    return [node, str(PROGRAMS / "javascript_clients.mjs"), name, url, str(ENVIRONMENT)]


@cache
def found(language: str, name: str, url: str) -> dict[str, Any]:
    """What a client's user gets."""
    done = subprocess.run(
        command(language, name, f"{url}/v1"),
        input=json.dumps({"few": FEW, "some": SOME, "many": MANY}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=PROGRAMS,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("language", "name"), CLIENTS)
def test_vectors_are_those_of_embed(
    cached_server: Server, expected: dict[str, Any], language: str, name: str
) -> None:
    got = found(language, name, cached_server.url)
    np.testing.assert_allclose(got["one"], expected["few"][0], atol=1e-6)
    for size in ("few", "some", "many"):
        np.testing.assert_allclose(got[size], expected[size], atol=1e-6, err_msg=size)
    for variant, vectors in got["variants"].items():
        np.testing.assert_allclose(vectors, expected["few"], atol=1e-6, err_msg=variant)


@pytest.mark.parametrize(("language", "name"), CLIENTS)
def test_a_user_reads_what_is_wrong(cached_server: Server, language: str, name: str) -> None:
    errors = found(language, name, cached_server.url)["errors"]
    assert "the model is minilm-fair" in errors["other model"]
    assert "input[1] holds no text" in errors["empty text"]
    for what, said in {
        "token arrays": "check_embedding_ctx_length=False",
        "too many": "1 to 2,048 are allowed",
        "unknown model": "the model is minilm-fair",
        "chat": "nothing is served at this path",
    }.items():
        assert said in errors.get(what, said), what


@pytest.mark.parametrize(("language", "name"), [c for c in CLIENTS if c[1].startswith("openai")])
def test_models_are_listed_and_described(cached_server: Server, language: str, name: str) -> None:
    assert set(found(language, name, cached_server.url)["models"]) == {"minilm-fair"}


def test_langchains_default_is_refused_and_told_what_to_set(cached_server: Server) -> None:
    # It sends ids of OpenAI's tokenizer, which in this model's vocabulary mean other words.
    refused = found("python", "langchain", cached_server.url)["errors"]["default"]
    assert "check_embedding_ctx_length=False" in refused
