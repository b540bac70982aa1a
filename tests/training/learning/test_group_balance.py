"""Batches have about as many resumes of each group as of any other, and no pair is left out."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.counterfactual.names import NameSlots
from service.core.documents import read_document
from service.core.errors import InputError
from training.data.example import Example
from training.learning.batches import SamplingConfig
from training.learning.draws import Draw
from training.learning.group_balance import EveryPairBalanced, OneMatchAJobBalanced, spread
from training.learning.group_checks import check_groups
from training.learning.losses import UNKNOWN
from training.learning.tokenized import ResumeTokens, TokenizedPairs

Spec = list[tuple[int, int, str | None]]
"""Job, label and group of each pair; each resume is of one pair."""

DOCUMENT = read_document("nurse", field="resume")
NO_NAMES = NameSlots("", (), "", (), frozenset(), placed=False)

# 60 pairs of 6 jobs: of women 2 matches and 8 others, of men 12 and 30; of 8 nobody knows.
UNEVEN: Spec = [
    *((job, 1, "male") for job in range(6) for _ in range(2)),
    *((job, 0, "male") for job in range(6) for _ in range(5)),
    (0, 1, "female"),
    (3, 1, "female"),
    *((job, 0, "female") for job in (0, 1, 1, 2, 2, 4, 5, 5)),
    *((job, 0, None) for job in (0, 0, 1, 2, 3, 4, 5, 5)),
]


def pairs_of(spec: Spec) -> TokenizedPairs:
    pairs = TokenizedPairs([], [], {})
    for number, (job, label, group) in enumerate(spec):
        groups = {} if group is None else {"sex": group}
        pairs.resumes.append(ResumeTokens(f"r{number}", "", (), (), (), DOCUMENT, NO_NAMES, groups))
        pairs.labels[job, number] = label
        pairs.by_job.setdefault(job, []).append(number)
    return pairs


def balanced(spec: Spec, *, repeats: int = 4, batch: int = 6, negatives: int = 1) -> EveryPairBalanced:
    return EveryPairBalanced(pairs_of(spec), negatives, attribute="sex", repeats=repeats, batch=batch, seed=1)


def batches_of(draw: Draw, batch: int, epoch: int = 0) -> list[list[tuple[int, list[int]]]]:
    draw.set_epoch(epoch)
    items = [draw.item(i, random.Random(i)) for i in range(len(draw))]
    return [items[i : i + batch] for i in range(0, len(items), batch)]


def groups_in(batch: list[tuple[int, list[int]]], spec: Spec) -> Counter[str | None]:
    return Counter(spec[resume][2] for _, resumes in batch for resume in resumes)


def test_spread_by_hand() -> None:
    one, two = [(0, [i]) for i in range(4)], [(1, [10]), (1, [11])]
    assert [resumes[0] for _, resumes in spread([one, two])] == [0, 10, 1, 2, 11, 3]
    # By numbers of resumes: an item of two stands for two of one.
    assert [job for job, _ in spread([[(0, [1, 2]), (0, [3, 4])], [(1, [i]) for i in range(4)]])] == [
        1, 0, 1, 1, 0, 1,
    ]  # fmt: skip


def test_each_batch_has_about_as_many_of_each_group() -> None:
    draw = balanced(UNEVEN, repeats=5)
    for epoch in range(3):
        for batch in batches_of(draw, 6, epoch)[:-1]:
            found = groups_in(batch, UNEVEN)
            # Six items of one or two resumes: within an item of each of the two groups.
            assert abs(found["female"] - found["male"]) <= 3, found
            assert found["female"] >= 2
            assert found["male"] >= 2


def test_every_pair_is_drawn_and_the_rare_group_more_often() -> None:
    draw = balanced(UNEVEN, repeats=5, batch=1)
    known = {number for number, (_, label, _) in enumerate(UNEVEN) if label != UNKNOWN}
    assert (draw.labelled, draw.drawn) == (60, 60)
    for epoch in range(2):
        counted = Counter(r for batch in batches_of(draw, 1, epoch) for _, rs in batch for r in rs)
        assert set(counted) == known
        # 42 pairs of men, 10 of women: 4.2 times.
        times = {
            group: [n for resume, n in counted.items() if UNEVEN[resume][2] == group]
            for group in ("female", "male", None)
        }
        assert set(times["male"]) == set(times[None]) == {1}
        assert set(times["female"]) <= {4, 5}
        assert 40 <= sum(times["female"]) <= 44
    assert {draw.times()[job, n] for n, (job, _, group) in enumerate(UNEVEN) if group == "female"} == {4.2}


def test_repeats_have_a_limit() -> None:
    counted = Counter(
        r for batch in batches_of(balanced(UNEVEN, repeats=2, batch=1), 1) for _, rs in batch for r in rs
    )
    assert {counted[n] for n, (_, _, group) in enumerate(UNEVEN) if group == "female"} == {2}
    once = balanced(UNEVEN, repeats=1, batch=1)
    assert set(Counter(r for b in batches_of(once, 1) for _, rs in b for r in rs).values()) == {1}


def test_items_are_of_one_job_and_group_with_a_match_first() -> None:
    for batch in batches_of(balanced(UNEVEN, negatives=3), 6):
        for job, resumes in batch:
            assert len({UNEVEN[resume][2] for resume in resumes}) == 1
            assert {UNEVEN[resume][0] for resume in resumes} == {job}
            labels = [UNEVEN[resume][1] for resume in resumes]
            assert labels == sorted(labels, reverse=True)
            assert labels.count(1) <= 1
            assert labels.count(0) <= 3


def test_epochs_differ_and_come_the_same_again() -> None:
    draw = balanced(UNEVEN)
    epochs = [batches_of(draw, 6, epoch) for epoch in (0, 1, 2, 1)]
    assert epochs[1] == epochs[3]
    assert all(one != other for one, other in pairwise(epochs))
    assert batches_of(balanced(UNEVEN), 6) == epochs[0]
    assert {len(epoch) for epoch in epochs} == {len(draw) // 6}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from([0, 1, UNKNOWN]),
            st.sampled_from(["a", "b", "c", None]),
        ),
        max_size=40,
    ),
    st.integers(1, 3),
    st.integers(1, 6),
    st.integers(1, 5),
)
def test_no_labelled_pair_is_left_out(spec: Spec, negatives: int, repeats: int, batch: int) -> None:
    draw = balanced(spec, repeats=repeats, batch=batch, negatives=negatives)
    assert len(draw) % batch == 0
    for epoch in range(2):
        items = [item for one in batches_of(draw, batch, epoch) for item in one]
        counted = Counter(resume for _, resumes in items[: draw.distinct] for resume in resumes)
        assert set(counted) == {n for n, (_, label, _) in enumerate(spec) if label != UNKNOWN}
        assert max(counted.values(), default=0) <= repeats
        assert all(resumes for _, resumes in items)


def one_a_job(spec: Spec, negatives: int = 1) -> OneMatchAJobBalanced:
    return OneMatchAJobBalanced(pairs_of(spec), negatives, attribute="sex", batch=4, seed=1)


def test_one_match_a_job_takes_the_group_that_is_behind() -> None:
    """Eight jobs with two matches of men each; four of them have one of a woman beside."""
    spec: Spec = [
        *((job, 1, "male") for job in range(8) for _ in range(2)),
        *((job, 1, "female") for job in range(4)),
        *((job, 0, group) for job in range(8) for group in ("male", "male", "male", "female")),
    ]
    draw = one_a_job(spec)
    assert (len(draw), draw.distinct, draw.drawn) == (8, 8, 16)
    for epoch in range(3):
        both = batches_of(draw, 4, epoch)
        assert sorted(job for batch in both for job, _ in batch) == list(range(8))
        for batch in both:
            matches = Counter(spec[resumes[0]][2] for _, resumes in batch)
            others = Counter(spec[resumes[1]][2] for _, resumes in batch)
            assert matches == others == {"female": 2, "male": 2}
            assert {spec[resumes[0]][1] for _, resumes in batch} == {1}
            assert {spec[resumes[1]][1] for _, resumes in batch} == {0}


def test_who_has_no_group_keeps_a_share_of_one_match_a_job() -> None:
    spec: Spec = [(job, 1, group) for job in range(40) for group in ("female", "male", None, None)]
    draw = one_a_job(spec, negatives=0)
    counted = Counter(
        spec[resumes[0]][2] for epoch in range(20) for b in batches_of(draw, 4, epoch) for _, resumes in b
    )
    assert abs(counted["female"] - counted["male"]) <= 20  # one an epoch at most
    assert counted[None] / counted.total() == pytest.approx(0.5, abs=0.06)


def examples(*groups: dict[str, str]) -> list[Example]:
    return [
        Example("j", None, "a job", f"r{i}", "a resume", label=1, grade=2, groups=of)
        for i, of in enumerate(groups)
    ]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"balance_by": "sex"}, "sampling.balance_by: the training split has one group of sex only"),
        ({"balance_by": "age"}, "names no groups of age; it has those of sex"),
        ({"reweighing": {"method": "kamiran_calders"}}, "one group of sex only"),
        (
            {"reweighing": {"method": "inverse_frequency", "attributes": ["race", "sex"]}},
            "names no groups of race",
        ),
    ],
)
def test_what_cannot_be_balanced_is_said_before_anything_is_read(
    config: dict[str, object], said: str
) -> None:
    split = examples({"sex": "female"}, {"sex": "female"}, {})
    with pytest.raises(InputError, match=said):
        check_groups(split, SamplingConfig.model_validate(config))
    both = [*split, *examples({"sex": "male", "race": "black"}, {"sex": "female", "race": "white"})]
    if "age" not in str(config):
        check_groups(both, SamplingConfig.model_validate(config))


def test_data_without_groups_cannot_be_reweighed() -> None:
    config = SamplingConfig.model_validate({"reweighing": {"method": "kamiran_calders"}})
    with pytest.raises(InputError, match="the training split names nobody's groups"):
        check_groups(examples({}, {}), config)
    check_groups(examples({}, {}), SamplingConfig())
