"""Every mistake that is put into a reference map is found: by a check, or in the points."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise
from courses.grading import workflow_map
from courses.grading.contract import GradeReport
from courses.simulators.workflows import reading
from courses.simulators.workflows.model import BadMap, Edge, Node, WorkflowMap
from courses.simulators.workflows.writing import to_text

Json = Any
FOLDER = Path(__file__).resolve().parents[3] / "courses/content/systems-thinking/exercises"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/exercise.yaml"))


def without_step(map_: WorkflowMap, gone: Node) -> WorkflowMap:
    """The map with a step left out: what led to it leads to what followed it."""
    ways = list(map_.out(gone.id))
    after = next(e.dst for e in ways if e.otherwise or (e.on == "ok" and e.when is None))
    edges = tuple(
        dataclasses.replace(edge, dst=after) if edge.dst == gone.id else edge
        for edge in map_.edges
        if edge.src != gone.id
    )
    nodes = tuple(
        dataclasses.replace(node, undoes=None) if node.undoes == gone.id else node
        for node in map_.nodes
        if node.id != gone.id
    )
    return dataclasses.replace(map_, nodes=nodes, edges=edges)


def with_edge(map_: WorkflowMap, old: Edge, **changes: Any) -> WorkflowMap:
    edges = (dataclasses.replace(e, **changes) if e is old else e for e in map_.edges)
    return dataclasses.replace(map_, edges=tuple(edges))


def with_node(map_: WorkflowMap, old: Node, **changes: Any) -> WorkflowMap:
    nodes = (dataclasses.replace(n, **changes) if n is old else n for n in map_.nodes)
    return dataclasses.replace(map_, nodes=tuple(nodes))


def condition_mutants(words: str) -> Iterator[str]:
    """The condition with one question left out, turned round, or answered with the other word."""
    parts = words.split(" or ")
    for gone in range(len(parts)):
        if len(parts) > 1:
            yield " or ".join(part for at, part in enumerate(parts) if at != gone)
    turned = words.translate(str.maketrans("<>", "><"))
    if turned != words:
        yield turned
    swap = {"'approve'": "'reject'", "'rework'": "'approve'"}
    for old, new in swap.items():
        if old in words:
            yield words.replace(old, new)
    if re.fullmatch("[a-z]+", words):
        yield f"not {words}"


def mutants(
    map_: WorkflowMap, risky: set[str], agents: list[str]
) -> Iterator[tuple[str, WorkflowMap]]:
    action = next(node.id for node in map_.nodes if node.block in risky)
    for edge in map_.edges:
        kept = tuple(other for other in map_.edges if other is not edge)
        yield f"without {edge.sentence}", dataclasses.replace(map_, edges=kept)
        if edge.most is not None:
            yield f"no max at {edge.sentence}", with_edge(map_, edge, most=None)
        if edge.on != "ok" and edge.dst != action and edge.src != action:
            yield f"to the action at {edge.sentence}", with_edge(map_, edge, dst=action)
        for words in condition_mutants(edge.when) if edge.when else ():
            yield f"{words} at {edge.sentence}", with_edge(map_, edge, when=words)
    for node in map_.nodes:
        if node.kind not in ("trigger", "end"):
            yield f"without {node.id}", without_step(map_, node)
        failed = next((e for e in map_.out(node.id) if e.on == "error"), None)
        if failed is not None:
            done = next(e for e in map_.out(node.id) if e.on == "ok")
            yield f"as if done at {failed.sentence}", with_edge(map_, failed, dst=done.dst)
        if node.kind == "human":
            yield f"no patience at {node.id}", with_node(map_, node, patience_s=None)
        if node.kind in ("human", "escalation"):
            yield f"an agent at {node.id}", with_node(map_, node, actor=agents[0])
        if node.kind == "agent":
            yield f"the tool held by {node.id}", with_node(map_, node, tools=tuple(risky))


def is_told(report: GradeReport, reference: GradeReport) -> bool:
    """Whether a measure of the ordinary day got worse; the run is the same, so chance has no say."""
    for mine, theirs in zip(report.details["targets"], reference.details["targets"], strict=True):
        sign = -1 if mine["better"] == "higher" else 1
        if sign * (mine["value"] - theirs["value"]) > 0.0002 * theirs["value"]:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_in_a_reference_map_is_found(name: str) -> None:
    exercise = read_exercise(FOLDER / name)
    exercise = {**exercise, "run": {"cases": 1000, "replications": 4, "doublings": 0}}
    task = workflow_map.read_task(exercise)
    world, by = task.world, workflow_map.grader(exercise)
    text = next(iter(exercise["references"].values()))

    def read(text: str) -> WorkflowMap:
        return reading.read_map(
            text, blocks=world.kinds, visible=world.visible, options=world.choices
        )

    map_ = read(text)
    reference = workflow_map.grade_map(task, map_, "practice", by)
    agents = [block.id for block in world.blocks if block.kind == "agent"]
    tried, missed = 0, []
    for what, mutant in mutants(map_, set(world.high_risk), agents):
        tried += 1
        try:
            found = read(to_text(mutant))
        except BadMap:
            continue
        report = workflow_map.grade_map(task, found, "practice", by)
        if report.problems or report.details["findings"] or report.details["cap"]:
            continue
        if report.details["before_cap"] < reference.details["before_cap"]:
            continue
        if is_told(report, reference):
            continue  # full points still, and shown where it costs
        missed.append(what)

    assert tried > 40
    assert missed == []
