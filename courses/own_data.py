"""What the courses app holds about a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from checkride.accounts.models import User
from checkride.accounts.personal_data import as_json
from courses.models import (
    Bookmark,
    CheckAnswer,
    ChosenTrack,
    Draft,
    Enrolment,
    ExaminerLabel,
    GradeReportRow,
    HintTaken,
    LessonProgress,
    MapEdit,
    ModelRun,
    ModelTrace,
    Note,
    PlacementResult,
    Process,
    Reading,
    ReplacedDraft,
    ReviewAnswer,
    ReviewCard,
    Submission,
    UnsureReading,
    Variant,
    VariantRun,
)


def export(user: User) -> Mapping[str, bytes]:
    return {
        "courses.json": as_json(
            list(
                Enrolment.objects.filter(user=user).values("course", "version__digest", "began_at")
            )
        ),
        "track.json": as_json(
            list(ChosenTrack.objects.filter(user=user).values("track", "chosen_at"))
        ),
        "lessons.json": as_json(
            list(
                LessonProgress.objects.filter(user=user).values(
                    "lesson", "version__digest", "began_at", "done_at", "decision", "decided_at"
                )
            )
        ),
        "answers.json": as_json(
            list(
                CheckAnswer.objects.filter(user=user).values(
                    "lesson", "version__digest", "check_number", "option", "right", "at"
                )
            )
        ),
        "reading.json": as_json(
            list(Reading.objects.filter(user=user).values("lesson", "place", "seconds", "at"))
        ),
        "notes.json": as_json(
            list(
                Note.objects.filter(user=user).values(
                    "lesson", "place", "text", "written_at", "changed_at"
                )
            )
        ),
        "bookmarks.json": as_json(
            list(Bookmark.objects.filter(user=user).values("kind", "slug", "at"))
        ),
        "reviews.json": as_json(
            list(
                ReviewCard.objects.filter(user=user).values(
                    "lesson", "check_number", "version__digest", "stage", "due_on", "made_at"
                )
            )
        ),
        "review-answers.json": as_json(
            list(
                ReviewAnswer.objects.filter(card__user=user).values(
                    "card__lesson", "card__check_number", "stage", "option", "right", "at"
                )
            )
        ),
        "placement.json": as_json(
            list(PlacementResult.objects.filter(user=user).values("answers", "start", "at"))
        ),
        "drafts.json": as_json(
            list(Draft.objects.filter(user=user).values("exercise", "text", "revision", "saved_at"))
        ),
        "replaced-drafts.json": as_json(
            list(ReplacedDraft.objects.filter(user=user).values("exercise", "text", "at"))
        ),
        "map-edits.json": as_json(
            list(
                MapEdit.objects.filter(user=user).values(
                    "exercise", "says", "before", "after", "undone", "at"
                )
            )
        ),
        "processes.json": as_json(
            list(
                Process.objects.filter(user=user).values(
                    "id", "title", "facts", "share_key", "is_evidence", "began_at"
                )
            )
        ),
        "process-maps.json": as_json(
            list(
                Variant.objects.filter(process__user=user).values(
                    "id", "process", "number", "name", "starter"
                )
            )
        ),
        "process-runs.json": as_json(
            list(
                VariantRun.objects.filter(variant__process__user=user).values(
                    "variant", "text", "facts", "report", "at"
                )
            )
        ),
        "runs.json": as_json(
            list(
                Submission.objects.filter(user=user).values(
                    "exercise", "number", "version__digest", "text", "at", "refusal"
                )
            )
        ),
        "hints.json": as_json(
            list(HintTaken.objects.filter(user=user).values("exercise", "requirement", "at"))
        ),
        "reports.json": as_json(
            list(
                GradeReportRow.objects.filter(submission__user=user).values(
                    "submission__exercise", "submission__number", "report", "grader_digest", "at"
                )
            )
        ),
        "unsure-readings.json": as_json(
            list(
                UnsureReading.objects.filter(submission__user=user).values(
                    *("submission__exercise", "submission__number", "requirement", "best"),
                    *("confidence", "line", "at", "labels__verdict", "labels__reason"),
                    "labels__at",
                )
            )
        ),
        "model-runs.json": as_json(
            list(
                ModelRun.objects.filter(user=user).values(
                    *("id", "exercise", "submission__number", "host", "model", "temperature"),
                    *("state", "says", "tokens_in", "tokens_out", "at", "ended_at"),
                )
            )
        ),
        "model-traces.json": as_json(
            list(
                ModelTrace.objects.filter(run__user=user).values(
                    *("run", "case", "repeat", "passed", "steps", "checks", "fault", "says")
                )
            )
        ),
        "labels-given.json": as_json(
            list(
                ExaminerLabel.objects.filter(examiner=user).values(
                    "reading__exercise", "reading__requirement", "verdict", "reason", "at"
                )
            )
        ),
    }


def erase(user: User, at: datetime) -> None:
    """Delete everything. Practice certifies nothing, so nothing has to be kept.

    With a run go the labels that examiners gave it. What the person decided as an examiner stays,
    without her, because it belongs to the runs of others.
    """
    ExaminerLabel.objects.filter(examiner=user).update(examiner=None)
    # The money of a day was spent whoever spent it; what was said goes.
    ModelTrace.objects.filter(run__user=user).delete()
    ModelRun.objects.filter(user=user).update(user=None)
    HintTaken.objects.filter(user=user).delete()
    for model in (
        *(ChosenTrack, CheckAnswer, LessonProgress, Draft, ReplacedDraft, MapEdit),
        *(Reading, Note, Bookmark, ReviewCard, PlacementResult),
        *(Process, Submission, Enrolment),
    ):
        model.objects.filter(user=user).delete()
