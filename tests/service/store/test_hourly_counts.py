from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.store.hourly_counts import EDGES, bin_of
from service.store.tables import BINS


def test_the_edges_ascend_and_stay_where_they_are() -> None:
    assert len(EDGES) == BINS + 1
    assert list(EDGES) == sorted(set(EDGES))
    # Stored counts stand by these numbers.
    assert (EDGES[1], EDGES[64], EDGES[127]) == (0.00038, 0.5, 0.99962)


@given(st.floats(0, 1) | st.sampled_from(EDGES[1:-1]))
def test_a_probability_is_in_the_bin_between_its_edges(probability: float) -> None:
    number = bin_of(probability)
    assert EDGES[number] <= probability < EDGES[number + 1]
