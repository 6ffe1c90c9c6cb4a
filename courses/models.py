"""What a learner did, and the exact text she did it with.

Content is stored by its hash: a row of `ContentVersion` never changes. A learner stays on the
version of a course that she began, so that her progress and her scores keep their meaning.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from checkride.lib import clock


class ContentKind(models.TextChoices):
    COURSE = "course", _("course")
    LESSON = "lesson", _("lesson")
    EXERCISE = "exercise", _("exercise")


class ContentVersion(models.Model):
    """One version of a course, lesson or exercise. `number` counts the versions of a `slug`."""

    digest = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=10, choices=ContentKind.choices)
    slug = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    # Text, not jsonb: PostgreSQL would sort the keys, and the order of a world's faults matters.
    text = models.TextField()
    is_current = models.BooleanField(default=True)
    loaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["kind", "slug", "number"], name="content_versions_are_numbered"
            ),
            UniqueConstraint(
                fields=["kind", "slug"],
                condition=Q(is_current=True),
                name="one_current_content_version",
            ),
            CheckConstraint(condition=Q(kind__in=ContentKind.values), name="only_known_content"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.slug} {self.number}"

    @property
    def document(self) -> Any:
        """The content as JSON values, keys in the author's order."""
        return json.loads(self.text)


class Enrolment(models.Model):
    """A learner in a course, on the version that was current when she began."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrolments"
    )
    course = models.CharField(max_length=80)
    version = models.ForeignKey(ContentVersion, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "course"], name="one_enrolment_per_course"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.course}"


class ChosenTrack(models.Model):
    """The role a learner works towards; it only decides what comes next on her home page."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chosen_track"
    )
    track = models.CharField(max_length=80)
    chosen_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.user_id} on {self.track}"


class LessonProgress(models.Model):
    """Evidence that a lesson was worked through. `done_at` is set when every check is right."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lesson_progress"
    )
    lesson = models.CharField(max_length=80)
    version = models.ForeignKey(ContentVersion, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True, max_length=4000)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "lesson"], name="one_progress_per_lesson"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.lesson}"


class CheckAnswer(models.Model):
    """One answer to a check question; every try is kept, the last one counts."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="check_answers"
    )
    lesson = models.CharField(max_length=80)
    version = models.ForeignKey(ContentVersion, on_delete=models.PROTECT, related_name="+")
    check_number = models.PositiveSmallIntegerField()
    option = models.PositiveSmallIntegerField()
    right = models.BooleanField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "lesson"])]
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.lesson} check {self.check_number}"


class Draft(models.Model):
    """What a learner is writing. `revision` grows with each save, so a late save cannot win."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    exercise = models.CharField(max_length=80)
    text = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "exercise"], name="one_draft_per_exercise"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: draft of {self.exercise}"


class ReplacedDraft(models.Model):
    """A text that an import took the place of; the learner can put it back."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="replaced_drafts"
    )
    exercise = models.CharField(max_length=80)
    text = models.TextField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["user", "exercise", "-at"], name="replaced_by_exercise")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: replaced text of {self.exercise}"


class MapEdit(models.Model):
    """One edit of a map by a form or on the canvas, with the text before and after it.

    The edits of one person's map are a history: what is undone can be done again until something
    else is done.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="map_edits"
    )
    exercise = models.CharField(max_length=80)
    says = models.CharField(max_length=300)
    before = models.TextField()
    after = models.TextField()
    undone = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["user", "exercise"], name="edits_by_map")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.says}"


class Process(models.Model):
    """A person's own process in the studio: its world as she describes it, outside any exercise.

    With a `share_key` whoever has the address may read it. `is_evidence` keeps it among what the
    person has to show.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="processes"
    )
    title = models.CharField(max_length=80)
    facts = models.JSONField()
    share_key = models.CharField(max_length=43, unique=True, null=True, blank=True)
    is_evidence = models.BooleanField(default=False)
    began_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-began_at", "pk"]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.title}"


class Variant(models.Model):
    """One map of a process. Its text is the draft under `key`, as that of an exercise is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="variants")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    starter = models.TextField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["process", "number"], name="variants_are_numbered"),
        ]
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return f"{self.process_id}: {self.name}"

    @property
    def key(self) -> str:
        """The name under which drafts and edits of this map are kept."""
        return f"own-{self.pk}"


class VariantRun(models.Model):
    """What the engines said about a map in the world as it was described then."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="runs")
    text = models.TextField()
    facts = models.JSONField()
    report = models.JSONField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.variant_id} at {self.at:%Y-%m-%d %H:%M}"


class Submission(models.Model):
    """One run of one version of a learner's text. `refusal` says why it could not be graded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="submissions"
    )
    exercise = models.CharField(max_length=80)
    version = models.ForeignKey(ContentVersion, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    text = models.TextField()
    at = models.DateTimeField(default=clock.now)
    refusal = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["user", "exercise", "number"], name="submissions_are_numbered"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "at"])]
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.exercise} {self.number}"


class GradeReportRow(models.Model):
    """What the grader said about a submission, and which grader it was."""

    submission = models.OneToOneField(Submission, on_delete=models.CASCADE, related_name="report")
    report = models.JSONField()
    score = models.PositiveSmallIntegerField()
    passed = models.BooleanField()
    finding = models.TextField()
    grader_digest = models.CharField(max_length=64)
    took_ms = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(condition=Q(score__lte=100), name="a_score_is_at_most_100"),
        ]

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.score}"


class UnsureReading(models.Model):
    """A requirement of which the prompt reader was not sure in one run. An examiner may decide it.

    `best` is what the reader held for likeliest, with its confidence (0 to 1); `line` is the line
    of the prompt it stood on, 0 when no line speaks of it.
    """

    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, related_name="unsure_readings"
    )
    exercise = models.CharField(max_length=80)
    requirement = models.CharField(max_length=80)
    best = models.CharField(max_length=12)
    confidence = models.FloatField()
    line = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["submission", "requirement"], name="one_unsure_reading_per_requirement"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["exercise", "at"], name="unsure_by_exercise")]
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.requirement}"


class ExaminerLabel(models.Model):
    """What one examiner decided about an unsure reading, and why. It is never changed.

    `keep_out` keeps the prompt from the samples, because it names a real person or a secret.
    """

    class Verdict(models.TextChoices):
        MET = "met", _("Met")
        ABSENT = "absent", _("No line says it")
        CONTRADICTED = "contradicted", _("Says the opposite")

    reading = models.ForeignKey(UnsureReading, on_delete=models.CASCADE, related_name="labels")
    examiner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reason = models.CharField(max_length=500)
    keep_out = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["reading", "examiner"], name="an_examiner_decides_once"),
            CheckConstraint(
                condition=Q(verdict__in=["met", "absent", "contradicted"]),
                name="only_known_labels",
            ),
        ]
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.reading_id}: {self.verdict}"


class ModelRun(models.Model):
    """A learner's prompt on a real model: what was set aside for it, what it cost, what came of it.

    Money is in millionths of a cent, so that a single token can be counted. The row outlives an
    erasure, without the person and without what was said, because the day's money was spent.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    submission = models.ForeignKey(
        Submission, null=True, on_delete=models.SET_NULL, related_name="model_runs"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    exercise = models.CharField(max_length=80)
    host = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    temperature = models.FloatField()
    repeats = models.PositiveSmallIntegerField()
    world_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    says = models.CharField(max_length=300, blank=True)
    reserved = models.BigIntegerField()
    cost = models.BigIntegerField(default=0)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    # Faults by kind, those that passed on a second try too.
    faults = models.JSONField(default=dict)
    took_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["submission"],
                condition=Q(state="waiting"),
                name="one_waiting_model_run_per_submission",
            ),
            CheckConstraint(
                condition=Q(state__in=["waiting", "done", "failed"]),
                name="only_known_states_of_model_runs",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="model_runs_by_day")]
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.exercise} on {self.model}: {self.state}"


class ModelTrace(models.Model):
    """One case on a real model, once. `passed` is empty where a fault ended it."""

    run = models.ForeignKey(ModelRun, on_delete=models.CASCADE, related_name="traces")
    case = models.CharField(max_length=80)
    repeat = models.PositiveSmallIntegerField()
    passed = models.BooleanField(null=True)
    rehearsed = models.BooleanField()
    steps = models.JSONField()
    checks = models.JSONField()
    fault = models.CharField(max_length=20, blank=True)
    says = models.CharField(max_length=300, blank=True)
    requests = models.PositiveSmallIntegerField()
    tokens_in = models.PositiveIntegerField()
    tokens_out = models.PositiveIntegerField()
    took_ms = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["run", "case", "repeat"], name="one_model_trace_each"),
        ]
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.case} {self.repeat}"


class HintTaken(models.Model):
    """A hint that a learner opened. It costs nothing; it is kept so that authors see which lines
    of a brief are hard to find."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hints_taken"
    )
    exercise = models.CharField(max_length=80)
    requirement = models.CharField(max_length=80)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["user", "exercise", "requirement"], name="a_hint_is_taken_once"
            ),
        ]
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.exercise} {self.requirement}"


class Reading(models.Model):
    """Where a learner stopped in a lesson, and for how long the lesson was open before her.

    `place` is the id of a heading or of a check question; `seconds` counts only time in which the
    page was in front and somebody scrolled, typed or pointed within the last minute.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="readings"
    )
    lesson = models.CharField(max_length=80)
    place = models.CharField(max_length=120, blank=True)
    seconds = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "lesson"], name="one_reading_per_lesson"),
        ]
        indexes: ClassVar = [models.Index(fields=["lesson"], name="readings_by_lesson")]

    def __str__(self) -> str:
        return f"{self.user_id} reads {self.lesson}"


class Note(models.Model):
    """What a learner wrote beside a lesson. `place` is the id of a heading, empty for the whole."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notes"
    )
    lesson = models.CharField(max_length=80)
    place = models.CharField(max_length=120, blank=True)
    text = models.TextField(max_length=4000)
    written_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["user", "lesson"], name="notes_by_lesson")]

    def __str__(self) -> str:
        return f"{self.user_id}: note on {self.lesson}"


class Bookmark(models.Model):
    """A lesson or an exercise that a learner wants to find again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookmarks"
    )
    kind = models.CharField(max_length=10, choices=ContentKind.choices)
    slug = models.CharField(max_length=80)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["user", "kind", "slug"], name="one_bookmark_each"),
            CheckConstraint(
                condition=Q(kind__in=[ContentKind.LESSON, ContentKind.EXERCISE]),
                name="only_lessons_and_exercises_are_marked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} marks {self.slug}"


class ReviewCard(models.Model):
    """A check question that comes back. `stage` is its place in `spacing.DAYS`.

    `due_on` is a day in UTC, empty once the question has been answered right at the last stage.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_cards"
    )
    lesson = models.CharField(max_length=80)
    check_number = models.PositiveSmallIntegerField()
    version = models.ForeignKey(ContentVersion, on_delete=models.PROTECT, related_name="+")
    stage = models.PositiveSmallIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["user", "lesson", "check_number"], name="one_review_card_per_question"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "due_on"], name="review_by_day")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.lesson} check {self.check_number} again"


class ReviewAnswer(models.Model):
    """One answer to a question that came back. It never changes the lesson's own progress."""

    card = models.ForeignKey(ReviewCard, on_delete=models.CASCADE, related_name="answers")
    stage = models.PositiveSmallIntegerField()
    option = models.PositiveSmallIntegerField()
    right = models.BooleanField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.card_id} at stage {self.stage}"


class PlacementResult(models.Model):
    """The last placement check of a learner. `start` is the course to begin with, if any."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="placement"
    )
    answers = models.JSONField()
    start = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.user_id} starts with {self.start}"


class SearchEntry(models.Model):
    """One page that can be found. Made anew whenever the content is loaded."""

    kind = models.CharField(max_length=12)
    slug = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    context = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=300)
    body = models.TextField()
    words = SearchVectorField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["kind", "slug"], name="one_search_entry_each"),
        ]
        indexes: ClassVar = [GinIndex(fields=["words"], name="search_words")]

    def __str__(self) -> str:
        return f"{self.kind} {self.slug}"


class SearchWord(models.Model):
    """A word of the content with its trigrams, so that a mistyped one finds its neighbours."""

    word = models.CharField(max_length=60, unique=True)
    uses = models.PositiveIntegerField()
    trigrams = ArrayField(models.CharField(max_length=3))

    class Meta:
        indexes: ClassVar = [GinIndex(fields=["trigrams"], name="search_trigrams")]

    def __str__(self) -> str:
        return self.word
