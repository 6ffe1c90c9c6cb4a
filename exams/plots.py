"""Where the marks of a plot lie. A template draws them; the same numbers stand in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exams.technical_report import Bin, ErrorAt

WIDTH, HEIGHT = 560.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 548.0, 16.0, 200.0


@dataclass(frozen=True, slots=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    passes: bool


@dataclass(frozen=True, slots=True)
class Histogram:
    bars: tuple[Bar, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    cut: str


@dataclass(frozen=True, slots=True)
class Curve:
    path: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    cut: str


@dataclass(frozen=True, slots=True)
class Point:
    x: str
    y: str
    label: str
    flagged: bool


def histogram(bins: Sequence[Bin], *, cut: int, possible: int) -> Histogram:
    most = max((one.people or 0 for one in bins), default=0) or 1
    step = _nice(most)

    def x(score: float) -> float:
        return LEFT + (RIGHT - LEFT) * score / (possible + 1)

    def y(people: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * people / most

    return Histogram(
        bars=tuple(
            Bar(
                _number(x(one.low) + 1),
                _number(y(one.people)),
                _number(max(1.0, x(one.high + 1) - x(one.low) - 2)),
                _number(BOTTOM - y(one.people)),
                one.passes,
            )
            for one in bins
            if one.people
        ),
        across=tuple(
            Tick(_number(x(score + 0.5)), str(score))
            for score in range(0, possible + 1, max(1, possible // 8))
        ),
        up=tuple(Tick(_number(y(people)), str(people)) for people in range(0, most + 1, step)),
        cut=_number(x(cut)),
    )


def error_curve(errors: Sequence[ErrorAt], *, cut: int, possible: int) -> Curve:
    most = max((one.error for one in errors), default=1.0) or 1.0

    def x(score: float) -> float:
        return LEFT + (RIGHT - LEFT) * score / possible

    def y(error: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * error / (most * 1.1)

    path = "L".join(f"{_number(x(one.score))} {_number(y(one.error))}" for one in errors)
    return Curve(
        path=f"M{path}",
        across=tuple(
            Tick(_number(x(one.score)), str(one.score)) for one in errors if not one.is_cut
        ),
        up=tuple(Tick(_number(y(most * part / 2)), f"{most * part / 2:.1f}") for part in range(3)),
        cut=_number(x(cut)),
    )


def scatter(rows: Sequence[tuple[float, float, str, bool]]) -> tuple[Point, ...]:
    """Items by the share who have them right (across) and the correlation with the rest (up, from
    -0.2 to 0.8)."""
    return tuple(
        Point(
            _number(LEFT + (RIGHT - LEFT) * share),
            _number(BOTTOM - (BOTTOM - TOP) * (min(0.8, max(-0.2, with_rest)) + 0.2)),
            label,
            flagged,
        )
        for share, with_rest, label, flagged in rows
    )


def _nice(most: int) -> int:
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if most / step <= 5:
            return step
    return max(1, most // 5)


def _number(value: float) -> str:
    return f"{value:.1f}"
