"""Template filters of the workbenches."""

from __future__ import annotations

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def line_links(sentence: str, line: int | None = None) -> SafeString:
    """Escape `sentence` and turn each "line 3" in it into a link to that line of the editor.

    When the sentence names no line and `line` is given, a link to it is added at the end.
    """
    escaped = str(conditional_escape(sentence))
    linked, found = re.subn(r"\b([Ll]ine) (\d{1,4})\b", r'<a href="#line-\2">\1 \2</a>', escaped)
    if not found and line:
        linked = f'{linked} <a href="#line-{line:d}">line {line:d}</a>'.strip()
    return mark_safe(linked)  # noqa: S308 - escaped above; only digits were put in
