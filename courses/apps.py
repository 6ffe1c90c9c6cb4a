from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoursesConfig(AppConfig):
    name = "courses"
    label = "courses"
    verbose_name = _("learning and practice")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from checkride.accounts import personal_data
        from courses import own_data, tasks  # noqa: F401  the import registers the job

        personal_data.register("courses", export=own_data.export, erase=own_data.erase)
