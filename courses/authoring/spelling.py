"""Spelling: words of the content that neither a dictionary nor the list of our own knows.

The dictionary is the English one of the package pyspellchecker, a tool for authors that a running
site does not need. Names, terms and words of other languages stand in `words.txt` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from courses.authoring.findings import Findings

OWN_WORDS: Final = Path(__file__).with_name("words.txt")
# References are sheets, prompts and maps: choices and text that is meant to be bad.
_PASSED_OVER: Final = frozenset({"refs", "maps", "samples"})
_KINDS: Final = frozenset({".md", ".yaml"})
_WORD: Final = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:['’][A-Za-z]+)?")
# Addresses, code, tags, holes to fill in, paths and names with an underscore are no prose.
_NO_PROSE: Final = re.compile(r"https?://\S+|`[^`]*`|<[^>]*>|\{[^}]*\}|\S*[/_@]\S*")
_SHORTEST: Final = 3


def own_words(path: Path = OWN_WORDS) -> frozenset[str]:
    """The words of our own list: one a line, in small letters; what follows a # is a note."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if (word := line.partition("#")[0].strip()))


@cache
def dictionary() -> Callable[[str], bool] | None:
    """Whether a word in small letters is English; None where the dictionary is not installed."""
    try:
        from spellchecker import SpellChecker
    except ModuleNotFoundError:
        return None
    words: Any = SpellChecker(language="en", distance=1).word_frequency
    return lambda word: word in words


def strange_words(text: str, is_known: Callable[[str], bool]) -> Iterator[tuple[int, str]]:
    """Each word that is not known, with its line. Words of one or two letters are passed over."""
    for number, line in enumerate(text.splitlines(), start=1):
        for word in _WORD.findall(_NO_PROSE.sub(" ", line)):
            small = word.replace("’", "'").lower().removesuffix("'s")
            if len(small) >= _SHORTEST and not is_known(small):
                yield number, word


def texts(folder: Path) -> Iterator[Path]:
    """The files of `folder` that people read, in order."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts[:-1]
        if path.suffix in _KINDS and not _PASSED_OVER.intersection(inside):
            yield path


def check_spelling(folders: Iterable[Path], findings: Findings) -> bool:
    """Collect the unknown words of all files in `folders`; False when there is no dictionary."""
    is_english = dictionary()
    if is_english is None:
        return False
    own = own_words()
    for folder in folders:
        for path in texts(folder):
            text = path.read_text(encoding="utf-8")
            for line, word in strange_words(text, lambda word: word in own or is_english(word)):
                says = f"“{word}” is in no dictionary. Mend it, or add it to {OWN_WORDS.name}."
                findings.error(path.relative_to(folder.parent), line, says)
    return True
