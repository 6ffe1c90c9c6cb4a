"""Read the whole curriculum from its folder and check how its parts fit together."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from courses.authoring.findings import Finding, Findings
from courses.authoring.forms import (
    CourseForm,
    ExerciseHead,
    Framework,
    Glossary,
    PlacementForm,
    PlacementItem,
    Source,
    Term,
    Track,
    line_numbers,
    read_form,
)
from courses.authoring.lessons import Lesson, document_digest, plain, read_lesson
from courses.authoring.reading_grade import MAX_GRADE, measure, plain_prose
from courses.exercise_files import BadExercise, read_exercise
from courses.grading import GRADERS

Json = Any


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise with the document that graders receive."""

    id: str
    course: str
    kind: str
    title: str
    competencies: tuple[str, ...]
    document: Mapping[str, Json] = field(hash=False, compare=False)
    digest: str = ""

    @property
    def minutes(self) -> int | None:
        minutes = self.document.get("minutes")
        return minutes if isinstance(minutes, int) else None


@dataclass(frozen=True, slots=True)
class Course:
    """A course with its lessons and exercises, in order."""

    form: CourseForm
    lessons: tuple[Lesson, ...]
    exercises: tuple[Exercise, ...]
    # The page to print. It belongs to no version: whoever prints it wants today's.
    sheet: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        return self.form.id

    @property
    def title(self) -> str:
        return self.form.title

    @property
    def is_open(self) -> bool:
        return self.form.state == "open"

    @property
    def document(self) -> dict[str, Json]:
        """The course with the digest of each part: one digest names all of it."""
        return {
            **plain(asdict(self.form)),
            "lessons": [{"id": row.id, "digest": row.digest} for row in self.lessons],
            "exercises": [{"id": row.id, "digest": row.digest} for row in self.exercises],
        }

    @property
    def digest(self) -> str:
        return document_digest(self.document)


@dataclass(frozen=True, slots=True)
class Curriculum:
    """Everything that is taught. `root` is the folder it came from."""

    framework: Framework
    tracks: tuple[Track, ...]
    courses: tuple[Course, ...]
    glossary: tuple[Term, ...]
    placement: tuple[PlacementItem, ...] = ()

    def course(self, course_id: str) -> Course | None:
        return next((row for row in self.courses if row.id == course_id), None)

    def exercises(self) -> Iterator[Exercise]:
        for course in self.courses:
            yield from course.exercises


def read_curriculum(
    root: Path, *, run_graders: bool = False
) -> tuple[Curriculum | None, tuple[Finding, ...]]:
    """Read the curriculum under `root`.

    Returns it with what was found; None when the framework itself cannot be read. A part with
    an error is left out, so that one bad lesson does not take the others away. With `run_graders`
    each exercise's samples and references are graded too (seconds per exercise).
    """
    findings = Findings()
    framework = _read_framework(root, findings)
    courses = tuple(_read_courses(root, findings, run_graders=run_graders))
    _check_orphans(root, findings)
    tracks = tuple(
        sorted(_read_tracks(root, findings), key=lambda track: (track.order, track.name))
    )
    glossary = _read_glossary(root, findings)
    placement = _read_placement(root, courses, findings)
    if framework is not None:
        _check_competencies(root, framework, courses, findings)
        _check_tracks(root, tracks, framework, courses, findings)
    _check_ids(courses, findings)
    _check_glossary(root, glossary, courses, findings)
    _check_links(root, tracks, courses, framework, findings)
    if framework is None:
        return None, findings.all
    return Curriculum(framework, tracks, courses, glossary, placement), findings.all


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _text(path: Path, name: str, findings: Findings) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        findings.error(name, 1, "the file is not there or is not UTF-8 text.")
        return None


def _read_framework(root: Path, findings: Findings) -> Framework | None:
    name = "framework.yaml"
    text = _text(root / name, name, findings)
    if text is None:
        return None
    framework = read_form(text, Framework, file=name, findings=findings)
    if framework is None:
        return None
    lines = line_numbers(text)
    domains = {row.id for row in framework.domains}
    safety = {row.id for row in framework.safety_domains}
    controls = {row.id for row in framework.organisational_controls}
    sources = {row.id for row in framework.sources}
    seen: set[str] = set()
    for index, row in enumerate(framework.competencies):
        line = lines.get(("competencies", index), 1)
        if row.id in seen:
            findings.error(name, line, f"the competency {row.id} appears twice.")
        seen.add(row.id)
        if row.domain not in domains or not row.id.startswith(row.domain):
            findings.error(name, line, f"{row.id} does not belong to a domain “{row.domain}”.")
        for unknown in sorted(set(row.safety_domains) - safety):
            findings.error(name, line, f"{row.id} names no safety domain by “{unknown}”.")
        for unknown in sorted(set(row.pai8) - controls):
            findings.error(name, line, f"{row.id} names no control by “{unknown}”.")
    for key in ("safety_domains", "organisational_controls"):
        for index, area in enumerate(getattr(framework, key)):
            if area.source and area.source not in sources:
                findings.error(
                    name, lines.get((key, index), 1), f"“{area.source}” is not a source."
                )
    return framework


def _read_courses(root: Path, findings: Findings, *, run_graders: bool) -> Iterator[Course]:
    for path in sorted(root.glob("*/course.yaml")):
        name = _name(root, path)
        text = _text(path, name, findings)
        form = None if text is None else read_form(text, CourseForm, file=name, findings=findings)
        if form is None or text is None:
            continue
        if form.id != path.parent.name:
            findings.error(name, 1, f"the folder “{path.parent.name}” is not the id “{form.id}”.")
        lines = line_numbers(text)
        lessons = tuple(_read_lessons(root, path.parent, form, lines, findings))
        exercises = tuple(
            _read_exercises(root, path.parent, form, lines, findings, run_graders=run_graders)
        )
        sheet = _read_sheet(root, path.parent, form, findings)
        yield Course(form=form, lessons=lessons, exercises=exercises, sheet=sheet)


MOST_SHEET_WORDS = 560


def _read_sheet(root: Path, folder: Path, form: CourseForm, findings: Findings) -> str:
    """The course on one printed page: `summary.md`, Markdown without a title; empty without one."""
    path = folder / "summary.md"
    name = _name(root, path)
    if not path.exists():
        if form.state == "open":
            findings.hint(f"{folder.name}/course.yaml", 1, "the course has no summary.md to print.")
        return ""
    text = _text(path, name, findings) or ""
    words = len(text.split())
    if words > MOST_SHEET_WORDS:
        findings.error(
            name, 1, f"a summary fits one page, {MOST_SHEET_WORDS} words; this one has {words}."
        )
    if re.search(r"^# ", text, re.MULTILINE):
        findings.error(name, 1, "the page gives the title itself; begin with “## ” or text.")
    reading = measure(plain_prose(text))
    if reading.grade > MAX_GRADE:
        findings.error(
            name, 1, f"the reading grade is {reading.grade}; {MAX_GRADE:g} is the limit."
        )
    return text


def _check_orphans(root: Path, findings: Findings) -> None:
    """Lessons in a folder without `course.yaml` are read all the same, so that they are checked."""
    for folder in sorted(path.parent for path in root.glob("*/lessons")):
        if (folder / "course.yaml").exists():
            continue
        for path in sorted((folder / "lessons").glob("*.md")):
            read_lesson(path, name=_name(root, path), findings=findings)
            findings.error(_name(root, path), 1, "this folder has no course.yaml.")


def _read_lessons(
    root: Path,
    folder: Path,
    form: CourseForm,
    lines: Mapping[tuple[str | int, ...], int],
    findings: Findings,
) -> Iterator[Lesson]:
    course_file = _name(root, folder / "course.yaml")
    read: dict[str, tuple[Lesson, str]] = {}
    for path in sorted((folder / "lessons").glob("*.md")):
        name = _name(root, path)
        lesson = read_lesson(path, name=name, findings=findings)
        if lesson is None:
            continue
        if lesson.front.course not in {form.letter, form.id}:
            findings.error(name, 2, f"the lesson says it belongs to “{lesson.front.course}”.")
        if lesson.id in read:
            findings.error(name, 2, f"the lesson “{lesson.id}” is also in {read[lesson.id][1]}.")
        read[lesson.id] = (lesson, name)
    for index, lesson_id in enumerate(form.lessons):
        if lesson_id in read:
            yield read.pop(lesson_id)[0]
        elif form.state == "open":
            line = lines.get(("lessons", index), 1)
            findings.error(course_file, line, f"there is no lesson “{lesson_id}”.")
    for lesson_id, (_, name) in read.items():
        findings.error(name, 2, f"the lesson “{lesson_id}” is not listed in course.yaml.")


def _read_exercises(
    root: Path,
    folder: Path,
    form: CourseForm,
    lines: Mapping[tuple[str | int, ...], int],
    findings: Findings,
    *,
    run_graders: bool,
) -> Iterator[Exercise]:
    course_file = _name(root, folder / "course.yaml")
    files = sorted((folder / "exercises").glob("*/exercise.yaml"))
    there = {path.parent.name: path.parent for path in files}
    for index, exercise_id in enumerate(form.exercises):
        target = there.pop(exercise_id, None)
        if target is None:
            if form.state == "open":
                line = lines.get(("exercises", index), 1)
                findings.error(course_file, line, f"there is no exercise “{exercise_id}”.")
            continue
        exercise = _read_exercise(root, target, form, findings, run_graders=run_graders)
        if exercise is not None:
            yield exercise
    for exercise_id, target in there.items():
        name = _name(root, target / "exercise.yaml")
        findings.error(name, 1, f"the exercise “{exercise_id}” is not listed in course.yaml.")


def _read_exercise(
    root: Path, folder: Path, form: CourseForm, findings: Findings, *, run_graders: bool
) -> Exercise | None:
    name = _name(root, folder / "exercise.yaml")
    text = _text(folder / "exercise.yaml", name, findings)
    if text is None or read_form(text, ExerciseHead, file=name, findings=findings) is None:
        return None
    try:
        document = read_exercise(folder)
    except BadExercise as error:
        line = error.facts.get("line", 1)
        findings.error(name, line if isinstance(line, int) else 1, str(error.facts["problem"]))
        return None
    if document["id"] != folder.name:
        findings.error(name, 1, f"the folder “{folder.name}” is not the id “{document['id']}”.")
    if run_graders:
        for sentence in check_with_grader(document):
            findings.error(name, 1, sentence)
    return exercise_from_document(document, course=form.id)


def exercise_from_document(document: Mapping[str, Json], *, course: str) -> Exercise:
    """The exercise whose document this is; also from one that was stored."""
    return Exercise(
        id=document["id"],
        course=course,
        kind=document["kind"],
        title=document["title"],
        competencies=tuple(document["competencies"]),
        document=document,
        digest=document_digest(document),
    )


def course_form(document: Mapping[str, Json]) -> CourseForm:
    """The form of a stored course: its `document` with the digests taken off again."""
    data = dict(document)
    for key in ("lessons", "exercises"):
        data[key] = tuple(row["id"] for row in data[key])
    data["sources"] = tuple(Source(**row) for row in data["sources"])
    for key in ("competencies", "outcomes"):
        data[key] = tuple(data[key])
    return CourseForm(**data)


def check_with_grader(document: Mapping[str, Json]) -> list[str]:
    """What the grader of this kind says about the exercise: sentences, none when it is sound."""
    module = GRADERS.get(document["kind"])
    if module is None:
        known = ", ".join(GRADERS)
        return [f"“{document['kind']}” is no kind of exercise that can be graded ({known})."]
    check = importlib.import_module(module).check_exercise
    return [str(sentence) for sentence in check(dict(document))]


def _read_tracks(root: Path, findings: Findings) -> Iterator[Track]:
    for path in sorted((root / "tracks").glob("*.yaml")):
        name = _name(root, path)
        text = _text(path, name, findings)
        track = None if text is None else read_form(text, Track, file=name, findings=findings)
        if track is None or text is None:
            continue
        if track.id != path.stem:
            findings.error(name, 1, f"the file “{path.name}” is not named after “{track.id}”.")
        lines = line_numbers(text)
        for index, step in enumerate(track.path):
            if sum(bool(word) for word in (step.course, step.exam, step.capstone)) != 1:
                line = lines.get(("path", index), 1)
                findings.error(name, line, "a step is one course, one exam or one capstone.")
        yield track


def _read_glossary(root: Path, findings: Findings) -> tuple[Term, ...]:
    path = root / "glossary.yaml"
    if not path.exists():
        return ()
    text = _text(path, "glossary.yaml", findings)
    glossary = (
        None if text is None else read_form(text, Glossary, file="glossary.yaml", findings=findings)
    )
    return glossary.terms if glossary else ()


PLACEMENT_ITEMS = 16


def _read_placement(
    root: Path, courses: tuple[Course, ...], findings: Findings
) -> tuple[PlacementItem, ...]:
    """The placement check; empty without `placement.yaml`, or when it cannot be asked."""
    path, name = root / "placement.yaml", "placement.yaml"
    if not path.exists():
        return ()
    text = _text(path, name, findings)
    form = None if text is None else read_form(text, PlacementForm, file=name, findings=findings)
    if form is None or text is None:
        return ()
    lines = line_numbers(text)
    lessons = {(course.id, lesson.id) for course in courses for lesson in course.lessons}
    whole = True
    for index, item in enumerate(form.items):
        line = lines.get(("items", index), 1)
        keys = sum(option.key for option in item.options)
        if keys != 1 or len(item.options) < 3:
            findings.error(name, line, f"“{item.id}” needs one key and two other options.")
            whole = False
        if (item.course, item.lesson) not in lessons:
            findings.error(name, line, f"there is no lesson “{item.lesson}” in “{item.course}”.")
            whole = False
        for option in item.options:
            if not (option.why if option.key else option.but):
                findings.error(name, line, f"the option “{option.text}” is not explained.")
    counts = Counter(item.course for item in form.items)
    if len(form.items) != PLACEMENT_ITEMS or len(set(counts.values())) != 1:
        findings.error(
            name, 1, f"it has {PLACEMENT_ITEMS} questions, the same number for each course."
        )
    if len({item.id for item in form.items}) != len(form.items):
        findings.error(name, 1, "two questions share an id.")
    return form.items if whole else ()


def _check_competencies(
    root: Path, framework: Framework, courses: tuple[Course, ...], findings: Findings
) -> None:
    known = {row.id for row in framework.competencies}
    for course in courses:
        name = f"{course.id}/course.yaml"
        for unknown in sorted(set(course.form.competencies) - known):
            findings.error(name, 1, f"there is no competency {unknown}.")
        for lesson in course.lessons:
            for unknown in sorted(set(lesson.front.competencies) - known):
                file = _lesson_file(root, course, lesson)
                findings.error(file, 2, f"there is no competency {unknown}.")
        for exercise in course.exercises:
            file = f"{course.id}/exercises/{exercise.id}/exercise.yaml"
            for unknown in sorted(set(exercise.competencies) - known):
                findings.error(file, 1, f"there is no competency {unknown}.")
    taught = {
        code for course in courses for row in course.lessons for code in row.front.competencies
    }
    practised = {
        code for course in courses for row in course.exercises for code in row.competencies
    }
    for competency in framework.competencies:
        if competency.id not in taught:
            findings.hint("framework.yaml", 1, f"no lesson teaches {competency.id} yet.")
        if competency.id not in practised:
            findings.hint("framework.yaml", 1, f"no exercise practises {competency.id} yet.")


def _check_tracks(
    root: Path,
    tracks: tuple[Track, ...],
    framework: Framework,
    courses: tuple[Course, ...],
    findings: Findings,
) -> None:
    codes = {row.id for row in framework.competencies} | {row.id for row in framework.domains}
    course_ids = {row.id for row in courses}
    for track in tracks:
        name = f"tracks/{track.id}.yaml"
        lines = (
            line_numbers((root / name).read_text(encoding="utf-8"))
            if (root / name).exists()
            else {}
        )
        for index, code in enumerate(track.stresses):
            if code not in codes:
                line = lines.get(("stresses", index), 1)
                findings.error(name, line, f"“{code}” is neither a domain nor a competency.")
        for index, step in enumerate(track.path):
            if step.course and step.course not in course_ids:
                line = lines.get(("path", index), 1)
                findings.error(name, line, f"there is no course “{step.course}”.")


def _check_ids(courses: tuple[Course, ...], findings: Findings) -> None:
    owners: dict[tuple[str, str], str] = {}
    for course in courses:
        parts = [("lesson", row.id) for row in course.lessons]
        parts += [("exercise", row.id) for row in course.exercises]
        for kind, part_id in parts:
            other = owners.setdefault((kind, part_id), course.id)
            if other != course.id:
                findings.error(
                    f"{course.id}/course.yaml",
                    1,
                    f"the {kind} “{part_id}” also belongs to the course “{other}”.",
                )


def _check_glossary(
    root: Path, terms: tuple[Term, ...], courses: tuple[Course, ...], findings: Findings
) -> None:
    if not terms:
        return
    lines = line_numbers((root / "glossary.yaml").read_text(encoding="utf-8"))
    lessons = {lesson.id for course in courses for lesson in course.lessons}
    seen: set[str] = set()
    for index, term in enumerate(terms):
        line = lines.get(("terms", index), 1)
        for word in (term.term, *term.also):
            if word.lower() in seen:
                findings.error("glossary.yaml", line, f"“{word}” is explained twice.")
            seen.add(word.lower())
        if term.lesson and term.lesson not in lessons:
            findings.error("glossary.yaml", line, f"there is no lesson “{term.lesson}”.")


def _lesson_file(root: Path, course: Course, lesson: Lesson) -> str:
    for path in (root / course.id / "lessons").glob("*.md"):
        if re.search(rf"^id: {re.escape(lesson.id)}\s*$", path.read_text("utf-8"), re.MULTILINE):
            return _name(root, path)
    return f"{course.id}/lessons/{lesson.id}.md"


def _check_links(
    root: Path,
    tracks: tuple[Track, ...],
    courses: tuple[Course, ...],
    framework: Framework | None,
    findings: Findings,
) -> None:
    places = {"/tracks/", "/courses/", "/framework/", "/glossary/", "/practice/", "/placement/"}
    places |= {f"/tracks/{row.id}/" for row in tracks}
    for course in courses:
        places.add(f"/courses/{course.id}/")
        places |= {f"/courses/{course.id}/lessons/{row.id}/" for row in course.lessons}
        places |= {f"/exercises/{row.id}/" for row in course.exercises}
    if framework is not None:
        places |= {f"/framework/{row.id}/" for row in framework.competencies}
    for course in courses:
        for lesson in course.lessons:
            file = _lesson_file(root, course, lesson)
            for offset, row in enumerate(lesson.body.splitlines()):
                for target in re.findall(r"\]\(\s*<?([^)>\s]+)", row):
                    sentence = _bad_link(target, places)
                    if sentence:
                        findings.error(file, lesson.body_line + offset, sentence)


def _bad_link(target: str, places: set[str]) -> str:
    if target.startswith(("https://", "http://", "mailto:", "#")):
        return ""
    path = target.split("#")[0].split("?")[0]
    if not path.startswith("/"):
        return f"the link “{target}” is relative; begin it with “/” or “https://”."
    return "" if path in places else f"the link “{target}” leads nowhere."
