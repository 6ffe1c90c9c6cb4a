"""Probes tell the truth about each part."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

pytestmark = pytest.mark.django_db


def test_a_live_process_says_so(client: Client) -> None:
    assert client.get("/livez").json() == {"alive": True}


def test_a_ready_site_names_its_parts(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    body = response.json()
    assert body["ready"] is True
    assert (body["database"], body["migrations"], body["cache"]) == (True, True, True)


@override_settings(
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/redis.sock",
        }
    }
)
def test_a_site_without_its_cache_is_not_ready(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["cache"] is False


def test_a_lost_database_is_answered_with_503_and_when_to_try_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("django.contrib.auth.get_user", away)
    response = client.get("/accounts/settings/")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
