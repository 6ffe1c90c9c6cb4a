"""Correct an item after people have answered it: dry run, report, publication, letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.jobs.queue import enqueue
from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from exams import outcomes
from exams.models import Attempt, AttemptItem, GradeRun, ItemScore, ItemVersion, Regrade, Result
from exams.scoring.items import Item, NumericKey, SingleKey, TextKey
from exams.scoring.regrade import (
    Accept,
    Change,
    Drop,
    Full,
    ItemPolicy,
    Keep,
    Rekey,
    Rescored,
    rescore,
)
from exams.scoring.score import grader_digest

LETTER_JOB = "exams.regrade-letter"


class BadRegrade(DomainError):
    code = "bad-regrade"
    sentence = "Nothing was changed: {problem}"


@dataclass(frozen=True, slots=True)
class Affected:
    """One released attempt that held the item, with what the correction would do to it."""

    attempt: Attempt
    run: GradeRun
    items: list[AttemptItem]
    rescored: Rescored
    change: Change


@transaction.atomic
def dry_run(
    version: ItemVersion, *, policy: str, answer: str, keep: str, reason: str, by: User
) -> Regrade:
    """Work out what a correction would do and keep the report; no result changes.

    `answer` is the further answer for `accept`: an option's id, a number or a wording.
    Raises `BadRegrade`.
    """
    reason = " ".join(reason.split())
    if not 10 <= len(reason) <= 2000:
        raise BadRegrade(problem="give a reason of 10 to 2,000 characters; candidates read it.")
    if policy not in Regrade.Policy.values or keep not in Regrade.Keep.values:
        raise BadRegrade(problem="choose what happens to the item and which score counts.")
    now = database_now()
    row = Regrade(
        exam=version.item.exam,
        item_version=version,
        policy=policy,
        accepted=[_answer(version.scored_item, answer)] if policy == "accept" else [],
        keep=keep,
        reason=reason,
        grader_digest=grader_digest(),
        made_by=by,
        made_at=now,
    )
    row.report = _report(row)
    row.save()
    audit.record(
        by,
        "regrade.tried",
        row,
        at=now,
        facts={"item": version.item.slug, "version": version.number, "policy": policy},
    )
    return row


def _answer(item: Item, typed: str) -> dict[str, Any]:
    typed = typed.strip()
    match item.key:
        case SingleKey(options=options):
            if typed not in {option.id for option in options}:
                raise BadRegrade(problem=f"the item has no option “{typed}”.")
            return {"choice": typed}
        case NumericKey():
            return {"number": typed}
        case TextKey():
            return {"text": typed}
        case _:
            raise BadRegrade(
                problem="a further answer can be accepted for one-answer, numeric and short-text "
                "items; correct the key of others in their file and score by it."
            )


def policy_of(row: Regrade) -> ItemPolicy:
    match row.policy:
        case Regrade.Policy.FULL:
            return Full()
        case Regrade.Policy.DROP:
            return Drop()
        case Regrade.Policy.ACCEPT:
            return Accept(tuple(row.accepted))
        case _:
            return Rekey(_corrected(row.item_version))


def _corrected(version: ItemVersion) -> Item:
    current = version.item.current
    if current is None or current.pk == version.pk:
        raise BadRegrade(
            problem="the item has no newer version to score by. Correct it in its file and load it."
        )
    before, after = version.scored_item, current.scored_item
    if before.kind != after.kind or before.is_judged:
        raise BadRegrade(problem="the newer version is of another kind, or judged by people.")
    if _ids(before) != _ids(after):
        raise BadRegrade(problem="the newer version has other choices, so old answers do not fit.")
    return after


def _ids(item: Item) -> set[str]:
    from exams.scoring.items import shuffled_groups

    return {one for ids in shuffled_groups(item).values() for one in ids}


def affected(row: Regrade) -> Iterator[Affected]:
    """Every released attempt that held the item version, rescored."""
    policy = policy_of(row)
    held = (
        Attempt.objects.filter(
            items__item_version=row.item_version_id,
            items__is_pilot=False,
            result__isnull=False,
            candidate__isnull=False,
        )
        .select_related("result__grade_run", "blueprint_version", "form", "candidate")
        .order_by("pk")
    )
    for attempt in held.iterator(200):
        run = attempt.result.grade_run
        items = list(
            attempt.items.filter(is_pilot=False).select_related("item_version", "response__event")
        )
        scores = dict(run.item_scores.values_list("attempt_item", "points"))
        place = next(
            number
            for number, item in enumerate(items)
            if item.item_version_id == row.item_version_id
        )
        rescored = rescore(
            [item.item_version.scored_item for item in items],
            [item.answer_in_authors_ids for item in items],
            [scores[item.pk] for item in items],
            cut=attempt.cut_points,
            policies={place: policy},
        )
        yield Affected(
            attempt,
            run,
            items,
            rescored,
            Change(
                (run.correct, run.of, run.passed),
                (rescored.correct, rescored.of, rescored.passed),
            ),
        )


def _report(row: Regrade) -> dict[str, Any]:
    """Counts by form, and every attempt that would change. It names attempts, not people."""
    keep: Keep = "best" if row.keep == "best" else "new"
    forms: dict[str, dict[str, int]] = {}
    rows = []
    for one in affected(row):
        name = one.attempt.form.name if one.attempt.form else "drawn"
        counts = forms.setdefault(
            name, {"attempts": 0, "changed": 0, "now passes": 0, "no longer passes": 0}
        )
        counts["attempts"] += 1
        if not one.change.counts(keep):
            continue
        counts["changed"] += 1
        if one.change.flip:
            counts[one.change.flip] += 1
        rows.append(
            {
                "attempt": str(one.attempt.pk),
                "form": one.attempt.form_code,
                "run": one.run.pk,
                "before": list(one.change.before),
                "after": list(one.change.after),
                "flip": one.change.flip,
            }
        )
    return {"forms": forms, "rows": rows}


@transaction.atomic
def publish(regrade_id: int, *, by: User) -> Regrade:
    """Make a dry run count: new runs, results, letters, and word to whoever issues credentials.

    Raises `BadRegrade` when it is published already, or when results have changed since the dry
    run, so that nobody publishes what nobody has read.
    """
    row = Regrade.objects.select_for_update().get(pk=regrade_id)
    if row.published_at:
        raise BadRegrade(problem="this correction is published already.")
    held = list(
        Attempt.objects.select_for_update(of=("self",))
        .filter(items__item_version=row.item_version_id, result__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if row.report != _report(row) or row.grader_digest != grader_digest():
        row.report, row.grader_digest = _report(row), grader_digest()
        row.save(update_fields=["report", "grader_digest"])
        raise BadRegrade(
            problem="results have changed since the dry run. It was run again; read the new report."
        )
    now = database_now()
    keep: Keep = "best" if row.keep == "best" else "new"
    for one in list(affected(row)):
        if one.change.counts(keep):
            _replace(row, one, by=by)
    row.published_at, row.published_by = now, by
    row.save(update_fields=["published_at", "published_by"])
    audit.record(
        by,
        "regrade.published",
        row,
        at=now,
        facts={"held": len(held), "changed": len(row.report["rows"]), "reason": row.reason},
    )
    return row


def _replace(row: Regrade, one: Affected, *, by: User) -> None:
    now = database_now()
    rescored = one.rescored
    run = GradeRun.objects.create(
        attempt=one.attempt,
        reason=GradeRun.Reason.REGRADE,
        input_sha256=digest({"regrade": row.pk, "run": one.run.pk}),
        grader_digest=grader_digest(),
        policy_version=f"{row.policy}/{row.pk}",
        actor=by,
        correct=rescored.correct,
        of=rescored.of,
        cut=rescored.cut,
        passed=rescored.passed,
        graded_at=now,
    )
    ItemScore.objects.bulk_create(
        ItemScore(run=run, attempt_item=item, points=points, possible=possible)
        for item, points, possible in zip(
            one.items, rescored.points, rescored.possible, strict=True
        )
    )
    Attempt.objects.filter(pk=one.attempt.pk).update(current_grade=run)
    result = Result.objects.get(attempt=one.attempt)
    result.grade_run, result.released_at, result.released_by = run, now, by
    result.save(update_fields=["grade_run", "released_at", "released_by"])
    enqueue(
        LETTER_JOB,
        key=f"{row.pk}:{one.attempt.pk}",
        payload={
            "regrade": row.pk,
            "attempt": str(one.attempt.pk),
            "before": list(one.change.before),
        },
    )
    result_id = result.pk
    if rescored.passed:
        transaction.on_commit(
            lambda: outcomes.result_released.send(Result, result_id=result_id), robust=True
        )
    elif one.change.before[2]:
        for source_id in outcomes.sources_resting_on(one.attempt):
            transaction.on_commit(
                partial(outcomes.result_withdrawn.send, Result, source_id=source_id), robust=True
            )


def write_letter(regrade_id: int, attempt_id: UUID, before: list[Any]) -> bool:
    """Tell a candidate what was corrected and what changed; False when there is nobody to tell."""
    row = Regrade.objects.get(pk=regrade_id)
    attempt = (
        Attempt.objects.filter(pk=attempt_id, candidate__isnull=False)
        .select_related("candidate", "blueprint_version", "result__grade_run")
        .first()
    )
    if attempt is None or attempt.candidate is None:
        return False
    run = attempt.result.grade_run
    facts = {
        "attempt": attempt,
        "title": attempt.blueprint.title,
        "regrade": row,
        "before": {"points": before[0], "of": before[1], "passed": before[2]},
        "run": run,
        "address": f"{settings.SITE_URL}{reverse('exams:result', args=[attempt.pk])}",
    }
    send_mail(
        _("Your result of %(title)s was corrected") % {"title": attempt.blueprint.title},
        render_to_string("exams/mail_regraded.txt", facts),
        settings.DEFAULT_FROM_EMAIL,
        [attempt.candidate.email],
    )
    return True
