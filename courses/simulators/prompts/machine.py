"""A scenario as data: what the agent does with a case, and how each rule changes it.

An exercise names `machine: machine.yaml`. That file holds a row of steps over the facts of a case;
this module walks them and writes a trace. It knows no scenario: the words, the tools, the habits of
the careless agent and the effect of each rule are the author's. `docs/authoring/prompts.md` says
how to write one. Nothing in a machine is executed: conditions compare facts, texts fill in facts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from courses.simulators.prompts.traces import BadCase, Event, State, Trace, language_name

Json = Any
Standing = Literal["followed", "opposite", "unsure", "untold"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one requirement stands in the prompt, as far as the agent is concerned."""

    standing: Standing = "untold"
    line: int = 0
    lacks: str = ""
    value: float | None = None  # the number of an opposite rule: another limit

    @property
    def holds(self) -> bool:
        return self.standing == "followed"

    @property
    def because(self) -> str:
        if self.standing == "followed":
            return f"Because of line {self.line}."
        if self.standing == "opposite":
            return f"Line {self.line} tells it to."
        if self.standing == "unsure":
            return f"Line {self.line} may mean a rule, but the agent did not understand it."
        return f"No line tells it what to do {self.lacks}." if self.lacks else "No line says this."


Rules = Mapping[str, Rule]

MOST_EVENTS: Final = 60
MOST_PROCEDURES: Final = 60  # run in one case
_HOLE: Final = re.compile(r"\{([A-Za-z_][\w.-]*)(?:\|([a-z]+))?\}")
_STATES: Final = frozenset({"plain", "warn", "bad", "good"})
# The key that says what a node is, and the other keys each kind may have.
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "think": frozenset({"state", "because"}),
    "call": frozenset({"with", "says", "state", "because"}),
    "say": frozenset({"marks", "state", "because"}),
    "hear": frozenset({"marks"}),
    "set": frozenset(),
    "finish": frozenset({"marks", "because"}),
    "run": frozenset({"with", "because"}),
    "asks": frozenset({"when", "followed", "opposite", "otherwise"}),
    "then": frozenset({"when", "else"}),
}
_OPERATORS: Final = frozenset({"is", "not", "above", "below", "at_least", "at_most", "has"})
_FORMS: Final = frozenset({"", "money", "plain", "language", "list"})


class _Missing(KeyError):
    pass


def look(memory: Mapping[str, Json], path: str) -> Json:
    """The fact at a dotted path; None where there is none."""
    value: Json = memory
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def fill(text: Json, memory: Mapping[str, Json]) -> Json:
    """Put facts into a text. A text that is one hole and nothing else gives the fact itself."""
    # Plain dicts and lists only, as JSON and YAML give them: to ask for a Mapping takes half the time.
    if isinstance(text, str):
        if "{" not in text:
            return text
    elif isinstance(text, dict):
        return {key: fill(one, memory) for key, one in text.items()}
    elif isinstance(text, list):
        return [fill(one, memory) for one in text]
    else:
        return text
    whole = _HOLE.fullmatch(text)
    if whole and not whole.group(2):
        return look(memory, whole.group(1))

    def put(match: re.Match[str]) -> str:
        value = look(memory, match.group(1))
        if value is None:
            raise _Missing(match.group(1))
        return _formed(value, match.group(2) or "")

    return _HOLE.sub(put, text)


def _formed(value: Json, form: str) -> str:
    if form == "money":
        return f"{float(value):.2f}"
    if form == "language":
        return language_name(str(value))
    if isinstance(value, list):
        return ", ".join(_formed(one, "") for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def holds(condition: Mapping[str, Json], memory: Mapping[str, Json], rules: Rules) -> bool:
    """Whether every line of a condition is true of the facts.

    `true` and `false` ask whether a fact is there and not empty or 0; any other plain value asks
    for equality, and a number never equals a missing fact. `rules` asks how rules stand; `open`
    is every way but `followed`.
    """
    for key, wanted in condition.items():
        if key == "any":
            if not any(holds(one, memory, rules) for one in wanted):
                return False
        elif key == "rules":
            for name, standing in wanted.items():
                rule = rules.get(name, Rule())
                if rule.holds if standing == "open" else standing != rule.standing:
                    return False
        elif not _compares(look(memory, key), wanted, memory):
            return False
    return True


def _compares(value: Json, wanted: Json, memory: Mapping[str, Json]) -> bool:
    if not isinstance(wanted, dict):
        return bool(value) == wanted if isinstance(wanted, bool) else _same(value, wanted)
    return all(_operator(value, name, fill(one, memory)) for name, one in wanted.items())


def _operator(value: Json, name: str, other: Json) -> bool:
    if name == "is":
        return _same(value, other)
    if name == "not":
        return not _same(value, other)
    if name == "has":
        return isinstance(value, (list, str)) and other in value
    if value is None or other is None:
        return False  # what is unknown is neither more nor less than anything
    one, two = float(value), float(other)
    return {"above": one > two, "below": one < two, "at_least": one >= two, "at_most": one <= two}[
        name
    ]


def _same(one: Json, other: Json) -> bool:
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return abs(float(one) - float(other)) < 0.005
    return bool(one == other)


@dataclass
class _Run:
    """One case on its way through the machine."""

    machine: Mapping[str, Json]
    rules: Rules
    memory: dict[str, Json]
    events: list[Event] = field(default_factory=list)
    ended: bool = False
    depth: int = 0

    def rule(self, name: str) -> Rule:
        return self.rules.get(name, Rule())

    def walk(self, nodes: Sequence[Mapping[str, Json]], cause: str) -> None:
        for node in nodes:
            if self.ended or len(self.events) >= MOST_EVENTS:
                return
            self.node(node, cause)

    def node(self, node: Mapping[str, Json], cause: str) -> None:
        if "asks" in node:
            if holds(node.get("when", {}), self.memory, self.rules):
                rule, name = self.rule(node["asks"]), str(node["asks"])
                branch = "followed" if rule.holds else "otherwise"
                if rule.standing == "opposite" and "opposite" in node:
                    branch = "opposite"
                self.walk(node.get(branch, ()), name)
            return
        if "then" in node:
            branch = "then" if holds(node.get("when", {}), self.memory, self.rules) else "else"
            self.walk(node.get(branch, ()), cause)
            return
        if "set" in node:
            for path, value in node["set"].items():
                self.memory[path] = self.value(value)
            return
        if "run" in node:
            for name, value in (node.get("with") or {}).items():
                self.memory[name] = self.value(value)
            self.depth += 1
            if self.depth > MOST_PROCEDURES:
                raise ValueError(f"the procedure {node['run']} runs itself without end")
            self.walk(self.machine["procedures"][node["run"]], str(node.get("because", cause)))
            return
        self.event(node, str(node.get("because", cause)))

    def value(self, value: Json) -> Json:
        if isinstance(value, Mapping) and "limit" in value:
            # A wrong limit is kept to as faithfully as the right one; without one there is none.
            rule = self.rule(value["limit"])
            return value["right"] if rule.holds else rule.value
        return fill(value, self.memory)

    def event(self, node: Mapping[str, Json], cause: str) -> None:
        rule = self.rule(cause) if cause and cause != "none" else None
        because, line = (rule.because, rule.line) if rule else ("", 0)
        state: State = node.get("state", "plain")
        if "think" in node:
            says = fill(node["think"], self.memory)
            self.add(Event("think", says, because=because, line=line, state=state))
        elif "call" in node:
            self.add(
                Event(
                    "call",
                    str(fill(node.get("says", ""), self.memory)),
                    name=str(fill(node["call"], self.memory)),
                    arguments={
                        key: one
                        for key, one in fill(node.get("with") or {}, self.memory).items()
                        if one is not None
                    },
                    because=because,
                    line=line,
                    state=state,
                )
            )
        elif "hear" in node:
            marks = fill(node.get("marks") or {}, self.memory)
            self.add(Event("hear", fill(node["hear"], self.memory), facts=marks))
        elif "say" in node:
            self.say(node, rule, state)
        else:
            self.finish(node)

    def add(self, event: Event) -> None:
        self.events.append(event)

    def say(self, node: Mapping[str, Json], rule: Rule | None, state: State) -> None:
        """Write to the other side, in the language that the rule about languages leads to."""
        text = str(fill(node["say"], self.memory))
        marks = dict(fill(node.get("marks") or {}, self.memory))
        because, line = (rule.because, rule.line) if rule else ("", 0)
        voice = self.machine.get("voice")
        if voice:
            speaks = self.rule(voice["rule"])
            theirs = str(self.memory.get("language") or "en")
            language = theirs if speaks.holds else "en"
            marks["language"] = language
            if language != "en":
                text = f"{text} (in {language_name(language)})"
                if rule is None:
                    because, line = speaks.because, speaks.line
            # What is bad in itself keeps its own cause.
            if language != theirs and state != "bad":
                because = f"{voice['who']} wrote {language_name(theirs)}. {speaks.because}"
                line = speaks.line
                state = "warn"
        self.add(
            Event("say", text, name="reply", facts=marks, because=because, line=line, state=state)
        )

    def finish(self, node: Mapping[str, Json]) -> None:
        """The last word: an object where a rule asks for one, a sentence otherwise."""
        answer = self.machine["answer"]
        fields = {
            key: round(value, 2) if isinstance(value, float) else value
            for key, value in fill(node["finish"], self.memory).items()
        }
        marks = fill(node.get("marks") or {}, self.memory)
        rule = self.rule(answer["rule"]) if "rule" in answer else None
        because, line = (rule.because, rule.line) if rule else ("", 0)
        if rule is not None and rule.holds:
            says = json.dumps({key: fields.get(key) for key in answer["keys"]}, ensure_ascii=False)
            self.add(Event("final", says, facts=marks, because=because, line=line))
        else:
            words = answer["words"].get(str(fields.get(answer["of"])), fields.get(answer["of"]))
            state: State = "warn" if rule is not None else "plain"
            self.add(
                Event("final", str(words), facts=marks, because=because, line=line, state=state)
            )
        self.ended = True


def run(case: Mapping[str, Json], rules: Rules, machine: Mapping[str, Json]) -> Trace:
    """The trace of one case; the same rules, facts and machine give the same trace.

    Raises `BadCase` where a fact that the machine needs is missing or of the wrong kind.
    """
    try:
        memory = dict(case.get("facts") or {})  # steps set names at the top; facts stay as they are
        going = _Run(machine, rules, memory)
        going.add(Event("read", str(machine["reads"])))
        going.walk(machine["steps"], "none")
    except _Missing as error:
        problem = f"the machine needs the fact {error}."
        raise BadCase(case=case.get("id", "?"), problem=problem) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"a fact is missing or of the wrong kind ({error})."
        raise BadCase(case=case.get("id", "?"), problem=problem) from error
    if not going.ended:
        problem = "the machine comes to no end; its last step must finish."
        raise BadCase(case=case.get("id", "?"), problem=problem)
    return going.events


# --- the author's check ----------------------------------------------------------------------------


def problems_of(
    machine: Json, *, requirements: Sequence[str], tools: Sequence[str]
) -> Iterator[str]:
    """Whole sentences about what is wrong with a machine; none when nothing is."""
    if not isinstance(machine, Mapping):
        yield "The exercise names no machine. Add “machine: machine.yaml”."
        return
    known = {"checkride", "reads", "voice", "answer", "acts", "procedures", "steps"}
    for key in sorted(set(machine) - known):
        yield f"The machine has a key “{key}”, which is unknown."
    for key in ("reads", "answer", "acts", "steps"):
        if key not in machine:
            yield f"The machine lacks the key “{key}”."
    if machine.get("checkride") != "machine/1":
        yield "The machine's first line must be “checkride: machine/1”."
    procedures = machine.get("procedures") or {}
    rows = [("steps", machine.get("steps") or [])]
    rows += [(f"the procedure “{name}”", nodes) for name, nodes in procedures.items()]
    asked: set[str] = set()
    for where, nodes in rows:
        yield from _node_problems(nodes, where, set(requirements), set(tools), procedures, asked)
    for part in ("voice", "answer"):
        name = (machine.get(part) or {}).get("rule")
        if name is not None:
            asked.add(name)
            if name not in requirements:
                yield f"“{part}” names the rule “{name}”, which is no requirement."
    for name in sorted(set(requirements) - asked):
        yield f"The machine never asks for the rule “{name}”, so it changes nothing."
    for name in sorted(set(machine.get("acts") or {}) - set(tools)):
        yield f"“acts” names “{name}”, which is no tool of the agent."


def _node_problems(
    nodes: Json,
    where: str,
    requirements: set[str],
    tools: set[str],
    procedures: Mapping[str, Json],
    asked: set[str],
) -> Iterator[str]:
    if not isinstance(nodes, list):
        yield f"In {where} a list of steps is expected."
        return
    for node in nodes:
        if not isinstance(node, Mapping):
            yield f"In {where} the step “{node}” is no map."
            continue
        kinds = [kind for kind in _KINDS if kind in node]
        if len(kinds) != 1:
            yield (
                f"In {where} the step with the keys {', '.join(map(str, node))} is of no kind, or of"
                f" two. A step has one of {', '.join(_KINDS)}."
            )
            continue
        kind = kinds[0]
        for key in sorted(set(node) - _KINDS[kind] - {kind}):
            yield f"In {where} a step “{kind}” has the unknown key “{key}”."
        if kind == "call" and node["call"] not in tools and not _HOLE.fullmatch(node["call"]):
            yield f"In {where} “{node['call']}” is called, which is no tool of the agent."
        if kind == "run" and node["run"] not in procedures:
            yield f"In {where} the procedure “{node['run']}” is run; there is none."
        if node.get("state", "plain") not in _STATES:
            yield f"In {where} the state “{node['state']}” is unknown."
        names = [node[key] for key in ("asks", "because") if key in node]
        names += list((node.get("when") or {}).get("rules", {}))
        for value in (node.get("set") or {}).values():
            if isinstance(value, Mapping) and "limit" in value:
                names.append(value["limit"])
        asked.update(names)
        for name in names:
            if name not in requirements and name != "none":
                yield f"In {where} the rule “{name}” is named, which is no requirement."
        yield from _condition_problems(node.get("when") or {}, where)
        for text in _texts(node):
            for match in _HOLE.finditer(text):
                if (match.group(2) or "") not in _FORMS:
                    yield f"In {where} the form “{match.group(2)}” of a fact is unknown."
        for branch in ("followed", "opposite", "otherwise", "then", "else"):
            if branch in node:
                yield from _node_problems(
                    node[branch], where, requirements, tools, procedures, asked
                )


def _condition_problems(condition: Mapping[str, Json], where: str) -> Iterator[str]:
    for key, wanted in condition.items():
        if key == "any":
            for one in wanted:
                yield from _condition_problems(one, where)
        elif key != "rules" and isinstance(wanted, Mapping):
            for name in sorted(set(wanted) - _OPERATORS):
                yield f"In {where} the comparison “{name}” is unknown."


def _texts(node: Mapping[str, Json]) -> Iterator[str]:
    for key in ("think", "say", "says", "hear"):
        if isinstance(node.get(key), str):
            yield node[key]
    for key in ("with", "marks", "finish"):
        values = node.get(key)
        if isinstance(values, Mapping):
            yield from (one for one in values.values() if isinstance(one, str))
