"""Europass XML and HR-Open (HR-XML) candidates, as JSON Resume.

No kept library reads either (docs/adr/0019-documents.md). Names of elements say what a value is in both,
and have hardly changed from version to version, so elements are found by their names wherever they stand.
As JSON Resume, redaction knows which values are personal by their place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

from service.core.errors import DamagedDocumentError
from service.files.documents.containers import all_text, local, parse_xml
from service.files.documents.html import parse_html
from service.files.documents.invisible import without_zero_width
from service.files.documents.kinds import DocumentKind
from service.files.documents.parsed import (
    DocumentLimits,
    ParsedDocument,
    Warnings,
    check_length,
    counted,
)

_Entry = dict[str, Any]

_JOBS = frozenset({"workexperience", "employmenthistory", "employerhistory", "positionhistory", "employment"})
_STUDIES = frozenset(
    {"education", "educationorganizationattendance", "schoolorinstitution", "educationhistory"}
)
_TRADES = frozenset(
    {
        "personcompetency",
        "competency",
        "skill",
        "qualification",
        "computer",
        "jobrelated",
        "organisational",
        "communication",
    }
)
_LETTERS_AND_DIGITS = re.compile(r"[^\W_]")
_MOST_ENTRIES = 2_000


class XmlResumeParser:
    """`kind`: "europass_xml" or "hr_open_xml"."""

    def __init__(self, kind: DocumentKind) -> None:
        self._kind: DocumentKind = kind

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises what `parse_xml` does, and `DamagedDocumentError` if no value is found."""
        warnings = Warnings()
        root = parse_xml(data)
        resume = _resume(root)
        if not resume:
            raise DamagedDocumentError("the document is damaged: its XML holds no part of a resume")
        text = without_zero_width(json.dumps(resume, ensure_ascii=False, indent=1), warnings)
        return ParsedDocument(check_length(text, limits), self._kind, None, counted(warnings))


def _resume(root: etree._Element) -> _Entry:
    basics = _filled(
        {
            "name": _name(root),
            "label": _first(root, "headline", "positiontitle_desired", "desiredposition")
            or _labelled(root, "headline"),
            "email": _first(root, "email", "internetemailaddress") or _contact(root, "email"),
            "phone": _first(root, "formattednumber", "dialnumber")
            or _contact(root, "telephone", "phone", "mobile"),
            "url": _first(root, "website", "internetwebaddress") or _contact(root, "website", "web"),
            "summary": _first(
                root, "executivesummary", "summary", "objective", "personalstatement", "aboutme"
            ),
            "location": _address(root),
        }
    )
    resume = _filled(
        {
            "basics": basics,
            "work": [_job(entry) for entry in _outermost(root, _JOBS)],
            "education": [_study(entry) for entry in _outermost(root, _STUDIES)],
            "skills": list(_skills(root)),
            "languages": list(_languages(root)),
        }
    )
    return {} if not _LETTERS_AND_DIGITS.search(json.dumps(list(resume.values()))) else resume


def _job(entry: etree._Element) -> _Entry:
    return _filled(
        {
            "position": _first(entry, "positiontitle", "title", "jobtitle", "occupation")
            or _labelled(entry, "position"),
            "name": _first(entry, "organizationname", "employername", "employerorgname")
            or _first(_child(entry, "employer"), "name")
            or _beside(entry, "organizationname"),
            "startDate": _date(entry, "startdate", "from"),
            "endDate": _date(entry, "enddate", "to"),
            "summary": _first(entry, "activities", "description", "positiondescription", "responsibilities"),
        }
    )


def _study(entry: etree._Element) -> _Entry:
    return _filled(
        {
            "institution": _first(entry, "organizationname", "schoolname", "institutionname")
            or _first(_child(entry, "organisation"), "name"),
            "area": _first(entry, "majorprogramname", "programname", "field", "degreemajor", "title"),
            "studyType": _first(entry, "degreename", "degreetype", "qualificationname", "educationlevelcode"),
            "startDate": _date(entry, "startdate", "from", "attendancestartdate"),
            "endDate": _date(entry, "enddate", "to", "attendanceenddate", "degreedate"),
            "courses": [text] if (text := _first(entry, "activities", "description", "comment")) else [],
        }
    )


def _skills(root: etree._Element) -> Iterator[_Entry]:
    for entry in _outermost(root, _TRADES):
        name = _first(entry, "competencyname", "skillname", "description", "name") or (
            _text(entry) if not len(entry) else ""
        )
        if name:
            yield {"name": name}


def _languages(root: etree._Element) -> Iterator[_Entry]:
    for entry in _outermost(root, frozenset({"mothertongue", "foreignlanguage", "language", "languagecode"})):
        name = _labelled(entry, "description") or _first(entry, "languagename", "label", "languagecode")
        if not name and not len(entry):
            name = _text(entry)
        if name:
            yield _filled(
                {"language": name, "fluency": "Native" if local(entry).lower() == "mothertongue" else ""}
            )


def _name(root: etree._Element) -> str:
    person = next((part for part in _elements(root) if local(part).lower() == "personname"), None)
    if person is None:
        return ""
    parts = [
        _first(person, "firstname", "givenname"),
        _first(person, "middlename"),
        _first(person, "surname", "familyname", "lastname"),
    ]
    return " ".join(filter(None, parts)) or _first(person, "formattedname")


def _address(root: etree._Element) -> _Entry:
    place = next(
        (part for part in _elements(root) if local(part).lower() in ("address", "postaladdress")), None
    )
    if place is None:
        return {}
    return _filled(
        {
            "address": _first(place, "addressline", "streetname", "deliveryaddress"),
            "postalCode": _first(place, "postalcode"),
            "city": _first(place, "municipality", "cityname", "city"),
            "region": _first(place, "region", "countrysubdivisioncode"),
            "countryCode": _first(place, "countrycode") or _first(_child(place, "country"), "label", "code"),
        }
    )


def _contact(root: etree._Element, *names: str) -> str:
    """Europass keeps what it is in <Contact> below the element that says which."""
    for part in _elements(root):
        if local(part).lower() in names and (text := _first(part, "contact", "address", "uri")):
            return text
    return ""


def _labelled(root: etree._Element, name: str) -> str:
    for part in _elements(root):
        if local(part).lower() == name and (
            text := _first(part, "label") or ("" if len(part) else _text(part))
        ):
            return text
    return ""


def _date(entry: etree._Element, *names: str) -> str:
    """A date as it is written; Europass has year and month as attributes."""
    for part in _elements(entry):
        if local(part).lower() in names:
            year, month = part.get("year", ""), part.get("month", "").lstrip("-")
            text = f"{year}-{month}" if year and month else year or " ".join(all_text(part).split())
            if text:
                return text[:40]
    return ""


def _outermost(root: etree._Element, names: frozenset[str]) -> Iterator[etree._Element]:
    """Elements of these names that are not within another of them, unless it holds several of its own."""
    count = 0
    stack = [root]
    while stack:
        element = stack.pop()
        name = local(element).lower()
        if name in names and element is not root and not _holds_several(element, names):
            count += 1
            if count > _MOST_ENTRIES:
                raise DamagedDocumentError(
                    f"the document is damaged: it has more than {_MOST_ENTRIES:,} entries"
                )
            yield element
            continue
        stack.extend(reversed(element))


def _holds_several(element: etree._Element, names: frozenset[str]) -> bool:
    return any(local(child).lower() in names for child in element)


def _elements(root: etree._Element) -> Iterable[etree._Element]:
    return (part for part in root.iter() if isinstance(part.tag, str))


def _child(entry: etree._Element, name: str) -> etree._Element:
    found = next((part for part in _elements(entry) if local(part).lower() == name), None)
    return etree.Element("none") if found is None else found


def _beside(entry: etree._Element, name: str) -> str:
    """The text of a neighbour: HR-Open has the posts of an employer beside the employer's name."""
    parent = entry.getparent()
    found = (_text(part) for part in (parent if parent is not None else ()) if local(part).lower() == name)
    return next(found, "")


def _first(root: etree._Element, *names: str) -> str:
    """The first text under one of these names; names given earlier count more."""
    for name in names:
        for part in _elements(root):
            if local(part).lower() == name and (text := _text(part)):
                return text
    return ""


def _text(element: etree._Element) -> str:
    """An element's text. Europass writes HTML into it."""
    text = all_text(element).strip()
    if re.search(r"</?(?:p|li|ul|ol|br|strong|em|b|i|div|span)\b[^>]{0,200}>", text):
        text = parse_html(f"<body>{text}</body>", "html", _NO_LIMIT, Warnings()).text
    return re.sub(r"[ \t]+", " ", text).strip()


_NO_LIMIT = DocumentLimits(max_document_characters=10**9)


def _filled(values: _Entry) -> _Entry:
    return {key: value for key, value in values.items() if value}
