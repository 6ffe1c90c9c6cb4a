from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "credentials"
    label = "credentials"
    verbose_name = "Credentials"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from checkride.accounts import personal_data
        from credentials import own_data, tasks
        from exams import outcomes

        personal_data.register("credentials", export=own_data.export, erase=own_data.erase)
        outcomes.result_released.connect(tasks.on_result_released, dispatch_uid="credentials.award")
        outcomes.result_withdrawn.connect(
            tasks.on_result_withdrawn, dispatch_uid="credentials.withdraw"
        )
