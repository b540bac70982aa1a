"""Texts that are given as text: what is really HTML, RTF, Markdown or JSON, and what is not."""

from __future__ import annotations

import html
import json
import quopri
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import DamagedDocumentError
from service.core.redaction.json_resume import plain_text
from service.files.documents.given_texts import read_given_text, read_plainly
from service.files.documents.parsed import DocumentLimits

LIMITS = DocumentLimits()
PLAIN = """Gardener

We look after parks & playgrounds for the city.

You will:
- Plant trees and hedges
- Repair benches"""
HTML = (
    '<div class="body"><p><strong>Gardener</strong></p><p><span style="font-weight: 400;">We look after parks &amp; '
    "playgrounds for the city.</span></p>\n<p>You will:</p><ul><li>Plant trees and hedges</li><li>Repair benches</li></ul></div>"
)
LINES = [line for line in PLAIN.split("\n") if line]


def text_node(text: str, **more: object) -> dict[str, object]:
    return {"type": "text", "text": text, **more}


def block(kind: str, *content: object) -> dict[str, object]:
    return {"type": kind, "content": list(content)}


FORMS = {
    "html": HTML,
    "escaped": html.escape(HTML),
    "escaped twice": html.escape(html.escape(HTML)),
    "escaped many times": HTML.replace("&", "&amp;").replace("<", "&amp;amp;amp;lt;"),
    "a page": f"<!DOCTYPE html><html><head><title>Jobs</title><style>p {{ color: red }}</style></head><body>{HTML}</body></html>",
    "tags in capitals": HTML.replace("<p>", "<P>").replace("</p>", "</P>"),
    "breaks": PLAIN.replace("&", "&amp;").replace("\n", "<br />\n"),
    "a few tags": PLAIN.replace("Gardener", "<b>Gardener</b>").replace("You will:", "<b>You will:</b>"),
    "CDATA": f"<![CDATA[{HTML}]]>",
    "entities": html.escape(PLAIN).replace("look after", "look&nbsp;after").replace("for", "&#102;or"),
    "breaks written out": PLAIN.replace("\n", "\\n"),
    "escapes of JSON": HTML.replace("<", "\\u003c").replace(">", "\\u003E"),
    "escapes of addresses": quote_plus(HTML),
    "escapes of mail": quopri.encodestring(HTML.encode()).decode(),
    "RTF": r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\pard\b Gardener\b0\par\par We look after parks & playgrounds for the city.\par\par You will:"
    r"\par - Plant trees and hedges\par - Repair benches\par}",
    "a piece of RTF": r"\pard\b Gardener\b0\par We look after parks & playgrounds for the city.\par You will:\par\fs20 - Plant trees and hedges"
    r"\par - Repair benches",
    "Markdown": "# Gardener\n\nWe look after **parks & playgrounds** for the [city](https://example.org).\n\n**You will:**\n\n"
    "- Plant trees and hedges\n- Repair benches",
    "Markdown with HTML": "**Gardener**<br><br>We look after **parks & playgrounds** for the city.<br>You will:<br>- Plant trees and hedges<br>"
    "- Repair benches",
    "JSON": json.dumps({"id": 7, "language": "en", "description": HTML}),
    "a JSON string": json.dumps(PLAIN),
    "JSON lines of text": json.dumps(LINES),
    "escaped HTML in JSON": json.dumps({"data": {"content": html.escape(HTML)}}),
    "HTML and text in JSON": json.dumps({"text": PLAIN, "html": HTML}),
    "a posting of schema.org": json.dumps({"@type": "JobPosting", "title": "Gardener", "description": HTML.replace("<p><strong>Gardener</strong></p>", "")}),
    "Python's dict": repr({"text": PLAIN}),
    "Python's bytes": repr(PLAIN.encode()),
    "XML": f"<?xml version='1.0' encoding='utf-8'?><job><description><![CDATA[{HTML}]]></description></job>",
    "Quill": json.dumps({"ops": [{"insert": "Gardener"}, {"attributes": {"list": "bullet"}, "insert": "\n"}, {"insert": PLAIN.split("\n", 1)[1]}]}),
    "ProseMirror": json.dumps(block("doc", *(block("paragraph", text_node(line[:9]), text_node(line[9:], marks=[{"type": "bold"}])) for line in LINES))),
    "Slate": json.dumps([{"type": "paragraph", "children": [{"text": line[:9], "bold": True}, {"text": line[9:]}]} for line in LINES]),
    "Draft.js": json.dumps({"blocks": [{"key": "a", "text": line, "type": "unstyled"} for line in LINES], "entityMap": {}}),
    "Editor.js": json.dumps({"time": 1, "blocks": [{"id": "x", "type": "paragraph", "data": {"text": html.escape(line)}} for line in LINES]}),
}  # fmt: skip


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_as_the_same_text(form: str) -> None:
    found = read_given_text(FORMS[form], LIMITS)
    assert found is not None
    assert letters(found.text) == letters(PLAIN)
    assert {line.lstrip("•- ") for line in found.text.split("\n")} >= {
        "Gardener",
        "You will:",
        "Repair benches",
    }
    assert found.warnings["markup_read"] >= 1
    assert read_given_text(found.text, LIMITS) is None
    assert read_plainly(FORMS[form]) is not None


STAYS = [
    PLAIN,
    "Front-end developer. HTML (<div>, <span>, <p>), CSS: font-weight, flex.",
    "Semantic HTML: <header> <nav> <section> <article>, <br> and <hr>",
    "I used <p> for paragraphs and <li> for items of lists.",
    "Use <b> or <strong> for bold text, and <i> or <em>.",
    "C++ <vector>, std::vector<int>, std::map<std::string, int>",
    "Java: List<String>, Map<K, V>, Array<i>, Option<b>",
    "if (a < b && c > d) { return a; }",
    "#include <iostream>\n#include <vector>\nint main() { return a<b; }\nvoid f() { x<y; }",
    "Ida Moor <ida@example.org>; Kofi Mensah <kofi@example.org>",
    "`<p>one two three</p> <p>four five six</p>` is HTML",
    "```html\n<p>one two three four</p>\n<p>five</p>\n```",
    'const App = () => <div className="app"><Header title={title} /></div>;',
    "<Senior gardener>",
    "R&D; AT&T; Q&A; B&B;",
    "https://example.org/?a=1&lt=2&copy=3;",
    "3 < 5; 7 > 2 & more",
    "C:\\new\\notes and C:\\Users\\ida",
    "50% off, a=20, b=3D, c=40 and https://example.org/?q=a%20b%20c%20d",
    "https://example.org/?q=a%20b%20c%20d",
    "snake_case_names, __init__, **kwargs and *args",
    "2019. Planted trees\n2020. Repaired benches",
    "EXPERIENCE\n----------\nGardener    2019 - 2021\n\nEDUCATION\n---------\nSchool",
    "# 1 gardener of the year",
    "[2019] Planted [500] trees",
    '"I plant trees" is what I say.',
    "a ** b ** c",
    "\\documentclass{article}\n\\section{Work}\n\\par Gardener",
]


@pytest.mark.parametrize("text", STAYS)
def test_a_text_that_mentions_markup_stays_as_it_is(text: str) -> None:
    assert read_plainly(text) is None
    assert read_given_text(text, LIMITS) is None


def test_text_beside_tags_keeps_its_lines_its_columns_and_what_looks_like_a_tag() -> None:
    text = (
        "Ida Moor <ida@example.org>\n\n<b>Work</b>\nGardener, City      2019 - 2021\nWrote List<String> where a < b\n"
        "<b>Skills</b>\nC++ <vector>, trees"
    )
    found = read_given_text(text, LIMITS)
    assert found is not None
    expected = text.replace("<b>", "").replace("</b>", "").replace("      ", "    ")
    assert found.text == expected


PIECES_OF_HTML = {
    "<p>&nbsp;</p><p>Plant trees for us</p>\n<p>&nbsp;</p>": "Plant trees for us",
    "<li>Plant trees</li><li>Repair benches</li>": "• Plant trees\n• Repair benches",
    "<!--[if gte mso 9]><xml><w:View></w:View></xml><![endif]--><p class=MsoNormal><span lang=EN-US "
    "style='font-size:11.0pt'>Plant trees<o:p></o:p></span></p>": "Plant trees",
    "&#60;p&#62;Plant trees&#x3c;/p&#x3e;": "Plant trees",
    "Plant trees <br> Repair benches <br> Mow lawns": "Plant trees\nRepair benches\nMow lawns",
    "Plant trees\n<br>\nRepair benches": "Plant trees\nRepair benches",
    "Plant trees</p><p>Repair benches": "Plant trees\n\nRepair benches",
    "<div>Gardener\n\nYou will:\n- Plant trees\n- Repair benches\n</div>": "Gardener\n\nYou will:\n- Plant trees\n- Repair benches",
    "<p>One sentence that is wrapped\nin its source.</p>": "One sentence that is wrapped in its source.",
    "<font color=red>Gardener</font>": "Gardener",
    "<table><tr><td>Gardener</td><td>2019</td></tr></table>": "Gardener    2019",
    "<p>List&lt;String&gt; and &lt;canvas&gt;</p>": "List<String> and <canvas>",
    "<p>Plant trees</p><script>var python = '<p>java</p>';</script>": "Plant trees",
    "<job>Plant trees</job>": "Plant trees",
}


@pytest.mark.parametrize("text", PIECES_OF_HTML)
def test_pieces_of_html_are_read(text: str) -> None:
    found = read_given_text(text, LIMITS)
    assert found is not None
    assert found.text == PIECES_OF_HTML[text]


def test_a_record_in_xml_is_read_by_its_keys() -> None:
    found = read_given_text("<resume><firstName>Ida</firstName><employer>City</employer></resume>", LIMITS)
    assert found is not None
    assert json.loads(found.text) == {"resume": {"firstName": "Ida", "employer": "City"}}


def test_hidden_text_is_left_out_and_counted() -> None:
    for hidden in (
        '<p style="display:none">oak elm ash</p>',
        '<span style="font-size:0px">oak elm ash</span>',
    ):
        for text in (HTML + hidden, html.escape(HTML + hidden), json.dumps({"text": HTML + hidden})):
            found = read_given_text(text, LIMITS)
            assert found is not None
            assert "elm" not in found.text
            assert found.warnings["hidden_text"] == 9


def test_values_of_a_resume_in_json_are_read_and_it_stays_json() -> None:
    resume = {
        "basics": {"name": "Ida Moor"},
        "work": [{"position": "Gardener", "summary": "<p>Planted <b>trees</b> &amp; hedges</p>"}],
    }
    for text in (json.dumps(resume), json.dumps({"status": "ok", "resume": resume})):
        found = read_given_text(text, LIMITS)
        assert found is not None
        assert found.kind == "html"
        assert json.loads(found.text)["work"][0]["summary"] == "Planted trees & hedges"
        assert json.loads(found.text)["basics"] == resume["basics"]
    record = {
        "firstName": "Ida",
        "lastName": "Moor",
        "jobs": [{"employer": "City", "task": "<p>Planted</p>"}],
    }
    of_record = read_given_text(json.dumps(record), LIMITS)
    assert of_record is not None
    assert json.loads(of_record.text)["jobs"][0]["task"] == "Planted"
    assert plain_text(of_record.text).split() == ["Ida", "Moor", "City", "Planted"]


def read(text: str) -> str:
    """What `text` is read as: itself, if it is no other form of a text."""
    found = read_given_text(text, LIMITS)
    return text if found is None else found.text


def test_a_resume_as_python_prints_it_is_read_as_one_in_json() -> None:
    work = [{"position": "Gardener", "summary": "<p>Planted <b>trees</b></p>"}]
    resume = {"basics": {"name": "Ann Example", "email": "ann@example.org"}, "work": work}
    printed = repr(resume).replace("'work':", "b'work':")
    assert read(printed) == read(json.dumps(resume))
    assert json.loads(read(printed))["work"][0]["summary"] == "Planted trees"


@pytest.mark.parametrize(
    "text",
    [
        "{b'a': 'Planted trees', 'a': 'Pruned hedges'}",
        "{'a': 3j}",
        "{'text': ...}",
        "[" * 80 + "()" + "]" * 80,
    ],
)
def test_what_python_prints_and_json_cannot_say_stays_a_text(text: str) -> None:
    assert read(text) == text


def test_a_set_is_read_in_the_same_order_by_every_process() -> None:
    assert read("{'text': {'Pruned hedges', 'Planted trees'}}").splitlines() == [
        "Planted trees",
        "Pruned hedges",
    ]


def test_what_is_wrapped_without_end_is_refused() -> None:
    text = PLAIN
    for _ in range(12):
        text = json.dumps({"text": text})
    with pytest.raises(DamagedDocumentError, match="more than 8 times"):
        read_given_text(text, LIMITS)


WORDS = st.sampled_from(
    """gardener planted trees for the city, in 2019 - 2021 & repaired (benches); "tools": C++ / C# a<b >3 x < y List<T> <tag> <div> R&D
    ida@example.org <ida@example.org> 50% #1 * - • _notes_ [1] {2} 'so' don't e.g. i.e. $5 ~10 + = https://example.org/?a=1&b=2 \\ |
    AT&T; Node.js""".split()
)
PROSE = st.lists(
    st.tuples(WORDS, st.sampled_from([" ", " ", " ", "\n", "\n\n", "  "])), min_size=1, max_size=60
)


def test_a_sign_at_the_end_of_short_lines_is_no_soft_break() -> None:
    for text in ("=\n=\n=\ngardener", "1 + 1 =\n2 + 2 =\n3 + 3 =\nplanted"):
        assert read(text) == text


@settings(max_examples=200, deadline=None)
@given(PROSE)
def test_plain_english_never_becomes_markup(words: list[tuple[str, str]]) -> None:
    text = "".join(word + blank for word, blank in words).strip()
    assert read_plainly(text) is None
    assert read_given_text(text, LIMITS) is None


PIECES = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "<br>", "<div class='a'>", "</div>", "&lt;", "&gt;", "&amp;", "<!--", "-->", "**", "# ", "\n", " ", "oak",
     "elm ash yew", "<x>", "`", '{"text": "', '"}', "\\par ", "{\\rtf1 ", "}", "[", "](https://e.org)", "<ul><li>", "&nbsp;", "\\n"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=30))
def test_reading_what_was_read_changes_nothing(pieces: list[str]) -> None:
    try:
        found = read_given_text("".join(pieces), LIMITS)
    except DamagedDocumentError:
        return
    if found is not None:
        assert read_given_text(found.text, LIMITS) is None
