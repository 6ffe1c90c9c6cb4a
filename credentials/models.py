"""Achievements, the credentials people hold, and the lists that say which were revoked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from credentials.openbadges import shortcode, statuslist


class AchievementVersion(models.Model):
    """What could be earned at one time. A trigger in the database refuses every change.

    `content` is everything a credential quotes, `digest` the SHA-256 of the file it was read from.
    """

    slug = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["slug", "version"], name="one_row_per_achievement_version")
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"

    def get_absolute_url(self) -> str:
        return reverse("credentials:achievement", args=[self.slug, self.version])

    @property
    def name(self) -> str:
        return str(self.content["name"])


class StatusList(models.Model):
    """One published revocation list. `document` is the list as it was last signed.

    `changed_at` is the last change of a bit; a list signed before that is signed anew.
    """

    number = models.PositiveIntegerField(unique=True)
    document = models.JSONField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    changed_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"revocation list {self.number}"


class PastStatusList(models.Model):
    """A revocation list as it was signed once, kept so that a past day can be looked up."""

    status_list = models.ForeignKey(StatusList, on_delete=models.CASCADE, related_name="past")
    signed_at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        indexes: ClassVar = [Index(fields=["status_list", "signed_at"], name="lists_by_their_day")]

    def __str__(self) -> str:
        return f"{self.status_list} of {self.signed_at:%Y-%m-%d %H:%M}"


class Credential(models.Model):
    """The proof one person holds, and the evidence it rests on, as it was on the day.

    `document` and `jwt` are empty until the signer has signed. `holder_name` is the name under the
    signature; it is empty when the holder chose not to be named (`name_shown`). An erased credential
    keeps its bit in the list and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    achievement = models.ForeignKey(
        AchievementVersion, on_delete=models.PROTECT, related_name="credentials"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="credentials",
    )
    source_id = models.CharField(max_length=100)
    code = models.CharField(max_length=shortcode.LENGTH, unique=True)
    subject = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    evidence = models.JSONField(default=dict)
    score_percent = models.PositiveSmallIntegerField()
    cut_percent = models.PositiveSmallIntegerField()
    awarded_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(db_index=True)
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="entries")
    status_index = models.PositiveIntegerField()
    name_shown = models.BooleanField(default=False)
    holder_name = models.CharField(max_length=120, blank=True)
    # Counts the holder's changes; a signature for an older count is not what the holder wants.
    revision = models.PositiveIntegerField(default=1)
    signed_revision = models.PositiveIntegerField(default=0)
    document = models.JSONField(null=True, blank=True)
    jwt = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    # The number of the entry in the transparency log, and what makes the entry's commitment; with
    # the nonce destroyed nobody can tell what the entry was about.
    log_index = models.PositiveBigIntegerField(null=True, blank=True)
    log_nonce = models.BinaryField(max_length=32, blank=True, default=b"")
    told_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["achievement", "source_id"], name="one_credential_per_pass"),
            UniqueConstraint(
                fields=["status_list", "status_index"], name="one_status_entry_per_credential"
            ),
            CheckConstraint(
                condition=Q(status_index__lt=statuslist.SIZE), name="a_status_entry_is_in_its_list"
            ),
            CheckConstraint(
                condition=Q(score_percent__gte=F("cut_percent"), score_percent__lte=100),
                name="only_a_pass_earns_a_credential",
            ),
            CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")),
                name="a_credential_is_valid_for_a_time",
            ),
            CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(document__isnull=True, user__isnull=True),
                name="an_erased_credential_says_nothing",
            ),
            CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(log_nonce=b""),
                name="an_erased_credential_has_no_nonce",
            ),
        ]
        indexes: ClassVar = [
            Index(
                fields=["awarded_at"],
                name="credentials_unsigned",
                condition=Q(signed_revision__lt=F("revision")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.achievement} {self.grouped_code}"

    def get_absolute_url(self) -> str:
        return reverse("credentials:credential", args=[self.id])

    @property
    def grouped_code(self) -> str:
        """As people read it: `7K3M-Q9TX-4B2H-8VDT`."""
        return shortcode.grouped(self.code)

    @property
    def is_signed(self) -> bool:
        return self.document is not None

    def is_expired(self, *, at: datetime) -> bool:
        return at >= self.valid_until

    @property
    def revocation(self) -> Revocation | None:
        """The revocation in force, if there is one."""
        return self.revocations.filter(reinstated_at__isnull=True).first()


class Revocation(models.Model):
    """A credential taken back, by whom and why; a reinstated one stays as a row."""

    class Reason(models.TextChoices):
        IDENTITY = "identity", _("the holder’s identity was not confirmed")
        IRREGULARITY = "irregularity", _("the exam was not taken under its rules")
        ERROR = "error", _("it was issued by mistake")
        HOLDER = "holder", _("the holder asked for it")

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="revocations")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reinstated_at = models.DateTimeField(null=True, blank=True)
    reinstated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reinstated_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["credential"],
                condition=Q(reinstated_at__isnull=True),
                name="one_revocation_in_force",
            ),
            CheckConstraint(
                condition=Q(reason__in=["identity", "irregularity", "error", "holder"]),
                name="only_known_reasons",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credential} revoked: {self.reason}"


class ApiKey(models.Model):
    """A key with which a program asks in a person's name. Only its digest is kept, and `start`, by
    which its owner knows it again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys"
    )
    label = models.CharField(max_length=80)
    start = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    used_on = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.label} ({self.start}…)"


class Watch(models.Model):
    """Somebody who wants to hear when the standing of a credential changes.

    `standing` is what the watcher was told last, or saw at the start. Without a `hook` the news
    goes by mail; with one it is posted there, signed with `secret`.
    """

    class Standing(models.TextChoices):
        IN_FORCE = "in-force", _("in force")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")
        GONE = "gone", _("gone: its holder closed the account")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches"
    )
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="watches")
    hook = models.CharField(max_length=400, blank=True)
    secret = models.CharField(max_length=80, blank=True)
    standing = models.CharField(max_length=10, choices=Standing.choices)
    began_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-began_at"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["user", "credential", "hook"], name="one_watch_per_person_and_place"
            ),
            CheckConstraint(
                condition=Q(standing__in=["in-force", "expired", "revoked", "gone"]),
                name="only_known_standings",
            ),
            CheckConstraint(
                condition=(Q(hook="") & Q(secret="")) | (~Q(hook="") & ~Q(secret="")),
                name="a_hook_and_its_secret_go_together",
            ),
        ]

    def __str__(self) -> str:
        return f"watch of {self.credential_id}"


class Proposal(models.Model):
    """What one officer asks for and another must confirm: a revocation, its undoing, new keys.

    The signer reads these rows itself before it changes its keys. `key_name` is the key to be
    withdrawn. An answer is given once; the row stays.
    """

    class Deed(models.TextChoices):
        REVOKE = "revoke", _("revoke a credential")
        REINSTATE = "reinstate", _("reinstate a credential")
        ROTATE = "rotate", _("make new signing keys")
        WITHDRAW = "withdraw", _("withdraw a signing key")

    class Answer(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")

    deed = models.CharField(max_length=10, choices=Deed.choices)
    credential = models.ForeignKey(
        Credential, null=True, blank=True, on_delete=models.CASCADE, related_name="proposals"
    )
    key_name = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=20, blank=True, choices=Revocation.Reason.choices)
    note = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.CharField(max_length=10, blank=True, choices=Answer.choices)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["credential"],
                condition=Q(answer="", credential__isnull=False),
                name="one_open_proposal_per_credential",
            ),
            UniqueConstraint(
                fields=["deed", "key_name"],
                condition=Q(answer="", credential__isnull=True),
                name="one_open_proposal_per_key",
            ),
            CheckConstraint(
                condition=~Q(answer="confirmed") | ~Q(asked_by=F("answered_by")),
                name="nobody_confirms_an_own_proposal",
            ),
            CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | Q(answer__in=["confirmed", "declined"], answered_at__isnull=False),
                name="an_answer_has_its_time",
            ),
            CheckConstraint(
                condition=Q(deed__in=["revoke", "reinstate"], credential__isnull=False)
                | Q(deed__in=["rotate", "withdraw"], credential__isnull=True),
                name="a_proposal_names_what_it_is_about",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_deed_display()}: {self.credential or self.key_name}"

    def get_absolute_url(self) -> str:
        return reverse("credentials:officer-proposal", args=[self.pk])
