"""`make serve`: bring up every part of the product on this machine, and take it all down again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from checkride.embedded import children, servers
from checkride.embedded.children import CannotStart
from checkride.embedded.places import ROOT, Places, places

READY_SECONDS = 150

SIGNER = "-m credentials.signer"
# --preload: the pages and the catalogue are read once, before the workers are forked.
WEB = (
    "-m gunicorn checkride.wsgi --bind 127.0.0.1:{port} --preload --workers 2 --threads 4 "
    "--timeout 60 --log-level warning"
)
WORKER = (
    "-m celery --quiet -A checkride worker --beat --concurrency 2 --loglevel WARNING "
    "--without-gossip --without-mingle"
)


@dataclass(slots=True)
class Part:
    """A running part: its name for the terminal and how it is asked to end."""

    name: str
    child: subprocess.Popen[bytes]
    stop: signal.Signals = signal.SIGTERM


class Stopped(Exception):
    """The person at the terminal, or the system, asked us to end."""


def serve(where: Places, port: int) -> int:
    """Start everything, print the address, wait; the exit status."""
    _refuse_taken_port(port)
    # A line per request would bury the address; LOG_LEVEL=INFO brings them back.
    environment = {"LOG_LEVEL": "WARNING", **os.environ, "PYTHONUNBUFFERED": "1"}
    # Celery warns against root for its pickle format, which we do not use: jobs are rows.
    environment.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    parts: list[Part] = []
    try:
        if not os.environ.get("DATABASE_URL"):
            _refuse_second_start(where)
            parts.append(Part("database", servers.start_postgres(where), signal.SIGINT))
        if not os.environ.get("REDIS_URL"):
            parts.append(Part("redis", servers.start_redis(where)))
        servers.make_folders(where)
        _prepare(environment)
        # The signer makes its key on first start, before anything wants a signature.
        parts.append(_python_part("signer", SIGNER.split(), environment))
        parts.append(_python_part("web", WEB.format(port=port).split(), environment))
        worker = [*WORKER.split(), "--schedule", str(where.var / "beat")]
        parts.append(_python_part("worker", worker, environment))
        _wait_until_ready(port, parts)
        _welcome(port)
        return _watch(parts)
    except Stopped:
        return 0
    finally:
        for part in reversed(parts):
            children.stop(part.child, part.stop)
        print("checkride: everything is stopped.", flush=True)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CannotStart(
                f"Something already listens on port {port}. Stop it, or choose another one: "
                "PORT=8123 make serve"
            ) from None


def _refuse_second_start(where: Places) -> None:
    if servers.answers(where.run / ".s.PGSQL.5432"):
        raise CannotStart(
            f"Checkride already runs on the data in {where.var}. Use that one, or stop it first."
        )


def _prepare(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "prepare"], env=dict(environment), check=False
    )
    if done.returncode:
        raise CannotStart("The database could not be prepared; the reason stands above.")


def _python_part(name: str, arguments: list[str], environment: Mapping[str, str]) -> Part:
    read, write = os.pipe()
    child = children.start([sys.executable, *arguments], environment=environment, output=write)
    os.close(write)
    threading.Thread(target=_echo, args=(name, os.fdopen(read, "rb")), daemon=True).start()
    return Part(name, child)


def _echo(name: str, lines: IO[bytes]) -> None:
    for line in lines:
        text = line.decode(errors="replace").rstrip()
        print(f"{name:>8} | {text}", flush=True)


def _wait_until_ready(port: int, parts: list[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        _complain_about_the_dead(parts)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise CannotStart(f"The site did not answer within {READY_SECONDS} s.") from None
            time.sleep(0.1)


def _complain_about_the_dead(parts: list[Part]) -> None:
    for part in parts:
        status = part.child.poll()
        if status is not None:
            raise CannotStart(
                f"The part “{part.name}” ended by itself (status {status}). See above."
            )


def _watch(parts: list[Part]) -> int:
    while True:
        time.sleep(0.5)
        _complain_about_the_dead(parts)


def _welcome(port: int) -> None:
    # A name, not a number: browsers offer passkeys to names only.
    site = os.environ.get("SITE_URL", f"http://localhost:{port}")
    print(
        f"""
    Checkride runs at  {site}

    To try it:  learner     learner@checkride.example     {DEMO_PASSPHRASE}
                instructor  instructor@checkride.example  {DEMO_PASSPHRASE}
                officer     officer@checkride.example     {DEMO_PASSPHRASE}
                employer    needs no account: {site}/verify/

    Mail it sends is at {site}/dev/mailbox/    Ctrl-C stops everything.
""",
        flush=True,
    )


# Of a development installation on one's own machine; `manage.py prepare` makes the accounts there only.
DEMO_PASSPHRASE = "three lanterns at dusk"  # noqa: S105


def _stop(number: int, frame: object) -> None:
    raise Stopped


def main() -> int:
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    os.chdir(ROOT)
    try:
        return serve(places(), int(os.environ.get("PORT") or "8000"))
    except CannotStart as error:
        print(f"checkride: {error}", file=sys.stderr)
        return 1
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())
