"""Reading a prompt into rules and grading it, in processor time of one core.

The page asks for a reading half a second after each pause, so a reading has 20 ms.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from courses.exercise_files import read_exercise
from courses.grading import grade
from courses.grading.contract import GradeRequest
from courses.simulators.prompts import read

NAMES = (
    "prompt-read-median",
    "prompt-read-p95",
    "prompt-read-first",
    "prompt-read-60kB",
    "prompt-grade-median",
)

ROOT = Path(__file__).resolve().parents[1]
READ_LIMIT_MS = 20.0
ROUNDS = 3


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    exercise = read_exercise(ROOT / "courses/content/prompting/exercises/refund-triage")
    prompts = [
        json.loads(line)["prompt"]
        for file in sorted((ROOT / "tests/courses/prompts").glob("worked-refund*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    started = time.process_time()
    read("Ask.", exercise)
    cold = (time.process_time() - started) * 1000
    reads: list[float] = []
    for _ in range(ROUNDS):
        for prompt in prompts:
            started = time.process_time()
            read(prompt, exercise)
            reads.append((time.process_time() - started) * 1000)
    grades: list[float] = []
    for prompt in prompts[:20]:
        started = time.process_time()
        grade(GradeRequest("prompt", exercise, prompt))
        grades.append((time.process_time() - started) * 1000)
    longest = "Be kind to customers and look at each order with care. " * 1000
    started = time.process_time()
    read(longest[:60_000], exercise)
    long_ms = (time.process_time() - started) * 1000
    p95 = percentile(reads, 0.95)
    print(
        f"prompt-read-median {percentile(reads, 0.5):.1f} ms (of processor time, {len(prompts)} prompts)"
    )
    print(f"prompt-read-p95 {p95:.1f} ms (against {READ_LIMIT_MS:.0f} ms)")
    print(f"prompt-read-first {cold:.0f} ms (first prompt of an exercise, vocabulary built)")
    print(f"prompt-read-60kB {long_ms:.0f} ms (the longest submission)")
    print(f"prompt-grade-median {percentile(grades, 0.5):.0f} ms (12 cases and the smallest edit)")
    if p95 > READ_LIMIT_MS:
        sys.exit(1)


if __name__ == "__main__":
    main()
