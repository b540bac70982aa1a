from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.core.errors import (
    DamagedDocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    NoTextLayerError,
    TooManyPagesError,
)
from service.files.documents.parsed import DocumentLimits, ParsedDocument, require_text
from service.files.documents.parsers import parse_document
from tests.service.files.documents.small_files import line, pdf
from tests.support.made_documents.layouts import HIDDEN, SHOWN
from tests.support.made_documents.people import person
from tests.support.made_documents.reading_order import faults

FIXTURES = Path(__file__).parent / "fixtures"
COLUMNS = [
    "orbit-p1", "kendall-p2", "macchiato-p3", "even-p0", "typstside-p1", "typstjustified-p2", "paracol-p3",
    "writertable-p1",
]  # fmt: skip


def read(data: bytes, **limits: int) -> ParsedDocument:
    return parse_document(data, DocumentLimits(**limits))


def fixture(name: str) -> ParsedDocument:
    return read((FIXTURES / name).read_bytes())


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_read_one_after_the_other(name: str) -> None:
    seed = int(name[-1])

    document = fixture(f"{name}.pdf")

    assert faults(document.text, person(seed, posts=3 + seed % 3, bullets=3 + seed % 4)) == []
    assert document.kind == "pdf"
    assert document.characters == len(document.text)


def test_columns_that_a_program_wrote_line_by_line_are_read_as_columns() -> None:
    left = [f"Skill number {i} of many" for i in range(12)]
    right = [f"a sentence that goes on over line {i} without an end" for i in range(12)]
    rows = "".join(
        line(a, 50, 700 - 20 * i) + line(b, 250, 694 - 20 * i)
        for i, (a, b) in enumerate(zip(left, right, strict=True))
    )

    document = read(pdf(rows))

    text = " ".join(document.text.split())
    assert " ".join(left) in text
    assert " ".join(right) in text
    assert document.warnings == {"two_columns": 1}


def test_dates_at_the_right_stay_with_their_titles() -> None:
    rows = ""
    for i, year in enumerate((2021, 2018, 2015)):
        rows += line(f"Engineer of kind {i}", 50, 700 - 90 * i) + line(
            f"{year} - {year + 3}", 480, 700 - 90 * i
        )
        rows += line(f"Built the thing that matters most to customer {i}", 50, 680 - 90 * i)
        rows += line("and kept it running through the winter", 50, 666 - 90 * i)

    document = read(pdf(rows))

    assert re.findall(r"Engineer of kind (\d) +(\d{4})", document.text) == [
        ("0", "2021"),
        ("1", "2018"),
        ("2", "2015"),
    ]
    assert document.warnings == {}


def test_dates_and_bullets_that_are_painted_apart_stay_with_their_lines() -> None:
    """As browsers paint floats before the text, and other programs bullets after it."""
    dates = bullets = rows = ""
    for i, year in enumerate((2021, 2018, 2015)):
        dates += line(f"{year} - {year + 3}", 480, 700 - 90 * i)
        rows += line(f"Engineer of kind {i}", 50, 700 - 90 * i)
        rows += line(f"Built the thing that matters most to customer {i}", 64, 680 - 90 * i)
        bullets += line("\u2022", 52, 680 - 90 * i)
    head = line("Jane Doe", 50, 760, size=20) + line("who builds what lasts for a long time to come", 50, 735)

    document = read(pdf(dates + head + rows + bullets))

    lines = document.text.splitlines()
    assert [" ".join(one.split()) for one in lines if "Engineer" in one] == [
        "Engineer of kind 0 2021 - 2024", "Engineer of kind 1 2018 - 2021", "Engineer of kind 2 2015 - 2018"
    ]  # fmt: skip
    assert sum(one.startswith("• Built the thing") for one in lines) == 3


def test_cards_in_a_grid_are_read_row_by_row() -> None:
    cards = "".join(
        line(f"Card {i} begins here", 50 + 260 * (i % 2), 700 - 100 * (i // 2))
        + "".join(
            line(f"and line {j} of card {i} says more", 50 + 260 * (i % 2), 686 - 14 * j - 100 * (i // 2))
            for j in range(4)
        )
        for i in range(4)
    )

    document = read(pdf(cards))

    assert re.findall(r"Card (\d)|of card (\d)", document.text) == [
        pair for i in "0123" for pair in [(i, ""), *[("", i)] * 4]
    ]


def test_the_last_line_of_a_paragraph_above_columns_is_no_part_of_them() -> None:
    wide = line(
        "A paragraph above both columns that takes all of the width of the page and then goes on", 50, 740
    )
    wide += line("in a short line.", 50, 727)
    left = "".join(line(f"Left line {i} of the main text", 50, 690 - 13 * i) for i in range(12))
    right = "".join(line(f"Skill {i}", 400, 690 - 13 * i) for i in range(12))

    text = " ".join(read(pdf(wide + left + right)).text.split())

    assert "goes on in a short line. Left line 0" in text
    assert text.endswith("Skill 10 Skill 11")


def test_wrapped_lines_and_broken_words_are_put_together() -> None:
    rows = line("Designed the routing of deliveries for a fleet of vans and com-", 50, 700)
    rows += line("municated each change to the drivers in person every morning.", 50, 686)
    rows += line("Skills", 50, 650)

    assert read(pdf(rows)).text == (
        "Designed the routing of deliveries for a fleet of vans and communicated each change to the drivers in person"
        " every morning.\n\nSkills"
    )


def test_headers_and_footers_of_all_pages_are_read_once() -> None:
    document = fixture("headers-p0.pdf")

    assert document.pages == 2
    assert document.text.count("file:///") == 1
    assert document.text.count("Resume of Kofi Whitcombe") == 1
    assert document.warnings == {"repeated_lines": 2}


def test_what_a_reader_cannot_see_is_left_out_and_counted() -> None:
    document = fixture("hidden-p0.pdf")

    read_words = "".join(document.text.split())
    for name, (_, words) in HIDDEN.items():
        assert "".join(words.split()) not in read_words, name
    assert "Erlang" not in read_words  # it lies under a cover
    for name, (_, words) in SHOWN.items():
        assert words in document.text, name
    assert document.warnings["hidden_text"] > 100
    assert "Led 20 engineers" in document.text


def test_white_text_of_a_dark_sidebar_is_read() -> None:
    document = fixture("orbit-p1.pdf")

    assert "yuki.marwood@example.com" in document.text
    assert "hidden_text" not in document.warnings


@pytest.mark.parametrize(
    ("trick", "is_seen"),
    [
        (line("Trickster", 100, 500), True),
        (line("Trickster", 100, 500, mode=3), False),
        (line("Trickster", 100, 500, ink="1 g"), False),
        (line("Trickster", 100, 500, ink="0.97 g"), False),
        (line("Trickster", 100, 500, ink="0.8 g"), True),
        (line("Trickster", 100, 500, ink="1 1 0.6 rg"), True),
        (line("Trickster", 100, 500, size=0.9), False),
        (line("Trickster", 700, 500), False),
        (line("Trickster", 100, -40), False),
        ("0.1 g 90 480 200 40 re f " + line("Trickster", 100, 500, ink="1 g"), True),
        ("0.1 g 90 480 200 40 re f " + line("Trickster", 100, 500, ink="0.1 g"), False),
        (line("Trickster", 100, 500) + "1 g 90 480 200 40 re f", False),
        (line("Trickster", 100, 500) + "q 200 0 0 60 90 480 cm /I Do Q", False),
        ("q 200 0 0 60 90 480 cm /I Do Q " + line("Trickster", 100, 500), True),
        ("q 0 0 10 10 re W n " + line("Trickster", 100, 500) + "Q", False),
    ],
)
def test_text_counts_if_it_leaves_a_mark_on_the_page(trick: str, is_seen: bool) -> None:
    document = read(pdf(line("Jane Doe, engineer of bridges", 100, 700) + trick, image=True))

    assert ("Trickster" in document.text) is is_seen
    assert document.warnings.get("hidden_text", 0) == (0 if is_seen else len("Trickster"))
    assert "engineer of bridges" in document.text


def test_the_text_that_a_scanner_puts_over_its_image_is_read() -> None:
    scan = "q 612 0 0 792 0 0 cm /I Do Q " + line("Jane Doe, engineer of bridges", 100, 700, mode=3)

    document = read(pdf(scan, image=True))

    assert document.text == "Jane Doe, engineer of bridges"
    assert document.warnings == {"ocr_layer": 25}


def test_a_text_that_goes_on_behind_an_image_is_no_scan() -> None:
    words = "Jane Doe, engineer of bridges that people cross every day without a thought"
    shown = line(words, 50, 770) + line("Built seven of them over rivers that flood in spring", 50, 756)
    behind = "".join(line("Trickster of all that any posting asks for", 50, 700 - 14 * i) for i in range(20))

    document = read(pdf(shown + behind + "q 612 0 0 740 0 0 cm /I Do Q", image=True))

    assert document.text.startswith(words)
    assert "Trickster" not in document.text
    assert document.warnings == {"hidden_text": 20 * len("Tricksterofallthatanypostingasksfor")}


def test_a_page_without_height_is_read_as_a_page_of_letter_size() -> None:
    assert read(pdf(line("Jane Doe", 100, 700), height=0)).text == "Jane Doe"


def test_a_scan_without_text_says_so() -> None:
    document = fixture("scan-p0.pdf")

    assert document.text == ""
    assert document.warnings == {"no_text_layer": document.pages}
    with pytest.raises(NoTextLayerError, match=r"candidates\[2\]\.file has no text layer") as refused:
        require_text(document, "candidates[2].file")
    assert refused.value.field == "candidates[2].file"


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_page_is_read_as_it_is_shown(turned: int) -> None:
    matrix = {90: "0 1 -1 0", 180: "-1 0 0 -1", 270: "0 -1 1 0"}[turned]
    places = {90: [(100, 100), (120, 100)], 180: [(500, 680), (500, 700)], 270: [(500, 700), (480, 700)]}[
        turned
    ]
    first, second = (
        f"BT /F 11 Tf {matrix} {x} {y} Tm ({text}) Tj ET\n"
        for (x, y), text in zip(places, ("First line", "Second line"), strict=True)
    )

    assert read(pdf(second + first, turned=turned)).text == "First line\nSecond line"


def test_ligatures_and_bullets_are_letters_and_bullets() -> None:
    document = fixture("paracol-p3.pdf")

    assert "• " in document.text
    assert re.search("[\ufb00-\ufb06\x0b-\x1f]", document.text) is None


def test_a_document_with_a_password_is_refused() -> None:
    with pytest.raises(EncryptedDocumentError, match="password"):
        fixture("encrypted-p0.pdf")


def test_limits_are_named_with_what_passed_them() -> None:
    with pytest.raises(TooManyPagesError) as pages:
        read(pdf(line("Jane", 100, 100), pages=51))
    with pytest.raises(DocumentTooLargeError) as size:
        read(pdf("").ljust(2_000), max_document_bytes=1_024)
    with pytest.raises(DocumentTooLargeError) as characters:
        read(
            pdf("".join(line("word " * 15, 50, 600 - 14 * i) for i in range(20))),
            max_document_characters=1_000,
        )

    with pytest.raises(TooManyPagesError, match="5,000 pages"):
        read(pdf(line("Jane", 100, 100), pages=5_000))

    assert (pages.value.limit, pages.value.actual) == (50, 51)
    assert (size.value.limit, size.value.actual) == (1_024, 2_000)
    assert characters.value.limit == 1_000


def test_damage_is_told() -> None:
    with pytest.raises(DamagedDocumentError):
        read(b"%PDF-1.7\nnothing more")
