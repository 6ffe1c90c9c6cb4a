"""A candidate's browser as far as the server can see: one kept connection, a session, a token."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0 means that no answer came: refused, cut off, or too slow."""

    status: int
    body: Mapping[str, Any]
    date: str = ""


NO_ANSWER = Reply(0, {})


@dataclass(frozen=True, slots=True)
class Seat:
    """One person and one attempt, as `seats` printed it."""

    attempt: str
    session: str
    csrf: str
    cookies: Mapping[str, str]
    answers: Mapping[str, list[dict[str, Any]]]


class Candidate:
    """Sends requests for one seat; every method returns what the server said, and never raises."""

    def __init__(self, seat: Seat, port: int) -> None:
        self.seat = seat
        self._port = port
        self._connection: http.client.HTTPConnection | None = None
        names = seat.cookies
        self._headers = {
            "Host": f"localhost:{port}",
            "Cookie": f"{names['session']}={seat.session}; {names['csrf']}={seat.csrf}",
            "X-CSRFToken": seat.csrf,
        }

    def start(self) -> Reply:
        return self._send("POST", "start/", b"", "application/x-www-form-urlencoded")

    def hand_in(self) -> Reply:
        return self._send("POST", "hand-in/", b"confirm=yes", "application/x-www-form-urlencoded")

    def status(self) -> Reply:
        return self._send("GET", "status/")

    def item(self, position: int) -> Reply:
        return self._send("GET", f"items/{position}/")

    def save(self, position: int, save: Mapping[str, Any]) -> Reply:
        body = json.dumps(save).encode()
        return self._send("POST", f"items/{position}/save/", body, "application/json")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Reply:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self._port, timeout=PATIENCE_S
                )
            self._connection.request(
                method, f"/exams/attempts/{self.seat.attempt}/{path}", body, headers
            )
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return NO_ANSWER
        if response.will_close:
            self.close()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        try:
            parsed = json.loads(content) if is_json else {}
        except ValueError:
            return NO_ANSWER
        return Reply(response.status, parsed, response.headers.get("Date", ""))


def some_answer(seat: Seat, position: int, number: int, chance: random.Random) -> dict[str, Any]:
    """An answer that fits the item; where anything may be typed, the number of the save itself."""
    chosen = chance.choice(seat.answers[str(position)])
    return {field: value if value != "" else str(number) for field, value in chosen.items()}


def seats_from(printed: str) -> list[Seat]:
    return [Seat(**entry) for entry in json.loads(printed)]
