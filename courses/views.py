"""Tracks, framework, courses, lessons, glossary, practice and the learner's home."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from checkride.accounts.access import SignedInRequest
from checkride.accounts.models import User
from checkride.lib import clock
from courses import (
    case_export,
    catalog,
    notes,
    placement,
    reading,
    reviewing,
    studio,
    study,
)
from courses.authoring.curriculum import Course
from courses.authoring.forms import Competency, PathStep, Term, Track
from courses.authoring.glossary_links import link_terms, term_anchor
from courses.authoring.lessons import Lesson, ShownCheck, ShownPart, show
from courses.models import ChosenTrack, ContentKind
from courses.study import CheckState, CourseState, LessonRow


def _user(request: HttpRequest) -> User | None:
    return request.user if request.user.is_authenticated else None


# Tracks --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dot:
    """How much a track stresses one domain: "all", "one" or "touched"."""

    domain: str
    weight: str


@dataclass(frozen=True, slots=True)
class TrackRow:
    track: Track
    dots: tuple[Dot, ...]
    stressed: str
    lessons: int
    exercises: int


def _track_row(track: Track) -> TrackRow:
    domains = catalog.framework().domains
    dots = []
    for domain in domains:
        whole = domain.id in track.stresses
        one = any(code.startswith(domain.id) for code in track.stresses)
        dots.append(Dot(domain.name, "all" if whole else "one" if one else "touched"))
    courses = [catalog.course(step.course) for step in track.path if step.course]
    found = [course for course in courses if course is not None]
    return TrackRow(
        track=track,
        dots=tuple(dots),
        stressed=", ".join(domain.name for domain in domains if domain.id in track.stresses),
        lessons=sum(len(course.lessons) for course in found),
        exercises=sum(len(course.exercises) for course in found),
    )


@require_GET
def tracks(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "courses/tracks.html",
        {
            "nav_section": "tracks",
            "rows": [_track_row(track) for track in catalog.tracks()],
            "framework": catalog.framework(),
            "courses": catalog.courses(),
            "lessons": sum(len(course.lessons) for course in catalog.courses()),
            "exercises": sum(len(course.exercises) for course in catalog.courses()),
        },
    )


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop on a track's path with the learner's state in it."""

    step: PathStep
    state: CourseState | None
    look: str

    @property
    def exam_address(self) -> str:
        """Where the exam of this stop is booked, empty while it is planned."""
        return catalog.exam_address(self.step.exam) if self.step.exam else ""


@require_http_methods(["GET", "POST"])
def track(request: HttpRequest, track_id: str) -> HttpResponse:
    found = catalog.track(track_id)
    if found is None:
        raise Http404
    user = _user(request)
    if request.method == "POST":
        if user is None:
            return redirect(f"{reverse('account_login')}?next={request.path}")
        study.choose_track(user, found.id, at=clock.now())
        messages.success(
            request, _("You follow the track “%(track)s” now.") % {"track": found.name}
        )
        return redirect("courses:track", found.id)
    states = {
        state.course.id: state
        for state in study.course_states(user, [step.course for step in found.path if step.course])
    }
    stops = list(_stops(found, states))
    lessons = sum(len(state.lessons) for state in states.values())
    return render(
        request,
        "courses/track.html",
        {
            "nav_section": "tracks",
            "track": found,
            "row": _track_row(found),
            "stops": stops,
            "chosen": user is not None
            and ChosenTrack.objects.filter(user=user, track=found.id).exists(),
            "next": study.next_step(user) if user is not None else None,
            "lessons": lessons,
            "lessons_done": sum(state.lessons_done for state in states.values()),
            "exercises": sum(len(state.exercises) for state in states.values()),
            "mastered": sum(state.mastered for state in states.values()),
        },
    )


def _stops(track: Track, states: dict[str, CourseState]) -> Iterable[Stop]:
    now_seen = False
    for step in track.path:
        state = states.get(step.course)
        look = ""
        if state is not None and state.is_done:
            look = "done"
        elif state is not None and state.is_begun and not now_seen:
            look, now_seen = "now", True
        yield Stop(step=step, state=state, look=look)


# Framework -----------------------------------------------------------------------------------


@require_GET
def framework(request: HttpRequest) -> HttpResponse:
    found = catalog.framework()
    return render(
        request,
        "courses/framework.html",
        {
            "nav_section": "tracks",
            "framework": found,
            "domains": [
                (domain, [row for row in found.competencies if row.domain == domain.id])
                for domain in found.domains
            ],
        },
    )


@require_GET
def framework_json(request: HttpRequest) -> HttpResponse:
    data = case_export.framework_document(catalog.framework(), address=_competency_address)
    return _public_json(data)


@require_GET
def framework_case(request: HttpRequest) -> HttpResponse:
    data = case_export.case_package(
        catalog.framework(), site_url=settings.SITE_URL, creator=settings.ISSUER_NAME
    )
    return _public_json(data)


def _competency_address(code: str) -> str:
    return settings.SITE_URL + reverse("courses:competency", args=[code])


def _public_json(data: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=3600"
    return response


@require_GET
def competency(request: HttpRequest, code: str) -> HttpResponse:
    found = catalog.competency(code)
    if found is None:
        raise Http404
    return render(
        request,
        "courses/competency.html",
        {"nav_section": "tracks", "competency": found, **_around(found)},
    )


def _around(competency: Competency) -> dict[str, Any]:
    """Where a competency is taught and practised, and what it touches."""
    framework = catalog.framework()
    courses = catalog.courses()
    return {
        "domain": next(row for row in framework.domains if row.id == competency.domain),
        "lessons": [
            (course, lesson)
            for course in courses
            for lesson in course.lessons
            if competency.id in lesson.front.competencies
        ],
        "exercises": [
            (course, exercise)
            for course in courses
            for exercise in course.exercises
            if competency.id in exercise.competencies
        ],
        "safety": [row for row in framework.safety_domains if row.id in competency.safety_domains],
        "controls": [row for row in framework.organisational_controls if row.id in competency.pai8],
    }


# Courses and lessons -------------------------------------------------------------------------


@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    states = study.course_states(_user(request), [row.id for row in catalog.courses()])
    return render(request, "courses/courses.html", {"nav_section": "tracks", "states": states})


@require_http_methods(["GET", "POST"])
def course(request: HttpRequest, course_id: str) -> HttpResponse:
    user = _user(request)
    if request.method == "POST":
        return _begin_course(request, user, course_id)
    state = study.course_state(user, course_id)
    if state is None:
        raise Http404
    return render(
        request,
        "courses/course.html",
        {
            "nav_section": "tracks",
            "state": state,
            "course": state.course,
            "time_s": state.course.form.minutes * 60,
            "measured": reading.measured([row.id for row in state.lessons]),
            "sheet": bool((now := catalog.course(course_id)) and now.sheet),
            "outcomes": _outcomes(state.course),
            "tracks": [
                track
                for track in catalog.tracks()
                if any(step.course == course_id for step in track.path)
            ],
            "competencies": [
                row for code in state.course.form.competencies if (row := catalog.competency(code))
            ],
        },
    )


AFTERWARDS = "After this course you can "


def _outcomes(course: Course) -> tuple[str, list[str]]:
    """A heading and the outcomes under it; words that each outcome begins with go into the heading."""
    rows = list(course.form.outcomes)
    if rows and all(row.startswith(AFTERWARDS) for row in rows):
        return _("After this course you can"), [row.removeprefix(AFTERWARDS) for row in rows]
    return _("What you can do afterwards"), rows


def _begin_course(request: HttpRequest, user: User | None, course_id: str) -> HttpResponse:
    if user is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    if request.POST.get("do") == "newer":
        study.take_newer_version(user, course_id)
        messages.success(request, _("You study the newest version of this course now."))
        return redirect("courses:course", course_id)
    if study.enrol(user, course_id, at=clock.now()) is None:
        raise Http404
    state = study.course_state(user, course_id)
    part = state.next_part if state is not None else None
    return redirect(
        part.resume_url if part is not None else reverse("courses:course", args=[course_id])
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the lesson with what the learner answered to it, if it is a check."""

    html: str
    check: ShownCheck | None
    state: CheckState | None
    checked: tuple[tuple[int, Any, bool], ...] = ()

    @property
    def note(self) -> str:
        if self.check is None or self.state is None or self.state.chosen is None:
            return ""
        return self.check.options[self.state.chosen].note


@require_http_methods(["GET", "POST"])
def lesson(request: HttpRequest, course_id: str, lesson_id: str) -> HttpResponse:
    user = _user(request)
    found = study.course_for(user, course_id)
    row = next((row for row in found.lessons if row.id == lesson_id), None) if found else None
    if found is None or row is None:
        raise Http404
    if request.method == "POST":
        return _answer_lesson(request, user, found, row)
    return render(request, "courses/lesson.html", _lesson_page(user, found, row))


def _answer_lesson(
    request: HttpRequest, user: User | None, course: Course, lesson: Lesson
) -> HttpResponse:
    here = reverse("courses:lesson", args=[course.id, lesson.id])
    if user is None:
        return redirect(f"{reverse('account_login')}?next={here}")
    if "decision" in request.POST:
        study.write_decision(user, course, lesson, text=request.POST["decision"], at=clock.now())
        return redirect(f"{here}#your-decision")
    check = _number(request.POST.get("check"))
    try:
        study.answer_check(
            user,
            course,
            lesson,
            check=check or 0,
            option=_number(request.POST.get("option")),
            at=clock.now(),
        )
    except study.NoSuchOption as refusal:
        messages.error(request, refusal.message)
    return redirect(f"{here}#check-{check or 1}")


# Longer ones name nothing here, and Python refuses to read thousands of digits.
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _lesson_page(user: User | None, course: Course, lesson: Lesson) -> dict[str, Any]:
    shown = show(lesson)
    states = {row.number: row for row in study.check_states(user, lesson, shown)} if user else {}
    state = study.course_state(user, course.id)
    rows = list(state.lessons) if state else []
    here = next((i for i, row in enumerate(rows) if row.id == lesson.id), 0)
    right = sum(row.right for row in states.values())
    address = reverse("courses:lesson", args=[course.id, lesson.id])
    written = [*shown.parts, *shown.decision]
    linked = _linked(lesson, catalog.glossary())
    parts = [_part(part, states, html=html) for part, html in zip(written, linked, strict=True)]
    return {
        "nav_section": "tracks",
        "address": address,
        "terms": _terms_of(lesson),
        "headings": reading.headings(lesson),
        "notes": notes.of_lesson(user, lesson, address) if user else (),
        "marked": notes.is_marked(user, ContentKind.LESSON, lesson.id),
        "stopped_at": _stopped_at(user, lesson),
        "measured": reading.measured([lesson.id]).get(lesson.id),
        "course": course,
        "lesson": shown,
        "rows": rows,
        "exercises": state.exercises if state else (),
        "number": here + 1,
        "previous": rows[here - 1] if here > 0 else None,
        "next": _after(state, rows, here),
        "parts": parts[: len(shown.parts)],
        "decision": parts[len(shown.parts) :],
        "checks": len(shown.checks),
        "right": right,
        "ticks": _ticks(right, len(shown.checks)),
        "progress": study.lesson_progress(user, lesson) if user else None,
        "competencies": [row for code in shown.competencies if (row := catalog.competency(code))],
    }


def _after(state: CourseState | None, rows: list[LessonRow], here: int) -> Any:
    if here + 1 < len(rows):
        return rows[here + 1]
    return state.exercises[0] if state is not None and state.exercises else None


@lru_cache(maxsize=256)
def _linked(lesson: Lesson, terms: tuple[Term, ...]) -> tuple[str, ...]:
    """The parts of a lesson with its first word of each kind leading to the glossary."""
    shown = show(lesson)
    return tuple(link_terms([part.html for part in (*shown.parts, *shown.decision)], terms))


def _terms_of(lesson: Lesson) -> list[tuple[Term, str]]:
    """The words that the glossary explains by this lesson, with the place of each there."""
    return [
        (term, term_anchor(term.term)) for term in catalog.glossary() if term.lesson == lesson.id
    ]


def _stopped_at(user: User | None, lesson: Lesson) -> reading.Heading | None:
    """Where to go on, with words for it; None at the beginning of a lesson."""
    place = reading.stopped_at(user, lesson) if user is not None else ""
    if place.startswith("check-"):
        return reading.Heading(place, _("question %(n)s") % {"n": place.removeprefix("check-")})
    found = list(reading.headings(lesson))
    return next((row for row in found[1:] if row.id == place), None)


def _part(part: ShownPart, states: dict[int, CheckState], *, html: str) -> Part:
    state = states.get(part.check.number) if part.check is not None else None
    options: tuple[tuple[int, Any, bool], ...] = ()
    if part.check is not None:
        chosen = state.chosen if state is not None else None
        options = tuple(
            (index, option, index == chosen) for index, option in enumerate(part.check.options)
        )
    return Part(html=html, check=part.check, state=state, checked=options)


TICKS = 76


def _ticks(done: int, of: int) -> list[tuple[int, str, bool]]:
    """The tape under the title: position, class and length of each mark."""
    filled = round(TICKS * done / of) if of else 0
    return [
        (4 + 8 * index, "sc-cut" if index < filled else "sc-tick", index % 10 == 0)
        for index in range(TICKS)
    ]


@require_GET
def glossary(request: HttpRequest) -> HttpResponse:
    terms = []
    for term in catalog.glossary():
        found = catalog.lesson(term.lesson) if term.lesson else None
        terms.append((term, found))
    return render(request, "courses/glossary.html", {"nav_section": "tracks", "terms": terms})


# Practice and today --------------------------------------------------------------------------


@require_GET
def practice(request: HttpRequest) -> HttpResponse:
    states = study.course_states(_user(request), [row.id for row in catalog.courses()])
    return render(
        request,
        "courses/practice.html",
        {
            "nav_section": "practice",
            "states": [state for state in states if state.exercises],
            "exercises": sum(len(state.exercises) for state in states),
            "mastered": sum(state.mastered for state in states),
        },
    )


@login_required
@require_GET
def today(request: SignedInRequest) -> HttpResponse:
    user = request.user
    states = study.course_states(user, [row.id for row in catalog.courses()])
    begun = [state for state in states if state.is_begun]
    chosen = ChosenTrack.objects.filter(user=user).values_list("track", flat=True).first()
    track = catalog.track(chosen) if chosen else None
    # Under the name of a track stands what is left of that track, not of the whole site.
    ahead = {step.course for step in track.path} if track else {row.course.id for row in states}
    counted = [state for state in states if state.course.id in ahead]
    evidence = study.evidence(user)
    shown = [row for row in evidence if row.state != "none"]
    return render(
        request,
        "courses/today.html",
        {
            "nav_section": "today",
            "next": study.next_step(user),
            "review": reviewing.outlook(user, on=clock.now().date()),
            "placement": placement.kept(user) if not begun else None,
            "can_be_placed": bool(placement.items()),
            "track": track,
            "begun": begun,
            "lessons": sum(len(state.lessons) for state in counted),
            "lessons_done": sum(state.lessons_done for state in counted),
            "exercises": sum(len(state.exercises) for state in counted),
            "mastered": sum(state.mastered for state in counted),
            "evidence": shown,
            "competencies": len(evidence),
            "proved": sum(row.state == "proved" for row in evidence),
        },
    )


@login_required
@require_GET
def proved(request: SignedInRequest) -> HttpResponse:
    """All competencies with the evidence for each."""
    return render(
        request,
        "courses/proved.html",
        {
            "nav_section": "today",
            "evidence": study.evidence(request.user),
            "processes": studio.evidence(request.user),
        },
    )
