from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from service.core.bundle import Bundle
from service.core.errors import EmptyTextError, InputErrors
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from service.runtime.reading import tokenize_all

T = TypeVar("T")


@pytest.fixture
def matcher(tiny_bundle: Bundle, bge_like: Path) -> Matcher:
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", tiny_bundle.manifest)
    return Matcher(tiny_bundle, tokenizer, max_characters=1000)


async def run(work: Callable[[], T], /) -> T:
    return work()


async def read(matcher: Matcher, description: str, title: str | None, resumes: list[str]) -> None:
    await tokenize_all(
        matcher,
        description,
        title,
        resumes,
        redact=True,
        job_field="job.description",
        fields=[f"candidates[{i}].resume" for i in range(len(resumes))],
        run=run,
        run_long=run,
    )


async def test_one_bad_candidate_is_named_by_its_index(matcher: Matcher) -> None:
    with pytest.raises(EmptyTextError) as caught:
        await read(matcher, "job", None, ["python", " ", "java"])
    assert caught.value.field == "candidates[1].resume"


async def test_all_that_is_wrong_is_said_at_once(matcher: Matcher) -> None:
    with pytest.raises(InputErrors) as caught:
        await read(matcher, "", "t" * 201, ["python", "", "x" * 1001])
    assert [(e.field, e.code) for e in caught.value.errors] == [
        ("job.description", "empty_text"),
        ("job.title", "text_too_long"),
        ("candidates[1].resume", "empty_text"),
        ("candidates[2].resume", "text_too_long"),
    ]
