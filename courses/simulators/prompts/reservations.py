"""What takes a rule back: exceptions, reversals in the next sentence, later amendments.

A rule followed by "unless the customer insists" is no rule. The templates read sentences; this
module looks at what stands beside them, whatever the template.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.view import Signal

_EXCEPTION: Final = re.compile(
    r"\b(?:unless|except(?:ing)?(?: when| if| for| that| where)?|save (?:when|where|if)"
    r"|but (?:if|when|where|for)|other than when|exceptions? ?:|the only exception)([^.;]{0,90})",
    re.IGNORECASE,
)
# Who may have the rule lifted: anybody who wishes it, hurries, is known, or says so.
_LIFTED_FOR: Final = re.compile(
    r"\b(?:insist\w*|ask\w*|wants?|wish\w*|rather|prefer\w*|really|needs?|sure|sounds?|seems?"
    r"|hurry|urgent\w*|polite\w*|friendly|regular\w*|loyal|vip|premium|small|courtesy|mood|sign\w*"
    r"|official\w*|claims?|says?|likes?|trust\w*|convinc\w*|beg\w*|promis\w*|reasonable|harmless"
    r"|minor|known|obvious\w*|good reason|credible|nice|honest|upset|angry|kind|busy|then)\b",
    re.IGNORECASE,
)
# What an exception may say without weakening the rule, by template.
_HARMLESS: Final[Mapping[str, re.Pattern[str]]] = {
    "confirm-before": re.compile(
        r"\b(?:yes|agree\w*|confirm\w*|okay|ok|consent\w*|said so)\b", re.I
    ),
    "ask-when-missing": re.compile(
        r"\b(?:already|gives?|given|provid\w*|states?|stated|in the mail|mention\w*|there)\b", re.I
    ),
    "reply-language": re.compile(
        r"\b(?:unclear|unknown|not clear|can(?:no|')t|impossible)\b", re.I
    ),
    "always-hand-over-on": re.compile(r"\bhuman\b|\bescalat\w*", re.I),
    "limit": re.compile(r"\b(?:human|approv\w*|escalat\w*|colleague|supervisor|manager)\b", re.I),
    "approval-tier": re.compile(r"\bapprov\w*|\bsign\w*|\bcontroller\b", re.I),
    "stop-duplicates": re.compile(r"\b(?:no|not|never)\b", re.I),
    "verify-by-known-channel": re.compile(r"\bcall\w*|\bphone\w*|\bconfirm\w*|\bcheck\w*", re.I),
    "all-must-match": re.compile(r"\b(?:agree|match|same|fit)\w*", re.I),
}
_TONGUE: Final = re.compile(r"\b(?:not )?(?:in )?(?:english|french|spanish|german|dutch)\b", re.I)
_REVERSAL: Final = re.compile(
    r"\b(?:leave|drop|cut) (?:this|that|it|them|these|those) (?:out|away)\b"
    r"|\b(?:skip|drop|omit|leave out|ignore|forget|waive|spare) (?:this|that|it|them|the (?:question"
    r"|check|step|confirmation|look-?up))\b"
    r"|^\W*(?:with|for|if|when|but|though|only|unless|except|in)\b[^.]{0,90}\b(?:can|may|might|could|need not"
    r"|needn't|(?:do|does)(?:n't| not) (?:have|need) to)\b[^.]{0,90}\b(?:too|also|as well|anyway|simply|just"
    r"|higher|more|instead|all the same|skip|without)\b"
    r"|\b(?:does|do)(?:n't| not) apply\b|\bthe opposite\b|\bnot (?:so )?strict\w*"
    r"|\b(?:that|this) rule (?:is|can|may)\b[^.]{0,90}\b(?:ignored|skipped|bent|lifted|suspended|optional)\b",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"(?:§+|\b(?:rule|point|item|no\.|number|article|art\.|section|sec\.|clause|step"
    r"|paragraph))\s*(\d{1,3})\b",
    re.IGNORECASE,
)
_AMENDS: Final = re.compile(
    r"\bnot (?:apply|applicable|valid|in force)\b|n't apply|\bno longer\b|\bsuspend\w*|\bvoid\b|\blift\w*"
    r"|\bwaiv\w*|\bread [\"']|\breplace\w*|\binstead\b|\bignor\w*|\bforget\b|\bexcept\w*|\bskip\w*"
    r"|\bcancel\w*|\brevers\w*|\bopposite\b|\boverrul\w*|\bdisregard\w*|\bdelet\w*|\bwithdrawn\b",
    re.IGNORECASE,
)
MAX_ROW: Final = 2_500
_NUMBERED: Final = re.compile(
    r"^\W*(?:§+|rule|point|item|no\.|article|art\.|section|sec\.|clause|step)?\s*(\d{1,3})\b(?![.,]\d)",
    re.IGNORECASE,
)


_HEDGE: Final = re.compile(
    r"\b(?:unless|except(?!ion)\w*|exceptions? (?:is|are|for|to|may|can|appl\w+)"
    r"|(?<!nobody )(?<!nothing )(?<!none )(?<!anywhere )(?<!anything )(?<!one )but"
    # "Pay only if all three agree" and "flag an exception" are how clerks put the rule itself.
    r"|however|although|though|only if(?![^.;]*\b(?:agree|match|receipt)\w*\b)|anyway"
    r"|instead(?! of)|or (?:else|it)"
    r"|apart from|as long as|in (?:most|some) cases|usually|normally|mostly|can skip|too|as well|though"
    r"|needn't|need not|no need|not necessary|followed by|plus|also add|later|afterwards|for now"
    r"|do(?:es)?(?:n't| not) (?:have|need) to)\b",
    re.IGNORECASE,
)
_PERMITS: Final = re.compile(
    r"\b(?:may|might|can|allowed|okay|ok|fine|free to|no problem|obey|skip|unless|except"
    r"|exceptions? (?:is|are|for|to|may|can|appl\w+)"
    r"|(?:with|makes?|making|some|no|without) (?:\w+ )?exceptions?"
    r"|not (?:needed|necessary|required)|does(?:n't| not) (?:matter|apply)|do(?:n't| not) (?:mind|care))\b",
    re.IGNORECASE,
)
_BACK: Final = re.compile(
    r"\b(?:this|that|it|them|there|then|the (?:rule|check|step|question))\b", re.IGNORECASE
)


def permits(text: str) -> bool:
    """Whether a sentence beside a rule may allow what the rule forbids."""
    return _PERMITS.search(text) is not None


def hedges(text: str) -> bool:
    """Whether the sentence carries a word that may narrow or turn what it says."""
    return _HEDGE.search(text) is not None


def exception_in(text: str, template: str) -> bool:
    """Whether the sentence takes the rule back for somebody who wishes it."""
    for match in _EXCEPTION.finditer(text):
        rest = text[match.start() + 4 :] if template != "limit" else match.group(1)
        harmless = _HARMLESS.get(template)
        if harmless is not None and harmless.search(rest):
            continue
        if _LIFTED_FOR.search(match.group(1)) or (
            template == "reply-language" and _TONGUE.search(match.group(1))
        ):
            return True
    return False


_WHOLE_ROW: Final = re.compile(
    r"\b(?:this|that|the above) (?:rule|line|point|instruction|paragraph)s?\b|\ball (?:of )?(?:this|that)\b",
    re.IGNORECASE,
)


def withdrawn_lines(units: Sequence[Unit]) -> frozenset[int]:
    """Lines on which a sentence takes back what stands before it, read as a rule or not."""
    return frozenset(
        unit.line
        for unit in units
        if unit.previous is not None
        and (unit.line - unit.previous.line <= 1)
        and _REVERSAL.search(unit.text)
    )


def taken_back(
    prompt: str,
    units: Sequence[Unit],
    signals: Mapping[str, Sequence[Signal]],
    templates: Mapping[str, str],
) -> dict[str, list[Signal]]:
    """For each requirement the signals against it that stand beside its own sentences."""
    out: dict[str, list[Signal]] = {name: [] for name in signals}
    rows = prompt.split("\n")
    numbered: dict[str, int] = {}
    for line, text in enumerate(rows, start=1):
        if match := _NUMBERED.match(text):
            numbered.setdefault(match.group(1), line)
    amended: dict[int, Unit] = {}
    reversed_by: dict[tuple[int, str], Unit] = {}
    for unit in units:
        if unit.force not in {"rule", "weak"}:
            continue
        # The row, not the sentence: "Rule 1" at its beginning is taken for a bullet.
        row_text = rows[unit.line - 1][:MAX_ROW] if unit.first_in_line else unit.text
        if _AMENDS.search(row_text):
            for number in _REFERENCE.findall(row_text):
                line = numbered.get(number, 0)
                if line and line != unit.line:
                    amended.setdefault(line, unit)
        before = unit.previous
        if (
            before is not None
            and (
                before.line == unit.line
                or (unit.line - before.line == 1 and _BACK.search(unit.text))
            )
            and _REVERSAL.search(unit.text)
        ):
            reversed_by[(before.line, before.text)] = unit
            # "You may ignore this rule" takes back all that the row says, not its last sentence.
            while (
                _WHOLE_ROW.search(unit.text)
                and before.previous is not None
                and before.previous.line == unit.line
            ):
                before = before.previous
                reversed_by[(before.line, before.text)] = unit
    for name, found in signals.items():
        own = {one.text for one in found if one.sign > 0}
        for one in found:
            if one.sign < 0:
                continue
            if exception_in(one.text, templates[name]):
                out[name].append(_against(one, one.line, one.text, "an exception"))
            later = reversed_by.get((one.line, one.text))
            if later is not None and later.text not in own:
                out[name].append(_against(one, later.line, later.text, "taken back at once"))
            change = amended.get(one.line)
            if change is not None:
                out[name].append(_against(one, change.line, change.text, "changed by a later line"))
    return out


def _against(one: Signal, line: int, text: str, why: str) -> Signal:
    return Signal(one.part, -1, 0.7, line, text, why)
