"""The list of a person's sessions is kept fresh, and not at the price of a write on each request."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory

from checkride.accounts.session_activity import EVERY_S, SessionActivityMiddleware

pytestmark = pytest.mark.django_db


def test_a_session_is_noted_on_its_first_request_and_then_once_a_minute(
    learner: Any, rf: RequestFactory
) -> None:
    now = [1000.0]
    middleware = SessionActivityMiddleware(lambda _: HttpResponse(), lambda: now[0])
    client = Client()
    client.force_login(learner)
    request = rf.get("/")
    request.session, request.user = client.session, learner
    seen = []
    for moment in (0.0, EVERY_S - 1, EVERY_S):
        now[0] = 1000.0 + moment
        middleware(request)
        seen.append(UserSession.objects.get(user=learner).last_seen_at)

    assert seen[0] == seen[1] < seen[2]


def test_nobody_is_noted_who_is_not_signed_in(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.session, request.user = Client().session, AnonymousUser()

    SessionActivityMiddleware(lambda _: HttpResponse())(request)

    assert not UserSession.objects.exists()


def test_the_persons_list_shows_the_session_of_this_moment(client: Client, learner: Any) -> None:
    client.force_login(learner)

    assert "127.0.0.1" in client.get("/accounts/sessions/").content.decode()
