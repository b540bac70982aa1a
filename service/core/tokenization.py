"""Text -> token ids, with the base model's own tokenizer and without transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from service.core.documents import Document
from service.core.errors import BundleError, UnknownTokenError, UnreadableTextError
from service.core.manifest import Kind, Manifest, Prefixes
from service.core.passages import PassagePolicy, halve, split_passages
from service.core.redaction.json_resume import plain_text

TokenIds = tuple[int, ...]

MAX_UNKNOWN_SHARE = 0.5
"""Above this share of tokens outside the vocabulary a text says nothing to the model."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document as the model reads it. `ids` hold the prefix and the special tokens."""

    text: str
    ids: TokenIds


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """One text as one sequence. `ids` include the special tokens."""

    ids: TokenIds
    truncated: bool


class TextTokenizer:
    """Tokenizes for one bundle. Thread-safe: the underlying tokenizer is never changed after construction."""

    def __init__(
        self, tokenizer: Tokenizer, *, max_tokens: int, prefixes: Prefixes, passages: PassagePolicy
    ) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._prefixes = {"job": prefixes.job, "resume": prefixes.resume}
        self._policy = passages
        self._unknown = frozenset(
            i for i in (tokenizer.token_to_id(t) for t in ("[UNK]", "<unk>")) if i is not None
        )
        empty = tokenizer.encode("")
        self._specials = len(empty.ids)
        self._first, self._last = _framing(empty.ids)
        longest_prefix = max(len(tokenizer.encode(p).ids) for p in self._prefixes.values())
        if longest_prefix > max_tokens // 2:
            raise BundleError(
                f"a prefix takes {longest_prefix} of the model's {max_tokens} tokens; the limit is half"
            )
        self.max_tokens = max_tokens
        self.vocabulary_size = tokenizer.get_vocab_size()

    @classmethod
    def load(cls, file: Path, manifest: Manifest) -> TextTokenizer:
        """Read `tokenizer.json`; raises `BundleError` if it is missing or not a tokenizer."""
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # tokenizers raises plain Exception for every fault
            raise BundleError(f"{file} is not a tokenizer: {type(error).__name__}") from error
        return cls(
            tokenizer,
            max_tokens=manifest.max_tokens,
            prefixes=manifest.prefixes,
            passages=manifest.passages,
        )

    def passages(self, document: Document, kind: Kind) -> list[str]:
        """Cut a document into passages that fit the model, prefix and special tokens included."""
        return [passage.text for passage in self._cut(document, kind)]

    def encode_passages(self, document: Document, kind: Kind, *, field: str) -> list[Passage]:
        """Every passage with its token ids. Raises `UnreadableTextError` if most tokens are unknown."""
        passages = self._cut(document, kind)
        self._check_readable([passage.ids for passage in passages], kind, field)
        return passages

    def encode_text(self, document: Document, kind: Kind, *, field: str) -> TokenizedText:
        """Token ids of the text as one sequence, cut at `max_tokens` and marked if so."""
        (ids,) = self._encode([document.text], kind)
        self._check_readable([ids], kind, field)
        return TokenizedText(self._cut_off(ids), truncated=len(ids) > self.max_tokens)

    def encode_all(self, texts: Sequence[str], kind: Kind) -> list[TokenIds]:
        """Token ids of trusted texts (reference texts), cut at `max_tokens`; nothing is checked."""
        return [self._cut_off(ids) for ids in self._encode(texts, kind)]

    def places(self, passage: Passage, kind: Kind) -> list[tuple[int, int] | None]:
        """Of each of the passage's ids the characters of its text that it stands for, [start, end).

        None for special tokens and those of the prefix.
        """
        before = len(self._prefixes[kind])
        encoding = self._tokenizer.encode(self._prefixes[kind] + passage.text)
        return [
            None if special or end <= before else (max(start - before, 0), end - before)
            for (start, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        ]

    @property
    def mask_id(self) -> int | None:
        """The token that stands for a word that is not known, if the model was trained with one."""
        ids = (self._tokenizer.token_to_id(token) for token in ("[MASK]", "<mask>"))
        return next((i for i in ids if i is not None), None)

    def from_token_ids(self, ids: Sequence[int], *, field: str) -> TokenIds:
        """Token ids given by a caller, with the special tokens added where they are missing.

        Raises `UnknownTokenError` for an id outside the vocabulary.
        """
        for i, token in enumerate(ids):
            if not 0 <= token < self.vocabulary_size:
                raise UnknownTokenError(
                    f"{field}[{i}] is outside the vocabulary of {self.vocabulary_size:,} tokens",
                    field=f"{field}[{i}]",
                    limit=self.vocabulary_size - 1,
                    actual=token,
                )
        framed = tuple(ids)
        if framed[: len(self._first)] != self._first:
            framed = self._first + framed
        if self._last and framed[-len(self._last) :] != self._last:
            framed = framed + self._last
        return framed

    def _encode(self, texts: Sequence[str], kind: Kind) -> list[TokenIds]:
        prefix = self._prefixes[kind]
        encodings = self._tokenizer.encode_batch_fast([prefix + text for text in texts])
        return [tuple(encoding.ids) for encoding in encodings]

    def _cut_off(self, ids: TokenIds) -> TokenIds:
        if len(ids) <= self.max_tokens:
            return ids
        return ids[: self.max_tokens - len(self._last)] + self._last

    def _cut(self, document: Document, kind: Kind) -> list[Passage]:
        return self._fit(split_passages(plain_text(document.text), self._policy), kind)

    def _fit(self, passages: Sequence[str], kind: Kind) -> list[Passage]:
        fitting: list[Passage] = []
        for text, ids in zip(passages, self._encode(passages, kind), strict=True):
            if len(ids) <= self.max_tokens:
                fitting.append(Passage(text, ids))
            else:
                fitting += self._fit(halve(text), kind)
        return fitting

    def _check_readable(self, sequences: Sequence[TokenIds], kind: Kind, field: str) -> None:
        overhead = self._specials * len(sequences)
        total = sum(map(len, sequences)) - overhead
        unknown = sum(token in self._unknown for ids in sequences for token in ids)
        if total <= 0 or unknown / total > MAX_UNKNOWN_SHARE:
            raise UnreadableTextError(
                f"{field} cannot be read: {unknown:,} of {max(total, 0):,} tokens are outside "
                "the model's vocabulary",
                field=field,
                limit=int(MAX_UNKNOWN_SHARE * 100),
                actual=round(100 * unknown / total) if total > 0 else 100,
            )


def _framing(specials: Sequence[int]) -> tuple[TokenIds, TokenIds]:
    """Special tokens before and after a text: ([CLS], [SEP]) in the BERT family."""
    if not specials:
        return (), ()
    return (specials[0],), tuple(specials[1:])
