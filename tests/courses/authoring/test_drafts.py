"""`python -m courses.authoring new` writes drafts in the right form and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from courses.authoring.__main__ import main
from courses.authoring.curriculum import read_curriculum


def test_a_new_lesson_is_a_draft_that_the_check_can_read(content: Path) -> None:
    assert (
        main(["new", "lesson", "f-two", "--course", "foundations", "--folder", str(content)]) == 0
    )
    found = [str(row) for row in read_curriculum(content)[1] if "f-two" in row.file]
    assert any("is not listed in course.yaml" in row for row in found)
    assert not any("YAML" in row for row in found)


def test_a_new_course_is_planned_and_empty(content: Path) -> None:
    assert main(["new", "course", "operating", "--folder", str(content)]) == 0
    assert "state: planned" in (content / "operating" / "course.yaml").read_text()


def test_a_new_exercise_has_its_brief_and_references(content: Path) -> None:
    main(["new", "exercise", "refunds", "--course", "foundations", "--folder", str(content)])
    folder = content / "foundations" / "exercises" / "refunds"
    assert (folder / "brief.md").exists()
    assert (folder / "refs" / "attack.md").exists()


def test_nothing_is_overwritten(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (content / "foundations" / "lessons" / "f-one.md").read_text()
    assert (
        main(["new", "lesson", "f-one", "--course", "foundations", "--folder", str(content)]) == 1
    )
    assert "exists already" in capsys.readouterr().err
    assert (content / "foundations" / "lessons" / "f-one.md").read_text() == before


def test_a_lesson_needs_a_course(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "lesson", "z-one", "--course", "none", "--folder", str(content)]) == 1
    assert "There is no course or exam “none”" in capsys.readouterr().err


def test_an_id_that_leads_elsewhere_is_refused(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "course", "../outside", "--folder", str(content)]) == 1
    assert "is no id" in capsys.readouterr().err
    assert not (content.parent / "outside").exists()
