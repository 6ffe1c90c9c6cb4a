"""`make serve` comes up, goes down whole, and comes up again whatever happened to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkride.embedded import children, servers
from checkride.embedded.places import Places, places

ROOT = Path(__file__).resolve().parents[3]

# Beside the other tests that bring up the whole product, so that only one does so at a time.
pytestmark = pytest.mark.xdist_group("live_site")


@pytest.fixture
def where() -> Iterator[Places]:
    chosen = places(f"var-test/serve-{os.getpid()}")
    yield chosen
    subprocess.run(["rm", "-rf", str(chosen.var), str(chosen.run)], check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(where: Places, port: int, **settings: str) -> subprocess.Popen[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL"}
    }
    environment |= {"CHECKRIDE_VAR": str(where.var), "PORT": str(port), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "checkride.embedded.serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_it_answers(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)


def greeting_of(process: subprocess.Popen[str]) -> str:
    """What it prints up to the end of its greeting; it answers requests a moment earlier."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C stops everything" in line:
            return "".join(lines)
    raise AssertionError(f"it ended without a greeting: {lines}")


def descendants(process: subprocess.Popen[str]) -> list[int]:
    """Every process below this one, read from /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [process.pid]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found[1:]


def alive(pids: list[int]) -> list[int]:
    living = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            living.append(pid)
    return living


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 30
    while alive(pids):
        assert time.monotonic() < deadline, f"still there: {alive(pids)}"
        time.sleep(0.1)


def test_it_comes_up_again_after_kill_9_and_ctrl_c_leaves_nothing(where: Places) -> None:
    port = free_port()
    first = start(where, port)
    wait_until_it_answers(port, first)
    parts = descendants(first)
    assert len(parts) >= 6, "database, Redis, signer, web, worker and their children"

    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    wait_until_gone(parts)

    second = start(where, port)
    greeting = greeting_of(second)
    parts = descendants(second)
    second.send_signal(signal.SIGINT)
    rest, _ = second.communicate(timeout=60)

    assert second.returncode == 0
    assert alive(parts) == []
    assert f"http://localhost:{port}" in greeting
    assert "learner@checkride.example" in greeting
    assert "everything is stopped" in rest


def test_a_database_and_a_redis_of_ones_own_replace_the_embedded_ones(where: Places) -> None:
    own = Places(var=where.var / "own", run=where.run / "own")
    database = servers.start_postgres(own)
    redis = servers.start_redis(own)
    port = free_port()
    try:
        site = start(where, port, DATABASE_URL=own.database_url, REDIS_URL=own.redis_url)
        wait_until_it_answers(port, site)
        assert not (where.var / "postgresql" / "PG_VERSION").exists()
        assert not servers.answers(where.redis_socket)
        site.send_signal(signal.SIGINT)
        site.communicate(timeout=60)
        assert servers.answers(own.run / ".s.PGSQL.5432"), "what it did not start it does not stop"
    finally:
        children.stop(redis, signal.SIGTERM)
        children.stop(database, signal.SIGINT)


def test_a_taken_port_is_a_sentence(where: Places) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(where, taken.getsockname()[1])
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "Something already listens on port" in output
    assert "PORT=8123 make serve" in output
    assert "Traceback" not in output
