"""What the accounts app itself holds about a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from checkride import audit
from checkride.accounts import models
from checkride.accounts.models import DevelopmentMail, RoleHeld, User
from checkride.accounts.personal_data import as_json


def export(user: User) -> Mapping[str, bytes]:
    return {
        "account.json": as_json(
            {
                "id": user.id,
                "name": user.name,
                "email": user.email,
                "joined": user.date_joined,
                "last_sign_in": user.last_login,
                "roles": [str(role) for role in user.roles_held.values_list("role", flat=True)],
                "addresses": list(
                    EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
                ),
                "second_factors": list(
                    Authenticator.objects.filter(user=user).values(
                        "type", "created_at", "last_used_at"
                    )
                ),
                "sessions": list(
                    UserSession.objects.filter(user=user).values(
                        "created_at", "ip", "last_seen_at", "user_agent"
                    )
                ),
            }
        ),
        "audit.json": as_json(audit.about(user)),
    }


def erase(user: User, at: datetime) -> None:
    DevelopmentMail.objects.filter(recipients__icontains=user.email).delete()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    RoleHeld.objects.filter(user=user).delete()
    models.erase(user, at=at)
    audit.record(None, "person.erased", user, at=at)
