"""What `service.ray_data.cluster.Cluster` does, in this process and one block after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from service.core.errors import ClusterError
from service.files.postings import Posting
from service.ray_data.blocks import Block, Fault, blocks_of_documents, blocks_of_table
from service.ray_data.cluster import Workers
from service.ray_data.inputs import InputFile, Inspection, TableColumns, inspect
from service.ray_data.worker import BlockDone, BlockScorer, PreparedPostings, Scoring, prepare_postings


class InProcessCluster:
    """`breaks_after`: blocks that are written before it goes away; the last one is not told of any more."""

    def __init__(self, breaks_after: int | None = None) -> None:
        self.workers = 1
        self.breaks_after = breaks_after
        self.scored: list[str] = []

    @contextmanager
    def connected(self, workers: Workers) -> Iterator[InProcessCluster]:
        yield self

    def inspect(self, files: Sequence[InputFile], wanted: TableColumns) -> list[Inspection]:
        return [inspect(file, wanted) for file in files]

    def prepare(self, scoring: Scoring, postings: Sequence[Posting]) -> PreparedPostings:
        return prepare_postings(scoring, postings, 1)

    def score(
        self,
        scoring: Scoring,
        prepared: PreparedPostings,
        inputs: Sequence[Inspection] | Sequence[InputFile],
        *,
        rows: int,
        finished: frozenset[str],
        run: str | None,
    ) -> Iterator[BlockDone | Fault]:
        scorer = BlockScorer(scoring, prepared, threads=1, run=run)
        try:
            for block in _blocks(inputs, rows, finished):
                if isinstance(block, Fault):
                    yield block
                    continue
                done = scorer.score(block)
                self.scored.append(block.name)
                if self.breaks_after is not None and len(self.scored) >= self.breaks_after:
                    raise ClusterError("the cluster failed or went away")
                yield done
        finally:
            scorer.close()


def _blocks(
    inputs: Sequence[Inspection] | Sequence[InputFile], rows: int, finished: frozenset[str]
) -> Iterator[Block | Fault]:
    documents = [one for one in inputs if isinstance(one, InputFile)]
    yield from blocks_of_documents(documents, rows, finished)
    for one in inputs:
        if isinstance(one, Inspection):
            yield from blocks_of_table(one, rows, finished)
