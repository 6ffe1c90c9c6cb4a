from pathlib import Path

from django.apps import AppConfig


class ExamsConfig(AppConfig):
    name = "exams"
    label = "exams"
    verbose_name = "Exams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from checkride.accounts import personal_data
        from checkride.lib import strict_yaml
        from courses import catalog
        from exams import own_data, tasks  # noqa: F401  the import registers the jobs

        for file in sorted((Path(__file__).parent / "content").glob("*/blueprint.yaml")):
            # A folder may be called otherwise than its exam; only the exam's name is an address.
            exam = str(strict_yaml.load(file.read_text(encoding="utf-8"))["exam"])
            catalog.announce_exam(exam, f"/exams/{exam}/")
        personal_data.register("exams", export=own_data.export, erase=own_data.erase)
