from django.apps import AppConfig


class HomeConfig(AppConfig):
    """Public pages and the learner's home: the only pages that look across all apps."""

    name = "checkride.home"
    label = "home"
