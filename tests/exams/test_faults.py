"""What the fault harness reports, and that it can report the opposite.

Each of these starts an installation of its own, so they run with `make proofs`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.exam_hall import installation

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = re.compile(r"acknowledged (\d+) kills (\d+) lost (\d+) stale (\d+) doubled (\d+)")


def run(module: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.exam_hall.{module}"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> tuple[int, ...]:
    found = SUMMARY.fullmatch(done.stdout.strip().splitlines()[-1])
    assert found, done.stdout + done.stderr
    return tuple(map(int, found.groups()))


@pytest.mark.slow
def test_no_acknowledged_save_is_lost_stale_or_doubled_when_parts_are_killed() -> None:
    done = run("chaos", SECONDS="40")

    acknowledged, kills, lost, stale, doubled = last_line(done)
    assert (lost, stale, doubled) == (0, 0, 0), done.stdout
    assert acknowledged > 0
    assert kills >= 6, "each part at least once"
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_harness_sees_losses_when_the_database_does_not_wait_for_its_disk() -> None:
    done = run("chaos", SECONDS="40", SYNCHRONOUS_COMMIT="off")

    assert last_line(done)[2] > 0, done.stdout
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.skipif(
    installation.faketime_library() is None, reason="Debian's faketime is not installed"
)
def test_nothing_is_accepted_after_the_deadline_whatever_the_clock_of_the_web_host_says() -> None:
    done = run("deadline_race")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith("after-the-deadline 0")


def test_a_process_that_the_harness_did_not_start_is_left_alone() -> None:
    stranger = os.getppid()

    with pytest.raises(installation.NotOurs):
        installation._kill_if_child(stranger, os.getpid())
