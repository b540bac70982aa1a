from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binomtest

from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from service.core.redaction.redactor import Redactor
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine
from tests.training.evaluation.examples import JOB
from tests.training.evaluation.redaction.resumes import ENGINEER, NURSE, annotated
from training.data.example import DataFormatError
from training.evaluation.redaction.annotated import AnnotatedResume, half_of
from training.evaluation.redaction.decisions import Posting
from training.evaluation.redaction.labels import LabelTable
from training.evaluation.redaction.report import ReportOptions, Scoring, redaction_report
from training.evaluation.redaction.schema import RedactionReport
from training.report.redaction import redaction_html

BOTH = [NURSE, ENGINEER]


def report_of(
    resumes: list[AnnotatedResume] | None = None,
    redactor: Redactor | None = None,
    scoring: Scoring | None = None,
    **options: object,
) -> RedactionReport:
    wanted = ReportOptions(rounds=50, **options)  # type: ignore[arg-type]
    report, _ = redaction_report(
        resumes or BOTH, redactor or Redactor(), source="<ours>", options=wanted, scoring=scoring
    )
    return report


def test_recall_precision_and_loss_are_shares_of_all_spans() -> None:
    report = report_of()
    assert {c: (of.whole.value, of.whole.n) for c, of in report.recall.items()} == {
        "name": (1.0, 2),
        "email": (1.0, 2),
        "school": (1.0, 2),
        "graduation_year": (1.0, 1),
    }
    years = report.precision["graduation_year"]
    assert (years.spans, years.share and years.share.value) == (2, 0.5)  # one year is not annotated
    assert report.words_lost.share.value == 0
    assert report.words_lost.share.n == 7


def test_what_is_not_redacted_is_left() -> None:
    report = report_of(redactor=Redactor(["email"]))
    assert report.recall["name"].whole.value == 0
    assert report.recall["email"].whole.value == 1
    assert "name" not in report.precision
    two = report_of(table=LabelTable.with_options(hide=["Skills=email"]), redactor=Redactor(["email"]))
    assert two.recall["email"].whole.value == pytest.approx(2 / 3, abs=1e-6)
    # The nurse has one of two hidden, the engineer one of one: resamples lie between them.
    assert (two.recall["email"].whole.low, two.recall["email"].whole.high) == (0.5, 1.0)


def test_degrees_are_apart_from_the_words_of_work() -> None:
    table = LabelTable.with_options(keep=["College Name"])
    report = report_of(table=table)
    assert report.words_lost.by_label["College Name"].value == 1
    assert report.words_lost.work.value == pytest.approx(4 / 11, abs=1e-6)
    assert report.words_lost.by_category == {"school": 4}
    degree = annotated("d", NURSE.text, ("Degree", "Harvard University"), ("Skills", "wound care"))
    beside = report_of([degree])
    assert (beside.words_lost.work.value, beside.words_lost.share.value) == (0.0, 0.5)


def test_groups_of_names_have_wilson_intervals_and_a_difference() -> None:
    names = [
        ("Keisha Robinson", True),
        ("Jamal Washington", True),
        ("Emily Walsh", False),
        ("Greg Baker", True),
    ]
    resumes = [
        annotated(
            f"{name}-{i}",
            f"{name if found else 'Nurse'}\n\nNurse on a surgical ward.\n",
            ("Name", name if found else "surgical ward"),
        )
        for name, found in names
        for i in range(3)
    ]
    by_name = report_of(resumes, minimum=3).groups[0]
    groups = {g.group: g for g in by_name.groups}
    assert groups["black_or_african_american:female"].share == 1
    unknown = groups["unknown"]  # "surgical ward" is no name: a miss, in no group
    assert (unknown.n, unknown.hidden, unknown.compared) == (3, 0, False)
    interval = binomtest(0, 3).proportion_ci(method="wilson")
    assert (unknown.low, unknown.high) == (round(interval.low, 6), round(interval.high, 6))
    assert by_name.difference == 0
    assert report_of(resumes, minimum=4).groups[0].difference is None


def test_halves_and_unreadable_resumes_are_counted() -> None:
    many = [annotated(str(i), NURSE.text, ("Name", "Keisha Robinson")) for i in range(20)]
    many.append(annotated("empty", " \n"))
    assert report_of(many).data.unreadable == 1
    first, second = (report_of(many, half=half) for half in ("first", "second"))
    assert first.data.resumes + second.data.resumes == 20
    assert first.data.digest != second.data.digest
    only = half_of(many, "first", 0)[:1]
    with pytest.raises(DataFormatError, match="second half"):
        report_of(only, half="second")
    with pytest.raises(DataFormatError, match="none of the resumes"):
        report_of([annotated("empty", " \n")])


def test_unknown_labels_are_said_and_no_text_is_in_the_report() -> None:
    odd = annotated("odd", "Keisha Robinson\n\nNurse\n", ("Name", "Keisha Robinson"), ("Blood type", "Nurse"))
    report = report_of([odd])
    assert "Blood type" in report.notes[0]
    assert any("One resume only" in note for note in report.notes)
    page, document = redaction_html(report), report.model_dump_json()
    assert "Blood type" in page
    assert "&lt;ours&gt;" in page
    for text in ("Keisha", "Robinson", "Nurse"):
        assert text not in page
        assert text not in document
    assert RedactionReport.model_validate_json(document) == report


@pytest.fixture(scope="module")
def scoring(tiny_bundle: Bundle) -> Scoring:
    folder = Path(tiny_bundle.manifest.base_model.id)
    loaded = LoadedModel(FakeEngine(), TextTokenizer.load(folder / "tokenizer.json", tiny_bundle.manifest))
    postings = [Posting("nurse", JOB), Posting(None, JOB), Posting(None, "Python engineer with a database.")]
    return Scoring(Matcher(tiny_bundle, loaded.tokenizer, keeps_names=True), loaded, postings)


def test_a_perfect_redaction_decides_as_the_annotation(scoring: Scoring) -> None:
    labelled = [(span.label, ENGINEER.text[span.start : span.end]) for span in ENGINEER.spans]
    year = annotated("full", ENGINEER.text, *labelled, ("Graduation Year", "2011"))
    decided = report_of([NURSE, year], scoring=scoring).decisions
    assert decided is not None
    assert (decided.postings, decided.against_bare.pairs, decided.against_bare.resumes) == (3, 6, 2)
    for effect in (decided.against_annotation, decided.against_completed_annotation):
        assert effect.figures["mean_shift"].value == 0
        assert effect.figures["pairs_differ"].value == 0
    assert decided.against_bare.figures["mean_shift"].value != 0


def test_categories_without_annotation_are_hidden_in_the_completed_one(scoring: Scoring) -> None:
    bare = [annotated(r.id, r.text, ("Name", r.text.split("\n")[0])) for r in BOTH]
    decided = report_of(bare, scoring=scoring).decisions
    assert decided is not None
    assert decided.against_annotation.figures["mean_shift"].value != 0
    assert decided.against_completed_annotation.figures["mean_shift"].value == 0
    # What must stay is not hidden there, so that taking it is a difference.
    kept = [annotated("n", NURSE.text, ("Name", "Keisha Robinson"), ("Skills", "Harvard University"))]
    taken = report_of(kept, scoring=scoring).decisions
    assert taken is not None
    assert taken.against_completed_annotation.figures["mean_shift"].value != 0


def test_the_page_shows_decisions(scoring: Scoring) -> None:
    page = redaction_html(report_of(scoring=scoring))
    assert "What it decides" in page
    assert "0.5 % of resumes" in page
