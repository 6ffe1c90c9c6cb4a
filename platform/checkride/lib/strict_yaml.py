"""YAML as authors may write it: plain JSON types, no aliases, no surprises.

The loaders that come with PyYAML accept files that blow up (aliases), crash with errors of other
kinds (`2026-00-01` raises `ValueError`) and turn `no` into `False` and `12:30:00` into `45000`.
This one builds strings, numbers, booleans, nulls, lists and maps only, reads only `true` and
`false` as booleans, keeps dates as strings, and refuses everything else with a line number.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from checkride.lib.errors import DomainError

MAX_DEPTH = 40
MAX_CHARACTERS = 1_000_000


class BadYaml(DomainError):
    code = "bad-yaml"
    sentence = "Line {line}: {problem}"

    def __init__(self, *, line: int, problem: str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(line=line, problem=problem)


# libyaml's parser, which PyYAML's wheels carry, reads the curriculum five times faster.
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[misc, valid-type]
    """SafeLoader with its own, smaller set of implicit types."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"),
    list("-0123456789"),
)


def _refuse_oddities(node: yaml.Node, depth: int) -> None:
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        raise BadYaml(line=line, problem=f"the file nests deeper than {MAX_DEPTH} levels.")
    plain = {"str", "int", "float", "bool", "null", "seq", "map"}
    if node.tag.removeprefix("tag:yaml.org,2002:") not in plain:
        raise BadYaml(line=line, problem=f"the tag {node.tag} is not allowed; write plain values.")
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_oddities(child, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadYaml(line=key.start_mark.line + 1, problem="a key must be a word.")
            if key.value in seen:
                raise BadYaml(
                    line=key.start_mark.line + 1, problem=f"the key “{key.value}” appears twice."
                )
            seen.add(key.value)
            _refuse_oddities(value, depth + 1)


def _refuse_by_events(text: str) -> None:
    """Refuse aliases and deep nesting before any tree is built: building one is recursive."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise BadYaml(
                line=event.start_mark.line + 1 if event.start_mark else 1,
                problem=f"the file nests deeper than {MAX_DEPTH} levels.",
            )
        if isinstance(event, yaml.AliasEvent):
            raise BadYaml(
                line=event.start_mark.line + 1 if event.start_mark else 1,
                problem="“*” refers to another place in the file; write the value out. "
                "Put the text in quotes if the star belongs to it.",
            )


class _StringKeys(_Loader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        # Keys stay what the author typed: an id such as `1` or `true` is a word, not a number.
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def load(text: str) -> Any:
    """Read one YAML document; the result holds only JSON types and string keys.

    Raises `BadYaml` with a line number for anything that is not plain.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadYaml(line=1, problem=f"the file is longer than {MAX_CHARACTERS:,} characters.")
    try:
        _refuse_by_events(text)
        loader = _StringKeys(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _refuse_oddities(node, 0)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYaml(
            line=mark.line + 1 if mark else 1,
            problem=f"this is not valid YAML ({error.problem or error.context}).",
        ) from error
    except yaml.YAMLError as error:
        raise BadYaml(
            line=1, problem="the file holds characters that YAML does not allow."
        ) from error
    except (RecursionError, ValueError) as error:
        raise BadYaml(line=1, problem="the file cannot be read as YAML.") from error


def line_numbers(text: str) -> dict[tuple[str | int, ...], int]:
    """The line (from 1) of each value in a text that `load` has accepted.

    A value is named by the keys and indices that lead to it: `("nodes", "pay")`, `("edges", 3)`.
    """
    found: dict[tuple[str | int, ...], int] = {}

    def walk(node: yaml.Node, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                found[(*path, index)] = child.start_mark.line + 1
                walk(child, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found[(*path, key.value)] = key.start_mark.line + 1
                walk(value, (*path, key.value))

    root = yaml.compose(text, Loader=_StringKeys)
    if root is not None:
        walk(root, ())
    return found
