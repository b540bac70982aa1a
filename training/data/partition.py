"""A user's pairs divided into splits, so that no person and no job is in two of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from training.data.example import SPLITS, Example, SplitName

SplitBy = Literal["person_and_job", "person"]
Part = TypeVar("Part", SplitName, int)
"""A split by its name, or a fold by its number."""

SHARES: dict[SplitName, float] = {
    "train": 0.6,
    "validation": 0.1,
    "calibration": 0.1,
    "threshold": 0.1,
    "test": 0.1,
}
LARGEST_COMPONENT = 0.5
"""A connected component of persons and jobs with more than this share of the pairs has to be cut."""

LEAST_JOBS = 10
"""With fewer jobs a split by job leaves a job or none for each split."""


def fill_splits(
    whole: Sequence[Example],
    given: Mapping[SplitName, list[Example]],
    by: SplitBy,
    seed: int,
    warnings: list[str],
) -> dict[SplitName, list[Example]]:
    """All five splits: the `given` as they are, missing ones cut off from one of them or from `whole`."""
    if not given:
        return partition(whole, SHARES, by, seed, warnings)
    missing = [split for split in SPLITS if split not in given]
    donor: SplitName = "validation" if "validation" in given and "test" not in missing else "train"
    splits = {split: list(examples) for split, examples in given.items()}
    if missing:
        kept = 1 - 0.1 * len(missing) if donor == "train" else 1 / (1 + len(missing))
        shares = {donor: kept} | {split: (1 - kept) / len(missing) for split in missing}
        warnings.append(f"no {', '.join(missing)} given: cut off from {donor}")
        splits |= partition(given[donor], shares, by, seed, warnings)
    return splits


def partition(
    examples: Sequence[Example],
    shares: Mapping[SplitName, float],
    by: SplitBy,
    seed: int,
    warnings: list[str],
) -> dict[SplitName, list[Example]]:
    """Divide `examples` so that persons, and jobs if asked, stay in one split each.

    Where most persons and jobs form one connected component, persons and jobs are assigned separately, and
    pairs whose person and job are in different splits are dropped; a warning says how many.
    """
    rng = random.Random(seed)
    jobs = len({e.job_id for e in examples})
    if by == "person_and_job" and jobs < LEAST_JOBS:
        warnings.append(f"only {jobs} jobs: split by person alone, the same jobs stand in several splits")
        by = "person"
    if by == "person":
        dealt = deal([e.resume_id for e in examples], shares, rng)
        return _collect(examples, [dealt[e.resume_id] for e in examples], shares)
    components = _components(examples)
    sizes = np.bincount(components)
    if sizes.max() <= LARGEST_COMPONENT * len(examples):
        names = [str(component) for component in components]
        dealt = deal(names, shares, rng)
        return _collect(examples, [dealt[name] for name in names], shares)
    persons = deal([e.resume_id for e in examples], shares, rng)
    of_jobs = deal([e.job_id for e in examples], shares, rng)
    kept = [e for e in examples if persons[e.resume_id] == of_jobs[e.job_id]]
    warnings.append(
        f"persons and jobs are too entangled to part: {len(examples) - len(kept)} of {len(examples)} pairs "
        f"between splits were dropped (`split_by: person` keeps them, with the same jobs in several splits)"
    )
    return _collect(kept, [persons[e.resume_id] for e in kept], shares)


def deal(names: Sequence[str], shares: Mapping[Part, float], rng: random.Random) -> dict[str, Part]:
    """Assign each distinct name, the most frequent first, to the part that lacks most of its share."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    order = sorted(counts)
    rng.shuffle(order)
    # Shuffled first: this sort is stable, so that names of equal counts keep the random order.
    order.sort(key=lambda name: -counts[name])
    filled = dict.fromkeys(shares, 0)
    dealt: dict[str, Part] = {}
    for name in order:
        split = max(shares, key=lambda s: shares[s] - filled[s] / len(names))
        dealt[name] = split
        filled[split] += counts[name]
    return dealt


def _components(examples: Sequence[Example]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The connected component of each pair in the graph of persons and jobs, (N,)."""
    persons = {name: i for i, name in enumerate(dict.fromkeys(e.resume_id for e in examples))}
    jobs = {name: i + len(persons) for i, name in enumerate(dict.fromkeys(e.job_id for e in examples))}
    rows = np.array([persons[e.resume_id] for e in examples])
    columns = np.array([jobs[e.job_id] for e in examples])
    nodes = len(persons) + len(jobs)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component[rows], dtype=np.int32)


def _collect(
    examples: Sequence[Example], splits: Sequence[SplitName], shares: Mapping[SplitName, float]
) -> dict[SplitName, list[Example]]:
    found: dict[SplitName, list[Example]] = {split: [] for split in shares}
    for example, split in zip(examples, splits, strict=True):
        found[split].append(example)
    return found
