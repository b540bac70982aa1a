"""`import openvino`, without its telemetry.

Importing openvino sends usage events to its vendor unless the user opted out in a file of their
home folder. A service that reads resumes sends nothing to anybody, so the package that would do it
is hidden first, and openvino falls back to its own stub.
"""

from __future__ import annotations

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # the documented way to block an import

import openvino  # noqa: E402

__all__ = ["openvino"]
