"""What people type: a code, a file, a reason."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from checkride.lib.errors import DomainError
from credentials.models import Credential, Revocation
from credentials.openbadges import shortcode
from credentials.openbadges.__main__ import text_in

_LARGEST_FILE = 500_000


class LookUpForm(forms.Form):
    code = forms.CharField(
        label=_("Code or link"),
        help_text=_(
            "Sixteen characters, such as 7K3M-Q9TX-4B2H-8VDT. Case and hyphens do not matter."
        ),
        max_length=400,
        error_messages={"required": _("Type the code from the certificate, or paste its link.")},
    )

    @property
    def foreign_host(self) -> str:
        """Where a link leads that is none of ours; empty for a code, or for a link to this site."""
        try:
            host = urlsplit(str(self.data.get("code", "")).strip()).netloc
        except ValueError:
            return ""
        return "" if host == urlsplit(settings.SITE_URL).netloc else host


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("Credential file"),
        help_text=_(
            "JSON, JWT, the picture of a badge (PNG, SVG), a certificate (PDF) or a learner record"
            " (JSON), as it was sent. It is checked and not kept."
        ),
        error_messages={
            "required": _("Choose the file you were given."),
            "empty": _("The file is empty. Ask for it again."),
        },
    )

    def clean_file(self) -> UploadedFile[Any]:
        file = cast("UploadedFile[Any]", self.cleaned_data["file"])
        if (file.size or 0) > _LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than a credential can be."))
        return file

    def text(self) -> str:
        """The credential in the file. Raises a `DomainError` that says what is wrong with it."""
        data: bytes = self.cleaned_data["file"].read()
        self.is_paper = data.startswith(b"%PDF-")
        return text_in(data)

    # What is printed on a PDF is not under the signature, and the page has to say so.
    is_paper = False


class _SeveralFiles(forms.FileField):
    """A field for any number of files; each is held to the size of a credential."""

    class Input(forms.ClearableFileInput):
        allow_multiple_selected = True

    widget = Input

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = [one for one in (data if isinstance(data, list) else [data]) if one]
        for one in files:
            super().clean(one, initial)
            if (one.size or 0) > _LARGEST_FILE:
                raise forms.ValidationError(
                    _("“%(name)s” is larger than a credential can be. Nothing was checked."),
                    params={"name": one.name},
                )
        return files


class ListForm(forms.Form):
    lines = forms.CharField(
        label=_("Codes or links, one per line"),
        help_text=_("A name beside a code, after a comma, is compared with the credential."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        required=False,
        max_length=60_000,
    )
    file = forms.FileField(
        label=_("Or a CSV file"),
        help_text=_("At most 200 lines. Nothing is kept."),
        required=False,
    )
    credentials = _SeveralFiles(
        label=_("Or the files you were given"),
        help_text=_("Up to 50 at once: JSON, JWT, badges (PNG, SVG), certificates (PDF)."),
        required=False,
    )

    def clean_file(self) -> str:
        file = cast("UploadedFile[Any] | None", self.cleaned_data["file"])
        if file is None:
            return ""
        if (file.size or 0) > _LARGEST_FILE:
            raise forms.ValidationError(_("The file is too large for a list of 200 lines."))
        data: bytes = file.read()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            # What Excel writes on a Western European computer.
            return data.decode("cp1252", errors="replace")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = [cleaned.get(name) for name in ("lines", "file", "credentials")]
        if not self.errors and not any(given):
            raise forms.ValidationError(_("Type at least one code, or choose a file."))
        return cleaned

    def text(self) -> str:
        return str(self.cleaned_data["file"] or self.cleaned_data["lines"])

    def credential_files(self) -> list[tuple[str, bytes]]:
        """The name and the bytes of each credential that was given as a file."""
        return [(str(one.name), one.read()) for one in self.cleaned_data["credentials"]]


class KeyForm(forms.Form):
    label = forms.CharField(
        label=_("What the key is for"),
        help_text=_("For you alone, for instance: applicant tracking, Berlin."),
        max_length=80,
        error_messages={"required": _("Give the key a name, so that you know it again later.")},
    )


class HookForm(forms.Form):
    hook = forms.CharField(
        label=_("Address of your software (not needed)"),
        help_text=_("An https address that we post a signed message to. Empty: you get a mail."),
        max_length=400,
        required=False,
    )


class _TypedConfirmation(forms.Form):
    """Asks for the credential's code, so that nobody acts on the wrong row."""

    confirmation = forms.CharField(label=_("Type the code of the credential"), max_length=40)

    def __init__(self, *args: Any, credential: Credential, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._credential = credential

    def clean_confirmation(self) -> str:
        try:
            typed = shortcode.read(self.cleaned_data["confirmation"])
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        if typed != self._credential.code:
            raise forms.ValidationError(_("This is the code of another credential."))
        return typed


class RevokeForm(_TypedConfirmation):
    reason = forms.ChoiceField(
        label=_("Reason, shown on the public page"), choices=Revocation.Reason.choices
    )
    note = forms.CharField(
        label=_("Note for colleagues"),
        help_text=_("Never shown to the public. Write what was found and where it is kept."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )
    field_order = ("reason", "note", "confirmation")


class ReinstateForm(_TypedConfirmation):
    because = forms.CharField(
        label=_("Why the revocation was wrong"),
        help_text=_("Kept with the revocation, never shown to the public."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )
    field_order = ("because", "confirmation")


class KeysForm(forms.Form):
    """New keys; and which key is to be withdrawn, when one may have been stolen."""

    WITHDRAW_NONE = "none"

    key_name = forms.ChoiceField(
        label=_("What is to happen"),
        help_text=_("Fresh keys are made in any case, so that signing goes on."),
    )
    note = forms.CharField(
        label=_("Why"),
        help_text=_("For the second officer and the audit log."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["key_name"])
        field.choices = [(self.WITHDRAW_NONE, _("New keys; the old ones go on verifying"))] + [
            (name, _("New keys, and withdraw %(name)s") % {"name": name}) for name in names
        ]

    def clean_key_name(self) -> str:
        """The key to be withdrawn, or nothing."""
        name: str = self.cleaned_data["key_name"]
        return "" if name == self.WITHDRAW_NONE else name
