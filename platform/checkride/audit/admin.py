"""The audit record in the administrators' pages: to read."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from checkride.audit.models import AuditRow


@admin.register(AuditRow)
class AuditAdmin(admin.ModelAdmin[AuditRow]):
    list_display = ("at", "action", "actor_id", "subject_kind", "subject_id")
    list_filter = ("action",)
    search_fields = ("actor_id", "subject_id", "action")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditRow | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditRow | None = None) -> bool:
        return False
