"""What happened in one case, and the checks that look at it.

A trace is a row of events. The rehearsal agent writes one; the run of a real model can be written
as one as well, and then the same checks grade it. Checks see events only, never the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from checkride.lib.errors import DomainError

Json = Any
Kind = Literal["read", "think", "call", "say", "hear", "final"]
State = Literal["plain", "warn", "bad", "good"]


class BadCase(DomainError):
    code = "bad-case"
    sentence = "The case “{case}” cannot be run: {problem} Correct exercise.yaml."


@dataclass(frozen=True, slots=True)
class Event:
    """One step. `name` and `arguments` belong to a call; `facts` holds what a reply carried:
    its language, what it asked for, what it disclosed, which sum it put to the customer."""

    kind: Kind
    says: str
    name: str = ""
    arguments: Mapping[str, Json] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    because: str = ""
    line: int = 0
    state: State = "plain"


@dataclass(frozen=True, slots=True)
class CheckResult:
    says: str
    held: bool


Trace = Sequence[Event]
_LANGUAGES: Final = {
    "en": "English",
    "fr": "French",
    "es": "Spanish",
    "de": "German",
    "it": "Italian",
}


def language_name(code: str) -> str:
    return _LANGUAGES.get(code, code)


def calls(trace: Trace, name: str) -> list[Event]:
    return [event for event in trace if event.kind == "call" and event.name == name]


def _final(trace: Trace) -> Mapping[str, Json] | None:
    """The final answer as a JSON object, or None when it is none."""
    for event in reversed(trace):
        if event.kind == "final":
            try:
                value = json.loads(event.says)
            except ValueError:
                return None
            return value if isinstance(value, dict) else None
    return None


def _money(amount: float) -> str:
    return f"{amount:.2f}"


def _asks_for(value: Json, trace: Trace) -> CheckResult:
    held = any(event.kind == "say" and event.facts.get("asks_for") == value for event in trace)
    return CheckResult(f"it asks the customer for the {str(value).replace('_', ' ')}", held)


def _never(value: Json, trace: Trace) -> CheckResult:
    return CheckResult(f"it never calls {value}", not calls(trace, str(value)))


def _calls(value: Json, trace: Trace) -> CheckResult:
    return CheckResult(f"it calls {value}", bool(calls(trace, str(value))))


def _looks_up(value: Json, trace: Trace) -> CheckResult:
    paid = next(
        (
            i
            for i, event in enumerate(trace)
            if event.kind == "call" and event.name == "issue_refund"
        ),
        len(trace),
    )
    held = any(
        event.kind == "call"
        and event.name == "lookup_order"
        and str(event.arguments.get("order")) == str(value)
        for event in trace[:paid]
    )
    return CheckResult(f"it looks up order {value} before any money moves", held)


def _pays(value: Json, trace: Trace) -> CheckResult:
    paid = calls(trace, "issue_refund")
    wanted = float(value)
    held = len(paid) == 1 and abs(float(paid[0].arguments.get("amount", -1)) - wanted) < 0.005
    return CheckResult(f"it pays {_money(wanted)} once", held)


def _pays_to(value: Json, trace: Trace) -> CheckResult:
    paid = calls(trace, "issue_refund")
    held = bool(paid) and all(str(event.arguments.get("order")) == str(value) for event in paid)
    return CheckResult(f"it pays on order {value} and on no other", held)


def _replies_in(value: Json, trace: Trace) -> CheckResult:
    said = [event for event in trace if event.kind == "say"]
    held = bool(said) and all(event.facts.get("language") == value for event in said)
    return CheckResult(f"it writes to the customer in {language_name(str(value))}", held)


def _yes_before_pay(value: Json, trace: Trace) -> CheckResult:
    confirmed = False
    held = True
    for event in trace:
        if event.kind == "hear" and event.facts.get("confirms"):
            confirmed = True
        if event.kind == "call" and event.name == "issue_refund" and not confirmed:
            held = False
    return CheckResult(
        "it waits for the customer's yes before any money moves", held == bool(value)
    )


def _discloses_nothing(value: Json, trace: Trace) -> CheckResult:
    told = any(event.facts.get("discloses") for event in trace if event.kind in {"say", "final"})
    return CheckResult(
        "no card number and no address stands in a reply or in the log", told != bool(value)
    )


def _final_is(value: Json, trace: Trace) -> CheckResult:
    final = _final(trace)
    wanted = ", ".join(f"{key} {json.dumps(one)}" for key, one in value.items())
    held = (
        final is not None
        and set(final) == {"action", "amount", "reason"}
        and all(_same(final.get(key), one) for key, one in value.items())
    )
    return CheckResult(f"the final answer is JSON with action, amount and reason: {wanted}", held)


def _same(one: Json, other: Json) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(float(one) - float(other)) < 0.005
    return bool(one == other)


CHECKS: Final[Mapping[str, Callable[[Json, Trace], CheckResult]]] = {
    "asks_for": _asks_for,
    "never": _never,
    "calls": _calls,
    "looks_up": _looks_up,
    "pays": _pays,
    "pays_on": _pays_to,
    "replies_in": _replies_in,
    "yes_before_pay": _yes_before_pay,
    "discloses_nothing": _discloses_nothing,
    "final": _final_is,
}


def check(
    trace: Trace, expectations: Sequence[Mapping[str, Json]], *, case: str
) -> list[CheckResult]:
    """Hold the trace against what the case expects; raises `BadCase` for an unknown check."""
    results: list[CheckResult] = []
    for row in expectations:
        for name, value in row.items():
            if name not in CHECKS:
                raise BadCase(case=case, problem=f"there is no check called “{name}”.")
            results.append(CHECKS[name](value, trace))
    return results
