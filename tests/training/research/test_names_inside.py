from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.core.bundle import Bundle
from service.core.counterfactual.lexicons import load_groups
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TextTokenizer, TokenIds
from tests.support.fakes import FakeEngine
from tests.support.training_world import examples_of
from training.evaluation.schema import Estimate
from training.research.names_inside import names_inside

EXAMPLES = [example for example in examples_of(4, prefix="names") if example.label == 1]


class NurseEngine(FakeEngine):
    """Knows one word. A text that holds one of `names` stands further from all others."""

    def __init__(self, nurse: TokenIds, names: Sequence[TokenIds]) -> None:
        super().__init__()
        self._nurse, self._names = nurse, names

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        rows = []
        for ids in batch:
            vector = (1.0, 0.0, 0.0) if _holds(ids, self._nurse) else (0.6, 0.8, 0.0)
            rows.append((0.0, 0.0, 1.0) if any(_holds(ids, name) for name in self._names) else vector)
        return np.array(rows, dtype=np.float32)


def _holds(ids: TokenIds, wanted: TokenIds) -> bool:
    return any(ids[i : i + len(wanted)] == wanted for i in range(len(ids) - len(wanted) + 1))


def figures(bundle: Bundle, reacts_to: str | None) -> dict[str, Estimate]:
    tokenizer = TextTokenizer.load(Path(bundle.manifest.base_model.id) / "tokenizer.json", bundle.manifest)
    names = load_groups("audit").given_names[reacts_to] if reacts_to else ()
    nurse, *tokens = (ids[1:-1] for ids in tokenizer.encode_all(["nurse", *names], "resume"))
    loaded = LoadedModel(NurseEngine(nurse, tokens), tokenizer)
    return names_inside(bundle, loaded, EXAMPLES, rounds=20, rng=np.random.default_rng(1))


def test_a_model_that_does_not_read_names_is_even(tiny_bundle: Bundle) -> None:
    found = figures(tiny_bundle, None)
    assert found["shift_over_sd"].value == 0
    assert found["min_max_ratio"].value == 1
    assert found["min_max_ratio"].n == 3 * len(EXAMPLES)


def test_a_model_that_turns_from_one_groups_names_is_found(tiny_bundle: Bundle) -> None:
    found = figures(tiny_bundle, "asian:female")
    assert (found["shift_over_sd"].value or 0) > 0.05
    assert found["min_max_ratio"].value is not None
    assert found["min_max_ratio"].value < 0.5
