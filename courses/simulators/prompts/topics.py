"""What a requirement is about, in case no frame understood the line that speaks of it.

A line that orders something about the topic but fits no frame is a reason to say "not sure", not
"absent". Wishes, headings and stories about the topic stay "absent".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from courses.simulators.prompts.segments import Unit
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


# What a line on the topic may look like whatever its words: wide on purpose, because a line that
# speaks of a requirement and gave no rule is the reader's commonest mistake.
_WIDE: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "ask-when-missing": r"\b(?:missing|without|lack\w*|forg[eo]t\w*|guess\w*|pick\w*|choos\w*|ask\w*"
        r"|closest|nearest|likel\w*|assum\w*|infer\w*|unknown|not given|which|no|none|request|identif\w*)\b",
        "limit": r"\b(?:hundred|\d{2,4}(?:[.,]\d+)?|limit|ceiling|cap|grand|any (?:amount|sum)"
        r"|however (?:much|large)"
        r"|all refunds|sky)\b",
        "only-from-source": r"\b(?:polic\w+|page|rulebook|guidelines?|terms|source|basis|bible|rules?|gaps?"
        r"|silent|not covered|covered|cover|invent\w*|improvis\w*)\b",
        "output-keys": r"\b(?:json|keys?|csv|yaml|xml|object|format|fields?|poem|prose|summary|sentence|log"
        r"|final answer|result|output)\b|[{}]",
        "no-disclosure": r"\b(?:cards?|address\w*|personal\w*|private|privacy|names?|phone|pii"
        r"|street|identity"
        r"|confidential\w*|details)\b",
        "text-is-data": r"\b(?:instruct\w*|commands?|commanded|orders? (?:you|in|from|to)"
        r"|(?<!in the )system\b|admin|override"
        r"|notices?|ignore\w*|obey\w*|tells? you|you're told|told to|injection|authori[sz]ed|banners?"
        r"|mails? (?:say|tell|want|ask)s?|customers? (?:say|tell|want|ask)s? (?:you|it)|king"
        r"|boss\w*|follow it)\b",
        "always-hand-over-on": r"\b(?:lawyers?|attorneys?|legal\w*|courts?|su(?:e|es|ed|ing)"
        r"|judges?|litigat\w*|solicitor"
        r"|hurt|injur\w*|harm\w*|burn\w*|wound\w*|blood|bleed\w*|hospital|accident|cuts?|doctor|finger"
        r"|law|pain|sick|safety)\b",
        "reply-language": r"\b(?:languages?|tongue|lingo|english|french|spanish|german"
        r"|translat\w*|fr|es|speaks?)\b",
        "confirm-before": r"\b(?:confirm\w*|yes|agree\w*|consent\w*|okay|ok|approv\w*|green light"
        r"|wait\w*|nod|asking"
        r"|before (?:paying|you pay|the money|sending|a refund|any refund|payment)|pay(?:s"
        r"|ing)? (?:at once|first"
        r"|when|immediately|straight)|go ahead|tell \w+ the (?:sum|amount))\b",
        "all-must-match": r"\b(?:match\w*|mismatch\w*|agree\w*|disagree\w*|three|receipts?|compar\w*|tally"
        r"|tallies|story|correspond\w*|consistent|coincid\w*)\b",
        "tolerance": r"%|\b(?:percent|per cent|tolera\w*|differen\w*|deviat\w*|varianc\w*|discrepanc\w*"
        r"|cents?|gaps?)\b",
        "approval-tier": r"\b(?:controllers?|approv\w*|sign(?:s|ed|ature)?|sign-off|go-ahead|blessing"
        r"|[45][.,]?\d{3}|[1-9]\d[.,]?\d{3}|grand|thousand)\b",
        "verify-by-known-channel": r"\b(?:banks?|accounts?|iban|call\w*|phon\w*|telephon\w*|ring|rung"
        r"|rings|callback)\b",
        "cite-evidence": r"\b(?:nam(?:e|es|ed|ing)|cit(?:e|es|ed|ing)|quot\w*|evidence|sources?|fields?"
        r"|sections?|rests?|based|refer\w*|grounds?|justif\w*)\b",
        "log-fields": r"\b(?:log\w*|records?|recorded|journal|books?|protocol|audit\w*|trail"
        r"|write down|written down)\b",
        "low-confidence-ask": r"\b(?:unreadable|illegible|confiden\w*|sure|unsure|certain|uncertain|guess\w*"
        r"|blur\w*|smudg\w*|doubt\w*|scans?|legible|readable|can't read|cannot read|not read)\b",
        "stop-after-failures": r"\b(?:fail\w*|errors?|twice|retr\w+|crash\w*|tools?|attempts?|tries"
        r"|breaks?|broken|time-?outs?|stuck)\b",
        "stop-duplicates": r"\b(?:already|again|twice|second|duplicat\w*|look\w*|histor\w*"
        r"|previous\w*|once|earlier"
        r"|repeat\w*|another|double|prior|before|times)\b",
    }.items()
}
_WIDE_TOO: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "ask-when-missing": r"\b(?:orders?|numbers?|reference|purchase|which one)\b",
        "limit": r"\b(?:refund\w*|pay\w*|dollars?|usd|euros?|bucks|human|amounts?|sums?|money"
        r"|escalat\w*|limit)\b|[$€]",
        "stop-duplicates": r"\b(?:refund\w*|pa(?:y|id)\w*|money|order\w*|request\w*|duplicat\w*"
        r"|records?|invoices?)\b",
        "confirm-before": r"\b(?:pay\w*|paid|refund\w*|money|sums?|amounts?|customers?|they|them"
        r"|he|him|confirm\w*)\b",
    }.items()
}


_FOREIGN: Final = re.compile(
    r"\b(?:le|la|les|des|du|est|sont|ne|pas|une|un|dans|pour|avec|tu|vous|il|et|ou|jamais|toujours"
    r"|der|die|das|den|dem|ist|nicht|und|oder|mit|fuer|für|ein|eine|wenn|nie|immer|nur|auf|von|zu|bei"
    r"|el|los|las|que|por|para|con|si|no hay|es|nunca|siempre|y|o|del|al|een|het|niet|en|van|naar"
    r"|sans|au|aux|à|où|qui|na|nie|jest|che|non|per|di|il|sempre|mai)\b",
    re.IGNORECASE,
)


def is_foreign(text: str) -> bool:
    """Whether a good part of the sentence is in another language, which the frames do not know."""
    words = re.findall(r"[^\W\d_]+", text)
    return len(words) >= 3 and len(_FOREIGN.findall(text)) >= max(2, 0.25 * len(words))


def text_near(unit: Unit) -> str:
    """The unit's words, mended ones too, with the end of what it stands under."""
    mended = " ".join(token.text for token in unit.tokens)
    return f"{unit.context[-200:]} {unit.question[-200:]} {unit.text} {mended}".replace("_", " ")


def is_on_topic(view: View, template: str, slots: Slots, text: str) -> bool:
    """Whether the unit or what it stands under may speak of the requirement at all."""
    wide = _WIDE.get(template)
    if wide is None:
        return any(view.own(one) for group in slots.groups.values() for one in group)
    also = _WIDE_TOO.get(template)
    return wide.search(text) is not None and (also is None or also.search(text) is not None)


def is_doubtful(view: View, template: str, slots: Slots) -> bool:
    """Whether the unit orders something about the template's topic."""
    about = _TOPICS.get(template)
    if about is None or not about(view, slots):
        return False
    return _ORDER.search(view.unit.text) is not None or bool(view.unit.branch)
