"""Rates of one group that need outcomes, as how often those who did well were selected."""

from __future__ import annotations

from service.core.fairness.counts import OutcomeCounts, Share
from service.core.fairness.figure import Figure, Reason, not_computable
from service.core.fairness.rates import wilson_interval
from service.reports.bias_audit_files import Value, figure_record


def outcome_record(outcomes: OutcomeCounts) -> dict[str, Value | dict[str, Value]]:
    """Counts of decision x outcome, and the three rates that parity differences compare."""
    return {
        "known": outcomes.known,
        "selected_positive": outcomes.selected_positive,
        "selected_negative": outcomes.selected_negative,
        "not_selected_positive": outcomes.not_selected_positive,
        "not_selected_negative": outcomes.not_selected_negative,
        "true_positive_rate": figure_record(_figure(outcomes.positive)),
        "false_positive_rate": figure_record(_figure(outcomes.negative)),
        "precision": figure_record(_figure(outcomes.selected)),
    }


def _figure(share: Share) -> Figure:
    if share.n == 0:
        return not_computable(Reason.NO_OUTCOMES)
    return Figure(share.rate, share.n, wilson_interval(share))
