"""Make the test documents: `python -m tests.support.made_documents FOLDER --tools TOOLS --people 0 1 2`.

TOOLS is a folder with `npm install`ed themes of jsonresume.org (and bootstrap@3.3.7, bootstrap@5.0.2,
font-awesome@4.7.0 under `bs3` and `bs5`, since themes link to them). Further tools are used where they are
there: chromium, soffice, pdflatex, and the Python package typst. The fixtures of
tests/service/files/documents were made so.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.support.made_documents import layouts
from tests.support.made_documents.people import Resume, person

THEMES = "elegant even flat kendall macchiato stackoverflow orbit kards class onepage paper short".split()
_RENDER = """
const fs = require('fs');
const [, , theme, input, output] = process.argv;
const html = async (t) => fs.writeFileSync(output, await (t.render || t.default.render)(JSON.parse(fs.readFileSync(input))));
(async () => {
  const name = 'jsonresume-theme-' + theme;
  try { await html(require(name)); } catch { await html(await import(name)); }
})();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--people", type=int, nargs="+", default=[0])
    parser.add_argument("--themes", nargs="*", default=THEMES)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    for seed in given.people:
        resume = person(seed, posts=3 + seed % 3, bullets=3 + seed % 4)
        (folder / f"p{seed}.json").write_text(json.dumps(resume, indent=1), "utf-8")
        for theme in given.themes:
            _theme(folder, given.tools.resolve(), theme, seed)
        if shutil.which("pdflatex"):
            for name, source in layouts.latex(resume).items():
                (folder / f"{name}-p{seed}.tex").write_text(source, "utf-8")
                for _ in range(2):  # columns settle in the second run
                    _run(["pdflatex", "-interaction=batchmode", f"{name}-p{seed}.tex"], folder)
        _typst(folder, resume, seed)
        if shutil.which("soffice"):
            _office(folder, resume, seed)
        if shutil.which("chromium"):
            _special(folder, resume, seed)


def _theme(folder: Path, tools: Path, theme: str, seed: int) -> None:
    (tools / "render.js").write_text(_RENDER)
    page = folder / f"{theme}-p{seed}.html"
    _run(["node", str(tools / "render.js"), theme, str(folder / f"p{seed}.json"), str(page)], tools)
    html = page.read_text("utf-8")
    for pattern, file in (
        (
            r"(https?:)?//[^\"]*/3\.[0-9.]+/css/bootstrap\.min\.css",
            "bs3/node_modules/bootstrap/dist/css/bootstrap.min.css",
        ),
        (r"https://[^\"]*bootstrap@5[^\"]*\.css", "bs5/node_modules/bootstrap/dist/css/bootstrap.min.css"),
        (
            r"https://[^\"]*font-awesome/4[^\"]*\.css",
            "bs5/node_modules/font-awesome/css/font-awesome.min.css",
        ),
        (r"(integrity|crossorigin)=\"[^\"]*\"", None),
    ):
        html = re.sub(pattern, f"file://{tools / file}" if file else "", html)
    page.write_text(html, "utf-8")
    _print(page)


def _print(page: Path) -> None:
    headers = [] if page.stem.startswith("headers") else ["--no-pdf-header-footer"]
    _run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", *headers,
         "--host-resolver-rules=MAP * 127.0.0.1:9", f"--print-to-pdf={page.with_suffix('.pdf')}", "--virtual-time-budget=2000", page.as_uri()],
        page.parent,
    )  # fmt: skip


def _typst(folder: Path, resume: Resume, seed: int) -> None:
    try:
        import typst
    except ImportError:
        return
    for name, source in layouts.typst(resume).items():
        file = folder / f"{name}-p{seed}.typ"
        file.write_text(source, "utf-8")
        typst.compile(str(file), output=str(file.with_suffix(".pdf")))


def _office(folder: Path, resume: Resume, seed: int) -> None:
    """HTML that LibreOffice Writer reads, saved as DOCX, ODT, RTF and PDF."""
    for name, html in layouts.office(resume).items():
        page = folder / f"{name}-p{seed}.html"
        page.write_text(html, "utf-8")
        _run(
            [
                "soffice",
                "--headless",
                "--infilter=HTML (StarWriter)",
                "--convert-to",
                "odt:writer8",
                page.name,
            ],
            folder,
        )
        odt = f"{name}-p{seed}.odt"
        for kind in ("docx:MS Word 2007 XML", "rtf:Rich Text Format", "pdf:writer_pdf_Export"):
            _run(["soffice", "--headless", "--convert-to", kind, odt], folder)
        page.unlink()


def _special(folder: Path, resume: Resume, seed: int) -> None:
    """What people's tools make beside plain resumes: hidden text, scans, headers on every page, a password."""
    for name, html in layouts.hidden(resume).items():
        page = folder / f"{name}-p{seed}.html"
        page.write_text(html, "utf-8")
        _print(page)
    page = folder / f"writer-p{seed}.pdf"
    if shutil.which("qpdf") and page.exists():
        _run(
            ["qpdf", "--encrypt", "secret", "secret", "256", "--", page.name, f"encrypted-p{seed}.pdf"],
            folder,
        )
    if shutil.which("pdftoppm") and page.exists():
        _run(
            [
                "pdftoppm",
                "-r",
                "110",
                "-gray",
                "-jpeg",
                "-jpegopt",
                "quality=35",
                "-f",
                "1",
                "-l",
                "1",
                page.name,
                f"scan-p{seed}",
            ],
            folder,
        )
        image = next(folder.glob(f"scan-p{seed}-*.jpg"))
        scan = folder / f"scan-p{seed}.html"
        scan.write_text(
            f'<style>@page{{margin:0}}</style><img style="width:100%" src="{image.name}">', "utf-8"
        )
        _print(scan)
        if shutil.which("tesseract"):
            _run(["tesseract", image.name, f"ocrlayer-p{seed}", "--dpi", "110", "pdf"], folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=180)


if __name__ == "__main__":
    main()
