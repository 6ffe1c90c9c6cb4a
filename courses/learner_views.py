"""The learner's side: questions that come back, notes, bookmarks, search, where to begin."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import access, catalog, notes, placement, reading, reviewing, search, study, views
from courses.authoring.curriculum import Course
from courses.authoring.lessons import Lesson, render_text
from courses.models import ContentKind, Note

# Spaced review ---------------------------------------------------------------------------------


@login_required
@require_GET
def review(request: SignedInRequest) -> HttpResponse:
    """The question that is due, and above it what was said about the last answer."""
    today = clock.now().date()
    answered = views._number(request.GET.get("answered"))
    return render(
        request,
        "courses/review.html",
        {
            "nav_section": "today",
            "question": reviewing.next_question(request.user, on=today),
            "outlook": reviewing.outlook(request.user, on=today),
            "answered": (
                reviewing.last_answer(request.user, answered) if answered is not None else None
            ),
        },
    )


@login_required
@require_POST
def answer_review(request: SignedInRequest, card_id: int) -> HttpResponse:
    here = reverse("courses:review")
    try:
        reviewing.answer(
            request.user,
            card_id,
            option=views._number(request.POST.get("option")),
            at=clock.now(),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(here)
    return redirect(f"{here}?answered={card_id}#said")


# Notes and bookmarks -----------------------------------------------------------------------------


def _lesson(request: SignedInRequest, course_id: str, lesson_id: str) -> tuple[Course, Lesson]:
    course = study.course_for(request.user, course_id)
    row = next((row for row in course.lessons if row.id == lesson_id), None) if course else None
    if course is None or row is None:
        raise Http404
    return course, row


@login_required
@require_GET
def all_notes(request: SignedInRequest) -> HttpResponse:
    return render(
        request,
        "courses/notes.html",
        {
            "nav_section": "today",
            "lessons": list(notes.all_of(request.user)),
            "bookmarks": list(notes.marked(request.user)),
            "deleted": request.session.get("courses.deleted_note"),
        },
    )


@login_required
@require_POST
def write_note(request: SignedInRequest, course_id: str, lesson_id: str) -> HttpResponse:
    """Keep a note; one that is refused comes back in its field, with the reason."""
    course, lesson = _lesson(request, course_id, lesson_id)
    text = request.POST.get("text", "")
    place = request.POST.get("place", "")
    try:
        note = notes.write(request.user, lesson, text=text, place=place, at=clock.now())
    except DomainError as refusal:
        page = views._lesson_page(request.user, course, lesson)
        page |= {"note_problem": refusal.message, "note_text": text, "note_place": place}
        return render(request, "courses/lesson.html", page, status=422)
    here = reverse("courses:lesson", args=[course.id, lesson.id])
    return redirect(f"{here}#note-{note.pk}")


@login_required
@require_POST
def change_note(request: SignedInRequest, note_id: int) -> HttpResponse:
    """Change a note or delete it. What was deleted can be put back until the next deletion."""
    note = access.own_note(request.user, note_id)
    back = _back(request) or reverse("courses:notes")
    if request.POST.get("do") == "delete":
        request.session["courses.deleted_note"] = {
            "lesson": note.lesson,
            "place": note.place,
            "text": note.text,
            "written_at": note.written_at.isoformat(),
        }
        note.delete()
        return redirect(reverse("courses:notes") + "#deleted")
    text = request.POST.get("text", "")
    try:
        notes.change(note, text=text, at=clock.now())
    except DomainError as refusal:
        return render(
            request,
            "courses/note_again.html",
            {"nav_section": "today", "note": note, "text": text, "problem": refusal.message,
             "back": back},
            status=422,
        )  # fmt: skip
    messages.success(request, _("The note was changed."))
    return redirect(back)


@login_required
@require_POST
def put_note_back(request: SignedInRequest) -> HttpResponse:
    """Put the note that was deleted last back where it was."""
    deleted = request.session.pop("courses.deleted_note", None)
    if deleted is None:
        messages.info(request, _("There is no deleted note to put back."))
        return redirect("courses:notes")
    Note.objects.create(user=request.user, **deleted)
    messages.success(request, _("The note is back."))
    return redirect("courses:notes")


@login_required
@require_POST
def bookmark(request: SignedInRequest) -> HttpResponse:
    """Set a bookmark on a lesson or an exercise, or take it away."""
    kind, slug = request.POST.get("kind"), request.POST.get("slug", "")
    if kind == ContentKind.LESSON:
        known = catalog.lesson(slug) is not None
    elif kind == ContentKind.EXERCISE:
        known = catalog.exercise(slug) is not None
    else:
        known = False
    if not known:
        raise Http404
    stands = notes.toggle(request.user, ContentKind(str(kind)), slug, at=clock.now())
    messages.success(
        request,
        _("Marked. You find it under “Notes and bookmarks”.")
        if stands
        else _("The bookmark was taken away."),
    )
    return redirect(_back(request) or reverse("courses:notes"))


def _back(request: HttpRequest) -> str:
    """The page of this site that a form wants to return to."""
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if target.startswith("/") and allowed else ""


# Where reading stopped ---------------------------------------------------------------------------


@login_required
@require_POST
def note_reading(request: SignedInRequest, course_id: str, lesson_id: str) -> HttpResponse:
    """Keep where the page stands and for how long it was read; answers JSON."""
    _course, lesson = _lesson(request, course_id, lesson_id)
    row = reading.note_reading(
        request.user,
        lesson,
        place=request.POST.get("place", ""),
        seconds=views._number(request.POST.get("seconds")) or 0,
        at=clock.now(),
    )
    return JsonResponse({"place": row.place, "seconds": row.seconds})


# Search ------------------------------------------------------------------------------------------


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")
    results = search.search(text)
    return render(
        request,
        "courses/search.html",
        {"nav_section": "tracks", "results": results, "typed": results.query},
    )


# Where to begin ----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def where_to_begin(request: HttpRequest) -> HttpResponse:
    """Sixteen questions, or what the answers say. Without an account nothing is kept."""
    questions = placement.shown()
    if not questions:
        raise Http404
    user = request.user if request.user.is_authenticated else None
    if request.method == "POST":
        answers = _answers(request)
        verdict = placement.judge(placement.items(), answers)
        if user is not None:
            placement.keep(user, answers, verdict, at=clock.now())
            return redirect(reverse("courses:placement") + "#verdict")
        return _verdict(request, verdict)
    kept = placement.kept(user) if user is not None else None
    if kept is not None and "again" not in request.GET:
        return _verdict(request, kept[1], at=kept[0].at)
    return render(
        request, "courses/placement.html", {"nav_section": "tracks", "questions": questions}
    )


def _answers(request: HttpRequest) -> dict[str, int]:
    found = {}
    for item in placement.items():
        index = views._number(request.POST.get(item.id))
        found[item.id] = (
            index if index is not None and index < len(item.options) else placement.UNSURE
        )
    return found


def _verdict(request: HttpRequest, verdict: placement.Verdict, **more: Any) -> HttpResponse:
    return render(
        request,
        "courses/placement_verdict.html",
        {
            "nav_section": "tracks",
            "verdict": verdict,
            "score": ngettext(
                "%(right)s of %(n)s question right", "%(right)s of %(n)s questions right",
                verdict.asked,
            ) % {"right": verdict.right, "n": verdict.asked},
            **more,
        },
    )  # fmt: skip


# A course on one page ----------------------------------------------------------------------------


@require_GET
def sheet(request: HttpRequest, course_id: str) -> HttpResponse:
    """The one-page summary of a course, made to be printed."""
    course = catalog.course(course_id)
    if course is None or not course.sheet:
        raise Http404
    return render(
        request,
        "courses/sheet.html",
        {"nav_section": "tracks", "course": course, "sheet": render_text(course.sheet)},
    )
