"""Read a prompt against an exercise: verdicts per requirement, rule cards, marks per line.

Reading is pure and deterministic: the same prompt and exercise give the same reading. What the
reader is not sure of it says ("unsure"), because a wrong mark is worse than no mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Literal

from checkride.lib.canonical import canonical_json
from checkride.lib.errors import DomainError
from courses.simulators.prompts import (
    combining,
    entailment,
    polarity,
    reservations,
    segments,
    topics,
    word_weights,
)
from courses.simulators.prompts.lexicon import ACTS, HUMANS, NOUNS, OTHER_CASES
from courses.simulators.prompts.matching import Lexicon
from courses.simulators.prompts.segments import Mention, Unit
from courses.simulators.prompts.stage_scores import LOWEST, StageScore
from courses.simulators.prompts.template_kit import Needs, Slots
from courses.simulators.prompts.templates import TEMPLATES
from courses.simulators.prompts.view import Signal, View, earlier_units
from courses.simulators.prompts.words import WORD, Speller, Token, tokens, word_set

Json = Any
Best = Literal["met", "absent", "contradicted"]
Verdict = Literal["met", "absent", "contradicted", "unsure"]
CardState = Literal["ok", "unsure", "none"]
# "rules" are the frames as written, "frames" add the weights of words, "all" the encoder too.
Stages = Literal["rules", "frames", "all"]
StageOutputs = Mapping[str, Mapping[str, StageScore]]

# Below these the reader says "unsure". A met needs more than an absent: it earns points, and the
# worst mistake is to reward a prompt for the opposite of the rule.
SURE: Final[Mapping[Best, float]] = {"met": 0.87, "absent": 0.8, "contradicted": 0.74}
MAX_PROMPT_CHARACTERS: Final = 64_000
COPIED_SENTENCES: Final = 3
PASTED: Final = "pasted from the brief"
MAX_SENTENCE_CHARACTERS: Final = 2_500
MAX_SENTENCE_TOKENS: Final = 400
FEWEST_WORDS: Final = 3  # of a sentence of the brief that is known again in a copy


class BadRequirement(DomainError):
    code = "bad-requirement"
    sentence = "The requirement “{id}” cannot be read: {problem} Correct exercise.yaml."


@dataclass(frozen=True, slots=True)
class RuleCard:
    """What a line was understood to say; `state` none means that it gave no rule."""

    requirement: str
    condition: str
    action: str
    line: int
    state: CardState
    opposite: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class LineMark:
    """Whether a line gave a rule. `says` gives the reason in a few words when it did not."""

    line: int
    state: CardState
    says: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One requirement. `confidence` is 0 to 1; `line` is 0 when no line speaks of it."""

    requirement: str
    verdict: Verdict
    best: Best
    confidence: float
    line: int
    reason: str
    lines: tuple[int, ...] = ()
    value: float | None = None  # the number the prompt gives instead of the exercise's
    ground: str = ""  # what kind of evidence the verdict stands on; see confidence.json


@dataclass(frozen=True, slots=True)
class Reading:
    decisions: tuple[Decision, ...]
    cards: tuple[RuleCard, ...]
    lines: tuple[LineMark, ...]
    # What each trained stage said, by stage and requirement; a grade is repeated from it.
    stages: StageOutputs = field(default_factory=dict)

    def decision(self, requirement: str) -> Decision:
        return next(one for one in self.decisions if one.requirement == requirement)


@dataclass(frozen=True)
class _Rule:
    """A requirement made ready for reading."""

    id: str
    says: str
    template: str
    slots: Slots
    needs: tuple[Needs, ...]


@dataclass(frozen=True)
class Scenario:
    """An exercise made ready for reading; building it takes milliseconds, so it is kept."""

    rules: tuple[_Rule, ...]
    lexicon: Lexicon
    speller: Speller
    tools: Mapping[str, str]
    own_cases: frozenset[str]
    brief_sentences: frozenset[str]
    exercise: str = ""
    numbers: tuple[float, ...] = ()


def _phrases_of(word: str, also_called: Mapping[str, Sequence[str]]) -> list[str]:
    phrases = [word, *NOUNS.get(word, ())]
    for name in (word, word.replace("_", " ")):
        phrases.extend(also_called.get(name, ()))
    return phrases


def _rule(row: Mapping[str, Json], concepts: dict[str, list[str]]) -> _Rule:
    name = row.get("template")
    if name not in TEMPLATES:
        raise BadRequirement(id=row.get("id", "?"), problem=f"there is no template “{name}”.")
    template = TEMPLATES[name]
    also_called: Mapping[str, Sequence[str]] = row.get("also_called") or {}
    slots: Mapping[str, Json] = row.get("slots") or {}
    made: dict[str, str] = {}
    groups: dict[str, tuple[str, ...]] = {}
    plain: dict[str, Json] = {}
    for key, value in slots.items():
        plain[key] = value
        words = value if isinstance(value, list) else [value]
        if not all(isinstance(word, str) for word in words):
            continue
        parts: list[str] = []
        for word in words:
            concept = f"{row['id']}/{key}/{word}"
            concepts[concept] = _phrases_of(word, also_called)
            parts.append(concept)
        groups[key] = tuple(parts)
        made[key] = "|".join(parts)
    if "covers" in plain and "data" in groups:
        plain["covers"] = f"{row['id']}/data/{plain['covers']}"
    ready = Slots(made, groups, plain)
    try:
        needs = tuple(template.needs(ready))
        template.looks(View(Unit("", 1), ()), ready)
    except KeyError as missing:
        raise BadRequirement(
            id=row["id"], problem=f"the template “{name}” needs the slot {missing}."
        ) from None
    return _Rule(row["id"], str(row["says"]), name, ready, needs)


def _acts(requirements: Sequence[Mapping[str, Json]]) -> dict[str, list[str]]:
    """The platform's acts; the people an exercise names count as humans in them, and those
    it serves (staff, a vendor) as customers."""

    def named(word: str) -> list[str]:
        return [
            name.lower()
            for row in requirements
            for name in (row.get("also_called") or {}).get(word, ())
            if len(name.split()) == 1
        ]

    humans = "|".join([HUMANS, *named("human")])
    served = named("customer")
    acts: dict[str, list[str]] = {}
    for act, phrases in ACTS.items():
        acts[act] = [phrase.replace(HUMANS, humans) for phrase in phrases]
        acts[act] += [
            re.sub(r"\bcustomer\b", name, phrase)
            for name in served
            for phrase in acts[act]
            if re.search(r"\bcustomer\b", phrase)
        ]
    return acts


@lru_cache(maxsize=32)
def _scenario(key: bytes) -> Scenario:
    import json

    exercise = json.loads(key)
    concepts = _acts(exercise["requirements"])
    rules = tuple(_rule(row, concepts) for row in exercise["requirements"])
    lexicon = Lexicon(concepts)
    words_known = lexicon.vocabulary | set(_OFTEN_MISSPELT.split())
    words_known |= {f"{word}s" for word in words_known if len(word) >= 4 and not word.endswith("s")}
    speller = Speller(words_known, _real_words())
    tools = {name: name for name in exercise.get("agent", {}).get("tools", [])}
    words = " ".join([str(exercise.get("title", "")), *exercise.get("about", [])])
    own = {token.stem for token in tokens(words.lower()) if token.kind == WORD} - _SMALL_WORDS
    rows = _plain_lines(exercise.get("brief", ""))
    # A row ends a sentence, unless the author breaks his rows; so both ways.
    brief = [one for row in [*rows, " ".join(rows)] for one in segments.split_sentences(row)]
    # "Looked for: it asks." may come back without its label.
    brief += [sentence.partition(":")[2] for sentence in brief if ":" in sentence]
    sentences = frozenset(
        plain for sentence in brief if len((plain := _plain(sentence)).split()) >= FEWEST_WORDS
    )
    numbers = sorted(
        {
            float(rule.slots.plain[key])
            for rule in rules
            for key in ("at", "after")
            if isinstance(rule.slots.plain.get(key), int | float)
        }
    )
    return Scenario(
        rules,
        lexicon,
        speller,
        tools,
        frozenset(own),
        sentences,
        str(exercise.get("id", "")),
        tuple(numbers),
    )


def _plain_lines(brief: str) -> list[str]:
    return [re.sub(r"^[>\s|*-]+", "", line) for line in brief.split("\n")]


def _plain(sentence: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", sentence.lower()))


@lru_cache(maxsize=1)
def _real_words() -> frozenset[str]:
    from pathlib import Path

    path = Path(__file__).with_name("real_words.txt")
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for word in lines if not word.startswith("#"))


def scenario_of(exercise: Mapping[str, Json]) -> Scenario:
    """The exercise ready for reading; raises `BadRequirement` when a slot is missing."""
    wanted = {
        "requirements": [
            {
                key: row[key]
                for key in ("id", "says", "template", "slots", "also_called")
                if key in row
            }
            for row in exercise["requirements"]
        ],
        "id": exercise.get("id", ""),
        "agent": exercise.get("agent", {}),
        "title": exercise.get("title", ""),
        "about": exercise.get("about", []),
        "brief": exercise.get("brief", ""),
    }
    return _scenario(canonical_json(wanted))


def units_of(prompt: str, scenario: Scenario) -> list[Unit]:
    """The prompt cut, judged and tagged: everything the templates need."""
    units = segments.cut(prompt)
    cases = _other_cases()

    def of_brief(text: str) -> bool:
        plain = _plain(text)
        return len(plain.split()) >= 6 and plain in scenario.brief_sentences

    # One sentence that reads like the brief is a rule; a copy of the brief is none.
    copied = sum(of_brief(unit.text) for unit in units) >= COPIED_SENTENCES

    def pasted(text: str) -> bool:
        return copied and _plain(text) in scenario.brief_sentences

    def other_case(unit: Unit) -> str:
        return _other_case(unit, cases, scenario)

    # Lines under one heading share their surroundings; those are read once.
    surroundings: dict[str, tuple[list[Token], dict[str, list[Mention]]]] = {"": ([], {})}
    for unit in units:
        # A sentence of hundreds of words gives no rule that anybody could follow; reading only
        # its beginning keeps the work linear, whatever is handed in.
        unit.text = unit.text[:MAX_SENTENCE_CHARACTERS]
        unit.context = unit.context[:MAX_SENTENCE_CHARACTERS]
        unit.question = unit.question[:MAX_SENTENCE_CHARACTERS]
        unit.tokens = tokens(unit.text, scenario.speller)[:MAX_SENTENCE_TOKENS]
        text = f"{unit.context} . {unit.question}" if unit.context or unit.question else ""
        if text not in surroundings:
            row = tokens(text, scenario.speller)
            found = scenario.lexicon.find(row)
            _keep_apart(row, found)
            surroundings[text] = (row, found)
        unit.around, unit.found_around = surroundings[text]
    segments.judge_force(
        units,
        pasted=pasted,
        about_other_case=other_case,
        tool_names=scenario.tools,
        requirement_ids=frozenset(one.id for one in scenario.rules if "-" in one.id),
    )
    for unit in units:
        segments.silence_quotations(unit)
        polarity.mark(unit)
        unit.found = scenario.lexicon.find(unit.tokens)
        _keep_apart(unit.tokens, unit.found)
    return units


_GOODS_AFTER: Final = word_set("number id no reference record history # status code be have that")
_GOODS_BEFORE: Final = word_set(
    "which what per each same the that this last latest recent every lookup wrong first"
)


def _keep_apart(row: Sequence[Token], found: dict[str, list[Mention]]) -> None:
    """Drop mentions that only sound alike: bought orders, card numbers."""
    for name, mentions in found.items():
        if name in {"command", "obey"}:
            found[name] = [one for one in mentions if not _is_goods(row, one)]
        elif name.endswith("/order number"):
            found[name] = [one for one in mentions if not _is_other_number(row, one)]


def _is_other_number(row: Sequence[Token], mention: Mention) -> bool:
    """Whether a bare "number" is that of a card or a telephone."""
    before = row[mention.start - 1].stem if mention.start else ""
    return mention.end - mention.start == 1 and before in {
        "card",
        "phon",
        "telephon",
        "account",
        "credit",
        "hous",
        "serial",
        "iban",
    }


def _is_goods(row: Sequence[Token], mention: Mention) -> bool:
    """Whether "order" in a mention is a thing somebody bought, not a command."""
    last = mention.end - 1
    first = row[mention.start].text.lower()
    if first == "order" and mention.start and row[mention.start - 1].text.lower() in _GOODS_BEFORE:
        return True
    if row[last].text.lower() not in {"order", "orders"}:
        return False
    if mention.end - mention.start == 1 and row[last].text.lower() == "order":
        return True
    after = row[mention.end].stem if mention.end < len(row) else ""
    before = row[last - 1].text.lower() if last else ""
    return after in _GOODS_AFTER or before in _GOODS_BEFORE


_SMALL_WORDS: Final = word_set("the a an of and in for to desk")


@lru_cache(maxsize=1)
def _other_cases() -> Lexicon:
    return Lexicon({phrase: [phrase] for phrase in OTHER_CASES})


def _other_case(unit: Unit, cases: Lexicon, scenario: Scenario) -> str:
    """The name of another kind of case the unit is about, or "" (see `OTHER_CASES`)."""
    match = re.match(
        r"^\W*(?:for|in case of|with|on|when (?:handling|processing|it comes to)"
        r"|regarding|concerning|as for|in|about)?\s*(?:all |the |any |our )?([\w' "
        r"-]{3,40}?)"
        r"\s*(?::|,|->| - )",
        unit.text,
        re.I,
    )
    labels = [match.group(1)] if match else []
    labels += [part for part in unit.context.split(" . ") if part and len(part.split()) <= 6]
    if unit.question and "?" not in unit.question and len(unit.question.split()) <= 4:
        labels.append(unit.question)
    for label in labels:
        if len(label.split()) > 6:
            continue
        row = tokens(label.lower())
        words = [token.stem for token in row if token.kind == WORD]
        if not words or set(words) & scenario.own_cases:
            continue
        found = cases.find(row)
        content = [
            word
            for word in words
            if word not in {"for", "the", "in", "of", "a", "our", "all", "and", "case", "desk"}
        ]
        for name, mentions in found.items():
            size = max(one.end - one.start for one in mentions)
            if size >= len(content) - 2:
                return name
    return ""


def read(
    prompt: str,
    exercise: Mapping[str, Json],
    *,
    stages: Stages = "frames",
    outputs: StageOutputs | None = None,
) -> Reading:
    """Read `prompt` as the standing instructions of the agent in `exercise`.

    The entailment stage is left out where its encoder is not installed. `outputs`, taken from an
    earlier reading of the same prompt, are used in place of running the trained stages.
    """
    scenario = scenario_of(exercise)
    units = units_of(prompt[:MAX_PROMPT_CHARACTERS], scenario)
    signals: dict[str, list[Signal]] = {rule.id: [] for rule in scenario.rules}
    weak: dict[str, list[Unit]] = {rule.id: [] for rule in scenario.rules}
    doubts: dict[str, list[Unit]] = {rule.id: [] for rule in scenario.rules}
    topical: dict[str, list[Unit]] = {rule.id: [] for rule in scenario.rules}
    asked: dict[str, list[Unit]] = {rule.id: [] for rule in scenario.rules}
    spoke: set[int] = set()
    for unit in units:
        near, foreign = topics.text_near(unit), topics.is_foreign(unit.text)
        if unit.force in {"given", "question"}:
            for rule in scenario.rules:
                if foreign or topics.is_on_topic(View(unit, ()), rule.template, rule.slots, near):
                    asked[rule.id].append(unit)
        if unit.force in {"inert", "label", "given", "question"}:
            continue
        earlier = earlier_units(unit)
        for rule in scenario.rules:
            view = View(unit, earlier)
            TEMPLATES[rule.template].looks(view, rule.slots)
            if unit.force != "weak" and (
                foreign or topics.is_on_topic(view, rule.template, rule.slots, near)
            ):
                topical[rule.id].append(unit)
            if not view.signals:
                if unit.force != "weak" and topics.is_doubtful(view, rule.template, rule.slots):
                    doubts[rule.id].append(unit)
                continue
            if unit.force == "weak":
                weak[rule.id].append(unit)
                continue
            signals[rule.id].extend(view.signals)
            spoke.add(id(unit))
    against = reservations.taken_back(
        prompt, units, signals, {rule.id: rule.template for rule in scenario.rules}
    )
    for name, row in against.items():
        signals[name].extend(row)
    lines = prompt[:MAX_PROMPT_CHARACTERS].split("\n")
    read_lines = {unit.line for unit in units}
    for number, text in enumerate(lines, start=1):
        # A line that no unit came from (a tag with attributes) may still say something.
        if number not in read_lines and re.search(r"=\s*[\"']", text):
            unit = Unit(text[:MAX_SENTENCE_CHARACTERS], number)
            near, foreign = topics.text_near(unit), False
            for rule in scenario.rules:
                if foreign or topics.is_on_topic(View(unit, ()), rule.template, rule.slots, near):
                    asked[rule.id].append(unit)
    for rule in scenario.rules:
        if not signals[rule.id] and not topical[rule.id]:
            topical[rule.id].extend(asked[rule.id])
    found = _stage_outputs(units, scenario, stages) if outputs is None else outputs
    withdrawn = reservations.withdrawn_lines(units)
    if any(unit.why == PASTED for unit in units):
        # What is left of a copied brief is no rule either.
        withdrawn = frozenset(unit.line for unit in units)
    decisions = tuple(
        _weighed(
            _decide(
                rule, signals[rule.id], weak[rule.id], doubts[rule.id], topical[rule.id], spoke
            ),
            found.get("words", {}).get(rule.id),
            found.get("entailment", {}).get(rule.id),
            withdrawn,
        )
        for rule in scenario.rules
    )
    cards = _cards(scenario, decisions, signals, lines)
    return Reading(decisions, cards, _line_marks(units, spoke, cards), found)


def _stage_outputs(units: Sequence[Unit], scenario: Scenario, stages: Stages) -> StageOutputs:
    """What the trained stages say of the requirements that they were trained on."""
    if stages == "rules":
        return {}
    names = [rule.id for rule in scenario.rules]
    words = word_weights.scores(units, scenario.exercise, names, scenario.numbers)
    if stages == "frames" or not words or not entailment.is_on():
        return {"words": words} if words else {}
    return {"words": words, "entailment": entailment.scores(units, scenario.exercise, names)}


def _weighed(
    frames: Decision,
    words: StageScore | None,
    encoder: StageScore | None,
    withdrawn: AbstractSet[int],
) -> Decision:
    """The frames' decision put together with what the trained stages say.

    A rule that the frames did not read is never sure from a line in `withdrawn`.
    """
    if words is None:
        return frames
    best, confidence, sure = combining.combine(frames.best, frames.ground, words, encoder)
    line, lines, reason = frames.line, frames.lines, frames.reason
    if (
        best == "met"
        and frames.verdict != "met"
        and withdrawn & {one.given_line for one in (words, encoder) if one is not None}
    ):
        sure = False
    if best != frames.best:
        scores = [one for one in (encoder, words) if one is not None]
        if best == "met":
            line = max(scores, key=lambda one: one.given).given_line
        elif best == "contradicted":
            line = max(scores, key=lambda one: one.against).against_line
        else:
            line = 0
        lines = (line,) if line else ()
        reason = {
            "met": f"Line {line} gives this rule.",
            "contradicted": f"Line {line} says the opposite.",
            "absent": "No line says this.",
        }[best]
    elif sure and frames.verdict == "unsure":
        first = lines[0] if lines else 0
        reason = {
            "met": f"Line {line} gives this rule.",
            "contradicted": f"Line {line} says the opposite.",
            "absent": f"Line {first} is near it, but gives no such rule."
            if first
            else "No line says this.",
        }[best]
    verdict: Verdict = best if sure else "unsure"
    if not sure:
        doubtful = line
        if not doubtful:
            top = max(
                ((one.given, one.given_line) for one in (words, encoder) if one is not None),
                default=(LOWEST, 0),
            )
            doubtful = top[1] if top[0] > -1.5 else 0
        line = doubtful
        reason = f"Not sure about line {line}: say it in other words." if line else frames.reason
    return replace(
        frames,
        verdict=verdict,
        best=best,
        confidence=confidence,
        line=line,
        lines=lines,
        reason=reason,
        value=frames.value if best == "contradicted" else None,
    )


def _decide(
    rule: _Rule,
    signals: Sequence[Signal],
    weak: Sequence[Unit],
    doubts: Sequence[Unit],
    topical: Sequence[Unit],
    spoke: AbstractSet[int],
) -> Decision:
    """The verdict on one requirement and the ground it stands on (see `confidence.json`)."""
    against = [one for one in signals if one.sign < 0]
    spoken = {(one.line, one.text) for one in signals}
    unread = [unit for unit in topical if (unit.line, unit.text) not in spoken]
    if against:
        worst = max(against, key=lambda one: one.confidence)
        favour = any(one.sign > 0 and one.part == worst.part for one in signals)
        mixed = "mixed" if favour else "plain"
        strength = "strong" if worst.confidence >= 0.8 else "faint"
        lines = tuple(sorted({one.line for one in signals}))
        reason = f"Line {worst.line} says the opposite" + (f": {worst.why}." if worst.why else ".")
        finished = _finish(
            rule, "contradicted", f"contradicted/{mixed}/{strength}", worst.line, reason, lines
        )
        return replace(finished, value=worst.value)
    best_parts: tuple[float, list[Signal]] | None = None
    for need in rule.needs:
        used: list[Signal] = []
        for part in need.parts:
            found = [one for one in signals if one.sign > 0 and one.part == part]
            if not found:
                break
            used.append(max(found, key=lambda one: one.confidence))
        else:
            confidence = min(one.confidence for one in used) * need.confidence
            if best_parts is None or confidence > best_parts[0]:
                best_parts = (confidence, used)
    if best_parts is not None:
        confidence, used = best_parts
        line = max(used, key=lambda one: one.confidence).line
        lines = tuple(sorted({one.line for one in used}))
        reason = "Line " + " and ".join(str(one) for one in lines) + " gives this rule."
        if len(lines) > 1:
            reason = reason.replace("Line", "Lines").replace("gives", "give")
        strength = "faint" if confidence < 0.74 else "fair" if confidence < 0.88 else "strong"
        near = [unit for unit in unread if unit.line in lines]
        if (
            any(reservations.hedges(one.text) for one in used)
            or any(
                reservations.hedges(unit.text) or reservations.permits(unit.text) for unit in near
            )
            or any(reservations.permits(unit.text) for unit in unread)
        ):
            besides = "hedged"
        elif near:
            besides = "beside"
        elif unread:
            besides = "elsewhere"
        else:
            besides = "alone"
        ground = "met/faint" if strength == "faint" else f"met/{strength}/{besides}"
        return _finish(rule, "met", ground, line, reason, lines)
    if signals:
        line = signals[0].line
        reason = f"Line {line} gives only a part of this rule."
        ground = "absent/part/" + ("unread" if unread else "alone")
        return _finish(rule, "absent", ground, line, reason, (line,))
    if doubts:
        # A line that gives an order about the topic, in words no frame knows.
        line = doubts[0].line
        return _finish(rule, "absent", "absent/ordered", line, "", (line,))
    if weak:
        line = weak[0].line
        reason = f"Line {line} wishes or warns, but names no act."
        ground = "absent/wish/" + ("unread" if unread else "alone")
        return _finish(rule, "absent", ground, line, reason, (line,))
    free = [unit for unit in unread if id(unit) not in spoke]
    if unread and not free:
        # Every line near the topic gave another rule.
        return _finish(rule, "absent", "absent/shared", 0, "No line says this.", ())
    if free:
        line = free[0].line
        reason = f"Line {line} may speak of it, but no rule was understood."
        ground = "absent/" + ("touched" if len(free) == 1 else "touched-often")
        # The line is only near the topic: it is named, but nothing is pinned on it.
        return _finish(rule, "absent", ground, 0, reason, (line,))
    return _finish(rule, "absent", "absent/nothing", 0, "No line says this.", ())


def _finish(
    rule: _Rule, best: Best, ground: str, line: int, reason: str, lines: tuple[int, ...]
) -> Decision:
    confidence = _confidences()[ground]
    verdict: Verdict = best if confidence >= SURE[best] else "unsure"
    if verdict == "unsure":
        reason = f"Not sure about line {line}: say it in other words." if line else reason
    return Decision(rule.id, verdict, best, confidence, line, reason, lines, ground=ground)


@lru_cache(maxsize=1)
def _confidences() -> Mapping[str, float]:
    """How often a verdict on each ground was right, measured by tools/calibrate_reader.py."""
    import json
    from pathlib import Path

    table = json.loads(Path(__file__).with_name("confidence.json").read_text(encoding="utf-8"))
    return {ground: row["confidence"] for ground, row in table["grounds"].items()}


def _filled(pattern: str, rule: _Rule) -> str:
    def value(match: re.Match[str]) -> str:
        raw = rule.slots.plain.get(match.group(1), match.group(1))
        if isinstance(raw, list):
            return ", ".join(map(str, raw))
        if match.group(1) == "at":
            unit = rule.slots.plain.get("unit", "")
            return (
                f"{raw} {'dollars' if unit == 'usd' else 'percent' if unit == 'percent' else unit}"
            )
        return str(raw).replace("_", " ")

    filled = re.sub(r"\{(\w+)\}", value, pattern)
    return filled[:1].upper() + filled[1:]


def _cards(
    scenario: Scenario,
    decisions: Sequence[Decision],
    signals: Mapping[str, Sequence[Signal]],
    texts: Sequence[str],
) -> tuple[RuleCard, ...]:
    cards: list[RuleCard] = []
    for rule, decision in zip(scenario.rules, decisions, strict=True):
        template = TEMPLATES[rule.template]
        condition, action = _filled(template.condition, rule), _filled(template.action, rule)
        seen: set[tuple[int, int]] = set()
        signs = {signal.sign for signal in signals[rule.id]}
        if decision.line and (
            (decision.best == "met" and 1 not in signs)
            or (decision.best == "contradicted" and -1 not in signs)
        ):
            opposed = decision.best == "contradicted"
            seen.add((decision.line, -1 if opposed else 1))
            cards.append(
                RuleCard(
                    rule.id,
                    condition,
                    _opposite("", action) if opposed else action,
                    decision.line,
                    "ok" if decision.verdict == decision.best else "unsure",
                    opposed,
                    texts[decision.line - 1].strip()[:MAX_SENTENCE_CHARACTERS],
                )
            )
        for signal in signals[rule.id]:
            if (signal.line, signal.sign) in seen:
                continue
            seen.add((signal.line, signal.sign))
            opposite = signal.sign < 0
            if opposite:
                shown = _opposite(signal.why, action)
                state: CardState = "ok" if decision.verdict == "contradicted" else "unsure"
            elif decision.best == "absent":
                shown, state = f"Only half a rule: {action[:1].lower()}{action[1:]}", "unsure"
            elif decision.best == "met":
                shown, state = action, "ok" if decision.verdict == "met" else "unsure"
            else:
                shown, state = action, _state(signal.confidence, "met")
            cards.append(
                RuleCard(rule.id, condition, shown, signal.line, state, opposite, signal.text)
            )
    return tuple(sorted(cards, key=lambda card: (card.line, card.requirement, card.opposite)))


def _state(confidence: float, best: Best) -> CardState:
    return "ok" if confidence >= SURE[best] else "unsure"


def _opposite(why: str, action: str) -> str:
    return (why[:1].upper() + why[1:]) if why else f"The opposite of: {action}"


def _line_marks(
    units: Sequence[Unit], spoke: set[int], cards: Sequence[RuleCard]
) -> tuple[LineMark, ...]:
    by_line: dict[int, list[Unit]] = {}
    for unit in units:
        by_line.setdefault(unit.line, []).append(unit)
    unsure = {card.line for card in cards if card.state == "unsure"}
    sure = {card.line for card in cards if card.state == "ok"}
    marks: list[LineMark] = []
    for line, row in sorted(by_line.items()):
        if line in unsure and line not in sure:
            marks.append(
                LineMark(line, "unsure", "Not understood for certain; say it in other words.")
            )
        elif line in sure:
            marks.append(LineMark(line, "ok"))
        elif all(unit.force == "label" for unit in row):
            continue
        else:
            why = next((unit.why for unit in row if unit.why), "")
            marks.append(
                LineMark(line, "none", f"No rule: {why}." if why else "No rule was found here.")
            )
    return tuple(marks)


_OFTEN_MISSPELT: Final = """
refund refunds customer customers order number human people language answer reply question
amount receive because always never instruction instructions personal address addresses exactly
missing above below policy injury legal escalate message messages confirm before after other
anything invoice vendor duplicate percent difference document documents field fields decision
reason payment payments tool fails error account changed already could should would check guess
guessing yourself more less than their there them written write writes wrote
"""


def to_json(reading: Reading) -> dict[str, Json]:
    """The reading as JSON values for pages and reports."""
    return {
        "decisions": [
            {
                "requirement": one.requirement,
                "verdict": one.verdict,
                "best": one.best,
                "confidence": one.confidence,
                "line": one.line,
                "lines": list(one.lines),
                "reason": one.reason,
            }
            for one in reading.decisions
        ],
        "cards": [
            {
                "requirement": card.requirement,
                "condition": card.condition,
                "action": card.action,
                "line": card.line,
                "state": card.state,
                "opposite": card.opposite,
                "text": card.text,
            }
            for card in reading.cards
        ],
        "lines": [
            {"line": mark.line, "state": mark.state, "says": mark.says} for mark in reading.lines
        ],
        "stages": {
            stage: {name: score.to_json() for name, score in scores.items()}
            for stage, scores in reading.stages.items()
        },
    }


def outputs_from_json(rows: Mapping[str, Mapping[str, Json]]) -> StageOutputs:
    """The stage outputs that `to_json` stored."""
    return {
        stage: {name: StageScore.from_json(score) for name, score in scores.items()}
        for stage, scores in rows.items()
    }
