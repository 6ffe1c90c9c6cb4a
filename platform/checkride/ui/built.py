"""What the front-end build left behind. Pages work, and say nothing wrong, without it."""

from functools import cache

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

FOLDER = "ui/built/"


def built_url(name: str) -> str:
    """The address of a built file such as `fonts.css`, empty if it was not built."""
    exists = _exists(name) if settings.DEBUG else _exists_once(name)
    return asset_url(FOLDER + name) if exists else ""


def asset_url(name: str) -> str:
    """The address of a file of the page frame; its plain one where it was not collected.

    Error pages use the frame too, and a missing entry in a manifest must not hide the error.
    """
    try:
        return static(name)
    except ValueError:
        return f"{settings.STATIC_URL}{name}"


def _exists(name: str) -> bool:
    return finders.find(FOLDER + name) is not None


# A running server keeps its answer: the build comes before the start.
_exists_once = cache(_exists)
