"""A small curriculum: two lessons, and the two real exercises that the product ships."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.conf import settings as site_settings

from courses import catalog, versions
from courses.models import GradeReportRow, Submission

REAL = Path(site_settings.CONTENT_ROOT)

LESSON = """---
id: {id}
title: {title}
course: F
minutes: 10
competencies: [E4]
sources: [{{id: reason, text: "James Reason, Human error, BMJ 320 (2000)."}}]
---

# {title}

{prose}

A check is often luck.[^reason]

```check
stem: "Which line is false?"
options:
  - {{text: "The first", but: "The order was read."}}
  - {{text: "The second", key: true, why: "Nobody was paid."}}
```

```check
stem: "Who notices?"
options:
  - {{text: "The clerk", key: true, why: "She counts."}}
  - {{text: "The system", but: "It notices nothing."}}
```

## Your decision

Stop the agent, or keep it running.
"""

COURSE = """checkride: course/1
id: {id}
letter: {letter}
title: {title}
summary: What it is about.
for_whom: Everybody.
state: {state}
lessons: [{lessons}]
exercises: [{exercises}]
competencies: [E4]
minutes: 60
outcomes: [Finds the first false line.]
"""

TRACK = """checkride: track/1
id: agent-operator
name: Agent operator
roles: [Agent operator]
summary: Keeps agents running.
stresses: [E]
day: [{at: "08:40", does: Reads the summary.}]
employers_ask: [Finds causes.]
you_already_have: [{job: Clerk, brings: Care, missing: Traces}]
path: [{course: systems-thinking}, {course: foundations}, {exam: foundations}]
hours: 6
credential: Agent Foundations
"""


def write_lesson(root: Path, lesson_id: str, title: str) -> Path:
    path = root / "foundations" / "lessons" / f"{lesson_id}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    prose = "The clerk reads the log and marks the first line that is not true. " * 55
    path.write_text(LESSON.format(id=lesson_id, title=title, prose=prose))
    return path


def write_placement(root: Path) -> None:
    items = "".join(
        f"- {{id: q-{n}, course: foundations, lesson: f-one, stem: Which line is false?, options: ["
        '{text: "The first", but: "It was read."}, {text: "The last", but: "It was paid."}, '
        '{text: "The second", key: true, why: "Nobody was paid."}]}\n'
        for n in range(16)
    )
    (root / "placement.yaml").write_text(f"checkride: placement/1\nitems:\n{items}")


def write_course(root: Path, course_id: str, letter: str, title: str, **parts: str) -> None:
    (root / course_id).mkdir(exist_ok=True)
    facts = {"lessons": "", "exercises": "", "state": "open", **parts}
    (root / course_id / "course.yaml").write_text(
        COURSE.format(id=course_id, letter=letter, title=title, **facts)
    )


@pytest.fixture(scope="session")
def curriculum_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written and read once; tests that change a file take a copy of it."""
    root = tmp_path_factory.mktemp("content")
    shutil.copy(REAL / "framework.yaml", root / "framework.yaml")
    write_lesson(root, "f-one", "First lesson")
    write_lesson(root, "f-two", "Second lesson")
    write_course(root, "foundations", "F", "Foundations", lessons="f-one, f-two")
    for course, letter, exercise in (
        ("prompting", "P", "refund-triage"),
        ("systems-thinking", "S", "refunds"),
    ):
        write_course(root, course, letter, course.title(), exercises=exercise)
        shutil.copytree(
            REAL / course / "exercises" / exercise, root / course / "exercises" / exercise
        )
    write_course(root, "value", "B", "Value", state="planned")
    (root / "foundations" / "summary.md").write_text("**First.** Mark the first false line.\n")
    write_placement(root)
    (root / "tracks").mkdir()
    (root / "tracks" / "agent-operator.yaml").write_text(TRACK)
    (root / "glossary.yaml").write_text(
        "terms: [{term: agent, means: A program that acts., lesson: f-one}]\n"
    )
    return root


@pytest.fixture
def content(curriculum_folder: Path, settings: object) -> Path:
    settings.CONTENT_ROOT = curriculum_folder  # type: ignore[attr-defined]
    return curriculum_folder


@pytest.fixture
def loaded(db: None, content: Path) -> Path:
    """The curriculum is stored as versions."""
    versions.load(catalog.curriculum())
    return content


def strong(exercise_id: str) -> str:
    """The reference answer that passes."""
    exercise = catalog.exercise(exercise_id)
    assert exercise is not None
    return str(exercise.document["references"]["strong"])


def graded(submission: Submission) -> GradeReportRow:
    return GradeReportRow.objects.get(submission=submission)
