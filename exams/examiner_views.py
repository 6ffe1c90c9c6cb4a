"""The examiner's page: running attempts, more time for one of them, accommodations."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Avg, Count, Max, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.jobs.dbclock import database_now
from checkride.lib.errors import DomainError
from exams import delivery, irregularity_page, item_statistics, preparation
from exams.models import (
    Accommodation,
    Attempt,
    BlueprintVersion,
    Extension,
    GradeRun,
    ResponseEvent,
)
from exams.psychometrics.item_analysis import LEAST_ATTEMPTS
from exams.views import private


class ExtensionForm(forms.Form):
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"), min_value=1, max_value=delivery.MAX_EXTENSION_MINUTES
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


class AccommodationForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("Candidate's e-mail address"))
    time_percent = forms.TypedChoiceField(
        label=gettext_lazy("Time, times the usual"),
        choices=Accommodation.MULTIPLIERS,
        coerce=int,
    )
    pause_minutes = forms.IntegerField(
        label=gettext_lazy("Pauses, minutes in all"),
        min_value=0,
        max_value=120,
        initial=0,
        required=False,
        help_text=gettext_lazy("The clock stops, and the items are hidden."),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Leave empty if it does not end."),
    )

    def clean_pause_minutes(self) -> int:
        return self.cleaned_data["pause_minutes"] or 0


@require_GET
@role_required(Role.EXAMINER)
@private
def running(request: SignedInRequest) -> HttpResponse:
    return _page(request, AccommodationForm())


@require_GET
@role_required(Role.EXAMINER)
@private
def items(request: SignedInRequest, exam: str) -> HttpResponse:
    """What released attempts say about each item. No text of an item is shown."""
    try:
        blueprint = preparation.current_blueprint(exam).blueprint
    except preparation.UnknownExam as error:
        raise Http404 from error
    rows = item_statistics.item_rows(exam)
    runs = GradeRun.objects.filter(result__isnull=False, attempt__exam=exam)
    figures = runs.aggregate(
        attempts=Count("pk"), passed=Count("pk", filter=Q(passed=True)), mean=Avg("correct")
    )
    return render(
        request,
        "exams/items.html",
        {
            "blueprint": blueprint,
            "rows": rows,
            "found": sum(1 for row in rows if row.findings),
            "figures": figures,
            "least": LEAST_ATTEMPTS,
            "nav_section": "exams",
        },
    )


@require_POST
@role_required(Role.EXAMINER)
@private
def extend(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    attempt = get_object_or_404(Attempt, pk=attempt_id)
    form = ExtensionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed. Give whole minutes and a reason."))
        return redirect("exams:examiner")
    try:
        extension = delivery.extend(attempt.pk, by=request.user, **form.cleaned_data)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            _("%(minutes)s minutes added. The candidate's timer shows them within a minute.")
            % {"minutes": extension.seconds // 60},
        )
    return redirect("exams:examiner")


@require_POST
@role_required(Role.EXAMINER)
@private
def incident(request: SignedInRequest) -> HttpResponse:
    """Give time to every running attempt at once, for example after an outage."""
    form = ExtensionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed. Give whole minutes and say what happened."))
        return redirect("exams:examiner")
    try:
        declared = delivery.declare_incident(
            minutes=form.cleaned_data["minutes"],
            what=form.cleaned_data["reason"],
            by=request.user,
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request,
            _(
                "%(minutes)s minutes given to %(count)s running attempts. "
                "Every timer shows them within half a minute."
            )
            % {"minutes": declared.seconds // 60, "count": declared.attempts},
        )
    return redirect("exams:examiner")


@require_POST
@role_required(Role.EXAMINER)
@private
def accommodate(request: SignedInRequest) -> HttpResponse:
    form = AccommodationForm(request.POST)
    if form.is_valid():
        candidate = User.objects.filter(email__iexact=form.cleaned_data.pop("email")).first()
        if candidate is not None:
            preparation.grant_accommodation(candidate, by=request.user, **form.cleaned_data)
            messages.success(
                request, _("Granted. It applies to attempts that have not been started.")
            )
            return redirect("exams:examiner")
        form.add_error("email", _("Nobody has an account with this address."))
    return _page(request, form, status=422)


@require_GET
@role_required(Role.EXAMINER)
@private
def irregularities(request: SignedInRequest, exam: str) -> HttpResponse:
    """Answers too alike or too fast to pass over. Nothing follows from a line by itself."""
    version = get_object_or_404(BlueprintVersion, exam=exam, is_current=True)
    return render(
        request,
        "exams/irregularities.html",
        {
            "blueprint": version.blueprint,
            "found": irregularity_page.irregularities(exam),
            "nav_section": "exams",
        },
    )


def _page(request: SignedInRequest, form: AccommodationForm, *, status: int = 200) -> HttpResponse:
    attempts = (
        Attempt.objects.filter(state=Attempt.State.IN_PROGRESS)
        .select_related("candidate", "blueprint_version")
        .annotate(
            last_save_at=Max(
                "items__events__received_at",
                filter=Q(items__events__verdict=ResponseEvent.Verdict.ACCEPTED),
            )
        )
        .order_by("deadline_at")
    )
    return render(
        request,
        "exams/examiner.html",
        {
            "attempts": attempts,
            "now": database_now(),
            "extensions": Extension.objects.select_related(
                "attempt__candidate", "granted_by"
            ).order_by("-granted_at")[:20],
            "accommodations": Accommodation.objects.select_related("candidate", "granted_by")[:50],
            "form": form,
            "versions": BlueprintVersion.objects.filter(is_current=True).order_by("exam"),
            "most_minutes": delivery.MAX_EXTENSION_MINUTES,
            "nav_section": "exams",
        },
        status=status,
    )
