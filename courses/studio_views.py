"""The pages of the studio."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from checkride.accounts.access import SignedInRequest
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import (
    access,
    map_bench,
    map_editing,
    map_workbench,
    practice,
    studio,
    studio_report,
)
from courses.authoring.curriculum import Exercise
from courses.map_exchange import MAX_BYTES
from courses.models import Process, Variant
from courses.simulators.workflows import bpmn, writing
from courses.studio_forms import BeginForm, WorldForm

Json = Any


@login_required
@require_http_methods(["GET", "POST"])
def processes(request: SignedInRequest) -> HttpResponse:
    """All processes of a person, and the form to begin another."""
    form = BeginForm()
    if request.method == "POST":
        form = BeginForm(request.POST, request.FILES)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                process, said = studio.begin(
                    request.user,
                    title=form.cleaned_data["title"],
                    template=form.cleaned_data["template"],
                    file=upload.read(MAX_BYTES + 1) if upload else None,
                )
            except DomainError as refusal:
                form.add_error("file" if upload else None, refusal.message)
            else:
                for sentence in said:
                    messages.info(request, sentence)
                return redirect("courses:process", process.pk)
    context = {
        "nav_section": "practice",
        "form": form,
        "processes": studio.processes(request.user),
    }
    return render(request, "courses/studio.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def process(request: SignedInRequest, process_id: UUID) -> HttpResponse:
    """One process: its maps beside each other, and what can be done with it."""
    found = access.own_process(request.user, process_id)
    if request.method == "POST":
        return _do(request, found)
    rows = studio.outcomes(found)
    context = {
        "nav_section": "practice",
        "process": found,
        "facts": studio.facts_of(found),
        "outcomes": rows,
        "compared": studio_report.compare(rows),
        "shared_address": _shared_address(request, found),
    }
    return render(request, "courses/process.html", context)


def _shared_address(request: HttpRequest, found: Process) -> str:
    if not found.share_key:
        return ""
    return request.build_absolute_uri(reverse("courses:process-shared", args=[found.share_key]))


def _do(request: SignedInRequest, found: Process) -> HttpResponse:
    match request.POST.get("do"):
        case "share" | "unshare" as word:
            studio.share(found, shared=word == "share")
        case "keep" | "unkeep" as word:
            studio.keep(found, kept=word == "keep")
        case "remove":
            studio.remove(found)
            messages.success(request, _("“%(title)s” was removed.") % {"title": found.title})
            return redirect("courses:studio")
        case _:
            raise Http404
    return redirect("courses:process", found.pk)


@login_required
@require_http_methods(["GET", "POST"])
def world(request: SignedInRequest, process_id: UUID) -> HttpResponse:
    """The world of a process, described in a form."""
    found = access.own_process(request.user, process_id)
    facts = studio.facts_of(found)
    used = studio_report.parts_in_use(
        [map_editing.text_of(request.user, studio.exercise_of(row))[0] for row in _maps(found)]
    )
    form = WorldForm(facts, found.title, used=used)
    if request.method == "POST":
        form = WorldForm(facts, found.title, request.POST, used=used)
        if form.is_valid() and form.made is not None:
            studio.describe(found, title=form.cleaned_data["title"], facts=form.made)
            messages.success(request, _("The description is saved. Run the maps again to see it."))
            more = bool(form.cleaned_data["new_kind"])
            return redirect("courses:process-world" if more else "courses:process", found.pk)
    context = {"nav_section": "practice", "process": found, "form": form}
    return render(request, "courses/process_world.html", context)


def _maps(found: Process) -> list[Variant]:
    return list(found.variants.all())


@login_required
@require_GET
def process_map(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    """The editor of one map, and what its last run said."""
    variant = access.own_variant(request.user, process_id, number)
    return _map_page(request, variant)


def _map_page(
    request: SignedInRequest,
    variant: Variant,
    unfinished: map_workbench.Unfinished | None = None,
) -> HttpResponse:
    user, exercise = request.user, studio.exercise_of(variant)
    text, _revision = map_editing.text_of(user, exercise)
    reading: Json = None
    trouble = ""
    if text.strip():
        try:
            reading = practice.read(user, exercise, text)
        except DomainError as refusal:
            trouble = refusal.message
    sheet = map_bench.sheet(reading)
    view = "steps" if unfinished is not None else map_workbench.chosen_view(request)
    place = [variant.process_id, variant.number]
    context: dict[str, Json] = {
        "nav_section": "practice",
        "process": variant.process,
        "variant": variant,
        "exercise": exercise,
        "text": text,
        "draft": practice.draft_of(user, exercise.id),
        "trouble": trouble,
        "files": [("yaml", _("Text")), ("json", "JSON"), ("bpmn", "BPMN"), ("svg", "SVG")],
        "sheet": sheet,
        "marks_json": json.dumps([mark.json for mark in map_bench.marks(reading)]),
        "foot": map_bench.foot(sheet),
        "view": view,
        "page_address": reverse("courses:process-map", args=place),
        "edit_address": reverse("courses:process-edit", args=place),
        "commands_address": reverse("courses:process-commands", args=place),
        "run_address": reverse("courses:process-run", args=place),
        "draft_address": reverse("courses:process-draft", args=place),
        "read_address": reverse("courses:process-read", args=place),
        "bpmn_address": reverse("courses:process-file", args=[*place, "bpmn"]),
    }
    outcome = studio.outcome(variant)
    if outcome.report is not None:
        context |= {
            "outcome": outcome,
            "result": studio_report.result(outcome.report),
            "domains": studio_report.domains(outcome.report),
            "short": studio_report.in_short(outcome.report, reading or {}),
            "steps": studio_report.next_steps(outcome.report),
            **map_bench.replay_context(
                outcome.report, request.GET, sheet, map_editing.world_of(exercise)
            ),
        }
    if not trouble and view == "canvas":
        context["canvas"] = map_workbench.canvas(user, exercise)
    if not trouble and view == "steps":
        context["editor"] = map_workbench.steps(request, user, exercise, reading, sheet, unfinished)
    return render(request, "courses/process_map.html", context)


@login_required
@require_POST
def edit(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    variant = access.own_variant(request.user, process_id, number)
    outcome = map_workbench.take_edit(request, studio.exercise_of(variant))
    if not isinstance(outcome, str):
        return _map_page(request, variant, outcome)
    address = reverse("courses:process-map", args=[process_id, number])
    return redirect(f"{address}#{outcome}" if outcome else f"{address}?view=steps")


@login_required
@require_POST
def commands(request: SignedInRequest, process_id: UUID, number: int) -> JsonResponse:
    variant = access.own_variant(request.user, process_id, number)
    return map_workbench.answer_commands(request, studio.exercise_of(variant))


@login_required
@require_POST
def draft(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    """Save the text while it is written; answers JSON with the new revision."""
    variant = access.own_variant(request.user, process_id, number)
    return map_workbench.answer_draft(request, studio.exercise_of(variant))


@login_required
@require_POST
def read(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    """How the text is understood right now, as a piece of the page."""
    variant = access.own_variant(request.user, process_id, number)
    return map_workbench.answer_reading(request, studio.exercise_of(variant))


@login_required
@require_POST
def run(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    variant = access.own_variant(request.user, process_id, number)
    address = reverse("courses:process-map", args=[process_id, number])
    try:
        if "text" in request.POST:
            exercise = studio.exercise_of(variant)
            practice.save_draft(
                request.user, exercise.id, text=request.POST["text"], over=None, at=clock.now()
            )
        studio.run(request.user, variant, at=clock.now())
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(address)
    return redirect(f"{address}#result")


@login_required
@require_POST
def change_maps(request: SignedInRequest, process_id: UUID, number: int) -> HttpResponse:
    """Copy a map of the process, or remove it."""
    variant = access.own_variant(request.user, process_id, number)
    try:
        if request.POST.get("do") == "remove":
            studio.remove_variant(variant)
        else:
            name = request.POST.get("name", "").strip()[:60]
            made = studio.copy_variant(variant, name=name)
            return redirect("courses:process-map", process_id, made.number)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("courses:process", process_id)


# What can be taken away ---------------------------------------------------------------------------


@login_required
@require_GET
def file(request: SignedInRequest, process_id: UUID, number: int, form: str) -> HttpResponse:
    """The map as YAML, JSON, BPMN or SVG, or the report of its last run as PDF or JSON."""
    variant = access.own_variant(request.user, process_id, number)
    exercise = studio.exercise_of(variant)
    try:
        made, kind = _FILES[form](request, variant, exercise)
    except KeyError:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("courses:process-map", process_id, number)
    response = HttpResponse(made, content_type=kind)
    name = form.replace("-", ".") if form.startswith("report") else f"map.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _reading(request: SignedInRequest, exercise: Exercise) -> Json:
    text, _revision = map_editing.text_of(request.user, exercise)
    understood = practice.read(request.user, exercise, text) if text.strip() else {}
    if understood.get("map") is None:
        raise map_editing.TextIsNoMap
    return understood


def _yaml(request: SignedInRequest, variant: Variant, exercise: Exercise) -> tuple[str, str]:
    text, _revision = map_editing.text_of(request.user, exercise)
    return text, "application/yaml; charset=utf-8"


def _json(request: SignedInRequest, variant: Variant, exercise: Exercise) -> tuple[str, str]:
    map_ = map_editing.map_in(_reading(request, exercise))
    assert map_ is not None  # noqa: S101  # `_reading` refuses a text that is no map
    data = json.dumps(writing.to_json(map_), ensure_ascii=False, indent=2)
    return data, "application/json"


def _bpmn(request: SignedInRequest, variant: Variant, exercise: Exercise) -> tuple[str, str]:
    map_ = map_editing.map_in(_reading(request, exercise))
    assert map_ is not None  # noqa: S101
    return bpmn.to_bpmn(map_), "application/xml; charset=utf-8"


def _svg(request: SignedInRequest, variant: Variant, exercise: Exercise) -> tuple[str, str]:
    drawing = studio_report.standalone_svg(_reading(request, exercise)["svg"])
    return drawing, "image/svg+xml; charset=utf-8"


def _report_json(request: SignedInRequest, variant: Variant, exercise: Exercise) -> tuple[str, str]:
    data = studio_report.as_json(variant)
    return json.dumps(data, ensure_ascii=False, indent=2), "application/json"


def _report_pdf(
    request: SignedInRequest, variant: Variant, exercise: Exercise
) -> tuple[bytes, str]:
    return studio_report.as_pdf(variant), "application/pdf"


_FILES: dict[str, Callable[[SignedInRequest, Variant, Exercise], tuple[str | bytes, str]]] = {
    "yaml": _yaml,
    "json": _json,
    "bpmn": _bpmn,
    "svg": _svg,
    "report-json": _report_json,
    "report-pdf": _report_pdf,
}


@require_GET
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """A process as its owner lets others read it. It cannot be changed here."""
    found = Process.objects.filter(share_key=key).select_related("user").first()
    if found is None:
        raise Http404
    outcomes = studio.outcomes(found)
    rows = []
    for outcome in outcomes:
        exercise = studio.exercise_of(outcome.variant)
        text, _revision = map_editing.text_of(found.user, exercise)
        reading = practice.read(found.user, exercise, text) if text.strip() else None
        rows.append(
            {
                "outcome": outcome,
                "sheet": map_bench.sheet(reading),
                "domains": studio_report.domains(outcome.report) if outcome.report else [],
            }
        )
    context = {
        "process": found,
        "facts": studio.facts_of(found),
        "rows": rows,
        "compared": studio_report.compare(outcomes),
    }
    response = render(request, "courses/process_shared.html", context)
    # Whoever has the address may read it; a search engine should not have it.
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
