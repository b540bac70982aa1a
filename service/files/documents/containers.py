"""Word and OpenDocument files are ZIP containers of XML: opened within limits, without entities."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence

from lxml import etree

from service.core.errors import (
    DamagedDocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    UnsafeDocumentError,
)
from service.files.documents.parsed import DocumentLimits

_MOST_PARTS = 10_000
_ENCRYPTED = 0x1
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CHUNK = 1 << 20


class Container:
    """The parts of a container by name, unpacked and counted when they are asked for."""

    def __init__(self, data: bytes, limits: DocumentLimits) -> None:
        """Raises `DamagedDocumentError`, `EncryptedDocumentError` and `DocumentTooLargeError`."""
        self._left = limits.max_unpacked_bytes
        self._limit = limits.max_unpacked_bytes
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise _damaged(error) from None
        parts = self._archive.infolist()
        if len(parts) > _MOST_PARTS:
            raise DocumentTooLargeError(
                f"the document has {len(parts):,} parts; the limit is {_MOST_PARTS:,}",
                limit=_MOST_PARTS,
                actual=len(parts),
            )
        if any(part.flag_bits & _ENCRYPTED for part in parts):
            raise EncryptedDocumentError("the document is encrypted: it asks for a password")
        self.names: Sequence[str] = [part.filename for part in parts]

    def read(self, name: str) -> bytes | None:
        """A part, or None. Raises `DocumentTooLargeError` as soon as too much has been unpacked."""
        try:
            with self._archive.open(name) as part:
                chunks: list[bytes] = []
                while chunk := part.read(_CHUNK):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise DocumentTooLargeError(
                            f"the document unpacks to more than {self._limit:,} bytes",
                            limit=self._limit,
                            actual=self._limit + 1,
                        )
                    chunks.append(chunk)
        except KeyError:
            return None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise _damaged(error) from None
        except RuntimeError:  # what zipfile says of a password
            raise EncryptedDocumentError("the document is encrypted: it asks for a password") from None
        return b"".join(chunks)

    def xml(self, name: str) -> etree._Element | None:
        """The root of a part, or None. Raises what `read` and `parse_xml` do."""
        data = self.read(name)
        return None if data is None else parse_xml(data)


def parse_xml(data: bytes) -> etree._Element:
    """The root of an XML text, which may declare no types and entities and thus reach no other file.

    Raises `UnsafeDocumentError` if it does, `DamagedDocumentError` if it is not XML.
    """
    if _DTD.search(_ascii(data)):
        raise UnsafeDocumentError(
            "the document declares XML types or entities (DOCTYPE), by which other files are read"
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if out_of_memory(parser):
            raise MemoryError from None
        place = getattr(error, "position", None) or ("?", "?")
        raise DamagedDocumentError(
            f"the document is damaged: its XML cannot be read at line {place[0]}, column {place[1]}"
        ) from None


def out_of_memory(parser: etree.XMLParser | etree.HTMLParser) -> bool:
    """True if a parser gave up for want of memory, which lxml does not tell apart from a damaged text."""
    return any(entry.type_name == "ERR_NO_MEMORY" for entry in parser.error_log)


def _ascii(data: bytes) -> bytes:
    """What may declare something, also where each character has two or four bytes."""
    return data.replace(b"\0", b"") if 0 in data[:64] else data


def _damaged(error: Exception) -> DamagedDocumentError:
    return DamagedDocumentError(
        f"the document is damaged: its container cannot be read ({type(error).__name__})"
    )


def local(element: etree._Element) -> str:
    """An element's name without its namespace; empty for what is no element."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def all_text(element: etree._Element) -> str:
    """The text of an element and of all that is in it."""
    return "".join(part for part in element.itertext() if isinstance(part, str))
