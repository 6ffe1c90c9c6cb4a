from django.apps import AppConfig


class UiConfig(AppConfig):
    """The design system: page frame, components, template tags, css and js."""

    name = "checkride.ui"
    label = "ui"
