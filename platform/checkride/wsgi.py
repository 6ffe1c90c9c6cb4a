"""The web application: `gunicorn checkride.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")

application = get_wsgi_application()
