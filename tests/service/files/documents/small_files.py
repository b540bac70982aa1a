"""Small documents made by hand, for what no program of good will writes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

import pypdfium2

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="application/{}.main+xml"/></Types>'
)
_PLAIN = "vnd.openxmlformats-officedocument.wordprocessingml.document"
MACROS = "vnd.ms-word.document.macroEnabled"


def pdf(content: str, *, pages: int = 1, image: bool = False, turned: int = 0, height: int = 792) -> bytes:
    """A PDF of 612 x `height` points with `content` on each page, in Helvetica as /F; with /I, a gray image, if asked for."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{6 + i} 0 R" for i in range(pages))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    stream = zlib.compress(content.encode("cp1252"))
    objects.append(b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    head = b"<< /Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 4 >>"
    objects.append(head + b"\nstream\n\xe0\xe1\xe0\xe1\nendstream")
    images = "/XObject << /I 5 0 R >>" if image else ""
    for _ in range(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 {height}] /Rotate {turned} /Contents 4 0 R "
            f"/Resources << /Font << /F 3 0 R >> {images} >> >>".encode()
        )
    written = io.BytesIO()
    written.write(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(written.tell())
        written.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = written.tell()
    written.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    written.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    written.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return written.getvalue()


def scan(data: bytes, *, dots: int = 200) -> bytes:
    """The first page of a PDF as a scanner gives it: a PDF of one image, at `dots` an inch."""
    document = pypdfium2.PdfDocument(data)
    try:
        picture = document[0].render(scale=dots / 72, grayscale=True)
        rows, width, height = picture.to_numpy().tobytes(), picture.width, picture.height
    finally:
        document.close()
    file = pdf("q 612 0 0 792 0 0 cm /I Do Q", image=True)
    before, rest = file.split(b"5 0 obj", 1)
    head = f"/Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
    packed = zlib.compress(rows)
    image = b"<< /Type /XObject /Subtype /Image %s /Length %d >>" % (head.encode(), len(packed))
    image += b"\nstream\n" + packed + b"\nendstream"
    # The table of places is wrong from here on: readers then look for the objects themselves.
    return before + b"5 0 obj\n" + image + b"\nendobj" + rest.split(b"endobj", 1)[1]


def line(text: str, x: float, y: float, *, size: float = 11, ink: str = "0 g", mode: int = 0) -> str:
    """What shows `text` at a place counted from the lower left corner."""
    return f"BT {ink} {mode} Tr /F {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return written.getvalue()


def docx(body: str, *, kind: str = _PLAIN, prolog: str = "", **parts: str | bytes) -> bytes:
    """A Word document. `parts`: more parts by name, with "_" for "/" and "__" for "."."""
    document = f'{prolog}<w:document xmlns:w="{WORD}" xmlns:wps="urn:wps" xmlns:mc="urn:mc" xmlns:a="urn:a"><w:body>{body}</w:body></w:document>'
    more = {f"word/{name.replace('__', '.')}": data for name, data in parts.items()}
    return zipped({"[Content_Types].xml": _TYPES.format(kind), "word/document.xml": document, **more})


def paragraph(text: str, look: str = "") -> str:
    return f"<w:p><w:r><w:rPr>{look}</w:rPr><w:t>{text}</w:t></w:r></w:p>"
