"""Find concepts in tokens: phrases of stems, compiled once into an index by first word.

A phrase is words with spaces. `a|b` is a choice, `..` up to five other words inside the same
clause (`...` ten), `word*` any word that begins so. Articles, possessives and quotes between words are passed
over, so that "the order number" is found in "their own 'order number'".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from courses.simulators.prompts.polarity import BOUNDARIES
from courses.simulators.prompts.segments import Mention
from courses.simulators.prompts.words import MARK, NUMBER, Token, stem, tokens, word_set

_PASS_OVER: Final = word_set(
    "the a an any all his her their our your its my this that these those such own really "
    "also just please"
    " always ever actual very own full real first either even"
)
_PASS_MARKS: Final = frozenset({'"', "'", "(", ")", "/", "*", "&", "[", "]", "<", ">", "{", "}"})
_NEGATIVE: Final = frozenset(
    {"not", "never", "no", "without", "nobody", "nothing", "none", "neither"}
)
GAP: Final = ".."
LONG_GAP: Final = "..."
_GAP_REACH: Final = 5


@dataclass(frozen=True, slots=True)
class _Item:
    stems: frozenset[str]
    prefixes: tuple[str, ...]
    gap: int = 0  # how many words may stand here

    def fits(self, token: Token) -> bool:
        return token.stem in self.stems or (
            bool(self.prefixes) and token.text.lower().startswith(self.prefixes)
        )


@dataclass(frozen=True, slots=True)
class _Pattern:
    concept: str
    items: tuple[_Item, ...]
    negative: bool
    # Stems every match must contain besides the first; most patterns fail here at once.
    needed: frozenset[str]


@lru_cache(maxsize=20_000)
def _item(word: str) -> _Item:
    if word in (GAP, LONG_GAP):
        return _Item(frozenset(), (), gap=_GAP_REACH if word == GAP else 2 * _GAP_REACH)
    stems: set[str] = set()
    prefixes: list[str] = []
    for choice in word.split("|"):
        if choice.endswith("*") and len(choice) > 1:
            prefixes.append(choice[:-1].lower())
        elif choice == "#":
            stems.add("#")
        else:
            stems.add(stem(choice))
    return _Item(frozenset(stems), tuple(prefixes))


def _items(phrase: str) -> tuple[_Item, ...]:
    out: list[_Item] = []
    for word in phrase.split():
        if word in (GAP, LONG_GAP) or "|" in word or "*" in word or word == "#":
            out.append(_item(word))
            continue
        for token in tokens(word):
            if token.kind == NUMBER:
                out.append(_item("#"))
            else:
                out.append(_item(token.text.lower()))
    articles = {"the", "a", "an"}
    words = phrase.split()
    if len(words) > 2 and words[0] in articles:  # "the order .. about" is found without its article
        return tuple(out[1:])
    return tuple(out)


class Lexicon:
    """Concepts by name, each a list of phrases; immutable once built."""

    def __init__(self, concepts: Mapping[str, Iterable[str]]) -> None:
        self._by_stem: dict[str, list[_Pattern]] = {}
        self._by_prefix: list[tuple[tuple[str, ...], _Pattern]] = []
        self.vocabulary: set[str] = set()
        self.names = frozenset(concepts)
        for name, phrases in concepts.items():
            for phrase in phrases:
                items = _items(phrase)
                if not items:
                    continue
                for word in phrase.replace("|", " ").split():
                    self.vocabulary.update(
                        part
                        for part in word.lower().strip("*#.").replace("'", " ").split()
                        if part.isalpha()
                    )
                needed = frozenset(
                    next(iter(item.stems))
                    for item in items[1:]
                    if len(item.stems) == 1 and not item.prefixes
                )
                pattern = _Pattern(
                    name,
                    items,
                    any(item.stems & _NEGATIVE for item in items if not item.gap),
                    needed,
                )
                for root in items[0].stems:
                    self._by_stem.setdefault(root, []).append(pattern)
                if items[0].prefixes:
                    self._by_prefix.append((items[0].prefixes, pattern))

    def find(self, row: list[Token]) -> dict[str, list[Mention]]:
        """Every mention of every concept in the row."""
        found: dict[str, list[Mention]] = {}
        stems = {token.stem for token in row}
        for start, token in enumerate(row):
            if token.kind == MARK and token.stem not in self._by_stem:
                continue
            for pattern in self._by_stem.get(token.stem, ()):
                if not pattern.needed <= stems:
                    continue
                end = _match(pattern.items, row, 0, start)
                if end is not None:
                    found.setdefault(pattern.concept, []).append(
                        Mention(start, end, pattern.negative)
                    )
            low = token.text.lower()
            for prefixes, pattern in self._by_prefix:
                if low.startswith(prefixes):
                    end = _match(pattern.items, row, 0, start)
                    if end is not None:
                        found.setdefault(pattern.concept, []).append(
                            Mention(start, end, pattern.negative)
                        )
        return found


def _match(items: tuple[_Item, ...], row: list[Token], at: int, i: int) -> int | None:
    if at == len(items):
        return i
    item = items[at]
    n = len(row)
    if item.gap:
        for reach in range(item.gap + 1):
            j = i + reach
            if j > n:
                return None
            if (
                reach
                and row[j - 1].kind == MARK
                and (row[j - 1].text in BOUNDARIES or row[j - 1].text == ",")
            ):
                return None
            end = _match(items, row, at + 1, j)
            if end is not None:
                return end
        return None
    if i < n and item.fits(row[i]):
        return _match(items, row, at + 1, i + 1)
    skipped = 0
    j = i
    while at > 0 and j < n and skipped < 3:
        token = row[j]
        if not (
            token.text.lower() in _PASS_OVER or (token.kind == MARK and token.text in _PASS_MARKS)
        ):
            break
        j += 1
        skipped += 1
        if j < n and item.fits(row[j]):
            return _match(items, row, at + 1, j + 1)
    return None
