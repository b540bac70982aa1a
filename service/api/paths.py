"""Every path that is served. Routes, metrics, the log and the limit on connections all go by this table."""

from __future__ import annotations

SCORE = "/score"
SCORE_JOBS = "/score/jobs"
SCORE_JOB = "/score/jobs/{job_id}"
SCORE_JOB_RESULTS = "/score/jobs/{job_id}/results"
SCORE_JOB_ERRORS = "/score/jobs/{job_id}/errors"
SCORE_JOB_CANCEL = "/score/jobs/{job_id}/cancel"
EMBED = "/embed"
OPENAI_EMBEDDINGS = "/embeddings"
OPENAI_MODELS = "/models"
OPENAI_MODEL = "/models/{model_id}"
REDACT = "/redact"
DOCUMENTS = "/documents"
AUDIT = "/audit/counterfactual"
OUTCOMES = "/outcomes"
OUTCOMES_BULK = "/outcomes/bulk"
FAIRNESS = "/fairness"
FAIRNESS_REPORT = "/fairness/report"
MODEL = "/model"
KEYS = "/keys"

LIVE = "/health/live"
READY = "/health/ready"
METRICS = "/metrics"

PREFIX = "/v1"
"""Of the documented paths; without it they answer, too."""

PROBES = (LIVE, READY, METRICS)
"""Answered on a connection above the limit, too: a service that is full must not look dead."""

ROUTES = (
    *(
        PREFIX + path
        for path in (
            SCORE,
            SCORE_JOBS,
            SCORE_JOB,
            SCORE_JOB_RESULTS,
            SCORE_JOB_ERRORS,
            SCORE_JOB_CANCEL,
            EMBED,
            OPENAI_EMBEDDINGS,
            OPENAI_MODELS,
            OPENAI_MODEL,
            REDACT,
            AUDIT,
            DOCUMENTS,
            OUTCOMES,
            OUTCOMES_BULK,
            FAIRNESS,
            FAIRNESS_REPORT,
            MODEL,
            KEYS,
        )
    ),
    *PROBES,
)
"""As documented, and as metrics and the log name them. A parameter stays a parameter there."""

UPLOADS = (SCORE_JOBS, PREFIX + SCORE_JOBS)
"""Whose bodies may be larger than memory should hold: their routes read them as they arrive."""

ENCODING = tuple(
    prefix + path for prefix in ("", PREFIX) for path in (SCORE, SCORE_JOBS, EMBED, OPENAI_EMBEDDINGS, AUDIT)
)
"""A POST there makes the model read texts, at once or later."""

FORMS = tuple(prefix + path for prefix in ("", PREFIX) for path in (SCORE, REDACT, AUDIT, DOCUMENTS))
"""Whose bodies may be multipart/form-data, with documents in it."""


_OPENAI = (OPENAI_EMBEDDINGS, OPENAI_MODELS, "/chat", "/completions", "/responses", "/moderations")
"""And what is below them. Most are not served, and say so in the manner that clients can show."""


def is_openai(path: str) -> bool:
    """Whether OpenAI's clients ask for it."""
    path = path.removeprefix(PREFIX)
    return path in _OPENAI or path.startswith(tuple(f"{one}/" for one in _OPENAI))


def documented(path: str) -> str | None:
    """A path under `/v1`, whichever of its two names was asked; None if it is neither."""
    for name in (path, PREFIX + path):
        if name in ROUTES and name not in PROBES:
            return name
    return None
