"""A grader that never finishes loading."""

from __future__ import annotations

while True:
    pass
