"""Forms about a person's own account."""

from __future__ import annotations

import unicodedata
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from checkride.accounts.models import User

# Unicode's embeddings, overrides and isolates. They turn the text around a name; no name needs one.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(value: str) -> str:
    """A name as it is signed into credentials: NFC, single spaces, no control characters.

    Raises `ValidationError` for control characters, which some verifiers cannot canonicalise
    (credentials.md, 1.1), and for those that change the direction of the text around the name.
    """
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if any(
        letter in _TURNING or unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"}
        for letter in name
    ):
        raise forms.ValidationError(
            _("The name holds a character that cannot be printed. Type it again without it.")
        )
    return name


class SignupForm(forms.Form):
    """Asked at sign-up beside address and password."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        help_text=_("As it should stand on a certificate. You can change it later."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("name", "email", "password1")

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class NameForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ("name",)
        labels = {"name": _("Your name")}  # noqa: RUF012 - Django reads it so
        help_texts = {  # noqa: RUF012
            "name": _("As it should stand on a certificate. Credentials that you hold keep theirs.")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # An account may lack a name (it was made by a command); whoever saves this form gives one.
        self.fields["name"].required = True

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])


class ErasureForm(forms.Form):
    """Erasing an account is confirmed by typing the address, since it cannot be undone."""

    email = forms.CharField(
        label=_("Type your e-mail address to confirm"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email.strip().lower() != self._user.email.lower():
            raise forms.ValidationError(
                _("This is not the address of your account. Nothing has been erased.")
            )
        return email


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """allauth's form in words for people who never read about passkeys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        known = Authenticator.objects.filter(
            user=kwargs["user"], type=Authenticator.Type.WEBAUTHN
        ).count()
        initial = kwargs.setdefault("initial", {})
        initial.setdefault("name", _("Passkey %(number)d") % {"number": known + 1})
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("What you call it")
        self.fields["name"].help_text = _("For example “work laptop”, so that you know it again.")
        alone = self.fields["passwordless"]
        alone.label = _("Sign in with it alone, without the password")
        alone.help_text = _("The device then asks for your finger, your face or its PIN.")
