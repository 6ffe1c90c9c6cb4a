"""Work that is done every so many seconds, declared where it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    seconds: float
    work: Work


_all: dict[str, Periodic] = {}


def every(seconds: float) -> Callable[[Work], Work]:
    """Have `function` called every `seconds` by beat and a worker. A call that is still waiting
    when the next one is due is dropped, so that a busy worker does not pile them up."""

    def register(function: Work) -> Work:
        name = f"{function.__module__}.{function.__qualname__}"
        _all[name] = Periodic(name, seconds, function)
        return function

    return register


def all_periodic() -> tuple[Periodic, ...]:
    return tuple(_all.values())


def named(name: str) -> Periodic:
    return _all[name]
