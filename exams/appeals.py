"""Appeals: a candidate objects to a result, a person who took no part in it decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.jobs.queue import enqueue
from checkride.lib.errors import DomainError
from exams import item_page
from exams.models import Appeal, Attempt, Rating, Result, TaskRun

LETTER_JOB = "exams.appeal-letter"
APPEAL_DAYS = 30
REASON = (20, 4000)


class AppealRefused(DomainError):
    code = "appeal-refused"
    sentence = "Nothing was changed: {problem}"


def closes_at(released_at: datetime) -> datetime:
    """Until when a result may be appealed; released anew, the days begin anew. Pure."""
    return released_at + timedelta(days=APPEAL_DAYS)


def open_until(attempt: Attempt, *, at: datetime) -> datetime | None:
    """Until when this attempt may be appealed now; None without a result, after the days, while an
    appeal is open, and after one that was decided on this result."""
    result = Result.objects.filter(attempt=attempt).first()
    if result is None or at > closes_at(result.released_at):
        return None
    if attempt.appeals.filter(made_at__gte=result.released_at).exists():
        return None
    if attempt.appeals.filter(outcome=Appeal.Outcome.OPEN).exists():
        return None
    return closes_at(result.released_at)


def make(attempt: Attempt, *, reason: str, by: User) -> Appeal:
    """Object to the result of one's own attempt. Raises `AppealRefused`."""
    reason = reason.strip()
    now = database_now()
    if attempt.candidate_id != by.pk:
        raise AppealRefused(problem="this is not your attempt.")
    if not REASON[0] <= len(reason) <= REASON[1]:
        raise AppealRefused(
            problem=f"say in {REASON[0]} to {REASON[1]:,} characters what is wrong."
        )
    if open_until(attempt, at=now) is None:
        raise AppealRefused(
            problem=f"a result may be appealed once, within {APPEAL_DAYS} days of its release."
        )
    try:
        with transaction.atomic():
            appeal = Appeal.objects.create(attempt=attempt, reason=reason, made_at=now)
            audit.record(by, "appeal.made", appeal, at=now, facts={"attempt": str(attempt.pk)})
    except IntegrityError as error:
        raise AppealRefused(problem="your appeal is open already.") from error
    return appeal


def may_decide(appeal: Appeal, person: User) -> bool:
    """Whether this person took no part: neither sat the attempt nor rated an answer of it."""
    if appeal.attempt.candidate_id == person.pk:
        return False
    return not Rating.objects.filter(attempt_item__attempt=appeal.attempt, rater=person).exists()


@transaction.atomic
def decide(appeal_id: int, *, outcome: str, decision: str, by: User) -> Appeal:
    """Decide an appeal and write to the candidate; what was decided stays decided.

    Raises `AppealRefused` for somebody who took part, a second decision, or one without words.
    """
    appeal = (
        Appeal.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=appeal_id)
    )
    decision = decision.strip()
    if not may_decide(appeal, by):
        raise AppealRefused(problem="you took part in this attempt, so somebody else decides.")
    if appeal.outcome != Appeal.Outcome.OPEN:
        raise AppealRefused(problem="this appeal is decided already.")
    if outcome not in Appeal.Outcome.values or outcome == Appeal.Outcome.OPEN:
        raise AppealRefused(problem="choose what was decided.")
    if not REASON[0] <= len(decision) <= REASON[1]:
        raise AppealRefused(
            problem=f"give the candidate a reason of {REASON[0]} to {REASON[1]:,} characters."
        )
    appeal.outcome, appeal.decision = outcome, decision
    appeal.decided_by, appeal.decided_at = by, database_now()
    appeal.save()
    audit.record(
        by,
        "appeal.decided",
        appeal,
        at=appeal.decided_at,
        facts={"attempt": str(appeal.attempt_id), "outcome": outcome},
    )
    enqueue(LETTER_JOB, key=str(appeal.pk), payload={"appeal": appeal.pk})
    return appeal


def write_letter(appeal_id: int) -> bool:
    """Tell the candidate what was decided, and why; False when there is nobody to tell."""
    appeal = (
        Appeal.objects.filter(pk=appeal_id, attempt__candidate__isnull=False)
        .select_related("attempt__candidate", "attempt__blueprint_version")
        .first()
    )
    if appeal is None or appeal.attempt.candidate is None:
        return False
    title = appeal.attempt.blueprint.title
    facts = {
        "appeal": appeal,
        "attempt": appeal.attempt,
        "title": title,
        "address": f"{settings.SITE_URL}{reverse('exams:result', args=[appeal.attempt_id])}",
    }
    send_mail(
        _("Your appeal about %(title)s was decided") % {"title": title},
        render_to_string("exams/mail_appeal.txt", facts),
        settings.DEFAULT_FROM_EMAIL,
        [appeal.attempt.candidate.email],
    )
    return True


# What an examiner reads ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place of the attempt: which item it was, every save with its receipt, and the points.

    `points` is None for an item on trial, `run` what an engine made of a task.
    """

    slug: str
    version: int
    domain: str
    line: item_page.ReceiptLine
    points: int | None
    possible: int
    run: TaskRun | None

    @property
    def criteria(self) -> list[dict[str, Any]]:
        """How an engine read a task, criterion by criterion."""
        found: list[dict[str, Any]] = (
            (self.run.report or {}).get("criteria", []) if self.run else []
        )
        return found


def evidence(attempt: Attempt) -> tuple[Evidence, ...]:
    """Everything an appeal can be decided by, without the candidate's name."""
    lines = {line.position: line for line in item_page.receipt_lines(attempt)}
    run = attempt.current_grade
    scores = dict(run.item_scores.values_list("attempt_item", "points")) if run else {}
    runs = {
        one.attempt_item_id: one
        for one in TaskRun.objects.filter(attempt_item__attempt=attempt).order_by("pk")
    }
    return tuple(
        Evidence(
            slug=place.item_version.item.slug,
            version=place.item_version.number,
            domain=place.domain,
            line=lines[place.position],
            points=scores.get(place.pk),
            possible=place.item_version.scored_item.points,
            run=runs.get(place.pk),
        )
        for place in attempt.items.select_related("item_version__item")
    )
