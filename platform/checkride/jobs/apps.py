from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "checkride.jobs"
    label = "jobs"
    verbose_name = "Jobs"
