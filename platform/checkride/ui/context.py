"""What every page may say about this installation."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Context processor: names and addresses from the settings; asks no database."""
    return {
        "site_url": settings.SITE_URL,
        "site_host": settings.SITE_HOST,
        "issuer_name": settings.ISSUER_NAME,
        "issuer_email": settings.ISSUER_EMAIL,
        "development": settings.DEVELOPMENT,
    }
