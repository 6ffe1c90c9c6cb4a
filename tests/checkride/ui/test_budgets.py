"""What a page may weigh, and what the front-end build may not leave behind."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "platform" / "checkride" / "ui" / "static" / "ui"
FRONTEND = ROOT / "platform" / "frontend"


def compressed_kb(*files: Path) -> float:
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000


def test_the_styles_of_a_page_stay_below_25_kilobytes() -> None:
    assert compressed_kb(*(STATIC / "css").glob("*.css")) < 25


def test_the_prompt_editor_stays_below_150_kilobytes() -> None:
    assert compressed_kb(STATIC / "built" / "prompt-editor.js") < 150


def test_the_fonts_that_every_page_loads_stay_below_90_kilobytes() -> None:
    preloaded = [STATIC / "built" / f"source-{name}-latin.woff2" for name in ("sans-3", "serif-4")]

    assert sum(file.stat().st_size for file in preloaded) < 90_000


def test_every_font_rule_points_to_a_file_that_was_built() -> None:
    rules = (STATIC / "built" / "fonts.css").read_text(encoding="utf-8")

    names = re.findall(r'url\("([^"]+)"\)', rules)
    assert len(names) == 10
    for name in names:
        assert (STATIC / "built" / name).is_file()


def test_the_lock_file_holds_digests_and_no_addresses() -> None:
    text = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]

    assert '"resolved"' not in text
    assert all("integrity" in row for path, row in packages.items() if path)


def test_the_licences_of_what_is_shipped_are_shipped_with_it() -> None:
    text = (STATIC / "built" / "licences.txt").read_text(encoding="utf-8")

    for name in ("@codemirror/view", "source-serif-4", "jetbrains-mono"):
        assert name in text
    assert "SIL OPEN FONT LICENSE" in text
