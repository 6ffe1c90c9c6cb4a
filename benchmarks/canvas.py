"""What the page with the map canvas weighs: all of its scripts, as they go over the line (gzip)."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

NAMES = ("canvas-size",)

STATIC = Path(__file__).resolve().parent.parent / "platform/checkride/ui/static/ui"
# What is built for the drawing; the other scripts are those of every page.
BUILT = ("map-editor.js", "map-canvas.js", "map-layout.js")
MOST_KB = 150


def sizes(static: Path = STATIC) -> dict[str, int]:
    """Bytes of each script after gzip, by file name.

    Raises `FileNotFoundError` where the front end is not built.
    """
    scripts = [*(static / "built" / name for name in BUILT), *sorted((static / "js").glob("*.js"))]
    return {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in scripts}


def main() -> int:
    weighed = sizes()
    total_kb = sum(weighed.values()) / 1000
    parts = ", ".join(f"{name} {weighed.pop(name) / 1000:.1f}" for name in BUILT)
    rest = sum(weighed.values()) / 1000
    print(
        f"canvas-size {total_kb:.1f} kB gzip (limit {MOST_KB} kB; {parts}, "
        f"scripts of every page {rest:.1f})"
    )
    return 0 if total_kb <= MOST_KB else 1


if __name__ == "__main__":
    sys.exit(main())
