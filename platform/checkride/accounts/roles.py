"""What a person may do here, beyond being signed in."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Everybody who signs up is a learner; the other roles are given by an administrator."""

    LEARNER = "learner", _("learner")
    INSTRUCTOR = "instructor", _("instructor")
    EXAMINER = "examiner", _("examiner")
    CREDENTIAL_OFFICER = "credential_officer", _("credential officer")
    ADMINISTRATOR = "administrator", _("administrator")
