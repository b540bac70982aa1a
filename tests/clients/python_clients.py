"""Embeds texts with one client of OpenAI's interface, as its users write it; prints what they get as JSON.

Run by tests/e2e/test_openai_clients.py in an environment of the clients' own: nothing of Evenmatch is there.

    python python_clients.py CLIENT URL < texts.json > found.json

`texts`: {"few": [...], "some": [...], "many": [...]}. Found: vectors under the same names, `one` vector,
`models`, and `errors`: what a user sees who names another model, or sends an empty text.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

MODEL = "minilm-fair"
OTHER = "text-embedding-3-small"
Embed = Callable[[list[str]], list[list[float]]]


def openai_sync(url: str) -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=url, api_key="unused", max_retries=0)
    nulls = {"dimensions": None, "user": None, "input_type": None}

    def embed(texts: Any, model: str = MODEL, **options: Any) -> list[list[float]]:
        return [item.embedding for item in client.embeddings.create(model=model, input=texts, **options).data]

    return {
        "embed": embed,
        "embed_one": lambda text: embed(text)[0],
        "other_model": lambda text: embed(text, model=OTHER),
        "variants": {
            "float": lambda texts: embed(texts, encoding_format="float"),
            "base64": lambda texts: [decoded(one) for one in embed(texts, encoding_format="base64")],
            "null": lambda texts: embed(texts, encoding_format=None, extra_body=nulls),
        },
        "models": lambda: [*(one.id for one in client.models.list()), client.models.retrieve(MODEL).id],
        "refused": {
            "token arrays": lambda: embed([[2028, 374, 264, 1296]]),
            "too many": lambda: embed(["x"] * 2_049),
            "unknown model": lambda: client.models.retrieve(OTHER),
            "chat": lambda: client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "hello"}]
            ),
        },
    }


def openai_async(url: str) -> dict[str, Any]:
    import openai

    async def create(texts: list[str], model: str = MODEL) -> list[list[float]]:
        async with openai.AsyncOpenAI(base_url=url, api_key="unused", max_retries=0) as client:
            first, again = await asyncio.gather(
                *(client.embeddings.create(model=model, input=texts) for _ in range(2))
            )
            assert [one.embedding for one in first.data] == [one.embedding for one in again.data]
            return [item.embedding for item in first.data]

    async def list_models() -> list[str]:
        async with openai.AsyncOpenAI(base_url=url, api_key="unused") as client:
            return [one.id async for one in client.models.list()]

    return {
        "embed": lambda texts: asyncio.run(create(texts)),
        "other_model": lambda text: asyncio.run(create([text], OTHER)),
        "models": lambda: asyncio.run(list_models()),
    }


def langchain(url: str) -> dict[str, Any]:
    from langchain_openai import OpenAIEmbeddings

    # LangChain cuts texts with OpenAI's tokenizer, whose file it would fetch; litellm has a copy.
    os.environ["TIKTOKEN_CACHE_DIR"] = str(_package("litellm") / "litellm_core_utils" / "tokenizers")

    def client(model: str = MODEL, **options: Any) -> OpenAIEmbeddings:
        return OpenAIEmbeddings(model=model, base_url=url, api_key="unused", max_retries=0, **options)

    texts: dict[str, Any] = {"check_embedding_ctx_length": False}
    return {
        "embed": client(**texts, chunk_size=2_048).embed_documents,
        "embed_one": client(**texts).embed_query,
        "other_model": client(OTHER, **texts).embed_query,
        "variants": {
            "default chunks": client(**texts).embed_documents,
            "async": lambda some: asyncio.run(client(**texts).aembed_documents(some)),
        },
        "refused": {"default": lambda: client().embed_query("This is a test document.")},
    }


def llama_index_openai(url: str) -> dict[str, Any]:
    from llama_index.embeddings.openai import OpenAIEmbedding

    def client(model: str = MODEL) -> OpenAIEmbedding:
        return OpenAIEmbedding(
            model_name=model, api_base=url, api_key="unused", embed_batch_size=2_048, max_retries=0
        )

    return {
        "embed": client().get_text_embedding_batch,
        "embed_one": client().get_query_embedding,
        "other_model": client(OTHER).get_query_embedding,
        "variants": {"async": lambda texts: asyncio.run(client().aget_text_embedding_batch(texts))},
    }


def llama_index_openai_like(url: str) -> dict[str, Any]:
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    def client(model: str = MODEL) -> OpenAILikeEmbedding:
        return OpenAILikeEmbedding(
            model_name=model, api_base=url, api_key="unused", embed_batch_size=2_048, max_retries=0
        )

    return {
        "embed": client().get_text_embedding_batch,
        "embed_one": client().get_text_embedding,
        "other_model": client(OTHER).get_text_embedding,
    }


def litellm(url: str) -> dict[str, Any]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # its prices are not fetched
    import litellm as client

    client.suppress_debug_info = True

    def embed(texts: list[str], model: str = f"openai/{MODEL}", **options: Any) -> list[list[float]]:
        answer = client.embedding(
            model=model, input=texts, api_base=url, api_key="unused", num_retries=0, **options
        )
        return [item["embedding"] for item in answer.data]

    async def embed_later(texts: list[str]) -> list[list[float]]:
        answer = await client.aembedding(model=f"openai/{MODEL}", input=texts, api_base=url, api_key="unused")
        return [item["embedding"] for item in answer.data]

    providers = ("hosted_vllm", "litellm_proxy", "infinity", "openai_like")
    return {
        "embed": embed,
        "other_model": lambda text: embed([text], f"openai/{OTHER}"),
        "variants": {
            "float": lambda texts: embed(texts, encoding_format="float"),
            "null": lambda texts: embed(texts, encoding_format=None),
            "async": lambda texts: asyncio.run(embed_later(texts)),
            **{one: lambda texts, one=one: embed(texts, f"{one}/{MODEL}") for one in providers},
        },
    }


def haystack(url: str) -> dict[str, Any]:
    from haystack import Document
    from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
    from haystack.utils import Secret

    options: dict[str, Any] = {"api_base_url": url, "api_key": Secret.from_token("unused"), "max_retries": 0}

    def embed(texts: list[str], size: int = 2_048) -> list[list[float]]:
        embedder = OpenAIDocumentEmbedder(
            model=MODEL, batch_size=size, progress_bar=False, raise_on_failure=True, **options
        )
        found = embedder.run([Document(content=text) for text in texts])["documents"]
        return [one.embedding for one in found]

    def embed_one(text: str, model: str = MODEL) -> list[float]:
        return list(OpenAITextEmbedder(model=model, **options).run(text)["embedding"])

    return {
        "embed": embed,
        "embed_one": embed_one,
        "other_model": lambda text: embed_one(text, OTHER),
        "variants": {"batches of 32": lambda texts: embed(texts, 32)},
    }


CLIENTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "openai": openai_sync,
    "openai async": openai_async,
    "langchain": langchain,
    "llama-index openai": llama_index_openai,
    "llama-index openai-like": llama_index_openai_like,
    "litellm": litellm,
    "haystack": haystack,
}


def decoded(vector: Any) -> list[float]:
    """Whoever asks for base64 gets it as it came."""
    binary = base64.b64decode(vector)
    return list(struct.unpack(f"<{len(binary) // 4}f", binary))


def message_of(ask: Callable[[], object]) -> str:
    """What a user reads who asked for something that is refused; "" if it was answered."""
    try:
        ask()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    name, url = sys.argv[1:]
    texts = json.load(sys.stdin)
    client = CLIENTS[name](url)
    embed: Embed = client["embed"]
    one = client.get("embed_one", lambda text: embed([text])[0])
    found = {
        "one": one(texts["few"][0]),
        "few": embed(texts["few"]),
        "some": embed(texts["some"]),
        "many": embed(texts["many"]),
        "variants": {name: ask(texts["few"]) for name, ask in client.get("variants", {}).items()},
        "models": client["models"]() if "models" in client else None,
        "errors": {
            "other model": message_of(lambda: client["other_model"](texts["few"][0])),
            "empty text": message_of(lambda: embed([texts["few"][0], ""])),
            **{name: message_of(ask) for name, ask in client.get("refused", {}).items()},
        },
    }
    json.dump(found, sys.stdout)


def _package(name: str) -> Path:
    return Path(str(metadata.distribution(name).locate_file(name)))


if __name__ == "__main__":
    main()
