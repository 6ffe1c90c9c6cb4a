"""Every setting that is read is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

from checkride import settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operating" / "settings.md"
# Read before the settings exist, to find the data folder.
READ_ELSEWHERE = {"CHECKRIDE_VAR"}


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)`", PAGE.read_text(), re.MULTILINE))


def test_every_setting_is_documented() -> None:
    assert set(settings.env.asked) - documented() == set()


def test_no_setting_is_documented_that_nobody_reads() -> None:
    assert documented() - set(settings.env.asked) - READ_ELSEWHERE == set()
