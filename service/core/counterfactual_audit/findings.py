"""What an audit found, in plain language. Statements of measurement, never a verdict of fairness."""

from __future__ import annotations

from service.core.counterfactual.variants import Reason
from service.core.counterfactual_audit.results import ALPHA, AttributeGaps, CounterfactualReport, GroupGaps
from service.core.group_titles import group_title
from service.core.resume_warnings import ResumeWarning

_WORDS = {
    "name": "the name",
    "pronoun": "pronouns and titles",
    "school": "the school",
    "graduation_year": "the graduation year",
    "affinity": "the affinity group",
    "postal_code": "the postal code",
}
_NAME_IT = "if one stands in the text, name it in `spans`"
_REASONS: dict[Reason, str] = {
    "no_name_free": "the names of the lists stand in the text already",
    "no_pronoun_found": "no pronoun, title or gendered word was recognised",
    "no_school_found": f"no school was recognised; {_NAME_IT}",
    "only_secondary_schools": "only schools for children were recognised, and universities are exchanged",
    "no_graduation_year_found": f"no year of study was recognised; {_NAME_IT}",
    "no_affinity_group_found": f"no club or society was recognised; {_NAME_IT}",
    "no_us_postal_code_found": f"no address with a five-digit postal code was recognised; {_NAME_IT}",
    "already_the_only_value": "the text has the only value already",
}
_WARNINGS: dict[ResumeWarning, str] = {
    "little_text": "hold hardly any text, as scans do",
    "not_a_resume": "read like something else than a resume",
    "structured_text": "are markup, or the inside of a file",
    "addressed_to_model": "give orders to a program that reads them",
    "repeated_words": "say the same words over and over",
    "text_of_scan": "were read from a scan",
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
        found.append(
            f"No name was recognised in {_resumes(len(report.names_placed))}, and one was placed on top; "
            f"{_NAME_IT}."
        )
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
    for code, what in _WARNINGS.items():
        ids = [resume for resume, warnings in report.warnings.items() if code in warnings]
        if ids:
            found.append(f"Of the resumes {len(ids):,} {what} (`{code}`): look at them before using this.")
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
        named = ", ".join(f"{group_title(group.group)} (effect {group.effect_size:+.2f})" for group in beyond)
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
            f"{group_title(best.group)} ranks first in {best.top_share:.0%} of {result.top.sets} sets "
            f"(equal shares: {1 / len(result.groups):.0%}; p = {result.top.p_value:.3g})."
        )
    return sentences


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count:,} pairs"


def _with_gap(group: GroupGaps) -> str:
    return f"{group_title(group.group)} ({group.summary.mean_gap:+.4f})"


def _resumes(count: int) -> str:
    return "1 resume" if count == 1 else f"{count:,} resumes"
