"""The content that this repository ships is fit to be published."""

from __future__ import annotations

import re

import pytest

from courses.authoring.__main__ import CONTENT
from courses.authoring.curriculum import Curriculum, check_with_grader, read_curriculum
from courses.authoring.findings import Finding
from courses.authoring.lessons import lesson_from_document, show

Read = tuple[Curriculum | None, tuple[Finding, ...]]


@pytest.fixture(scope="module")
def read() -> Read:
    return read_curriculum(CONTENT)


@pytest.fixture
def curriculum(read: Read) -> Curriculum:
    assert read[0] is not None
    return read[0]


def test_no_file_has_an_error(read: Read) -> None:
    assert [str(row) for row in read[1] if row.weight == "error"] == []


def test_every_lesson_can_be_shown_with_its_key_and_its_decision(curriculum: Curriculum) -> None:
    for course in curriculum.courses:
        for lesson in course.lessons:
            shown = show(lesson)
            assert shown.checks, lesson.id
            assert shown.decision, lesson.id
            assert all(check.options[check.key].key for check in shown.checks), lesson.id


def test_no_lesson_carries_a_style_a_script_or_an_outside_picture(curriculum: Curriculum) -> None:
    for course in curriculum.courses:
        for lesson in course.lessons:
            html = "".join(part.html for part in show(lesson).parts)
            assert not re.search(r"<script|<img|\sstyle=|\son\w+=", html), lesson.id


def test_ids_in_one_lesson_are_unique(curriculum: Curriculum) -> None:
    for course in curriculum.courses:
        for lesson in course.lessons:
            shown = show(lesson)
            html = "".join(part.html for part in (*shown.parts, *shown.decision))
            ids = re.findall(r'\sid="([^"]+)"', html)
            assert len(ids) == len(set(ids)), (lesson.id, ids)


def test_a_stored_lesson_comes_back_as_it_was(curriculum: Curriculum) -> None:
    for course in curriculum.courses:
        for lesson in course.lessons:
            assert lesson_from_document(lesson.document).digest == lesson.digest, lesson.id


def test_each_exercise_holds_what_its_file_declares(curriculum: Curriculum) -> None:
    for exercise in curriculum.exercises():
        assert check_with_grader(exercise.document) == [], exercise.id
