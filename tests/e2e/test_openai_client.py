"""The official client, unchanged, against the real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import openai
import pytest

from tests.e2e.conftest import Server
from tests.e2e.texts import ENGINEER, NURSE


@pytest.fixture
def openai_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_embeddings_are_those_of_embed(openai_client: openai.OpenAI, client: httpx.Client) -> None:
    texts = ["Backend engineer", "Registered nurse on a surgical ward"]
    # The client asks for base64 on its own and decodes it.
    answer = openai_client.embeddings.create(model="minilm-fair", input=texts)
    expected = client.post("/v1/embed", json={"inputs": texts}).json()
    assert [item.index for item in answer.data] == [0, 1]
    np.testing.assert_allclose([item.embedding for item in answer.data], expected["embeddings"], atol=1e-7)
    assert answer.usage.prompt_tokens == sum(expected["tokens"])


def test_floats_and_a_single_text_work_too(openai_client: openai.OpenAI) -> None:
    answer = openai_client.embeddings.create(model="minilm-fair", input="nurse", encoding_format="float")
    assert len(answer.data[0].embedding) == 384


def test_errors_reach_the_client_as_its_own(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        openai_client.embeddings.create(model="text-embedding-3-small", input="nurse")
    with pytest.raises(openai.UnprocessableEntityError, match="more than 256 tokens"):
        openai_client.embeddings.create(model="minilm-fair", input=ENGINEER + NURSE)
