"""The web application: `gunicorn checkride.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from courses import catalog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")

application = get_wsgi_application()

# Read every page's code and the catalogue now, so that the first visitor of a fresh process does
# not wait for them.
get_resolver().url_patterns  # noqa: B018 - reading it is the point
catalog.curriculum()
