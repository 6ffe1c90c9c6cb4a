"""A grader that cannot be loaded."""

from __future__ import annotations

raise RuntimeError("This module fails while it is imported.")
