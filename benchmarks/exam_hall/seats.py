"""Seats in the hall: people with a session and a drawn form, made inside the product.

    python -m benchmarks.exam_hall.seats --count 20 --seconds 86400 --grace 15 [--start]

Prints a JSON list. `answers` holds, for each position, payloads that fit the item: an empty
number or text stands for any, so that a save can be recognised by what it carries.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")
django.setup()

from allauth.account.models import EmailAddress  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.middleware.csrf import _get_new_csrf_string  # noqa: E402

from checkride.accounts.models import User  # noqa: E402
from exams import delivery, preparation  # noqa: E402
from exams.models import Attempt  # noqa: E402
from exams.scoring.items import Face  # noqa: E402


def answers_to(face: Face) -> list[dict[str, Any]]:
    """Payloads that fit an item, at least two that differ; an empty text stands for any."""
    signs = [choice.id for choice in face.choices]
    match face.kind:
        case "single":
            return [{"choice": sign} for sign in signs]
        case "multiple":
            return [{"choices": [sign]} for sign in signs]
        case "numeric":
            return [{"number": ""}]
        case "ordering":
            turns = [signs[turn:] + signs[:turn] for turn in range(len(signs))]
            return [{"positions": {s: n for n, s in enumerate(turn, 1)}} for turn in turns]
        case "matching":
            left = [entry.id for entry in face.left]
            return [{"pairs": dict.fromkeys(left, sign)} for sign in signs]
        case "hotspot":
            return [{"lines": [int(sign)]} for sign in signs]
        case _:
            return [{"text": ""}]


def session_of(user: User) -> str:
    """The key of a session in which this person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def seat(number: int, *, seconds: int, grace: int, start: bool) -> dict[str, Any]:
    user = User(email=f"seat-{os.getpid()}-{number}@example.org", name=f"Seat {number}")
    user.set_unusable_password()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    attempt = preparation.prepare(user, "foundations")
    Attempt.objects.filter(pk=attempt.pk).update(time_allowed_s=seconds, grace_s=grace)
    if start:
        attempt = delivery.start(attempt)
    items = attempt.items.select_related("item_version")
    return {
        "attempt": str(attempt.pk),
        "session": session_of(user),
        "csrf": _get_new_csrf_string(),
        "cookies": {"session": settings.SESSION_COOKIE_NAME, "csrf": settings.CSRF_COOKIE_NAME},
        "answers": {str(item.position): answers_to(item.face) for item in items},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--grace", type=int, default=15)
    parser.add_argument("--start", action="store_true")
    asked = parser.parse_args()
    seats = [
        seat(number, seconds=asked.seconds, grace=asked.grace, start=asked.start)
        for number in range(asked.count)
    ]
    json.dump(seats, sys.stdout)


if __name__ == "__main__":
    main()
