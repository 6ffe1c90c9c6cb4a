"""`make bench`: run every benchmark, or one, and print `name value unit (against what)`.

    python -m benchmarks [NAME]

A benchmark is a module in this folder with `NAMES`, the names of the lines it prints, and
`main()`, which prints them. NAME is a line's name, or a module's for all of its lines.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names_in(module: Path) -> tuple[str, ...]:
    """`NAMES` of a benchmark, read without importing it: imports take longer than some benchmarks."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NAMES":
            names: tuple[str, ...] = ast.literal_eval(node.value)
            return names
    return ()


def main(arguments: list[str]) -> int:
    only = arguments[0] if arguments else ""
    modules = [path for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("_")]
    known = {path: names_in(path) for path in modules}
    chosen = [path for path in modules if not only or only == path.stem or only in known[path]]
    if not chosen:
        names = sorted(name for path in modules for name in known[path])
        print(f"There is no benchmark “{only}”. There are: {', '.join(names)}.", file=sys.stderr)
        return 2
    failed = False
    for path in chosen:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{path.stem}"],
            capture_output=True,
            text=True,
            check=False,
        )
        failed |= done.returncode != 0
        sys.stderr.write(done.stderr)
        for line in done.stdout.splitlines():
            if not only or only == path.stem or line.split(" ", 1)[0] == only:
                print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
