"""300 candidates press Start within two seconds: none may meet an error, all clocks must run.

The forms were drawn before, as they are when candidates prepare. The presses are spread evenly over
the two seconds and each comes on a connection of its own, the dearest case. Also measured is the
first page that each of them sees after the press.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter

from benchmarks.exam_hall.candidate import Candidate, Seat, seats_from
from benchmarks.exam_hall.installation import Installation

NAMES = ("start-errors", "start-p50", "start-p95", "starts-done-after")

STARTS, WITHIN_S = 300, 2.0


class Starter(threading.Thread):
    def __init__(self, seat: Seat, port: int, at: float) -> None:
        super().__init__(daemon=True)
        self._candidate = Candidate(seat, port)
        self._at = at
        self.status = 0
        self.took_s = 0.0
        self.done_at = 0.0

    def run(self) -> None:
        time.sleep(max(0.0, self._at - time.perf_counter()))
        began = time.perf_counter()
        self.status = self._candidate.start().status
        self.done_at = time.perf_counter()
        self.took_s = self.done_at - began
        self._candidate.close()


def main() -> int:
    with Installation(parts=("postgres", "redis", "web")) as hall:
        asked = ["--count", str(STARTS), "--seconds", "1800"]
        seats = seats_from(hall.run("-m", "benchmarks.exam_hall.seats", *asked))
        begins = time.perf_counter() + 1.0
        starters = [
            Starter(seat, hall.port, begins + number * WITHIN_S / STARTS)
            for number, seat in enumerate(seats)
        ]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join()
        with hall.database() as connection:
            running = connection.execute(
                "SELECT count(*) FROM exams_attempt WHERE state = 'in_progress'"
            ).fetchone()
    statuses = Counter(starter.status for starter in starters)
    errors = STARTS - statuses[302]
    times = sorted(starter.took_s for starter in starters)
    done = max(starter.done_at for starter in starters) - begins
    print(
        f"{NAMES[0]} {errors} of {STARTS} (limit: 0; pressed within {WITHIN_S:.0f} s, "
        f"{os.cpu_count()} cores for everything; {(running or (0,))[0]} clocks run; "
        f"load average {os.getloadavg()[0]:.1f})"
    )
    print(f"{NAMES[1]} {1000 * times[STARTS // 2]:.0f} ms")
    print(f"{NAMES[2]} {1000 * times[STARTS * 95 // 100]:.0f} ms")
    print(f"{NAMES[3]} {done:.1f} s (from the first press until the last answer)")
    return 1 if errors or running != (STARTS,) else 0


if __name__ == "__main__":
    sys.exit(main())
