from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from service.core.bundle import Bundle
from service.core.documents import read_document
from service.core.errors import BundleError, UnknownTokenError, UnreadableTextError
from service.core.manifest import Prefixes
from service.core.passages import PassagePolicy
from service.core.tokenization import TextTokenizer
from tests.conftest import QUERY


@pytest.fixture
def tokenizer(bge_like: Path, tiny_bundle: Bundle) -> TextTokenizer:
    return TextTokenizer.load(bge_like / "tokenizer.json", tiny_bundle.manifest)


@pytest.fixture
def plain(bge_like: Path) -> Tokenizer:
    return Tokenizer.from_file(str(bge_like / "tokenizer.json"))


def test_the_query_prefix_goes_before_jobs_only(tokenizer: TextTokenizer, plain: Tokenizer) -> None:
    (job,) = tokenizer.encode_passages(read_document("backend engineer", field="job"), "job", field="job")
    (resume,) = tokenizer.encode_passages(read_document("backend engineer", field="r"), "resume", field="r")
    assert list(job.ids) == plain.encode(QUERY + "backend engineer").ids
    assert list(resume.ids) == plain.encode("backend engineer").ids


def test_no_passage_exceeds_the_model_and_nothing_is_lost(tokenizer: TextTokenizer, plain: Tokenizer) -> None:
    # "xyz" is three tokens, so 40 words are 120: above the limit of 64 with the prefix.
    document = read_document(" ".join(["xyz"] * 100), field="job")
    passages = tokenizer.encode_passages(document, "job", field="job")
    assert max(len(passage.ids) for passage in passages) <= 64
    prefix = len(plain.encode(QUERY).ids) - 2
    assert sum(len(passage.ids) - prefix - 2 for passage in passages) == 300


def test_a_word_longer_than_the_model_is_cut_inside(tokenizer: TextTokenizer) -> None:
    passages = tokenizer.encode_passages(read_document("a" * 90, field="resume"), "resume", field="resume")
    assert max(len(passage.ids) for passage in passages) <= 64
    assert sum(len(passage.ids) - 2 for passage in passages) == 90


def test_a_text_for_one_vector_is_cut_and_says_so(tokenizer: TextTokenizer) -> None:
    short = tokenizer.encode_text(read_document("python java", field="t"), "resume", field="t")
    long = tokenizer.encode_text(read_document("python " * 100, field="t"), "resume", field="t")
    assert not short.truncated
    assert long.truncated
    assert len(long.ids) == 64
    assert long.ids[0] == 2
    assert long.ids[-1] == 3


def test_text_outside_the_vocabulary_is_refused(tokenizer: TextTokenizer) -> None:
    with pytest.raises(UnreadableTextError, match="resume cannot be read: 3 of 3 tokens") as caught:
        tokenizer.encode_passages(read_document("工 程 师", field="resume"), "resume", field="resume")
    assert (caught.value.limit, caught.value.actual) == (50, 100)


def test_token_ids_of_a_caller_get_their_special_tokens_once(tokenizer: TextTokenizer) -> None:
    assert tokenizer.from_token_ids([5, 6], field="input[0]") == (2, 5, 6, 3)
    assert tokenizer.from_token_ids([2, 5, 6, 3], field="input[0]") == (2, 5, 6, 3)


@pytest.mark.parametrize("token", [-1, 10_000])
def test_a_token_id_outside_the_vocabulary_is_named(tokenizer: TextTokenizer, token: int) -> None:
    with pytest.raises(UnknownTokenError) as caught:
        tokenizer.from_token_ids([5, token], field="input[0]")
    assert caught.value.field == "input[0][1]"
    assert caught.value.actual == token


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, tiny_bundle: Bundle) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(BundleError, match=r"tokenizer\.json is not a tokenizer"):
        TextTokenizer.load(tmp_path / "tokenizer.json", tiny_bundle.manifest)


def test_a_prefix_that_leaves_no_room_is_refused(plain: Tokenizer) -> None:
    with pytest.raises(BundleError, match="a prefix takes 42 of the model's 64 tokens"):
        TextTokenizer(plain, max_tokens=64, prefixes=Prefixes(job="a " * 40), passages=PassagePolicy())
