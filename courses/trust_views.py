"""How far a grade can be trusted, and the examiners' pages where unsure readings are decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import labelling, practice, reader_agreement, study
from courses.grading.agreement import Figures
from courses.models import UnsureReading

Json = Any


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement on the page about trust. `says` is empty while it must not be told."""

    number: int
    says: str
    figures: Figures


@require_GET
def trust(request: HttpRequest, exercise_id: str) -> HttpResponse:
    """How often the reader of this exercise was right, on which prompts, and what is not known."""
    user = request.user if request.user.is_authenticated else None
    found = study.exercise_for(user, exercise_id)
    if found is None or found[1].kind != "prompt":
        raise Http404
    course, exercise = found
    told = user is not None and practice.history(user, exercise_id).shows_hidden()
    says = {row["id"]: str(row["says"]) for row in exercise.document["requirements"]}
    numbers = {name: number for number, name in enumerate(says, start=1)}
    sets = reader_agreement.measurement().sets.get(exercise_id, ())
    held_out = [
        (
            one,
            [
                RequirementRow(numbers[name], says[name] if told else "", row)
                for name, row in one.requirements.items()
                if name in numbers
            ],
        )
        for one in sets
        if one.use == "held-out"
    ]
    decided = labelling.decided_set(exercise_id)
    context: dict[str, Json] = {
        "nav_section": "practice",
        "course": course,
        "exercise": exercise,
        "held_out": held_out,
        "development": [one for one in sets if one.use == "development"],
        "is_of_this_reader": reader_agreement.measurement().is_of_this_reader,
        "reader": reader_agreement.reader_digest(),
        "told": told,
        "runs_until_open": practice.RUNS_UNTIL_HIDDEN_OPEN,
        "decided": decided,
        "decided_rows": [
            (numbers[row.requirement], says[row.requirement] if told else "", row)
            for row in decided.requirements
            if row.requirement in numbers
        ],
    }
    return render(request, "courses/trust.html", context)


@require_GET
@role_required(Role.EXAMINER)
def unsure(request: SignedInRequest) -> HttpResponse:
    """What the reader was unsure of and this examiner may decide, and where examiners differ."""
    waiting = labelling.waiting_for(request.user).select_related("submission__version")
    page = Paginator(waiting, labelling.SHOWN_AT_ONCE).get_page(request.GET.get("page"))
    hers = (
        UnsureReading.objects.filter(labels__examiner=request.user)
        .select_related("submission__version")
        .prefetch_related("labels")
        .order_by("-labels__at")[: labelling.SHOWN_AT_ONCE]
    )
    context = {
        "page": page,
        "rows": [(row, _requirement(row)["says"]) for row in page],
        "hers": [
            (row, _requirement(row)["says"], labelling.outcome(list(row.labels.all())))
            for row in hers
        ],
        "nav_section": "unsure",
    }
    return render(request, "courses/unsure.html", context)


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
def decide(request: SignedInRequest, reading_id: int) -> HttpResponse:
    """One prompt without its writer. Until she has decided she sees nobody else's answer."""
    reading = (
        UnsureReading.objects.filter(pk=reading_id)
        .exclude(submission__user=request.user)
        .select_related("submission__version")
        .prefetch_related("labels")
        .first()
    )
    if reading is None:
        raise Http404
    labels = list(reading.labels.all())
    mine = next((one for one in labels if one.examiner_id == request.user.pk), None)
    if mine is None and not labelling.waiting_for(request.user).filter(pk=reading.pk).exists():
        raise Http404  # enough have decided
    status = 200
    if request.method == "POST":
        try:
            labelling.decide(
                reading,
                examiner=request.user,
                verdict=request.POST.get("verdict", ""),
                reason=request.POST.get("reason", ""),
                keep_out=request.POST.get("keep_out") == "on",
                at=clock.now(),
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
            status = 422
        else:
            messages.success(request, _("Stored. The learner reads it beside the report."))
            return redirect("courses:decide", reading.pk)
    following = labelling.waiting_for(request.user).exclude(pk=reading.pk).first()
    document = reading.submission.version.document
    context: dict[str, Json] = {
        "reading": reading,
        "exercise": {"id": reading.exercise, "title": document["title"]},
        "requirement": _requirement(reading),
        "lines": reading.submission.text.split("\n"),
        "mine": mine,
        "outcome": labelling.outcome(labels) if mine is not None else None,
        "choices": [
            ("met", _("Met"), _("Whoever follows this prompt does what the requirement says")),
            ("absent", _("No line says it"), _("The prompt leaves it open, or says only a part")),
            ("contradicted", _("Says the opposite"), _("The prompt orders something else")),
        ],
        "chosen": request.POST.get("verdict", ""),
        "reason": request.POST.get("reason", ""),
        "following": following,
        "nav_section": "unsure",
    }
    return render(request, "courses/decide.html", context, status=status)


def _requirement(reading: UnsureReading) -> Mapping[str, Json]:
    """The requirement as it stood in the version of the exercise that was run."""
    rows = reading.submission.version.document["requirements"]
    found = next((row for row in rows if row["id"] == reading.requirement), None)
    return found or {"id": reading.requirement, "says": reading.requirement}
