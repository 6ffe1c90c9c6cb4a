"""Whole milliseconds and micro-dollars: the same results on every processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from courses.simulators.workflows.streams import Streams

SCRIPT = """
import hashlib
import json
from pathlib import Path
from courses.exercise_files import read_exercise
from courses.grading import grade
from courses.grading.contract import GradeRequest, report_to_json
from courses.simulators.workflows import reading
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.simulate import settle, start_run
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import read_world

FOLDER = Path("courses/content/systems-thinking/exercises")


def first(name):
    exercise = read_exercise(FOLDER / name)
    return exercise, next(iter(exercise["references"].values()))


def compiled(name):
    exercise, text = first(name)
    world = read_world(exercise)
    return compile_map(
        reading.read_map(text, blocks=world.kinds, visible=world.visible), world
    )


# A queue in turn, and one with ranks, time-outs and people who hurry.
for name in ("refunds", "incident-fixes"):
    program = compiled(name)
    for seed in range(30):
        found = settle(start_run(program, Streams(f"seed {seed}", 10_000)))
        total = hashlib.sha256()
        for column in (found.cycle_ms, found.micro, found.harm_cents, found.waits.started):
            total.update(column.astype("<i8").tobytes())
        print(name, seed, total.hexdigest())
for name in ("refunds", "incident-fixes"):
    exercise, text = first(name)
    report = json.dumps(report_to_json(grade(GradeRequest("workflow_map", exercise, text))), sort_keys=True)
    print(name, hashlib.sha256(report.encode()).hexdigest())
"""
ROOT = Path(__file__).resolve().parents[3]


def wide_features() -> list[str]:
    """The vector units beyond the baseline that this NumPy uses on this machine."""
    from numpy._core import _multiarray_umath as core

    return [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]


def result_without(features: list[str]) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "NPY_DISABLE_CPU_FEATURES": " ".join(features),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


# NumPy's names for the vector units of the last generation of processors.
WIDEST = ("AVX512", "X86_V4", "AMX")


@pytest.mark.slow
def test_thirty_seeds_and_two_reports_come_out_alike_on_every_vector_unit() -> None:
    features = wide_features()
    if not features:
        pytest.skip("this processor has no vector units beyond NumPy's baseline")
    narrow = [name for name in features if name.startswith(WIDEST)]
    everything = result_without([])

    assert len(everything.splitlines()) == 62
    assert result_without(features) == everything  # the baseline
    if narrow:
        assert result_without(narrow) == everything  # AVX2


def test_the_uniform_numbers_of_a_stream_stay_what_they_are() -> None:
    drawn = Streams("practice", 3).uniform("reviewer", "sees", 0)

    # Written down once: a change here would change every grade that was ever given.
    assert drawn.tolist() == pytest.approx([0.66368, 0.944638, 0.292219], abs=1e-6)
