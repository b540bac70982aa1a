"""Evenmatch from Python and notebooks: score, audit, train and measure without a server.

    import evenmatch

    model = evenmatch.load()
    scores = model.score("posting ...", ["resume ...", "resume ..."], title="Backend engineer")
    run = evenmatch.train("run.yaml", frame, output="bundles/ours")

Everything here comes from `service` and `training`, with the same defaults and the same numbers; it is loaded
when it is first used, so that importing this package costs nothing. docs/python.md shows each part.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from evenmatch.own_packages import claim

if TYPE_CHECKING:
    from evenmatch.audits import Audit
    from evenmatch.exploring import DataExploration, explore, synthetic_pairs
    from evenmatch.external import ExternalReport, evaluate_external
    from evenmatch.measuring import (
        BundleEvaluation,
        Comparison,
        PairShifts,
        compare,
        evaluate,
        shifts_of_pairs,
    )
    from evenmatch.model import Model, load, shipped_bundles
    from evenmatch.publishing import export, import_bundle
    from evenmatch.ray_scoring import ScoredOutput, score_with_ray
    from evenmatch.scores import RedactedResume, Score, Scores
    from evenmatch.training_run import TrainingRun, read_run, train
    from service.core.bundle import read_bundle
    from service.core.errors import EvenmatchError
    from service.core.word_attribution import WordAttributor

__all__ = [
    "Audit",
    "BundleEvaluation",
    "Comparison",
    "DataExploration",
    "EvenmatchError",
    "ExternalReport",
    "Model",
    "PairShifts",
    "RedactedResume",
    "Score",
    "ScoredOutput",
    "Scores",
    "TrainingRun",
    "WordAttributor",
    "compare",
    "evaluate",
    "evaluate_external",
    "explore",
    "export",
    "import_bundle",
    "load",
    "read_bundle",
    "read_run",
    "score_with_ray",
    "shifts_of_pairs",
    "shipped_bundles",
    "synthetic_pairs",
    "train",
]

_PLACES = {
    "Audit": "evenmatch.audits",
    "BundleEvaluation": "evenmatch.measuring",
    "Comparison": "evenmatch.measuring",
    "DataExploration": "evenmatch.exploring",
    "EvenmatchError": "service.core.errors",
    "ExternalReport": "evenmatch.external",
    "Model": "evenmatch.model",
    "PairShifts": "evenmatch.measuring",
    "RedactedResume": "evenmatch.scores",
    "Score": "evenmatch.scores",
    "ScoredOutput": "evenmatch.ray_scoring",
    "Scores": "evenmatch.scores",
    "TrainingRun": "evenmatch.training_run",
    "WordAttributor": "service.core.word_attribution",
    "compare": "evenmatch.measuring",
    "evaluate": "evenmatch.measuring",
    "evaluate_external": "evenmatch.external",
    "explore": "evenmatch.exploring",
    "export": "evenmatch.publishing",
    "import_bundle": "evenmatch.publishing",
    "load": "evenmatch.model",
    "read_bundle": "service.core.bundle",
    "read_run": "evenmatch.training_run",
    "score_with_ray": "evenmatch.ray_scoring",
    "shifts_of_pairs": "evenmatch.measuring",
    "shipped_bundles": "evenmatch.model",
    "synthetic_pairs": "evenmatch.exploring",
    "train": "evenmatch.training_run",
}
"""The module of each name."""

_WITH_TRAINING = (
    "evenmatch.exploring",
    "evenmatch.external",
    "evenmatch.measuring",
    "evenmatch.publishing",
    "evenmatch.training_run",
)


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'evenmatch' has no attribute {name!r}")
    claim("service")
    if place in _WITH_TRAINING:
        claim("training")
    try:
        with catch_warnings():
            # Of tqdm in notebooks, without a package that draws its bar: text does as well.
            filterwarnings("ignore", "IProgress not found")
            found = getattr(import_module(place), name)
    except ModuleNotFoundError as error:
        if place in _WITH_TRAINING and (error.name or "").partition(".")[0] not in ("service", "training"):
            raise ImportError(
                f"evenmatch.{name} needs {error.name}: pip install 'evenmatch[training]'", name=error.name
            ) from error
        raise
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
