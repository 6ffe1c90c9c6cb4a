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
    "pt": "Portuguese",
}


def language_name(code: str) -> str:
    return _LANGUAGES.get(code, code)


def calls(trace: Trace, name: str, arguments: Mapping[str, Json] | None = None) -> list[Event]:
    """The calls of one tool, all of them or those with these arguments among theirs."""
    return [
        event
        for event in trace
        if event.kind == "call"
        and event.name == name
        and all(_same(event.arguments.get(key), one) for key, one in (arguments or {}).items())
    ]


def _wanted(value: Json) -> tuple[str, Mapping[str, Json], str]:
    """A call in a check: its tool, the arguments that count, and both in words."""
    if isinstance(value, str):
        return value, {}, value
    arguments = {key: one for key, one in value.items() if key != "call"}
    words = ", ".join(f"{key} {one}" for key, one in arguments.items())
    return value["call"], arguments, f"{value['call']} with {words}" if words else value["call"]


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
    return CheckResult(f"it asks for the {str(value).replace('_', ' ')}", held)


def _never(value: Json, trace: Trace) -> CheckResult:
    name, arguments, words = _wanted(value)
    return CheckResult(f"it never calls {words}", not calls(trace, name, arguments))


def _calls(value: Json, trace: Trace) -> CheckResult:
    name, arguments, words = _wanted(value)
    return CheckResult(f"it calls {words}", bool(calls(trace, name, arguments)))


def _once(value: Json, trace: Trace) -> CheckResult:
    """One such call, and no other call of that tool."""
    name, arguments, words = _wanted(value)
    found = calls(trace, name)
    held = len(found) == 1 == len(calls(trace, name, arguments))
    return CheckResult(f"it calls {words}, once", held)


def _in_order(value: Json, trace: Trace) -> CheckResult:
    """Calls that come in this order; the last of them may be absent, the earlier ones not."""
    places: list[int] = []
    for one in value:
        name, arguments, _words = _wanted(one)
        found = calls(trace, name, arguments)
        places.append(next((i for i, event in enumerate(trace) if event in found), -1))
    last = places[-1] if places[-1] >= 0 else len(trace)
    row = [*places[:-1], last]
    held = all(place >= 0 for place in row) and row == sorted(row)
    words = ", then ".join(_wanted(one)[2] for one in value)
    return CheckResult(f"it calls {words}, in this order", held)


def _every_call_has(value: Json, trace: Trace) -> CheckResult:
    """Each call of the tools carries these arguments, and there is at least one."""
    found = [event for name in value["of"] for event in calls(trace, name)]
    keys = value["keys"]
    held = bool(found) and all(event.arguments.get(key) for event in found for key in keys)
    tools = " or ".join(value["of"])
    return CheckResult(f"each {tools} carries the {' and the '.join(keys)}", held)


def _tells(value: Json, trace: Trace) -> CheckResult:
    said = [event for event in trace if event.kind in {"say", "final"}]
    held = all(
        any(_same(event.facts.get(key), one) for event in said) for key, one in value.items()
    )
    words = ", ".join(f"{key.replace('_', ' ')} {one}" for key, one in value.items())
    return CheckResult(f"what it writes holds: {words}", held)


def _tells_no(value: Json, trace: Trace) -> CheckResult:
    names = [value] if isinstance(value, str) else value
    told = any(event.facts.get(name) for event in trace for name in names)
    words = " or ".join(name.replace("_", " ") for name in names)
    return CheckResult(f"nothing it writes holds: {words}", not told)


def _says_nothing(value: Json, trace: Trace) -> CheckResult:
    said = any(event.kind == "say" for event in trace)
    return CheckResult("it writes no answer of its own", said != bool(value))


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
    return CheckResult(f"it writes in {language_name(str(value))}", held)


def _yes_before(value: Json, trace: Trace) -> CheckResult:
    """Whether every call of a tool comes after somebody said yes."""
    confirmed = False
    held = True
    for event in trace:
        if event.kind == "hear" and event.facts.get("confirms"):
            confirmed = True
        if event.kind == "call" and event.name == value and not confirmed:
            held = False
    return CheckResult(f"it waits for a yes before it calls {value}", held)


def _yes_before_pay(value: Json, trace: Trace) -> CheckResult:
    held = _yes_before("issue_refund", trace).held
    return CheckResult(
        "it waits for the customer's yes before any money moves", held == bool(value)
    )


def _discloses_nothing(value: Json, trace: Trace) -> CheckResult:
    told = any(event.facts.get("discloses") for event in trace if event.kind in {"say", "final"})
    return CheckResult("nothing private stands in a reply or in the log", told != bool(value))


def _final_is(value: Json, trace: Trace, keys: Sequence[str]) -> CheckResult:
    final = _final(trace)
    wanted = ", ".join(f"{key} {json.dumps(one)}" for key, one in value.items())
    held = (
        final is not None
        and set(final) == set(keys)
        and all(_same(final.get(key), one) for key, one in value.items())
    )
    named = f"{', '.join(keys[:-1])} and {keys[-1]}"
    return CheckResult(f"the final answer is JSON with {named}: {wanted}", held)


def _same(one: Json, other: Json) -> bool:
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return abs(float(one) - float(other)) < 0.005
    return bool(one == other)


CHECKS: Final[Mapping[str, Callable[[Json, Trace], CheckResult]]] = {
    "asks_for": _asks_for,
    "never": _never,
    "calls": _calls,
    "once": _once,
    "in_order": _in_order,
    "every_call_has": _every_call_has,
    "tells": _tells,
    "tells_no": _tells_no,
    "says_nothing": _says_nothing,
    "looks_up": _looks_up,
    "pays": _pays,
    "pays_on": _pays_to,
    "replies_in": _replies_in,
    "yes_before": _yes_before,
    "yes_before_pay": _yes_before_pay,
    "discloses_nothing": _discloses_nothing,
}


def check(
    trace: Trace,
    expectations: Sequence[Mapping[str, Json]],
    *,
    case: str,
    keys: Sequence[str] = ("action", "amount", "reason"),
) -> list[CheckResult]:
    """Hold the trace against what the case expects; raises `BadCase` for an unknown check.

    `keys` are those that a final answer in JSON must have.
    """
    results: list[CheckResult] = []
    for row in expectations:
        for name, value in row.items():
            if name == "final":
                results.append(_final_is(value, trace, keys))
            elif name in CHECKS:
                results.append(CHECKS[name](value, trace))
            else:
                raise BadCase(case=case, problem=f"there is no check called “{name}”.")
    return results
