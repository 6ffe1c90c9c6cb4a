"""How hard a text is to read: words, sentences and the grade of Kincaid's formula.

Source: Kincaid, Fishburne, Rogers and Chissom, Derivation of New Readability Formulas for Navy
Enlisted Personnel, Research Branch Report 8-75, Naval Technical Training Command, 1975.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_GRADE = 11.0

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’')]*\s+|\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)")
_VOWELS = "aeiouy"


@dataclass(frozen=True, slots=True)
class Reading:
    """`grade` is a school year of the United States; syllables are guessed, so read it ± 1."""

    words: int
    sentences: int
    grade: float
    longest: str


def syllables(word: str) -> int:
    """Guess the syllables of an English word; at least one.

    Counts groups of vowels, without the silent endings -e, -es and -ed.
    """
    letters = re.sub(r"[^a-z]", "", word.lower())
    count, before = 0, False
    for letter in letters:
        vowel = letter in _VOWELS
        count += vowel and not before
        before = vowel
    if letters.endswith("ed") and len(letters) > 3 and letters[-3] not in "td" + _VOWELS:
        count -= 1
    elif letters.endswith("es") and len(letters) > 3:
        # boxes, causes, judges and matches speak the ending; makes and times do not
        soft = letters[-3] in "sxzgc" or letters[-4:-2] in ("ch", "sh")
        count -= not soft and letters[-3] not in _VOWELS
    elif letters.endswith("e") and len(letters) > 2:
        consonant_le = letters.endswith("le") and letters[-3] not in _VOWELS
        count -= not consonant_le and letters[-2] not in _VOWELS
    return max(count, 1)


def plain_prose(markdown: str) -> str:
    """The running text of a Markdown document: no front matter, code, figures, tables, headings."""
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    text = re.sub(r"<figure.*?</figure>|<!--.*?-->", "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*\s*$", "\n", text, flags=re.DOTALL | re.MULTILINE)
    kept = [row for row in text.splitlines() if not re.match(r"\s*(#|\||\[\^[^\]]+\]:)", row)]
    text = "\n".join(kept)
    text = re.sub(r"\[\^[^\]]*\]", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*_`>]", "", text)


def measure(prose: str) -> Reading:
    """Measure plain text: 0.39 words per sentence + 11.8 syllables per word - 15.59."""
    rows = [(_WORD.findall(part), part) for part in _SENTENCE_END.split(prose)]
    sentences = [(words, part) for words, part in rows if words]
    total = [word for words, _ in sentences for word in words]
    if not total:
        return Reading(words=0, sentences=0, grade=0.0, longest="")
    per_sentence = len(total) / len(sentences)
    per_word = sum(syllables(word) for word in total) / len(total)
    longest = max(sentences, key=lambda row: len(row[0]))[1]
    return Reading(
        words=len(total),
        sentences=len(sentences),
        grade=round(0.39 * per_sentence + 11.8 * per_word - 15.59, 1),
        longest=" ".join(longest.split()),
    )
