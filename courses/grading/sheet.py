"""A filled-in sheet: one line per field, `group.field: value`, and the rules that judge it.

The text is what a page makes of its choices and what an author writes as a reference. A rule is a
comparison in the author's words, such as `approves.person != asks.person`; it is parsed as an
expression of comparisons, `and`, `or`, `not`, sums and products, and nothing else.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from checkride.lib.errors import DomainError
from courses.grading.contract import Place, Problem

Json = Any
MOST_LINES: Final = 400
_LINE = re.compile(r"^([a-z0-9-]+\.[a-z0-9-]+)\s*:\s*([a-z0-9-]+)$")


@dataclass(frozen=True, slots=True)
class Field:
    """One choice on a sheet: `name` is “group.field”, `options` are (value, text)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]

    @property
    def values(self) -> frozenset[str]:
        return frozenset(value for value, _text in self.options)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read: the chosen value for each answered field, and what could not be read."""

    answers: Mapping[str, str]
    problems: tuple[Problem, ...]


class BadRule(DomainError):
    code = "bad-rule"
    sentence = "The rule “{rule}” cannot be used: {why}."


def read_sheet(text: str, fields: Sequence[Field]) -> Sheet:
    """Read `text`. A field may be left out, and may stand there once."""
    known = {field.name: field for field in fields}
    answers: dict[str, str] = {}
    problems: list[Problem] = []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        says = f"The sheet has {len(lines)} lines; {MOST_LINES} is the limit."
        return Sheet({}, (Problem(says, code="too-many-lines"),))
    for number, row in enumerate(lines, start=1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        match = _LINE.match(row.strip())
        if match is None:
            says = f"Line {number} is not “field: choice”: “{row.strip()[:60]}”."
            problems.append(Problem(says, Place(line=number), "not-a-choice"))
            continue
        name, value = match.groups()
        field = known.get(name)
        if field is None:
            says = f"Line {number} fills in “{name}”, which this sheet does not have."
            problems.append(Problem(says, Place(line=number), "no-such-field"))
        elif value not in field.values:
            says = f"Line {number}: “{value}” is no choice for “{field.label}”."
            problems.append(Problem(says, Place(line=number), "no-such-choice"))
        elif name in answers:
            says = f"Line {number} answers “{field.label}” a second time. One answer counts."
            problems.append(Problem(says, Place(line=number), "answered-twice"))
        else:
            answers[name] = value
    if not answers and not problems:
        problems.append(Problem("Nothing is filled in yet.", code="empty"))
    return Sheet(answers, tuple(problems))


def sheet_text(answers: Mapping[str, str], fields: Sequence[Field]) -> str:
    """The text of a sheet, in the order of its fields; what is not answered is left out."""
    return "".join(
        f"{field.name}: {answers[field.name]}\n" for field in fields if answers.get(field.name)
    )


# Rules ---------------------------------------------------------------------------------------

Value = str | float | bool | None
Values = Mapping[str, Value]
Rule = Callable[[Values], Value]

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_REACH: Final[dict[type[ast.operator], Callable[[Any, Any], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


@lru_cache(maxsize=2000)
def rule(text: str) -> Rule:
    """The rule `text` as a function of values by name; raises `BadRule`.

    Names may have dots. A comparison of sizes with something that is not known is false.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadRule(rule=text, why="it is not one expression") from None
    return _build(tree, text)


def _build(tree: ast.expr, text: str) -> Rule:
    if isinstance(tree, ast.BoolOp):
        parts = [_build(one, text) for one in tree.values]
        if isinstance(tree.op, ast.And):
            return lambda values: all(part(values) for part in parts)
        return lambda values: any(part(values) for part in parts)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        inner = _build(tree.operand, text)
        return lambda values: not inner(values)
    if isinstance(tree, ast.Compare):
        return _comparison(tree, text)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _REACH:
        left, right, work = _build(tree.left, text), _build(tree.right, text), _REACH[type(tree.op)]
        return lambda values: work(left(values) or 0, right(values) or 0)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str | int | float | bool):
        constant = tree.value
        return lambda values: constant
    name = _name(tree)
    if name is None:
        raise BadRule(rule=text, why=f"“{ast.unparse(tree)}” is not allowed in it")
    return lambda values: values.get(name)


def _comparison(tree: ast.Compare, text: str) -> Rule:
    if len(tree.ops) != 1:
        raise BadRule(rule=text, why="it compares more than two things in a row")
    op, right = tree.ops[0], tree.comparators[0]
    left = _build(tree.left, text)
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple):
            raise BadRule(rule=text, why="after “in” stands a list")
        among = [_build(one, text) for one in right.elts]
        wanted = isinstance(op, ast.In)
        return lambda values: (left(values) in [one(values) for one in among]) is wanted
    if type(op) not in _COMPARE:
        raise BadRule(rule=text, why="it compares in a way that is not known here")
    other, compare = _build(right, text), _COMPARE[type(op)]
    if isinstance(op, ast.Eq | ast.NotEq):
        return lambda values: compare(left(values), other(values))

    def sizes(values: Values) -> bool:
        one, two = left(values), other(values)
        return _is_number(one) and _is_number(two) and compare(one, two)

    return sizes


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float)


def _name(tree: ast.expr) -> str | None:
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.Attribute):
        inner = _name(tree.value)
        return None if inner is None else f"{inner}.{tree.attr}"
    return None


def names(text: str) -> frozenset[str]:
    """The names that a rule asks for, so that an author's slip of the pen is found."""
    found: set[str] = set()

    def walk(tree: ast.AST) -> None:
        whole = _name(tree) if isinstance(tree, ast.expr) else None
        if whole is not None:
            found.add(whole)
            return
        for child in ast.iter_child_nodes(tree):
            walk(child)

    rule(text)
    walk(ast.parse(text.strip(), mode="eval").body)
    return frozenset(found)


def filled(sentence: str, values: Values) -> str:
    """An author's sentence with `{name}` replaced by the value, numbers as people write them."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match.group(1))
        if isinstance(value, float) and not value.is_integer():
            return f"{value:,.1f}"
        if _is_number(value) and not isinstance(value, bool):
            return f"{value:,.0f}"
        return "" if value is None else str(value)

    return re.sub(r"\{([\w.]+)\}", put, sentence)
