"""A run on the real model beside its rehearsal, and the operator's page about all of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import access, model_client, model_runs, practice, study
from courses.authoring.curriculum import Exercise
from courses.grading.contract import GradeReport
from courses.models import ModelRun, Submission

Json = Any
DAYS_SHOWN = 30


def beside(
    user: User | None,
    exercise: Exercise,
    submission: Submission | None,
    report: GradeReport | None,
    history: practice.History,
) -> dict[str, Json]:
    """What an exercise's page says about the real model; plainly, also when there is none."""
    endpoint = model_client.endpoint()
    found: dict[str, Json] = {
        "endpoint": endpoint,
        "has_world": endpoint is not None and model_runs.world_of(exercise.id) is not None,
    }
    if endpoint is None or user is None or submission is None or report is None:
        return found
    run = submission.model_runs.order_by("-at").first()
    return found | {
        "run": run,
        "runs": submission.model_runs.count(),
        "rows": model_runs.case_rows(run, report, opened=history.shows_hidden()) if run else [],
        "right": sum(row.judged > 0 and row.right == row.judged for row in _rows(run, report)),
        "judged": sum(row.judged > 0 for row in _rows(run, report)),
        "rehearsed": sum(row.rehearsed for row in _rows(run, report) if row.judged),
        "agreeing": sum(bool(row.agrees) for row in _rows(run, report)),
        "left": model_runs.runs_left(user, at=clock.now()),
        "limit": settings.MODEL_RUNS_PER_DAY,
        "repeats": settings.MODEL_REPEATS,
        "seconds": settings.MODEL_SECONDS,
    }


def _rows(run: ModelRun | None, report: GradeReport) -> list[model_runs.CaseRow]:
    return [] if run is None else model_runs.case_rows(run, report, opened=False)


@login_required
@require_http_methods(["GET", "POST"])
def model_run(request: SignedInRequest, exercise_id: str, number: int) -> HttpResponse:
    """The newest run of one submission on the real model; POST asks for another."""
    found = study.exercise_for(request.user, exercise_id)
    if found is None or found[1].kind != "prompt":
        raise Http404
    course, exercise = found
    submission = access.own_submission(request.user, exercise_id, number)
    if request.method == "POST":
        try:
            model_runs.ask_for(request.user, submission, at=clock.now())
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("On its way. Reload this page in a minute."))
        return redirect("courses:model-run", exercise_id, number)
    report = practice.report_of(submission)
    history = practice.history(request.user, exercise_id)
    context: dict[str, Json] = {
        "nav_section": "practice",
        "course": course,
        "exercise": exercise,
        "submission": submission,
        "report": report,
        "model": beside(request.user, exercise, submission, report, history),
    }
    return render(request, "courses/model_run.html", context)


@require_GET
@role_required(Role.ADMINISTRATOR)
def operator(request: SignedInRequest) -> HttpResponse:
    """What the real model cost, how long it took, what went wrong, and how far the rehearsal
    agrees with it."""
    now = clock.now()
    spent = model_runs.spent_on(now)
    days = model_runs.by_day(DAYS_SHOWN, at=now)
    context: dict[str, Json] = {
        "nav_section": "model",
        "endpoint": model_client.endpoint(),
        "has_key": bool(settings.MODEL_KEY),
        "settings": settings,
        "spent_cents": spent / model_runs.MICRO,
        "days": [{**row, "cents": (row["money"] or 0) / model_runs.MICRO} for row in days],
        "faults": model_runs.faults(DAYS_SHOWN, at=now),
        "agreements": model_runs.agreements(),
        "failed": ModelRun.objects.filter(state=ModelRun.State.FAILED)[:20],
        "shown_days": DAYS_SHOWN,
    }
    return render(request, "courses/model_operator.html", context)
