from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "checkride.accounts"
    label = "accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from checkride.accounts import own_data, personal_data

        personal_data.register("account", export=own_data.export, erase=own_data.erase)
