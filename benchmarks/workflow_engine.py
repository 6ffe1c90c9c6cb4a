"""How fast workflow maps are read, calculated, simulated and graded.

The simulation is compared with SimPy on the same map and the same cases, both measured in this
run. SimPy gets its random numbers for nothing, so the ratio is on the low side. Times are those of
the processor (`process_time`), so that a busy machine does not slow one side more than the other.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from courses.exercise_files import read_exercise
from courses.grading import grade, read_submission
from courses.grading.contract import GradeRequest
from courses.simulators.workflows import reading, writing
from courses.simulators.workflows.baselines import DEGENERATE
from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.simulate import Run, settle, start_run
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import read_world

NAMES = (
    "maps-vs-simpy",
    "maps-10000-cases",
    "maps-exact",
    "maps-submission",
    "maps-read",
    "maps-submission-slowest",
    "maps-exercises",
)
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "courses/content/systems-thinking/exercises/refunds"
CASES = 10_000
RUN = "checks, exact sums and 3 scenarios of 30 x 4,000 cases"


def seconds(work: Callable[[], object], times: int) -> float:
    """The median processor time of several runs, after one to warm up."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def oracle() -> ModuleType:
    path = ROOT / "tests/courses/workflows/simpy_oracle.py"
    spec = importlib.util.spec_from_file_location("simpy_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simpy_oracle"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    exercise = read_exercise(FOLDER)
    world = read_world(exercise)
    text = exercise["references"]["strong"]
    map_ = reading.read_map(text, blocks=world.kinds, visible=world.visible)
    program = compile_map(map_, world)

    def vectorised() -> Run:
        run = start_run(program, Streams("benchmark", CASES))
        settle(run)
        return run

    ours = seconds(vectorised, 7)
    run = vectorised()
    drawn: dict[tuple[str, str, int], list[float]] = {}

    def draw(block: str, purpose: str, visit: int, case: int) -> float:
        key = (block, purpose, visit)
        numbers = drawn.get(key)
        if numbers is None:
            numbers = drawn[key] = run.streams.uniform(*key).tolist()
        return numbers[case]

    faults = list(exercise["world"]["faults"])
    cases = (
        run.arrival_ms.tolist(),
        run.amount_cents.tolist(),
        [faults[number] for number in run.fault.tolist()],
    )
    engine = oracle()
    simpy = seconds(
        lambda: engine.run_oracle(
            writing.to_json(map_), exercise["world"], ["payment"], draw, *cases
        ),
        3,
    )
    request = GradeRequest("workflow_map", exercise, text)
    slowest = writing.to_text(DEGENERATE["review_all_timeout"](world))
    heavy = GradeRequest("workflow_map", exercise, slowest)
    print(
        f"maps-vs-simpy {simpy / ours:.1f} times (SimPy's rate on the same map and cases in this "
        f"run, {CASES / simpy:,.0f} cases/s; at least 12)"
    )
    print(f"maps-10000-cases {ours * 1000:.1f} ms (limit 50 ms, 16 steps, one core)")
    exact = seconds(lambda: run_exact(program), 15) * 1000
    print(f"maps-exact {exact:.1f} ms (limit 20 ms)")
    read = seconds(lambda: read_submission(request), 7) * 1000
    print(f"maps-read {read:.1f} ms (limit 50 ms)")
    print(f"maps-submission {seconds(lambda: grade(request), 3):.2f} s (limit 1 s, {RUN})")
    print(
        f"maps-submission-slowest {seconds(lambda: grade(heavy), 3):.2f} s "
        "(limit 3 s, everything to a person with a time-out)"
    )
    taken = {folder.name: seconds(grading(folder), 3) for folder in sorted(FOLDER.parent.iterdir())}
    each = ", ".join(f"{name} {s:.2f}" for name, s in taken.items())
    print(f"maps-exercises {max(taken.values()):.2f} s (limit 2 s, the best map of each: {each})")


def grading(folder: Path) -> Callable[[], object]:
    """Grading the best map of an exercise."""
    exercise = read_exercise(folder)
    text = next(iter(exercise["references"].values()))
    return lambda: grade(GradeRequest("workflow_map", exercise, text))


if __name__ == "__main__":
    main()
