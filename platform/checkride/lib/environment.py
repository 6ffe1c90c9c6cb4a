"""Read settings from the environment; a wrong value stops the start with a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit


class BadSetting(Exception):
    """A setting is missing or wrong; the text names it and says what is allowed."""


class Environment:
    """Typed access to environment variables.

    Every name that is asked for is remembered in `asked`, so that a test can compare the list
    with the documentation.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: dict[str, str] = {}

    def _raw(self, name: str, default: object) -> str | None:
        self.asked[name] = "" if default is None else str(default)
        value = self._values.get(name, "").strip()
        return value or None

    def text(self, name: str, default: str) -> str:
        return self._raw(name, default) or default

    def required(self, name: str, reason: str) -> str:
        value = self._raw(name, None)
        if value is None:
            raise BadSetting(f"{name} is not set. {reason}")
        return value

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self._raw(name, default) or default
        if value not in allowed:
            raise BadSetting(f"{name} is “{value}”. It must be one of: {', '.join(allowed)}.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._raw(name, "yes" if default else "no")
        if value is None:
            return default
        if value.lower() in {"yes", "true", "1", "on"}:
            return True
        if value.lower() in {"no", "false", "0", "off"}:
            return False
        raise BadSetting(f"{name} is “{value}”. It must be yes or no.")

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self._raw(name, default)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise BadSetting(
                f"{name} is “{value}”. It must be a whole number from {least} to {most}."
            )
        return number

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        value = self._raw(name, default) or default
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in schemes:
            allowed = " or ".join(f"{scheme}://" for scheme in schemes)
            raise BadSetting(f"{name} is “{_hide_password(value)}”. It must start with {allowed}.")
        return value.rstrip("/")


def _hide_password(value: str) -> str:
    head, at, tail = value.rpartition("@")
    return f"…@{tail}" if at and ":" in head else value
