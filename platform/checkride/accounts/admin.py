"""People in the administrators' pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from checkride import audit
from checkride.accounts.models import RoleHeld, User
from checkride.lib import clock


class RolesInline(admin.TabularInline[RoleHeld, User]):
    model = RoleHeld
    extra = 0


@admin.register(User)
class PersonAdmin(admin.ModelAdmin[User]):
    """Roles are given here. Names and addresses are the person's own and are only shown."""

    list_display = ("email", "name", "date_joined", "is_active")
    list_filter = ("roles_held__role", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "is_active", "is_staff", "date_joined", "last_login", "erased_at")
    readonly_fields = ("email", "name", "date_joined", "last_login", "erased_at")
    inlines: ClassVar = [RolesInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign up themselves

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # erasure takes names away and keeps the records whole

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        person: User = form.instance
        audit.record(
            request.user if isinstance(request.user, User) else None,
            "person.roles_changed",
            person,
            at=clock.now(),
            facts={
                "roles": sorted(person.roles_held.values_list("role", flat=True)),
                "active": person.is_active,
            },
        )
