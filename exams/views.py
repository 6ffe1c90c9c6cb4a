"""The candidate's pages: overview, start, items, review, receipt, result."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.jobs.dbclock import database_now
from checkride.lib.errors import DomainError
from exams import (
    access,
    appeals,
    delivery,
    item_page,
    parts,
    preparation,
    result_page,
    safe_exam_browser,
)
from exams.models import (
    Attempt,
    AttemptItem,
    BlueprintVersion,
    Extension,
    Rehearsal,
    ResponseEvent,
)
from exams.receipt_clock import seconds_since_arrival
from exams.scoring.responses import BadResponse

P = ParamSpec("P")

# The longest text has 20,000 characters, up to four bytes each, and JSON's escapes beside them.
MAX_SAVE_BYTES = 150_000
MAX_SEQUENCE = 2**31 - 1
_CLIENT = re.compile(r"[A-Za-z0-9-]{1,40}")


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Nothing of an attempt is stored by a browser or told to another site."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        # Not no-referrer: browsers then post forms with “Origin: null”, which Django refuses.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return guarded


JsonView = Callable[Concatenate[SignedInRequest, P], JsonResponse]


def answers_script(view: JsonView[P]) -> Callable[..., HttpResponse]:
    """For requests by our script: 401 instead of a redirect to the sign-in page, so that the
    script keeps the answer and says why."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse(
                {
                    "code": "signed-out",
                    "message": _(
                        "You are signed out. Your answers are kept on this computer. "
                        "Sign in again in another tab and go on here."
                    ),
                },
                status=401,
            )
        return view(request, *args, **kwargs)

    return private(guarded)


def arrival_of(request: HttpRequest) -> delivery.Arrival:
    return delivery.Arrival(partial(seconds_since_arrival, request))


# Before the start -------------------------------------------------------------------------------


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every exam there is, and the person's own attempts."""
    attempts: list[Attempt] = []
    if request.user.is_authenticated:
        attempts = list(
            Attempt.objects.filter(candidate=request.user)
            .select_related("blueprint_version", "result__grade_run")
            .order_by("-prepared_at")
        )
    versions = BlueprintVersion.objects.filter(is_current=True).order_by("exam")
    return render(
        request,
        "exams/index.html",
        {
            "versions": versions,
            "attempts": attempts,
            "not_open": {one.exam for one in versions if preparation.shortages(one)},
            "nav_section": "exams",
        },
    )


@require_GET
def exam(request: HttpRequest, exam: str) -> HttpResponse:
    """What an exam is, what it asks and what it records."""
    version = get_object_or_404(BlueprintVersion, exam=exam, is_current=True)
    status, may_prepare = None, False
    now = database_now()
    candidate = request.user if request.user.is_authenticated else None
    if request.user.is_authenticated:
        status = preparation.eligibility(request.user, version, at=now)
        may_prepare = status.is_open(at=now)
    return render(
        request,
        "exams/exam.html",
        {
            "exam": exam,
            "blueprint": version.blueprint,
            "parts": parts.parts_of(version, candidate, at=now),
            "shortages": preparation.shortages(version),
            "status": status,
            "may_prepare": may_prepare,
            "has_more_time": status is not None
            and status.time_allowed_s > version.blueprint.minutes * 60,
            "nav_section": "exams",
        },
    )


@require_POST
@login_required
def prepare(request: SignedInRequest, exam: str) -> HttpResponse:
    try:
        attempt = preparation.prepare(request.user, exam)
    except preparation.UnknownExam as error:
        raise Http404 from error
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("exams:exam", exam)
    return redirect("exams:attempt", attempt.pk)


@require_GET
@login_required
@private
def attempt(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """The start page while an attempt is ready; afterwards the way to where it stands."""
    own = access.own_attempt(request.user, attempt_id)
    if own.state != Attempt.State.READY:
        return redirect(_where(delivery.close_if_overdue(own)))
    return render(
        request,
        "exams/start.html",
        {
            "attempt": own,
            "blueprint": own.blueprint,
            "item_count": own.items.count(),
            "has_pilots": own.items.filter(is_pilot=True).exists(),
            "rehearsal": Rehearsal.objects.filter(candidate=request.user).first(),
            "nav_section": "exams",
        },
    )


@require_POST
@login_required
@private
def start(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    own = access.own_attempt(request.user, attempt_id)
    if hindrance := _browser_hindrance(request, own):
        return hindrance
    own = delivery.start(own, session_key=request.session.session_key)
    return redirect(_where(own))


# During the attempt -----------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@login_required
@private
def item(request: SignedInRequest, attempt_id: UUID, position: int) -> HttpResponse:
    """One item. Posting the form saves; it is the whole exam for a browser without script."""
    own, now = access.own_attempt_now(request.user, attempt_id)
    if request.method == "POST":
        return _save_form(request, own, access.own_item(own, position))
    if hindrance := _hindrance(request, own, at=now):
        return hindrance
    if own.is_running and own.is_sequential and position != own.reached:
        return redirect(_item_url(own, own.reached))
    places = access.own_places(own)
    place = next((one for one in places if one.position == position), None)
    if place is None:
        raise Http404
    own = delivery.close_if_overdue(own, at=now)
    if not own.is_running:
        return redirect(_where(own))
    delivery.note_seen(place)
    overview = item_page.overview(places, current=position)
    previous, following = item_page.neighbours(
        position, (entry.position for entry in overview.entries)
    )
    return render(
        request,
        "exams/item.html",
        {
            **_bar(own, places, at=now),
            "sheet": item_page.sheet(place),
            "overview": overview,
            "previous": previous,
            "following": following,
            "client_id": uuid.uuid4(),
        },
    )


@require_GET
@answers_script
def sheets(request: SignedInRequest, attempt_id: UUID) -> JsonResponse:
    """Every item of a running attempt as its page would show it, by position, so that a candidate
    without a connection can go on. The script keeps them in memory only: what is on a disk could be
    read after the exam."""
    own, now = access.own_attempt_now(request.user, attempt_id)
    hidden = own.is_sequential or _hindrance(request, own, at=now) is not None
    if hidden or not delivery.close_if_overdue(own, at=now).is_running:
        return JsonResponse({"sheets": {}})
    places = access.own_places(own)
    positions = [place.position for place in places]
    conflicts = item_page.conflicts_of(own)
    drawn = {}
    for place in places:
        previous, following = item_page.neighbours(place.position, positions)
        shown = {
            "attempt": own,
            "blueprint": own.blueprint,
            "sheet": item_page.sheet(place, conflicts=conflicts),
            "item_count": len(places),
            "previous": previous,
            "following": following,
            "client_id": uuid.uuid4(),
        }
        drawn[place.position] = render_to_string("exams/_item.html", shown, request)
    return JsonResponse({"sheets": drawn})


@require_POST
@answers_script
def seen(request: SignedInRequest, attempt_id: UUID, position: int) -> JsonResponse:
    """The script has shown an item that it had in memory."""
    own = access.own_attempt(request.user, attempt_id)
    delivery.note_seen(access.own_item(own, position))
    return JsonResponse({"seen": position})


def _save_form(request: SignedInRequest, own: Attempt, place: AttemptItem) -> HttpResponse:
    position = place.position
    go = request.POST.get("go", "stay")
    if go in {"flag", "unflag"}:
        delivery.flag(place, flagged=go == "flag")
    try:
        if go == "use-kept":
            save = _kept_again(request, place)
        else:
            payload = {} if go == "clear" else item_page.payload_from_post(place.face, request.POST)
            save = _posted_save(request.POST, payload)
        receipt = delivery.save_response(
            own.pk,
            position,
            save,
            arrival=arrival_of(request),
            session_key=request.session.session_key,
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(
            _where(own) if own.state == Attempt.State.READY else _item_url(own, position)
        )
    if receipt.verdict in {"late", "closed"}:
        messages.warning(request, _late_message(receipt))
        return redirect("exams:receipt", own.pk)
    if receipt.verdict == "conflict":
        # The page shows both answers and lets the candidate choose.
        return redirect(_item_url(own, position))
    match go:
        case "review":
            return redirect("exams:review", own.pk)
        case number if number.isdecimal() and len(number) < 4:
            return redirect(_item_url(own, int(number)))
        case _:
            return redirect(_item_url(own, position))


@require_POST
@answers_script
def save(request: SignedInRequest, attempt_id: UUID, position: int) -> JsonResponse:
    """Save by script. 200 counts, 409 is kept beside another answer, 410 is kept and too late."""
    try:
        sent = sent_save(request.body)
        receipt = delivery.save_response(
            attempt_id,
            position,
            sent,
            arrival=arrival_of(request),
            candidate=request.user,
            session_key=request.session.session_key,
        )
    except (Attempt.DoesNotExist, AttemptItem.DoesNotExist) as error:
        raise Http404 from error
    except BadResponse as refusal:
        # Asked here only, because the save itself asks: a stranger learns nothing from a bad one.
        access.own_item(access.own_attempt(request.user, attempt_id), position)
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=422)
    except DomainError as refusal:
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=409)
    return save_reply(receipt)


def save_reply(receipt: delivery.Receipt) -> JsonResponse:
    """What the script is told about a save."""
    status = {"accepted": 200, "conflict": 409, "late": 410, "closed": 410}[receipt.verdict]
    return JsonResponse(
        {
            "code": receipt.verdict,
            "message": "" if status != 410 else _late_message(receipt),
            "rev": receipt.rev,
            "payload_sha256": receipt.payload_sha256,
            "yours": receipt.payload,
            "current_rev": receipt.current_rev,
            "current": receipt.current,
            "answered": receipt.answered,
            "received_at": receipt.received_at.isoformat(),
            "server_now": receipt.server_now.isoformat(),
            "remaining_ms": receipt.remaining_ms,
            "closed": receipt.closed,
        },
        status=status,
    )


@require_POST
@answers_script
def flag(request: SignedInRequest, attempt_id: UUID, position: int) -> JsonResponse:
    own = access.own_attempt(request.user, attempt_id)
    place = access.own_item(own, position)
    flagged = request.POST.get("flagged") == "true"
    delivery.flag(place, flagged=flagged)
    return JsonResponse({"flagged": flagged})


@require_GET
@answers_script
def status(request: SignedInRequest, attempt_id: UUID) -> JsonResponse:
    """The time left by the database's clock, and whether the attempt is closed or released."""
    own, now = access.own_attempt_now(request.user, attempt_id)
    own = delivery.close_if_overdue(own, at=now)
    return JsonResponse(
        {
            "state": own.state,
            "server_now": now.isoformat(),
            "remaining_ms": 0 if own.is_closed else own.remaining_ms(at=now),
        }
    )


@require_GET
@login_required
@private
def review(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    own, now = access.own_attempt_now(request.user, attempt_id)
    if hindrance := _hindrance(request, own, at=now):
        return hindrance
    own = delivery.close_if_overdue(own, at=now)
    if not own.is_running:
        return redirect(_where(own))
    places = access.own_places(own)
    return render(
        request,
        "exams/review.html",
        {**_bar(own, places, at=now), "overview": item_page.overview(places)},
    )


@require_POST
@login_required
@private
def hand_in(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """Close the attempt. It needs the ticked box, except when the time is over anyway."""
    own = access.own_attempt(request.user, attempt_id)
    if own.state == Attempt.State.READY:
        return redirect(_where(own))
    if delivery.is_elsewhere(own, request.session.session_key):
        return redirect(_item_url(own, own.reached))
    if request.POST.get("confirm") != "yes" and own.remaining_ms(at=database_now()) > 0:
        messages.error(
            request,
            _("Nothing was handed in. Tick the box to say that you are done, and press again."),
        )
        return redirect("exams:review", own.pk)
    delivery.hand_in(own.pk, arrival=arrival_of(request))
    return redirect("exams:receipt", own.pk)


@require_POST
@login_required
@private
def move_here(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """Go on in this browser; the one before can no longer answer."""
    own = access.own_attempt(request.user, attempt_id)
    key = request.session.session_key
    if key:
        delivery.move_here(own.pk, session_key=key, by=request.user)
    return redirect("exams:attempt", own.pk)


@require_POST
@login_required
@private
def pause(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    own = access.own_attempt(request.user, attempt_id)
    delivery.pause(own.pk, by=request.user)
    return redirect("exams:attempt", own.pk)


@require_POST
@login_required
@private
def go_on(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    own = access.own_attempt(request.user, attempt_id)
    delivery.go_on(own.pk, by=request.user)
    return redirect("exams:attempt", own.pk)


@require_POST
@login_required
@private
def advance(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """Go on to the next item for good, in an exam that does not lead back."""
    own = access.own_attempt(request.user, attempt_id)
    delivery.advance(own.pk, to=_whole(request.POST.get("to")) or 0)
    return redirect("exams:attempt", own.pk)


# After the attempt ------------------------------------------------------------------------------


@require_GET
@login_required
@private
def receipt(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """Every answer with the second it was received."""
    own = delivery.close_if_overdue(access.own_attempt(request.user, attempt_id))
    if not own.is_closed:
        return redirect(_where(own))
    return render(
        request,
        "exams/receipt.html",
        {
            "attempt": own,
            "blueprint": own.blueprint,
            "lines": item_page.receipt_lines(own),
            "extensions": Extension.objects.filter(attempt=own),
            "not_counted": ResponseEvent.objects.filter(attempt_item__attempt=own)
            .exclude(verdict=ResponseEvent.Verdict.ACCEPTED)
            .count(),
            "nav_section": "exams",
        },
    )


@require_GET
@login_required
@private
def receipt_file(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    """The receipt as a text file, with the whole hash of every save."""
    own = access.own_attempt(request.user, attempt_id)
    if not own.is_closed:
        raise Http404
    response = render(
        request,
        "exams/receipt.txt",
        {
            "attempt": own,
            "blueprint": own.blueprint,
            "lines": item_page.receipt_lines(own),
            "extensions": Extension.objects.filter(attempt=own),
        },
        content_type="text/plain; charset=utf-8",
    )
    name = f"receipt-{own.exam}-{own.form_code}.txt"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
@login_required
@private
def result(request: SignedInRequest, attempt_id: UUID) -> HttpResponse:
    own = access.own_attempt(request.user, attempt_id)
    released = getattr(own, "result", None)
    if released is None:
        return redirect(_where(own))
    run = released.grade_run
    domains = result_page.domain_rows(run)
    now = database_now()
    opens_at = preparation.eligibility(request.user, own.blueprint_version, at=now).opens_at
    all_parts = parts.parts_of(own.blueprint_version, request.user, at=now)
    return render(
        request,
        "exams/result.html",
        {
            "attempt": own,
            "blueprint": own.blueprint,
            "result": released,
            "run": run,
            "total": result_page.total(run),
            "domains": domains,
            "gaps": [row for row in domains if row.study],
            "opens_at": opens_at,
            "missing": [one for one in all_parts if run.passed and not one.passed_at],
            "appeal": own.appeals.first(),
            "appeal_until": appeals.open_until(own, at=now),
            "counts_until": next((one.counts_until for one in all_parts if one.is_this), None),
            "nav_section": "exams",
        },
    )


# What stands between a candidate and the items -----------------------------------------------------


def _hindrance(request: SignedInRequest, own: Attempt, *, at: datetime) -> HttpResponse | None:
    """A page instead of the items: open in another browser, paused, or the wrong browser."""
    if not own.is_running:
        return None
    shown: dict[str, object] = {"attempt": own, "blueprint": own.blueprint, "nav_section": "exams"}
    if delivery.is_elsewhere(own, request.session.session_key):
        return render(request, "exams/elsewhere.html", shown)
    if own.is_paused(at=at):
        return render(request, "exams/paused.html", shown)
    return _browser_hindrance(request, own)


def _browser_hindrance(request: SignedInRequest, own: Attempt) -> HttpResponse | None:
    keys = own.blueprint.safe_exam_browser
    if not keys or safe_exam_browser.shows_key(
        address=request.build_absolute_uri(),
        header=request.headers.get(safe_exam_browser.HEADER, ""),
        keys=keys,
    ):
        return None
    shown = {"attempt": own, "blueprint": own.blueprint, "nav_section": "exams"}
    return render(request, "exams/other_browser.html", shown, status=403)


# Small parts ------------------------------------------------------------------------------------


def _bar(own: Attempt, places: list[AttemptItem], *, at: datetime) -> dict[str, object]:
    """What the exam bar shows on every page of a running attempt."""
    remaining_ms = own.remaining_ms(at=at)
    return {
        "attempt": own,
        "blueprint": own.blueprint,
        "item_count": len(places),
        "remaining_ms": remaining_ms,
        # The end is rounded up to the whole second: 30 minutes must not begin as 31.
        "addresses": {
            "status": reverse("exams:status", args=[own.pk]),
            "hand_in": reverse("exams:hand-in", args=[own.pk]),
            "over": reverse("exams:receipt", args=[own.pk]),
        },
        "minutes_left": -(-max(0, remaining_ms - 999) // 60_000),
        "last_saved_at": item_page.last_saved_at(places),
    }


def _where(own: Attempt) -> str:
    """The page that fits the attempt's state."""
    match own.state:
        case Attempt.State.READY:
            return reverse("exams:attempt", args=[own.pk])
        case Attempt.State.IN_PROGRESS:
            return _item_url(own, _first_open(own))
        case Attempt.State.RELEASED:
            return reverse("exams:result", args=[own.pk])
        case _:
            return reverse("exams:receipt", args=[own.pk])


def _first_open(own: Attempt) -> int:
    if own.is_sequential:
        return own.reached
    waiting = item_page.overview(access.own_places(own)).unanswered
    return waiting[0].position if waiting else 1


def _item_url(own: Attempt, position: int) -> str:
    return reverse("exams:item", args=[own.pk, position])


def _late_message(receipt: delivery.Receipt) -> str:
    return _(
        "This answer reached us at %(at)s UTC, after the end. It is kept and shown on your "
        "receipt, and it does not count."
    ) % {"at": f"{receipt.received_at:%H:%M:%S}"}


def _posted_save(post: Any, payload: dict[str, Any]) -> delivery.Save:
    return _checked_save(
        {
            "client_id": post.get("client_id"),
            "client_seq": _whole(post.get("client_seq")),
            "base_rev": _whole(post.get("base_rev")),
            "payload": payload,
        }
    )


def _kept_again(request: SignedInRequest, place: AttemptItem) -> delivery.Save:
    """Save an answer that was kept as a conflict once more, this time on the current revision."""
    event = ResponseEvent.objects.filter(
        pk=_whole(request.POST.get("kept")) or 0, attempt_item=place
    ).first()
    if event is None:
        raise BadResponse(problem=_("the answer to take over is not there"))
    return _posted_save(request.POST, event.payload)


def sent_save(body: bytes) -> delivery.Save:
    if len(body) > MAX_SAVE_BYTES:
        raise BadResponse(problem=_("it is too long"))
    try:
        return _checked_save(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise BadResponse(problem=_("it is not JSON")) from error


def _checked_save(sent: Any) -> delivery.Save:
    if not isinstance(sent, dict):
        raise BadResponse(problem=_("it is not an object"))
    client_id, seq, base = sent.get("client_id"), sent.get("client_seq"), sent.get("base_rev")
    if not isinstance(client_id, str) or not _CLIENT.fullmatch(client_id):
        raise BadResponse(problem=_("it does not say which tab it comes from"))
    return delivery.Save(client_id, _counted(seq), _counted(base), sent.get("payload"))


def _counted(number: Any) -> int:
    # bool is an int in Python; `true` counts nothing.
    if type(number) is not int or not 0 <= number <= MAX_SEQUENCE:
        raise BadResponse(problem=_("its numbering is broken"))
    return number


def _whole(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 12 else None
