"""The pages of a modified Angoff study: the panel's estimates, the discussion, the decision."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.lib.errors import DomainError
from exams import cut_studies
from exams.models import CutStudy, ExamForm
from exams.views import private


class CutDecisionForm(forms.Form):
    units = forms.FloatField(
        label=gettext_lazy("Policy adjustment, in standard errors of measurement"),
        min_value=cut_studies.UNITS[0],
        max_value=cut_studies.UNITS[1],
        initial=0,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason, which is published"),
        min_length=20,
        max_length=1500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@require_POST
@role_required(Role.EXAMINER)
@private
def begin(request: SignedInRequest, form_id: int) -> HttpResponse:
    form = get_object_or_404(ExamForm, pk=form_id)
    try:
        study = cut_studies.open_study(
            form, emails=request.POST.get("judges", "").splitlines(), by=request.user
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("exams:forms", form.exam)
    return redirect("exams:cut-study", study.pk)


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def study(request: SignedInRequest, study_id: int) -> HttpResponse:
    """The items with one's own estimates, and how far the round is. Posting stores estimates."""
    row = get_object_or_404(CutStudy.objects.select_related("form"), pk=study_id)
    if request.method == "POST":
        try:
            stored = cut_studies.rate(row.pk, _percents(request), by=request.user)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("%(n)s estimates stored.") % {"n": stored})
        return redirect("exams:cut-study", row.pk)
    return render(
        request,
        "exams/cut_study.html",
        {
            "study": row,
            "rows": cut_studies.item_rows(row, request.user),
            "is_judge": row.judges.filter(pk=request.user.pk).exists(),
            "standing": cut_studies.standing(row),
            "first": cut_studies.standing(row, round_=1) if row.round == 2 else None,
            "form": CutDecisionForm(),
            "nav_section": "exams",
        },
    )


@require_POST
@role_required(Role.EXAMINER)
@private
def study_step(request: SignedInRequest, study_id: int) -> HttpResponse:
    """Open the second round, or decide the cut."""
    row = get_object_or_404(CutStudy, pk=study_id)
    try:
        if request.POST.get("step") == "second-round":
            cut_studies.next_round(row.pk, by=request.user)
        else:
            form = CutDecisionForm(request.POST)
            if not form.is_valid():
                raise cut_studies.BadStudy(
                    problem="give an adjustment from -2 to 2 and a reason of a sentence."
                )
            cut_studies.decide(row.pk, by=request.user, **form.cleaned_data)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("exams:cut-study", row.pk)


def _percents(request: SignedInRequest) -> dict[int, int]:
    """Estimates by item version; what was left empty is left out, and 0 is refused later."""
    return {
        int(name[2:]): int(value) if value.isdecimal() and len(value) < 4 else 0
        for name, value in request.POST.items()
        if name.startswith("p-") and name[2:].isdecimal() and isinstance(value, str) and value
    }
