"""Write every dashboard's JSON file."""

from __future__ import annotations

from dashboards.files import FOLDER, generated

for name, text in generated().items():
    (FOLDER / name).write_text(text, "utf-8")
