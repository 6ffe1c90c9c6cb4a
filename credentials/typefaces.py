"""Which typeface files a certificate needs, so that a name in any script we have is set and not boxed.

`make setup` writes the files and their index to `credentials/typefaces/`, see
`platform/frontend/build-typefaces.mjs`. A typeface for Chinese, Japanese or Korean comes in about a
hundred slices; a name needs one or two of them.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "typefaces"
SCHEME = "checkridefont:"

_USES = ("serif", "sans", "mono")
_GENERIC = {"serif": "serif", "sans": "sans-serif", "mono": "monospace"}
# What every certificate is set in, whoever holds it.
_ALWAYS = "-latin.woff2"


@dataclass(frozen=True, slots=True)
class Typeface:
    """One file. `ranges` are the characters it holds, both ends within; `language` is set for the
    three scripts in which one character looks different from country to country."""

    file: str
    use: str
    weights: str
    language: str
    ranges: tuple[tuple[int, int], ...]

    def holds(self, character: str) -> bool:
        return any(start <= ord(character) <= end for start, end in self.ranges)


@cache
def built() -> tuple[Typeface, ...]:
    """Every typeface file there is, in order of preference; none before the front end was built."""
    index = FOLDER / "index.json"
    if not index.is_file():
        return ()
    return tuple(
        Typeface(
            row["file"],
            row["use"],
            row["weights"],
            row["language"],
            tuple((start, end) for start, end in row["ranges"]),
        )
        for row in json.loads(index.read_text(encoding="utf-8"))
    )


def can_set(text: str) -> bool:
    """Whether there is a letter form for every character of `text`."""
    faces = [face for face in built() if face.use == "serif"]
    return not faces or all(
        any(face.holds(one) for face in faces) for one in text if not _invisible(one)
    )


def style(text: str) -> str:
    """The `@font-face` rules for `text`, and the three families as CSS variables."""
    chosen = {use: list(_needed(text, use)) for use in _USES}
    rules = []
    for use, faces in chosen.items():
        for number, face in enumerate(faces):
            rules.append(
                f'@font-face{{font-family:"{use} {number}";font-weight:{face.weights};'
                f'src:url("{SCHEME}{face.file}")}}'
            )
        names = [f'"{use} {number}"' for number in range(len(faces))]
        rules.append(f":root{{--{use}:{','.join([*names, _GENERIC[use]])}}}")
    return "\n".join(rules)


def _needed(text: str, use: str) -> Iterable[Typeface]:
    faces = [face for face in built() if face.use == use]
    language = _language(text)
    # Characters that Chinese, Japanese and Korean share are drawn as the rest of the name asks for.
    faces.sort(key=lambda face: face.language not in ("", language))
    wanted = [face for face in faces if face.file.endswith(_ALWAYS)]
    for character in sorted(set(text)):
        if _invisible(character) or any(face.holds(character) for face in wanted):
            continue
        found = next((face for face in faces if face.holds(character)), None)
        if found is not None:
            wanted.append(found)
    return wanted


def _language(text: str) -> str:
    names = {unicodedata.name(character, "").split(" ")[0] for character in text}
    if names & {"HIRAGANA", "KATAKANA"}:
        return "ja"
    return "ko" if "HANGUL" in names else "zh"


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Cf", "Cc", "Zl", "Zp")
