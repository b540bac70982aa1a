from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from service.core import language
from service.core.language import is_foreign, language_of

TEXTS = {
    "en": "Senior backend engineer who built the payment service and led a small team for five years.",
    "de": "Erfahrene Softwareentwicklerin, die den Zahlungsdienst gebaut und ein Team geleitet hat.",
    "es": "Ingeniero de software con diez años de experiencia en servicios de pago y bases de datos.",
    "ja": "決済サービスを開発したバックエンドエンジニアです。チームを率いた経験があります。",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages_are_told(code: str) -> None:
    assert language_of(TEXTS[code]) == code
    assert is_foreign(code) == (code != "en")


def test_the_model_is_the_librarys_and_nothing_is_unpacked_to_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    ours = language._read()
    assert np.array_equal(ours.nb_ptc, theirs.nb_ptc)
    assert ours.tk_nextmove == theirs.tk_nextmove
    assert list(ours.tk_output) == list(theirs.tk_output)
    for text in (*TEXTS.values(), "", "python, java", "x" * 50, "\ud800"):
        assert ours.classify(text) == theirs.classify(text)
