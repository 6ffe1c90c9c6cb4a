"""Start the parts of the product on data of their own, kill them, start them again.

Only processes that this module started, or children of those, are ever killed: each is held by a
file descriptor before its parent is checked, so a number that was given to somebody else meanwhile
cannot be hit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg

from checkride.embedded import children, servers
from checkride.embedded.children import CannotStart
from checkride.embedded.places import ROOT, Places, places

Part = Literal["postgres", "redis", "web", "worker"]
Fault = Literal["postgres", "backend", "redis", "web", "web-worker", "worker"]

WEB = (
    "-m gunicorn checkride.wsgi --bind 127.0.0.1:{port} --preload --workers 2 --threads {threads} "
    "--timeout 60 --log-level error"
)
WORKER = (
    "-m celery --quiet -A checkride worker --beat --concurrency 2 --loglevel ERROR "
    "--without-gossip --without-mingle"
)
READY_SECONDS = 400


class NotOurs(Exception):
    """A process that was about to be killed is no child of what this harness started."""


@dataclass(frozen=True, slots=True)
class Kill:
    """What was killed, and how long it took until the part answered again, in seconds."""

    fault: Fault
    back_after_s: float


class Installation:
    """The parts, on a fresh data folder below `var-hall/` that is removed at the end.

    `database_settings` are written with ALTER SYSTEM before anything connects. `parts` are started
    in order. `faketime`, like `+2h`, gives the web process another wall clock (libfaketime).
    """

    def __init__(
        self,
        *,
        parts: tuple[Part, ...] = ("postgres", "redis", "web", "worker"),
        database_settings: Mapping[str, str] | None = None,
        threads: int = 12,
    ) -> None:
        self.where: Places = places(ROOT / "var-hall" / str(os.getpid()))
        self.port = _free_port()
        self._parts = parts
        self._database_settings = dict(database_settings or {})
        self._threads = threads
        self._running: dict[Part, subprocess.Popen[bytes]] = {}
        self.faketime = ""

    @property
    def environment(self) -> dict[str, str]:
        elsewhere = {"DATABASE_URL", "REDIS_URL", "SITE_URL", "DJANGO_SETTINGS_MODULE"}
        ours = {
            "CHECKRIDE_VAR": str(self.where.var),
            "CHECKRIDE_MODE": "development",
            "PORT": str(self.port),
            "LOG_LEVEL": "ERROR",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        }
        return {name: value for name, value in os.environ.items() if name not in elsewhere} | ours

    def __enter__(self) -> Installation:
        try:
            servers.make_folders(self.where)
            self._start("postgres")
            for name, value in self._database_settings.items():
                with self.database() as connection:
                    connection.execute(f"ALTER SYSTEM SET {name} = {value}")  # type: ignore[call-overload]
                    connection.execute("SELECT pg_reload_conf()")
            self._start("redis")
            self.run("manage.py", "prepare")
            for part in self._parts:
                if part not in self._running:
                    self._start(part)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for part in ("worker", "web"):
            child = self._running.pop(part, None)  # type: ignore[call-overload]
            if child is not None:
                children.stop(child, signal.SIGTERM)
        for part in ("redis", "postgres"):
            child = self._running.pop(part, None)  # type: ignore[call-overload]
            if child is not None:
                children.stop(child, signal.SIGINT)
        shutil.rmtree(self.where.var, ignore_errors=True)

    def run(self, *command: str) -> str:
        """Run a Python program of the repository on this installation; what it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def database(self) -> psycopg.Connection[Any]:
        """A connection of our own: what the product says is compared with what is there."""
        return psycopg.connect(
            host=str(self.where.run), user="checkride", dbname="checkride", autocommit=True
        )

    def processor_s(self, part: Part) -> float:
        """Processor time that a part and its children have used so far, in seconds."""
        pids = [self._running[part].pid]
        for pid in pids:
            pids += _children_of(pid)
        return sum(map(_processor_s, pids))

    # Faults ---------------------------------------------------------------------------------

    def kill(self, fault: Fault, *, chance: random.Random) -> Kill:
        """`kill -9`, then start the part again and wait until it answers.

        To be called from the thread that made the installation: the kernel ends a child whose
        starting thread has ended.
        """
        began = time.monotonic()
        match fault:
            case "backend":
                self._kill_child("postgres", chance, named=b"postgres: checkride checkride")
                self._wait("PostgreSQL", self._database_answers)
            case "web-worker":
                self._kill_child("web", chance, named=b"gunicorn")
                self._wait("web", self._web_answers)
            case _:
                child = self._running.pop(fault)
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                self._start(fault)
        return Kill(fault, time.monotonic() - began)

    def _kill_child(self, part: Part, chance: random.Random, *, named: bytes) -> None:
        parent = self._running[part].pid
        candidates = [pid for pid in _children_of(parent) if named in _command_of(pid)]
        if candidates:
            _kill_if_child(chance.choice(candidates), parent)

    def restart_web(self, faketime: str) -> None:
        """End the web process in good order and start it with another wall clock."""
        child = self._running.pop("web", None)
        if child is not None:
            children.stop(child, signal.SIGTERM)
        self.faketime = faketime
        self._start("web")

    # Starting -------------------------------------------------------------------------------

    def _start(self, part: Part) -> None:
        match part:
            case "postgres":
                # After a kill its memory may still be held by children that are just ending.
                self._running[part] = _patiently(lambda: servers.start_postgres(self.where))
            case "redis":
                self._running[part] = _patiently(lambda: servers.start_redis(self.where))
            case "web":
                environment = self.environment | self._other_clock()
                command = WEB.format(port=self.port, threads=self._threads)
                self._running[part] = self._python(part, command.split(), environment)
                self._wait("web", self._web_answers)
            case "worker":
                command = f"{WORKER} --schedule {self.where.var / 'beat'}"
                self._running[part] = self._python(part, command.split(), self.environment)

    def _other_clock(self) -> dict[str, str]:
        if not self.faketime:
            return {}
        library = faketime_library()
        if library is None:
            raise CannotStart("libfaketime is not installed (Debian: faketime).")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME": self.faketime,
            # The wall clock only: a process whose monotonic clock jumps is no real machine.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def _python(
        self, part: Part, arguments: list[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with (self.where.var / f"{part}.log").open("ab") as log:
            return children.start([sys.executable, *arguments], environment=environment, output=log)

    def _wait(self, what: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers():
            if time.monotonic() > deadline:
                raise CannotStart(f"{what} did not come back within {READY_SECONDS} s.")
            time.sleep(0.05)

    def _web_answers(self) -> bool:
        child = self._running["web"]
        if child.poll() is not None:
            log = (self.where.var / "web.log").read_text(errors="replace")
            raise CannotStart(f"The web process ended by itself:\n{log[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=2):
                return True
        except OSError:
            return False

    def _database_answers(self) -> bool:
        try:
            with self.database() as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


def faketime_library() -> Path | None:
    """Where Debian keeps libfaketime, if it is installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def _patiently(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return start()
        except (CannotStart, subprocess.CalledProcessError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _children_of(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task")
    found: list[int] = []
    for task in tasks.iterdir() if tasks.exists() else ():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime and those of children that have ended: fields 14 to 17 of proc(5).
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return b""


def _kill_if_child(pid: int, parent: int) -> None:
    """`kill -9` one process, if it is still a child of `parent`; raises `NotOurs` otherwise."""
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid not in _children_of(parent):
            raise NotOurs(f"Process {pid} is no child of {parent}; it was left alone.")
        signal.pidfd_send_signal(held, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(held)
