"""Each contract between the layers is proved by planting a violation that it must find."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# contract, the module that breaks it, what it imports
VIOLATIONS = [
    ("arrows", "courses/planted_upward.py", "import exams.receipt_clock\n"),
    ("arrows", "exams/planted_upward.py", "import credentials.apps\n"),
    ("arrows", "platform/checkride/jobs/planted_upward.py", "import courses.exercise_files\n"),
    ("arrows", "platform/checkride/lib/planted_upward.py", "import checkride.accounts.roles\n"),
    ("credentials-door", "credentials/planted_door.py", "import exams.models\n"),
    ("exams-door", "exams/planted_door.py", "import courses.models\n"),
    ("pure", "courses/simulators/planted_django.py", "import django.conf\n"),
    ("pure", "exams/scoring/planted_jobs.py", "import checkride.jobs.queue\n"),
    ("pure", "credentials/openbadges/planted_redis.py", "import redis\n"),
    ("pure", "credentials/translog/planted_django.py", "import django.db\n"),
    ("engines", "courses/simulators/planted_grading.py", "import courses.grading.contract\n"),
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


def contracts() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {row["id"]: row["name"] for row in settings["tool"]["importlinter"]["contracts"]}


def lint(folder: Path) -> str:
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
        env={**os.environ, "COLUMNS": "300", "NO_COLOR": "1"},
    ).stdout


@pytest.fixture(scope="module")
def report(copy: Path) -> str:
    """What import-linter says when every violation is planted at once; it takes seconds a run."""
    for _, file, code in VIOLATIONS:
        (copy / file).write_text(code)
    return lint(copy)


def section(report: str, contract: str) -> str:
    """The part of the report on one broken contract: from its heading to the next contract's."""
    _, _, broken = report.partition("Broken contracts")
    names = contracts()
    start = broken.index(names[contract])
    ends = [broken.find(name, start + 1) for other, name in names.items() if other != contract]
    return broken[start : min((end for end in ends if end > start), default=len(broken))]


def test_the_layers_hold(copy: Path) -> None:
    """Asked before anything is planted: the fixtures run in this order."""
    assert "0 broken" in lint(copy)


@pytest.mark.parametrize(("contract", "file", "code"), VIOLATIONS)
def test_a_planted_violation_is_found(report: str, contract: str, file: str, code: str) -> None:
    module = file.removeprefix("platform/").removesuffix(".py").replace("/", ".")

    assert module in section(report, contract)
