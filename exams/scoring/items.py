"""An item, its key, and the face of it that a candidate may see.

`Item` holds the key and never leaves the server. `Face` is what is drawn on the page; it has no
field in which a key could travel. Authors' ids stay inside, too: an author who calls the steps
s1, s2, s3 has written the key into them. A page and a response know only signs, which follow the
drawn order: `a`, `b`, `c` for choices, `1`, `2`, `3` for what is matched and for lines of a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias, assert_never, get_args

ItemKind: TypeAlias = Literal[
    "single",
    "multiple",
    "numeric",
    "ordering",
    "matching",
    "hotspot",
    "text",
    "written",
    "prompt",
    "map",
]

KINDS: tuple[ItemKind, ...] = get_args(ItemKind)

# Kinds whose points somebody else finds: two raters, or the engine that grades practice.
JUDGED: frozenset[ItemKind] = frozenset({"written", "prompt", "map"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen, placed or matched: an id (an author's, or a sign) and a text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class SingleKey:
    options: tuple[Choice, ...]
    right: str


@dataclass(frozen=True, slots=True)
class MultipleKey:
    """`right` must be chosen, all of it and nothing else."""

    options: tuple[Choice, ...]
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class NumericKey:
    """Right when no further than `tolerance` from `value`, both in `unit`."""

    value: Decimal
    tolerance: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class OrderingKey:
    steps: tuple[Choice, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchingKey:
    """`right` gives for each id of `left` the one id of `right_side`; some may be left over."""

    left: tuple[Choice, ...]
    right_side: tuple[Choice, ...]
    right: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HotspotKey:
    """Lines of the item's log, counted from 1."""

    right: frozenset[int]


@dataclass(frozen=True, slots=True)
class TextKey:
    """Right when the answer equals one of `accepted` after `plain_text`."""

    accepted: tuple[str, ...]
    longest: int


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a criterion: what an answer on it looks like."""

    points: int
    says: str


@dataclass(frozen=True, slots=True)
class RubricCriterion:
    """One thing that raters judge; `levels` run from the fewest points to the most."""

    id: str
    says: str
    levels: tuple[Level, ...]

    @property
    def most(self) -> int:
        return self.levels[-1].points


@dataclass(frozen=True, slots=True)
class WrittenKey:
    rubric: tuple[RubricCriterion, ...]
    longest: int


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A task done by running what the candidate wrote, on the engine that grades practice.

    `engine` is the engine's name for the kind, `exercise` the document it grades by, `brief` what
    the candidate reads (Markdown), `starter` what the editor holds at the beginning.
    """

    engine: Literal["prompt", "workflow_map"]
    exercise: Mapping[str, Any]
    brief: str
    starter: str
    longest: int


Key: TypeAlias = (
    SingleKey
    | MultipleKey
    | NumericKey
    | OrderingKey
    | MatchingKey
    | HotspotKey
    | TextKey
    | WrittenKey
    | TaskKey
)

Credit: TypeAlias = Literal["all", "parts"]


@dataclass(frozen=True, slots=True)
class Item:
    """One scored task.

    An operational item counts, a pilot item is tried out on a form and does not count, any other
    stands on no form. `seconds` is the time a just-qualified candidate needs; `angoff` the share of
    its points that just-qualified candidates are expected to earn; `enemies` never share its form.
    `points` is what the whole right answer earns; `credit` says whether a part of it earns a part.
    """

    id: str
    kind: ItemKind
    life: str
    domain: str
    competencies: tuple[str, ...]
    exams: tuple[str, ...]
    level: str
    cognition: str
    seconds: int
    angoff: Decimal
    stem: str
    log: tuple[str, ...]
    enemies: frozenset[str]
    key: Key
    points: int = 1
    credit: Credit = "all"

    @property
    def is_judged(self) -> bool:
        return self.kind in JUDGED


@dataclass(frozen=True, slots=True)
class Face:
    """What a candidate sees of an item, in the order drawn for this form.

    `choices` are options, steps, right-hand sides or log lines, by kind; `left` is used by
    matching only; `choose` is how many to choose, where the item says so; `longest` is how many
    characters an answer in words may have. Of a rubric and of hidden cases nothing is here.
    """

    kind: ItemKind
    context: str
    ask: str
    instruction: str
    log: tuple[str, ...]
    choices: tuple[Choice, ...]
    left: tuple[Choice, ...]
    unit: str
    choose: int
    longest: int = 0
    brief: str = ""
    starter: str = ""
    points: int = 1


Drawn: TypeAlias = Mapping[str, tuple[str, ...]]


def shuffled_groups(item: Item) -> dict[str, tuple[str, ...]]:
    """The ids whose order a form draws, by group. Log lines and numbers have no order to draw."""
    key = item.key
    if isinstance(key, SingleKey | MultipleKey):
        return {"choices": tuple(option.id for option in key.options)}
    if isinstance(key, OrderingKey):
        return {"choices": tuple(step.id for step in key.steps)}
    if isinstance(key, MatchingKey):
        return {
            "left": tuple(entry.id for entry in key.left),
            "choices": tuple(entry.id for entry in key.right_side),
        }
    return {}


def signs(item: Item, drawn: Drawn) -> dict[str, dict[str, str]]:
    """For each group the author's id behind each sign, in the order drawn for the form."""
    ordered = {**shuffled_groups(item), **drawn}
    return {
        group: {_sign(group, number): author_id for number, author_id in enumerate(ids)}
        for group, ids in ordered.items()
    }


def _sign(group: str, number: int) -> str:
    return str(number + 1) if group == "left" else chr(ord("a") + number)


def face_of(item: Item, drawn: Drawn) -> Face:
    """The page's view of an item, with its groups in the drawn order and under their signs."""
    context, ask = split_stem(item.stem)
    texts: tuple[Choice, ...] = ()
    left_texts: tuple[Choice, ...] = ()
    unit = ""
    choose = 1
    longest, brief, starter = 0, "", ""
    log = item.log
    match item.key:
        case SingleKey(options=texts):
            instruction = "one answer"
        case MultipleKey(options=texts, right=right):
            choose = len(right)
            instruction = f"choose {_WORDS.get(choose, str(choose))}"
        case NumericKey(unit=unit):
            instruction = "a number"
        case OrderingKey(steps=texts):
            instruction = "put in order"
        case MatchingKey(left=left_texts, right_side=texts):
            instruction = "match each"
        case HotspotKey(right=lines):
            choose, log = len(lines), ()
            instruction = (
                "mark one line" if choose == 1 else f"mark {_WORDS.get(choose, str(choose))} lines"
            )
        case TextKey(longest=longest):
            instruction = "a few words"
        case WrittenKey(longest=longest):
            instruction = "an answer in your own words, read by two people"
        case TaskKey(engine=engine, longest=longest, brief=brief, starter=starter):
            instruction = (
                "instructions that are run" if engine == "prompt" else "a workflow map that is run"
            )
        case never:
            assert_never(never)
    by_sign = signs(item, drawn)
    choices = _signed(by_sign.get("choices", {}), texts)
    if isinstance(item.key, HotspotKey):
        choices = tuple(Choice(str(line), text) for line, text in enumerate(item.log, start=1))
    return Face(
        kind=item.kind,
        context=context,
        ask=ask,
        instruction=instruction,
        log=log,
        choices=choices,
        left=_signed(by_sign.get("left", {}), left_texts),
        unit=unit,
        choose=choose,
        longest=longest,
        brief=brief,
        starter=starter,
        points=item.points,
    )


def _signed(by_sign: Mapping[str, str], texts: tuple[Choice, ...]) -> tuple[Choice, ...]:
    text_of = {choice.id: choice.text for choice in texts}
    return tuple(Choice(sign, text_of[author_id]) for sign, author_id in by_sign.items())


_WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}


_SENTENCE_END = re.compile(r"(?<=[.?!:\"”])\s+(?=[A-Z“\"0-9])")
_ASKS = re.compile(
    r"^(Choose|Mark|Match|Put|Order|Select|Give|Enter|State|Name|Which|What|How|Who|When|Where)\b"
)


def split_stem(stem: str) -> tuple[str, str]:
    """Part a stem into the situation and the task, which is the heading of its page.

    The task begins at the last sentence that asks or orders; what follows it ("One record is left
    over.") belongs to it. A stem of one sentence is all task.
    """
    sentences = _SENTENCE_END.split(" ".join(stem.split()))
    begins = len(sentences) - 1
    for number in range(len(sentences) - 1, -1, -1):
        if sentences[number].endswith("?") or _ASKS.match(sentences[number]):
            begins = number
            break
    return " ".join(sentences[:begins]), " ".join(sentences[begins:])
