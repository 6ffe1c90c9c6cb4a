from django.apps import AppConfig


class ExamsConfig(AppConfig):
    name = "exams"
    label = "exams"
    verbose_name = "Exams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from checkride.accounts import personal_data
        from exams import own_data, tasks  # noqa: F401  the import registers the jobs

        personal_data.register("exams", export=own_data.export, erase=own_data.erase)
