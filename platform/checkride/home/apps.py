from django.apps import AppConfig


class HomeConfig(AppConfig):
    """Public pages, and what belongs to the site as a whole."""

    name = "checkride.home"
    label = "home"

    def ready(self) -> None:
        # Every process has the Celery application, so that `enqueue` reaches our broker.
        from checkride import celery  # noqa: F401
