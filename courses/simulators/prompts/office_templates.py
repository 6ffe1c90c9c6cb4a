"""Templates for matching, approving, recording and failing: the clerk's half of the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from courses.simulators.prompts import values
from courses.simulators.prompts.template_kit import Needs, Slots
from courses.simulators.prompts.view import View
from courses.simulators.prompts.words import NUMBER, PERCENT

# --- several sources must agree -----------------------------------------------------------------


def all_must_match(view: View, slots: Slots) -> None:
    """ "Pay only when invoice, order and receipt agree; otherwise flag." """
    documents = slots.groups["documents"]
    present = [one for one in documents if view.own(one)]
    every = len(present) == len(documents) or view.has(
        r"\b(?:all three|these three|the three|three (?:papers|documents|things|ways)|three-way)\b"
    )
    others = [one for one in documents[1:] if view.own(one)]
    agrees = [one for one in view.own("agree") if not view.denied(one)]
    disagrees = [one for one in view.own("agree") if view.denied(one)] or view.own("differ")
    flags = view.does("flag")
    if (
        others
        and view.has(
            r"\b(?:invoice alone|also without|without (?:them|it|a|the)|is enough"
            r"|suffices|not (?:a )?requirement|need not|"
            r"no need|too much work|(?:don't|do not|not) (?:\w+ )?(?:wait|look|search"
            r"|check|dig|bother|need|compare|ask|examin\w*)|as soon as)\b"
        )
        and not view.has(r"\b(?:never|not|nobody|nothing) (?:\w+ ){0,3}without\b")
    ) and not (agrees and len(present) == len(documents)):
        view.no("match", 0.84, "it shall pay without all documents")
        return
    if (
        (others or every)
        and view.has(_PAYS_ANYWAY)
        and not view.never("pay")
        and not view.has(r"\b(?:never|nothing|nobody|not? (?:be )?pa\w+)\b")
    ):
        view.no("match", 0.86, "it shall pay what does not agree")
        return
    if (
        every
        and agrees
        and (len(present) >= 2 or view.before("agree") or len(present) == len(documents))
    ):
        view.yes("match", 0.92)
    elif every and len(present) == len(documents) and view.has(r"[=]|->"):
        view.yes("match", 0.85)
    if flags and (
        disagrees or view.has(_OTHERWISE) or view.around("differ") or view.before("agree|differ")
    ):
        view.yes("otherwise", 0.9)
    elif every and disagrees and (view.never("pay") or flags):
        view.yes("otherwise", 0.85)


_PAYS_ANYWAY: Final = (
    r"\bpa(?:y|id)\b[^.;]*\b(?:even (?:if|when|though)|whether or not|regardless|anyway|no matter)\b"
    r"|\bpay (?:what|whatever) the (?:invoice|bill|paper)\b"
    r"|\bpa(?:y|id)\b[^.;]*\bwithout (?:waiting|looking|checking|asking)\b"
)
_OTHERWISE: Final = (
    r"\b(?:otherwise|else|if not|if they do(?:n't| not)|if it does(?:n't| not)|the rest"
    r"|everything else|all other|or it|or they|or flag|"
    r"if (?:they|it)(?:'re| are| is|'s)? (?:not|n't)|when they do(?:n't| not)|disagree"
    r"|differ|does not agree|don't|doesn't|missing|not equal)\b"
)


# --- tolerances and tiers ------------------------------------------------------------------------


def tolerance(view: View, slots: Slots) -> None:
    """ "Up to 2 percent is accepted, more is flagged." """
    if view.own("confidence") and not view.own(slots["of"]):
        return
    if view.has(
        r"\b(?:flag|reject|stop|hold)\w*\b[^.;,]{0,40}\b(?:below|under|up to|less than|smaller)\b"
    ) and view.has(r"\baccept\w*\b[^.;,]{0,40}\b(?:above|over|larger|more|bigger)\b"):
        view.no("below", 0.86, "the two sides are swapped")
        return
    if view.does("no-tolerance"):
        view.no("below", 0.86, "no tolerance at all")
        return
    values.read_limit(
        view,
        values.LimitSlots(
            about=f"{slots['of']}|tolerate",
            unit=str(slots.plain["unit"]),
            at=float(slots.plain["at"]),
            below="tolerate",
            above="flag",
        ),
    )


def approval_tier(view: View, slots: Slots) -> None:
    """ "From 5,000 dollars on, the controller approves first." """
    at = float(slots.plain["at"])
    who = slots["who"]
    approves = view.near(who) or view.near("approve") or view.before(who)
    if not approves:
        return
    unit = view.unit
    text, numbers = values.text_with_numbers(view)
    limit = values.LimitSlots(who, "usd", at, "self-act", "approve")
    usable = [
        (start, end, index, value)
        for start, end, index in numbers
        if (value := values.fitting_number(view, index, limit, text)) is not None
    ]
    usable = [one for one in usable if one[3] >= 50 and unit.tokens[one[2]].unit != PERCENT]
    named = bool(view.own(who)) or view.around(who) or view.before(who)
    if named and not usable:
        if view.has(
            r"\bno (?:controller|approval)\b|without (?:the )?(?:controller|approval"
            r"|asking)|need(?:s)? nobody|any amount"
        ) and (
            view.has(r"\bpa(?:y|id|yments?)\b|\bapprov")
            and not view.has(r"\b(?:never|not|nothing|nobody|no payment)\b")
        ):
            view.no("approval", 0.8, "no approval at all")
        return
    right = [one for one in usable if abs(one[3] - at) < 1.01]
    wrong = [one for one in usable if one not in right]
    if view.example:
        over = [one for one in usable if one[3] >= at]
        waits = view.own("wait") or view.own("approve") or view.own(who)
        denied = (
            view.never(who)
            or view.never("approve")
            or view.never("wait")
            or view.has(r"\bno approval\b")
        )
        if over and denied:
            view.no("approval", 0.84, "an example needs no approval")
        elif over and waits and right:
            view.yes("approval", 0.86)
        return
    needless = view.never("approve") or view.has(
        r"\b(?:nobody|no one|no controller|without asking|need no)\b"
    )
    unasked = view.has(
        r"\bwithout (?:\w+ ){0,3}(?:controllers?|approval)\b"
        r"|\b(?:don't|do not|never|needn't|need not|no need to) (?:\w+ ){0,2}?"
        r"(?:ask|wait for|involve|bother)\b"
    ) and not view.has(
        r"\b(?:never|not|nothing|nobody|no (?:payment|invoice|bill))\b[^.;]*\bwithout\b"
    )
    if named and unasked and (right or not usable) and not wrong:
        sides = {values.side_of(text, one[0], one[1]) for one in right}
        if "upper" not in sides:
            view.no("approval", 0.85, "no approval at all")
            return
    if right and named:
        side = values.side_of(text, right[0][0], right[0][1])
        if side == "upper" and not wrong:
            if view.has(
                r"\b(?:go on|just pay|no(?:t| need)|below|otherwise|without)\b"
            ) and not view.never("pay"):
                view.yes("approval", 0.7)
            return
        if any(one[3] > at for one in wrong) and needless:
            view.no("approval", 0.85, "the tier is another one")
            return
        view.yes("approval", 0.92 if side else 0.78)
        return
    if wrong and named and not right:
        sided = [one for one in wrong if values.side_of(text, one[0], one[1])] or (
            wrong if len(wrong) >= 2 or needless else []
        )
        if sided:
            view.no("approval", 0.86, f"the tier is {at:g}, not {sided[0][3]:g}")


# --- checking by another way ---------------------------------------------------------------------

_KNOWN: Final = (
    r"\b(?:on file|in (?:our|the|that|my) (?:\w+ )?(?:file|files|records?|books|rolodex"
    r"|system|master|vendor file)|already (?:had|have|on|in)|we (?:already )?(?:had|have"
    r"|know)"
    r"|(?:old|existing|our own|known|previous|earlier|our|stored|existing vendor) "
    r"(?:records?|numbers?|files?|data|vendor file)|master data|vendor master|vendor file"
    r"|from before|before (?:the|he|she|they|it)|theretofore|had before)\b"
)


def verify_by_known_channel(view: View, slots: Slots) -> None:
    """ "A changed account is paid only after a call to a number we had before." """
    change = view.near(slots["change"]) or view.before(slots["change"])
    calls = [one for one in view.own("phone") if not view.denied(one)]
    refused = [one for one in view.own("phone") if view.denied(one)]
    if not change:
        return
    known = view.has(_KNOWN)
    if refused and not calls and not known and view.has(r"\b(?:call|phone|ring|telephon)"):
        view.no("call", 0.84, "no call")
        return
    if view.has(
        r"\b(?:pay|paid|payment)\b[^.;]*\b(?:to the )?(?:new|changed) account (?:first|at "
        r"once|immediately|right away|forthwith)|pay (?:in)?to the new account (?:first"
        r"|at once|immediately)"
        r"|(?:skip|no|without) (?:that |the |a )?(?:call|check)|deemed verified|proof "
        r"enough|as soon as they write yes|call can be made (?:some time )?later"
    ) and not view.has(r"\bnot? (?:\w+ ){0,3}without (?:that |the |a )?call|until"):
        view.no("call", 0.85, "no call before paying")
        return
    if calls:
        view.yes("call", 0.9)
        if known or (
            view.unit.following is not None
            and view.unit.following.line == view.unit.line
            and re.search(_KNOWN, view.unit.following.text, re.I)
        ):
            view.yes("known", 0.9)
    elif known and view.before("phone"):
        view.yes("known", 0.85)
    if (
        view.has(r"\b(?:answer|reply to|confirm\w* by|ask by) (?:the )?(?:vendor's )?e?-?mail\b")
        and not calls
        and not view.has(r"\bnot\b|n't")
    ):
        view.no("call", 0.78, "a mail is no call")


# --- evidence and records ------------------------------------------------------------------------


def cite_evidence(view: View, slots: Slots) -> None:
    """ "Each decision names the document and the field it rests on." """
    names = slots.groups["names"]
    present = [one for one in names if view.own(one)]
    if (present or view.before(names[0])) and view.has(_UNCITED) and not view.has(_UNFINISHED):
        view.no("cite", 0.86, "it shall not name its sources")
        return
    if not present and not (view.before(names[0]) and view.own("cite")):
        return
    cites = view.does("cite") or [
        one for one in view.own("cite") if not view.denied(one) and not view.conditional(one)
    ]
    refused = [one for one in view.own("cite") if view.denied(one)]
    topic = view.near(slots["of"]) or view.before(slots["of"]) or view.example
    if (
        refused
        and not (cites and view.has(r"\b(?:until|unless|without|fail)\b"))
        and view.has(r"\b(?:mention|name|state|write|tell|say|show|quote|cite|give|explain)\w*\b")
        and (len(present) >= 1)
    ) and not view.has(r"\b(?:unless|until|without|fail|not? .{0,20}(?:without|unless))\b"):
        view.no("cite", 0.86, "it shall not name its sources")
        return
    if (
        len(present) == len(names)
        and topic
        and (cites or view.unit.code or view.has(r"\b(?:rests?|based|behind|because|src|both)\b"))
    ):
        view.yes("cite", 0.9)
    elif view.example and len(present) == len(names):
        view.yes("cite", 0.8)


_UNCITED: Final = (
    r"\b(?:leave|leaves|left) (?:\w+ ){0,5}?out\b|\bleave out\b|\bomit\w*\b|\b(?:bare|just the) decision\b"
    r"|\bdecision only\b|\bwithout (?:\w+ ){0,2}?"
    r"(?:documents?|fields?|sections?|sources?|naming|mentioning|citing|giving|quoting)\b"
)
_UNFINISHED: Final = (
    r"\b(?:never|not|nor|nobody|nothing|no (?:decision|answer|payment|reply)|unfinished|incomplete|invalid"
    r"|worthless|void|rejected)\b|n't\b"
)


def log_fields(view: View, slots: Slots) -> None:
    """ "One log line per decision with time, number, decision and reason." """
    fields = slots.groups["fields"]
    log = slots["log"]
    if not (view.near(log) or view.before(log)):
        return
    refused = view.never(log) or (
        view.own(log)
        and view.has(
            r"\b(?:no|not|don't|never|nobody|stays? empty|switched off|is "
            r"off)\b[^.;]*\b(?:log|line|write)|\blog\w*\b[^.;]*\b(?:off|empty|switched)\b"
        )
    )
    present = [one for one in fields if view.own(one)]
    if (
        refused
        and len(present) < 3
        and not view.has(
            r"\b(?:until|unless|without|fail|isn't finished|not finished|no decision for "
            r"which|decision for which)\b"
        )
    ) and view.has(r"\blog\w*|line"):
        view.no("log", 0.84, "no log")
        return
    if (
        view.own(log)
        and view.has(r"\b(?:end of the (?:month|day|week)|monthly|weekly|one summary|a summary)\b")
        and len(present) < 3
    ):
        view.no("log", 0.78, "another log")
        return
    if len(present) == len(fields) or (
        len(present) == len(fields) - 1 and view.has(r"\btimestamp|\bwhen\b|\bnow\b")
    ):
        view.yes("log", 0.9)
    elif view.example and view.has(r"\|.*\|.*\|"):
        view.yes("log", 0.8)


# --- low confidence and failures -----------------------------------------------------------------


def low_confidence_ask(view: View, slots: Slots) -> None:
    """ "Unreadable, or below 80 percent sure: ask a human, no guess." """
    at = float(slots.plain["at"])
    topic = (
        view.near("unreadable") or view.near("confidence") or view.before("unreadable|confidence")
    )
    if not topic:
        return
    text, numbers = values.text_with_numbers(view)
    limit = values.LimitSlots("confidence", "percent", at, "self-act", "ask")
    found = [
        value
        for _s, _e, index in numbers
        if (value := values.fitting_number(view, index, limit, text)) is not None
    ]
    asks = (view.does("ask") or view.does("hand-over")) and not view.has(
        r"\b(?:ask nobody|ask no one|don't (?:ask|bug|bother|disturb)|do not (?:ask|bug"
        r"|bother|disturb)|without asking)\b"
    )
    guesses = list(view.does("guess")) + list(view.does("take-likely"))
    confident = view.near("confidence")
    if found and confident:
        if any(abs(value - at) < 0.5 for value in found) or (
            at == 80 and any(abs(value - 20) < 0.5 for value in found)
        ):
            view.yes("value", 0.9)
        elif not view.example and view.has(r"%|percent|per cent|0\.\d"):
            view.no("value", 0.84, f"the threshold is {at:g}, not {found[0]:g}")
            return
    if asks and not view.never("ask"):
        view.yes("ask", 0.9)
    elif (
        (guesses and not view.never("guess"))
        or (
            view.has(r"\b(?:don't|do not|never) (?:ask|bug|bother|disturb)\b|\bask nobody\b")
            and not asks
        )
    ) and not view.has(r"\b(?:no|not|never|n't|instead of|isn't|aren't) (?:\w+ ){0,2}guess"):
        view.no("ask", 0.82, "it shall guess")


# "Never mind whether it was sent, send it again": not knowing is waved aside, and the deed repeated.
_AGAIN_UNKNOWING: Final = re.compile(
    r"\b(?:never mind|no matter|regardless of|irrespective of|without (?:looking|checking)"
    r"|(?:do(?:n't| not)|needn't|need not) (?:mind|care|look|check|ask))\b[^.;]{0,20}?\b(?:whether|if)\b"
    r"[^.;]{0,80}[,;:]\s*(?:and |just |simply |then )*"
    r"(?:send|pay|post|submit|try|retry|repeat|press)\b(?: it| them| the \w+)? (?:again|once more)\b",
    re.IGNORECASE,
)


def stop_after_failures(view: View, slots: Slots) -> None:
    """ "After the second failure stop and hand over; never retry a payment blindly." """
    if view.has(_AGAIN_UNKNOWING.pattern):
        view.no("stop", 0.88, "it shall send payments again")
        return
    wanted = int(slots.plain["after"])
    fails = view.near("fails") or view.before("fails")
    again = view.own("retry")
    repeats = slots["never_repeat"]
    if again and (view.own(repeats) or fails or view.before(repeats)):
        denied = [one for one in again if view.denied(one)]
        if denied:
            view.yes("no-retry", 0.86)
        elif view.has(
            r"\buntil (?:it|success|accepted|she|he)|again and again|keep (?:hitting"
            r"|trying)|no matter how many|at once, and again|until it (?:works|goes|is)"
            r"|hitting it|sent it again"
            r"|\b(?:may|can) (?:be )?(?:simply |just )?(?:be )?(?:send|sent|re-?sen[dt]|retry"
            r"|retried|repeat(?:ed)?)\b"
        ) and not view.has(r"\bnever\b|\bdon't\b|\bnot\b"):
            view.no("stop", 0.88, "it shall try for ever")
            return
    if (
        (view.own(repeats) or view.before(repeats))
        and view.has(
            r"\b(?:may|can|just|simply) (?:\w+ ){0,2}?(?:send|sent|retry|retried|try|tried|repeat\w*)\b"
            r"(?: \w+)? ?(?:again|blindly)?"
        )
        and view.has(r"\bagain\b|\bretr\w+|\brepeat\w*")
        and not view.has(r"\b(?:never|not|unless|until|only|once|no)\b|n't\b")
    ):
        view.no("stop", 0.84, "it shall send payments again")
        return
    if fails and view.never("halt") and not view.has(r"\b(?:until|unless|but|twice|second)\b"):
        view.no("stop", 0.85, "it shall never stop")
        return
    if not fails:
        return
    counts = _counts(view)
    stops = view.does("halt") or view.does("hand-over")
    if (
        counts
        and wanted not in counts
        and stops
        and view.has(r"\b(?:times|time|failures?|attempts?|errors?|tries|th|twice)\b")
    ):
        view.no("stop", 0.84, f"after {wanted}, not after {sorted(counts)[0]}")
        return
    if counts and min(counts) > wanted and view.has(r"\b(?:times|attempts?|tries)\b") and not stops:
        view.no("stop", 0.78, f"after {wanted}, not after {sorted(counts)[0]}")
        return
    if stops and (wanted in counts):
        view.yes("stop", 0.92)
    elif stops and (view.before("retry") or view.has(r"\bagain\b")):
        view.yes("stop", 0.8)


_ORDINALS: Final = {
    "second": 2,
    "twice": 2,
    "third": 3,
    "thrice": 3,
    "fourth": 4,
    "fifth": 5,
    "tenth": 10,
    "2nd": 2,
    "3rd": 3,
}


def _counts(view: View) -> set[int]:
    row = view.unit.tokens
    counts = {_ORDINALS[token.text.lower()] for token in row if token.text.lower() in _ORDINALS}
    for index, token in enumerate(row):
        if (
            token.kind == NUMBER
            and token.unit is None
            and token.value is not None
            and 1 < token.value <= 50
        ):
            after = row[index + 1].text.lower() if index + 1 < len(row) else ""
            before = row[index - 1].text.lower() if index else ""
            if after in {
                "times",
                "time",
                "failures",
                "failure",
                "errors",
                "attempts",
                "occasions",
                "tries",
                "nd",
                "rd",
            } or before in {"number", "after"}:
                counts.add(int(token.value))
    return counts


# --- smaller ones --------------------------------------------------------------------------------


def never_guess(view: View, slots: Slots) -> None:
    """ "Never guess a value." """
    item = slots["item"]
    if not (view.near(item) or view.before(item)):
        return
    if view.never("guess"):
        view.yes("no-guess", 0.9)
    elif view.does("guess") or view.does("take-likely"):
        view.no("no-guess", 0.86, "it shall guess")


def never_do(view: View, slots: Slots) -> None:
    """ "Never X": the exercise's own act, in the phrases the author listed."""
    act = slots["act"]
    if view.never(act):
        view.yes("never", 0.9)
    elif view.does(act) and not view.example:
        view.no("never", 0.84, "it shall do what is forbidden")


def say_when_unknown(view: View, slots: Slots) -> None:
    """ "If you don't know, say so." """
    if not (view.when("silent") or view.when("missing")):
        return
    if view.does("say-so"):
        view.yes("say-so", 0.88)
    elif view.never("say-so") or view.does("invent"):
        view.no("say-so", 0.84, "it shall hide it")


def output_format(view: View, slots: Slots) -> None:
    """ "The answer is X": one named form of the answer."""
    form = slots["form"]
    if not (view.own("answer-format") or view.around("answer-format")):
        return
    if view.does(form):
        view.yes("form", 0.88)
    elif view.never(form) or view.does("other-format"):
        view.no("form", 0.84, "another form")


def look_up_before(view: View, slots: Slots) -> None:
    """ "Look X up before you decide." """
    thing = slots["thing"]
    if not (view.near(thing) or view.before(thing)):
        return
    if view.never("look-up"):
        view.no("look", 0.86, "no look")
    elif view.does("look-up") and view.near("before-act"):
        view.yes("look", 0.9)
    elif view.does("look-up"):
        view.yes("look", 0.76)


def order_of_steps(view: View, slots: Slots) -> None:
    """ "First A, then B": both acts in one sentence, in the order wanted."""
    first, then = slots["first"], slots["then"]
    one, other = view.does(first), view.own(then)
    if not one or not other:
        return
    # "Before B, do A" turns the order of the words round.
    turned = view.has(r"^\W*(?:before|prior to)\b") or view.has(r"\bafter\b")
    in_order = (one[0].start < other[0].start) != turned
    if in_order and view.has(r"\b(?:then|before|first|after|only|until|next|->)\b|->"):
        view.yes("order", 0.86)
    elif not in_order and view.has(r"\b(?:then|before|first|after)\b"):
        view.no("order", 0.8, "the other way round")


def match_needs(slots: Slots) -> Sequence[Needs]:
    return (Needs(frozenset({"match", "otherwise"}), 1.0), Needs(frozenset({"match"}), 0.84))
