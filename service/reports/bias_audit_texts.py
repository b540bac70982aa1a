"""Sentences that stand in every bias audit."""

from __future__ import annotations

TITLE = "Bias audit"

CITATIONS = (
    "Rules of the City of New York, title 6, sections 5-300 to 5-304 (Local Law 144 of 2021, automated "
    "employment decision tools): selection rate, scoring rate, impact ratio, categories, unknown "
    "people, categories under 2 %, what a summary states. They set no line of 0.8.",
    "29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures: a rate under four fifths of "
    "the highest is generally regarded as evidence of adverse impact; smaller differences may be, and "
    "greater ones may not, by statistical and practical significance and by small numbers.",
    "Title VII of the Civil Rights Act, section 703(l), 42 USC 2000e-2(l): no adjusting of scores, and "
    "no different cutoffs, by race, color, religion, sex or national origin. A ratio in this report is "
    "no licence for either.",
)

LIMITATIONS = (
    "Local Law 144 sets no line for the impact ratio. Four fifths is a rule of thumb of federal "
    "agencies, and alone it gives false alarms: a finding here also needs enough people in both groups "
    "and statistical significance.",
    "Rates say how often groups were selected, not why, nor how well the selected did. Equal rates do "
    "not show that equally able people were treated alike, nor do unequal ones show the opposite.",
    "Intervals and tests take every decision as independent of the others. People who applied several "
    "times, or jobs with different pools, make them look surer than they are.",
    "The interval of an impact ratio takes its reference as given. The reference is the group that came "
    "out highest, so chance alone pushes the other ratios below 1. The tests allow for that, the "
    "intervals do not.",
    "p-values are adjusted over all pairs of groups within one attribute and one kind of rate, not over "
    "the report.",
    "Local Law 144 asks for an independent auditor. A report by those who made or use the tool does not "
    "take that place.",
)
