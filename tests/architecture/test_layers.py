"""Each contract between the layers is proved by planting a violation that it must find."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VIOLATIONS = [
    ("arrows", "courses/planted.py", "import exams.receipt_clock\n"),
    ("arrows", "exams/planted.py", "import credentials.apps\n"),
    ("arrows", "platform/checkride/jobs/planted.py", "import courses.exercise_files\n"),
    ("arrows", "platform/checkride/lib/planted.py", "import checkride.accounts.roles\n"),
    ("credentials-door", "credentials/planted.py", "import exams.models\n"),
    ("exams-door", "exams/planted.py", "import courses.models\n"),
    ("pure", "courses/simulators/planted.py", "import django.conf\n"),
    ("pure", "exams/scoring/planted.py", "import checkride.jobs.queue\n"),
    ("pure", "credentials/openbadges/planted.py", "import redis\n"),
    ("engines", "courses/simulators/planted.py", "import courses.grading.contract\n"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code without its data, so that planting does not touch the checkout."""
    folder = tmp_path_factory.mktemp("layers")
    keep_code = shutil.ignore_patterns(
        "node_modules", "__pycache__", "static", "templates", "content", "frontend", "*.yaml"
    )
    for name in ("platform", "courses", "exams", "credentials"):
        shutil.copytree(ROOT / name, folder / name, ignore=keep_code)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[1] + '/platform'];"
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_layers_hold(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "code"), VIOLATIONS)
def test_a_planted_violation_is_found(copy: Path, contract: str, file: str, code: str) -> None:
    planted = copy / file
    planted.write_text(code)
    try:
        result = lint(copy)
    finally:
        planted.unlink()

    assert result.returncode == 1
    assert "planted" in result.stdout
