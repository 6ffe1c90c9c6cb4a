"""A real model at work in a scenario: what it is told, how its tools answer, what it did.

The learner's text is the system prompt, the case is the user's message, the scenario's tools are
function tools, and they answer from the facts of the case. What comes out is a trace of the kind
that the rehearsal agent writes, so the same checks judge it. A world is a file, `world.yaml`, in
the exercise's folder; nothing in it is executed. This module knows no network: `ask` is given.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from checkride.lib import strict_yaml
from checkride.lib.canonical import canonical_json
from checkride.lib.errors import DomainError
from courses.simulators.prompts.machine import fill, holds, look
from courses.simulators.prompts.traces import CheckResult, Event, Trace, check

Json = Any
MOST_REQUESTS: Final = 16
MOST_CALLS: Final = 32
LONGEST_TEXT: Final = 4_000

# Small words that tell one language from the others; of two that tie the first is taken.
_LANGUAGE_WORDS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(words.split())
    for name, words in {
        "en": "the and you your is are of for we this that will have has not with please i it to",
        "fr": "le la les et vous votre est une des nous pour avec que je ce cette merci pas il au",
        "es": "el los las y usted su es una para con que por del nos gracias no se hemos ha al",
        "de": "der die das und sie ihre ist eine für wir mit dass nicht ich bitte den von zu",
        "it": "il gli e lei suo è una per con che non grazie abbiamo di del ha sono questo",
        "pt": "o os as e você seu é uma para com que não obrigado temos do da ao em foi",
    }.items()
}


class BadWorld(DomainError):
    code = "bad-world"
    sentence = "{file}: {problem}"


class Fault(DomainError):
    """The model gave nothing that can be used. `kind` is for statistics, the sentence for people."""

    code = "model-fault"
    sentence = "{says}"

    def __init__(self, kind: str, says: str) -> None:
        self.kind = kind
        super().__init__(says=says)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it; `arguments` is text that should be a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the model, and what it cost in tokens."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


Ask = Callable[[Sequence[Json], Sequence[Json]], Reply]


@dataclass
class Outcome:
    """What came of one case: the trace, the checks on it, or the fault that ended it early."""

    trace: list[Event] = field(default_factory=list)
    checks: tuple[CheckResult, ...] = ()
    fault: str = ""
    says: str = ""
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def passed(self) -> bool | None:
        """None when a fault ended the case, so that nothing can be said about the prompt."""
        return None if self.fault else all(one.held for one in self.checks)


def read_world(path: Path) -> Json | None:
    """The world of an exercise; None where there is no such file. Raises `BadWorld`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        world = strict_yaml.load(text)
    except strict_yaml.BadYaml as error:
        raise BadWorld(file=path.name, problem=f"line {error.line}: {error.problem}") from error
    if not isinstance(world, dict) or world.get("checkride") != "world/1":
        raise BadWorld(file=path.name, problem="the first line must be “checkride: world/1”.")
    for key in ("message", "tools"):
        if key not in world:
            raise BadWorld(file=path.name, problem=f"the key “{key}” is missing.")
    return world


def world_digest(world: Json) -> str:
    return hashlib.sha256(canonical_json(world)).hexdigest()


def tools_of(world: Json) -> list[Json]:
    """The scenario's tools as function tools of a chat request."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": tool["about"],
                "parameters": {
                    "type": "object",
                    "properties": {
                        key: {
                            "type": one["type"],
                            **({"description": one["about"]} if "about" in one else {}),
                            **({"enum": one["enum"]} if "enum" in one else {}),
                        }
                        for key, one in tool["takes"].items()
                    },
                    "required": list(tool.get("needs", tool["takes"])),
                },
            },
        }
        for name, tool in world["tools"].items()
    ]


def run_case(
    prompt: str,
    case: Mapping[str, Json],
    world: Json,
    ask: Ask,
    *,
    keys: Sequence[str],
    may_go_on: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Let a model work on one case. A fault is in the outcome, never raised.

    `keys` are those of a final answer in JSON; `may_go_on` is asked before each request, and ends
    the case when time or tokens are used up.
    """
    desk = _Desk(case, world)
    found = Outcome(trace=desk.trace)
    messages: list[Json] = [
        {"role": "system", "content": prompt},
        {"role": "user", "content": desk.message()},
    ]
    tools = tools_of(world)
    calls = 0
    try:
        while True:
            if found.requests >= MOST_REQUESTS or calls > MOST_CALLS:
                raise Fault("endless", "It called tools without end and was stopped.")
            if not may_go_on():
                raise Fault("budget", "The time or the tokens of this run were used up.")
            found.requests += 1
            reply = ask(messages, tools)
            found.tokens_in += reply.tokens_in
            found.tokens_out += reply.tokens_out
            if not reply.calls:
                desk.finish(reply.text)
                break
            messages.append(_assistant(reply))
            for call in reply.calls:
                calls += 1
                answer = desk.call(call)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": answer})
    except Fault as fault:
        found.fault, found.says = fault.kind, fault.message
        return found
    found.checks = tuple(check(found.trace, case["expect"], case=str(case["id"]), keys=keys))
    return found


def _assistant(reply: Reply) -> Json:
    return {
        "role": "assistant",
        "content": reply.text or None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in reply.calls
        ],
    }


class _Desk:
    """The facts of one case, and how the tools answer a model that works on it."""

    def __init__(self, case: Mapping[str, Json], world: Json) -> None:
        self.world = world
        self.given = str(case["given"] if "given" in case else case["customer"])
        self.memory: dict[str, Json] = {
            **world.get("facts", {}),
            **(case.get("facts") or {}),
            "given": self.given,
            "done": {},
        }
        self.trace: list[Event] = [Event("read", "Reads what came in.")]
        self.answered = False

    def message(self) -> str:
        return str(fill(self.world["message"], self.memory))

    def call(self, call: ToolCall) -> str:
        """What the tool answers, as JSON; a call that cannot be understood is answered too."""
        tool = self.world["tools"].get(call.name)
        if tool is None:
            said = f"Calls {call.name[:60]}, which there is not."
            self.trace.append(Event("think", said, state="warn"))
            return json.dumps({"error": "There is no such tool."})
        try:
            arguments = _arguments(call.arguments, tool)
        except ValueError as problem:
            said = f"Calls {call.name} with arguments that cannot be read."
            self.trace.append(Event("think", said, state="warn"))
            return json.dumps({"error": str(problem)})
        speech = self.world.get("speech", {})
        if call.name == speech.get("tool"):
            return self.say(str(arguments.get(speech["text"], "")))
        answer = self.answer(tool, arguments)
        done = self.memory["done"]
        done[call.name] = done.get(call.name, 0) + 1
        said = json.dumps(answer, ensure_ascii=False)
        self.trace.append(Event("call", said, name=call.name, arguments=arguments))
        return said

    def answer(self, tool: Json, arguments: Mapping[str, Json]) -> Json:
        memory = {**self.memory, "args": dict(arguments)}
        for row in tool["answers"]:
            if holds(row.get("when", {}), memory, {}):
                return {
                    key: value
                    for key, value in fill(row["gives"], memory).items()
                    if value is not None
                }
        return {"error": "The tool has no answer."}

    def say(self, text: str) -> str:
        """Write to the other side, and hear what it answers, if it does."""
        self.trace.append(Event("say", text[:LONGEST_TEXT], name="reply", facts=self.marks(text)))
        rule = self.world["speech"].get("answer")
        if rule is None or self.answered or "?" not in text or not self.puts_a_sum(text):
            return json.dumps({"sent": True, "answer": None})
        self.answered = True
        says = fill(rule["says"], self.memory) or rule["otherwise"]
        yes = fill(rule["yes"], self.memory)
        yes = True if yes is None else bool(yes)
        self.trace.append(Event("hear", f"The answer: “{says}”", facts={"confirms": yes}))
        return json.dumps({"sent": True, "answer": says}, ensure_ascii=False)

    def puts_a_sum(self, text: str) -> bool:
        """Any sum will do: whoever is asked about a wrong one says yes or no to it as well."""
        return look(self.memory, "owed") is not None and bool(re.search(r"\d", text))

    def marks(self, text: str) -> dict[str, Json]:
        """What free text carries, as far as it can be told for certain from its words."""
        found: dict[str, Json] = {}
        language = language_of(text)
        if language:
            found["language"] = language
        plain = " ".join(text.lower().split())
        for item, phrases in self.world.get("speech", {}).get("asks_for", {}).items():
            if any(phrase in plain for phrase in phrases):
                found["asks_for"] = item
        told = [value for value in self.private() if _holds_private(text, value)]
        if told:
            found["discloses"] = ["private data"]
        return found

    def private(self) -> list[str]:
        values = [fill(one, self.memory) for one in self.world.get("private", ())]
        return [str(value) for value in values if value]

    def finish(self, text: str) -> None:
        marks = {key: one for key, one in self.marks(text).items() if key == "discloses"}
        self.trace.append(Event("final", text.strip()[:LONGEST_TEXT], facts=marks))


def _arguments(text: str, tool: Json) -> dict[str, Json]:
    """The arguments of a call, numbers as numbers. Raises `ValueError` with a sentence."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ValueError("The arguments are not JSON.") from None
    if not isinstance(values, dict):
        raise ValueError("The arguments must be one JSON object.")
    found: dict[str, Json] = {}
    for key, value in values.items():
        kind = tool["takes"].get(key, {}).get("type")
        if kind is None or value is None:
            continue
        if kind == "number":
            found[key] = _number(value, key)
        else:
            found[key] = str(value)[:LONGEST_TEXT]
    for key in tool.get("needs", tool["takes"]):
        if key not in found:
            raise ValueError(f"The argument “{key}” is missing.")
    return found


def _number(value: Json, key: str) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"The argument “{key}” must be a number.")
    try:
        number = float(str(value).replace(",", "").strip(" $#"))
    except ValueError:
        raise ValueError(f"The argument “{key}” must be a number.") from None
    if number != number or abs(number) > 1e15:
        raise ValueError(f"The argument “{key}” must be a number.")
    return int(number) if number == int(number) else number


def language_of(text: str) -> str:
    """The code of the language that most small words are of; empty where nothing tells."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    counted = {
        name: sum(word in known for word in words) for name, known in _LANGUAGE_WORDS.items()
    }
    best = max(counted, key=lambda name: counted[name])
    return best if counted[best] else ""


def _holds_private(text: str, value: str) -> bool:
    """Whether the value stands in the text: a number by its last four digits, words as they are."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 12:
        return digits[-4:] in re.sub(r"(?<=\d)[ -](?=\d)", "", text)
    return value.lower() in text.lower()


def in_steps(trace: Trace) -> list[Json]:
    """A trace as JSON for keeping: kind, words, and what was called with what."""
    return [
        {
            "kind": event.kind,
            "says": event.says,
            "name": event.name,
            "arguments": dict(event.arguments),
            "state": event.state,
        }
        for event in trace
    ]
