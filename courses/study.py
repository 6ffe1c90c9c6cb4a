"""A learner's way through the courses: where she is, what she has shown, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses import catalog, reviewing, versions
from courses.authoring.curriculum import Course, Exercise
from courses.authoring.forms import Competency
from courses.authoring.lessons import Lesson, ShownLesson, show
from courses.models import (
    CheckAnswer,
    ChosenTrack,
    ContentKind,
    ContentVersion,
    Enrolment,
    GradeReportRow,
    LessonProgress,
    PlacementResult,
    Reading,
)

FIRST_COURSE_LETTER = "F"
MOST_DECISION_CHARACTERS = 4000


class NoSuchOption(DomainError):
    code = "no-such-option"
    sentence = "Choose one of the answers first. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Best:
    """The best run of an exercise: it counts, whatever came later."""

    score: int
    passed: bool
    runs: int
    last_score: int
    last_finding: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LessonRow:
    number: int
    id: str
    title: str
    minutes: int
    state: Literal["done", "begun", "new"]
    url: str
    # Where the learner stopped reading, as the id of a place on the page.
    place: str = ""
    read_at: datetime | None = None

    @property
    def resume_url(self) -> str:
        """The lesson at the place where she stopped; a lesson that is done opens at its top."""
        return f"{self.url}#{self.place}" if self.place and self.state == "begun" else self.url


@dataclass(frozen=True, slots=True)
class ExerciseRow:
    number: int
    id: str
    title: str
    kind: str
    competencies: tuple[str, ...]
    course: str
    course_title: str
    minutes: int | None
    best: Best | None
    url: str

    @property
    def resume_url(self) -> str:
        """An exercise keeps its draft, so its page is where one stopped."""
        return self.url

    @property
    def mastered(self) -> bool:
        return self.best is not None and self.best.passed


@dataclass(frozen=True, slots=True)
class CourseState:
    """A course with what one learner did in it; without a learner everything is new."""

    course: Course
    lessons: tuple[LessonRow, ...]
    exercises: tuple[ExerciseRow, ...]
    enrolled: bool
    newer: bool

    @property
    def lessons_done(self) -> int:
        return sum(row.state == "done" for row in self.lessons)

    @property
    def mastered(self) -> int:
        return sum(row.mastered for row in self.exercises)

    @property
    def is_done(self) -> bool:
        parts = len(self.lessons) + len(self.exercises)
        return parts > 0 and self.lessons_done + self.mastered == parts

    @property
    def is_begun(self) -> bool:
        return self.enrolled or any(row.state != "new" for row in self.lessons)

    @property
    def next_part(self) -> LessonRow | ExerciseRow | None:
        """The lesson she left last, then the first one that is not done, then the first exercise
        that is not mastered."""
        left = [row for row in self.lessons if row.state == "begun" and row.read_at is not None]
        if left:
            return max(left, key=lambda row: row.read_at.timestamp() if row.read_at else 0.0)
        for row in self.lessons:
            if row.state != "done":
                return row
        return next((row for row in self.exercises if not row.mastered), None)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the one "Continue" button leads to, and why."""

    title: str
    url: str
    minutes: int | None
    why: str
    action: str


@dataclass(frozen=True, slots=True)
class CheckState:
    """The last answer to a check question; `chosen` is None when there is none yet."""

    number: int
    chosen: int | None
    right: bool
    tries: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a learner has shown of one competency. Proved: two exercises at mastery."""

    competency: Competency
    exercises: tuple[tuple[str, int], ...]
    attempted: tuple[tuple[str, int], ...]

    @property
    def state(self) -> Literal["proved", "shown", "begun", "none"]:
        if len(self.exercises) >= 2:
            return "proved"
        if self.exercises:
            return "shown"
        return "begun" if self.attempted else "none"


# Reading -------------------------------------------------------------------------------------


def course_for(user: User | None, course_id: str) -> Course | None:
    """The course as this learner began it, else as it is now."""
    if user is not None:
        enrolment = Enrolment.objects.filter(user=user, course=course_id).first()
        if enrolment is not None:
            return versions.course_of(_digest(enrolment.version_id))
    return catalog.course(course_id)


def _digest(version_id: int) -> str:
    return ContentVersion.objects.values_list("digest", flat=True).get(pk=version_id)


def course_state(user: User | None, course_id: str) -> CourseState | None:
    """One course with this learner's progress; None when there is no such course."""
    return next(iter(course_states(user, [course_id])), None)


def course_states(user: User | None, course_ids: Iterable[str]) -> list[CourseState]:
    """Several courses, in a handful of queries however many there are."""
    wanted = list(course_ids)
    enrolled: dict[str, str] = {}
    progress: dict[str, bool] = {}
    best: dict[str, Best] = {}
    places: dict[str, tuple[str, datetime]] = {}
    if user is not None:
        places = {
            lesson: (place, at)
            for lesson, place, at in Reading.objects.filter(user=user).values_list(
                "lesson", "place", "at"
            )
        }
        enrolled = dict(
            Enrolment.objects.filter(user=user).values_list("course", "version__digest")
        )
        progress = {
            lesson: done_at is not None
            for lesson, done_at in LessonProgress.objects.filter(user=user).values_list(
                "lesson", "done_at"
            )
        }
        best = best_runs(user)
    states = []
    for course_id in wanted:
        now = catalog.course(course_id)
        digest = enrolled.get(course_id)
        course = versions.course_of(digest) if digest else now
        if course is None:
            continue
        states.append(
            CourseState(
                course=course,
                lessons=tuple(_lesson_rows(course, progress, places)),
                exercises=tuple(_exercise_rows(course, best)),
                enrolled=digest is not None,
                newer=bool(digest and now is not None and now.digest != digest),
            )
        )
    return states


def _lesson_rows(
    course: Course, progress: dict[str, bool], places: dict[str, tuple[str, datetime]]
) -> Iterable[LessonRow]:
    for number, lesson in enumerate(course.lessons, start=1):
        place, read_at = places.get(lesson.id, ("", None))
        # Reading up to a heading is a beginning, if no evidence of anything.
        done = progress.get(lesson.id, False if place else None)
        yield LessonRow(
            number=number,
            id=lesson.id,
            title=lesson.title,
            minutes=lesson.front.minutes,
            state="new" if done is None else "done" if done else "begun",
            url=reverse("courses:lesson", args=[course.id, lesson.id]),
            place=place,
            read_at=read_at,
        )


def _exercise_rows(course: Course, best: dict[str, Best]) -> Iterable[ExerciseRow]:
    for number, exercise in enumerate(course.exercises, start=1):
        yield ExerciseRow(
            number=number,
            id=exercise.id,
            title=exercise.title,
            kind=exercise.kind,
            competencies=exercise.competencies,
            course=course.id,
            course_title=course.title,
            minutes=exercise.minutes,
            best=best.get(exercise.id),
            url=reverse("courses:exercise", args=[exercise.id]),
        )


def best_runs(user: User) -> dict[str, Best]:
    """For each exercise the learner has run: the best run, and the last one."""
    rows = GradeReportRow.objects.filter(submission__user=user).order_by("submission__at")
    found: dict[str, Best] = {}
    for exercise, score, passed, finding, at in rows.values_list(
        "submission__exercise", "score", "passed", "finding", "submission__at"
    ):
        before = found.get(exercise)
        # A run that passed beats one that did not, whatever their points: an open must can stop 90.
        top = max((passed, score), (before.passed, before.score) if before else (False, -1))
        found[exercise] = Best(
            score=top[1],
            passed=top[0],
            runs=(before.runs if before else 0) + 1,
            last_score=score,
            last_finding=finding,
            last_at=at,
        )
    return found


def check_states(user: User, lesson: Lesson, shown: ShownLesson) -> list[CheckState]:
    """The last answer to each check of a lesson, among answers given to this version of it."""
    answers: dict[int, list[CheckAnswer]] = {}
    for row in CheckAnswer.objects.filter(
        user=user, lesson=lesson.id, version__digest=lesson.digest
    ):
        answers.setdefault(row.check_number, []).append(row)
    states = []
    for check in shown.checks:
        given = answers.get(check.number, [])
        last = given[-1] if given else None
        states.append(
            CheckState(
                number=check.number,
                chosen=None if last is None else last.option,
                right=last is not None and last.right,
                tries=len(given),
            )
        )
    return states


def lesson_progress(user: User, lesson: Lesson) -> LessonProgress | None:
    return LessonProgress.objects.filter(user=user, lesson=lesson.id).first()


def evidence(user: User | None) -> list[Evidence]:
    """What is shown of each competency, from exercises only: reading proves nothing."""
    best = best_runs(user) if user is not None else {}
    passed: dict[str, list[tuple[str, int]]] = {}
    tried: dict[str, list[tuple[str, int]]] = {}
    for exercise in catalog.curriculum().exercises():
        run = best.get(exercise.id)
        if run is None:
            continue
        for code in exercise.competencies:
            (passed if run.passed else tried).setdefault(code, []).append(
                (exercise.title, run.score)
            )
    return [
        Evidence(
            competency=row,
            exercises=tuple(passed.get(row.id, [])),
            attempted=tuple(tried.get(row.id, [])),
        )
        for row in catalog.competencies()
    ]


# Acting --------------------------------------------------------------------------------------


def enrol(user: User, course_id: str, *, at: datetime) -> Enrolment | None:
    """Enrol in the current version of a course; a second time changes nothing."""
    course = catalog.course(course_id)
    if course is None or not course.is_open:
        return None
    enrolment, _made = Enrolment.objects.get_or_create(
        user=user,
        course=course_id,
        defaults={"version": versions.current_course(course), "began_at": at},
    )
    return enrolment


def take_newer_version(user: User, course_id: str) -> None:
    """Move a learner to the current version of a course; what she did stays."""
    course = catalog.course(course_id)
    if course is not None:
        Enrolment.objects.filter(user=user, course=course_id).update(
            version=versions.current_course(course)
        )


def choose_track(user: User, track_id: str, *, at: datetime) -> None:
    ChosenTrack.objects.update_or_create(user=user, defaults={"track": track_id, "chosen_at": at})


@transaction.atomic
def answer_check(
    user: User, course: Course, lesson: Lesson, *, check: int, option: int | None, at: datetime
) -> bool:
    """Keep an answer and say whether it was right; the lesson is done when all last answers are.

    Raises `NoSuchOption` when there is no such question or answer.
    """
    shown = show(lesson)
    question = next((row for row in shown.checks if row.number == check), None)
    if question is None or option is None or not 0 <= option < len(question.options):
        raise NoSuchOption
    progress = _begin(user, course, lesson, at=at)
    right = question.options[option].key
    CheckAnswer.objects.create(
        user=user,
        lesson=lesson.id,
        version=progress.version,
        check_number=check,
        option=option,
        right=right,
        at=at,
    )
    if progress.done_at is None and all(row.right for row in check_states(user, lesson, shown)):
        progress.done_at = at
        progress.save(update_fields=["done_at"])
    if right:
        reviewing.remember(user, lesson, progress.version, check=check, on=at.date())
    return right


@transaction.atomic
def write_decision(
    user: User, course: Course, lesson: Lesson, *, text: str, at: datetime
) -> LessonProgress:
    """Keep what the learner decided at the end of a lesson."""
    progress = _begin(user, course, lesson, at=at)
    # PostgreSQL keeps no NUL in a text.
    progress.decision = text.replace("\x00", "").strip()[:MOST_DECISION_CHARACTERS]
    progress.decided_at = at
    progress.save(update_fields=["decision", "decided_at"])
    return progress


def _begin(user: User, course: Course, lesson: Lesson, *, at: datetime) -> LessonProgress:
    enrolment = enrol(user, course.id, at=at)
    if enrolment is None:
        raise NoSuchOption
    version = versions.part(enrolment.version, ContentKind.LESSON, lesson.id)
    if version is None:
        raise NoSuchOption
    progress, _made = LessonProgress.objects.get_or_create(
        user=user, lesson=lesson.id, defaults={"version": version, "began_at": at}
    )
    if progress.version_id != version.pk:
        progress.version = version
        progress.save(update_fields=["version"])
    return progress


# What comes next -----------------------------------------------------------------------------


def next_step(user: User) -> NextStep | None:
    """The one thing to do now; None when everything open is done.

    An exercise that was run and not passed comes first, since that is where the learner stopped.
    Then the course of her last deed, then the other courses of her track, then the rest.
    """
    states = {state.course.id: state for state in course_states(user, _course_order(user))}
    unfinished = [
        (row.best.last_at, row)
        for state in states.values()
        for row in state.exercises
        if row.best is not None and not row.best.passed
    ]
    if unfinished:
        _at, row = max(unfinished, key=lambda pair: pair[0])
        return _continue_exercise(row)
    last = _last_deeds(user)
    for state in sorted(
        states.values(),
        key=lambda state: (not state.is_begun, -last.get(state.course.id, 0.0)),
    ):
        part = state.next_part
        if part is not None and state.course.is_open:
            return _continue_course(state, part)
    return None


def _last_deeds(user: User) -> dict[str, float]:
    """When the learner last read or answered in each course, as seconds of the Unix clock."""
    last: dict[str, float] = {}
    deeds = [
        *Reading.objects.filter(user=user).values_list("lesson", "at"),
        *CheckAnswer.objects.filter(user=user)
        .values_list("lesson")
        .order_by()
        .annotate(last=Max("at")),
    ]
    for lesson, at in deeds:
        found = catalog.lesson(lesson)
        if found is not None:
            course = found[0].id
            last[course] = max(last.get(course, 0.0), at.timestamp())
    return last


def _course_order(user: User) -> list[str]:
    """Courses of the chosen track in its order, foundations first without one, then the others."""
    chosen = ChosenTrack.objects.filter(user=user).values_list("track", flat=True).first()
    track = catalog.track(chosen) if chosen else None
    order = [step.course for step in track.path if step.course] if track else []
    start = PlacementResult.objects.filter(user=user).values_list("start", flat=True).first()
    if start:
        # The check asked what she knows; what she need not read does not come first.
        order = [start, *(row for row in order if row != start)]
    return order + [row.id for row in catalog.courses() if row.id not in order]


def _continue_exercise(row: ExerciseRow) -> NextStep:
    best = row.best
    assert best is not None  # noqa: S101 - the caller chose it for its run
    why = _("Your last run scored %(score)s of 100.") % {"score": best.last_score}
    if row.kind != "workflow_map":
        # The finding on a map may hold figures that open only on a pass or after three runs.
        why = f"{why} {best.last_finding}"
    return NextStep(
        title=row.title,
        url=row.url,
        minutes=row.minutes,
        why=why,
        action=_("Continue the exercise"),
    )


def _continue_course(state: CourseState, part: LessonRow | ExerciseRow) -> NextStep:
    facts = {
        "course": state.course.title,
        "done": state.lessons_done,
        "of": len(state.lessons),
        "number": part.number,
    }
    if isinstance(part, LessonRow):
        why = _("Lesson %(number)s of %(of)s in %(course)s.") % facts
        action = _("Continue the lesson") if part.state == "begun" else _("Start the lesson")
    else:
        why = _("The lessons of %(course)s are done. Now show it on cases.") % facts
        action = _("Open the exercise")
    return NextStep(
        title=part.title, url=part.resume_url, minutes=part.minutes, why=why, action=action
    )


def exercise_for(user: User | None, exercise_id: str) -> tuple[Course, Exercise] | None:
    """An exercise as it stands in the learner's version of its course, with that course."""
    now = catalog.exercise(exercise_id)
    if now is None:
        return None
    course = course_for(user, now.course)
    if course is None:
        return None
    exercise = next((row for row in course.exercises if row.id == exercise_id), None)
    if exercise is not None:
        return course, exercise
    current = catalog.course(now.course)
    # The exercise is newer than her version of the course: it is shown as it is now.
    return (current, now) if current is not None else None
