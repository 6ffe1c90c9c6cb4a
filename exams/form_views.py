"""The examiner's page of fixed forms: assemble a set, open and close forms, record a cut."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.lib.errors import DomainError
from exams import fixed_forms, preparation
from exams.models import BlueprintVersion, ExamForm
from exams.psychometrics.equating import LEAST_FOR_EQUATING, Equating
from exams.views import private


class MakeForm(forms.Form):
    count = forms.IntegerField(
        label=gettext_lazy("Forms"), min_value=2, max_value=fixed_forms.MOST_FORMS, initial=4
    )


class CutForm(forms.Form):
    points = forms.IntegerField(label=gettext_lazy("Cut in points"), min_value=1, max_value=2000)
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[
            ("identity", gettext_lazy("Identity")),
            ("circle-arc", gettext_lazy("Circle-arc equating")),
            ("angoff", gettext_lazy("Modified Angoff")),
            ("borderline", gettext_lazy("Borderline group")),
        ],
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason, which is published"),
        min_length=10,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@dataclass(frozen=True, slots=True)
class FormRow:
    form: ExamForm
    items: int
    anchors: int
    expected: float
    minutes: int
    sat: int
    equating: Equating | None
    suggested: int | None
    study: int | None


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def fixed(request: SignedInRequest, exam: str) -> HttpResponse:
    """The forms of an exam. Posting assembles another set."""
    version = _version(exam)
    form = MakeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = fixed_forms.make_forms(
                version,
                count=form.cleaned_data["count"],
                seed=secrets.token_hex(8),
                by=request.user,
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(
                request,
                _("Assembled as drafts: %(names)s. Candidates get them once they are open.")
                % {"names": ", ".join(one.name for one in made)},
            )
            return redirect("exams:forms", exam)
    return _page(request, version, form, status=422 if request.method == "POST" else 200)


@require_POST
@role_required(Role.EXAMINER)
@private
def form_state(request: SignedInRequest, form_id: int) -> HttpResponse:
    form = get_object_or_404(ExamForm, pk=form_id)
    try:
        fixed_forms.set_state(form.pk, request.POST.get("state", ""), by=request.user)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("exams:forms", form.exam)


@require_POST
@role_required(Role.EXAMINER)
@private
def form_cut(request: SignedInRequest, form_id: int) -> HttpResponse:
    form = get_object_or_404(ExamForm, pk=form_id)
    posted = CutForm(request.POST)
    if not posted.is_valid():
        messages.error(
            request, _("Nothing was changed. Give a cut, a method and a reason of a sentence.")
        )
        return redirect("exams:forms", form.exam)
    try:
        fixed_forms.adopt_cut(form.pk, by=request.user, **posted.cleaned_data)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request, _("Recorded. It counts for attempts that are graded from now on.")
        )
    return redirect("exams:forms", form.exam)


def _page(
    request: SignedInRequest, version: BlueprintVersion, form: MakeForm, *, status: int
) -> HttpResponse:
    return render(
        request,
        "exams/forms.html",
        {
            "exam": version.exam,
            "blueprint": version.blueprint,
            "rows": _rows(version),
            "form": form,
            "cut_form": CutForm(),
            "least": LEAST_FOR_EQUATING,
            "nav_section": "exams",
        },
        status=status,
    )


def _rows(version: BlueprintVersion) -> list[FormRow]:
    found = list(
        ExamForm.objects.filter(blueprint_version=version)
        .annotate(sat=Count("attempts", filter=Q(attempts__result__isnull=False), distinct=True))
        .prefetch_related("places__item_version")
    )
    rows = []
    for form in found:
        items = [place.item_version.scored_item for place in form.places.all()]
        equating = fixed_forms.equating_of(form, found[0]) if form.pk != found[0].pk else None
        rows.append(
            FormRow(
                form=form,
                items=len(items),
                anchors=sum(place.is_anchor for place in form.places.all()),
                expected=float(sum(item.angoff * item.points for item in items)),
                minutes=round(sum(item.seconds for item in items) / 60),
                sat=_annotated(form),
                equating=equating,
                suggested=equating.cut_on_new(found[0].cut_points) if equating else None,
                study=form.studies.values_list("pk", flat=True).first(),
            )
        )
    return rows


def _annotated(form: Any) -> int:
    return int(form.sat)


def _version(exam: str) -> BlueprintVersion:
    try:
        return preparation.current_blueprint(exam)
    except preparation.UnknownExam as error:
        raise Http404 from error
