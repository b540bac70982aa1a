"""Many histories: folders, databases and disks for them, and what came of all."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import failures
from tests.chaos.history import History, Kind, Round
from tests.chaos.service import CHECKOUT, ChaosError, Place, command
from tests.support.postgres import PostgresServer, programs

DATABASE_SECONDS = 2


@dataclass
class Result:
    """`broken`: folders of histories that went wrong; they are kept."""

    rounds: int = 0
    decisions: int = 0
    outcomes: int = 0
    erased: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    broken: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        by_failure = ", ".join(f"{name} {count}" for name, count in sorted(self.failures.items()))
        return (
            f"{self.rounds} rounds ({by_failure}): {self.decisions:,} decisions and {self.outcomes:,} "
            f"outcomes acknowledged, {self.erased} people erased; {len(self.broken)} histories went wrong"
        )


class Campaign:
    """`say` gets a line a round. `only`: the one failure that happens."""

    def __init__(
        self, seed: int, models: Path, say: Callable[[str], None], *, only: str | None = None
    ) -> None:
        self._seed = seed
        self._only = only
        self._models = models
        self._say = say
        self.result = Result()

    def run(self, kind: Kind, rounds: int, each: int) -> None:
        """`rounds` on databases of this kind, `each` of them on one log."""
        with ExitStack() as stack:
            server = None
            if kind == "postgresql":
                found = programs()
                if found is None:
                    raise ChaosError("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
                server = PostgresServer(found)
                stack.callback(server.remove)
                server.start()
            for number, start in enumerate(range(0, rounds, each), 1):
                self._history(kind, server, number, min(each, rounds - start))

    def _history(self, kind: Kind, server: PostgresServer | None, number: int, rounds: int) -> None:
        name = f"{kind} history {number} of seed {self._seed}"
        chance = random.Random(name)
        folder = Path(tempfile.mkdtemp(prefix=f"evenmatch-chaos-{kind}-"))
        logs = folder / "logs"
        logs.mkdir()
        place = Place(
            data=folder / "data",
            logs=logs,
            models=self._models,
            url="" if server is None else server.new_database(),
            workers=chance.choice((1, 1, 2)),
            database_seconds=DATABASE_SECONDS,
        )
        names: tuple[str, ...] = failures.SQLITE if server is None else failures.POSTGRESQL
        kept: str | None = None
        with ExitStack() as stack:
            if server is None and failures.can_mount():
                stack.enter_context(failures.small_disk(place.data))
            elif server is None:
                names = failures.WITHOUT_MOUNTING
            if self._only is not None:
                names = (self._only,)
            history = History(chance, place, server, names)
            try:
                for lived in history.run(rounds):
                    self._note(name, lived)
                    if lived.faults:
                        kept = "; ".join(lived.faults)
            except (ChaosError, AssertionError) as error:
                kept = str(error)
            if kept is not None:
                # What lies on the disk of its own goes with it.
                shutil.copytree(place.data, folder / "kept", dirs_exist_ok=True)
        ledger = history.ledger
        self.result.decisions += len(ledger.decisions)
        self.result.outcomes += len(ledger.outcomes)
        self.result.erased += len(ledger.erased)
        if kept is None:
            shutil.rmtree(folder)
            return
        self.result.broken.append(folder)
        self._say(f"WRONG: {name}: {kept}; kept in {folder}")

    def _note(self, name: str, lived: Round) -> None:
        self.result.rounds += 1
        self.result.failures[f"{lived.kind} {lived.failure}"] += 1
        verdict = "; ".join(lived.faults) or "all there"
        events = ", ".join(lived.events)
        self._say(f"{name}, {lived.workers} workers: {lived.failure}, {events}: {verdict}")


@contextmanager
def models(folder: Path | None) -> Iterator[Path]:
    """A folder of converted models, made once; one that is given is kept."""
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evenmatch-chaos-models-")))
        if not any(folder.glob("openvino-*")):
            arguments = command("convert", "--output", str(folder))
            subprocess.run(arguments, cwd=CHECKOUT, check=True, capture_output=True, timeout=600)
        yield folder
