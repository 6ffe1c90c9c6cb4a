"""Conditions on the ways out of a gateway: parsed, evaluated, explained; never executed as code.

A condition is read with Python's own parser and then rebuilt from a short list of allowed forms:
`and`, `or`, `not`, a bare yes-or-no variable, and one comparison with the variable on the left and
a constant on the right. That order is required because the exact engine and the check for
branches that no case can take cut the space of values at exactly those constants.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from checkride.lib.errors import DomainError
from courses.simulators.workflows.model import MAX_CONDITION_CHARACTERS

Verdict = Literal["none", "approve", "reject", "rework"]
VERDICTS: tuple[Verdict, ...] = ("none", "approve", "reject", "rework")

# What a map may ask about, and of which type it is. Hidden facts have no name here.
VARIABLES: Mapping[str, Literal["number", "yes-no", "word"]] = {
    "confidence": "number",
    "amount": "number",
    "flagged": "yes-no",
    "alarm": "yes-no",
    "verdict": "word",
}
LARGEST_NUMBER = 1e9

Value = float | bool | str
Operator = Literal["<", "<=", ">", ">=", "==", "!="]
_OPERATORS: Mapping[type[ast.cmpop], Operator] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ACT: Mapping[Operator, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class BadCondition(DomainError):
    code = "bad-condition"
    sentence = "{problem}"

    def __init__(self, problem: str) -> None:
        super().__init__(problem=problem)


@dataclass(frozen=True, slots=True)
class Ask:
    """A bare yes-or-no variable."""

    variable: str


@dataclass(frozen=True, slots=True)
class Compare:
    variable: str
    operator: Operator
    constant: float | str


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    word: Literal["and", "or"]
    parts: tuple[Condition, ...]


Condition = Ask | Compare | Not | Junction


def parse(text: str, visible: Sequence[str]) -> Condition:
    """Read a condition; raises `BadCondition` with a sentence that says what to write instead."""
    if len(text) > MAX_CONDITION_CHARACTERS:
        raise BadCondition(
            f"The condition is longer than {MAX_CONDITION_CHARACTERS} characters. "
            "Split it over two gateways."
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadCondition(
            f"“{text}” is not a condition. Write it like: flagged or amount > 400."
        ) from None
    return _build(tree, tuple(visible), text)


def _build(tree: ast.expr, visible: tuple[str, ...], text: str) -> Condition:
    match tree:
        case ast.BoolOp(op=op, values=values):
            word: Literal["and", "or"] = "and" if isinstance(op, ast.And) else "or"
            return Junction(word, tuple(_build(value, visible, text) for value in values))
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return Not(_build(part, visible, text))
        case ast.Name(id=name):
            kind = _type_of(name, visible)
            if kind != "yes-no":
                example = "verdict == 'approve'" if kind == "word" else f"{name} > 0.5"
                raise BadCondition(f"“{name}” needs something to compare with, as in: {example}.")
            return Ask(name)
        case ast.Compare(ops=[_, _, *_]):
            raise BadCondition(
                f"“{text}” compares twice in one go. Join two comparisons with “and”."
            )
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[right]):
            return _comparison(name, op, right, visible)
        case ast.Compare(comparators=[ast.Name()]):
            raise BadCondition(
                f"In “{text}” the variable must stand on the left and the number on the right."
            )
        case ast.Constant():
            raise BadCondition(f"“{text}” always gives the same answer. Ask about a variable.")
        case _:
            raise BadCondition(
                f"“{text}” uses something that a condition may not hold. Allowed are the variables "
                f"{_listing(visible)}, numbers, quoted words, comparisons, and, or, not."
            )


def _comparison(name: str, op: ast.cmpop, right: ast.expr, visible: tuple[str, ...]) -> Condition:
    kind = _type_of(name, visible)
    sign = _OPERATORS.get(type(op))
    if sign is None:
        raise BadCondition(f"“{name}” can be compared with <, <=, >, >=, == and != only.")
    if kind == "yes-no":
        raise BadCondition(f"“{name}” is yes or no. Write “{name}” or “not {name}”.")
    value = right.value if isinstance(right, ast.Constant) else None
    if kind == "word":
        if sign not in ("==", "!="):
            raise BadCondition(f"“{name}” is a word: compare it with == or !=.")
        if value not in VERDICTS:
            words = ", ".join(f"'{word}'" for word in VERDICTS)
            raise BadCondition(f"“{name}” can be {words}. Write one of these, in quotes.")
        return Compare(name, sign, str(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadCondition(f"Compare “{name}” with a plain number, as in: {name} > 0.5.")
    if not math.isfinite(value) or value > LARGEST_NUMBER:
        raise BadCondition(f"The number beside “{name}” is larger than {LARGEST_NUMBER:,.0f}.")
    return Compare(name, sign, float(value))


def _type_of(name: str, visible: tuple[str, ...]) -> Literal["number", "yes-no", "word"]:
    if name not in visible or name not in VARIABLES:
        raise BadCondition(
            f"Nobody knows “{name}” at that moment. A gateway can ask about {_listing(visible)}."
        )
    return VARIABLES[name]


def _listing(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def leaves(condition: Condition) -> Iterator[Ask | Compare]:
    """The single questions of a condition, from left to right."""
    match condition:
        case Ask() | Compare():
            yield condition
        case Not(part=part):
            yield from leaves(part)
        case Junction(parts=parts):
            for part in parts:
                yield from leaves(part)


def variables(condition: Condition) -> frozenset[str]:
    return frozenset(leaf.variable for leaf in leaves(condition))


def constants(condition: Condition, variable: str) -> frozenset[float]:
    """The numbers that this condition compares `variable` with."""
    return frozenset(
        leaf.constant
        for leaf in leaves(condition)
        if isinstance(leaf, Compare)
        and leaf.variable == variable
        and isinstance(leaf.constant, float)
    )


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether the condition is true when every variable is known."""
    answer = holds_if_known(condition, values)
    if answer is None:
        raise KeyError("a variable of the condition has no value")
    return answer


def holds_if_known(condition: Condition, values: Mapping[str, Value]) -> bool | None:
    """Three-valued: None where the answer depends on a variable that `values` leaves out."""
    match condition:
        case Ask(variable=variable):
            value = values.get(variable)
            return None if value is None else bool(value)
        case Compare(variable=variable, operator=sign, constant=constant):
            value = values.get(variable)
            return None if value is None else bool(_ACT[sign](value, constant))
        case Not(part=part):
            answer = holds_if_known(part, values)
            return None if answer is None else not answer
        case Junction(word=word, parts=parts):
            answers = [holds_if_known(part, values) for part in parts]
            decisive = word == "or"
            if decisive in answers:
                return decisive
            return None if None in answers else not decisive


def holds_for_each(
    condition: Condition, arrays: Mapping[str, np.ndarray[Any, Any]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether the condition is true, for whole arrays of cases.

    Words are given as indices into `VERDICTS`.
    """
    match condition:
        case Ask(variable=variable):
            return arrays[variable].astype(np.bool_)
        case Compare(variable=variable, operator=sign, constant=constant):
            number = VERDICTS.index(constant) if isinstance(constant, str) else constant
            answers: np.ndarray[Any, np.dtype[np.bool_]] = _ACT[sign](arrays[variable], number)
            return answers
        case Not(part=part):
            return ~holds_for_each(part, arrays)
        case Junction(word=word, parts=parts):
            answer = holds_for_each(parts[0], arrays)
            for part in parts[1:]:
                other = holds_for_each(part, arrays)
                answer = answer & other if word == "and" else answer | other
            return answer


def cells(numbers: Sequence[float], least: float, most: float) -> list[float]:
    """One value from every cell that the numbers cut out of `least` to `most`, and each number.

    Every comparison with one of the numbers gives the same answer all over a cell.
    """
    cuts = sorted({number for number in numbers if least <= number <= most})
    if not cuts:
        return [(least + most) / 2]
    between = [(low + high) / 2 for low, high in itertools.pairwise(cuts)]
    edges = [(least + cuts[0]) / 2] if cuts[0] > least else []
    edges += [(cuts[-1] + most) / 2] if cuts[-1] < most else []
    return sorted({*cuts, *between, *edges})


def number_text(value: float, variable: str) -> str:
    """A number as a page shows it: amounts with commas, confidence with two decimals or more."""
    if variable == "amount":
        return f"{value:,.2f}".removesuffix(".00")
    return f"{value:.2f}" if round(value, 2) == value else f"{value:.4g}"


def explain(condition: Condition, values: Mapping[str, Value]) -> str:
    """Each question with its answer: `flagged is false; amount 408 > 400 is true`."""
    said: list[str] = []
    for leaf in leaves(condition):
        value = values[leaf.variable]
        if isinstance(leaf, Ask):
            line = f"{leaf.variable} is {'true' if value else 'false'}"
        else:
            answer = "true" if holds(leaf, values) else "false"
            if isinstance(leaf.constant, str):
                sign = "is" if leaf.operator == "==" else "is not"
                line = f"{leaf.variable} “{value}” {sign} “{leaf.constant}”: {answer}"
            else:
                shown = _enough_digits(float(value), leaf.constant, leaf.variable)
                wanted = number_text(leaf.constant, leaf.variable)
                line = f"{leaf.variable} {shown} {leaf.operator} {wanted} is {answer}"
        if line not in said:
            said.append(line)
    return "; ".join(said)


def _enough_digits(value: float, constant: float, variable: str) -> str:
    """Round for reading, but never so far that the comparison looks wrong."""
    if variable == "amount":
        return number_text(value, variable)
    for digits in (2, 3, 4, 6):
        rounded = round(value, digits)
        if (rounded < constant) == (value < constant) and (rounded > constant) == (
            value > constant
        ):
            return f"{rounded:.{digits}f}"
    return repr(value)
