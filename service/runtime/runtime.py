"""Everything between a request and its vectors, built from one set of options."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from service.core.bundle import Bundle, read_bundle
from service.core.counterfactual.lexicons import load_groups
from service.core.counterfactual_audit.plan import (
    DEFAULT_MAX_CHARACTERS,
    DEFAULT_MAX_TEXTS,
    AuditOptions,
    AuditPlan,
    AuditResume,
)
from service.core.counterfactual_audit.results import AuditReport
from service.core.counterfactual_audit.summary import summarise
from service.core.documents import MAX_TEXT_CHARACTERS
from service.core.engines.engine import Engine, EngineInfo
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.errors import ConfigurationError
from service.core.language import load_identifier
from service.core.matching import Match, Matcher, TokenizedJob, TokenizedResume
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redactor
from service.core.scoring import Vectors
from service.core.text_reader import InProcessReader
from service.core.tokenization import TextTokenizer
from service.runtime.auditing import score_variants
from service.runtime.cache import EmbeddingCache
from service.runtime.devices import EngineChoice, EngineSetting, choose_engine, usable_cores
from service.runtime.embedder import Embedder
from service.runtime.observer import RuntimeObserver
from service.runtime.queue import InferenceQueue
from service.runtime.text_pool import PooledReader, TextPool
from service.runtime.turns import Turn, Turns, count_words
from service.runtime.warm_up import WarmUp
from service.runtime.worker import InferenceWorker, WorkerState

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


@dataclass(frozen=True)
class RuntimeOptions:
    """Sizes are in tokens, bytes, characters or seconds, as the names say."""

    bundle: Path
    cache: Path
    engine: EngineSetting = "auto"
    threads: int = 0
    base_model: str | None = None
    batch_tokens: int = 4_096
    queue_tokens: int = 400_000
    embedding_cache_bytes: int = 32 * 2**20
    stall_seconds: float = 120.0
    max_text_characters: int = MAX_TEXT_CHARACTERS
    redact_categories: tuple[Category, ...] | None = None
    redact_entities: str | None = None
    max_audit_resumes: int = 200
    max_audit_texts: int = DEFAULT_MAX_TEXTS
    max_audit_characters: int = DEFAULT_MAX_CHARACTERS
    ready_models: Path | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit's texts and what their scores say."""

    plan: AuditPlan
    report: AuditReport


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
    ) -> None:
        limit = bundle.manifest.max_tokens
        if options.batch_tokens < limit:
            raise ConfigurationError(
                f"batch_tokens is {options.batch_tokens}, below the {limit} tokens that one text of "
                f"bundle {bundle.manifest.name} may have"
            )
        if options.queue_tokens < options.batch_tokens:
            raise ConfigurationError(
                f"queue_tokens is {options.queue_tokens}, below batch_tokens ({options.batch_tokens})"
            )
        self.options = options
        self.bundle = bundle
        self.choice = choice
        self.tokenizer: TextTokenizer = loaded.tokenizer
        asked = options.redact_categories
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
            entities=EntityFinder(options.redact_entities) if options.redact_entities else None,
        )
        self.text_pool = TextPool(entities=options.redact_entities, stall_seconds=options.stall_seconds)
        self.matcher = Matcher(
            bundle,
            loaded.tokenizer,
            redactor=redactor,
            reader=PooledReader(InProcessReader(redactor), self.text_pool),
            max_characters=options.max_text_characters,
        )
        self.info: EngineInfo = loaded.engine.info
        self.warm_up = self._warm_up_steps()
        self._observer = observer
        self._queued_texts = 0
        ahead = _BATCHES_AHEAD * options.batch_tokens
        # Requests that have had their turn always find room: nobody is refused after the work was done.
        queue = InferenceQueue(options.queue_tokens, self._queue_changed, margin=2 * ahead)
        self._worker = InferenceWorker(
            loaded.engine,
            reload,
            queue,
            batch_tokens=options.batch_tokens,
            stall_seconds=options.stall_seconds,
            observer=observer,
        )
        self.turns = Turns(
            options.queue_tokens,
            small_words=options.batch_tokens,
            ahead=ahead,
            backlog=lambda: queue.tokens,
            retry_after=self._worker.seconds_to_drain,
            on_change=self._line_changed,
        )
        self.embedder = Embedder(
            self._worker,
            EmbeddingCache(options.embedding_cache_bytes, self.info.dimensions),
            self.info,
            probe=loaded.tokenizer.encode_all([bundle.probes.probes[0].text], "resume")[0],
            observer=observer,
        )

    def turn(self, texts: Iterable[str]) -> AbstractAsyncContextManager[Turn]:
        """Wait for a turn to read texts, to be held until the request is answered.

        Raises `RequestTooLargeError` for more words than `queue_tokens`, `QueueFullError` if they do not fit
        now, `WorkerDownError`: all of that before anything is computed.
        """
        self._worker.check()
        return self.turns.turn(count_words(texts))

    def _queue_changed(self, texts: int) -> None:
        self._queued_texts = texts
        self.turns.queue_changed()
        self._line_changed(self.turns.words_waiting)

    def _line_changed(self, words: int) -> None:
        # Texts that were not cut into passages yet count as so many of full length.
        waiting = math.ceil(words / self.bundle.manifest.passages.words)
        self._observer.queue_changed(self._queued_texts + waiting)

    @property
    def worker_state(self) -> WorkerState:
        return self._worker.state

    def start(self) -> None:
        """Start the worker. What `warm_up` would load is loaded when it is first needed, `text_pool` too."""
        self._worker.start()

    def _warm_up_steps(self) -> WarmUp:
        """Everything of the runtime that is loaded lazily. Who serves it may add steps, and starts it."""
        steps = WarmUp()
        steps.add("the word lists", load_lexicon)
        steps.add("the language model", load_identifier)
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
        self.text_pool.stop()

    async def match(
        self, job: TokenizedJob, resumes: Sequence[TokenizedResume], *, background: bool = False
    ) -> list[Match]:
        """Score one job against many resumes, in order; the job is encoded once.

        Raises a `CapacityError` or an `EngineError`; then nothing was scored.
        """
        job_vectors, vectors = await self.encode(job, resumes, background=background)
        return [self.matcher.match(job, job_vectors, of_resume) for of_resume in vectors]

    async def audit(
        self, description: str, title: str | None, resumes: Sequence[AuditResume], options: AuditOptions
    ) -> Audit:
        """Score the texts of an audit in parts, while the rest is planned, and summarise.

        Raises what `plan_audit` and `match` raise.
        """
        plan, matches = await score_variants(self, description, title, resumes, options)
        # A thread cannot be stopped: who leaves waits for it, so that audits stay as many as may be.
        return Audit(plan, await to_thread.run_sync(summarise, plan, matches))

    async def encode(
        self, job: TokenizedJob, resumes: Sequence[TokenizedResume], *, background: bool = False
    ) -> tuple[Vectors, list[Vectors]]:
        """Vectors of the job's texts, (J, D), and of each resume's passages, (R, D); equal texts once."""
        texts = [*job.texts, *(ids for resume in resumes for ids in resume.texts)]
        vectors = await self.embedder.embed(texts, background=background)
        start = len(job.texts)
        of_resumes = []
        for resume in resumes:
            stop = start + len(resume.passages)
            of_resumes.append(vectors[start:stop])
            start = stop
        return vectors[: len(job.texts)], of_resumes


class EngineFactory:
    """Loads the bundle's engine anew, for a worker that must be replaced."""

    def __init__(self, bundle: Bundle, options: EngineOptions) -> None:
        self._bundle = bundle
        self._options = options

    def __call__(self) -> Engine:
        return load_model(self._bundle, self._options).engine


def load_runtime(options: RuntimeOptions, observer: RuntimeObserver | None = None) -> Runtime:
    """Read the bundle, choose and load the engine, check parity.

    Raises `BundleError`, `EngineError` or `ConfigurationError` if the service could not answer rightly.
    """
    bundle = read_bundle(options.bundle)
    choice = choose_engine(options.engine)
    engine_options = EngineOptions(
        name=choice.name,
        device=choice.device,
        threads=options.threads or usable_cores(),
        cache=options.cache,
        base_model=options.base_model,
        ready=options.ready_models,
    )
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
        reload=EngineFactory(bundle, engine_options),
        observer=observer or RuntimeObserver(),
    )
    runtime.warm_up.add("the process that reads long texts", runtime.text_pool.warm_up)
    return runtime
