"""The picture of a credential that stands on other people's pages and tells how it stands now."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _

from credentials.models import Watch

_HEIGHT = 44
# Width of a letter in the fonts that browsers put for sans-serif, in pixels; a little too wide.
_LETTER = 7.6
_COLOURS = {
    Watch.Standing.IN_FORCE: "#14663f",
    Watch.Standing.EXPIRED: "#8a5200",
    Watch.Standing.REVOKED: "#a3161d",
    Watch.Standing.GONE: "#4a5560",
}
# Drawn, not typed: a tick, a clock's hands, a cross.
_MARKS = {
    Watch.Standing.IN_FORCE: "M-5 0 -1.5 4 5.5 -4.5",
    Watch.Standing.EXPIRED: "M0 -5V0L4 3",
    Watch.Standing.REVOKED: "M-4 -4 4 4M4 -4 -4 4",
    Watch.Standing.GONE: "M-4 0H4",
}


def svg(achievement: str, standing: Watch.Standing) -> str:
    """An SVG of 44 pixels' height that needs no font, script or style of the page around it.

    Colour never speaks alone: the standing is written, and drawn as a mark. Contrast of the white
    letters on each ground is above 4.5 to 1.
    """
    word = str(standing.label).partition(":")[0].capitalize()
    title = _("%(achievement)s, Checkride: %(word)s") % {"achievement": achievement, "word": word}
    left = round(max(len(achievement) * _LETTER, 60) + 24)
    right = round(len(word) * _LETTER + 44)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" '
        f'viewBox="0 0 {left + right} {_HEIGHT}" role="img" aria-label={quoteattr(title)}>'
        f"<title>{escape(title)}</title>"
        f'<rect width="{left + right}" height="{_HEIGHT}" rx="6" fill="#0f2a3d"/>'
        f'<path d="M{left} 0h{right - 6}a6 6 0 0 1 6 6v{_HEIGHT - 12}a6 6 0 0 1-6 6h-{right - 6}z" '
        f'fill="{_COLOURS[standing]}"/>'
        f'<g fill="#fff" font-family="system-ui,-apple-system,Segoe UI,sans-serif">'
        f'<text x="12" y="18" font-size="11">Checkride</text>'
        f'<text x="12" y="34" font-size="13" font-weight="600">{escape(achievement)}</text>'
        f'<text x="{left + 32}" y="27" font-size="13" font-weight="600">{escape(word)}</text></g>'
        f'<path d="{_MARKS[standing]}" transform="translate({left + 18} 22)" fill="none" '
        f'stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )
