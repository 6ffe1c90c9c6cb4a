"""The studio: a person's own process, mapped, run, compared, shared and kept.

A process is an exercise that the person writes herself: what she says of its world becomes an
exercise document, and the same editors, engines and checks work on it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses import box, map_editing, practice
from courses.authoring.curriculum import Exercise
from courses.grading.contract import GradeReport, GradeRequest, report_from_json, report_to_json
from courses.models import Draft, MapEdit, Process, Variant, VariantRun
from courses.simulators.workflows import bpmn, own_world
from courses.simulators.workflows.model import WorkflowMap

Json = Any

MAX_PROCESSES = 50
MAX_VARIANTS = 8
KEPT_RUNS = 20
SEED = "studio"


class TooManyProcesses(DomainError):
    code = "too-many-processes"
    sentence = "You have {most} processes, which is the limit. Remove one before you begin another."


class TooManyVariants(DomainError):
    code = "too-many-variants"
    sentence = "A process has at most {most} maps. Remove one before you add another."


class LastVariant(DomainError):
    code = "last-variant"
    sentence = "This is the only map of the process, so it stays. Remove the process instead."


class NotImported(DomainError):
    code = "not-imported"
    sentence = "Nothing was taken from the file. {problem}"


class NotRunYet(DomainError):
    code = "not-run-yet"
    sentence = "There is nothing to report yet. Run the map first."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The newest run of a map. `is_old` when the map or its world has changed since."""

    variant: Variant
    report: GradeReport | None
    at: datetime | None
    is_old: bool


def processes(user: User) -> Sequence[Process]:
    return list(Process.objects.filter(user=user))


def evidence(user: User) -> Sequence[Process]:
    """The processes that a person keeps among what she has to show."""
    return list(Process.objects.filter(user=user, is_evidence=True))


def facts_of(process: Process) -> own_world.Facts:
    return own_world.read_facts(process.facts)


def exercise_of(variant: Variant) -> Exercise:
    """The map as the editors know exercises."""
    process = variant.process
    document = own_world.document(facts_of(process), title=process.title)
    return Exercise(
        id=variant.key,
        course="",
        kind="workflow_map",
        title=process.title,
        competencies=(),
        document=document | {"starter": variant.starter},
    )


# Begin, change, remove ----------------------------------------------------------------------------


def begin(
    user: User, *, title: str, template: str, file: bytes | None
) -> tuple[Process, Sequence[str]]:
    """A new process, from a template, a BPMN file or nothing; also what the file had to say.

    Raises `TooManyProcesses` and `NotImported`.
    """
    said: Sequence[str] = ()
    if file is not None:
        found = bpmn.from_bpmn(file)
        if found.map is None:
            raise NotImported(problem=" ".join(found.problems))
        map_, facts, filled_in = own_world.parts_of(found.map)
        said = (*found.kept, *found.left_out, *filled_in)
        title = title or map_.title
    else:
        chosen = next((row for row in own_world.TEMPLATES if row.id == template), None)
        facts = (chosen or own_world.TEMPLATES[0]).facts
        title = title or (chosen.title if chosen else _("My process"))
        map_ = own_world.template_map(chosen) if chosen else own_world.blank_map(title)
    return _create(user, title[:80], facts, map_), said


@transaction.atomic
def _create(user: User, title: str, facts: own_world.Facts, map_: WorkflowMap) -> Process:
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if Process.objects.filter(user=user).count() >= MAX_PROCESSES:
        raise TooManyProcesses(most=MAX_PROCESSES)
    process = Process.objects.create(user=user, title=title, facts=facts.model_dump(mode="json"))
    Variant.objects.create(
        process=process, number=1, name=_("First map"), starter=own_world.starter(map_)
    )
    return process


def describe(process: Process, *, title: str, facts: own_world.Facts) -> None:
    process.title = title
    process.facts = facts.model_dump(mode="json")
    process.save(update_fields=["title", "facts"])


@transaction.atomic
def copy_variant(variant: Variant, *, name: str) -> Variant:
    """A further map of the process that begins as a copy. Raises `TooManyVariants`."""
    process = Process.objects.select_for_update().get(pk=variant.process_id)
    if process.variants.count() >= MAX_VARIANTS:
        raise TooManyVariants(most=MAX_VARIANTS)
    last = process.variants.aggregate(last=Max("number"))["last"] or 0
    text, _revision = map_editing.text_of(process.user, exercise_of(variant))
    return Variant.objects.create(
        process=process,
        number=last + 1,
        name=name or _("Map %(n)s") % {"n": last + 1},
        starter=text,
    )


@transaction.atomic
def remove_variant(variant: Variant) -> None:
    process = Process.objects.select_for_update().get(pk=variant.process_id)
    if process.variants.count() == 1:
        raise LastVariant
    _forget_texts([variant])
    variant.delete()


@transaction.atomic
def remove(process: Process) -> None:
    _forget_texts(list(process.variants.all()))
    process.delete()


def _forget_texts(variants: Sequence[Variant]) -> None:
    keys = [variant.key for variant in variants]
    for model in (Draft, MapEdit):
        model.objects.filter(exercise__in=keys).delete()


# Run ----------------------------------------------------------------------------------------------


def run(user: User, variant: Variant, *, at: datetime) -> VariantRun:
    """Run the saved map in the described world. Raises `practice.NoRunsLeft` and what the box raises."""
    exercise = exercise_of(variant)
    text, _revision = map_editing.text_of(user, exercise)
    if not text.strip():
        raise practice.TextEmpty
    since = at - timedelta(days=1)
    used = VariantRun.objects.filter(variant__process__user=user, at__gt=since).count()
    if used >= settings.RUNS_PER_DAY:
        raise practice.NoRunsLeft(limit=settings.RUNS_PER_DAY)
    report = box.grade(
        GradeRequest(kind=exercise.kind, exercise=exercise.document, submission=text, seed=SEED)
    )
    done = VariantRun.objects.create(
        variant=variant,
        text=text,
        facts=variant.process.facts,
        report=report_to_json(report),
        at=at,
    )
    kept = variant.runs.order_by("-pk").values_list("pk", flat=True)[:KEPT_RUNS]
    variant.runs.exclude(pk__in=list(kept)).delete()
    return done


def outcome(variant: Variant) -> Outcome:
    last = variant.runs.last()
    if last is None:
        return Outcome(variant, None, None, is_old=False)
    text, _revision = map_editing.text_of(variant.process.user, exercise_of(variant))
    is_old = last.text != text or last.facts != variant.process.facts
    return Outcome(variant, report_from_json(last.report), last.at, is_old)


def outcomes(process: Process) -> list[Outcome]:
    return [outcome(variant) for variant in process.variants.all()]


# Share and keep -----------------------------------------------------------------------------------


def share(process: Process, *, shared: bool) -> None:
    """Give the process an address that anybody may read, or take it away; a new one is never an old one."""
    if shared and not process.share_key:
        process.share_key = secrets.token_urlsafe(24)
    elif not shared:
        process.share_key = None
    process.save(update_fields=["share_key"])


def keep(process: Process, *, kept: bool) -> None:
    process.is_evidence = kept
    process.save(update_fields=["is_evidence"])
