"""From a page in HTML to a PDF, in a process of its own with limits on time and memory.

A name that a font cannot set, or a mistake in the layout engine, costs one PDF and not a web
process. The child (`checkride.lib.typesetter`) imports nothing of the site and gets none of its secrets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CHILD = Path(__file__).resolve().parent / "typesetter.py"
_SECONDS = 30
# What the child needs of the environment: no secret of the site is among it.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE")


@dataclass(frozen=True, slots=True)
class Attached:
    """A text that travels inside the PDF as a file of its own."""

    name: str
    description: str
    text: str


class NotPrinted(Exception):
    """The child was stopped by a limit or failed; the text says how."""


def pdf(page: str, *, style: str, fonts: Path, attached: Sequence[Attached] = ()) -> bytes:
    """The page as PDF/UA, set with the fonts in `fonts`. Raises `NotPrinted`."""
    wanted = {
        "page": page,
        "style": style,
        "attached": [(one.name, one.description, one.text) for one in attached],
    }
    try:
        done = subprocess.run(
            # -I: neither the environment nor the current folder adds modules to the child's.
            [sys.executable, "-I", str(_CHILD), str(fonts)],
            input=json.dumps(wanted).encode("utf-8"),
            capture_output=True,
            timeout=_SECONDS,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise NotPrinted(f"It took more than {_SECONDS} seconds.") from error
    except subprocess.CalledProcessError as error:
        raise NotPrinted(error.stderr.decode("utf-8", "replace")[-2000:]) from error
    if not done.stdout.startswith(b"%PDF-"):
        raise NotPrinted("What came out is no PDF.")
    return done.stdout
