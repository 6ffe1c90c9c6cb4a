"""The picture of a badge: the Checkride seal with the achievement's short name, as PNG and SVG."""

from __future__ import annotations

import io
import math
from functools import cache
from html import escape

from PIL import Image, ImageDraw

SKY, GROUND, INK, PAPER = "#0B5C7D", "#B45309", "#16212E", "#FFFFFF"
_SIDE = 512
# Drawn larger and scaled down, because ImageDraw does not smooth edges.
_OVERSAMPLE = 4


@cache
def png() -> bytes:
    """A PNG of 512 by 512 pixels; the same bytes each time."""
    size = _SIDE * _OVERSAMPLE
    unit = size / 120
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    _disc(draw, unit, 59.5, PAPER)
    for radius in (58.5, 54.0):
        box = _box(unit, radius)
        draw.ellipse(box, outline=INK, width=round(unit))
    for mark in range(60):
        _tick(draw, unit, mark)
    draw.polygon([_place(unit, x, y) for x, y in ((60, 9.5), (64.5, 2), (55.5, 2))], fill=GROUND)
    _mark(image, unit)
    small = image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    # Few colours are enough for a drawing of five, and leave a fifth of the bytes.
    small.quantize(colors=128, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
    return out.getvalue()


@cache
def svg(label: str) -> str:
    """The same seal as a picture that scales; `label` is read out in its place."""
    ticks = "".join(
        f'<path d="M{_spot(turn, inner)}L{_spot(turn, 54)}" stroke="{INK}" '
        f'stroke-width="{"1.8" if inner < 50 else "1"}"/>'
        for turn, inner in ((mark * 6, 46.5 if mark % 5 == 0 else 50.0) for mark in range(60))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" role="img" '
        f'aria-label="{escape(label)}" width="480" height="480">'
        f'<circle cx="60" cy="60" r="59.5" fill="{PAPER}"/>'
        f'<circle cx="60" cy="60" r="58.5" fill="none" stroke="{INK}"/>'
        f'<circle cx="60" cy="60" r="54" fill="none" stroke="{INK}"/>{ticks}'
        f'<path d="M60 9.5l4.5-7.5h-9z" fill="{GROUND}"/>'
        '<svg x="20" y="20" width="80" height="80" viewBox="0 0 32 32">'
        '<clipPath id="disc"><circle cx="16" cy="16" r="15"/></clipPath><g clip-path="url(#disc)">'
        f'<path d="M0 0h32v32H0z" fill="{SKY}"/>'
        f'<path d="M-2 18.5H9.5l5 5.6L33 6v28H-2z" fill="{GROUND}"/>'
        f'<path d="M-2 18.5H9.5l5 5.6L33 6" fill="none" stroke="{PAPER}" stroke-width="2.6"/>'
        "</g></svg></svg>"
    )


def _spot(turn: float, radius: float) -> str:
    angle = math.radians(turn)
    return f"{60 + radius * math.sin(angle):.2f} {60 - radius * math.cos(angle):.2f}"


def _place(unit: float, x: float, y: float) -> tuple[float, float]:
    return x * unit, y * unit


def _box(unit: float, radius: float) -> tuple[float, float, float, float]:
    return (60 - radius) * unit, (60 - radius) * unit, (60 + radius) * unit, (60 + radius) * unit


def _disc(draw: ImageDraw.ImageDraw, unit: float, radius: float, colour: str) -> None:
    draw.ellipse(_box(unit, radius), fill=colour)


def _tick(draw: ImageDraw.ImageDraw, unit: float, mark: int) -> None:
    long = mark % 5 == 0
    angle = math.radians(mark * 6)
    ends = [
        _place(unit, 60 + radius * math.sin(angle), 60 - radius * math.cos(angle))
        for radius in ((46.5, 54.0) if long else (50.0, 54.0))
    ]
    draw.line(ends, fill=INK, width=round(unit * (1.8 if long else 1)))


def _mark(image: Image.Image, unit: float) -> None:
    """Sky over ground with a check mark for a horizon, cut to a disc."""
    size = image.size[0]
    layer = Image.new("RGBA", (size, size), SKY)
    draw = ImageDraw.Draw(layer)

    def at(x: float, y: float) -> tuple[float, float]:
        # The mark has 32 units a side and stands in the middle 80 of the seal's 120.
        return _place(unit, 20 + x * 2.5, 20 + y * 2.5)

    line = [at(-2, 18.5), at(9.5, 18.5), at(14.5, 24.1), at(33, 6)]
    draw.polygon([*line, at(33, 34), at(-2, 34)], fill=GROUND)
    draw.line(line, fill=PAPER, width=round(2.6 * 2.5 * unit), joint="curve")
    disc = Image.new("L", (size, size), 0)
    ImageDraw.Draw(disc).ellipse(_box(unit, 37.5), fill=255)
    image.paste(layer, mask=disc)
