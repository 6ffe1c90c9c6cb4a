"""The quick way to canonical JSON gives the bytes of RFC 8785, or is not taken."""

from __future__ import annotations

import enum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from checkride.lib import canonical

_TEXTS = st.one_of(
    st.text(),
    # What the two could write differently: quotes, controls, the edge of UTF-16, line ends.
    st.text(alphabet='"\\/\b\f\n\r\t\0\x1f\x7f\x80\u2028\uffff\U00010000é<&'),
)
_NUMBERS = st.one_of(st.integers(-(2**60), 2**60), st.floats(), st.sampled_from([2**53 - 1, 2**53]))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inside: st.one_of(
        st.lists(inside), st.dictionaries(_TEXTS, inside), st.tuples(inside, inside)
    ),
    max_leaves=20,
)


def _written(write: Any, value: Any) -> bytes | str:
    try:
        return bytes(write(value))
    except Exception as error:
        return type(error).__name__


@given(_VALUES)
def test_every_value_is_written_as_by_rfc8785(value: Any) -> None:
    assert _written(canonical.canonical_json, value) == _written(rfc8785.dumps, value)


class _Level(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        {"a": "\ud800"},
        {"\U00010000": 1, "\uffff": 2},
        [1.0, -0.0, 1e21, 0.1],
        {1: "not a text"},
        [_Level.ONE],
        {"b": {"z": (), "a": []}, "a": None},
        {"set": {1}},
    ],
)
def test_the_odd_cases_too(value: Any) -> None:
    assert _written(canonical.canonical_json, value) == _written(rfc8785.dumps, value)


def test_ours_are_written_the_quick_way() -> None:
    # Otherwise the test above would compare rfc8785 with itself.
    assert canonical._is_simple({"name": "Zoë 😀", "all": [1, True, None, {"x": "y"}]})
    assert not canonical._is_simple({"é": 1})
    assert not canonical._is_simple([0.5])
    assert not canonical._is_simple(2**53)
