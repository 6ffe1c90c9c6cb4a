"""What a requirement is about, in case no frame understood the line that speaks of it.

A line that orders something about the topic but fits no frame is a reason to say "not sure", not
"absent". Wishes, headings and stories about the topic stay "absent".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from courses.simulators.prompts.template_kit import Slots
from courses.simulators.prompts.view import View

_ORDER: Final = re.compile(
    r"\b(?:you|you're|must|shall|never|not|don't|do not|always|may|only|no|nobody|nothing"
    r"|should|agent|robot|none|without|unless)\b|->|=>|\?"
    r"|^\W*(?:ask|reply|answer|write|give|hand|pass|send|tell|take|pay|refund|use|keep"
    r"|leave|look|check|refuse|decline|treat|ignore|follow|do|wait|get|return|end|finish"
    r"|name|call|stop|put|say|speak|repeat|mask|confirm|escalate|go|make)\b",
    re.IGNORECASE,
)


def _groups(name: str) -> Callable[[View, Slots], bool]:
    return lambda view, slots: any(view.own(one) for one in slots.groups[name])


_TOPICS: Final[Mapping[str, Callable[[View, Slots], bool]]] = {
    "ask-when-missing": lambda view, slots: (
        view.lacking(slots["item"])
        and bool(view.own("missing") or view.own(slots["item"]))
        and view.has(r"\border\b|\bnumber (?:is|not|missing)\b")
    ),
    "always-hand-over-on": _groups("on"),
    "no-disclosure": _groups("data"),
    "reply-language": lambda view, slots: (
        bool(view.own("language"))
        and view.has(
            r"\b(?:customer\w*|their|same|which|whatever|english|french|german|spanish"
            r"|they|writer|sender)\b"
        )
    ),
    "output-keys": lambda view, slots: bool(view.own("json")),
    "confirm-before": lambda view, slots: (
        bool(view.own("confirm")) and view.near(slots["act"]) and view.near("customer")
    ),
    "stop-duplicates": lambda view, slots: (
        bool(view.own("already|second"))
        and view.near(slots.concepts.get("act", slots["thing"]))
        and view.has(
            r"\b(?:already|twice|again|second (?:time|refund)|earlier|refunded before|same order)\b"
        )
    ),
    "text-is-data": lambda view, slots: bool(view.own("command")) and view.near(slots["text"]),
    "only-from-source": lambda view, slots: bool(view.own(slots["source"])),
}


def is_doubtful(view: View, template: str, slots: Slots) -> bool:
    """Whether the unit orders something about the template's topic."""
    about = _TOPICS.get(template)
    if about is None or not about(view, slots):
        return False
    return _ORDER.search(view.unit.text) is not None or bool(view.unit.branch)
