"""Jobs in the administrators' pages: what waits, what failed and why; try again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from checkride.jobs.dbclock import database_now
from checkride.jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    list_display = ("kind", "key", "created_at", "tries", "done_at", "gave_up_at", "problem")
    list_filter = ("kind", "done_at", "gave_up_at")
    search_fields = ("kind", "key")
    actions = ("try_again",)

    @admin.action(description=_("Try again now"))
    def try_again(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        number = chosen.filter(done_at__isnull=True).update(
            gave_up_at=None, tries=0, due_at=database_now()
        )
        self.message_user(request, _("%(number)d jobs will be tried again.") % {"number": number})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False
