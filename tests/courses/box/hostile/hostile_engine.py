"""A grader that does what it is told, with the worst intentions. Runs inside the box only."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any

from checkride.lib.errors import DomainError
from courses.grading.contract import Grader, GradeReport, GradeRequest


class NotToday(DomainError):
    code = "not-today"
    sentence = "This grader does not work on {day}."


def read_submission(request: GradeRequest) -> Any:
    return {"echo": request.submission}


def grade(request: GradeRequest) -> GradeReport:
    deed, _, argument = request.submission.partition(" ")
    finding = str(DEEDS[deed](argument))
    return GradeReport(
        kind=request.kind,
        score=50,
        passed=False,
        finding=finding,
        criteria=(),
        cases=(),
        grader=Grader(name="hostile", version="1", digest="0" * 64),
    )


def tried(deed: Any) -> str:
    try:
        return f"done: {deed()}"
    except OSError as problem:
        return f"refused: {type(problem).__name__}"


def memory(_: str) -> str:
    return str(len(bytearray(8 * 1024**3)))


def loop(_: str) -> str:
    while True:
        pass


def print_without_end(_: str) -> str:
    while True:
        sys.stdout.write("x" * 65536)


def output(_: str) -> str:
    return "x" * (40 * 1024 * 1024)


def refuse(_: str) -> str:
    raise NotToday(day="Sunday")


DEEDS = {
    "behave": lambda _: f"behaved in {os.getpid()}",
    "socket": lambda _: tried(lambda: socket.create_connection(("127.0.0.1", 22), 1)),
    "fetch": lambda where: tried(lambda: urllib.request.urlopen(where, timeout=1)),
    "read": lambda path: tried(lambda: Path(path).read_bytes()[:40]),
    "write": lambda path: tried(lambda: Path(path).write_text("x")),
    "fork": lambda _: tried(os.fork),
    "run": lambda _: tried(lambda: os.execv("/bin/true", ["/bin/true"])),  # noqa: S606
    "kill": lambda pid: tried(lambda: os.kill(int(pid), 0)),
    "environ": lambda _: dict(os.environ),
    "memory": memory,
    "loop": loop,
    "print": print_without_end,
    "output": output,
    "exit": lambda _: os._exit(3),
    "crash": lambda _: {}["nothing"],
    "refuse": refuse,
}
