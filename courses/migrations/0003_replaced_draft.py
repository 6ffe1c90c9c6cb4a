"""Keep the text that an import takes the place of, so that it can be put back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import checkride.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0002_content_as_text"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            "ReplacedDraft",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("exercise", models.CharField(max_length=80)),
                ("text", models.TextField()),
                ("at", models.DateTimeField(default=checkride.lib.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replaced_drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["user", "exercise", "-at"], name="replaced_by_exercise")
                ],
            },
        ),
    ]
