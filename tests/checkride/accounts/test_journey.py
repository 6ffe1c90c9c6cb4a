"""Signing up, in, and out; what a stranger can find out; what needs a second look."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from checkride.accounts.models import DevelopmentMail, User
from checkride.accounts.roles import Role

pytestmark = pytest.mark.django_db

NEW = {"name": "Ana Novak", "email": "ana@example.org", "password1": "a lantern in the fog"}


@pytest.fixture(autouse=True)
def _mail_page(settings: object) -> None:
    settings.EMAIL_BACKEND = "checkride.accounts.devbox.EmailBackend"  # type: ignore[attr-defined]


def link_in_last_mail() -> str:
    mail = DevelopmentMail.objects.first()
    assert mail is not None
    found = re.search(r"https?://[^/\s]+(/\S+)", mail.text)
    assert found, mail.text
    return found.group(1)


def test_a_person_signs_up_confirms_her_address_and_is_in(client: Client) -> None:
    answer = client.post(reverse("account_signup"), NEW)
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session

    client.post(link_in_last_mail())

    user = User.objects.get(email="ana@example.org")
    assert user.name == "Ana Novak"
    assert user.has_role(Role.LEARNER)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_opening_the_link_alone_confirms_nothing(client: Client) -> None:
    """Mail scanners open links; only the button on the page confirms."""
    client.post(reverse("account_signup"), NEW)

    page = client.get(link_in_last_mail())

    assert page.status_code == 200
    assert not User.objects.get(email=NEW["email"]).emailaddress_set.get().verified


def test_signing_up_with_a_known_address_looks_like_signing_up(
    client: Client, learner: User
) -> None:
    new = client.post(reverse("account_signup"), NEW)
    known = Client().post(reverse("account_signup"), {**NEW, "email": learner.email})

    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    assert User.objects.filter(email=learner.email).count() == 1
    assert learner.email in DevelopmentMail.objects.first().recipients  # type: ignore[union-attr]


def test_asking_for_a_new_password_tells_nothing_about_who_exists(
    client: Client, learner: User
) -> None:
    known = client.post(reverse("account_reset_password"), {"email": learner.email})
    unknown = Client().post(reverse("account_reset_password"), {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    client: Client, learner: User
) -> None:
    wrong = client.post(
        reverse("account_login"), {"login": learner.email, "password": "not it at all"}
    )
    unknown = Client().post(
        reverse("account_login"), {"login": "nobody@example.org", "password": "not it at all"}
    )

    def errors(response: object) -> object:
        return response.context["form"].errors  # type: ignore[attr-defined]

    assert errors(wrong) == errors(unknown)
    assert errors(wrong)


def test_guessing_passwords_is_slowed_down(client: Client, learner: User) -> None:
    for _ in range(6):
        answer = client.post(
            reverse("account_login"), {"login": learner.email, "password": "not it at all"}
        )

    assert answer.status_code in {200, 429}
    right = client.post(
        reverse("account_login"), {"login": learner.email, "password": "a long passphrase"}
    )
    assert "_auth_user_id" not in client.session, right.status_code


def test_the_admin_has_no_login_form_of_its_own(client: Client) -> None:
    answer = client.get("/admin/login/")

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_page_for_a_role_does_not_exist_for_others(client: Client, learner: User) -> None:
    client.force_login(learner)

    assert client.get("/admin/").status_code in {302, 404}


@pytest.mark.parametrize("page", ["accounts:export", "accounts:erase"])
def test_sensitive_steps_ask_for_the_password_again(
    client: Client, learner: User, page: str
) -> None:
    client.force_login(learner)  # a session, but no recent proof of who sits there

    answer = client.get(reverse(page))

    assert answer.status_code == 302
    assert reverse("account_reauthenticate") in answer["Location"]


@pytest.mark.parametrize(
    "page", ["mfa_index", "usersessions_list", "account_email", "accounts:settings"]
)
def test_account_pages_open_for_their_owner(client: Client, learner: User, page: str) -> None:
    client.force_login(learner)

    answer = client.get(reverse(page), follow=True)

    assert answer.status_code == 200


def test_a_flood_of_sign_ins_from_one_address_gets_the_designed_page(client: Client) -> None:
    for _ in range(31):
        answer = client.post(reverse("account_login"), {"login": "", "password": ""})

    assert answer.status_code == 429
    assert answer["Retry-After"] == "60"
    assert answer["X-Request-ID"] in answer.content.decode()
