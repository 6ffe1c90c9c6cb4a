"""`make check`: everything that can be found wrong without running the product.

Each check is a command; they run two at a time, and every one is reported even if another failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
PYTHON = str(BIN / "python")
CODE = ["platform", "courses", "exams", "credentials", "tests", "benchmarks", "tools", "manage.py"]
TEMPLATES = ["platform/checkride", "courses/templates", "exams/templates", "credentials/templates"]

# What a production host would set; nothing is contacted by the checks that read it.
PRODUCTION = {
    "CHECKRIDE_MODE": "production",
    "SITE_URL": "https://checkride.example",
    "SECRET_KEY": "only-for-the-deployment-check-" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "REDIS_URL": "redis://localhost:6379/0",
    "TRUSTED_PROXIES": "1",
}

Check = tuple[str, list[str], dict[str, str]]

CHECKS: list[Check] = [
    ("types (mypy strict)", [str(BIN / "mypy")], {}),
    ("style (ruff)", [str(BIN / "ruff"), "check", "--quiet", *CODE], {}),
    ("format (ruff)", [str(BIN / "ruff"), "format", "--check", "--quiet", *CODE], {}),
    ("layers (import-linter)", [str(BIN / "lint-imports"), "--no-cache"], {}),
    ("templates (djlint)", [str(BIN / "djlint"), "--lint", "--quiet", *TEMPLATES], {}),
    ("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run", "-v", "0"], {}),
    (
        "deployment (check --deploy)",
        [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        PRODUCTION,
    ),
    ("lock files", [PYTHON, "tools/locks.py", "--check"], {}),
    ("content", [PYTHON, "-m", "courses.authoring", "check"], {}),
]


def run(check: Check) -> tuple[str, bool, str, float]:
    name, command, environment = check
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "VIRTUAL_ENV": str(ROOT / ".venv"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return name, done.returncode == 0, done.stdout, time.monotonic() - began


def main() -> int:
    failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, passed, output, seconds in pool.map(run, CHECKS):
            print(f"check: {'ok    ' if passed else 'FAILED'} {name} ({seconds:.1f} s)", flush=True)
            if not passed:
                failed += 1
                print("\n".join(output.strip().splitlines()[-60:]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
