"""Items, blueprints, attempts, the log of saves, grades and results."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from exams.assembly.blueprint import Blueprint, blueprint_from_document
from exams.save_protocol import Clock, ClosedBy, State
from exams.scoring.item_files import item_from_document
from exams.scoring.items import Face
from exams.scoring.items import Item as ScoredItem
from exams.scoring.items import face_of as face_of_item
from exams.scoring.responses import in_authors_ids
from exams.scoring.score import DomainScore, domain_score

# Reading an item out of its document is most of the work of a page, and a version never changes.
_SCORED: dict[str, ScoredItem] = {}


class BlueprintVersion(models.Model):
    """A specification as it stood; attempts keep theirs when the next one is loaded."""

    exam = models.SlugField(max_length=60)
    version = models.CharField(max_length=20)
    content_sha256 = models.CharField(max_length=64, unique=True)
    document = models.JSONField()
    loaded_at = models.DateTimeField()
    is_current = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["exam"], condition=Q(is_current=True), name="one_current_blueprint_per_exam"
            ),
            UniqueConstraint(fields=["exam", "version"], name="one_blueprint_per_exam_and_version"),
        ]

    def __str__(self) -> str:
        return f"{self.exam} {self.version}"

    @property
    def blueprint(self) -> Blueprint:
        return blueprint_from_document(self.document)


class Item(models.Model):
    """One scored task of one exam's pool. `current` is the version that new forms use.

    `life` belongs to that version, as does `sent_by`, who sent it to review.
    """

    class Life(models.TextChoices):
        DRAFT = "draft", "draft"
        REVIEWED = "reviewed", "reviewed"
        PILOT = "pilot", "on trial"
        OPERATIONAL = "operational", "in use"
        RETIRED = "retired", "retired"

    exam = models.SlugField(max_length=60)
    slug = models.SlugField(max_length=60)
    domain = models.SlugField(max_length=60)
    life = models.CharField(max_length=12, choices=Life.choices, default=Life.DRAFT)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    current = models.ForeignKey(
        "ItemVersion", null=True, on_delete=models.PROTECT, related_name="current_of"
    )

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["exam", "slug"], name="one_item_per_exam_and_slug")
        ]

    def __str__(self) -> str:
        return f"{self.exam}/{self.slug}"


class ItemVersion(models.Model):
    """An item as it stood on a form. Never changed: a corrected item is a new version."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content_sha256 = models.CharField(max_length=64)
    document = models.JSONField()
    loaded_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["item", "number"], name="one_version_per_number"),
            UniqueConstraint(fields=["item", "content_sha256"], name="one_version_per_content"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} v{self.number}"

    @property
    def scored_item(self) -> ScoredItem:
        """The item with its key. It must not reach a template; `AttemptItem.face` may."""
        known = _SCORED.get(self.content_sha256)
        if known is None:
            known = _SCORED[self.content_sha256] = item_from_document(self.document)
        return known


class ItemStep(models.Model):
    """One step in the life of an item: who took it with which version, and why. Never changed.

    `by` is empty for what a file said when it was loaded, and after an erasure.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="steps")
    version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+")
    deed = models.CharField(max_length=8)
    before = models.CharField(max_length=12, choices=Item.Life.choices)
    after = models.CharField(max_length=12, choices=Item.Life.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=500)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.item_id} {self.before} to {self.after}"


class ExamForm(models.Model):
    """One fixed form of an exam: the same items for everybody who gets it, with a cut of its own.

    Its items never change. `cut_points` changes only by a recorded decision, which applies to later
    attempts; earlier ones are regraded with a report.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        OPEN = "open", "open"
        CLOSED = "closed", "closed"

    exam = models.SlugField(max_length=60)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT)
    name = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    items_sha256 = models.CharField(max_length=64)
    cut_points = models.PositiveSmallIntegerField()
    cut_method = models.CharField(max_length=40)
    cut_reason = models.TextField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["exam", "pk"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["exam", "name"], name="one_form_per_exam_and_name"),
            CheckConstraint(condition=Q(cut_points__gt=0), name="a_form_has_a_cut"),
        ]

    def __str__(self) -> str:
        return f"{self.exam} {self.name}"


class FormPlace(models.Model):
    """One item of a fixed form. An anchor stands on every form of its set."""

    form = models.ForeignKey(ExamForm, on_delete=models.CASCADE, related_name="places")
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+")
    is_anchor = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["form", "item_version"], name="an_item_once_per_fixed_form")
        ]

    def __str__(self) -> str:
        return f"{self.form_id} {self.item_version_id}"


class Attempt(models.Model):
    """One sitting of one exam by one candidate.

    The form is drawn when the attempt is prepared; Start only sets the clock. `candidate` is
    empty after an erasure: the scores stay as statistics, nothing in them names a person.
    """

    class State(models.TextChoices):
        READY = "ready", "ready"
        IN_PROGRESS = "in_progress", "in progress"
        SUBMITTED = "submitted", "submitted"
        GRADED = "graded", "graded"
        RELEASED = "released", "released"

    class ClosedBy(models.TextChoices):
        NOBODY = "", "not closed"
        CANDIDATE = "candidate", "the candidate"
        DEADLINE = "deadline", "the deadline"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="attempts"
    )
    exam = models.SlugField(max_length=60)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT)
    form = models.ForeignKey(
        ExamForm, null=True, blank=True, on_delete=models.PROTECT, related_name="attempts"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    form_seed = models.CharField(max_length=64)
    form_digest = models.CharField(max_length=64)
    prepared_at = models.DateTimeField()
    time_allowed_s = models.PositiveIntegerField()
    grace_s = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=10, choices=ClosedBy.choices, blank=True, default="")
    current_grade = models.ForeignKey(
        "GradeRun", null=True, blank=True, on_delete=models.PROTECT, related_name="current_of"
    )
    lock_version = models.PositiveIntegerField(default=0)
    # SHA-256 of the key of the session that may answer; empty for any.
    session_digest = models.CharField(max_length=64, blank=True, default="")
    pause_allowed_s = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True, blank=True)
    # In an exam that does not lead back, the item the candidate has come to.
    is_sequential = models.BooleanField(default=False)
    reached = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["candidate", "exam"],
                condition=Q(state__in=["ready", "in_progress"]),
                name="one_open_attempt_per_candidate_and_exam",
            ),
            CheckConstraint(
                condition=Q(state="ready", started_at__isnull=True, deadline_at__isnull=True)
                | (
                    ~Q(state="ready") & Q(started_at__isnull=False, deadline_at__gt=F("started_at"))
                ),
                name="a_started_attempt_has_a_deadline",
            ),
            CheckConstraint(
                condition=Q(
                    state__in=["ready", "in_progress"], closed_at__isnull=True, closed_by=""
                )
                | (
                    Q(state__in=["submitted", "graded", "released"], closed_at__isnull=False)
                    & ~Q(closed_by="")
                ),
                name="a_closed_attempt_says_when_and_by_whom",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["deadline_at"], name="attempts_running", condition=Q(state="in_progress"))
        ]

    def __str__(self) -> str:
        return f"{self.exam} {self.form_code} {self.state}"

    @property
    def form_code(self) -> str:
        return self.form_digest[:8].upper()

    @property
    def blueprint(self) -> Blueprint:
        return self.blueprint_version.blueprint

    @property
    def cut_points(self) -> int:
        """The lowest number of points that passes: the form's own, or the blueprint's."""
        return self.form.cut_points if self.form else self.blueprint.cut.points

    @property
    def clock(self) -> Clock:
        return Clock(
            state=cast(State, self.state),
            deadline_at=self.deadline_at,
            grace_s=self.grace_s,
            closed_at=self.closed_at,
            closed_by=cast(ClosedBy, self.closed_by),
            paused_until=self.paused_until,
        )

    @property
    def minutes_allowed(self) -> int:
        return self.time_allowed_s // 60

    @property
    def is_running(self) -> bool:
        return self.state == self.State.IN_PROGRESS

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def is_paused(self, *, at: datetime) -> bool:
        return self.is_running and self.paused_until is not None and at < self.paused_until

    def remaining_ms(self, *, at: datetime) -> int:
        """Milliseconds to the deadline, never below 0; the grace is not shown as time."""
        if self.deadline_at is None:
            return self.time_allowed_s * 1000
        return max(0, (self.deadline_at - at) // timedelta(milliseconds=1))


class AttemptItem(models.Model):
    """One place on one form: which version of which item, its choices in the drawn order."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT)
    domain = models.SlugField(max_length=60)
    drawn = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField(null=True, blank=True)
    is_flagged = models.BooleanField(default=False)
    # On trial: answered like any other, scored apart, without influence on the result.
    is_pilot = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            UniqueConstraint(fields=["attempt", "position"], name="one_item_per_position"),
            UniqueConstraint(fields=["attempt", "item_version"], name="an_item_once_per_form"),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} item {self.position}"

    @property
    def face(self) -> Face:
        """What the candidate may see."""
        return face_of_item(self.item_version.scored_item, self._drawn)

    @property
    def answer_in_authors_ids(self) -> dict[str, Any]:
        """The answer that counts, in the ids of the item's key; empty when there is none."""
        response = getattr(self, "response", None)
        if response is None:
            return {}
        return in_authors_ids(self.item_version.scored_item, self._drawn, response.payload)

    @property
    def _drawn(self) -> dict[str, tuple[str, ...]]:
        return {group: tuple(ids) for group, ids in self.drawn.items()}


class ResponseEvent(models.Model):
    """One save as it reached us, with the verdict on it. A trigger refuses UPDATE and DELETE.

    `counts_until` is copied from the attempt, so that a row proves its own verdict.
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "accepted"
        CONFLICT = "conflict", "conflict"
        LATE = "late", "late"
        CLOSED = "closed", "closed"

    attempt_item = models.ForeignKey(AttemptItem, on_delete=models.CASCADE, related_name="events")
    client_id = models.CharField(max_length=40)
    client_seq = models.PositiveIntegerField()
    base_rev = models.PositiveIntegerField()
    rev = models.PositiveIntegerField()
    payload = models.JSONField()
    payload_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    counts_until = models.DateTimeField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["attempt_item", "client_id", "client_seq"], name="one_event_per_client_save"
            ),
            UniqueConstraint(
                fields=["attempt_item", "rev"],
                condition=Q(verdict="accepted"),
                name="one_accepted_event_per_revision",
            ),
            CheckConstraint(
                condition=~Q(verdict="accepted") | Q(received_at__lte=F("counts_until")),
                name="only_saves_in_time_are_accepted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.received_at:%H:%M:%S} {self.verdict}"

    @property
    def receipt(self) -> str:
        """The short form of the hash that people compare."""
        return f"{self.payload_sha256[:4]}·{self.payload_sha256[4:8]}"


class Response(models.Model):
    """The answer that counts: the latest accepted event of an item."""

    attempt_item = models.OneToOneField(
        AttemptItem, on_delete=models.CASCADE, related_name="response"
    )
    rev = models.PositiveIntegerField()
    event = models.ForeignKey(ResponseEvent, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return f"{self.attempt_item_id} revision {self.rev}"

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.event.payload
        return payload


class GradeRun(models.Model):
    """One grading of one attempt. The same answers and the same grader are the same run."""

    class Reason(models.TextChoices):
        CLOSED = "closed", "the attempt closed"
        LATE_ARRIVAL = "late_arrival", "a save that was in time was written after the close"
        REGRADE = "regrade", "an item was corrected"
        APPEAL = "appeal", "an appeal was upheld"

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="grade_runs")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    input_sha256 = models.CharField(max_length=64)
    grader_digest = models.CharField(max_length=64)
    policy_version = models.CharField(max_length=40)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    correct = models.PositiveSmallIntegerField()
    of = models.PositiveSmallIntegerField()
    cut = models.PositiveSmallIntegerField()
    passed = models.BooleanField()
    graded_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["attempt", "input_sha256", "grader_digest"],
                name="one_run_per_input_and_grader",
            ),
            CheckConstraint(condition=Q(correct__lte=F("of")), name="no_more_right_than_asked"),
            CheckConstraint(
                condition=Q(passed=True, correct__gte=F("cut"))
                | Q(passed=False, correct__lt=F("cut")),
                name="a_pass_reaches_the_cut",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.correct} of {self.of}"

    def domain_scores(self) -> tuple[DomainScore, ...]:
        """Points by domain, in the blueprint's order."""
        points: dict[str, list[tuple[int, int]]] = {}
        rows = self.item_scores.values_list("attempt_item__domain", "points", "possible")
        for domain, earned, possible in rows:
            points.setdefault(domain, []).append((earned, possible))
        return tuple(
            domain_score(
                quota.name,
                [earned for earned, _ in points[quota.id]],
                [possible for _, possible in points[quota.id]],
            )
            for quota in self.attempt.blueprint.domains
            if quota.id in points
        )


class ItemScore(models.Model):
    """The points of one item in one run."""

    run = models.ForeignKey(GradeRun, on_delete=models.CASCADE, related_name="item_scores")
    attempt_item = models.ForeignKey(AttemptItem, on_delete=models.CASCADE, related_name="scores")
    points = models.PositiveSmallIntegerField()
    possible = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["run", "attempt_item"], name="one_score_per_run_and_item"),
            CheckConstraint(condition=Q(points__lte=F("possible")), name="no_more_than_possible"),
        ]

    def __str__(self) -> str:
        return f"{self.points} of {self.possible}"


class PilotScore(models.Model):
    """The points of an item on trial. They stand apart from `ItemScore`, so that no sum of points
    can count them by mistake."""

    run = models.ForeignKey(GradeRun, on_delete=models.CASCADE, related_name="pilot_scores")
    attempt_item = models.ForeignKey(AttemptItem, on_delete=models.CASCADE, related_name="+")
    points = models.PositiveSmallIntegerField()
    possible = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["run", "attempt_item"], name="one_trial_per_run_and_item"),
            CheckConstraint(
                condition=Q(points__lte=F("possible")), name="no_more_than_possible_on_trial"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points} of {self.possible}, on trial"


class TaskRun(models.Model):
    """One task, run on the engine that grades practice. Never changed: another text is another run.

    `refusal` says why a text could not be run, which earns nothing.
    """

    attempt_item = models.ForeignKey(
        AttemptItem, on_delete=models.CASCADE, related_name="task_runs"
    )
    input_sha256 = models.CharField(max_length=64)
    score = models.PositiveSmallIntegerField()
    report = models.JSONField(null=True, blank=True)
    refusal = models.TextField(blank=True, default="")
    grader_digest = models.CharField(max_length=80, blank=True, default="")
    ran_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["attempt_item", "input_sha256"], name="one_run_per_text"),
            CheckConstraint(condition=Q(score__lte=100), name="a_task_scores_up_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.score} of 100"


class Rating(models.Model):
    """One rater's marks for one written answer: points by criterion."""

    attempt_item = models.ForeignKey(AttemptItem, on_delete=models.CASCADE, related_name="ratings")
    event = models.ForeignKey(ResponseEvent, on_delete=models.CASCADE, related_name="+")
    rater = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    marks = models.JSONField()
    note = models.TextField(blank=True, default="")
    rated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["attempt_item", "event", "rater"], name="one_rating_per_rater_and_answer"
            )
        ]

    def __str__(self) -> str:
        return f"{sum(self.marks.values())} points"


class Result(models.Model):
    """What the candidate is told, and what a credential rests on."""

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="result")
    grade_run = models.OneToOneField(GradeRun, on_delete=models.PROTECT, related_name="result")
    released_at = models.DateTimeField(db_index=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.attempt_id}: {self.grade_run}"


class Regrade(models.Model):
    """A correction of one item version and what it did. First a dry run, then published once.

    `policy` is `full`, `drop`, `accept` (with `accepted`, payloads in the author's ids) or `rekey`
    (by the item's current version). `report` holds what the dry run found.
    """

    class Policy(models.TextChoices):
        FULL = "full", "give everybody the points"
        DROP = "drop", "take the item out"
        ACCEPT = "accept", "accept a further answer"
        REKEY = "rekey", "score by the corrected key"

    class Keep(models.TextChoices):
        BEST = "best", "the better of old and new counts"
        NEW = "new", "the new score counts"

    exam = models.SlugField(max_length=60)
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+")
    policy = models.CharField(max_length=8, choices=Policy.choices)
    accepted = models.JSONField(default=list, blank=True)
    keep = models.CharField(max_length=4, choices=Keep.choices, default=Keep.BEST)
    reason = models.TextField()
    report = models.JSONField(default=dict)
    grader_digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.exam} {self.item_version_id} {self.policy}"


class Appeal(models.Model):
    """A candidate's objection to a result, in words, and what a person decided about it.

    `correction` means that an item is corrected for everybody who had it, `retake` that the attempt
    does not count, neither as a failure nor for a wait.
    """

    class Outcome(models.TextChoices):
        OPEN = "", "not decided"
        REJECTED = "rejected", "not upheld"
        CORRECTION = "correction", "upheld: an item is corrected"
        RETAKE = "retake", "upheld: another attempt at once"

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="appeals")
    reason = models.TextField()
    made_at = models.DateTimeField()
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, blank=True, default=Outcome.OPEN
    )
    decision = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["attempt"], condition=Q(outcome=""), name="one_open_appeal_per_attempt"
            ),
            CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True, decision="")
                | (~Q(outcome="") & Q(decided_at__isnull=False) & ~Q(decision="")),
                name="a_decided_appeal_says_when_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id}: {self.get_outcome_display()}"


class CutStudy(models.Model):
    """A modified Angoff study of one fixed form: a panel rates its items in two rounds.

    `round` is 1 or 2 while judges rate; with a decision the study is closed. `decision` holds the
    figures that it rests on: cut, error, sem, units and points.
    """

    form = models.ForeignKey(ExamForm, on_delete=models.PROTECT, related_name="studies")
    judges = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    round = models.PositiveSmallIntegerField(default=1)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    decision = models.JSONField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["form"], condition=Q(decided_at=None), name="one_open_study_per_form"
            ),
            CheckConstraint(condition=Q(round__in=[1, 2]), name="a_study_has_two_rounds"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id} round {self.round}"


class CutRating(models.Model):
    """One judge's estimate for one item in one round: of 100 just-qualified candidates, how many
    answer it right."""

    study = models.ForeignKey(CutStudy, on_delete=models.CASCADE, related_name="ratings")
    judge = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField()
    percent = models.PositiveSmallIntegerField()
    rated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["study", "judge", "item_version", "round"], name="one_estimate_per_round"
            ),
            CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=99), name="an_estimate_is_never_certain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %"


class Incident(models.Model):
    """Something that cost candidates time, and the seconds given to every running attempt."""

    seconds = models.PositiveIntegerField()
    what = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField()
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    declared_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-declared_at"]
        constraints: ClassVar = [
            CheckConstraint(condition=Q(seconds__gt=0), name="an_incident_gives_time")
        ]

    def __str__(self) -> str:
        return self.what


class Accommodation(models.Model):
    """More time for one person, decided before the start. It appears on no credential."""

    MULTIPLIERS: ClassVar = [(100, "1"), (125, "1.25"), (150, "1.5"), (200, "2"), (300, "3")]

    candidate = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exam_accommodations"
    )
    time_percent = models.PositiveSmallIntegerField(choices=MULTIPLIERS)
    pause_minutes = models.PositiveSmallIntegerField(default=0)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    granted_at = models.DateTimeField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-granted_at"]
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(time_percent__gte=100, time_percent__lte=400),
                name="more_time_never_less",
            )
        ]

    def __str__(self) -> str:
        return f"{self.time_percent} % time"


class Extension(models.Model):
    """Time added to a running attempt by an examiner, for example after an outage."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="extensions")
    seconds = models.PositiveIntegerField()
    reason = models.CharField(max_length=300)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    granted_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["granted_at"]
        constraints: ClassVar = [
            CheckConstraint(condition=Q(seconds__gt=0), name="an_extension_adds_time")
        ]

    def __str__(self) -> str:
        return f"{self.seconds} s"


class Rehearsal(models.Model):
    """Ninety seconds in which a person tries the exam's page on their own computer.

    One row a person, the latest. `saves` are kept as they came, so that the page is answered by the
    same rules as in an exam; nothing here is ever scored.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rehearsal"
    )
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    time_allowed_s = models.PositiveIntegerField()
    saves = models.JSONField(default=list)
    saved_at = models.DateTimeField(null=True, blank=True)
    reconnected_at = models.DateTimeField(null=True, blank=True)
    read_out_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"rehearsal of {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def clock(self) -> Clock:
        return Clock(state="in_progress", deadline_at=self.deadline_at)

    @property
    def proved(self) -> int:
        """How many of the three things worked."""
        return sum(1 for moment in (self.saved_at, self.reconnected_at, self.read_out_at) if moment)

    def remaining_ms(self, *, at: datetime) -> int:
        return max(0, (self.deadline_at - at) // timedelta(milliseconds=1))
