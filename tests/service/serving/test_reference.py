"""The documentation that repeats the code, compared with the code. Made anew by `make docs`."""

from __future__ import annotations

from service.serving.reference import OPENAPI_FILE, README_FILE, openapi_text, with_settings_table


def test_the_committed_openapi_document_is_that_of_the_app() -> None:
    assert OPENAPI_FILE.read_text("utf-8") == openapi_text()


def test_the_readmes_table_of_settings_is_that_of_the_code() -> None:
    readme = README_FILE.read_text("utf-8")
    assert readme.count("EVENMATCH_QUEUE_TOKENS") >= 1
    assert readme == with_settings_table(readme)
