"""What `python -m courses.authoring check` accepts and refuses, and where it points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from courses.authoring.__main__ import main
from courses.authoring.curriculum import read_curriculum

Edit = Callable[[str, str, str], Path]
LESSON_FILE = "foundations/lessons/f-one.md"


def errors(folder: Path) -> list[str]:
    return [str(row) for row in read_curriculum(folder)[1] if row.weight == "error"]


def test_a_sound_curriculum_has_no_error(content: Path) -> None:
    assert errors(content) == []


def test_the_command_prints_counts_and_succeeds(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(content)]) == 0
    assert "1 tracks, 1 courses, 1 lessons, 0 exercises" in capsys.readouterr().out


def test_the_command_fails_with_file_line_and_sentence(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = edit("foundations/course.yaml", "state: open", "state: shut")
    assert main(["check", str(folder)]) == 1
    assert "foundations/course.yaml:7: “state” must be" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("framework.yaml", "domain: E\n", "domain: Q\n", "does not belong to a domain"),
        ("framework.yaml", "[observability]", "[luck]", "no safety domain by “luck”"),
        ("tracks/operator.yaml", "hours: 6", "hours: 6\npay: much", "“pay” is not known here"),
        ("tracks/operator.yaml", "{course: foundations}", "{course: gone}", "no course “gone”"),
        ("tracks/operator.yaml", "stresses: [E]", "stresses: [Z]", "neither a domain nor"),
        ("tracks/operator.yaml", "{exam: agent-foundations}", "{}", "one course, one exam or one"),
        ("foundations/course.yaml", "[f-one]", "[f-one, f-two]", "there is no lesson “f-two”"),
        ("foundations/course.yaml", "[f-one]", "[]", "is not listed in course.yaml"),
        ("foundations/course.yaml", "competencies: [E4]", "competencies: [E9]", "competency E9"),
        ("foundations/course.yaml", "exercises: []", "exercises: [x]", "no exercise “x”"),
        ("glossary.yaml", "lesson: f-one", "lesson: f-two", "there is no lesson “f-two”"),
        (LESSON_FILE, "# One lesson", "# Another", "is not the lesson's title"),
        (LESSON_FILE, "competencies: [E4]", "competencies: [E9]", "no competency E9"),
        (LESSON_FILE, "minutes: 10", "minutes: ten", "“minutes”"),
        (LESSON_FILE, "    key: true\n    why: \"She counts.\"", "    but: no", "this one has 0"),
        (LESSON_FILE, "    why: \"She counts.\"\n", "", "does not say why"),
        (LESSON_FILE, "    but: \"It notices nothing.\"", "    tempts: x", "speaks against it"),
        (LESSON_FILE, "[^reason]", "[^treason]", "names no source"),
        (LESSON_FILE, "<title id=\"t\">A line</title>", "", "has no <title>"),
        (LESSON_FILE, "<desc id=\"d\">One line from left to right.</desc>", "", "no <desc>"),
        (LESSON_FILE, "<path d", "<path style=\"x\" d", "which is refused"),
        (LESSON_FILE, "<path d", "<script/><path d", "<script> is not allowed"),
        (LESSON_FILE, "</svg>", "", "not well-formed"),
        (LESSON_FILE, "often a check", "often a [check](/tracks/nobody/)", "leads nowhere"),
        (LESSON_FILE, "often a check", "often a <b>check</b>", "raw HTML"),
        (LESSON_FILE, "## Your decision", "## The end", "“## Your decision” is missing"),
        (LESSON_FILE, "and marks the first line that is not true. ", ". ", "700 to 1,300 words"),
    ],
)  # fmt: skip
def test_a_fault_is_named(edit: Edit, file: str, old: str, new: str, said: str) -> None:
    found = errors(edit(file, old, new))
    assert any(said in row for row in found), found


def test_a_fault_in_a_check_question_points_to_its_line(edit: Edit) -> None:
    folder = edit(LESSON_FILE, '    but: "It notices nothing."', "    butt: no")
    lines = (folder / LESSON_FILE).read_text().splitlines()
    expected = next(i for i, row in enumerate(lines, start=1) if "butt:" in row)
    assert any(row.startswith(f"{LESSON_FILE}:{expected}: ") for row in errors(folder))


def test_prose_above_grade_eleven_is_refused(edit: Edit) -> None:
    hard = "Organisational accountability necessitates comprehensive documentation of deviations. "
    plain = "The clerk reads the log and marks the first line that is not true. "
    found = errors(edit(LESSON_FILE, plain, hard * 2))
    assert any("reading grade" in row for row in found), found


def test_a_lesson_in_a_folder_without_course_is_an_error(content: Path) -> None:
    (content / "foundations" / "course.yaml").unlink()
    assert any("has no course.yaml" in row for row in errors(content))


def test_one_bad_lesson_does_not_take_the_course_away(edit: Edit) -> None:
    folder = edit(LESSON_FILE, "minutes: 10", "minutes: -1")
    curriculum, _ = read_curriculum(folder)
    assert curriculum is not None
    assert [course.id for course in curriculum.courses] == ["foundations"]


@pytest.mark.parametrize(
    ("old", "new"),
    [('    key: true\n    why: "She counts."', "    but: no"), ('stem: "Who', 'stim: "Who')],
)
def test_a_lesson_whose_check_cannot_be_asked_is_left_out(edit: Edit, old: str, new: str) -> None:
    curriculum, _ = read_curriculum(edit(LESSON_FILE, old, new))
    assert curriculum is not None
    assert curriculum.courses[0].lessons == ()


HEAD = "checkride: exercise/1\nid: x\nkind: prompt\ntitle: X\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: prompt", "“checkride” is missing"),
        (f"{HEAD}brief: b.md\ncompetencies: E4\nreferences: {{}}", "must be a list"),
        (f"{HEAD}brief: gone.md\ncompetencies: [E4]\nreferences: {{}}", "does not exist"),
        (f"{HEAD}brief: ../../course.yaml\ncompetencies: [E4]\nreferences: {{}}", "lies outside"),
        ("{", "not valid YAML"),
    ],
)
def test_a_broken_exercise_is_named(edit: Edit, text: str, said: str) -> None:
    folder = edit("foundations/course.yaml", "exercises: []", "exercises: [x]")
    target = folder / "foundations" / "exercises" / "x"
    target.mkdir(parents=True)
    (target / "exercise.yaml").write_text(text)
    found = errors(folder)
    assert any("exercises/x/exercise.yaml" in row and said in row for row in found), found


def test_tracks_stand_in_their_order(content: Path) -> None:
    track = (content / "tracks" / "operator.yaml").read_text()
    manager = track.replace("id: operator", "id: manager\norder: 2").replace("operator", "manager")
    (content / "tracks" / "manager.yaml").write_text(manager)
    (content / "tracks" / "operator.yaml").write_text(
        track.replace("id: operator", "id: operator\norder: 1")
    )
    curriculum, _ = read_curriculum(content)
    assert curriculum is not None
    assert [row.id for row in curriculum.tracks] == ["operator", "manager"]
