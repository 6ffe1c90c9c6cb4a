"""The evidence that one unit holds, as short names: words with their polarity, pairs, concepts.

The frames ask precise questions; this is what they leave out. Each name carries what the frames'
own analysis found: a word that is denied has a "!", one inside a condition a "?", a number that
equals one of the exercise's is told from any other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.words import NUMBER, WORD, Token

_CONTEXT_WORDS: Final = 14
_SMALL: Final = frozenset(
    {"the", "a", "an", "of", "to", "and", "is", "are", "be", "it", "in", "for", "with", "that"}
)


def evidence_of(unit: Unit, numbers: Collection[float]) -> list[str]:
    """The names of a unit's evidence, repeated ones once, in order of appearance."""
    own = [_name(token, numbers) for token in unit.tokens if token.kind in (WORD, NUMBER)]
    marks = [
        ("!" if token.negated else "") + ("?" if token.conditional else "")
        for token in unit.tokens
        if token.kind in (WORD, NUMBER)
    ]
    out: dict[str, None] = {}
    for word, mark in zip(own, marks, strict=True):
        out[word] = None
        if mark:
            out[word + mark] = None
    content = [
        word + ("!" if "!" in mark else "")
        for word, mark in zip(own, marks, strict=True)
        if word not in _SMALL
    ]
    for index, word in enumerate(content):
        for other in content[index + 1 : index + 4]:
            out[f"{word} {other}"] = None
    for concept, mentions in unit.found.items():
        name = "@" + concept.split("/", 1)[-1]
        for mention in mentions:
            first = unit.tokens[mention.start]
            mark = ("!" if first.negated else "") + ("?" if first.conditional else "")
            out[name + mark] = None
    around = [token for token in unit.around if token.kind in (WORD, NUMBER)]
    for token in around[-_CONTEXT_WORDS:]:
        out["^" + _name(token, numbers)] = None
    before = unit.previous
    if before is not None and before.block == unit.block and unit.line - before.line <= 1:
        for token in before.tokens[-_CONTEXT_WORDS:]:
            if token.kind in (WORD, NUMBER):
                out["<" + _name(token, numbers)] = None
    after = unit.following
    if after is not None and after.line == unit.line:
        for token in after.tokens[:_CONTEXT_WORDS]:
            if token.kind in (WORD, NUMBER):
                out[">" + _name(token, numbers)] = None
    for flag in (
        unit.force,
        unit.branch,
        "code" if unit.code else "",
        "don'ts" if unit.forbidding else "",
    ):
        if flag:
            out["=" + flag] = None
    return list(out)


def _name(token: Token, numbers: Collection[float]) -> str:
    if token.kind != NUMBER:
        return token.stem
    if token.value is None:
        return "#"
    unit = token.unit or ""
    if any(abs(token.value - one) < 1e-6 for one in numbers):
        return f"#{token.value:g}{unit}"
    return f"#{unit}"
