"""Who graded: a digest over everything a grade depends on.

The digest covers the source bytes of the modules and data files used, the Python version's first
two numbers and the exercise's canonical JSON. Two reports with one digest came from the same
grader and the same exercise, and the same submission must give the same report.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from checkride.lib.canonical import canonical_json

Json = Any
_ROOT: Final = Path(__file__).resolve().parents[2]
_SUFFIXES: Final = frozenset({".py", ".txt", ".json", ".yaml", ".npz"})


@lru_cache(maxsize=16)
def sources_digest(places: tuple[str, ...]) -> str:
    """SHA-256 over the files in `places` (files or folders, relative to the repository), in order
    of their path; names count as well as bytes."""
    files: set[Path] = set()
    for place in places:
        path = _ROOT / place
        if path.is_dir():
            files.update(one for one in path.rglob("*") if one.suffix in _SUFFIXES)
        else:
            files.add(path)
    total = hashlib.sha256()
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(_ROOT).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def grader_digest(places: Iterable[str], exercise: Mapping[str, Json]) -> str:
    """64 hexadecimal digits for this grader on this exercise."""
    total = hashlib.sha256()
    total.update(sources_digest(tuple(places)).encode())
    total.update(f"python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    total.update(canonical_json(dict(exercise)))
    return total.hexdigest()
