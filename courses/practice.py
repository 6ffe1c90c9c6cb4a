"""Writing and running exercises: drafts, runs, reports, and what may be shown of them."""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max

from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import box, labelling, study, versions
from courses.authoring.curriculum import Course, Exercise
from courses.grading.contract import (
    CaseResult,
    GradeReport,
    GradeRequest,
    case_from_json,
    report_from_json,
    report_to_json,
)
from courses.models import ContentKind, ContentVersion, Draft, GradeReportRow, Submission

Json = Any

MOST_CHARACTERS = 60_000
RUNS_UNTIL_HIDDEN_OPEN = 3
READINGS_PER_MINUTE = 240
PRACTICE_SEED = "practice"
GRADE_JOB = "courses.grade"
# The page grades at once. What it could not grade, because all graders were busy or its process
# ended, a worker grades after this time.
HELD_FOR_THE_PAGE = timedelta(seconds=15)
# After this long without a grade nobody should be told to wait any more.
LONGEST_WAIT = timedelta(minutes=30)
STARTER_KEPT_S = 24 * 60 * 60


class TextTooLong(DomainError):
    code = "text-too-long"
    sentence = (
        "The text has {has:,} characters; {most:,} is the limit. The last saved text is kept. "
        "Shorten it and save again."
    )


class TextEmpty(DomainError):
    code = "text-empty"
    sentence = "There is nothing to run yet. Write something first; nothing was counted."


class NoRunsLeft(DomainError):
    code = "no-runs-left"
    sentence = (
        "You have used your {limit} runs of today. Your text is saved. "
        "Runs are counted anew at midnight UTC."
    )


class DraftMoved(DomainError):
    code = "draft-moved"
    sentence = (
        "This text was saved somewhere else in the meantime, in another tab or on another "
        "computer. Nothing was overwritten. Reload the page to see the newer text, and copy what "
        "you need from this one first."
    )


class TooManyReadings(DomainError):
    code = "too-many-readings"
    sentence = (
        "The text was read {limit} times within a minute, which is the limit. It is saved; "
        "the rules appear again in a moment."
    )


class NotAvailable(DomainError):
    code = "not-available"
    sentence = "This exercise cannot be run at the moment. Your text is saved."


@dataclass(frozen=True, slots=True)
class Run:
    """A submission with its report; None when it was refused, or waits for a grader."""

    submission: Submission
    report: GradeReport | None


# Drafts --------------------------------------------------------------------------------------


def draft_of(user: User, exercise_id: str) -> Draft | None:
    return Draft.objects.filter(user=user, exercise=exercise_id).first()


@transaction.atomic
def save_draft(user: User, exercise_id: str, *, text: str, over: int | None, at: datetime) -> Draft:
    """Save what the learner is writing.

    `over` is the revision she saw; None saves whatever is there. Raises `TextTooLong`, and
    `DraftMoved` when another save came between.
    """
    text = _lines(text)
    if len(text) > MOST_CHARACTERS:
        raise TextTooLong(has=len(text), most=MOST_CHARACTERS)
    draft, made = Draft.objects.select_for_update().get_or_create(
        user=user, exercise=exercise_id, defaults={"text": text, "saved_at": at}
    )
    if made:
        return draft
    if draft.text == text:
        return draft
    if over is not None and over != draft.revision:
        raise DraftMoved
    draft.text = text
    draft.revision += 1
    draft.saved_at = at
    draft.save(update_fields=["text", "revision", "saved_at"])
    return draft


def _lines(text: str) -> str:
    # A browser sends CR LF; the reader of a text counts lines by LF.
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


# Runs ----------------------------------------------------------------------------------------


def runs_left(user: User, *, at: datetime) -> int:
    """How many runs the learner has left today; a day begins at midnight UTC."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    used = Submission.objects.filter(
        user=user, at__gte=midnight, at__lt=midnight + timedelta(days=1)
    ).count()
    return max(0, settings.RUNS_PER_DAY - used)


def run(user: User, course: Course, exercise: Exercise, *, text: str, at: datetime) -> Run:
    """Save the text, grade it in the box and keep the report.

    The run is numbered and counted before it is graded, so that a text which stops the grader is
    counted too, and its refusal is kept beside it. When all graders are busy the run waits, and a
    worker grades it. Raises `TextEmpty`, `TextTooLong` and `NoRunsLeft`.
    """
    text = _lines(text)
    if not text.strip():
        raise TextEmpty
    save_draft(user, exercise.id, text=text, over=None, at=at)
    submission = _submit(user, course, exercise, text=text, at=at)
    try:
        report = grade(submission)
    except box.GradersBusy:
        return Run(submission, None)
    queue.settle(GRADE_JOB, key=str(submission.pk), result=_outcome(report))
    return Run(submission, report)


def grade(submission: Submission) -> GradeReport | None:
    """Grade a submission on the exercise as it was, and keep the report, or why there is none.

    Grading twice changes nothing: a grade, once kept, stands. Raises `box.GradersBusy`, after
    which nothing has changed.
    """
    if submission.refusal:
        return None
    kept = report_of(submission)
    if kept is not None:
        return kept
    document = submission.version.document
    request = GradeRequest(
        kind=document["kind"], exercise=document, submission=submission.text, seed=PRACTICE_SEED
    )
    began = time.perf_counter()
    try:
        report = box.grade(request)
    except box.GradersBusy:
        raise
    except DomainError as refusal:
        submission.refusal = refusal.message
        submission.save(update_fields=["refusal"])
        return None
    _keep(submission, report, took_s=time.perf_counter() - began)
    return report_of(submission)


def grade_waiting(submission_id: UUID) -> Mapping[str, Json]:
    """Grade a submission that no page graded; what came of it. Raises what `grade` raises."""
    submission = Submission.objects.select_related("version").filter(pk=submission_id).first()
    if submission is None:
        return {"erased": True}
    return _outcome(grade(submission))


def _outcome(report: GradeReport | None) -> dict[str, Json]:
    return {"refused": True} if report is None else {"score": report.score}


def is_waiting(submission: Submission, *, at: datetime) -> bool:
    """Whether a grade may still come by itself."""
    if submission.refusal or GradeReportRow.objects.filter(submission=submission).exists():
        return False
    return at - submission.at < LONGEST_WAIT


@transaction.atomic
def _submit(
    user: User, course: Course, exercise: Exercise, *, text: str, at: datetime
) -> Submission:
    # One row of this person is locked, so that two runs at once are counted one after the other.
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if runs_left(user, at=at) == 0:
        raise NoRunsLeft(limit=settings.RUNS_PER_DAY)
    last = Submission.objects.filter(user=user, exercise=exercise.id).aggregate(last=Max("number"))[
        "last"
    ]
    submission = Submission.objects.create(
        user=user,
        exercise=exercise.id,
        version=_version(user, course, exercise, at=at),
        number=(last or 0) + 1,
        text=text,
        at=at,
    )
    key = str(submission.pk)
    queue.enqueue(GRADE_JOB, key=key, payload={"submission": key}, hold=HELD_FOR_THE_PAGE)
    return submission


def _version(user: User, course: Course, exercise: Exercise, *, at: datetime) -> ContentVersion:
    enrolment = study.enrol(user, course.id, at=at)
    version = None
    if enrolment is not None:
        version = versions.part(enrolment.version, ContentKind.EXERCISE, exercise.id)
    if version is None or version.digest != exercise.digest:
        version = ContentVersion.objects.filter(digest=exercise.digest).first()
    if version is None:
        raise NotAvailable
    return version


@transaction.atomic
def _keep(submission: Submission, report: GradeReport, *, took_s: float) -> None:
    # A page and a worker may grade one submission at the same time; the first grade stands, and
    # they are equal anyway.
    _row, made = GradeReportRow.objects.get_or_create(
        submission=submission,
        defaults={
            "report": report_to_json(report),
            "score": report.score,
            "passed": report.passed,
            "finding": report.finding,
            "grader_digest": report.grader.digest,
            "took_ms": round(took_s * 1000),
            "at": clock.now(),
        },
    )
    if made and report.kind == "prompt":
        labelling.note_unsure(submission, report)


def report_of(submission: Submission) -> GradeReport | None:
    row = GradeReportRow.objects.filter(submission=submission).first()
    return None if row is None else report_from_json(row.report)


def starter_report(exercise: Exercise) -> GradeReport | None:
    """How the text that the learner was given does, for an exercise that is a repair.

    None where there is nothing to repair, and where the graders are busy: the page does without.
    """
    starter = exercise.document.get("starter")
    if exercise.kind != "prompt" or not starter:
        return None
    key = f"courses.starter.{exercise.digest}"
    known = cache.get(key)
    if known is None:
        try:
            report = box.grade(
                GradeRequest(
                    kind=exercise.kind,
                    exercise=exercise.document,
                    submission=_lines(str(starter)),
                    seed=PRACTICE_SEED,
                )
            )
        except DomainError:
            return None
        known = report_to_json(report)
        cache.set(key, known, timeout=STARTER_KEPT_S)
    return report_from_json(known)


def read(user: User, exercise: Exercise, text: str) -> Json:
    """How the text is understood, without running it.

    Raises `TextTooLong`, `TooManyReadings` and what `box.read` raises.
    """
    text = _lines(text)
    if len(text) > MOST_CHARACTERS:
        raise TextTooLong(has=len(text), most=MOST_CHARACTERS)
    count_reading(user)
    return box.read(
        GradeRequest(
            kind=exercise.kind, exercise=exercise.document, submission=text, seed=PRACTICE_SEED
        )
    )


def replay(user: User, exercise: Exercise, text: str, case: int) -> CaseResult | None:
    """What the map in `text` makes of the case of this number (from 1); the luck is the same.

    None when the map cannot be run. Raises `TooManyReadings` and what `box.read` raises.
    """
    count_reading(user)
    told = box.read(
        GradeRequest(
            kind=f"{exercise.kind}_replay",
            exercise={**exercise.document, "replay_case": case},
            submission=text,
            seed=PRACTICE_SEED,
        )
    )
    return None if told["case"] is None else case_from_json(told["case"])


def count_reading(user: User) -> None:
    """Count one reading of a text or a file. Raises `TooManyReadings`."""
    key = f"courses.readings.{user.pk}"
    cache.add(key, 0, timeout=60)
    try:
        used = cache.incr(key)
    except ValueError:  # the minute ended between the two calls
        return
    if used > READINGS_PER_MINUTE:
        raise TooManyReadings(limit=READINGS_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of two texts laid side by side: kept, added or taken out."""

    kind: Literal["kept", "added", "removed"]
    text: str


def text_changes(before: str, now: str, *, around: int = 2) -> list[DiffLine]:
    """What was changed in the text, with `around` unchanged lines beside each change."""
    rows = difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=around)
    kinds: dict[str, Literal["kept", "added", "removed"]] = {
        " ": "kept",
        "+": "added",
        "-": "removed",
    }
    # The first two rows name the files, and each stretch begins with a row of numbers.
    return [DiffLine(kinds[row[0]], row[1:]) for row in list(rows)[2:] if row[:1] in kinds]


# What may be shown ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """All runs of one exercise by one learner, without their texts."""

    rows: Sequence[Submission]

    @property
    def graded(self) -> int:
        return sum(hasattr(row, "report") for row in self.rows)

    @property
    def passed(self) -> bool:
        return any(row.report.passed for row in self.rows if hasattr(row, "report"))

    @property
    def best(self) -> Submission | None:
        rows = [row for row in self.rows if hasattr(row, "report")]
        return max(rows, key=lambda row: (row.report.passed, row.report.score), default=None)

    @property
    def last_graded(self) -> Submission | None:
        return next((row for row in reversed(self.rows) if hasattr(row, "report")), None)

    def shows_hidden(self) -> bool:
        """Hidden cases open on a pass or after three runs; so do the exact figures of a map."""
        return self.passed or self.graded >= RUNS_UNTIL_HIDDEN_OPEN

    def before(self, number: int) -> Submission | None:
        rows = [row for row in self.rows if row.number < number and hasattr(row, "report")]
        return rows[-1] if rows else None


def history(user: User, exercise_id: str) -> History:
    rows = (
        Submission.objects.filter(user=user, exercise=exercise_id)
        .select_related("report")
        .defer("text", "report__report")
    )
    return History(list(rows))


Change = Literal["fixed", "broken", "still wrong", "same", "new"]


def changes(now: Sequence[CaseResult], before: Sequence[CaseResult]) -> Mapping[str, Change]:
    """For each case now, how it compares with the run before."""
    earlier = {case.id: case.passed for case in before}
    return {case.id: _change(case, earlier.get(case.id)) for case in now}


def _change(case: CaseResult, before: bool | None) -> Change:
    if before is None:
        return "new"
    if case.passed:
        return "same" if before else "fixed"
    return "broken" if before else "still wrong"
