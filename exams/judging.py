"""Points that no key can give: tasks run on the engines of practice, answers read by raters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.jobs.queue import enqueue
from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from courses import box
from courses.grading.contract import GradeRequest, report_to_json
from exams.models import Attempt, AttemptItem, GradeRun, Rating, TaskRun
from exams.scoring.items import Item, TaskKey, WrittenKey
from exams.scoring.raters import Marks, Settlement, check_marks, settle

GRADE_JOB = "exams.grade"


class RatedAlready(DomainError):
    code = "rated-already"
    sentence = "You have rated this answer, or it needs no rating any more. Nothing was stored."


class OwnAnswer(DomainError):
    code = "own-answer"
    sentence = "This answer is your own, so somebody else has to rate it. Nothing was stored."


@dataclass(frozen=True, slots=True)
class Waiting:
    """One answer that waits for a rater, without its writer."""

    item: AttemptItem
    settlement: Settlement


def run_tasks(attempt: Attempt) -> None:
    """Run every task of a closed attempt that has not been run as it stands.

    It happens outside a transaction, because an engine takes seconds. The same text, item and seed
    run once. Raises `box.GradersBusy`, and the job comes again.
    """
    for item in _answered(attempt):
        scored = item.item_version.scored_item
        if isinstance(scored.key, TaskKey):
            _run_task(item, scored, scored.key)


def _run_task(item: AttemptItem, scored: Item, key: TaskKey) -> None:
    text = item.response.payload["text"]
    seed = _seed(item)
    inputs = digest({"item": item.item_version.content_sha256, "text": text, "seed": seed})
    if TaskRun.objects.filter(attempt_item=item, input_sha256=inputs).exists():
        return
    request = GradeRequest(kind=key.engine, exercise=key.exercise, submission=text, seed=seed)
    row = TaskRun(attempt_item=item, input_sha256=inputs)
    try:
        report = box.grade(request)
    except box.GradersBusy:
        raise
    except DomainError as refusal:
        # What cannot be run earns nothing, and an appeal can read why.
        row.score, row.refusal = 0, refusal.message
    else:
        row.score, row.report = report.score, report_to_json(report)
        row.grader_digest = report.grader.digest
    row.ran_at = database_now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        return  # two workers ran the same text, with the same result


def _seed(item: AttemptItem) -> str:
    # One seed for each version of an item: seeds are a controlled part of it, so that two
    # candidates with the same item have the same days and cases.
    return f"exam-{item.item_version.content_sha256[:16]}"


def judged_points(items: Iterable[AttemptItem]) -> dict[str, int]:
    """Points by item id of every judged item whose judging is complete, as answers stand now."""
    found: dict[str, int] = {}
    for item in items:
        scored = item.item_version.scored_item
        response = getattr(item, "response", None)
        if not scored.is_judged or response is None or not response.payload:
            continue
        if isinstance(scored.key, TaskKey):
            inputs = digest(
                {
                    "item": item.item_version.content_sha256,
                    "text": response.payload["text"],
                    "seed": _seed(item),
                }
            )
            run = TaskRun.objects.filter(attempt_item=item, input_sha256=inputs).first()
            if run is not None:
                found[scored.id] = scored.points * run.score // 100
        elif isinstance(scored.key, WrittenKey):
            settlement = settle(scored.key.rubric, _marks(item))
            if settlement.points is not None:
                found[scored.id] = settlement.points
    return found


def waiting_for(rater: User) -> list[Waiting]:
    """Answers this person may rate next, oldest first; never the rater's own."""
    rows = (
        AttemptItem.objects.filter(
            attempt__state=Attempt.State.SUBMITTED, attempt__candidate__isnull=False
        )
        .exclude(attempt__candidate=rater)
        .exclude(ratings__rater=rater)
        .exclude(response=None)
        .filter(item_version__document__kind="written")
        .select_related("item_version", "response__event", "attempt")
        .order_by("attempt__closed_at", "position")
    )
    waiting = []
    for item in rows:
        key = item.item_version.scored_item.key
        if isinstance(key, WrittenKey) and item.response.payload:
            settlement = settle(key.rubric, _marks(item))
            if settlement.standing != "settled":
                waiting.append(Waiting(item, settlement))
    return waiting


@transaction.atomic
def rate(item_id: int, *, rater: User, marks: Marks, note: str) -> Settlement:
    """Store one rating; the rating that settles the last answer has the attempt graded.

    Raises `BadMarks`, `OwnAnswer`, `RatedAlready`.
    """
    item = (
        AttemptItem.objects.select_for_update(of=("self",))
        .select_related("item_version", "response__event", "attempt")
        .get(pk=item_id)
    )
    key = item.item_version.scored_item.key
    if item.attempt.candidate_id == rater.pk:
        raise OwnAnswer()
    if not isinstance(key, WrittenKey) or item.attempt.state != Attempt.State.SUBMITTED:
        raise RatedAlready()
    before = settle(key.rubric, _marks(item))
    if before.standing == "settled" or item.ratings.filter(rater=rater).exists():
        raise RatedAlready()
    now = database_now()
    rating = Rating.objects.create(
        attempt_item=item,
        event=item.response.event,
        rater=rater,
        marks=check_marks(key.rubric, marks),
        note=note.strip(),
        rated_at=now,
    )
    audit.record(
        rater,
        "answer.rated",
        item.attempt,
        at=now,
        facts={"position": item.position, "marks": rating.marks},
    )
    after = settle(key.rubric, _marks(item))
    if after.standing == "settled":
        enqueue(
            GRADE_JOB,
            key=f"{item.attempt_id}:rated:{rating.pk}",
            payload={"attempt": str(item.attempt_id), "reason": GradeRun.Reason.CLOSED.value},
        )
    return after


def _marks(item: AttemptItem) -> list[Marks]:
    response = getattr(item, "response", None)
    if response is None:
        return []
    # Ratings of an earlier revision do not count: the raters read another text.
    return [
        rating.marks
        for rating in Rating.objects.filter(attempt_item=item, event=response.event_id).order_by(
            "pk"
        )
    ]


def _answered(attempt: Attempt) -> list[AttemptItem]:
    return [
        item
        for item in attempt.items.select_related("item_version", "response__event")
        if hasattr(item, "response") and item.response.payload
    ]
