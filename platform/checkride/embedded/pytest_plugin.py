"""Tests on real PostgreSQL and Redis: one of each for the whole run, beside those of `make serve`.

A plugin named in pyproject.toml and not a conftest, because it must choose the data folder before
pytest-django reads the settings.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from checkride.embedded import servers
from checkride.embedded.places import places

os.environ.setdefault("CHECKRIDE_VAR", "var-test")
# Each parallel worker counts in a Redis database of its own: one of them empties its cache between
# tests, and the limits that another is just counting must not be emptied with it.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if _worker and not os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = f"{places().redis_url}?db={int(_worker) + 1}"
os.environ.setdefault("CHECKRIDE_MODE", "development")
os.environ.setdefault("LOG_LEVEL", "WARNING")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # xdist's workers use the servers that the first process started
    running = ExitStack()
    running.enter_context(servers.running(places()))
    config.add_cleanup(running.close)
