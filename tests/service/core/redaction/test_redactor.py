"""Hand-checked texts for every category, and laws that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.documents import normalise
from service.core.errors import UnreadableTextError
from service.core.redaction.cache import RedactionCache
from service.core.redaction.given import GivenSpan, places_of
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import CATEGORIES, TOKENS
from service.core.redaction.redactor import MOST_PASSES, Redactor
from service.core.redaction.spans import Span
from tests.support.resume_corpus import samples

REDACTOR = Redactor()


def redacted(text: str) -> str:
    return REDACTOR.redact(normalise(text)).text


@pytest.mark.parametrize(
    "header",
    [
        "Nkiruka Chukwuemeka-Okafor",
        "LI Xiaoming",
        "TRẦN Thị Ngọc Ánh",
        "Søren Bjørn-Østergård",
        "O'Brien, Séamus P.",
        "Jan van der Berg",
        "María José de la Cruz",
        "Dr. Aarav Krishnamurthy",
        "J. R. Okonjo",
        "Grace Baker",
        "王伟",
        "김 민준",
        "Иван Петров",
        "J A N E   D O E",
        "# Wanjirũ Kamau",
        "**Latoya Washington**",
        "<h1>Jamal Robinson</h1>",
        "\\name{Fatima}{Al-Zahra}",
        "{\\Huge Giulia Rossi}",
        "Name: Aïssatou Diallo",
        "Resume of Kwame Asante",
        "Curriculum Vitae – Ngozi Eze",
        "Hiroshi Tanaka, PhD, PMP",
        "tomasz kowalczyk",
    ],
)
def test_a_name_in_the_header_is_hidden(header: str) -> None:
    text = f"{header}\nkontakt@example.org\n\nSummary\nBuilds data pipelines.\n"
    output = redacted(text)
    kept = {
        "PhD",
        "PMP",
        "h",
        "Name",
        "Resume",
        "of",
        "Curriculum",
        "Vitae",
        "Huge",
        "name",
        "Dr",
        "NAME",
        "GENDER",
    }
    letters = set("".join(ch if ch.isalpha() else " " for ch in output.split("\n")[0]).split())
    assert letters <= kept, output.split("\n")[0]
    assert "Builds data pipelines." in output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana Ruiz\nAna leads. Ana's team grew.", "[NAME]\n[NAME] leads. [NAME]'s team grew."),
        ("Julia Jenkins\nSkills: Julia, Jenkins, Kafka", "[NAME]\nSkills: Julia, Jenkins, Kafka"),
        ("Will Young\nWill Young will mentor young staff.", "[NAME]\n[NAME] will mentor young staff."),
        ("Wei Chen\nPublished as W. Chen and Chen W.", "[NAME]\nPublished as [NAME] and [NAME]"),
        ("Ana Ruiz\nana_ruiz_cv.pdf", "[NAME]\n[NAME]"),
        ("Worked under the supervision of Dr. Amara Nwosu.", "Worked under the supervision of Dr. [NAME]."),
        ("Reported to Mrs. Kim Lee, the CFO.", "Reported to [GENDER] [NAME], the CFO."),
        ("Summary\nMy name is Olu Ade and I cook.", "Summary\nMy name is [NAME] and I cook."),
        ("Summary\nCook.\n\nBest regards,\nPriya Nair", "Summary\nCook.\n\nBest regards,\n[NAME]"),
        ("References\nKofi Mensah, Head Chef, Acme Ltd", "References\n[NAME], Head Chef, Acme Ltd"),
        ("Summary\nmail jane.doe@mail.example.org now", "Summary\nmail [EMAIL] now"),
        ("Summary\njane (at) example (dot) org", "Summary\n[EMAIL]"),
        ("Summary\nCall +44 20 7946 0958 or (555) 010-2211.", "Summary\nCall [PHONE] or [PHONE]."),
        ("Experience\nNurse, 2014 - 2018; 01/2019 - 03/2021", "Experience\nNurse, 2014 - 2018; 01/2019 - 03/2021"),
        ("Summary\nsee github.com/janedoe and https://x.example/a?b=1.", "Summary\nsee [LINK] and [LINK]."),
        ("Skills\nNode.js, socket.io, ASP.NET, B.Tech", "Skills\nNode.js, socket.io, ASP.NET, B.Tech"),
        ("Summary\n12 Maple Street, Springfield, IL 62704", "Summary\n[ADDRESS]"),
        ("Summary\nHauptstraße 5, 10115 Berlin", "Summary\n[ADDRESS]"),
        ("Summary\nPostal code: SW1A 1AA", "Summary\nPostal code: [ADDRESS]"),
        ("Summary\n![me](me.jpg) <img src='a.png' alt='Jane'>", "Summary\n[PHOTO] [PHOTO]"),
        ("Summary\nShe met him; her team is hers.", "Summary\n[PRONOUN] met [PRONOUN]; [PRONOUN] team is [PRONOUN]."),
        ("Summary\nPronouns: they/them", "Summary\nPronouns: [PRONOUN]"),
        ("Summary\nChairwoman, waitress, salesman", "Summary\nChairperson, server, salesperson"),
        ("Summary\nGender: Female", "Summary\nGender: [GENDER]"),
        ("Summary\nMarital status: married", "Summary\nMarital status: [FAMILY]"),
        ("Summary\nProud mother of two.", "Summary\n[FAMILY]."),
        ("Summary\nManaged the maternity ward and maternity leave policies.", "Summary\nManaged the maternity ward and maternity leave policies."),
        ("Summary\nDate of birth: 12 March 1988", "Summary\nDate of birth: [AGE]"),
        ("Summary\nA 34-year-old cook", "Summary\nA [AGE] cook"),
        ("Summary\nNationality: Kenyan", "Summary\nNationality: [ORIGIN]"),
        ("Summary\nH-1B visa holder, US citizen", "Summary\n[ORIGIN], [ORIGIN]"),
        ("Summary\nFluent in French; Italian cuisine", "Summary\nFluent in French; Italian cuisine"),
        ("Summary\nReligion: Hindu", "Summary\nReligion: [RELIGION]"),
        ("Education\nBSc Biology, University of Nairobi, 2010", "Education\nBSc Biology, [SCHOOL], [YEAR]"),
        ("Education\nMIT, MS in Physics, 2004-2006", "Education\n[SCHOOL], MS in Physics, [YEAR]-[YEAR]"),
        ("Education\nB.A. History, Harvard, class of '09", "Education\nB.A. History, [SCHOOL], class of [YEAR]"),
        ("Summary\nGraduated in 1998.", "Summary\nGraduated in [YEAR]."),
        ("Summary\nMember, National Society of Black Engineers", "Summary\nMember, [AFFINITY]"),
        ("Summary\nVice president of Alpha Kappa Alpha Sorority", "Summary\nVice president of [AFFINITY]"),
        ("Summary\nWomen in Tech, HBCU graduate", "Summary\n[AFFINITY], [AFFINITY] graduate"),
    ],
)  # fmt: skip
def test_hand_checked_texts(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Jenkins, Julia, Kafka, Salesforce, Tableau, Stanford CoreNLP, Harvard Graphics",
        "Analyst at Morgan Stanley, engineer at Princeton Instruments",
        "Six Sigma Black Belt; American Heart Association BLS",
        "Senior Pastry Chef, Head Cook, Registered Nurse",
        "Monte Carlo simulation, Naive Bayes, Kaplan Meier curves",
        "Ruby on Rails, Crystal Reports, Jasper Reports, Maven, Ansible",
        "Oxford University Press, Cambridge Assessment, Johns Hopkins Hospital",
        "HIS and HER2 testing; male and female catheterisation",
        "Worked with Apache Kafka and Microsoft Azure",
        "Charles Schwab | Booz Allen Hamilton | Johnson & Johnson",
        "Budget of 1,200,000 dollars; 99.95 % uptime; version 10.2.1",
        "MS Excel, Ms Word, MS SQL Server",
        "Alpha and beta testing with 20 users",
        "High school diploma required; school bus driver; college recruiting",
    ],
)
def test_skills_tools_employers_and_titles_are_left(line: str) -> None:
    text = f"Priya Nair\n\nSkills\n{line}\n"
    assert redacted(text) == f"[NAME]\n\nSkills\n{line}"


def test_counts_say_how_often_and_nothing_else() -> None:
    result = REDACTOR.redact("Ana Ruiz\nana@example.org\n\nSummary\nShe leads her team.")
    assert result.counts == {"name": 1, "email": 1, "pronoun": 2}
    assert result.has_own_name
    assert result.other_people == 0


def test_a_resume_without_a_name_says_so() -> None:
    result = REDACTOR.redact("Summary\nTwelve years of payroll processing.")
    assert not result.has_own_name
    assert result.counts == {}


def test_other_people_are_counted() -> None:
    text = "Ana Ruiz\n\nReferences\nKofi Mensah, Head Chef\nPriya Nair, Owner"
    assert REDACTOR.redact(text).other_people == 2


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_can_be_switched_off(category: str) -> None:
    kept = Redactor([one for one in CATEGORIES if one != category])
    for sample in samples(12, 77):
        assert category not in kept.redact(sample.text).counts


def test_only_the_chosen_category_is_hidden() -> None:
    assert (
        Redactor(["email"]).redact("Ana Ruiz, ana@example.org, 12 Oak Road").text
        == "Ana Ruiz, [EMAIL], 12 Oak Road"
    )


def test_redacting_many_is_redacting_each() -> None:
    texts = [sample.text for sample in samples(40, 78)]
    assert list(REDACTOR.redact_all(texts)) == [REDACTOR.redact(text) for text in texts]


def test_what_is_given_for_one_of_many_is_hidden_in_that_one() -> None:
    first, second = "Summary\nCook at Rookery Lane.", "Summary\nPlumber at Rookery Lane."
    spans = places_of(first, [GivenSpan("school", "Rookery Lane")])
    found = list(REDACTOR.redact_all([first, second], given={first: spans}))
    assert [one.text for one in found] == ["Summary\nCook at [SCHOOL].", second]
    assert REDACTOR.analyse(first, given=spans).spans == spans
    assert REDACTOR.analyse(first).spans == []


def test_of_names_alone_hides_names_and_keeps_the_rest() -> None:
    text = "Ana Ruiz\nana.ruiz@mail.example\n\nSummary\nShe studied at MIT, class of 2012; Ana cooks."
    alone = REDACTOR.of_names_alone().redact(text)
    assert alone.text == "[NAME]\n[EMAIL]\n\nSummary\nShe studied at MIT, class of 2012; [NAME] cooks."
    assert set(alone.counts) == {"name", "email"}


class _Finds(EntityFinder):
    """Finds a word, where it stands last: each pass finds one less."""

    def __init__(self, word: str) -> None:
        self._word = word

    def find(self, text: str) -> list[Span]:
        at = text.rfind(self._word)
        return [] if at < 0 else [Span(at, at + len(self._word), "name", TOKENS["name"])]


def test_what_finds_entities_is_asked_by_every_redactor_that_is_made_of_one() -> None:
    text = "Summary\nWorked with Quux and paid in 2012."
    hidden = "Summary\nWorked with [NAME] and paid in 2012."
    redactor = Redactor(entities=_Finds("Quux"))
    assert REDACTOR.redact(text).text == text
    for one in (redactor, redactor.of_names_alone(), redactor.with_categories(["name"])):
        assert one.redact(text).text == hidden
    assert redactor.with_categories(["email"]).redact(text).text == text


def test_a_text_that_takes_too_many_passes_is_refused() -> None:
    redactor = Redactor(entities=_Finds("Q"))
    most = "Summary\n" + "Q, " * MOST_PASSES
    assert redactor.redact(most).counts == {"name": MOST_PASSES}
    for field, read in (
        ("resume", lambda text: redactor.redact(text)),
        ("job", lambda text: redactor.redact(text, field="job")),
        ("resume", lambda text: list(redactor.redact_all([text]))),
    ):
        with pytest.raises(
            UnreadableTextError, match=f"^{field} cannot be redacted: after 10 passes"
        ) as caught:
            read(most + "Q")
        assert (caught.value.field, caught.value.limit) == (field, MOST_PASSES)


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (0, 11, [(0, 4), (10, 11)]),  # "Ida [NAME] ": before the token and behind it
        (4, 10, []),
        (5, 9, []),
        (4, 13, [(10, 13)]),
        (2, 7, [(2, 4)]),
        (0, 25, [(0, 4), (10, 14), (21, 25)]),
        (11, 13, [(11, 13)]),
    ],
)
def test_tokens_of_an_earlier_pass_are_not_hidden_again(
    start: int, end: int, left: list[tuple[int, int]]
) -> None:
    text = "Ida [NAME] of [EMAIL] in xyz"
    found = Redactor([]).analyse(text, given=[Span(start, end, "school", "[SCHOOL]")]).spans
    assert [(span.start, span.end) for span in found] == left


def test_what_others_read_changes_nothing() -> None:
    cache = RedactionCache()
    emails = Redactor(["email"])
    for sample in samples(40, 83):
        assert REDACTOR.analyse(sample.text, cache) == REDACTOR.analyse(sample.text)
        assert list(emails.redact_all([sample.text], cache)) == [emails.redact(sample.text)]
        assert list(REDACTOR.redact_all([sample.text], cache)) == [REDACTOR.redact(sample.text)]


def test_redaction_of_resumes_is_idempotent() -> None:
    for sample in samples(80, 79):
        once = REDACTOR.redact(sample.text).text
        assert REDACTOR.redact(once).text == once
        assert REDACTOR.redact(once).counts == {}


PIECES = st.sampled_from(
    [
        "Jane Doe", "Mr. Lee", "she", "her", "University of X", "[NAME]", "[SCHOOL]", "jane@x.org", "+1 555 010 2211", "\n",
        "\n\n", ", ", " - ", "Education", "References", "2010", "Name:", "BSc", "Kafka", "Dr.", "'s", "#", "born", "1988",
        "Women in Tech", "x.pdf", "St.", "12 Oak Road", "Sincerely,", "I am", "Li", "van", "de", "O'", "(", ")", "|", "王伟",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map(" ".join))


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_redaction_of_any_text_is_idempotent(text: str) -> None:
    once = redacted(text)
    assert REDACTOR.redact(once).text == once


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    clean = normalise(text)
    end = 0
    for span in REDACTOR.analyse(clean).spans:
        assert end <= span.start < span.end <= len(clean)
        assert span.category in CATEGORIES
        end = span.end


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_nothing_but_spans_is_changed(text: str) -> None:
    clean = normalise(text)
    spans = REDACTOR.analyse(clean).spans
    rest = "".join(ch for i, ch in enumerate(clean) if not any(s.start <= i < s.end for s in spans))
    tokens = [span.token for span in spans]
    once = clean
    for span in reversed(spans):
        once = once[: span.start] + span.token + once[span.end :]
    for token in tokens:
        assert token in once
    assert len(once) == len(rest) + sum(map(len, tokens))


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "1",
        ".",
        "_",
        "/",
        "工",
        "a ",
        "- ",
        "a-",
        "Aa-",
        "Aa ",
        "a@",
        "a.b",
        "(",
        "[",
        "<a ",
        "National ",
        "Dr. ",
        "[NAME] she ",
        "of the ",
        "\n",
    ],
)
def test_a_long_text_of_one_repeated_unit_is_read_in_linear_time(unit: str) -> None:
    # Quadratic patterns took minutes here: this test does not end if one comes back.
    text = normalise(unit * (100_000 // len(unit)))
    assert len(REDACTOR.redact(text).text) <= 2 * len(text)


def test_tokens_are_told_apart() -> None:
    assert len(set(TOKENS.values())) == len(CATEGORIES)
