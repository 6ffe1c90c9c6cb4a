"""Keep which hints a learner opened."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import checkride.lib.clock


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0005_own_processes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            "HintTaken",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("exercise", models.CharField(max_length=80)),
                ("requirement", models.CharField(max_length=80)),
                ("at", models.DateTimeField(default=checkride.lib.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hints_taken",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user", "exercise", "requirement"], name="a_hint_is_taken_once"
                    )
                ],
            },
        ),
    ]
