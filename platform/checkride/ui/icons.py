"""The icon sheet: one file of symbols, inlined once per page and used by name."""

import re
from functools import cache
from pathlib import Path

SHEET = Path(__file__).parent / "templates" / "ui" / "_icons.svg"


@cache
def icon_names() -> frozenset[str]:
    """The names that `{% icon %}` accepts, read from the sheet itself."""
    return frozenset(re.findall(r'<symbol id="i-([a-z]+)"', SHEET.read_text(encoding="utf-8")))
