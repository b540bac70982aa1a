"""What an audit found, in plain language. Statements of measurement, never a verdict of fairness."""

from __future__ import annotations

from service.core.counterfactual_audit.results import ALPHA, AttributeGaps, CounterfactualReport, GroupGaps

_WORDS = {
    "name": "the name",
    "pronoun": "pronouns and titles",
    "school": "the school",
    "graduation_year": "the graduation year",
    "affinity": "the affinity group",
    "postal_code": "the postal code",
}
_REASONS = {
    "not_in_text": "it does not stand in the text",
    "already_the_only_value": "the text has the only value already",
}


def findings_of(report: CounterfactualReport) -> list[str]:
    """One sentence or two for each attribute, then the limits of this audit."""
    found = [sentence for result in report.attributes for sentence in _attribute(result, report)]
    for attribute, reasons in report.missing.items():
        count = sum(reasons.values())
        why = " or ".join(_REASONS[reason] for reason in reasons)
        found.append(f"{_WORDS[attribute].capitalize()} could not be changed in {_resumes(count)}: {why}.")
    if report.control is None:
        found.append("No benign edit could be made, so there is no noise floor: gaps cannot be judged.")
    if report.names_placed:
        found.append(f"No name was found in {_resumes(len(report.names_placed))}; one was placed on top.")
    if report.several_people:
        found.append(
            f"Other people are named in {_resumes(len(report.several_people))} too; "
            "only the candidate's name was changed."
        )
    if report.not_english:
        found.append(
            f"Another language or script than English stands in {_resumes(len(report.not_english))}: "
            "attributes may have been missed there."
        )
    if report.score_sd is None:
        found.append(
            "With fewer than three resumes, or equal scores, gaps cannot be set against the spread of scores."
        )
    return found


def _attribute(result: AttributeGaps, report: CounterfactualReport) -> list[str]:
    what = _WORDS[result.attribute]
    largest = max(group.summary.max_absolute_gap for group in result.groups)
    flips = sum(group.summary.flips for group in result.groups)
    pairs = sum(group.summary.n for group in result.groups)
    if largest == 0.0:
        return [f"Changing {what} changed no score ({_pairs(pairs)}{', redacted' if report.redact else ''})."]
    sentences = [
        f"Changing {what} moved raw_score by up to {largest:.4f} and changed {flips} of {pairs} decisions "
        f"({flips / pairs:.1%})."
    ]
    beyond = [group for group in result.groups if group.beyond_noise]
    if beyond:
        named = ", ".join(f"{group.group} (effect {group.effect_size:+.2f})" for group in beyond)
        sentences.append(f"That is beyond the noise of benign edits for {named}.")
    elif report.control is not None:
        sentences.append(f"That is within the noise of benign edits for every value of {what}.")
    p = result.adjusted_difference_p_value
    if p is not None and p <= ALPHA:
        ordered = sorted(result.groups, key=lambda group: group.summary.mean_gap)
        sentences.append(
            f"The groups are not scored alike (p = {p:.3g}): highest {_with_gap(ordered[-1])}, "
            f"lowest {_with_gap(ordered[0])}."
        )
    elif p is not None:
        sentences.append(
            f"No difference between the groups was shown (p = {p:.2g}); a small sample can miss one."
        )
    if result.top is not None and result.top.p_value <= ALPHA:
        best = max(result.groups, key=lambda group: group.top_share or 0.0)
        sentences.append(
            f"{best.group} ranks first in {best.top_share:.0%} of {result.top.sets} sets "
            f"(equal shares: {1 / len(result.groups):.0%}; p = {result.top.p_value:.3g})."
        )
    return sentences


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count:,} pairs"


def _with_gap(group: GroupGaps) -> str:
    return f"{group.group} ({group.summary.mean_gap:+.4f})"


def _resumes(count: int) -> str:
    return "1 resume" if count == 1 else f"{count:,} resumes"
