"""Accounts to try the product with, on a development installation only."""

from __future__ import annotations

from allauth.account.models import EmailAddress

from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.embedded.serve import DEMO_PASSPHRASE

PEOPLE = (
    ("learner@checkride.example", "Lena Sommer", ()),
    (
        "instructor@checkride.example",
        "Ines Duarte",
        # One person may try every side of the house here; in production two people are needed.
        (Role.INSTRUCTOR, Role.EXAMINER, Role.CREDENTIAL_OFFICER),
    ),
    # Revoking a credential and changing keys take two officers, here as everywhere.
    ("officer@checkride.example", "Otto Lindqvist", (Role.CREDENTIAL_OFFICER,)),
)


def make_accounts() -> None:
    """Make the demonstration accounts that are missing; those that exist keep what was done with them."""
    for email, name, roles in PEOPLE:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, DEMO_PASSPHRASE, name=name)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        for role in roles:
            user.give_role(role)
