from pathlib import Path

from django.apps import AppConfig


class ExamsConfig(AppConfig):
    name = "exams"
    label = "exams"
    verbose_name = "Exams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from checkride.accounts import personal_data
        from courses import catalog
        from exams import own_data, tasks  # noqa: F401  the import registers the jobs

        for blueprint in sorted((Path(__file__).parent / "content").glob("*/blueprint.yaml")):
            exam = blueprint.parent.name
            catalog.announce_exam(exam, f"/exams/{exam}/")
        personal_data.register("exams", export=own_data.export, erase=own_data.erase)
