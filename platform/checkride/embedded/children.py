"""Start a child process that cannot outlive us, and stop it."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class CannotStart(Exception):
    """An embedded part did not start; the text is a sentence for the person at the terminal."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom a root process becomes before it runs PostgreSQL, which refuses to run as root."""
    if os.getuid() != 0:
        return None
    return pwd.getpwnam("nobody")


def _before_exec(user: pwd.struct_passwd | None, stop: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        # Its own group: Ctrl-C reaches only the supervisor, which stops its children in order.
        os.setpgid(0, 0)
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        # After the change of user, which would clear it.
        _libc.prctl(_PR_SET_PDEATHSIG, stop)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def start(
    command: Sequence[str | Path],
    *,
    stop: signal.Signals = signal.SIGTERM,
    user: pwd.struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command`; the kernel sends it `stop` when this process dies, however it dies."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=dict(environment) if environment is not None else None,
        preexec_fn=_before_exec(user, stop),
    )


def stop(child: subprocess.Popen[bytes], how: signal.Signals, *, seconds: float = 8) -> None:
    """Ask the child to end, and end it when it has not done so in time."""
    if child.poll() is not None:
        return
    child.send_signal(how)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
