"""How allauth is fitted to our accounts."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from checkride.accounts.models import RoleHeld, User
from checkride.accounts.roles import Role


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit:
            RoleHeld.objects.get_or_create(user=saved, role=Role.LEARNER)
        return saved
