"""Content is stored by its hash, once, and a learner stays on what she began."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.core.management import call_command

from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import catalog, study, versions
from courses.authoring.lessons import document_digest
from courses.models import ContentKind, ContentVersion


@pytest.fixture
def content(curriculum_folder: Path, tmp_path: Path, settings: object) -> Path:
    """A copy that a test may change."""
    root = shutil.copytree(curriculum_folder, tmp_path / "content")
    settings.CONTENT_ROOT = root  # type: ignore[attr-defined]
    return root


def change_a_word(content: Path) -> None:
    path = content / "foundations" / "lessons" / "f-one.md"
    path.write_text(path.read_text().replace("Nobody was paid.", "Somebody was paid."))
    catalog.look_again()


def test_loading_twice_changes_nothing(db: None, content: Path) -> None:
    first = versions.load(catalog.curriculum())
    again = versions.load(catalog.curriculum())
    # four courses, two lessons, two exercises
    assert (first.new, first.known) == (8, 0)
    assert (again.new, again.known) == (0, 8)


def test_the_command_stores_the_curriculum(
    db: None, content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("load_curriculum")
    assert "8 new versions" in capsys.readouterr().out


def test_a_changed_word_makes_a_new_version_of_lesson_and_course(loaded: Path) -> None:
    change_a_word(loaded)
    assert versions.load(catalog.curriculum()).new == 2
    rows = ContentVersion.objects.filter(kind=ContentKind.LESSON, slug="f-one").order_by("number")
    assert [(row.number, row.is_current) for row in rows] == [(1, False), (2, True)]


def test_a_change_that_is_taken_back_makes_the_old_version_current(loaded: Path) -> None:
    path = loaded / "foundations" / "lessons" / "f-one.md"
    before = path.read_text()
    change_a_word(loaded)
    versions.load(catalog.curriculum())
    path.write_text(before)
    catalog.look_again()
    versions.load(catalog.curriculum())
    rows = ContentVersion.objects.filter(kind=ContentKind.LESSON, slug="f-one").order_by("number")
    assert [(row.number, row.is_current) for row in rows] == [(1, True), (2, False)]


def test_a_stored_exercise_keeps_the_order_of_its_keys(loaded: Path) -> None:
    exercise = catalog.exercise("refunds")
    assert exercise is not None
    stored = ContentVersion.objects.get(kind=ContentKind.EXERCISE, slug="refunds")
    assert list(stored.document["world"]["faults"]) == list(exercise.document["world"]["faults"])
    assert document_digest(stored.document) == stored.digest == exercise.digest


def test_a_stored_course_is_the_course_that_was_stored(loaded: Path) -> None:
    course = catalog.course("foundations")
    assert course is not None
    assert versions.course_of(course.digest).document == course.document


def test_a_learner_stays_on_the_version_she_began(loaded: Path, learner: User) -> None:
    study.enrol(learner, "foundations", at=now())
    change_a_word(loaded)
    mine = study.course_for(learner, "foundations")
    theirs = study.course_for(None, "foundations")
    assert mine is not None
    assert theirs is not None
    assert "Nobody was paid." in mine.lessons[0].body
    assert "Somebody was paid." in theirs.lessons[0].body


def test_she_may_move_to_the_newer_version(loaded: Path, learner: User) -> None:
    study.enrol(learner, "foundations", at=now())
    change_a_word(loaded)
    state = study.course_state(learner, "foundations")
    assert state is not None
    assert state.newer
    study.take_newer_version(learner, "foundations")
    mine = study.course_for(learner, "foundations")
    assert mine is not None
    assert "Somebody was paid." in mine.lessons[0].body
