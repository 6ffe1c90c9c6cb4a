"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from checkride.home import health
from credentials.api import api

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("accounts/", include("checkride.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("dev/mailbox/", include("checkride.accounts.mailbox_urls")),
    path("exams/", include("exams.urls")),
    # ninja looks its own addresses up by a namespace at the root.
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("", include("checkride.home.urls")),
    path("", include("courses.urls")),
    path("", include("credentials.urls")),
]

handler400 = "checkride.home.errors.bad_request"
handler403 = "checkride.home.errors.forbidden"
handler404 = "checkride.home.errors.not_found"
handler429 = "checkride.home.errors.too_many"  # asked for by allauth
handler500 = "checkride.home.errors.server_error"
