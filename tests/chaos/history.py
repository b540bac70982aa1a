"""One decision log through many lives of its service, each ended by kill -9."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Literal

from service.store.recorder import DATABASE_FILE, SPOOL_FOLDER
from service.store.spool import spooled_lines
from tests.chaos import failures
from tests.chaos.checks import faults
from tests.chaos.clients import Clients, Ledger
from tests.chaos.service import ChaosError, Place, Service, run_command
from tests.support.postgres import PostgresServer

Kind = Literal["sqlite", "postgresql"]
DRAIN_SECONDS = 180
_CLIENTS = 3


@dataclass
class Round:
    """What was done in one life, as it is printed."""

    kind: Kind
    workers: int
    failure: str = ""
    events: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class History:
    """Rounds on one folder. `run` yields each when what it was promised has been checked."""

    def __init__(
        self, chance: random.Random, place: Place, server: PostgresServer | None, names: tuple[str, ...]
    ) -> None:
        self._chance = chance
        self._place = place
        self._server = server
        self._names = names
        self._started = 0
        self.ledger = Ledger()

    def run(self, rounds: int) -> Iterator[Round]:
        with ExitStack() as stack:
            service = self._start(stack)
            for _ in range(rounds):
                lasting = ExitStack()
                lived = self._live(service, lasting)
                # The failure may outlast the service that was killed, and end while the next one starts.
                with lasting:
                    if self._chance.random() < 0.5:
                        lasting.close()
                    service = self._start(stack)
                    time.sleep(self._chance.uniform(0, 1))
                self._drain(service)
                self._erase_again()
                lived.faults = [*self.ledger.wrong, *faults(self._place, self.ledger)]
                yield lived
                if lived.faults:
                    return

    def _start(self, stack: ExitStack) -> Service:
        self._started += 1
        service = Service(self._place, self._started)
        stack.callback(service.kill)
        return service

    def _live(self, service: Service, lasting: ExitStack) -> Round:
        """Traffic, a failure, commands, and the end. `lasting` holds the failure if it is not over."""
        chance = self._chance
        lived = Round("sqlite" if self._server is None else "postgresql", self._place.workers)
        lived.failure = chance.choice(self._names)
        before = len(self.ledger.decisions)
        clients = Clients(service, self.ledger, _CLIENTS, impatient=self._place.workers == 1)
        try:
            self._wait_for_traffic(before)
            time.sleep(chance.uniform(0, 1))
            lasting.enter_context(failures.fail(lived.failure, self._place, self._server))
            time.sleep(chance.uniform(0, 1 + 1.5 * self._place.database_seconds))
            if chance.random() < 0.3:
                self._touch(lived)
            if chance.random() < 0.75:
                lasting.close()
                lived.events.append("over")
                time.sleep(chance.uniform(0, 3))
                for _ in range(chance.randint(1, 2)):
                    self._touch(lived)
            if self._place.workers > 1 and chance.random() < 0.5:
                service.kill_worker(chance)
                lived.events.append("kill -9 of a worker")
                time.sleep(chance.uniform(0, 2))
            time.sleep(chance.uniform(0, 0.5))
            if not service.is_alive:
                self.ledger.wrong.append(f"the service ended by itself: see {service.log}")
        finally:
            service.kill()
            clients.stop()
        lived.events.append(f"{len(self.ledger.decisions) - before} decisions, kill -9")
        return lived

    def _wait_for_traffic(self, before: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.ledger.decisions) < before + 5:
            if time.monotonic() > deadline:
                raise ChaosError("nothing was scored for a minute")
            time.sleep(0.02)

    def _touch(self, lived: Round) -> None:
        """Something that opens the database beside the service. In a failure it may fail."""
        actions = ("head", "verify", "erase", "erase")
        action = self._chance.choice(actions if self._server is not None else (*actions, "copy"))
        lived.events.append(action)
        if action == "erase":
            self._erase(self._chance.choice(list(self.ledger.decisions.values())))
        elif action == "copy":
            self._copy()
        else:
            status = run_command(self._place, "log", action).returncode
            if status not in (0, 1):
                self.ledger.wrong.append(f"log {action} ended with {status}")

    def _copy(self) -> None:
        folder = self._place.logs / "copy"
        folder.mkdir()
        for file in self._place.data.glob(f"{DATABASE_FILE}*"):
            with suppress(FileNotFoundError):  # the journal goes when the last one closes it
                shutil.copyfile(file, folder / file.name)
        shutil.rmtree(folder)

    def _erase(self, candidate: str) -> None:
        """Confirmed, or to be asked for again: the command says which."""
        if candidate in self.ledger.erased:
            return
        # From now on the row may be gone, whatever the command says.
        self.ledger.to_erase.add(candidate)
        done = run_command(self._place, "log", "erase", "--candidate", candidate)
        if done.returncode == 0:
            self.ledger.erased.add(candidate)
            self.ledger.to_erase.discard(candidate)

    def _erase_again(self) -> None:
        for candidate in sorted(self.ledger.to_erase):
            self._erase(candidate)
        if self.ledger.to_erase:
            self.ledger.wrong.append(f"{len(self.ledger.to_erase)} could not be erased in peace")

    def _drain(self, service: Service) -> None:
        """Wait until all is in the database."""
        deadline = time.monotonic() + DRAIN_SECONDS
        spool = self._place.data / SPOOL_FOLDER
        while service.store() != "ok" or spooled_lines(spool):
            if time.monotonic() > deadline:
                raise ChaosError(f"the spool did not drain; readiness says {service.store()}: {service.log}")
            time.sleep(0.1)
