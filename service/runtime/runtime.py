"""Everything between a request and its vectors, built from one set of options."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import import_module

from anyio import to_thread

from service.core.bundle import Bundle, read_bundle
from service.core.calibration import PriorShift
from service.core.cohort_file import FittedCohort, fitted, read_cohort
from service.core.cohort_manifest import AS_SERVED, warning_text
from service.core.counterfactual.lexicons import load_groups
from service.core.engines.engine import Engine, EngineInfo
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.errors import ConfigurationError
from service.core.language import load_identifier
from service.core.matching import Match, Matcher, TokenizedJob, TokenizedResume
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.redactor import Redactor
from service.core.tenants import DEFAULT_TENANT
from service.core.text_reader import InProcessReader
from service.core.tokenization import TextTokenizer
from service.core.vectors import Vectors
from service.runtime.devices import EngineChoice, choose_engine, usable_cores
from service.runtime.embedder import Embedder
from service.runtime.embedding_cache import EmbeddingCache
from service.runtime.inference_queue import InferenceQueue, Lane
from service.runtime.inference_worker import InferenceWorker
from service.runtime.observer import RuntimeObserver
from service.runtime.options import RuntimeOptions
from service.runtime.reader_pool import PooledReader, ReaderPool
from service.runtime.request_scheduler import RequestScheduler, Turn, count_words
from service.runtime.warm_up import WarmUp

log = logging.getLogger(__name__)

_FIRST_RESUME = """Alex Example
alex@example.org | +1 212 555 0100 | linkedin.com/in/alexexample
Example Street 1, New York, NY 10001

EDUCATION
University of Michigan, BSc, 2012 - 2016

EXPERIENCE
Senior engineer, Example Inc., 2016 - present
- She built the payment service in Python and Java."""
"""Nobody's resume: redacting it leads through every rule once."""

_BATCHES_AHEAD = 4
"""Of the engine's work that waits when the next large request is read: reading it takes about as long."""


class Runtime:
    """A loaded bundle with its queue, worker and cache. `start` before use, `stop` after."""

    def __init__(
        self,
        bundle: Bundle,
        loaded: LoadedModel,
        choice: EngineChoice,
        options: RuntimeOptions,
        *,
        reload: Callable[[], Engine],
        observer: RuntimeObserver,
        reader_pool: ReaderPool | None = None,
    ) -> None:
        limit = bundle.manifest.max_tokens
        model, redaction = options.model, options.redaction
        if model.batch_tokens < limit:
            raise ConfigurationError(
                f"batch_tokens is {model.batch_tokens}, below the {limit} tokens that one text of "
                f"bundle {bundle.manifest.name} may have"
            )
        self.options = options
        self.bundle = bundle
        self.choice = choice
        self.tokenizer: TextTokenizer = loaded.tokenizer
        asked = redaction.categories
        policy = bundle.manifest.redaction
        if asked is not None and set(asked) != set(policy.categories):
            log.warning(
                "redaction hides %d categories, bundle %s was calibrated with %d: trust probabilities less",
                len(asked),
                bundle.manifest.name,
                len(policy.categories),
            )
        redactor = Redactor(
            policy.categories if asked is None else asked,
            entities=EntityFinder(redaction.entities) if redaction.entities else None,
        )
        self.cohort = self._read_cohort(redactor, loaded.engine.info)
        self.reader_pool = reader_pool or make_reader_pool(options)
        self.matcher = Matcher(
            bundle,
            loaded.tokenizer,
            redactor=redactor,
            reader=PooledReader(InProcessReader(redactor), self.reader_pool),
            max_characters=options.limits.max_text_characters,
            cohort=None if self.cohort is None else self.cohort.cohort,
        )
        self.info: EngineInfo = loaded.engine.info
        self.warm_up = self._warm_up_steps()
        self._observer = observer
        self._queued_texts = 0
        ahead = _BATCHES_AHEAD * model.batch_tokens
        # Requests that have had their turn always find room: nobody is refused after the work was done.
        queue = InferenceQueue(model.queue_tokens, self._queue_changed, margin=2 * ahead)
        self._worker = InferenceWorker(
            loaded.engine,
            reload,
            queue,
            batch_tokens=model.batch_tokens,
            stall_seconds=model.stall_seconds,
            observer=observer,
        )
        self.scheduler = RequestScheduler(
            model.queue_tokens,
            small_words=model.batch_tokens,
            ahead=ahead,
            backlog=lambda: queue.tokens,
            retry_after=self._worker.seconds_to_drain,
            on_change=self._line_changed,
        )
        self.embedder = Embedder(
            self._worker,
            EmbeddingCache(model.cache_mib * 2**20, self.info.dimensions),
            self.info,
            probe=loaded.tokenizer.encode_all([bundle.reference_vectors.probes[0].text], "resume")[0],
            observer=observer,
        )

    def prior_shift(self, prevalence: float | None) -> PriorShift:
        """How probabilities are reported: for `prevalence`, or where it is None that of the settings."""
        return self.bundle.at_prevalence(self.options.model.prevalence if prevalence is None else prevalence)

    @property
    def cohort_digest(self) -> str | None:
        """Names the cohort that scores are normalised by; None without one."""
        return None if self.cohort is None else self.cohort.cohort.digest

    def _read_cohort(self, redactor: Redactor, info: EngineInfo) -> FittedCohort | None:
        """The cohort of the settings. Raises `CohortError` if it is damaged, over or of another bundle."""
        path = self.options.model.cohort
        if path is None:
            return None
        read = fitted(
            read_cohort(path.expanduser()),
            self.bundle,
            categories=redactor.categories,
            entities=self.options.redaction.entities,
        )
        made = read.manifest
        log.info(
            "scores are normalised by the cohort %s (%d resumes, %d postings)",
            read.cohort.digest,
            made.resumes.used,
            made.postings.used,
        )
        if made.precision not in (info.precision, AS_SERVED):
            log.info(
                "it was made in %s, and %s is computed here: noise of 0.001", made.precision, info.precision
            )
        for warning in made.warnings:
            log.warning("%s", warning_text(made, warning))
        return read

    def turn(self, texts: Iterable[str]) -> AbstractAsyncContextManager[Turn]:
        """Wait for a turn to read texts, to be held until the request is answered.

        Raises `RequestTooLargeError` for more words than `queue_tokens`, `QueueFullError` if they do not fit
        now, `WorkerDownError`: all of that before anything is computed.
        """
        self._worker.check()
        return self.scheduler.turn(count_words(texts))

    def _queue_changed(self, texts: int) -> None:
        self._queued_texts = texts
        self.scheduler.queue_changed()
        self._line_changed(self.scheduler.words_waiting)

    def _line_changed(self, words: int) -> None:
        # Texts that were not cut into passages yet count as so many of full length.
        waiting = math.ceil(words / self.bundle.manifest.passages.words)
        self._observer.queue_changed(self._queued_texts + waiting)

    def start(self) -> None:
        """Start the worker. What `warm_up` would load is loaded when it is first needed, `text_pool` too."""
        self._worker.start()

    def _warm_up_steps(self) -> WarmUp:
        """Everything of the runtime that is loaded lazily. Who serves it may add steps, and starts it."""
        steps = WarmUp()
        steps.add("the word lists", load_lexicon)
        steps.add("the language model", load_identifier)
        steps.add("statistics", partial(import_module, "scipy.special"))
        steps.add("the lists of groups", lambda: load_groups("audit"))
        steps.add("a first redaction", lambda: self.matcher.read_resume(_FIRST_RESUME))
        return steps

    async def check(self, seconds: float) -> None:
        """Run a forward pass of at most `seconds`.

        Raises a `CapacityError` or an `EngineError` if that fails, `WarmingUpError` until `warm_up` is done.
        """
        self.warm_up.check()
        await self.embedder.check(seconds)

    def stop(self, timeout: float) -> None:
        """Serve what waits for up to `timeout` seconds, then stop the worker."""
        self.warm_up.stop()
        self._worker.stop(timeout)
        self.reader_pool.stop()

    async def match(
        self,
        job: TokenizedJob,
        resumes: Sequence[TokenizedResume],
        *,
        lane: Lane = "live",
        tenant: str = DEFAULT_TENANT,
    ) -> list[Match]:
        """Score one job against many resumes of a tenant, in order; the job is encoded once.

        Raises a `CapacityError` or an `EngineError`; then nothing was scored.
        """
        job_vectors, vectors = await self.encode(job, resumes, lane=lane, tenant=tenant)

        def match() -> list[Match]:
            return [match for (match,) in self.matcher.match_all([(job, job_vectors)], vectors)]

        # A cohort takes milliseconds a resume, in which the event loop would stand still.
        return match() if self.cohort is None else await to_thread.run_sync(match)

    async def encode(
        self,
        job: TokenizedJob,
        resumes: Sequence[TokenizedResume],
        *,
        lane: Lane = "live",
        tenant: str = DEFAULT_TENANT,
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of the job's texts, (J, D), and of each resume's passages, (R, D); equal texts once."""
        texts = [*job.texts, *(ids for resume in resumes for ids in resume.texts)]
        vectors = await self.embedder.embed(texts, lane=lane, tenant=tenant)
        start = len(job.texts)
        of_resumes = []
        for resume in resumes:
            stop = start + len(resume.passages)
            of_resumes.append(vectors[start:stop])
            start = stop
        return vectors[: len(job.texts)], of_resumes


def make_reader_pool(options: RuntimeOptions) -> ReaderPool:
    """The pool for long texts; no process is started yet."""
    return ReaderPool(entities=options.redaction.entities, stall_seconds=options.model.stall_seconds)


def start_reader_pool(options: RuntimeOptions) -> ReaderPool:
    """As `make_reader_pool`, and a process starts now, which keeps a core busy for a second."""
    pool = make_reader_pool(options)
    _begin(pool.warm_up)
    return pool


def load_runtime(
    options: RuntimeOptions,
    observer: RuntimeObserver | None = None,
    *,
    reader_pool: ReaderPool | None = None,
) -> Runtime:
    """Read the bundle, choose and load the engine, check parity.

    Loading the model leaves a core and Python's lock free for most of its time, so what requests will need
    besides is loaded meanwhile. Warm-up waits for that, and for `reader_pool` if it was started, and says
    what failed. Without a `reader_pool` the process that reads long texts starts with the first of them.

    Raises `BundleError`, `CohortError`, `EngineError` or `ConfigurationError` if the service could not answer
    rightly.
    """
    model = options.model
    bundle = read_bundle(model.bundle_path)
    choice = choose_engine(model.engine)
    engine_options = EngineOptions(
        name=choice.name,
        device=choice.device,
        threads=model.threads or usable_cores(),
        cache=options.cache,
        base_model=model.base_model,
        ready=model.models_dir,
    )
    _begin(load_lexicon, load_identifier, partial(import_module, "scipy.special"))
    loaded = load_model(bundle, engine_options)
    info = loaded.engine.info
    log.info(
        "bundle %s %s (%s) on %s (%s, %s, %d threads): %s",
        bundle.manifest.name,
        bundle.manifest.version,
        bundle.makeup,
        info.name,
        info.device,
        info.precision,
        info.threads,
        choice.reason,
    )
    runtime = Runtime(
        bundle,
        loaded,
        choice,
        options,
        reload=lambda: load_model(bundle, engine_options).engine,
        observer=observer or RuntimeObserver(),
        reader_pool=reader_pool,
    )
    if reader_pool is not None:
        runtime.warm_up.add("the process that reads long texts", reader_pool.warm_up)
    return runtime


def load_to_serve(
    options: RuntimeOptions, observer: RuntimeObserver, *, reader_pool: ReaderPool | None = None
) -> Runtime:
    """As `load_runtime`, with a process for long texts: that of `reader_pool`, or one that starts now."""
    pool = reader_pool or start_reader_pool(options)
    try:
        return load_runtime(options, observer, reader_pool=pool)
    except BaseException:
        pool.stop()
        raise


def _begin(*loads: Callable[[], object]) -> None:
    """Load these, one after the other, in a thread. What fails is tried, and reported, when it is needed."""

    def run() -> None:
        for load in loads:
            with contextlib.suppress(Exception):
                load()

    threading.Thread(target=run, name="load-ahead", daemon=True).start()
