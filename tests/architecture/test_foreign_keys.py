"""A foreign key is an arrow too, and import-linter does not see it: `ForeignKey("exams.Attempt")`."""

from __future__ import annotations

from django.apps import apps

RANK = {"audit": 0, "jobs": 0, "accounts": 1, "courses": 2, "exams": 3, "credentials": 4}


def test_foreign_keys_point_downward_only() -> None:
    wrong = []
    for model in apps.get_models():
        here = model._meta.app_label
        if here not in RANK:
            continue
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if target is None or field.auto_created or not hasattr(target, "_meta"):
                continue
            there = target._meta.app_label
            if there in RANK and RANK[there] > RANK[here]:
                wrong.append(f"{model.__name__}.{field.name} -> {there}")
    assert wrong == []


def test_a_credential_survives_the_attempt_it_rests_on() -> None:
    for model in apps.get_app_config("credentials").get_models():
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if target is not None and not field.auto_created:
                assert target._meta.app_label not in {"exams", "courses"}, (
                    f"{model.__name__}.{field.name}"
                )
