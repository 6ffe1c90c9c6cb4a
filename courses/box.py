"""The box: the only code that starts grading processes.

What a learner hands in is data, and still it is parsed and run by code of ours. So it is graded in
processes that have nothing to lose (`courses.box_child`): no secrets in the environment, no
network, no other people's files, little memory. They are kept warm; one that takes too long or
dies is replaced, and costs its own submission one clear sentence and nobody else anything.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import struct
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings

from checkride.lib.errors import DomainError
from courses.grading.contract import (
    GradeReport,
    GradeRequest,
    report_from_json,
    request_to_json,
)

Json = Any

DEADLINE_S = 10.0
START_DEADLINE_S = 60.0
MAX_REPLY_BYTES = 16 * 1024 * 1024
REQUESTS_PER_PROCESS = 1000

_ROOT = Path(__file__).resolve().parent.parent
_CHILD = Path(__file__).with_name("box_child.py")
log = structlog.get_logger(__name__)


class GradingTookTooLong(DomainError):
    code = "grading-took-too-long"
    sentence = (
        "Grading this text took longer than {seconds} seconds and was stopped. "
        "Your text is saved. Shorten or simplify it and run it again."
    )


class GradingNeededTooMuch(DomainError):
    code = "grading-needed-too-much"
    sentence = (
        "Grading this text needed more memory or output than one run may use. "
        "Your text is saved. Shorten or simplify it and run it again."
    )


class GradingStopped(DomainError):
    code = "grading-stopped"
    sentence = (
        "The grader stopped while it worked on this text. Your text is saved. "
        "Run it again; if it stops again, tell us, since the fault is ours."
    )


class GraderFailed(DomainError):
    code = "grader-failed"
    sentence = (
        "The grader could not work on this text; the fault is ours and is recorded. "
        "Your text is saved. Change it a little and run it again."
    )


class GradersBusy(DomainError):
    code = "graders-busy"
    sentence = (
        "All graders are busy at this moment. Your text is saved, and nothing was counted. "
        "Try again in a moment."
    )


class Refused(DomainError):
    """The grader itself refused, in its own words."""

    code = "refused-by-grader"
    sentence = "{sentence}"


def grade(request: GradeRequest) -> GradeReport:
    """Grade one submission in the box.

    Raises `GradingTookTooLong`, `GradingNeededTooMuch`, `GradingStopped`, `GraderFailed`,
    `GradersBusy` or `Refused`; each is a sentence for the learner.
    """
    return report_from_json(default_pool().call("grade", request))


def read(request: GradeRequest) -> Json:
    """How the submission is understood, as JSON of its kind; raises what `grade` raises."""
    return default_pool().call("read", request)


def prepare() -> None:
    """Start a grader in the background if none is warm yet; returns at once.

    A page that will soon ask for a grade calls it, so that the first run need not wait.
    """
    default_pool().prepare()


class _Process:
    """One warm process and its two pipes. Used by one thread at a time."""

    def __init__(
        self,
        engine: str,
        warm: Sequence[GradeRequest],
        paths: Sequence[Path],
        child: Path = _CHILD,
    ) -> None:
        to_child, self._requests = os.pipe()
        self._replies, from_child = os.pipe()
        setup = {
            "engine": engine,
            "warm": [request_to_json(request) for request in warm],
            "paths": [str(path) for path in paths],
            "readable": _readable(paths),
        }
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-B", str(child), str(to_child), str(from_child)],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(to_child, from_child),
                start_new_session=True,
            )
        finally:
            os.close(to_child)
            os.close(from_child)
        self.served = 0
        deadline = time.monotonic() + START_DEADLINE_S
        try:
            # By the pipe, since an argument may hold 128 kB and the exercises to warm up with more.
            self._send(_framed(setup), deadline)
            reply = self._receive(deadline)
        except _OutOfTime:
            self.close()
            log.warning("box.start_too_slow", seconds=START_DEADLINE_S)
            raise GradersBusy from None
        except DomainError as problem:
            self.close()
            log.error("box.start_failed", why=problem.code)
            raise GraderFailed from None
        if not reply["ok"]:
            self.close()
            log.error("box.start_failed", trace=reply["trace"])
            raise GraderFailed
        self.protections: dict[str, bool] = reply["value"]

    @property
    def is_alive(self) -> bool:
        return self._child.poll() is None

    def ask(self, op: str, request: GradeRequest, deadline_s: float) -> Json:
        self.served += 1
        deadline = time.monotonic() + deadline_s
        try:
            self._send(_framed({"op": op, "request": request_to_json(request)}), deadline)
            return self._receive(deadline)
        except _OutOfTime:
            raise GradingTookTooLong(seconds=f"{deadline_s:g}") from None

    def _send(self, data: bytes, deadline: float) -> None:
        os.set_blocking(self._requests, False)
        rest = memoryview(data)
        while rest:
            _wait(deadline, writing=self._requests)
            try:
                rest = rest[os.write(self._requests, rest) :]
            except BrokenPipeError:
                raise GradingStopped from None

    def _receive(self, deadline: float) -> Json:
        size = struct.unpack(">I", self._exactly(4, deadline))[0]
        if size > MAX_REPLY_BYTES:
            raise GradingNeededTooMuch
        return json.loads(self._exactly(size, deadline))

    def _exactly(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            _wait(deadline, reading=self._replies)
            part = os.read(self._replies, min(1 << 20, size - len(parts)))
            if not part:
                raise GradingStopped
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Kill the process and everything it may have started."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._requests, self._replies):
            os.close(pipe)


def _framed(message: Json) -> bytes:
    """A message as it goes through the pipe: its length in four bytes, and JSON."""
    body = json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body


class _OutOfTime(Exception):
    """The deadline passed while waiting for a pipe."""


def _wait(deadline: float, *, reading: int = -1, writing: int = -1) -> None:
    poller = select.poll()  # not select(): descriptors may be above 1,023
    if reading >= 0:
        poller.register(reading, select.POLLIN)
    if writing >= 0:
        poller.register(writing, select.POLLOUT)
    left_s = deadline - time.monotonic()
    if left_s <= 0 or not poller.poll(left_s * 1000):
        raise _OutOfTime


def _readable(paths: Sequence[Path]) -> list[str]:
    """Where a grader may read: Python, its libraries and the code of the graders."""
    ours = [_ROOT / "courses", _ROOT / "platform" / "checkride"]
    python = [
        sys.prefix,
        sys.base_prefix,
        sysconfig.get_path("stdlib"),
        "/usr/lib",
        "/lib",
        "/lib64",
    ]
    extra = [path for path in paths if path not in (_ROOT, _ROOT / "platform")]
    return sorted({str(path) for path in [*ours, *python, *extra]})


class Pool:
    """Warm processes, at most `size`, started when they are first needed."""

    def __init__(
        self,
        *,
        size: int,
        engine: str = "courses.grading",
        warm: Sequence[GradeRequest] = (),
        deadline_s: float = DEADLINE_S,
        extra_paths: Sequence[Path] = (),
        child: Path = _CHILD,
    ) -> None:
        self._engine = engine
        self._child = child
        self._warm = tuple(warm)
        self._deadline_s = deadline_s
        self._paths = (*extra_paths, _ROOT, _ROOT / "platform")
        self._free = threading.BoundedSemaphore(size)
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._preparing = threading.Lock()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(self, op: str, request: GradeRequest) -> Json:
        """Have one process do `op` ("grade" or "read"); raises the errors named in `grade`."""
        if not self._free.acquire(timeout=self._deadline_s):
            raise GradersBusy
        try:
            process = self._take()
            try:
                reply = process.ask(op, request, self._deadline_s)
                value = _value(reply)
            except (GradingTookTooLong, GradingStopped, GradingNeededTooMuch) as problem:
                log.warning("box.replaced", why=problem.code, kind=request.kind)
                process.close()
                raise
            except DomainError:
                self._give_back(process)
                raise
            except BaseException:
                process.close()
                raise
            self._give_back(process)
            return value
        finally:
            self._free.release()

    def prepare(self) -> None:
        """Have one process started by a thread of its own, unless there is one or one is coming."""
        if self._idle or not self._preparing.acquire(blocking=False):
            return
        threading.Thread(target=self._prepare, name="box-prepare", daemon=True).start()

    def _prepare(self) -> None:
        try:
            self._give_back(self._take())
        except DomainError as problem:
            log.warning("box.prepare_failed", why=problem.code)
        finally:
            self._preparing.release()

    def protections(self) -> dict[str, bool]:
        """What the system let a process give up, by name."""
        process = self._take()
        self._give_back(process)
        return dict(process.protections)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _take(self) -> _Process:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return _Process(self._engine, self._warm, self._paths, self._child)
            if process.is_alive:
                return process
            process.close()

    def _give_back(self, process: _Process) -> None:
        if process.served >= REQUESTS_PER_PROCESS:
            process.close()
            return
        with self._lock:
            self._idle.append(process)


def _value(reply: Json) -> Json:
    if reply["ok"]:
        return reply["value"]
    if reply.get("memory"):
        raise GradingNeededTooMuch
    if reply.get("sentence"):
        raise Refused(sentence=reply["sentence"])
    log.error("box.grader_failed", trace=reply["trace"])
    raise GraderFailed


def default_pool() -> Pool:
    """The pool of this process, with as many graders as `BOX_WORKERS` says."""
    # A fork inherits neither threads nor a right to the parent's pipes: each process has its own.
    return _pool_of(os.getpid())


@lru_cache(maxsize=1)
def _pool_of(_pid: int) -> Pool:
    pool = Pool(size=settings.BOX_WORKERS, warm=_warm_requests())
    atexit.register(pool.close)
    return pool


def _warm_requests() -> tuple[GradeRequest, ...]:
    """One exercise of each kind with a good answer, so that a process loads all it will need."""
    from courses import catalog

    found: dict[str, GradeRequest] = {}
    for exercise in catalog.curriculum().exercises():
        references = exercise.document.get("references") or {}
        answer = references.get("strong") or next(iter(references.values()), "")
        found.setdefault(
            exercise.kind,
            GradeRequest(kind=exercise.kind, exercise=exercise.document, submission=answer),
        )
    return tuple(found.values())
