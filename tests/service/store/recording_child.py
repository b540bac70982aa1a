"""A process that records decisions until it is told otherwise, or killed: `python -m` this with a folder.

It has open what a serving process has open: the writer's connections and those for questions. Commands come
on stdin, one a line; each is answered by a line of JSON.

    record N    record the next N decisions; the numbers that were acknowledged
    state       the recorder's state
    ready       whether it would be ready, else the code of the error
    outcome N   record an outcome of decision N; whether that was acknowledged
    opens       which of the database's files Python code opened in this process, ever
    stop        end in order
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.core.errors import EvenmatchError
from service.store.database import open_database
from service.store.outcomes import Outcome, record_outcomes
from service.store.recorder import DATABASE_FILE, Recorder, StoreOptions, open_recorder
from service.store.transactions import reading
from tests.support.decision_logs import decision

opened: list[str] = []


def note_open(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | bytes):
        name = os.path.basename(os.fsdecode(arguments[0]))
        if name in {f"{DATABASE_FILE}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")}:
            opened.append(name)


class Child:
    def __init__(self, folder: Path, timeout: float) -> None:
        options = StoreOptions.model_construct(
            data_dir=folder, database_seconds=timeout, durable=True, retention_days=36_500
        )
        self.recorder: Recorder = open_recorder(options)
        self.recorder.start()
        self.questions = open_database(options.url, timeout=timeout)
        self.next = 1

    def record(self, count: int) -> list[int]:
        acknowledged = []
        for number in range(self.next, self.next + count):
            try:
                asyncio.run(self.recorder.record([decision(number)]))
            except EvenmatchError:
                continue
            acknowledged.append(number)
        self.next += count
        return acknowledged

    def ask(self) -> None:
        """Keep a connection for questions in its pool, as a service does."""
        try:
            with reading(self.questions) as connection:
                connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar()
        except EvenmatchError:
            pass

    def ready(self) -> str:
        try:
            self.recorder.check_ready()
        except EvenmatchError as error:
            return error.code
        return "ready"

    def outcome(self, number: int) -> bool:
        given = Outcome(decision(number).decision_id, True, "label")
        try:
            results = record_outcomes(self.questions, [given], now=datetime.now(UTC), skew=timedelta(days=1))
        except EvenmatchError:
            return False
        return results[0].event is not None

    def answer(self, command: str, count: int) -> object:
        self.ask()
        match command:
            case "record":
                return self.record(count)
            case "state":
                return self.recorder.state
            case "ready":
                return self.ready()
            case "outcome":
                return self.outcome(count)
            case "opens":
                return opened
        raise AssertionError(command)


def say(answer: object) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def main(folder: Path, timeout: float) -> None:
    sys.addaudithook(note_open)
    child = Child(folder, timeout)
    say("started")
    for line in sys.stdin:
        command, _, count = line.strip().partition(" ")
        if command == "stop":
            child.questions.dispose()
            child.recorder.stop()
            say("stopped")
            return
        say(child.answer(command, int(count or 0)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
