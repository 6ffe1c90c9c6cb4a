"""A field says what is wrong beside itself, and the summary above links to it."""

from __future__ import annotations

import re

from django import forms
from django.template import Context, Engine


class Booking(forms.Form):
    email = forms.EmailField(label="E-mail address", help_text="Where we write to.")
    seats = forms.IntegerField(label="Seats", required=False)
    plan = forms.ChoiceField(
        label="Plan", choices=[("a", "First"), ("b", "Second")], widget=forms.RadioSelect
    )
    agreed = forms.BooleanField(label="I agree")
    token = forms.CharField(widget=forms.HiddenInput)

    def clean(self) -> None:
        raise forms.ValidationError("The day is over.")


def drawn(source: str, form: forms.Form) -> str:
    template = Engine.get_default().from_string("{% load ui %}" + source)
    return template.render(Context({"form": form}))


def test_hint_and_error_are_tied_to_the_control() -> None:
    html = drawn("{% field form.email %}", Booking({"email": "nobody@"}))

    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    for reference in described[1].split():
        assert f'id="{reference}"' in html
    assert 'aria-invalid="true"' in html


def test_a_field_that_may_stay_empty_says_so() -> None:
    assert "(optional)" in drawn("{% field form.seats %}", Booking())
    assert "(optional)" not in drawn("{% field form.email %}", Booking())


def test_choices_stand_in_a_fieldset_with_a_legend() -> None:
    html = drawn("{% field form.plan %}", Booking())

    assert "<fieldset" in html
    assert re.search(r"<legend[^>]*>Plan", html)


def test_the_summary_links_each_error_to_its_field_and_names_the_others() -> None:
    form = Booking({"email": "nobody@"})

    html = drawn("{% error_summary form %}{% for one in form %}{% field one %}{% endfor %}", form)

    links = re.findall(r'<li><a href="#([^"]+)"', html)
    assert len(links) == 3
    for target in links:
        assert f'id="{target}"' in html
    assert "The day is over." in html


def test_a_form_without_errors_has_no_summary() -> None:
    assert "role=" not in drawn("{% error_summary form %}", Booking())


def test_attributes_of_a_control_can_be_added_and_taken_away() -> None:
    form = Booking()
    form.fields["email"].widget.attrs["placeholder"] = "you@example.org"

    html = drawn('{% field form.email placeholder=False data_role="x" %}', form)

    assert "placeholder" not in html
    assert 'data-role="x"' in html
