"""Limits and tolerances: a number, its side, and who acts on that side.

"Up to $100 refund yourself, above that a human" has two halves. Each number in a unit that speaks
of the limit gets a side (at most, more than); each clause on a side gets an actor. A number other
than the exercise's, or the actors swapped, is the opposite of the rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from courses.simulators.prompts.segments import Unit
from courses.simulators.prompts.view import View
from courses.simulators.prompts.words import (
    DIGITS,
    MARK,
    NUMBER,
    OTHER_MONEY,
    PERCENT,
    USD,
    WORD,
    tokens,
    word_set,
)

_UPPER_BEFORE: Final = re.compile(
    r"(?:up to(?: and including)?|as much as|at most|at the most|max(?:imum)?(?: of| is)?"
    r"|no more than|not more than|not (?:to )?exceed(?:ing)?"
    r"|do(?:es)? not exceed|not above|not over|not higher than|not greater than|not "
    r"larger than|below|under|less than|lower than|smaller than|<=|<"
    r"|within|cap(?:ped)?(?: at| of| is)?|ceiling(?: is| of| at)?|limit(?:ed)?(?: is| of| "
    r"at| to)?|to a maximum of|fewer than|until|till|to"
    r"|cheaper than|0 ?(?:-|to|and)|zero to|stops? at|ends? at|as far as|maximally"
    r"|beneath|short of)\s*(?:the |a |an |about |exactly |sums? of |amounts? of |usd|us\$"
    r"|\$)*\s*$"
)
_LOWER_BEFORE: Final = re.compile(
    r"(?:above|over|more than|exceed(?:s|ing)?|in excess of|beyond|>=|>|from|at least"
    r"|starting (?:at|from|with)|beginning (?:at|from|with)|greater than"
    r"|larger than|higher than|bigger than|past|outside|reach(?:es|ing)?|not less than|as "
    r"of|not under|not below|no less than|tops?|surpass\w*|north of"
    r"|upwards? of|costs? more than|better than|upward from)\s*(?:the |a |an |about "
    r"|exactly |sums? of |amounts? of |usd|us\$|\$)*\s*$"
)
_UPPER_AFTER: Final = re.compile(
    r"^\s*(?:(?:usd|dollars?|us dollars|percent|%)\s*)?(?:or (?:less|below|under|lower"
    r"|fewer|smaller|cheaper)|and (?:below|under|less|lower|smaller)|max\b|at most|tops"
    r"|maximum|or smaller|at the most|is (?:the |your )?(?:limit|ceiling|cap|maximum))"
)
_LOWER_AFTER: Final = re.compile(
    r"^\s*(?:(?:usd|dollars?|us dollars|percent|%)\s*)?(?:or (?:more|above|higher|over"
    r"|greater|larger|up|better)|and (?:up|above|more|over|upwards?|higher|beyond|better)"
    r"|upwards?\b|plus\b|\+|up\b)"
)
_MORE: Final = re.compile(
    r"\b(?:above|over(?! the)|more|larger|bigger|higher|beyond|exceed\w*|past|else"
    r"|otherwise|rest|greater|costs? more|upwards?|north|larger ones|bigger ones|the "
    r"others|any others|in excess|outside|not within|too much)\b|>"
)
_LESS: Final = re.compile(
    r"\b(?:up to|below|under|less|smaller|lower|within|at most|or less|not more|no more"
    r"|cheaper|underneath)\b|<"
)


# "order 5512", "section 2": a number that names something measures nothing.
_NAMED_BY_NUMBER: Final = word_set(
    "order number invoice po section case step line rule clause paragraph article point "
    "up no # § version page gr in"
)


_LIMIT_TALK: Final = re.compile(
    r"limit|ceiling|\bcap\b|maximum|authority|threshold|as far as|purse|mandate|budget|toleran",
    re.I,
)
_BEYOND: Final = re.compile(
    r"\b(?:above|over|beyond|past|more than|higher than|exceeding)\b(?:\s+(?:it|that|this"
    r"|them|which)\b|\s*[,:;]|\s+(?:a|the|is|goes|needs|->))"
)


# What a bare number counts when it is no money.
_COUNTED: Final = word_set(
    "days day times time hours minutes lines keys fields words st th nd rd weeks months orders"
    " customers people tools"
)


@dataclass(frozen=True, slots=True)
class LimitSlots:
    about: str  # concept names, joined by "|"
    unit: str
    at: float
    below: str
    above: str
    inclusive: bool = True


def text_with_numbers(view: View) -> tuple[str, list[tuple[int, int, int]]]:
    """The unit's tokens as lower-case text, and for each number (start, end, token index)."""
    out = ""
    numbers: list[tuple[int, int, int]] = []
    for index, token in enumerate(view.unit.tokens):
        if out and not (token.kind == MARK and token.text in ",.;:"):
            out += " "
        start = len(out)
        out += token.text.lower()
        if token.kind == NUMBER:
            numbers.append((start, len(out), index))
    return out, numbers


def fitting_number(view: View, index: int, slots: LimitSlots, text: str) -> float | None:
    """The number's value in the slot's unit, or None when it measures something else."""
    token = view.unit.tokens[index]
    if token.value is None or token.silent:
        return None
    earlier = view.unit.tokens[index - 1].text.lower() if index else ""
    if token.unit is None and earlier in _NAMED_BY_NUMBER:
        return None
    if (
        token.unit is None
        and earlier == "("
        and index + 1 < len(view.unit.tokens)
        and token.text.endswith(",")
    ):
        return None
    if token.unit is None and earlier == "(" and index > 1:
        called = view.unit.tokens[index - 2].text.lower()
        if called in {"order", "lookup", "refund", "number", "id"}:
            return None
    if slots.unit == "usd":
        if token.unit == PERCENT:
            return None
        if token.unit in (USD, OTHER_MONEY, DIGITS):
            return token.value if token.unit != OTHER_MONEY else token.value + 0.5
        following = (
            view.unit.tokens[index + 1].text.lower() if index + 1 < len(view.unit.tokens) else ""
        )
        if following in _COUNTED:
            return None
        if token.value < 5 or (re.fullmatch(r"\d{5,}", token.text) and token.value > 20_000):
            return None
        if re.search(
            r"<|>|=|amount|limit|ceiling|cap\b|refund|pay|total|value|sum|dollar|money"
            r"|claim|give|purse|more|above|over|below|up to|under",
            text,
        ):
            return token.value
        return None
    if token.unit in (USD, OTHER_MONEY, DIGITS):
        return None
    if token.unit == PERCENT:
        return token.value
    if 0 < token.value < 1:
        return token.value * 100
    return None


def side_of(text: str, start: int, end: int) -> str:
    """ "upper" (at most the number), "lower" (more than it) or "" for the number at start..end."""
    before = text[max(0, start - 48) : start]
    before = re.split(r"[;.:]\s", before)[-1]
    after = text[end : end + 34]
    if _UPPER_AFTER.match(after):
        return "upper"
    if _LOWER_AFTER.match(after):
        return "lower"
    upper, lower = _UPPER_BEFORE.search(before), _LOWER_BEFORE.search(before)
    if lower and re.search(r"\b(?:not|no|never)\s+(?:be\s+)?$", before[: lower.start()]):
        return "upper"
    if (
        upper
        and re.search(r"\b(?:not|no|never)\s+(?:be\s+)?$", before[: upper.start()])
        and not re.match(r"not|no |do", upper.group())
    ):
        return "lower"
    if upper and lower:
        return (
            "upper"
            if upper.start() >= lower.start() and len(upper.group()) >= len(lower.group())
            else "lower"
        )
    if upper:
        return "upper"
    if lower:
        return "lower"
    return ""


def read_limit(view: View, slots: LimitSlots) -> None:
    """Signals "below" and "above" for a limit rule."""
    unit = view.unit
    about = view.near(slots.about) or view.before(slots.about)
    if (
        view.earlier
        and view.earlier[0].force == "question"
        and _MORE.search(view.earlier[0].text.lower())
        and _number_before(view.earlier[0], slots)
    ):
        about = True
    if view.earlier and view.earlier[0].force == "question" and _side_of_earlier(view, slots):
        about = True
    followed = unit.following
    if not about and followed is not None and followed.line == unit.line:
        about = any(followed.found.get(name) for name in slots.about.split("|"))
    text, numbers = text_with_numbers(view)
    usable = [
        (start, end, index, value)
        for start, end, index in numbers
        if (value := fitting_number(view, index, slots, text + " " + unit.context.lower()))
        is not None
    ]
    if view.own("danger") and not any(abs(one[3] - slots.at) <= 1.0 for one in usable):
        return  # what to do with a hurt person is another rule, whatever sum it names
    if (
        any(
            not view.denied(one) and (not view.conditional(one) or one.end - one.start >= 3)
            for one in view.own("unlimited")
        )
        and (about or view.here(slots.about))
        and not usable
        and not view.does(slots.above)
        and view.own(slots.about.split("|")[0] + "|self-act")
    ):
        view.no("below", 0.9, "no limit at all")
        return
    if (
        usable
        and view.has(
            r"doesn'?t matter|does not matter|no matter|whether|be it|regardless|any sum|whatever"
        )
        and view.does("unlimited|" + slots.below)
        and len(usable) >= 2
        and max(one[3] for one in usable) > slots.at * 2
    ):
        view.no("below", 0.85, "no limit at all")
        return
    if not about:
        return
    if not usable:
        _without_number(view, slots, text)
        return
    if view.has(
        r"\b(?:voucher|discount|delivery (?:fee|cost)|shipping|fee|coupon|bonus|percent off)\b"
    ) and not view.own(slots.above):
        return
    if (
        view.has(r"confirm|yes\b|consent")
        and view.has(r"skip|no need|without|unnecessary")
        and not view.own(slots.above)
    ):
        return
    if view.has(r"\bskip\b|\bwithout (?:a |any )?confirm|\bno confirm") and not view.own(
        slots.above
    ):
        return  # speaks of the confirmation, not of the limit
    right = [one for one in usable if _is_limit(one[3], slots, side_of(text, one[0], one[1]))]
    wrong = [one for one in usable if one not in right]
    sided_wrong = [one for one in wrong if side_of(text, one[0], one[1])]
    if (
        len(wrong) >= 2
        and not sided_wrong
        and not right
        and max(one[3] for one in wrong) > 2 * slots.at
        and min(one[3] for one in wrong) < slots.at
        and view.own("self-act")
        and not view.own(slots.above)
        and slots.unit == "usd"
    ):
        view.no("below", 0.78, "no limit at all")
        return
    if view.example or unit.force == "given" or (unit.force == "question" and not right):
        _example(view, slots, usable)
        return
    if sided_wrong and not right:
        first = sided_wrong[0]
        if view.never(slots.below) and not view.does(slots.above) and first[3] > slots.at:
            return
        speaks = (
            view.own(slots.below + "|" + slots.above)
            or view.around(slots.below + "|" + slots.above)
            or view.around(slots.about)
        )
        view.no(
            "below",
            0.92 if speaks else 0.7,
            f"the limit is {slots.at:g}, not {first[3]:g}",
            value=first[3],
        )
        return
    if (
        wrong
        and right
        and sided_wrong
        and view.does("self-act")
        and any(one[3] > slots.at for one in sided_wrong)
    ) and view.has(
        r"\b(?:unless|except|but|although|though|however|in december|premium|vip"
        r"|loyal|regular|holiday|may go)\b"
    ):
        view.no("below", 0.8, "an exception with another limit")
    for start, end, index, _value in right:
        _sides(view, slots, text, start, end, index)
    if (
        not right
        and wrong
        and not sided_wrong
        and wrong[0][3] > slots.at
        and slots.unit == "usd"
        and view.does("self-act")
        and not view.never("self-act")
        and view.has(r"\bwithout (?:us|asking|a human|any(?:one|body))\b")
    ):
        view.no("below", 0.78, f"the limit is {slots.at:g}, not {wrong[0][3]:g}", value=wrong[0][3])
    elif (
        not right
        and wrong
        and not sided_wrong
        and (view.own("self-act|" + slots.above) or view.around("self-act|" + slots.above))
        and (
            _LIMIT_TALK.search(view.unit.text + " " + view.unit.context)
            or _BEYOND.search(text[wrong[0][1] :])
        )
    ):
        view.no("below", 0.75, f"the limit is {slots.at:g}, not {wrong[0][3]:g}", value=wrong[0][3])


def _is_limit(value: float, slots: LimitSlots, side: str) -> bool:
    """Whether the number draws the line where the exercise does: "99.99 or less", "101 and more"
    say the same as 100 in whole dollars; "99" does not."""
    if abs(value - slots.at) < 0.011:
        return True
    return slots.unit == "usd" and side != "upper" and 0 < value - slots.at < 1 + 1e-6


def _actors(view: View, slots: LimitSlots, low: int, high: int) -> tuple[bool | None, bool | None]:
    """Who acts between two token indices: (the agent itself, a human); None when not said."""
    alone: bool | None = None
    human: bool | None = None
    for mention in view.own(slots.above):
        if low <= mention.start < high:
            said = not view.unit.tokens[mention.start].negated or mention.own_negation
            if mention.own_negation:
                said = False
            human = said if human is None else human or said
    taken = {k for mention in view.own(slots.above) for k in range(mention.start, mention.end)}
    for mention in view.own(slots.below):
        if low <= mention.start < high and mention.start not in taken:
            word = view.unit.tokens[mention.start].text.lower()
            if word in {
                "refund",
                "refunds",
                "payment",
                "amount",
                "claim",
                "up",
                "at",
                "maximum",
                "limit",
                "cap",
                "no",
                "ceiling",
                "credit",
                "grant",
                "okay",
                "within",
                "give",
                "process",
                "pay",
                "payout",
                "handle",
                "authority",
                "settle",
            } and not _is_act(view, mention.start):
                continue
            if mention.start and any(
                one.end == mention.start for one in view.own("person") if one.start >= low
            ):  # "over 100 dollars a human pays"
                human = True
                continue
            said = not view.unit.tokens[mention.start].negated or mention.own_negation
            alone = said if alone is None else alone or said
    return alone, human


def _is_act(view: View, index: int) -> bool:
    """Whether "refund" at `index` is what the agent does, not the thing it is about."""
    row = view.unit.tokens
    word = row[index].text.lower()
    before = row[index - 1].text.lower() if index else ""
    after = row[index + 1].text.lower() if index + 1 < len(row) else ""
    if word in {"up", "at", "maximum", "limit", "cap", "no", "ceiling", "within", "authority"}:
        return False
    if before in {
        "a",
        "the",
        "any",
        "each",
        "every",
        "requested",
        "of",
        "for",
        "is",
        "be",
    } and word not in {"okay"}:
        return word in {"okay"}
    if word == "refunds" and after not in {"it"}:
        return False
    if row[index].conditional:
        return False
    return (
        index == 0
        or before
        in {
            "can",
            "may",
            "you",
            "->",
            ":",
            ",",
            "yourself",
            "just",
            "simply",
            "to",
            "will",
            "and",
            "|",
            "must",
            "should",
            "shall",
            "then",
            "agent",
            "robot",
            "it",
            "we",
            "issue",
            "(",
            "please",
            "self",
            "directly",
            "automatically",
            ".",
            "{",
            "=",
        }
        or after
        in {
            "it",
            "yourself",
            "directly",
            "alone",
            "immediately",
            "automatically",
            "without",
            "on",
            ".",
            ";",
            ",",
            "",
        }
    )


def _sides(view: View, slots: LimitSlots, text: str, start: int, end: int, index: int) -> None:
    row = view.unit.tokens
    side = side_of(text, start, end)
    # The stretch of tokens this number governs: to the next ";" or "." or contrast, or the next number.
    high = index + 1
    while high < len(row):
        token = row[high]
        if token.kind == MARK and token.text in {";", "|"}:
            break
        if token.kind == NUMBER and token.value is not None and token.value >= 5:
            break
        if token.kind == WORD and token.text.lower() in {"but", "whereas", "otherwise", "else"}:
            break
        if (
            _MORE.match(token.text.lower())
            and high > index + 2
            and token.text.lower() not in {"or", "over"}
        ):
            break
        if (
            token.kind == MARK
            and token.text in {".", ","}
            and high + 1 < len(row)
            and _MORE.match(row[high + 1].text.lower())
        ):
            break
        high += 1
    low = index
    while low > 0:
        token = row[low - 1]
        if token.kind == MARK and token.text in {";", "|", "."}:
            break
        if token.kind == NUMBER and token.value is not None and token.value >= 5:
            break
        if token.kind == WORD and token.text.lower() in {"but", "whereas", "otherwise"}:
            break
        low -= 1
    alone, human = _actors(view, slots, low, high)
    rest_alone, rest_human = _actors(view, slots, high, len(row))
    around_alone = view.around("self-act") and not view.around(slots.above)
    around_human = view.around(slots.above)
    if view.unit.branch in {"yes", "no"} and view.around(slots.about):
        pass
    denied_number = row[index].negated and not row[index].conditional
    if not side:
        if _LIMIT_TALK.search(view.unit.text) or _BEYOND.search(text[end:]):
            side = "upper"
        elif around_human or around_alone or human or alone:
            side = "upper" if (alone or around_alone) else "lower"
        else:
            return
    if (
        side == "lower"
        and alone
        and view.has(r"\b(?:as well|too|also|anyway|all the same|just the same)\b")
        and view.has(r"\b(?:later|afterwards|inform|tell|report)\b")
        and view.has(r"\bpay|\brefund|\bgive")
    ):
        view.no("above", 0.8, "above the limit it acts alone")
        return
    if side == "upper":
        if human and not alone and not (around_alone and not around_human):
            if rest_alone or (not rest_human and not denied_number and not view.has(_MORE.pattern)):
                view.no("below", 0.85, "the sides are swapped")
                return
            if not view.has(_MORE.pattern):
                return
        if (
            alone is False
            and not human
            and not denied_number
            and not view.has(r"\bnot? more|no more|not exceed")
        ):
            view.no("below", 0.7, "denies what the rule allows")
            return
        view.yes("below", 0.93 if alone or around_alone or around_human else 0.8)
        if _says_above(view, slots, text, end, rest_human, human):
            view.yes("above", 0.93)
        elif rest_human is False or (rest_alone and not rest_human and _MORE.search(text[end:])):
            view.no("above", 0.75, "nothing goes to a human")
    elif side == "lower":
        if human is False and not rest_human:
            view.no("above", 0.88, "above the limit it still acts alone")
            return
        if human or rest_human or around_human:
            view.yes("above", 0.93)
            if (
                _says_below(view, text, end, alone, rest_alone)
                or around_alone
                or unit_is_branch(view)
            ):
                view.yes("below", 0.9)
        elif alone and not denied_number:
            view.no("above", 0.85, "above the limit it acts alone")
        elif (alone is False or denied_number) and view.own(slots.below):
            view.yes("cap", 0.7)


def unit_is_branch(view: View) -> bool:
    """In code and decision trees what is not branched off goes on to the payment."""
    return view.unit.code or bool(view.unit.branch)


def _says_above(
    view: View, slots: LimitSlots, text: str, end: int, rest_human: bool | None, human: bool | None
) -> bool:
    if rest_human:
        return True
    return (bool(human) and _MORE.search(text[end:]) is not None) or (
        bool(human) and view.has(r"\bonly up to|at most|no more than")
    )


def _says_below(
    view: View, text: str, end: int, alone: bool | None, rest_alone: bool | None
) -> bool:
    if rest_alone or alone:
        return True
    return bool(_LESS.search(text[end:])) or view.has(
        r"\b(?:below|under|less|smaller|else|otherwise|the rest)\b[^.;]*\b(?:yourself"
        r"|fine|okay|ok|pay|refund|you|go on|continue)\b"
    )


def _without_number(view: View, slots: LimitSlots, text: str) -> None:
    """ "Above that, a human": the number stands in the sentence before."""
    earlier_number = any(
        token.kind == NUMBER and token.value is not None and abs(token.value - slots.at) <= 1.0
        for unit in view.earlier
        for token in unit.tokens
    )
    above_it = _number_above(view, slots)
    if above_it is not None:
        side, value = above_it
        human = bool(view.does(slots.above)) or (view.bare_human() and bool(view.does("person")))
        alone = bool(view.does(slots.below)) and not view.never(slots.below)
        if not human and not alone and not view.never(slots.above):
            return
        if not _is_limit(value, slots, side):
            view.no("below", 0.84, f"the limit is {slots.at:g}, not {value:g}", value=value)
        elif side == "lower" and human:
            view.yes("above", 0.92)
            if unit_is_branch(view):
                view.yes("below", 0.8)
        elif side == "lower" and alone:
            view.no("above", 0.78, "above the limit it acts alone")
        elif side == "upper" and human and not alone:
            view.no("below", 0.8, "the sides are swapped")
        elif side == "upper":
            view.yes("below", 0.86)
        return
    rest = re.search(r"\b(?:otherwise|else|the rest|others?)\b", text)
    asked = view.earlier[0] if view.earlier else None
    if (
        asked is not None
        and asked.force == "question"
        and _MORE.search(asked.text.lower())
        and not any(token.kind == NUMBER for token in asked.tokens)
        and _number_before(asked, slots)
    ):
        if view.does(slots.above) or (view.bare_human() and view.does("person")):
            view.yes("above", 0.88)
        return
    if asked is not None and asked.force == "question" and _side_of_earlier(view, slots):
        side = _side_of_earlier(view, slots)
        human = bool(view.does(slots.above)) or (view.bare_human() and bool(view.does("person")))
        denied = bool(view.never(slots.above))
        if side == "lower" and human:
            view.yes("above", 0.9)
        elif side == "upper" and human and not denied and not view.does("self-act"):
            view.no("below", 0.75, "the sides are swapped")
        elif side == "upper":
            view.yes("below", 0.86)
        elif (
            view.does("self-act")
            and not view.never("self-act")
            and not view.has(r"not your|nicht|not yours")
        ):
            view.no("above", 0.78, "above the limit it acts alone")
        return
    if earlier_number and rest:
        other = _side_of_earlier(view, slots)
        if other == "lower":
            if view.does("self-act") and not view.does(slots.above):
                view.yes("below", 0.88)
            return
        if view.does(slots.above):
            view.yes("above", 0.9)
        return
    above_all = (
        _MORE.search(text)
        and not view.never(slots.above)
        and (
            any(not view.denied(one) for one in view.own(slots.above))
            or (view.own("person") and view.own("person")[0].start <= 1)
        )
        and not view.does("self-act")
    )
    if above_all and (earlier_number or _number_before(view.unit, slots)):
        view.yes("above", 0.88)
        return
    if earlier_number:
        if view.does(slots.above) and (_MORE.search(text) or view.own("hand-over")):
            if _MORE.search(text) or re.search(r"\b(?:otherwise|else|rest|line|limit)\b", text):
                view.yes("above", 0.9)
        elif (
            _MORE.search(text)
            and view.does("self-act")
            and not view.does(slots.above)
            and view.has(r"yourself|on your own|alone|also|too|as well|no problem")
        ):
            view.no("above", 0.75, "above the limit it acts alone")
        elif _LESS.search(text) and view.does("self-act"):
            view.yes("below", 0.85)
    if view.has(
        r"\b(?:no|never (?:any|a|make a|pay a)?) ?refunds? (?:\w+ )?without (?:a |the "
        r"|asking a )?human"
    ) and not any(token.value is not None and token.value >= 50 for token in view.unit.tokens):
        view.no("below", 0.78, "every refund goes to a human")
    elif view.never(slots.above) and view.own("unlimited") and not earlier_number:
        view.no("above", 0.85, "nothing goes to a human because of its amount")
    elif (
        view.has(r"\b(?:all|every|each|any) (?:refunds?|payments?|requests?)\b")
        and view.does(slots.above)
        and not view.has(
            r"over|above|more than|beyond|exceed|larger|large|high|big|without|if|when"
            r"|legal|lawyer|injur|language|unclear|doubt|which|that"
        )
        and not view.unit.question
    ):
        view.no("below", 0.7, "every refund goes to a human")


def _number_before(unit: Unit, slots: LimitSlots) -> bool:
    """Whether the limit's number stands in one of the four sentences before, on the same line."""
    previous = unit.previous
    for _ in range(4):
        if previous is None or previous.block != unit.block:
            return False
        if any(
            token.value is not None and abs(token.value - slots.at) <= 1.0
            for token in previous.tokens
        ):
            return True
        previous = previous.previous
    return False


def _number_above(view: View, slots: LimitSlots) -> tuple[str, float] | None:
    """Side and value of the number in the question, condition or first cell above this unit."""
    question = view.unit.question
    if not question or not any(char.isdigit() or char == "h" for char in question):
        return None
    other = View(Unit(question, view.unit.line, tokens=tokens(question)), ())
    text, numbers = text_with_numbers(other)
    for start, end, index in numbers:
        value = fitting_number(other, index, slots, text)
        if value is None:
            continue
        side = side_of(text, start, end)
        if not side:
            if value <= slots.at or view.unit.branch != "yes":
                return None
            return "lower", slots.at  # a worked case with a sum above the limit
        if view.unit.branch == "no":
            side = "lower" if side == "upper" else "upper"
        return side, value
    return None


def _side_of_earlier(view: View, slots: LimitSlots) -> str:
    for unit in view.earlier:
        text, numbers = text_with_numbers(View(unit, ()))
        for start, end, index in numbers:
            value = unit.tokens[index].value
            if value is not None and abs(value - slots.at) <= 1.0:
                return side_of(text, start, end)
    return ""


def _example(view: View, slots: LimitSlots, usable: list[tuple[int, int, int, float]]) -> None:
    """Worked cases: what was done with a sum on which side of the limit."""
    values = [one[3] for one in usable]
    human = bool(view.does(slots.above))
    over = [value for value in values if value > slots.at]
    under = [value for value in values if value <= slots.at]
    if (human and over and not under) or (human and slots.at in values):
        view.yes("above", 0.85)
    if view.does("self-act") and not human:
        if over and not under:
            view.no("above", 0.8, f"an example acts alone on {over[0]:g}")
        elif under and max(under) >= slots.at * 0.95:
            view.yes("below", 0.85)
        elif under:
            view.yes("acted-below", 0.85)
