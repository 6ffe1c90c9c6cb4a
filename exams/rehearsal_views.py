"""The pages of the rehearsal: what it is, the ninety seconds, what worked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from exams import item_page, rehearsal
from exams.models import Rehearsal
from exams.scoring.responses import BadResponse
from exams.views import answers_script, arrival_of, private, save_reply, sent_save


@require_GET
@login_required
@private
def overview(request: SignedInRequest) -> HttpResponse:
    """What the rehearsal shows, and what the last one showed."""
    return render(
        request,
        "exams/rehearsal.html",
        {
            "last": Rehearsal.objects.filter(candidate=request.user).first(),
            "seconds": rehearsal.SECONDS,
            "nav_section": "exams",
        },
    )


@require_POST
@login_required
@private
def begin(request: SignedInRequest) -> HttpResponse:
    return redirect("exams:rehearse", rehearsal.begin(request.user).pk)


@require_GET
@login_required
@private
def rehearse(request: SignedInRequest, rehearsal_id: UUID) -> HttpResponse:
    row, now = _own(request.user, rehearsal_id), database_now()
    if row.finished_at is not None or row.remaining_ms(at=now) == 0:
        return redirect("exams:rehearsal")
    accepted = [one for one in row.saves if one["verdict"] == "accepted"]
    newest: dict[str, Any] = accepted[-1] if accepted else {"payload": {}, "rev": 0}
    return render(
        request,
        "exams/rehearse.html",
        {
            "attempt": row,
            "blueprint": {"title": _("Rehearsal"), "items": 0},
            "face": rehearsal.FACE,
            "sheet": item_page.blank_sheet(rehearsal.FACE, newest["payload"], rev=newest["rev"]),
            "remaining_ms": row.remaining_ms(at=now),
            "minutes_left": -(-row.remaining_ms(at=now) // 60_000),
            "last_saved_at": row.saved_at,
            "addresses": {
                "status": reverse("exams:rehearsal-status", args=[row.pk]),
                "hand_in": reverse("exams:rehearsal-finish", args=[row.pk]),
                "over": reverse("exams:rehearsal"),
            },
        },
    )


@require_POST
@answers_script
def save(request: SignedInRequest, rehearsal_id: UUID) -> JsonResponse:
    try:
        receipt = rehearsal.save(
            rehearsal_id,
            sent_save(request.body),
            arrival=arrival_of(request),
            candidate=request.user,
        )
    except Rehearsal.DoesNotExist as error:
        raise Http404 from error
    except BadResponse as refusal:
        _own(request.user, rehearsal_id)
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=422)
    return save_reply(receipt)


@require_GET
@answers_script
def status(request: SignedInRequest, rehearsal_id: UUID) -> JsonResponse:
    row, now = _own(request.user, rehearsal_id), database_now()
    return JsonResponse(
        {
            "state": "in_progress" if row.finished_at is None else "submitted",
            "server_now": now.isoformat(),
            "remaining_ms": row.remaining_ms(at=now),
        }
    )


@require_POST
@answers_script
def prove(request: SignedInRequest, rehearsal_id: UUID) -> JsonResponse:
    """The script saw a step work: `step` is `reconnected` or `read-out`."""
    row = _own(request.user, rehearsal_id)
    match request.POST.get("step"):
        case "reconnected" | "read-out" as step:
            rehearsal.prove(row, step)
        case _:
            return JsonResponse({"code": "unknown-step"}, status=422)
    return JsonResponse({"step": step})


@require_POST
@login_required
@private
def finish(request: SignedInRequest, rehearsal_id: UUID) -> HttpResponse:
    rehearsal.finish(_own(request.user, rehearsal_id))
    return redirect("exams:rehearsal")


def _own(user: User, rehearsal_id: UUID) -> Rehearsal:
    row = Rehearsal.objects.filter(pk=rehearsal_id, candidate=user).first()
    if row is None:
        raise Http404
    return row
