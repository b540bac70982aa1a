"""Warnings about a resume: what they see, and above all what they leave alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from service.core.copied_text import Runs, RunsOfPostings, runs_of
from service.core.documents import normalise
from service.core.other_texts import reads_like_something_else
from service.core.redaction.redactor import Redactor
from service.core.resume_warnings import RESUME_WARNINGS, needs_a_look, warnings_of_text
from service.core.structured_text import is_structured

REDACTOR = Redactor()
SCAN = "IMG_2041\nScanned with a phone\nPage 1 of 2"

STRUCTURED = {
    "LaTeX": "\\documentclass[a4paper]{article}\n\\begin{document}\nIda Moor\n\\end{document}",
    "LaTeX without a head": "\\section*{Work}\n\\begin{itemize}\n\\item Baker\n\\end{itemize}",
    "HTML": '<div class="cv"><h1>Ida Moor</h1><p>Baker</p></div>',
    "XML": "<candidate><fullName>Ida Moor</fullName><trade>Baker</trade></candidate>",
    "Word's XML": "<w:p><w:r><w:t>Ida Moor</w:t></w:r></w:p>",
    "entities": "Ida&nbsp;Moor &amp; daughters &ndash; bakers &#8226; Hull &lt;UK&gt;",
    "PDF": "%PDF-1.7 4 0 obj << /Length 44 >> stream",
    "objects of a PDF": "7 0 obj << /Type /Font /Subtype /Type1 >> endobj",
    "RTF": "{\\rtf1\\ansi\\deff0 Ida Moor\\par Baker\\par}",
    "body of RTF": "\\pard\\fs24 Ida Moor\\par Baker\\par Hull\\par",
    "JSON": '{"person": {"first": "Ida", "last": "Moor"}, "trade": "baker"}',
    "rows of JSON": '[{"who": "Ida", "what": "baker", "where": "Hull"}]',
    "YAML": "person:\n  name: Ida Moor\n  town: Hull\nwork:\n  - post: Baker\n    from: 2015\n    to: 2020\n"
    "    tasks:\n      - bread",
    "Word": "PK [Content_Types].xml _rels word/document.xml",
    "base64": "JVBERi0xLjcKJeLjz9MKNSAwIG9iago8PC9GaWx0ZXI",
    "Typst": '#import "@preview/cv:1.0": *\n#show: cv.with(name: "Ida Moor")\n= Work\nBaker',
}
PLAIN = {
    "a JSON Resume": '{"basics": {"name": "Ida Moor"}, "work": [{"name": "Acme", "position": "Baker"}]}',
    "templates": "Wrote std::vector<int>, List<String> and Map<K, V> by hand; <canvas>, HTML5 and CSS3.",
    "addresses in brackets": "Ida Moor <ida@mail.example>, formerly <moor@mail.example>, baker",
    "LaTeX as a skill": "Typesets reports in LaTeX (\\section, TikZ), writes XML & JSON by hand, R&D, Q&A.",
    "labels": "Name: Ida Moor\nEmail: ida@mail.example\nPhone: 555\nTown: Hull\nTrade: Baker\nSince: 2010\n"
    "Tools: Oven\nLanguages: English",
    "Markdown": "# Ida Moor\n\n## Work\n\n- **Baker**, *Acme*, [site](https://acme.example)\n- `bread`",
}


@pytest.mark.parametrize("kind", STRUCTURED)
def test_markup_is_told(kind: str) -> None:
    assert "structured_text" in warnings_of_text(normalise(STRUCTURED[kind]))


@pytest.mark.parametrize("kind", PLAIN)
def test_marks_in_a_text_are_no_markup(kind: str) -> None:
    assert not is_structured(normalise(PLAIN[kind]))


OTHER = {
    "a posting": "Baker\n\nWe are looking for a baker for our shop in Hull. You will start at three and go home at "
    "noon.\n\nRequirements\n- three years of experience\n\nWe offer free bread. Apply now!",
    "one line of a posting": "You will bake bread and rolls, look after the ovens and teach the apprentices.",
    "a contract": "This Agreement is made between the Landlord and the Tenant. The Tenant shall pay the rent in "
    "advance. The Landlord shall insure the building. Either party may terminate this Agreement in writing.",
    "a story": "The fog came in from the sea and lay over the town for three days. He walked down to the harbour in "
    "the evening and looked for her boat, but it was not there, and nobody could tell him when it had gone out. "
    "On the fourth morning the bell rang, and he ran, and there she was, wet to the skin and laughing at him.",
    "a recipe": "Mix the flour with the salt and the yeast and make a well in the middle. Pour in the warm water and "
    "stir until it comes together, then turn it out and knead it for ten minutes. Leave it under a cloth until "
    "it is twice as high, shape it, and put it in a hot oven for half an hour. Let it cool before you cut it.",
    "numbers": " ".join(str(n * n) for n in range(60)),
    "filler": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.",
    "an invoice": "INVOICE\nInvoice no: 88\nBill to: Acme\nFlour, 40 kg 61.20\nSubtotal 61.20\nTotal due 72.83",
    "code": "import os\nimport sys\n\ndef walk(top):\n    for name in os.listdir(top):\n        print(name)\n"
    "    return 0\n\nclass Oven:\n    def heat(self):\n        return 220\n",
}
RESUMES = {
    "three sentences": "Seven years of building REST services in Python and Go. Cut the latency of a billing system "
    "by 40 %. PostgreSQL, Kafka, Docker.",
    "a line": "Registered nurse on a surgical ward: wound care, triage, teaching new colleagues.",
    "somebody about herself": "I have kept gardens for private houses in the valley for eleven years. I prune fruit "
    "trees, lay lawns, build dry stone walls and know what grows in the shade. I drive, I have a chainsaw ticket, "
    "and I do not mind the rain. Before that I was on a farm, where I looked after sheep and mended what broke.",
    "somebody about another": "She has worked in kitchens since she was sixteen, first washing up and then at the "
    "stove of two hotels on the coast. She can run a pass for two hundred covers, writes her own menus and has "
    "never missed a service. She is looking for a kitchen where she can teach the young ones what she knows.",
    "a letter": "Dear Ms Okafor,\n\nI am writing to apply for the post of nurse. I would love to join your team. You "
    "will find my references below. If you have questions, please call me.\n\nKind regards,\nIda Moor",
    "a recruiter": 'Ida Moor\nida@mail.example\n\nRecruiter\nWrote postings ("We are looking for", "You will"), read '
    "2,000 applications, equal opportunity employer programmes, competitive salary reviews.",
    "a lawyer": "Attorney with twelve years in landlord and tenant law. Drafted leases, negotiated terms and "
    "conditions, advised on liability and warranties, pursuant to state rules. Opinions on governing law.",
    "a bookkeeper": "Bookkeeper. Matched invoice number and invoice date to ledgers, chased every amount due, closed "
    "each month on time. Excel, SAP.",
    "a posting under a resume": "Ida Moor\nida@mail.example\n\nExperience\nNurse, City Hospital, 2015 - 2020\n\nWe are "
    "looking for an engineer. You will design services. We offer a competitive salary. Apply now.",
    "German": "Ich habe sieben Jahre in einer Bäckerei gearbeitet und dort Brot und Brötchen gebacken. Danach war ich "
    "in einer Küche tätig und habe Lehrlinge ausgebildet. Ich suche eine Stelle, an der ich lange bleiben kann.",
    "rates": "Sales 2019 120 %, 2020 134 %, 2021 150 %\nQuota 1.2 m, 1.4 m, 1.6 m\nNPS 61, 64, 70\nTeams of 4, 6, 9",
}


@pytest.mark.parametrize("kind", OTHER)
def test_other_texts_are_told(kind: str) -> None:
    text = normalise(OTHER[kind])
    assert "not_a_resume" in warnings_of_text(text)
    assert "not_a_resume" in warnings_of_text(text, REDACTOR.redact(text))


@pytest.mark.parametrize("kind", RESUMES)
def test_a_resume_of_another_form_is_one(kind: str) -> None:
    text = normalise(RESUMES[kind])
    assert "not_a_resume" not in warnings_of_text(text)
    assert "not_a_resume" not in warnings_of_text(text, REDACTOR.redact(text))
    assert not reads_like_something_else(text, has_own_name=True)


@pytest.mark.parametrize(
    ("text", "is_little"),
    [
        (SCAN, True),
        ("word " * 20, True),
        ("word " * 21, False),
        ("ida@mail.example " * 20, True),
        ("1 2 3 4 " * 20, True),
        ("python,java,go," * 7, False),
        ("工程师负责支付系统的设计与运行并指导两名初级同事共同完成多个项目的开发与测试工作并编写文档", False),
        ("软件工程师", True),
    ],
)
def test_little_text_is_told_by_words(text: str, is_little: bool) -> None:
    assert ("little_text" in warnings_of_text(normalise(text))) == is_little


def test_names_are_a_matter_of_redaction() -> None:
    text = "Experience\nBaker, Acme Bread, 2015 - 2020"
    assert "no_name_found" not in warnings_of_text(text)
    assert "no_name_found" in warnings_of_text(text, REDACTOR.redact(text))
    again = f"[NAME]\n{text}"
    assert "no_name_found" not in warnings_of_text(again, REDACTOR.redact(again))


FIRST = "Emily Walsh\nemily.walsh@mail.example\n\nExperience\nCook, Acme Canteens, 2012 - 2019\nCooked for 200 guests a day.\n"
SECOND = (
    "Kofi Mensah\nkofi.m@mail.example\n\nExperience\nBaker, Northern Bread, 2010 - 2020\n- Ran two ovens.\n"
)


@pytest.mark.parametrize(
    "text",
    [
        f"{FIRST}\n{SECOND}",
        f"{FIRST.replace('Experience', 'EXPERIENCE')}\nEDUCATION\nDiploma\n\nRESUME\n{SECOND}",
        f"Name: Emily Walsh\n{FIRST}\nName: Kofi Mensah\nCurriculum vitae",
        f"{FIRST}\nEmily Walsh | Page 1\n\nSkills\nbread\n\nKofi Mensah | Page 2\n",
    ],
)
def test_the_resumes_of_two_people_in_one_text_are_told(text: str) -> None:
    text = normalise(text)
    assert "several_names" in warnings_of_text(text, REDACTOR.redact(text))
    assert "several_names" not in warnings_of_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Emily Walsh\n\nReferences\nKofi Mensah, Head Chef",
        f"{FIRST}\nReferences\nKofi Mensah\nHead Chef, Acme Canteens\nkofi.m@mail.example\n+44 161 496 0132",
        f"{FIRST}\nSupervisor: Kofi Mensah, kofi.m@mail.example\nReported to Rosa Delgado, head of kitchens.\n\nEducation\nDiploma, 2011",
        f"{FIRST}\nPersonal details\nFather's name: Kofi Walsh\nFirst name: Emily Ann\nLast name: Walsh",
        f"{FIRST}\nKofi Mensah\nkofi.m@mail.example\nHead Chef",
        f"{FIRST}\nEmily Walsh | Page 2\nExperience\nHelper, Acme Bread, 2010 - 2012",
    ],
)
def test_referees_managers_and_relatives_are_no_second_candidate(text: str) -> None:
    text = normalise(text)
    assert "several_names" not in warnings_of_text(text, REDACTOR.redact(text))


def test_only_warnings_about_the_language_leave_a_decision_as_it_is() -> None:
    assert not needs_a_look([])
    assert not needs_a_look(["non_latin_script", "not_english"])
    assert all(
        needs_a_look(["not_english", code])
        for code in RESUME_WARNINGS
        if code not in ("non_latin_script", "not_english")
    )


POSTING = (
    "You will bake bread and rolls from three in the morning, look after two ovens and teach the apprentices. You "
    "have a trade certificate and several years in a bakery, and you like to get up early."
)


def repeats(posting: Runs, resume: str) -> int:
    return RunsOfPostings([posting]).repeated_by(resume).get(0, 0)


def test_a_posting_in_a_resume_is_told() -> None:
    runs = runs_of(POSTING)
    resume = "Ida Moor\n\nBaker since 2015: bread, rolls, two ovens. Taught apprentices; early riser."
    assert not repeats(runs, resume)
    assert repeats(runs, f"{resume}\n\n{POSTING}")
    assert repeats(runs, f"{resume}\n\n{POSTING.upper()[:150]}")
    assert not repeats(
        runs, f"{resume} You will bake bread and rolls from three in the morning, look after me."
    )
    assert not repeats(
        runs_of("Bake bread and rolls in our bakery in Hull"), "Bake bread and rolls in our bakery in Hull"
    )
    page = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(300))
    assert repeats(runs_of(page), page[:600])


HOSTILE: dict[str, Callable[[int], str]] = {
    "names": lambda n: "Jane Doe, " * n,
    "at signs": lambda n: "@" * n,
    "opening brackets": lambda n: "<" * n,
    "brackets": lambda n: "<a" * n,
    "braces": lambda n: "{" * n,
    "hyphens": lambda n: "-" * n,
    "backslashes": lambda n: "\\" * n,
    "keys": lambda n: '{"' + '"a' * n,
    "digits": lambda n: "1" * n,
    "lines": lambda n: "a:\n" * n,
    "I": lambda n: "I " * n,
    "closing": lambda n: "})];" * n,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_steps_grow_with_the_length_and_have_an_end(name: str) -> None:
    few, many = (_lines_executed(HOSTILE[name](size)) for size in (400, 1_600))
    assert many < 4.8 * few
    assert _lines_executed(HOSTILE[name](50_000)) <= 1.2 * _lines_executed(HOSTILE[name](25_000))


def _lines_executed(text: str) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        warnings_of_text(text)
    finally:
        sys.settrace(before)
    return count
