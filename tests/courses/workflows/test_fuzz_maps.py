"""Whatever is handed in ends in a verdict: a sentence, a finding or a score, within its budget."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.exercise_files import read_exercise
from courses.grading import workflow_map
from courses.grading.contract import GradeReport, GradeRequest
from courses.simulators.workflows import simulate
from courses.simulators.workflows.exact import MAX_STATES
from courses.simulators.workflows.model import KINDS

Json = Any
FOLDER = Path(__file__).resolve().parents[3] / "courses/content/systems-thinking/exercises"
SMALL = {**read_exercise(FOLDER / "refunds"), "run": {"cases": 60, "replications": 2}}
REFERENCE: str = SMALL["references"]["strong"]
NUMBERS = ["0", "-1", "1e308", "1e309", "0.5000000001", "nan", "999999999", "1000000001", "00", "x"]


def verdict(text: str) -> GradeReport:
    """Grade, and hold the report against its own rules."""
    report = workflow_map.grade(GradeRequest("workflow_map", SMALL, text))
    assert 0 <= report.score <= 100
    assert report.finding
    if report.problems:
        assert report.score == 0
        assert all(problem.message.strip() for problem in report.problems)
        assert all(
            problem.message[0].isupper() or problem.message[0] == "“" for problem in report.problems
        )
    else:
        for day in report.details["scenarios"]:
            assert sum(day["ends"].values()) + day["stuck"] == pytest.approx(1, abs=0.02)
            assert all(row["value"] >= 0 for row in day["metrics"].values())
    return report


@st.composite
def broken_text(draw: st.DrawFn) -> str:
    """The reference with lines lost, doubled, exchanged, cut, or with strange words in them."""
    lines = REFERENCE.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        what = draw(st.integers(0, 5))
        if what == 0:
            del lines[at]
        elif what == 1:
            lines.insert(at, lines[at])
        elif what == 2:
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif what == 3:
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        elif what == 4:
            words = lines[at].split(" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(
                st.sampled_from([*NUMBERS, *KINDS, "->", "when", "otherwise", "max 5", "{", ":"])
            )
            lines[at] = " ".join(words)
        else:
            lines[at] += draw(st.text(max_size=12))
        if not lines:
            return ""
    return "\n".join(lines)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(broken_text())
def test_a_broken_text_ends_in_a_verdict(text: str) -> None:
    verdict(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["nodes", "edges", "kind", "src", "dst", "when", "options", "a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(dict.fromkeys(("nodes", "edges", "layout", "options"), JSON)))
def test_any_json_ends_in_a_verdict(parts: dict[str, Json]) -> None:
    verdict(json.dumps({"checkride": "map/1", "id": "x", "title": "X"} | parts))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_ends_in_a_verdict(text: str) -> None:
    assert verdict(text).problems


def large_map(seed: int) -> str:
    """Sixty steps, as many ways as are allowed, loops inside loops, thresholds of any size."""
    chance = random.Random(f"large {seed}")
    kinds = ["gateway"] * 6 + ["agent", "guard", "monitor", "human", "tool", "pay", "senior"]
    if seed % 3 == 0:
        kinds = ["gateway", "gateway", "guard", "agent"]
    ids = ["start", *(f"n{i}" for i in range(57)), "done", "end"]
    nodes = ["  start: {kind: trigger, name: S}"]
    edges = ["  - start -> n0"]
    blocks = {
        "agent": "kind: agent, block: refund_agent",
        "guard": "kind: guard, block: policy_check",
        "monitor": "kind: monitor, block: spend_monitor",
        "tool": "kind: tool, block: order_db, retries: 5, backoff: 3600",
        "pay": "kind: tool, block: payment",
        "senior": "kind: escalation, block: senior, priority: 1",
        "gateway": "kind: gateway",
    }
    for i in range(57):
        kind = chance.choice(kinds)
        nxt = ids[i + 2]
        if kind == "human":
            patience = chance.choice(["1", "7s", "168h"])
            nodes.append(f"  n{i}: {{kind: human, block: reviewer, patience: {patience}, name: N}}")
            edges += [f"  - n{i} -> {nxt}", f"  - n{i} -> {chance.choice(ids[i + 2 :])} on timeout"]
            continue
        nodes.append(f"  n{i}: {{{blocks[kind]}, name: N}}")
        if kind != "gateway":
            edges.append(f"  - n{i} -> {nxt}")
            continue
        asked = chance.choice(
            [
                f"amount > {chance.choice([0, 0.001, 119.99, 5e8, 1e9])}",
                f"confidence >= {chance.choice([0, 1, 0.999999, 0.5, 1e-9])}",
                "flagged or alarm and not flagged",
                "verdict != 'none'",
            ]
        )
        back = chance.choice(ids[1 : i + 2])
        most = chance.choice([1, 2, 5])
        edges += [f"  - n{i} -> {back} when {asked} max {most}", f"  - n{i} -> {nxt} otherwise"]
    nodes.append("  done: {kind: gateway, name: D}")
    edges += ["  - done -> n0 when amount >= 0 max 5", "  - done -> end otherwise"]
    nodes.append("  end: {kind: end, outcome: served, name: E}")
    return "\n".join(
        ["checkride: map/1", "id: large", "title: L", "nodes:", *nodes, "edges:", *edges]
    )


def seeds(count: int) -> list[Any]:
    return [pytest.param(n, marks=[pytest.mark.slow] if n >= 6 else []) for n in range(count)]


@pytest.mark.parametrize("seed", seeds(60))
def test_sixty_steps_full_of_loops_end_in_a_verdict(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = 0
    advance = simulate._Wave.advance

    def counting(self: Any, step: Any, rows: Any) -> None:
        nonlocal moved
        moved += len(rows)
        advance(self, step, rows)

    monkeypatch.setattr(simulate._Wave, "advance", counting)
    report = verdict(large_map(seed))

    # Three days of 120 cases each, at most 250 steps a case.
    assert moved <= 3 * 120 * simulate.MAX_STEPS_PER_CASE
    if report.problems:
        codes = {problem.code for problem in report.problems}
        assert codes <= {"W10", "too-many-states", "too-many-visits", "too-many-steps"}


def test_loops_inside_loops_without_a_person_are_refused_in_words() -> None:
    nodes = "".join(f"  g{i}: {{kind: gateway, name: G{i}}}\n" for i in range(12))
    edges = "".join(
        f"  - g{i} -> g0 when amount >= 0 max 5\n"
        f"  - g{i} -> {f'g{i + 1}' if i < 11 else 'end'} otherwise\n"
        for i in range(12)
    )
    report = verdict(
        "checkride: map/1\nid: deep\ntitle: Deep\nnodes:\n  start: {kind: trigger, name: S}\n"
        f"{nodes}  end: {{kind: end, outcome: served, name: E}}\nedges:\n  - start -> g0\n{edges}"
    )

    assert report.problems[0].code in ("too-many-states", "too-many-steps")
    assert f"{MAX_STATES:,}" in report.problems[0].message or "250" in report.problems[0].message


@pytest.mark.parametrize("number", NUMBERS)
def test_a_threshold_of_any_size_is_read_or_refused(number: str) -> None:
    verdict(REFERENCE.replace("amount > 400", f"amount > {number}"))
