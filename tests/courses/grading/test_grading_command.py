"""`python -m courses.grading` and `python -m courses.simulators.prompts`, run as programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
EXERCISE = ROOT / "courses/content/prompting/exercises/refund-triage"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "platform")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_report_is_printed_as_json() -> None:
    done = run(
        "courses.grading", "grade", str(EXERCISE), str(EXERCISE / "refs/strong.md"), "--json"
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["score"] == 100


def test_a_report_is_printed_as_text() -> None:
    done = run("courses.grading", "grade", str(EXERCISE), str(EXERCISE / "refs/weak.md"))
    assert done.returncode == 0
    assert "not passed" in done.stdout
    assert "not held:" in done.stdout


def test_a_file_that_is_no_text_gives_one_sentence_and_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_bytes(b"\xff\xfe\x00")
    done = run("courses.grading", "grade", str(EXERCISE), str(bad))
    assert done.returncode == 2
    assert done.stderr.strip() == f"{bad} is not UTF-8 text. Nothing was graded; save it as UTF-8."


def test_a_folder_without_an_exercise_gives_one_sentence_and_2(tmp_path: Path) -> None:
    done = run("courses.grading", "grade", str(tmp_path), str(EXERCISE / "refs/weak.md"))
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_prompts_are_read_row_by_row(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a", "prompt": "Reply in the customer\'s language."}\n\n', "utf-8")
    done = run("courses.simulators.prompts", "read", str(EXERCISE), "--in", str(rows))
    assert done.returncode == 0
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert row["id"] == "a"
    assert row["verdicts"]["reply-language"]["verdict"] == "met"
    assert set(row["verdicts"]["reply-language"]) == {"verdict", "best", "confidence", "line"}


def test_a_row_that_is_no_object_is_named(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a"}\n', "utf-8")
    done = run("courses.simulators.prompts", "read", str(EXERCISE), "--in", str(rows))
    assert done.returncode == 2
    assert done.stderr.startswith("Line 1 of")
