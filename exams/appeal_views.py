"""The pages of appeals: the candidate's, and the examiner's with the evidence."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from checkride import audit
from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.jobs.dbclock import database_now
from checkride.lib.errors import DomainError
from exams import access, appeals
from exams.models import Appeal, Extension
from exams.views import private


class AppealForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("What is wrong with the result?"),
        min_length=appeals.REASON[0],
        max_length=appeals.REASON[1],
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "For example an item that had two right answers, or a fault during the exam. Name the "
            "item by its number on your receipt."
        ),
    )


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[choice for choice in Appeal.Outcome.choices if choice[0]],
    )
    decision = forms.CharField(
        label=gettext_lazy("Reason, which the candidate reads"),
        min_length=appeals.REASON[0],
        max_length=appeals.REASON[1],
        widget=forms.Textarea(attrs={"rows": 5}),
    )


@require_http_methods(["GET", "POST"])
@login_required
@private
def appeal(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """Appeal the result of one's own attempt."""
    own = access.own_attempt(request.user, attempt_id)
    if getattr(own, "result", None) is None:
        raise Http404
    until = appeals.open_until(own, at=database_now())
    if until is None:
        messages.info(request, _("This result cannot be appealed now. Your result says why."))
        return redirect("exams:result", own.pk)
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.make(own, reason=form.cleaned_data["reason"], by=request.user)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(
                request, _("Your appeal is with us. You get a letter when it is decided.")
            )
        return redirect("exams:result", own.pk)
    return render(
        request,
        "exams/appeal.html",
        {
            "attempt": own,
            "blueprint": own.blueprint,
            "form": form,
            "until": until,
            "nav_section": "exams",
        },
        status=422 if request.method == "POST" else 200,
    )


@require_GET
@role_required(Role.EXAMINER)
@private
def waiting(request: SignedInRequest) -> HttpResponse:
    """Open appeals, the oldest first, and the latest decisions. No names."""
    rows = Appeal.objects.select_related("attempt__blueprint_version", "decided_by")
    return render(
        request,
        "exams/appeals.html",
        {
            "open": rows.filter(outcome=Appeal.Outcome.OPEN).order_by("made_at"),
            "decided": rows.exclude(outcome=Appeal.Outcome.OPEN)[:50],
            "nav_section": "exams",
        },
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def decide(request: SignedInRequest, appeal_id: int) -> HttpResponse:
    """The evidence of one appeal, and the form for the decision."""
    row = get_object_or_404(
        Appeal.objects.select_related(
            "attempt__blueprint_version", "attempt__current_grade", "decided_by"
        ),
        pk=appeal_id,
    )
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.decide(row.pk, by=request.user, **form.cleaned_data)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("Decided. The candidate gets a letter with your reason."))
        return redirect("exams:appeal-decide", row.pk)
    if request.method == "GET":
        audit.record(request.user, "appeal.read", row, at=database_now())
    return render(
        request,
        "exams/appeal_decide.html",
        {
            "appeal": row,
            "attempt": row.attempt,
            "blueprint": row.attempt.blueprint,
            "evidence": appeals.evidence(row.attempt),
            "runs": row.attempt.grade_runs.select_related("actor"),
            "extensions": Extension.objects.filter(attempt=row.attempt),
            "may_decide": appeals.may_decide(row, request.user),
            "form": form,
            "nav_section": "exams",
        },
        status=422 if request.method == "POST" else 200,
    )
