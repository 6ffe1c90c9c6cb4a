"""A wrong setting stops the start with one sentence, and never shows a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkride.lib.environment import BadSetting, Environment

ROOT = Path(__file__).resolve().parents[3]

PRODUCTION = {
    "CHECKRIDE_MODE": "production",
    "SITE_URL": "https://checkride.example",
    "SECRET_KEY": "x" * 60,
    "DATABASE_URL": "postgresql://someone@localhost/none",
    "REDIS_URL": "redis://localhost/0",
}


def start_with(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, **changes}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_what_it_needs() -> None:
    assert start_with().returncode == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY has 5 characters"),
        ({"SITE_URL": "http://checkride.example"}, "SITE_URL is"),
        ({"DATABASE_URL": "mysql://localhost/x"}, "PostgreSQL is the only database"),
        ({"CHECKRIDE_MODE": "prod"}, "one of: development, production"),
        ({"TRUSTED_PROXIES": "many"}, "whole number from 0 to 5"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    changes: dict[str, str], sentence: str
) -> None:
    result = start_with(**changes)

    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_password_in_a_refused_address_is_not_shown() -> None:
    environment = Environment({"REDIS": "ftp://user:hunter2@host/0"})

    with pytest.raises(BadSetting) as refused:
        environment.url("REDIS", "", ["redis"])

    assert "hunter2" not in str(refused.value)


def test_a_flag_is_yes_or_no() -> None:
    assert Environment({"A": "yes"}).flag("A", False) is True
    assert Environment({}).flag("A", True) is True
    with pytest.raises(BadSetting, match="yes or no"):
        Environment({"A": "perhaps"}).flag("A", False)
