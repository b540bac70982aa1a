"""One run: a service of several processes on PostgreSQL, callers, faults, and what came of it."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from service.access.key_storage import DatabaseKeys
from service.access.keys import KeySecret, make_key
from service.access.principal import Scope
from service.store.database import migrate, open_database
from tests.chaos import failures
from tests.chaos.service import ChaosError, Place, Service
from tests.soak.checks import faults as faults_of
from tests.soak.faults import ENDS_PROCESSES, OF_THE_DATABASE, Faults, World
from tests.soak.ledger import Ledger
from tests.soak.processes import Samples
from tests.soak.reference import Reference, ask_all
from tests.soak.report import Report
from tests.soak.traffic import MAX_BODY_BYTES, Caller, Traffic
from tests.support.postgres import PostgresServer, programs

TENANTS = ("acme", "zeta")
_SECRET = "a secret of the soak, 32 characters long or longer"
_REPLAYED = 100
"""Requests that are sent again at the end, to see whether their answers stayed what they were."""


@dataclass(frozen=True)
class Plan:
    """`minutes` of traffic at `rate` requests a second; a fault every `pause` seconds, held for `hold`.

    Serving processes are killed and restarted in the first `killing` of the time only: afterwards their
    memory is watched. `life`: seconds that a process must have lived for that. `database_seconds`: the
    service's limit, which a busy machine must not reach by itself.
    """

    minutes: float
    rate: float = 2.0
    seed: int = 0
    workers: int = 2
    pause: float = 30.0
    hold: float = 10.0
    killing: float = 0.4
    life: float = 600.0
    sampling: float = 5.0
    database_seconds: int = 10


def run(plan: Plan, models: Path, say: Callable[[str], None]) -> Report:
    """Run it, and say what went wrong. The folder of a run that went wrong is kept. SIGINT ends it early."""
    found = programs()
    if found is None:
        raise ChaosError("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    with ExitStack() as stack:
        server = PostgresServer(found)
        stack.callback(server.remove)
        server.start()
        folder = Path(tempfile.mkdtemp(prefix="evenmatch-soak-"))
        place = _place(folder, models, server, plan)
        say(f"everything is in {folder}")
        reference = _reference(
            replace(
                place,
                url=server.new_database(),
                workers=1,
                data=folder / "reference",
                settings={**place.settings, "EVENMATCH_CACHE_MIB": "32"},
            )
        )
        say("the reference is there")
        mounted = failures.can_mount()
        if mounted:
            stack.enter_context(failures.small_disk(place.data))
        else:
            place.data.mkdir()
        callers = _callers(place)
        service = Service(place, 1)
        world = World(place, server, service, callers[0].key)
        stack.callback(lambda: world.service.kill())
        say(f"ready at {service.url}")
        report = asyncio.run(_Run(plan, world, callers, reference, say, mounted=mounted).report())
    if not report.wrong:
        shutil.rmtree(folder)
    else:
        report.kept = str(folder)
    return report


class _Run:
    def __init__(
        self,
        plan: Plan,
        world: World,
        callers: list[Caller],
        reference: Reference,
        say: Callable[[str], None],
        *,
        mounted: bool,
    ) -> None:
        self._plan = plan
        self._world = world
        self._callers = callers
        self._say = say
        self._ledger = Ledger()
        self._samples = Samples()
        chance = random.Random(f"faults of {plan.seed}")
        self._chance = chance
        self._faults = Faults(world, chance, mounted=mounted)
        self._traffic = Traffic(world.service.url, callers, reference, self._ledger, plan.seed, plan.rate)
        self._traffic.clean.set()
        self._over = asyncio.Event()
        self._ended = asyncio.Event()
        self._begun = time.monotonic()

    async def report(self) -> Report:
        watching = asyncio.create_task(self._watch())
        traffic = asyncio.create_task(self._traffic.run())
        breaking = asyncio.create_task(self._break_things())
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._ended.set)
        # Callers end before only of an error of their own.
        await asyncio.wait({traffic, breaking}, return_when=asyncio.FIRST_COMPLETED)
        if traffic.done():
            await traffic
        broken: list[str] = []
        try:
            await breaking
        except ChaosError as error:
            broken.append(str(error))
        seconds = time.monotonic() - self._begun
        self._traffic.stop()
        await traffic
        self._over.set()
        await watching
        world, ledger = self._world, self._ledger
        if not broken:
            await self._traffic.confirm(_REPLAYED)
            broken += await asyncio.to_thread(faults_of, world, self._callers, ledger)
            status = await asyncio.to_thread(world.service.terminate)
            if status not in (0, -15):
                broken.append(f"SIGTERM at the end: status {status}")
        windows = self._faults.windows
        return Report(
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            plan=self._plan,
            seconds=seconds,
            faults=dict(Counter(window.name for window in windows)),
            fault_seconds=sum(window.end - window.start for window in windows),
            answers=dict(sorted(ledger.answers.items())),
            decisions=sum(len(one.results) for one in ledger.scored)
            + sum(len(one.results) for one in ledger.jobs),
            outcomes=len(ledger.outcomes),
            jobs=len(ledger.jobs),
            hung_up=len(ledger.hung_up),
            retried=len([one for one in ledger.scored if one.tries > 1]),
            refusals=dict(Counter(f"{one.route}: {one.what}" for one in ledger.refusals)),
            unexplained=[str(one) for one in ledger.unexplained(windows)],
            growths=self._samples.growths(self._plan.life),
            largest_resident_mib=self._samples.largest_resident / 2**20,
            broken=[*ledger.wrong, *broken],
        )

    async def _break_things(self) -> None:
        plan, end = self._plan, self._begun + 60 * self._plan.minutes
        while True:
            pause = self._chance.uniform(0.5, 1.5) * plan.pause
            left = end - time.monotonic()
            is_last = left < pause + plan.hold
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), max(0.0, left) if is_last else pause)
            if is_last or self._ended.is_set():
                return
            elapsed = (time.monotonic() - self._begun) / (60 * plan.minutes)
            fault = self._faults.next_one(ends_processes=elapsed < plan.killing)
            hold = self._chance.uniform(0.5, 1.5) * plan.hold
            affects_rows = fault in OF_THE_DATABASE or fault in ENDS_PROCESSES
            if affects_rows:
                self._traffic.clean.clear()
            window = await asyncio.to_thread(self._faults.happen, fault, hold)
            self._traffic.clean.set()
            unexplained = len(self._ledger.unexplained(self._faults.windows))
            self._say(
                f"{(window.start - self._begun) / 60:5.1f} min: {fault}, {window.end - window.start:.1f} s; "
                f"{sum(self._ledger.answers.values())} answers, {len(self._ledger.refusals)} refusals, "
                f"{unexplained} unexplained, {len(self._ledger.wrong)} wrong"
            )

    async def _watch(self) -> None:
        while not self._over.is_set():
            now = time.monotonic() - self._begun
            await asyncio.to_thread(self._samples.take, self._world.service.pid, now)
            await asyncio.sleep(self._plan.sampling)


def _place(folder: Path, models: Path, server: PostgresServer, plan: Plan) -> Place:
    logs, temporary = folder / "logs", folder / "tmp"
    logs.mkdir()
    temporary.mkdir()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    return Place(
        data=folder / "data",
        logs=logs,
        models=models,
        url=server.new_database(),
        workers=plan.workers,
        database_seconds=plan.database_seconds,
        port=port,
        settings={
            "EVENMATCH_KEYS_SECRET": _SECRET,
            "EVENMATCH_LOG_KEY": "a key of the soak, as all replicas would have it",
            "EVENMATCH_CACHE_MIB": "1",  # so that many texts are encoded again
            # A machine that is busy with other work is none of the faults here.
            "EVENMATCH_READY_SECONDS": "60",
            "EVENMATCH_STALL_SECONDS": "600",
            "EVENMATCH_MAX_BODY_BYTES": str(MAX_BODY_BYTES),
            "EVENMATCH_JOBS_LEASE_SECONDS": "10",
            "TMPDIR": str(temporary),
        },
    )


def _reference(place: Place) -> Reference:
    """Answers of one process that nothing disturbs, on a database of its own."""
    (caller, *_) = _callers(place)
    with _running(place) as service:
        return ask_all(service.url, random.Random(0), key=caller.key)


@contextmanager
def _running(place: Place) -> Iterator[Service]:
    service = Service(place, 0)
    try:
        yield service
        service.terminate()
    finally:
        service.kill()


def _callers(place: Place) -> list[Caller]:
    """Tenants with keys in the database, whose tables are made for it."""
    engine = open_database(place.url, timeout=60)
    try:
        migrate(engine)
        storage, secret, now = DatabaseKeys(engine), KeySecret(_SECRET), datetime.now(UTC)
        callers = []
        for tenant in TENANTS:
            made = [
                make_key(secret, name="soak", tenant=tenant, scopes=scopes, created=now, expires=None)
                for scopes in (tuple(Scope), (Scope.EMBED,))
            ]
            for one in made:
                storage.add(one.record)
            callers.append(Caller(tenant, made[0].text, made[1].text))
        return callers
    finally:
        engine.dispose()
