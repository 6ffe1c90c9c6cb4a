"""People whose names say what they may do, and a clean cache for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests with several connections empty all tables afterwards; let them empty the audit too.

    Only the guard against TRUNCATE is switched off; those against UPDATE and DELETE stay.
    """
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditrow DISABLE TRIGGER audit_table_stays")


@pytest.fixture
def make_person(db: None, django_user_model: type) -> Callable[..., object]:
    """Make a person with a verified address: `make_person("ada", Role.EXAMINER, name="Ada L.")`."""
    from allauth.account.models import EmailAddress

    from checkride.accounts.roles import Role

    def make(word: str, *roles: Role, name: str = "") -> object:
        user = django_user_model.objects.create_user(
            f"{word}@example.org", "a long passphrase", name=name or word.replace("_", " ").title()
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        for role in roles:
            user.give_role(role)
        return user

    return make


@pytest.fixture
def learner(make_person: Callable[..., object]) -> object:
    return make_person("lena_learner")


@pytest.fixture
def other_learner(make_person: Callable[..., object]) -> object:
    return make_person("omar_other")


@pytest.fixture
def instructor(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("ines_instructor", Role.INSTRUCTOR)


@pytest.fixture
def examiner(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("emil_examiner", Role.EXAMINER)


@pytest.fixture
def officer(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("olga_officer", Role.CREDENTIAL_OFFICER)


@pytest.fixture
def admin(make_person: Callable[..., object]) -> object:
    from checkride.accounts.roles import Role

    return make_person("adam_admin", Role.ADMINISTRATOR)


@pytest.fixture(autouse=True)
def _own_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Limits counted in the cache by one test do not meet another."""
    if "db" not in request.fixturenames and "transactional_db" not in request.fixturenames:
        yield
        return
    from django.core.cache import cache

    cache.clear()
    yield
    cache.clear()

