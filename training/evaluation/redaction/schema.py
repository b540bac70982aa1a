"""What a redaction report holds: numbers, labels, categories and names of groups, no text of any resume.

`RedactionReport.model_json_schema()` is its JSON Schema.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

from service.core.redaction.policy import Category
from training.evaluation.redaction.labels import Use
from training.evaluation.redaction.name_groups import Grouping
from training.evaluation.schema import DecisionEffect, Estimate

SCHEMA_VERSION: Literal["evenmatch.redaction/1"] = "evenmatch.redaction/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelUse(_Part):
    """A label of the data and what its spans were measured as. `category`: that is to hide them."""

    label: str
    use: Use
    category: Category | None
    spans: int


class AnnotatedData(_Part):
    """What was measured. `digest`: SHA-256 of ids, texts and spans. `unreadable`: resumes left out.

    `vanished`: annotated spans that hold no letter or digit once the text is normalised.
    """

    source: str
    half: Literal["first", "second"] | None
    seed: int
    resumes: int
    unreadable: int
    spans: int
    vanished: int
    labels: list[LabelUse]
    digest: str


class CategoryRecall(_Part):
    """Annotated spans that this category is to hide.

    `whole`: share of spans of which every letter and digit is hidden, by whatever category. `characters`:
    share of their letters and digits. `as_category`: share of spans wholly hidden, in part by this category.
    """

    whole: Estimate
    characters: Estimate
    as_category: Estimate


class NameGroup(_Part):
    """Names of one group: `hidden` of `n` are wholly hidden, and the 95 % Wilson interval of the share.

    `compared`: `n` reaches the minimum, and the group is not `unknown`.
    """

    group: str
    n: int
    hidden: int
    share: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    compared: bool


class GroupedRecall(_Part):
    """Recall of names by one grouping. `difference`: highest minus lowest share of the compared groups."""

    grouping: Grouping
    groups: list[NameGroup]
    difference: FiniteFloat | None


class CategoryPrecision(_Part):
    """Spans of ours of one category. `share` of them that touch an annotated span of the category.

    None if the data does not annotate the category. Entities that nobody annotated count against it.
    """

    spans: int
    share: Estimate | None


class WordsLost(_Part):
    """Words of annotated spans that must stay and were hidden.

    `work`: of skills, tools, job titles, employers and labels that were added. `share`: of degrees and
    periods too. `by_label`: share of the label's words. `by_category`: how many words each category took.
    """

    work: Estimate
    share: Estimate
    by_label: dict[str, Estimate]
    by_category: dict[Category, int]


class DecisionReport(_Part):
    """Decisions on every resume for every posting.

    `against_bare`: the bare text, then ours. `against_annotation`: the text in which exactly the annotated
    clues are hidden, then ours. `against_completed_annotation`: the same with our spans of categories that
    the data does not annotate, unless they touch what must stay.
    """

    bundle: str
    version: str
    digest: str
    threshold: float
    postings: int
    unreadable: int
    against_bare: DecisionEffect
    against_annotation: DecisionEffect
    against_completed_annotation: DecisionEffect


class RedactionReport(_Part):
    """The whole report. `minimum`: names that a group's share must stand on to be compared.

    Intervals of `Estimate`s are drawn over resumes; their `n` counts spans, characters or words. Times are of
    the processor for redaction alone, one resume after the other. `warnings`: resumes that gave each.
    """

    schema_version: Literal["evenmatch.redaction/1"] = SCHEMA_VERSION
    created: str
    evenmatch: str
    policy_version: int
    entities: str | None
    data: AnnotatedData
    rounds: int
    minimum: int
    recall: dict[Category, CategoryRecall]
    groups: list[GroupedRecall]
    precision: dict[Category, CategoryPrecision]
    words_lost: WordsLost
    median_ms: FiniteFloat
    p95_ms: FiniteFloat
    warnings: dict[str, int]
    decisions: DecisionReport | None
    notes: list[str]
