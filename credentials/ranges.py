"""How sure a share of right answers is."""

from __future__ import annotations

import math

# Two-sided 90 %: nine in ten such ranges hold the true share.
_Z = 1.6448536269514722


def plausible_percent(correct: int, of: int) -> tuple[int, int]:
    """The range, in whole percent, of the share that fits `correct` of `of` items.

    Source: Wilson, Journal of the American Statistical Association 22 (1927), the score interval.
    """
    if not 0 <= correct <= of or of == 0:
        raise ValueError(f"{correct} of {of}")
    share, spread = correct / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return round(100 * max(0.0, middle - half)), round(100 * min(1.0, middle + half))
