from __future__ import annotations

import re

import pytest

from service.core import errors
from service.core.errors import CountError, EmptyTextError, ErrorCollector, EvenmatchError, InputErrors


def _all(cls: type[EvenmatchError]) -> list[type[EvenmatchError]]:
    subclasses = [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return [cls, *(found for sub in subclasses for found in _all(sub))]


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in _all(EvenmatchError)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z0-9_]+", code) for code in codes)


def test_the_drawing_in_the_docstring_shows_every_class() -> None:
    drawn = re.findall(r"[|`]-- (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(cls.__name__ for cls in _all(EvenmatchError) if cls is not EvenmatchError)


def test_a_collector_raises_one_error_as_itself_and_several_as_one() -> None:
    collector = ErrorCollector()
    collector.raise_any()
    with collector:
        raise EmptyTextError("a")
    with pytest.raises(EmptyTextError):
        collector.raise_any()
    with collector:
        raise InputErrors([CountError("b"), CountError("c")])
    with pytest.raises(InputErrors, match="3 inputs are invalid") as caught:
        collector.raise_any()
    assert [str(e) for e in caught.value.errors] == ["a", "b", "c"]
