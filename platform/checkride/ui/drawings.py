"""Small drawings made from numbers. Sizes are SVG attributes: the site's policy refuses styles."""

import math
from dataclasses import dataclass

SCALE_WIDTH = 300
SCALE_MARGIN = 6


@dataclass(frozen=True)
class Tick:
    x: str
    long: bool


@dataclass(frozen=True)
class Span:
    start: str
    width: str


@dataclass(frozen=True)
class Scale:
    """An instrument scale from 0 to 100 with a reading, its range and a cut, in SVG units."""

    ticks: tuple[Tick, ...]
    point: str | None
    span: Span | None
    cut: str | None


def scale(
    *, value: float | None, low: float | None, high: float | None, cut: float | None
) -> Scale:
    """Place percentages (0 to 100; values outside are held at the ends) on the scale."""
    return Scale(
        ticks=tuple(Tick(_number(_x(at)), long=at % 50 == 0) for at in range(0, 101, 10)),
        point=None if value is None else _number(_x(value)),
        span=None if low is None or high is None else _span(low, high),
        cut=None if cut is None else _number(_x(cut)),
    )


@dataclass(frozen=True)
class SealMark:
    path: str
    long: bool


def seal_marks() -> tuple[SealMark, ...]:
    """The marks around the seal: one every six degrees, a long one every thirty."""
    return tuple(_seal_mark(degree) for degree in range(0, 360, 6))


def _seal_mark(degree: int) -> SealMark:
    long = degree % 30 == 0
    turn = math.radians(degree)
    points = (
        f"{60 + radius * math.sin(turn):.1f} {60 - radius * math.cos(turn):.1f}"
        for radius in ((46.5, 54) if long else (50, 54))
    )
    return SealMark("M" + "L".join(points), long)


def _span(low: float, high: float) -> Span:
    left, right = _x(min(low, high)), _x(max(low, high))
    return Span(_number(left), _number(right - left))


def _x(percent: float) -> float:
    held = min(100.0, max(0.0, percent))
    return SCALE_MARGIN + held / 100 * (SCALE_WIDTH - 2 * SCALE_MARGIN)


def _number(value: float) -> str:
    # Never through Django's localisation: "6,5" is not a coordinate.
    return f"{value:.1f}"
