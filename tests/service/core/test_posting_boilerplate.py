from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.documents import normalise
from service.core.posting_boilerplate import boilerplate_sentences, work_shares

WORK = (
    "You will design bridges and check the drawings of others.\n"
    "Must hold a chartered engineer's licence and have five years of experience.\n"
    "Ability to explain a calculation to people who are no engineers.\n"
    "Plan inspections, write reports and keep the asset register of the county.\n"
    "Good knowledge of Eurocode 2 and of the software that it is checked with.\n"
    "Supervise two graduates and sign off what they have calculated.\n"
)


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in boilerplate_sentences(text)]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("company", "Founded in 1921, Marlow & Sons is a leading provider of engineering services in the north."),
        ("company", "We are a global company headquartered in Leeds."),
        ("benefits", "We offer a competitive salary, 25 days' annual leave and a pension scheme."),
        ("benefits", "Medical, dental and vision insurance, 401(k) and paid time off."),
        ("benefits", "£32,000 to £38,000 p.a."),
        ("equal_opportunity", "Marlow is an equal opportunity employer and does not discriminate."),
        ("equal_opportunity", "Applications are considered regardless of race, religion, sex or age."),
        ("application", "To apply, please send your CV and a cover letter to jobs@example.com."),
        ("application", "Only shortlisted candidates will be contacted."),
        ("legal", "The above statements are not to be construed as an exhaustive list of duties."),
        ("legal", "See our privacy notice for how we handle your data."),
        ("agency", "We are a recruitment agency that places engineers."),
        ("markup", "function wrapElement(a, b) { a.wrap(b); var x = 1; }"),
    ],
)  # fmt: skip
def test_boilerplate_is_told_by_its_phrases(kind: str, sentence: str) -> None:
    assert _found(WORK + sentence) == [(kind, sentence)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Administer the company's medical, dental and vision insurance plans.",
        "Knowledge of equal opportunity law and affirmative action plans.",
        "Support people with disabilities in their homes.",
        "Apply coatings to steel surfaces.",
        "Submit loan applications to underwriters.",
        "Manage a budget of $5 to $10 million.",
        "Write privacy notices and run the data protection programme.",
        "Must be authorised to work in the UK; no visas are sponsored.",
        "Recruit engineers for clients of the agency.",
        "Contact customers at their homes and sell insurance.",
        "Five years of experience with a leading provider of software.",
        "Reports to the head of benefits.",
    ],
)
def test_duties_and_requirements_are_kept_whatever_they_are_about(sentence: str) -> None:
    assert _found(WORK + sentence) == []


def test_a_heading_tells_what_stands_under_it_until_the_work_goes_on() -> None:
    text = (
        WORK
        + "Benefits\n- Free lunches\n- Season ticket loan\nRequirements\n- Welding\nSalary: Grade 7\n- Rigging"
    )

    assert _found(text) == [
        ("benefits", "Benefits"),
        ("benefits", "Free lunches"),
        ("benefits", "Season ticket loan"),
        ("header", "Salary:"),
        ("header", "Grade 7"),
    ]


def test_a_posting_that_lost_its_line_breaks_reads_as_one_that_has_them() -> None:
    text = "Weld the hulls of fishing boats and trawlersRead drawings and order steelBenefits:Dental insuranceEEO Employer"

    assert _found(text) == [
        ("benefits", "Benefits:"),
        ("benefits", "Dental insurance"),
        ("equal_opportunity", "EEO Employer"),
    ]


def test_a_posting_of_nothing_else_is_kept_whole_but_for_its_scripts() -> None:
    text = "We offer a competitive salary. EEO employer. Apply now! $('a').each(function (i) { i.x(); });"

    assert [kind for kind, _ in _found(text)] == ["markup"]
    assert _found("We offer a competitive salary. EEO employer. Apply now!") == []


def test_a_script_ends_where_sentences_begin() -> None:
    text = "p{margin: 0px;font-size: 14px;}JUNIOR SECRETARY for a law firm in town (full time)"

    assert _found(text) == [("markup", "p{margin: 0px;font-size: 14px;}")]


@given(st.text(alphabet="ab $({;}).\nEO:", max_size=200).map(normalise))
def test_spans_are_in_order_and_do_not_overlap(text: str) -> None:
    at = 0
    for span in boilerplate_sentences(text):
        assert at <= span.start < span.end <= len(text)
        at = span.end


def test_shares_of_passages_that_are_about_the_work() -> None:
    work = "You will keep the books and reconcile the accounts of forty clients each month."
    legal = "We are an equal opportunity employer and do not discriminate on the basis of race, sex or age."
    text = f"{work}\n- {work}\n{legal}"
    assert work_shares(text, [work, work, legal]) == pytest.approx([1.0, 1.0, 0.0])
    half = " ".join([*work.split()[-3:], *legal.split()])
    shares = work_shares(text, [work, " ".join(work.split()[:-3]), half])
    assert shares is not None
    assert shares[2] == pytest.approx(3 / len(half.split()))
    assert work_shares(work, [work]) is None
