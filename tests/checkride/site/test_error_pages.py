"""What went wrong, what is safe, what to do, and a number to quote."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from checkride.home import errors

VIEWS = {
    400: errors.bad_request,
    403: errors.forbidden,
    404: errors.not_found,
    429: errors.too_many,
    500: errors.server_error,
    503: errors.unavailable,
}


@pytest.mark.parametrize("status", VIEWS)
def test_error_pages_need_no_database_and_show_the_reference(
    status: int, rf: RequestFactory
) -> None:
    request = rf.get("/anything")
    request.request_id = "abc123def456"  # type: ignore[attr-defined]

    response = VIEWS[status](request)

    text = response.content.decode()
    assert response.status_code == status
    assert "abc123def456" in text
    assert "<h1" in text
    assert 'href="/' in text, "a way forward"


@pytest.mark.django_db
def test_an_unknown_address_gets_the_designed_page(client: Client) -> None:
    response = client.get("/no-such-page")

    assert response.status_code == 404
    assert response["X-Request-ID"] in response.content.decode()


@pytest.mark.django_db
def test_programs_get_errors_as_json(client: Client) -> None:
    response = client.get("/no-such-page", headers={"accept": "application/json"})

    assert response.status_code == 404
    assert response.json()["reference"] == response["X-Request-ID"]


@pytest.mark.django_db
def test_a_stale_form_is_explained() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@example.org"})

    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("problem", "status"), [(OperationalError("gone"), 503), (KeyError(), 500)]
)
def test_a_database_that_is_lost_before_the_view_is_a_503_for_those_who_are_signed_in(
    problem: Exception, status: int, learner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in is looked up by a middleware, beyond the one that knows a lost database. A 500
    would tell the script of an exam that its request is wrong; a 503 lets it keep the answer."""
    client = Client(raise_request_exception=False)
    client.force_login(learner)

    def lost(*_: object) -> object:
        raise problem

    monkeypatch.setattr("django.contrib.auth.middleware.get_user", lost)
    response = client.get("/")

    assert response.status_code == status
    assert response.has_header("Retry-After") == (status == 503)
