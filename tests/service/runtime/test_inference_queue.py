from __future__ import annotations

import threading

import numpy as np
import pytest

from service.core.errors import EngineError, QueueFullError, RequestTooLargeError, ShuttingDownError
from service.runtime.inference_queue import (
    BACKGROUND_BATCH_TOKENS,
    BULK_BATCH_TOKENS,
    QUIET_SECONDS,
    EncodingRequest,
    InferenceQueue,
)
from tests.support.patience import PATIENCE


def texts(*lengths: int) -> EncodingRequest:
    return EncodingRequest([tuple(range(n)) for n in lengths])


@pytest.fixture
def depths() -> list[int]:
    return []


@pytest.fixture
def queue(depths: list[int]) -> InferenceQueue:
    return InferenceQueue(100, depths.append)


def lengths(queue: InferenceQueue, budget: int) -> list[int]:
    batch = queue.take(budget)
    assert batch is not None
    return [len(item.ids) for item in batch]


def test_a_batch_fills_its_budget_and_is_sorted_by_length(queue: InferenceQueue) -> None:
    queue.put(texts(5, 20, 10, 30))
    assert lengths(queue, 40) == [20, 10, 5]
    assert lengths(queue, 40) == [30]
    assert queue.tokens == 0


def test_a_text_above_the_budget_travels_alone(queue: InferenceQueue) -> None:
    queue.put(texts(50, 5))
    assert lengths(queue, 10) == [50]


def test_a_large_request_does_not_hold_up_a_small_one(queue: InferenceQueue) -> None:
    large, small = texts(*[10] * 8), texts(7)
    queue.put(large)
    queue.put(small)
    batch = queue.take(20)
    assert batch is not None
    assert small in [item.request for item in batch]


def test_a_probe_goes_first_and_is_never_refused_for_room(queue: InferenceQueue) -> None:
    queue.put(texts(100))
    probe = texts(3)
    queue.put(probe, urgent=True)
    batch = queue.take(3)
    assert batch is not None
    assert [item.request for item in batch] == [probe]


def test_a_full_queue_names_its_limit_and_when_to_come_back(queue: InferenceQueue) -> None:
    queue.put(texts(60))
    with pytest.raises(QueueFullError) as caught:
        queue.put(texts(41), retry_after=7)
    assert (caught.value.limit, caught.value.actual, caught.value.retry_after) == (100, 101, 7)
    queue.put(texts(40))


def test_a_request_that_could_never_fit_is_refused_for_good(queue: InferenceQueue) -> None:
    with pytest.raises(RequestTooLargeError, match="split it") as caught:
        queue.put(texts(101))
    assert (caught.value.limit, caught.value.actual) == (100, 101)


def test_the_depth_is_told_in_texts(queue: InferenceQueue, depths: list[int]) -> None:
    queue.put(texts(1, 2, 3))
    queue.put(texts(4))
    queue.take(6)
    assert depths == [3, 4, 2]


def test_a_request_given_up_frees_its_room(queue: InferenceQueue) -> None:
    given_up, other = texts(90), texts(5)
    queue.put(given_up)
    given_up.future.cancel()
    queue.put(other)
    assert lengths(queue, 100) == [5]
    assert queue.tokens == 0


def test_a_closed_queue_serves_what_waits_and_takes_no_more(queue: InferenceQueue) -> None:
    queue.put(texts(5))
    queue.close()
    with pytest.raises(ShuttingDownError):
        queue.put(texts(1))
    assert not queue.is_drained
    assert lengths(queue, 10) == [5]
    assert queue.take(10) is None
    assert queue.is_drained


def test_a_waiting_consumer_wakes_up(queue: InferenceQueue) -> None:
    taken: list[int] = []
    consumer = threading.Thread(target=lambda: taken.extend(lengths(queue, 10)))
    consumer.start()
    queue.put(texts(4))
    consumer.join(PATIENCE)
    assert taken == [4]


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    request = texts(1, 2)
    request.deliver(1, np.array([2, 2], np.float32))
    assert not request.future.done()
    request.deliver(0, np.array([1, 1], np.float32))
    assert request.future.result(0).tolist() == [[1, 1], [2, 2]]


def test_the_first_failure_of_a_request_counts() -> None:
    request = texts(1, 1)
    request.fail(EngineError("first"))
    request.fail(EngineError("second"))
    request.deliver(0, np.array([1], np.float32))
    request.deliver(1, np.array([1], np.float32))
    with pytest.raises(EngineError, match="first"):
        request.future.result(0)


def test_all_waiting_requests_can_be_failed_at_once(queue: InferenceQueue) -> None:
    requests = [texts(5), texts(6)]
    for request in requests:
        queue.put(request)
    queue.fail_all(EngineError("gone"))
    assert queue.tokens == 0
    for request in requests:
        with pytest.raises(EngineError, match="gone"):
            request.future.result(0)


def bulk(*lengths: int) -> EncodingRequest:
    return EncodingRequest([tuple(range(n)) for n in lengths], lane="bulk")


def test_bulk_goes_after_live_texts_and_before_background_ones(queue: InferenceQueue) -> None:
    job, live, shadow = bulk(6), texts(7), background(8)
    for request in (shadow, job, live):
        queue.put(request)
    order = [batch[0].request for _ in range(3) if (batch := queue.take(1_000))]
    assert order == [live, job, shadow]


def test_a_bulk_batch_is_small_while_live_requests_come_and_full_once_it_is_quiet() -> None:
    now = 100.0
    queue = InferenceQueue(10_000, lambda _: None, clock=lambda: now)
    queue.put(texts(5))
    queue.put(bulk(*[64] * 40))
    assert len(queue.take(1_024) or []) == 1
    assert len(queue.take(1_024) or []) == BULK_BATCH_TOKENS // 64
    now += QUIET_SECONDS
    assert len(queue.take(1_024) or []) == 1_024 // 64


def test_closing_fails_bulk_requests(queue: InferenceQueue) -> None:
    job = bulk(5)
    queue.put(job)
    queue.close()
    assert isinstance(job.future.exception(timeout=1), ShuttingDownError)


def background(*lengths: int) -> EncodingRequest:
    return EncodingRequest([tuple(range(n)) for n in lengths], lane="background")


def test_live_texts_go_before_background_ones_that_came_first(queue: InferenceQueue) -> None:
    shadow, live = background(10, 10), texts(7, 8)
    queue.put(shadow)
    queue.put(live)
    first, second = queue.take(100), queue.take(100)
    assert first is not None
    assert second is not None
    assert {item.request for item in first} == {live}
    assert {item.request for item in second} == {shadow}


def test_no_batch_mixes_live_and_background_texts(queue: InferenceQueue) -> None:
    queue.put(background(10))
    queue.put(texts(10))
    assert [lengths(queue, 100), lengths(queue, 100)] == [[10], [10]]


def test_background_never_goes_while_live_texts_keep_coming(queue: InferenceQueue) -> None:
    shadow = background(5)
    queue.put(shadow)
    for _ in range(50):
        queue.put(texts(30))
        batch = queue.take(100)
        assert batch is not None
        assert shadow not in [item.request for item in batch]
    assert lengths(queue, 100) == [5]


def test_a_background_batch_is_small(depths: list[int]) -> None:
    queue = InferenceQueue(10_000, depths.append)
    queue.put(background(*[100] * 10))
    assert sum(lengths(queue, 4_096)) <= BACKGROUND_BATCH_TOKENS
    live = texts(50)
    queue.put(live)  # it waits for that one batch and no more
    batch = queue.take(4_096)
    assert batch is not None
    assert [item.request for item in batch] == [live]


def test_background_texts_take_no_room_and_no_depth_from_live_ones(
    queue: InferenceQueue, depths: list[int]
) -> None:
    queue.put(background(90))
    assert (queue.tokens, depths) == (0, [0])
    queue.put(texts(100))
    with pytest.raises(QueueFullError):
        queue.put(background(11))
    assert queue.tokens == 100


def test_closing_fails_background_requests_and_serves_the_others(queue: InferenceQueue) -> None:
    shadow, live = background(5), texts(6)
    queue.put(shadow)
    queue.put(live)
    queue.close()
    with pytest.raises(ShuttingDownError):
        shadow.future.result(0)
    assert lengths(queue, 100) == [6]
    assert queue.take(100) is None
    assert queue.is_drained


def test_a_cancelled_background_request_is_not_computed(queue: InferenceQueue) -> None:
    given_up, other = background(5), background(6)
    queue.put(given_up)
    queue.put(other)
    given_up.future.cancel()
    assert lengths(queue, 100) == [6]
