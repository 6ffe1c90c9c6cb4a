from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "checkride.audit"
    label = "audit"
    verbose_name = "Audit record"
