"""People whose names say what they may do, and a clean cache for each test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_django.plugin import DjangoDbBlocker

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests with several connections empty all tables afterwards; let them empty the audit too.

    Only the guard against TRUNCATE is switched off; those against UPDATE and DELETE stay.
    """
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditrow DISABLE TRIGGER audit_table_stays")


@pytest.fixture
def make_person(db: None, django_user_model: type) -> Callable[..., object]:
    """Make a person with a verified address: `make_person("ada", Role.EXAMINER, name="Ada L.")`."""
    from allauth.account.models import EmailAddress

    from checkride.accounts.roles import Role

    def make(word: str, *roles: Role, name: str = "") -> object:
        user = django_user_model.objects.create_user(
            f"{word}@example.org", "a long passphrase", name=name or word.replace("_", " ").title()
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        for role in roles:
            user.give_role(role)
        return user

    return make


@pytest.fixture
def learner(make_person: Callable[..., object]) -> object:
    return make_person("lena_learner")


@pytest.fixture
def other_learner(make_person: Callable[..., object]) -> object:
    return make_person("omar_other")


@pytest.fixture
def instructor(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("ines_instructor", Role.INSTRUCTOR)


@pytest.fixture
def examiner(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("emil_examiner", Role.EXAMINER)


@pytest.fixture
def officer(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("olga_officer", Role.CREDENTIAL_OFFICER)


@pytest.fixture
def admin(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("adam_admin", Role.ADMINISTRATOR)


@pytest.fixture(autouse=True)
def _own_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Limits counted in the cache by one test do not meet another."""
    uses_database = {"db", "transactional_db"} & set(request.fixturenames)
    if not uses_database and request.node.get_closest_marker("django_db") is None:
        yield
        return
    from django.core.cache import cache

    cache.clear()
    yield
    cache.clear()


@dataclass(frozen=True)
class Site:
    """The whole product, started as `make serve` starts it."""

    url: str
    var: Path

    def manage(self, *command: str) -> str:
        """Run a manage.py command on this site's database; what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        port = self.url.rpartition(":")[2]
        here = {"CHECKRIDE_VAR": str(self.var), "PORT": port, "SITE_URL": self.url}
        # Its own database and Redis, not those of the tests around it.
        elsewhere = {"DATABASE_URL", "REDIS_URL"}
        return {name: value for name, value in os.environ.items() if name not in elsewhere} | here


@pytest.fixture(scope="session")
def live_site() -> Iterator[Site]:
    """Every part running: database, Redis, signer, web, worker and beat. Tests that use it carry
    `pytest.mark.xdist_group("live_site")`, so that one worker runs them and starts it once."""
    var = ROOT / "var-test" / f"site-{os.getpid()}"
    _refuse_a_second_site_in_one_run()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = Site(url=f"http://localhost:{port}", var=var)
    log_path = ROOT / "var-test" / "site.log"
    log_path.parent.mkdir(exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "checkride.embedded.serve"],
            env={**site.environment, "LOG_LEVEL": "INFO"},
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            _wait_for(site.url + "/readyz", process, log_path)
            yield site
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            shutil.rmtree(var, ignore_errors=True)


def _refuse_a_second_site_in_one_run() -> None:
    """Two sites at a time double the slowest part of the run, and nothing else would tell."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return
    mark = ROOT / "var-test" / f"site-of-run-{run}"
    mark.parent.mkdir(exist_ok=True)
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        pytest.fail(
            "A second worker wants the live site. Its test has no xdist_group mark, or the marks "
            "no longer reach the scheduler (--dist loadgroup)."
        )


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)


CHROMIUM_SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium. It ends with its module: as long as it runs, its event loop does,
    and Django refuses the database to whatever the same worker tests next."""
    from playwright.sync_api import expect, sync_playwright

    # What is expected of a page may take longer on a machine that does other work as well.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=CHROMIUM_SWITCHES,
        )
        yield chromium
        chromium.close()
