"""A production installation collects every static file under a name with its digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.template.loader import get_template
from django.test import RequestFactory

from checkride.home import errors
from checkride.ui.built import asset_url

MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"


def use_manifest(settings: LazySettings, folder: Path) -> None:
    settings.STATIC_ROOT = folder
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}


def test_all_static_files_can_be_collected_with_their_digests(
    settings: LazySettings, tmp_path: Path
) -> None:
    use_manifest(settings, tmp_path)

    call_command("collectstatic", interactive=False, verbosity=0)

    rules = next((tmp_path / "ui" / "built").glob("fonts.*.css")).read_text(encoding="utf-8")
    assert 'url("source-serif-4-latin.woff2")' not in rules, "fonts are named by their digest"
    assert asset_url("ui/css/tokens.css") != "/static/ui/css/tokens.css"


def test_an_error_page_renders_where_nothing_was_collected(
    settings: LazySettings, tmp_path: Path, rf: RequestFactory
) -> None:
    use_manifest(settings, tmp_path)

    response = errors.server_error(rf.get("/"))

    assert "/static/ui/css/tokens.css" in response.content.decode()


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_every_error_page_says_what_is_safe(status: int) -> None:
    text = get_template(f"ui/errors/{status}.html").render({"reference": "abc"})

    safe = ("kept", "Nothing was changed", "is where it was")
    assert any(words in text for words in safe)
