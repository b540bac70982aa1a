from __future__ import annotations

import time

from service.store.write_queue import Submission, WriteQueue
from tests.support.decision_logs import decision, decisions


def test_the_queue_gives_out_batches_up_to_a_size() -> None:
    queue = WriteQueue(100, lambda _: None)
    for start in (1, 4, 7):
        queue.put(Submission(decisions(3, start)))
    batch = queue.take(0, 0, 6)
    assert batch is not None
    assert [len(one.decisions) for one in batch] == [3, 3]
    queue.close()
    assert len(queue.take(0, 0, 1) or []) == 1
    assert queue.take(None, 0, 1) is None


def test_the_queue_gathers_unless_an_answer_waits() -> None:
    queue = WriteQueue(100, lambda _: None)
    queue.put(Submission([decision(1)]))
    started = time.monotonic()
    assert len(queue.take(None, 0.2, 10) or []) == 1
    assert time.monotonic() - started >= 0.15
    queue.put(Submission([decision(2)], waiting=True))
    assert len(queue.take(None, 3_600, 10) or []) == 1
    assert queue.take(0, 3_600, 10) == []
