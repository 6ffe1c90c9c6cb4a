"""The folder `platform/` is a source root, and every package is this checkout's own."""

from __future__ import annotations

import importlib
import platform
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_platform_is_a_folder_and_not_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_the_standard_library_keeps_its_platform_module() -> None:
    assert platform.system()
    assert not Path(platform.__file__).is_relative_to(ROOT)


@pytest.mark.parametrize("package", ["checkride", "courses", "exams", "credentials"])
def test_packages_are_imported_from_this_checkout(package: str) -> None:
    found = Path(importlib.import_module(package).__file__ or "")
    assert found.is_relative_to(ROOT)


def test_tests_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("name", ["services", "utils", "helpers", "managers"])
def test_no_module_is_named_after_nothing(name: str) -> None:
    for root in ("platform/checkride", "courses", "exams", "credentials"):
        assert list((ROOT / root).rglob(f"{name}.py")) == []


def test_lock_files_hold_no_addresses() -> None:
    locks = [*(ROOT / "requirements").glob("*.lock"), ROOT / "platform/frontend/package-lock.json"]
    assert len(locks) >= 4
    for lock in locks:
        assert "://" not in lock.read_text(), lock.name
