"""Small drawings made from numbers. Sizes are SVG attributes: the site's policy refuses styles."""

import math
from dataclasses import dataclass
from functools import cache

SCALE_WIDTH = 300
SCALE_MARGIN = 6


@dataclass(frozen=True)
class Span:
    start: str
    width: str


@dataclass(frozen=True)
class Scale:
    """An instrument scale from 0 to 100 with a reading, its range and a cut, in SVG units.

    `ticks` is one path through all eleven: a page may hold a dozen scales.
    """

    ticks: str
    point: str | None
    span: Span | None
    cut: str | None


def scale(
    *, value: float | None, low: float | None, high: float | None, cut: float | None
) -> Scale:
    """Place percentages (0 to 100; values outside are held at the ends) on the scale."""
    return Scale(
        ticks=_ticks(),
        point=None if value is None else _number(_x(value)),
        span=None if low is None or high is None else _span(low, high),
        cut=None if cut is None else _number(_x(cut)),
    )


@cache
def _ticks() -> str:
    """One tick every ten percent, a long one every fifty."""
    return "".join(f"M{_number(_x(at))} {6 if at % 50 == 0 else 9}V17" for at in range(0, 101, 10))


@dataclass(frozen=True)
class SealMarks:
    """The marks around the seal, as one path for the short ones and one for the long ones."""

    short: str
    long: str


@cache
def seal_marks() -> SealMarks:
    """One mark every six degrees, a long one every thirty."""
    degrees = range(0, 360, 6)
    return SealMarks(
        short="".join(_seal_mark(degree, from_radius=50) for degree in degrees if degree % 30),
        long="".join(_seal_mark(degree, from_radius=46.5) for degree in degrees if not degree % 30),
    )


def _seal_mark(degree: int, *, from_radius: float) -> str:
    turn = math.radians(degree)
    points = (
        f"{60 + radius * math.sin(turn):.1f} {60 - radius * math.cos(turn):.1f}"
        for radius in (from_radius, 54)
    )
    return "M" + "L".join(points)


def _span(low: float, high: float) -> Span:
    left, right = _x(min(low, high)), _x(max(low, high))
    return Span(_number(left), _number(right - left))


def _x(percent: float) -> float:
    held = min(100.0, max(0.0, percent))
    return SCALE_MARGIN + held / 100 * (SCALE_WIDTH - 2 * SCALE_MARGIN)


def _number(value: float) -> str:
    # Never through Django's localisation: "6,5" is not a coordinate.
    return f"{value:.1f}"
