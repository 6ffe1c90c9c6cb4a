"""The refund exercise, maps made from its reference, and a second engine to compare with."""

from __future__ import annotations

import copy
import importlib.util
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.simulators.workflows import checks, reading
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.simulate import TooManyTokens, start_run
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import World, read_world

Json = Any
FOLDER = Path("courses/content/systems-thinking/exercises/refunds")
ROOT = Path(__file__).resolve().parents[3]
RULE = "flagged or confidence < 0.80 or amount > 400"


@pytest.fixture(scope="session")
def exercise() -> dict[str, Json]:
    return read_exercise(ROOT / FOLDER)


@pytest.fixture(scope="session")
def world(exercise: dict[str, Json]) -> World:
    return read_world(exercise)


@pytest.fixture(scope="session")
def reference(exercise: dict[str, Json]) -> str:
    text: str = exercise["references"]["strong"]
    return text


@pytest.fixture(scope="session")
def read(world: World) -> Callable[[str], WorkflowMap]:
    return lambda text: reading.read_map(text, blocks=world.kinds, visible=world.visible)


@pytest.fixture(scope="session")
def change(reference: str) -> Callable[..., str]:
    """The reference map with lines replaced: `change((old, new), ...)`."""

    def changed(*pairs: tuple[str, str]) -> str:
        text = reference
        for old, new in pairs:
            assert old in text, f"the reference has no {old!r}"
            text = text.replace(old, new)
        return text

    return changed


@pytest.fixture(scope="session")
def with_rule(change: Callable[..., str]) -> Callable[[str], str]:
    """The reference map with another rule for a person."""
    return lambda rule: change((RULE, rule))


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    path = Path(__file__).with_name("simpy_oracle.py")
    spec = importlib.util.spec_from_file_location("simpy_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simpy_oracle"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def random_map(world: World) -> Callable[..., WorkflowMap]:
    """A runnable map drawn from a seed: any kinds in any order, loops, time-outs, lost cases."""

    def draw(
        seed: int, *, patience: bool = True, rich: World | None = None, busy: bool = False
    ) -> WorkflowMap:
        known = rich or world
        for attempt in range(1000):
            chance = random.Random(f"{seed}/{attempt}")
            text = _random_text(chance, patience, rich is not None, busy)
            map_ = reading.read_map(text, blocks=known.kinds, visible=known.visible)
            if any(f.severity == "gate" for f in checks.run_checks(map_, known)):
                continue
            try:
                start_run(compile_map(map_, known), Streams("try", 50))
            except TooManyTokens:
                continue
            return map_
        raise AssertionError("no runnable map among 1000")

    return draw


@pytest.fixture(scope="session")
def rich_exercise(exercise: dict[str, Json]) -> dict[str, Json]:
    """The same exercise with two of everything, and a senior who can be overworked."""
    rich = copy.deepcopy(exercise)
    blocks = rich["world"]["blocks"]
    blocks["senior"]["staff"] = 2
    shape = {"none": [4.0, 0.8], "hallucination": [2.0, 1.0], "missing_data": [2.0, 2.0]}
    blocks["second_agent"] = {
        **blocks["refund_agent"],
        "cure_on_rework": 0.4,
        "confidence": {**shape, "injection": [3.0, 1.0]},
    }
    blocks["second_check"] = {**blocks["policy_check"], "hit": dict(blocks["reviewer"]["hit"])}
    blocks["second_desk"] = {
        **blocks["reviewer"],
        "staff": 1,
        "secs": 240,
        "cost": 0.5,
        "rework_share": 0.9,
    }
    return rich


@pytest.fixture(scope="session")
def busy_exercise(rich_exercise: dict[str, Json]) -> dict[str, Json]:
    """People who go home, who hurry when the line is long, and more of them for sale."""
    busy = copy.deepcopy(rich_exercise)
    busy["world"]["arrivals"]["per_hour"] = 24
    blocks = busy["world"]["blocks"]
    blocks["reviewer"]["overload"] = {
        "line": 2,
        "hit": {"none": 0.01, "hallucination": 0.4, "missing_data": 0.99, "injection": 0.1},
    }
    blocks["second_desk"]["hours"] = {"every": "10h", "from": "1h", "to": "7h"}
    blocks["senior"]["success"] = 0.3
    blocks["senior"]["hours"] = {"every": "24h", "from": "0h", "to": "13h"}
    busy["options"] = {
        "reviewer.staff": {"min": 1, "max": 5, "default": 3, "cost_per_hour": 40},
        "senior.staff": {"min": 1, "max": 9, "default": 2, "cost_per_hour": 90},
    }
    return busy


def _random_text(chance: random.Random, patience: bool, rich: bool, busy: bool) -> str:
    def one_of(block: str, other: str) -> str:
        return chance.choice([block, other]) if rich else block

    kinds = ["tool", "pay", "agent", "guard", "gateway", "human", "escalation", "monitor", "undo"]
    weights = [1, 3, 3, 2, 5, 3, 1, 2, 1]
    middle = ["agent", "guard", *chance.choices(kinds, weights, k=chance.randint(4, 12))]
    count = len(middle)
    ends = chance.randint(1, 3)
    ids = ["start", *(f"n{i}" for i in range(count)), *(f"end{i}" for i in range(ends))]
    nodes = ["  start: {kind: trigger, name: Start}"]
    edges = ["  - start -> n0"]
    pays = [f"n{i}" for i, kind in enumerate(middle) if kind == "pay"]
    for i, kind in enumerate(middle):
        here = f"n{i}"
        later = ids[i + 2 :]
        near = later[: 1 + chance.randint(0, 3)]

        def forward(near: list[str] = near) -> str:
            return chance.choice(near)

        if kind in ("tool", "pay"):
            block = "order_db" if kind == "tool" else "payment"
            tries = chance.randint(0, 2)
            wait = ", backoff: 20" if tries else ""
            settings = f"kind: tool, block: {block}, retries: {tries}{wait}"
            if chance.random() < 0.7:
                edges.append(f"  - {here} -> {forward()} on error")
        elif kind == "undo":
            if not pays:
                settings = "kind: guard, block: policy_check"
            else:
                settings = f"kind: rollback, block: reversal, undoes: {chance.choice(pays)}"
                if chance.random() < 0.5:
                    edges.append(f"  - {here} -> {forward()} on error")
        elif kind == "human":
            settings = f"kind: human, block: {one_of('reviewer', 'second_desk')}"
            if patience and chance.random() < 0.6:
                settings += f", patience: {chance.choice([60, 300, 900])}"
                edges.append(f"  - {here} -> {forward()} on timeout")
            if busy and chance.random() < 0.7:
                settings += f", priority: {chance.randint(1, 5)}"
        elif kind == "gateway":
            settings = "kind: gateway"
            for _ in range(chance.randint(1, 3)):
                question = chance.choice(
                    [
                        "flagged",
                        "not alarm",
                        "verdict == 'approve'",
                        "verdict == 'rework'",
                        "verdict != 'reject' and amount <= 250.5",
                        f"confidence < {chance.choice([0.6, 0.8, 0.9])}",
                        f"amount > {chance.choice([50, 120, 400])} or flagged",
                        "confidence >= 0.7 and not (alarm or amount < 30)",
                    ]
                )
                if chance.random() < 0.3:
                    back = chance.choice(ids[1 : i + 1] or [here])
                    edges.append(f"  - {here} -> {back} when {question} max {chance.randint(1, 2)}")
                else:
                    edges.append(f"  - {here} -> {forward()} when {question}")
            edges.append(f"  - {here} -> {forward()} otherwise")
        else:
            block = {
                "agent": one_of("refund_agent", "second_agent"),
                "guard": one_of("policy_check", "second_check"),
                "escalation": "senior",
                "monitor": "spend_monitor",
            }[kind]
            settings = f"kind: {kind}, block: {block}"
        if kind != "gateway":
            edges.append(f"  - {here} -> {forward()}")
        nodes.append(f"  {here}: {{{settings}, name: Step {i}}}")
    nodes += [f"  end{i}: {{kind: end, outcome: served, name: End {i}}}" for i in range(ends)]
    bought = []
    if busy:
        bought = ["options:", f"  reviewer.staff: {chance.randint(1, 3)}", "  senior.staff: 4"]
    return "\n".join(
        [
            "checkride: map/1",
            "id: drawn",
            "title: Drawn",
            "nodes:",
            *nodes,
            "edges:",
            *edges,
            *bought,
        ]
    )


@pytest.fixture
def folder() -> Path:
    return ROOT / FOLDER


@pytest.fixture
def reference_file(folder: Path) -> Path:
    return folder / "maps" / "strong.yaml"
