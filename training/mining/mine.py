"""Hard negatives of postings from a pool of any size: the resumes without a label that score highest.

The pool is read as a stream and scored block by block, and of each posting the first few are kept. Memory
holds the postings with their vectors, the labelled pairs' fingerprints, one block of the pool, and in the end
the texts that are written; none of it grows with the pool.

A resume that scores high and has no label may well be a match that nobody labelled. What is written says
that it was mined, so that nothing takes it for a verified non-match.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from service.core.bundle import Bundle, read_bundle
from service.core.engines.loading import LoadedModel
from service.core.errors import InputError
from service.core.files import private_file, sha256_file, write_private
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.scorer import PreparedJob
from training.data.example import DataError
from training.data.mined import MINED_COLUMN
from training.data.review import fingerprint_once
from training.evaluation.external.given_table import Findings
from training.evaluation.external.labelled_set import GivenDocument
from training.evaluation.external.systems import reason_of
from training.evaluation.scoring import encode_distinct
from training.learning.families import families_of
from training.mining.hardest import Hardest, Scored
from training.mining.known import KnownPairs, Shingles, word_shingles
from training.mining.pool import (
    Candidate,
    Faults,
    LabelledCounts,
    MiningColumns,
    Pool,
    read_known,
    read_postings,
)

FORMAT = 1
_JOBS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class MiningOptions:
    """What is kept.

    Attributes:
        each: Resumes of each posting.
        skip: The hardest of each that are left out first, since they are the likeliest to be matches.
        block: Resumes that are read, encoded and scored at once: memory and speed, not the result.
        overwrite: Replace an output that is there.

    Raises `DataError` for a number that is none.
    """

    each: int = 8
    skip: int = 0
    block: int = 256
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, least in (("each", 1), ("skip", 0), ("block", 1)):
            if getattr(self, name) < least:
                raise DataError(f"{name} is {getattr(self, name)}; {least} is the least", field=name)


@dataclass(frozen=True, slots=True)
class MiningInputs:
    """Tables: postings, the pool in one or several files, and labelled pairs, if there are any."""

    postings: Path
    resumes: Sequence[Path]
    labelled: Path | None = None

    @property
    def all(self) -> list[Path]:
        """Every file."""
        return [self.postings, *self.resumes, *([] if self.labelled is None else [self.labelled])]


def manifest_of(output: Path) -> Path:
    """Where the manifest of an output stands."""
    return output.with_name(f"{output.name}.manifest.json")


def mine_pairs(
    bundle: Path,
    inputs: MiningInputs,
    output: Path,
    *,
    columns: MiningColumns,
    options: MiningOptions,
    load: Callable[[Bundle], LoadedModel],
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> int:
    """Write the mined pairs as JSON Lines, and their manifest; returns how many there are.

    The output appears whole or not at all, readable by its owner only; it holds text of resumes. `progress`
    is told how many resumes were scored. Raises `DataFormatError` for tables or columns that are wrong,
    `DataError` if the output is in the way or nothing can be mined, `BundleError`.
    """
    _check_output(inputs, output, overwrite=options.overwrite)
    findings, faults = Findings(), Faults()
    postings = read_postings(inputs.postings, columns, findings, faults)
    pool = Pool(inputs.resumes, columns, findings)
    model = load(read := read_bundle(bundle))
    try:
        matcher = Matcher(read, model.tokenizer)
        miner = _Miner(matcher, model, postings, options, faults)
        counts = LabelledCounts()
        if inputs.labelled is not None:
            counts = read_known(inputs.labelled, miner.postings, miner.known, columns, findings, faults)
        for note in findings.notes:
            say(f"note: {note}")
        if counts.elsewhere:
            say(
                f"note: {counts.elsewhere:,} of {counts.pairs:,} labelled pairs are of postings that do not "
                f"stand in {inputs.postings}"
            )
        seen = miner.score(pool, progress)
        info = model.engine.info
    finally:
        model.engine.close()
    for line in faults.said:
        say(f"note: {line}")
    ranked = [hardest.ranked(options.skip) for hardest in miner.hardest]
    pairs = sum(map(len, ranked))
    if not pairs:
        raise DataError(f"nothing was mined: {seen:,} resumes could be read, none of them is a candidate")
    short = sum(len(of) < options.each for of in ranked)
    if short:
        say(f"note: {short:,} of {len(ranked):,} postings have fewer than {options.each} candidates")
    with private_file(output) as stream:
        for row in _rows(miner.postings, ranked, pool):
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    manifest = {
        "format": FORMAT,
        "kind": "mined_negatives",
        "bundle": {"name": read.manifest.name, "version": read.manifest.version, "digest": read.digest},
        "engine": {"name": info.name, "device": info.device, "precision": info.precision},
        "each": options.each,
        "skip": options.skip,
        "inputs": {
            "postings": _file(inputs.postings),
            "resumes": [_file(path) for path in inputs.resumes],
            "labelled": None if inputs.labelled is None else _file(inputs.labelled),
        },
        "counts": {
            "postings": len(miner.postings),
            "resumes": seen,
            "rows_left_out": faults.count,
            "labelled_pairs": counts.pairs,
            "labelled_matches": counts.matches,
            "labelled_pairs_of_other_postings": counts.elsewhere,
            "postings_with_fewer": short,
            "pairs": pairs,
        },
        "output": _file(output),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "evenmatch": metadata.version("evenmatch"),
    }
    write_private(manifest_of(output), json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return pairs


class _Miner:
    """Scores blocks of a pool against all postings. `postings`: those that can be read."""

    def __init__(
        self,
        matcher: Matcher,
        model: LoadedModel,
        postings: Sequence[GivenDocument],
        options: MiningOptions,
        faults: Faults,
    ) -> None:
        self._matcher, self._model, self._options, self._faults = matcher, model, options, faults
        self.postings: list[GivenDocument] = []
        jobs: list[TokenizedJob] = []
        for posting in postings:
            try:
                jobs.append(matcher.tokenize_job(posting.text, posting.title, title_field="title"))
            except InputError as error:
                faults.add(f"{posting.place}: {reason_of(error)}")
                continue
            self.postings.append(posting)
        if not jobs:
            raise DataError("\n".join(["no posting can be read", *faults.said]))
        names = [[("family", name) for name in posting.categories] for posting in self.postings]
        self.known = KnownPairs(families_of([[p.ids for p in job.passages] for job in jobs], names))
        encoded = encode_distinct(model, jobs, [])
        self._jobs: list[PreparedJob] = [matcher.prepared(job, encoded.of(job.texts)) for job in jobs]
        self.hardest = [Hardest(options.each + options.skip) for _ in jobs]

    def score(self, pool: Pool, progress: Callable[[int], None]) -> int:
        """Offer every resume of the pool to every posting; returns how many could be read."""
        seen = 0
        for block in _blocks(self._readable(pool), self._options.block):
            self._score_block(block)
            seen += len(block)
            progress(seen)
        return seen

    def _readable(self, pool: Pool) -> Iterator[tuple[Candidate, TokenizedResume]]:
        for one in pool.rows(self._faults):
            try:
                yield one, self._matcher.tokenize_resume(one.text)
            except InputError as error:
                self._faults.add(f"{one.place}: {reason_of(error)}")

    def _score_block(self, block: Sequence[tuple[Candidate, TokenizedResume]]) -> None:
        scorer = self._matcher.scorer
        encoded = encode_distinct(self._model, [], [resume for _, resume in block])
        resumes = [scorer.resume(encoded.of(resume.texts)) for _, resume in block]
        texts = [fingerprint_once(one.text) for one, _ in block]
        shingles: dict[int, Shingles] = {}
        for start in range(0, len(self._jobs), _JOBS_AT_ONCE):
            scores = scorer.scores(self._jobs[start : start + _JOBS_AT_ONCE], resumes)  # (J, B)
            for posting, row in enumerate(scores, start):
                kept = self.hardest[posting]
                for number in (row >= kept.least_score).nonzero()[0].tolist():
                    one = block[number][0]
                    if not self.known.is_candidate(posting, one.id, texts[number]):
                        continue
                    if number not in shingles:
                        shingles[number] = word_shingles(one.text)
                    if not self.known.repeats_match(posting, shingles[number]):
                        kept.offer(Scored(-float(row[number]), one.id, one.file, one.row, texts[number]))


def _rows(
    postings: Sequence[GivenDocument], ranked: Sequence[Sequence[Scored]], pool: Pool
) -> Iterator[dict[str, Any]]:
    """The pairs as training reads them, posting by posting, the hardest first."""
    texts = pool.texts_of({(one.file, one.row) for of in ranked for one in of})
    for posting, of in zip(postings, ranked, strict=True):
        for rank, one in enumerate(of, 1):
            text = texts.get((one.file, one.row))
            if text is None or fingerprint_once(text) != one.text:
                raise DataError(
                    "a file of resumes was changed while it was read: mine again", field="resumes"
                )
            yield {
                "job_id": posting.id,
                "title": posting.title,
                "job": posting.text,
                "resume_id": one.id,
                "resume": text,
                "label": 0,
                MINED_COLUMN: True,
                "raw_score": -one.cost,
                "rank": rank,
            }


def _blocks(
    of: Iterator[tuple[Candidate, TokenizedResume]], size: int
) -> Iterator[list[tuple[Candidate, TokenizedResume]]]:
    while block := list(islice(of, size)):
        yield block


def _check_output(inputs: MiningInputs, output: Path, *, overwrite: bool) -> None:
    if output.suffix.lower() != ".jsonl":
        raise DataError(f"{output}: mined pairs are JSON Lines; call the output .jsonl", field="output")
    for path in (output, manifest_of(output)):
        if path.resolve() in {given.resolve() for given in inputs.all}:
            raise DataError(f"{path} is an input, too", field="output")
        if path.is_dir() or (path.exists() and not overwrite):
            raise DataError(f"{path} is there already; --overwrite replaces a file", field="output")
    output.parent.mkdir(parents=True, exist_ok=True)


def _file(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": sha256_file(path)}
