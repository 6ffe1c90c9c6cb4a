from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AccountsConfig(AppConfig):
    name = "checkride.accounts"
    label = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from checkride.accounts import own_data, personal_data

        personal_data.register("account", export=own_data.export, erase=own_data.erase)


class AdminConfig(DjangoAdminConfig):
    """Named in INSTALLED_APPS in place of django.contrib.admin."""

    default_site = "checkride.accounts.admin_site.AdminSite"

    def ready(self) -> None:
        super().ready()
        from allauth.mfa.models import Authenticator
        from django.contrib import admin

        # Second factors are their owner's business; nobody reads them here.
        if admin.site.is_registered(Authenticator):
            admin.site.unregister(Authenticator)
