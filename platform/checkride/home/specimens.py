"""What the style guide shows: forms in each state, a list with pages, messages."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest

from checkride.ui.icons import icon_names


class SpecimenForm(forms.Form):
    """A form of every kind of field."""

    name = forms.CharField(label="Your name", help_text="As it should stand on a certificate.")
    email = forms.EmailField(label="E-mail address")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    role = forms.ChoiceField(
        label="Role", choices=[("operator", "Agent operator"), ("manager", "Agent manager")]
    )
    pace = forms.ChoiceField(
        label="Pace",
        choices=[("timed", "Timed"), ("untimed", "Without a time limit")],
        widget=forms.RadioSelect,
        initial="timed",
    )
    agreed = forms.BooleanField(label="I have read the rules of the exam")


def context(request: HttpRequest) -> dict[str, object]:
    wrong = SpecimenForm(
        {"wrong-name": "", "wrong-email": "nobody@", "wrong-role": "operator"}, prefix="wrong"
    )
    wrong.is_valid()
    return {
        "icons": sorted(icon_names()),
        "form": SpecimenForm(prefix="empty"),
        "wrong_form": wrong,
        "page": Paginator(range(1, 96), 20).get_page(request.GET.get("page")),
    }
