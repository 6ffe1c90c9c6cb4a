"""The embedded servers: shared by commands that overlap, whole again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkride.embedded import children, servers
from checkride.embedded.places import LONGEST_SOCKET_FOLDER, Places, places

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A data folder of its own under the checkout's var-test, which every user may enter."""
    name = f"var-test/embedded-{os.getpid()}"
    chosen = places(name)
    yield chosen
    subprocess.run(["rm", "-rf", str(chosen.var), str(chosen.run)], check=True)


def query(where: Places, statement: str) -> str:
    done = subprocess.run(
        [str(servers.postgres_binary("psql")), "-qAtX", where.database_url, "-c", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_what_was_committed_is_there_after_kill_9(where: Places) -> None:
    first = servers.start_postgres(where)
    query(where, "create table kept (n int); insert into kept values (42)")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()

    second = servers.start_postgres(where)
    try:
        assert query(where, "select n from kept") == "42"
    finally:
        children.stop(second, signal.SIGINT)


def test_children_end_when_their_parent_is_killed(where: Places) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/platform')\n"
        "from checkride.embedded import servers; from checkride.embedded.places import places\n"
        "child = servers.start_redis(places(sys.argv[2])); print(child.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(ROOT), str(where.var)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child_pid = int(parent.stdout.readline())
    descriptor = os.pidfd_open(child_pid)

    parent.kill()
    parent.wait()

    import select

    ended, _, _ = select.select([descriptor], [], [], 10)
    assert ended, "redis still runs although its parent was killed"


def test_a_deep_checkout_gets_a_short_folder_for_its_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("very" * 30) / "deep"

    assert len(str(places(deep).run)) <= LONGEST_SOCKET_FOLDER
    assert places(deep).run == places(deep).run
    assert places(deep).run != places(tmp_path / ("very" * 30) / "other").run


def test_a_command_by_hand_starts_and_stops_the_servers_it_needs(where: Places) -> None:
    environment = {**os.environ, "CHECKRIDE_VAR": str(where.var)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)

    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check", "--database", "default"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (where.database_data / "PG_VERSION").read_text().strip() == "18"
    assert not servers.answers(where.run / ".s.PGSQL.5432")
    assert not servers.answers(where.redis_socket)
