"""Names put inside the text: how they move scores where the layout does not keep the name apart.

With passages that follow the layout, a name on a line of its own hardly counts. Resumes that were copied out
of another form run name and text together; so here a name stands in one of the passages, the same for all
groups.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from service.core.bundle import Bundle
from service.core.counterfactual.lexicons import load_groups
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from service.core.scorer import Scorer
from training.data.example import Example
from training.evaluation.resampling import estimate
from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Floats
from training.evaluation.scoring import RememberingEngine
from training.learning.tokenized import PairTokenizer, Texts

_SETS_EACH = 3


def names_inside(
    bundle: Bundle,
    loaded: LoadedModel,
    examples: Sequence[Example],
    *,
    rounds: int,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Figures over sets of one name a group, in each of `examples`, from the lists kept for audits.

    `shift_over_sd`: mean distance of a variant's raw_score from its set's mean, over the standard deviation
    of the examples' redacted scores. `min_max_ratio`: lowest over highest share of first places of the
    groups, ties shared. Intervals by bootstrap over examples. Raises an `InputError` for an unusable text.
    """
    loaded = replace(loaded, engine=RememberingEngine(loaded.engine))
    tokenizer = PairTokenizer(Matcher(bundle, loaded.tokenizer), loaded.tokenizer)
    draws = random.Random(int(rng.integers(2**32)))
    found = [_of_pair(bundle, loaded, tokenizer, example, draws) for example in examples]
    plain = np.array([score for score, _ in found])
    sets = np.stack([scores for _, scores in found])  # (E, S, G)
    shifts = np.abs(sets - sets.mean(axis=2, keepdims=True)).mean(axis=(1, 2))  # (E,)
    top = sets == sets.max(axis=2, keepdims=True)
    wins = (top / top.sum(axis=2, keepdims=True)).sum(axis=1)  # (E, G)
    weights = np.vstack(
        [np.ones(len(found)), rng.multinomial(len(found), np.full(len(found), 1 / len(found)), rounds)]
    )
    shares = weights @ wins
    return {
        "shift_over_sd": estimate(weights @ shifts / len(found) / plain.std(), len(found), "equal scores"),
        "min_max_ratio": estimate(shares.min(axis=1) / shares.max(axis=1), sets.shape[0] * sets.shape[1], ""),
    }


def _of_pair(
    bundle: Bundle, loaded: LoadedModel, tokenizer: PairTokenizer, example: Example, draws: random.Random
) -> tuple[float, Floats]:
    """The redacted score, and the scores of all sets (S, G)."""
    pair = tokenizer.tokenize([example])
    job, resume, embed = pair.jobs[0], pair.resumes[0], loaded.engine.embed
    title = embed([job.title])[0] if job.title is not None else None
    scorer = Scorer(bundle.manifest.matching, bundle.occupations)
    of_job = scorer.job(embed(job.passages), title)

    def score(texts: Texts) -> float:
        return scorer.score(of_job, scorer.resume(embed(texts)))

    lexicon = load_groups("audit")
    sets = [
        [score(texts) for _, texts in tokenizer.variants(resume, lexicon, draws, spliced=True)]
        for _ in range(_SETS_EACH)
    ]
    return score(resume.redacted), np.array(sets)
