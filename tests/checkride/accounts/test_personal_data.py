"""A person takes her data along, and has it erased."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.audit.models import AuditRow
from checkride.lib import clock

pytestmark = pytest.mark.django_db


def sign_in(client: Client, user: User) -> None:
    """Sign in, and say once more who sits there, as sensitive steps ask."""
    client.post(reverse("account_login"), {"login": user.email, "password": "a long passphrase"})
    client.post(reverse("account_reauthenticate"), {"password": "a long passphrase"})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_export_is_one_zip_with_everything_by_part(client: Client, learner: User) -> None:
    sign_in(client, learner)

    answer = client.get(reverse("accounts:export"))

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    account = json.loads(archive.read("account/account.json"))
    assert account["email"] == learner.email
    assert account["name"] == learner.name
    assert "README.txt" in archive.namelist()
    assert {holder.name for holder in personal_data.holders()} >= {
        "account",
        "courses",
        "exams",
        "credentials",
    }


def test_the_export_holds_nobody_else(client: Client, learner: User, other_learner: User) -> None:
    sign_in(client, learner)

    archive = zipfile.ZipFile(io.BytesIO(client.get(reverse("accounts:export")).content))

    for name in archive.namelist():
        assert other_learner.email.encode() not in archive.read(name)


def test_erasure_takes_away_what_identifies_the_person(client: Client, learner: User) -> None:
    address = learner.email
    sign_in(client, learner)

    client.post(reverse("accounts:erase"), {"email": address})

    learner.refresh_from_db()
    assert (learner.name, learner.is_active) == ("", False)
    assert address not in learner.email
    assert not learner.emailaddress_set.exists()
    assert "_auth_user_id" not in client.session
    assert AuditRow.objects.filter(action="person.erased", subject_id=str(learner.pk)).exists()


def test_erasure_without_the_typed_address_erases_nothing(client: Client, learner: User) -> None:
    sign_in(client, learner)

    answer = client.post(reverse("accounts:erase"), {"email": "somebody@else.example"})

    learner.refresh_from_db()
    assert learner.is_active
    assert "Nothing has been erased" in answer.content.decode()


def test_every_app_with_rows_about_people_exports_and_erases_them() -> None:
    about_people = {
        model._meta.app_label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if getattr(field, "related_model", None) is User and not field.auto_created
    } & {"courses", "exams", "credentials"}

    assert about_people <= {holder.name for holder in personal_data.holders()}


def test_erasing_twice_is_harmless(learner: User) -> None:
    personal_data.erase(learner, at=clock.now())
    personal_data.erase(learner, at=clock.now())

    learner.refresh_from_db()
    assert not learner.is_active
