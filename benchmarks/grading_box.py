"""What the box adds to grading: one warm round trip with 4 kB of text, without any grading.

Measured through a grader that echoes, so that the time is the box's own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from courses.box import Pool
from courses.grading.contract import GradeRequest

NAMES = ("box-round-trip-median", "box-round-trip-p95", "box-start")

LIMIT_MS = 2.0
ROUNDS = 500
ENGINE = """
def grade(request):
    raise NotImplementedError


def read_submission(request):
    return request.submission
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "echo_engine.py").write_text(ENGINE, encoding="utf-8")
        with Pool(size=1, engine="echo_engine", extra_paths=(Path(folder),)) as pool:
            request = GradeRequest(kind="prompt", exercise={"id": "x"}, submission="x" * 4000)
            began = time.perf_counter()
            pool.call("read", request)
            start_ms = (time.perf_counter() - began) * 1000
            trips: list[float] = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                pool.call("read", request)
                trips.append((time.perf_counter() - began) * 1000)
    median = statistics.median(trips)
    p95 = sorted(trips)[int(len(trips) * 0.95)]
    print(f"box-round-trip-median {median:.2f} ms (against {LIMIT_MS:.0f} ms, {ROUNDS} trips)")
    print(f"box-round-trip-p95 {p95:.2f} ms")
    print(f"box-start {start_ms:.0f} ms (a process that loads no real grader)")
    if median > LIMIT_MS:
        sys.exit(1)


if __name__ == "__main__":
    main()
