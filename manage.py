#!/usr/bin/env python
"""Django's command line, with the embedded database when none is configured."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit("Django is not installed here. Run “make setup” and try again.") from error
    from checkride.embedded import servers
    from checkride.embedded.children import CannotStart
    from checkride.embedded.places import places

    try:
        with servers.running(places()):
            execute_from_command_line(sys.argv)
    except CannotStart as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
