"""The short code on a certificate: 75 random bits and a check character, easy to read aloud.

Sixteen characters of Crockford's base 32 in four groups, e.g. `7K3M-Q9TX-4B2H-8VDT`. The check is
a weighted sum in the field of 32 elements, so that every single wrong character and every exchange
of two characters is noticed, not just most of them.
"""

from __future__ import annotations

from collections.abc import Callable

from checkride.lib.errors import DomainError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# Letters that are misread for digits are taken as those digits.
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


class CodeMistyped(DomainError):
    code = "code-mistyped"
    sentence = (
        "This code cannot be right: at least one character is wrong or missing. "
        "Compare it with the certificate, or ask the holder for it again."
    )


def new(random_below: Callable[[int], int]) -> str:
    """A fresh code without hyphens; give `secrets.randbelow`."""
    values = [random_below(32) for _ in range(LENGTH - 1)]
    # The last place has weight 1, so the check character is the sum of the others.
    return "".join(ALPHABET[value] for value in [*values, _weighted_sum([*values, 0])])


def grouped(code: str) -> str:
    """As people see it: `7K3M-Q9TX-4B2H-8VDT`."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def read(text: str) -> str:
    """The code in `text`, whatever its case, spaces and hyphens. Raises `CodeMistyped`."""
    # Long texts are no codes, and upper() may make a character longer.
    code = text[:100].upper().translate(_READ).strip()
    if len(code) != LENGTH or any(character not in _VALUE for character in code):
        raise CodeMistyped()
    if _weighted_sum([_VALUE[character] for character in code]) != 0:
        raise CodeMistyped()
    return code


def _weighted_sum(values: list[int]) -> int:
    """Horner's rule with the generator x of GF(2)[x] / (x^5 + x^2 + 1), which has order 31."""
    total = 0
    for value in values:
        total <<= 1
        if total & 0b100000:
            total ^= 0b100101
        total ^= value
    return total
