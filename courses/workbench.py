"""The pages where an exercise is written and run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.accounts.models import User
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import (
    access,
    box,
    hints,
    labelling,
    map_bench,
    map_editing,
    map_exchange,
    map_workbench,
    model_views,
    notes,
    practice,
    prompt_bench,
    sheet_bench,
    study,
    version_history,
)
from courses.authoring.curriculum import Course, Exercise
from courses.authoring.lessons import render_text, split_front
from courses.grading.contract import CaseResult, GradeReport
from courses.models import ContentKind, Submission

Json = Any

PAGES = {
    "prompt": "courses/prompt_bench.html",
    "workflow_map": "courses/map_bench.html",
    **dict.fromkeys(sheet_bench.KINDS, "courses/sheet_bench.html"),
}


@require_GET
def exercise(request: HttpRequest, exercise_id: str) -> HttpResponse:
    """The draft, and the last run under it."""
    user = request.user if request.user.is_authenticated else None
    course, found = _find(user, exercise_id)
    number = _whole(request.GET.get("run", ""))
    if number is not None:
        return redirect("courses:result", exercise_id, number)
    history = practice.history(user, exercise_id) if user is not None else practice.History([])
    last = history.rows[-1] if history.rows else None
    draft = practice.draft_of(user, exercise_id) if user is not None else None
    text = draft.text if draft is not None else str(found.document.get("starter", ""))
    return _page(request, user, course, found, history, shown=last, text=text)


@login_required
@require_GET
def result(request: SignedInRequest, exercise_id: str, number: int) -> HttpResponse:
    """One run with the text it was run on; saving or running from here makes it the newest."""
    course, found = _find(request.user, exercise_id)
    submission = access.own_submission(request.user, exercise_id, number)
    history = practice.history(request.user, exercise_id)
    return _page(
        request,
        request.user,
        course,
        found,
        history,
        shown=submission,
        text=submission.text,
        shown_version=number,
    )


def _whole(text: str) -> int | None:
    """A number a person may send; Python refuses to read thousands of digits, and so do we."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _find(user: User | None, exercise_id: str) -> tuple[Course, Exercise]:
    found = study.exercise_for(user, exercise_id)
    if found is None or found[1].kind not in PAGES:
        raise Http404
    return found


@login_required
@require_POST
def run(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    course, found = _find(request.user, exercise_id)
    text = _handed_in(request, found)
    try:
        if request.POST.get("do") == "save":
            practice.save_draft(request.user, found.id, text=text, over=None, at=clock.now())
            messages.success(request, _("Saved. Nothing was handed in."))
            return redirect("courses:exercise", exercise_id)
        done = practice.run(request.user, course, found, text=text, at=clock.now())
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("courses:exercise", exercise_id)
    address = reverse("courses:result", args=[exercise_id, done.submission.number])
    return redirect(f"{address}#result")


def _handed_in(request: HttpRequest, exercise: Exercise) -> str:
    """The text that was written, or the text of the fields that were filled in."""
    if sheet_bench.is_sheet(exercise):
        return sheet_bench.text_of(exercise, request.POST.dict())
    return request.POST.get("text", "")


@login_required
@require_POST
def draft(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """Save the text while it is written; answers JSON with the new revision."""
    _course, found = _find(request.user, exercise_id)
    try:
        saved = practice.save_draft(
            request.user,
            exercise_id,
            text=_handed_in(request, found),
            over=_whole(request.POST.get("over", "")),
            at=clock.now(),
        )
    except DomainError as refusal:
        status = 409 if isinstance(refusal, practice.DraftMoved) else 400
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=status)
    return JsonResponse({"revision": saved.revision, "saved": f"{saved.saved_at:%H:%M:%S}"})


@login_required
@require_POST
def read(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """How the text is understood right now, as a piece of the page."""
    _course, found = _find(request.user, exercise_id)
    try:
        reading = practice.read(request.user, found, _handed_in(request, found))
    except DomainError as refusal:
        status = 429 if isinstance(refusal, practice.TooManyReadings) else 400
        return JsonResponse({"code": refusal.code, "message": refusal.message}, status=status)
    return JsonResponse(_reading_piece(request, found, reading))


@login_required
@require_POST
def hint(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """Open the next hint and keep that it was opened."""
    _course, found = _find(request.user, exercise_id)
    last = practice.history(request.user, exercise_id).last_graded
    report = practice.report_of(last) if last is not None else None
    try:
        hints.take(request.user, found.document, report, at=clock.now())
    except DomainError as refusal:
        messages.info(request, refusal.message)
    return redirect(reverse("courses:exercise", args=[exercise_id]) + "#hints")


@login_required
@require_GET
def versions(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """All runs of one exercise, and two of them side by side."""
    course, found = _find(request.user, exercise_id)
    history = practice.history(request.user, exercise_id)
    context: dict[str, Json] = {
        "nav_section": "practice",
        "course": course,
        "exercise": found,
        "rows": version_history.rows(request.user, exercise_id),
    }
    numbers = [row.number for row in history.rows]
    older, newer = _whole(request.GET.get("from", "")), _whole(request.GET.get("to", ""))
    if older is None and newer is None and len(numbers) > 1:
        older, newer = numbers[-2], numbers[-1]
    if older in numbers and newer in numbers and older is not None and newer is not None:
        pair = [access.own_submission(request.user, exercise_id, one) for one in (older, newer)]
        context["compared"] = version_history.compare(
            pair[0], pair[1], opened=history.shows_hidden()
        )
    context |= {"older": older, "newer": newer}
    return render(request, "courses/versions.html", context)


def _find_map(user: User, exercise_id: str) -> Exercise:
    _course, found = _find(user, exercise_id)
    if found.kind != "workflow_map":
        raise Http404
    return found


@login_required
@require_GET
def map_bpmn(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """The saved map as a BPMN 2.0 file."""
    found = _find_map(request.user, exercise_id)
    try:
        file = map_exchange.bpmn_of(request.user, found)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("courses:exercise", exercise_id)
    response = HttpResponse(file, content_type="application/xml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.id}.bpmn"'
    return response


@login_required
@require_POST
def import_map(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """Put a BPMN file's map into the editor; the page then says what became of it."""
    exercise = _find_map(request.user, exercise_id)
    upload = request.FILES.get("file")
    if upload is None:
        messages.error(request, _("Choose a BPMN file first. Your text is as it was."))
        return redirect("courses:exercise", exercise_id)
    # One byte more than the limit is enough to be refused for its size.
    file = upload.read(map_exchange.MAX_BYTES + 1)
    try:
        found = map_exchange.take(
            request.user,
            exercise,
            file=file,
            on_page=request.POST.get("text", ""),
            at=clock.now(),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("courses:exercise", exercise_id)
    request.session["courses.imported"] = {
        "exercise": exercise_id,
        "file": (upload.name or "")[:80],
        "kept": found.kept,
        "left_out": found.left_out,
        "problems": found.problems,
        "to_choose": [[row.line, row.says] for row in found.to_choose],
    }
    return redirect(reverse("courses:exercise", args=[exercise_id]) + "#import")


@login_required
@require_POST
def put_back(request: SignedInRequest, exercise_id: str, number: int) -> HttpResponse:
    """Make a text that an import replaced the draft again."""
    exercise = _find_map(request.user, exercise_id)
    try:
        map_exchange.put_back(
            request.user,
            exercise,
            number,
            on_page=request.POST.get("text", ""),
            at=clock.now(),
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("courses:exercise", exercise_id)


@login_required
@require_POST
def edit_map(request: SignedInRequest, exercise_id: str) -> HttpResponse:
    """An edit from the step-by-step editor; a form that needs another look comes back filled in."""
    course, found = _find(request.user, exercise_id)
    if found.kind != "workflow_map":
        raise Http404
    number = _whole(request.POST.get("take_run", ""))
    if number is not None:
        submission = access.own_submission(request.user, exercise_id, number)
        says = _("Took the map of run %(n)s") % {"n": number}
        map_editing.put(request.user, found, submission.text, says=says, at=clock.now())
        return redirect(reverse("courses:exercise", args=[exercise_id]) + "#editor")
    outcome = map_workbench.take_edit(request, found)
    if isinstance(outcome, str):
        address = reverse("courses:exercise", args=[exercise_id])
        return redirect(f"{address}#{outcome}" if outcome else f"{address}?view=steps")
    history = practice.history(request.user, exercise_id)
    last = history.rows[-1] if history.rows else None
    text, _revision = map_editing.text_of(request.user, found)
    return _page(
        request, request.user, course, found, history, shown=last, text=text, unfinished=outcome
    )


@login_required
@require_POST
def map_commands(request: SignedInRequest, exercise_id: str) -> JsonResponse:
    """Commands from the canvas; answers JSON with the map as it is then."""
    return map_workbench.answer_commands(request, _find_map(request.user, exercise_id))


def _exchange(request: HttpRequest, user: User | None, exercise: Exercise) -> dict[str, Json]:
    told = request.session.get("courses.imported")
    if told is not None and told["exercise"] == exercise.id:
        del request.session["courses.imported"]
    else:
        told = None
    return {"imported": told, "replaced": map_exchange.replaced(user, exercise.id)}


def _reading_piece(request: HttpRequest, exercise: Exercise, reading: Json) -> dict[str, Json]:
    if exercise.kind == "prompt":
        cards = prompt_bench.cards(reading)
        html = render_to_string("courses/_rules.html", {"cards": cards}, request)
        return {
            "html": html,
            "marks": [mark.json for mark in prompt_bench.marks(reading)],
            "foot": prompt_bench.foot(reading),
            "count": prompt_bench.count(cards),
        }
    if sheet_bench.is_sheet(exercise):
        foot = _("%(filled)s of %(fields)s fields are filled in.") % reading
        return {"html": "", "marks": [], "foot": foot, "count": ""}
    sheet = map_bench.sheet(reading)
    html = render_to_string("courses/_map_reading.html", {"sheet": sheet}, request)
    return {
        "html": html,
        "marks": [mark.json for mark in map_bench.marks(reading)],
        "foot": str(map_bench.foot(sheet)),
        "count": "",
    }


def _page(
    request: HttpRequest,
    user: User | None,
    course: Course,
    exercise: Exercise,
    history: practice.History,
    *,
    shown: Submission | None,
    text: str,
    shown_version: int | None = None,
    unfinished: map_workbench.Unfinished | None = None,
) -> HttpResponse:
    """`shown` is the run under the editor, `shown_version` the one whose text is in it."""
    report = practice.report_of(shown) if shown is not None else None
    before = history.before(shown.number) if shown is not None else None
    earlier = practice.report_of(before) if before is not None else None
    earlier_text = before.text if before is not None else ""
    if user is not None and before is None and exercise.document.get("starter"):
        # A repair is compared with what was given; before the first run that stands here itself.
        given = practice.starter_report(exercise)
        if shown is None:
            report = given
        else:
            earlier, earlier_text = given, str(exercise.document["starter"])
    reading, trouble = _read_quietly(user, exercise, text)
    number = next(i for i, row in enumerate(course.exercises, 1) if row.id == exercise.id)
    draft = practice.draft_of(user, exercise.id) if user is not None else None
    context: dict[str, Json] = {
        "nav_section": "practice",
        "course": course,
        "exercise": exercise,
        "number": number,
        "brief": brief_html(exercise),
        "discussion": _discussion(exercise, history),
        "text": text,
        "draft": draft,
        "trouble": trouble,
        "shown": shown,
        "shown_version": shown_version,
        "waiting": shown is not None and practice.is_waiting(shown, at=clock.now()),
        "report": report,
        "before": before,
        "since_words": _since_words(before) if earlier is not None else "",
        "diff": practice.text_changes(earlier_text, shown.text) if earlier and shown else [],
        "history": history,
        "runs_left": practice.runs_left(user, at=clock.now()) if user is not None else None,
        "runs_until_open": practice.RUNS_UNTIL_HIDDEN_OPEN,
        "marked": notes.is_marked(user, ContentKind.EXERCISE, exercise.id),
    }
    if exercise.kind == "prompt":
        examined = labelling.notes_on(shown) if shown is not None else {}
        context |= prompt_bench.context(
            exercise, reading, report, earlier, history, request.GET, examined
        )
        if shown is not None:
            context["model"] = model_views.beside(user, exercise, shown, report, history)
        if user is not None:
            last = history.last_graded
            newest = practice.report_of(last) if last is not None else None
            context["hints"] = hints.hints_of(user, exercise.document, newest)
    elif sheet_bench.is_sheet(exercise):
        context |= sheet_bench.context(exercise, text, report, history)
    else:
        against = _same_case_before(request, user, exercise, report, before)
        context |= map_bench.context(
            exercise, reading, report, history, request.GET, shown, against
        )
        context |= _exchange(request, user, exercise)
        context |= _map_views(request, user, exercise, reading, context, unfinished)
    return render(request, PAGES[exercise.kind], context)


def _same_case_before(
    request: HttpRequest,
    user: User | None,
    exercise: Exercise,
    report: GradeReport | None,
    before: Submission | None,
) -> CaseResult | None:
    """The chosen case on the map of the run before, when the page asks for it."""
    if user is None or report is None or before is None or "before" not in request.GET:
        return None
    told = report.details.get("replays", {}).get(request.GET.get("case", ""))
    if told is None:
        return None
    try:
        return practice.replay(user, exercise, before.text, told["case"])
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return None


def _map_views(
    request: HttpRequest,
    user: User | None,
    exercise: Exercise,
    reading: Json,
    context: dict[str, Json],
    unfinished: map_workbench.Unfinished | None,
) -> dict[str, Json]:
    """Which view of the map is open, and what it needs. An older run is read, not edited."""
    view = "steps" if unfinished is not None else map_workbench.chosen_view(request)
    found: dict[str, Json] = {
        "view": view,
        "page_address": reverse("courses:exercise", args=[exercise.id]),
        "edit_address": reverse("courses:map-edit", args=[exercise.id]),
        "commands_address": reverse("courses:map-commands", args=[exercise.id]),
        "run_address": reverse("courses:run", args=[exercise.id]),
        "draft_address": reverse("courses:draft", args=[exercise.id]),
        "read_address": reverse("courses:read", args=[exercise.id]),
        "bpmn_address": reverse("courses:map-bpmn", args=[exercise.id]),
    }
    if user is None:
        return found
    saved, _revision = map_editing.text_of(user, exercise)
    if context["text"] != saved:
        return found | {"not_the_draft": True}
    if view == "canvas" and not context["trouble"]:
        found["canvas"] = map_workbench.canvas(user, exercise)
    if view == "steps" and not context["trouble"]:
        found["editor"] = map_workbench.steps(
            request, user, exercise, reading, context["sheet"], unfinished
        )
    return found


def _since_words(before: Submission | None) -> str:
    """What a run is compared with, in words."""
    if before is None:
        return _("Since the text you were given")
    return _("Since run %(n)s") % {"n": before.number}


def _read_quietly(user: User | None, exercise: Exercise, text: str) -> tuple[Json, str]:
    """The reading of the text for the first view of the page, or why there is none."""
    if user is None:
        return None, ""
    if not text.strip():
        box.prepare()
        return None, ""
    try:
        return practice.read(user, exercise, text), ""
    except DomainError as refusal:
        return None, refusal.message


def brief_html(exercise: Exercise) -> str:
    """The brief without its front matter and title, which the page shows itself."""
    text = str(exercise.document["brief"])
    cut = split_front(text)
    body = (cut[1] if cut else text).lstrip()
    if body.startswith("# "):
        body = body.partition("\n")[2]
    return render_text(body)


def _discussion(exercise: Exercise, history: practice.History) -> str:
    """What the author says about the task, for those who have passed it."""
    text = exercise.document.get("discussion")
    return render_text(str(text)) if text and history.passed else ""
