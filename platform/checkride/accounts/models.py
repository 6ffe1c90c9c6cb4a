"""People and the roles they hold."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from checkride.accounts.roles import Role
from checkride.lib import clock


class People(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        RoleHeld.objects.create(user=user, role=Role.LEARNER)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        user.give_role(Role.ADMINISTRATOR)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. `name` is written as the person writes it, and may be empty."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar = [
            UniqueConstraint(Lower("email"), name="one_person_per_email"),
            CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(is_active=False),
                name="an_erased_person_cannot_sign_in",
            ),
        ]

    def __str__(self) -> str:
        return display_name(self)

    def has_role(self, role: Role) -> bool:
        """Whether the person holds `role`; asked once per request and person."""
        if not self.is_active:
            return False
        if not hasattr(self, "_roles"):
            self._roles = frozenset(self.roles_held.values_list("role", flat=True))
        return role.value in self._roles

    def give_role(self, role: Role) -> None:
        RoleHeld.objects.get_or_create(user=self, role=role)
        self.__dict__.pop("_roles", None)

    @property
    def role_names(self) -> list[str]:
        return [str(role.label) for role in Role if self.has_role(role)]

    @property
    def is_instructor(self) -> bool:
        return self.has_role(Role.INSTRUCTOR)

    @property
    def is_examiner(self) -> bool:
        return self.has_role(Role.EXAMINER)

    @property
    def is_credential_officer(self) -> bool:
        return self.has_role(Role.CREDENTIAL_OFFICER)

    @property
    def is_administrator(self) -> bool:
        return self.has_role(Role.ADMINISTRATOR)

    @property
    def initials(self) -> str:
        """One or two letters for the account button."""
        words = (self.name or self.email).replace("@", " ").split()
        return "".join(
            word[0] for word in (words[:1] + words[1:][-1:] if self.name else words[:1])
        ).upper()


class RoleHeld(models.Model):
    """One role of one person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="roles_held")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "role"], name="a_role_is_held_once"),
            CheckConstraint(condition=Q(role__in=Role.values), name="only_known_roles"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class DevelopmentMail(models.Model):
    """A mail that was sent in development, shown at /dev/mailbox/."""

    sent_at = models.DateTimeField(default=clock.now)
    sender = models.CharField(max_length=300)
    recipients = models.TextField()
    subject = models.TextField()
    text = models.TextField()
    html = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.subject} ({self.recipients})"


def display_name(user: User) -> str:
    """How we address the person: the name as written, else the part of the address before @."""
    if user.erased_at:
        return "erased account"
    return user.name or user.email.partition("@")[0]


def erase(user: User, *, at: datetime) -> None:
    """Take everything that identifies the person off the row; the id stays for the records."""
    user.email = f"erased-{user.id}@erased.invalid"
    user.name = ""
    user.is_active = False
    user.is_staff = False
    user.is_superuser = False
    user.erased_at = at
    user.set_unusable_password()
    user.save()
