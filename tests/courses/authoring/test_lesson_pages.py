"""How a lesson becomes HTML, and what its digest depends on."""

from __future__ import annotations

from pathlib import Path

from courses.authoring.curriculum import read_curriculum
from courses.authoring.lessons import Lesson, lesson_from_document, render_text, show
from courses.authoring.rendering import render_log, render_markdown


def the_lesson(content: Path) -> Lesson:
    curriculum, _ = read_curriculum(content)
    assert curriculum is not None
    return curriculum.courses[0].lessons[0]


def test_checks_stand_between_the_parts_in_order(content: Path) -> None:
    shown = show(the_lesson(content))
    assert [check.number for check in shown.checks] == [1, 2]
    assert [check.key for check in shown.checks] == [1, 0]
    assert shown.parts[-1].check is not None


def test_the_title_and_the_decision_stand_apart(content: Path) -> None:
    shown = show(the_lesson(content))
    assert "<h1" not in "".join(part.html for part in shown.parts)
    assert "what you give up" in shown.decision[0].html


def test_a_figure_is_drawn_and_a_log_is_listed(content: Path) -> None:
    html = "".join(part.html for part in show(the_lesson(content)).parts)
    assert '<path d="M0 5h10">' in html
    assert '<ol class="listing listing--log' in html


def test_a_source_mark_leads_to_its_number(content: Path) -> None:
    html = show(the_lesson(content)).parts[0].html
    assert '<a class="fnref" href="#source-1"' in html


def test_raw_html_is_shown_as_text() -> None:
    html = render_markdown("a <script>alert(1)</script> **b**")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_table_becomes_a_ledger_that_can_be_scrolled_by_keyboard() -> None:
    html = render_markdown("| a | b |\n| --- | ---: |\n| 1 | 2 |")
    assert '<table class="ledger ledger--list">' in html
    assert 'tabindex="0"' in html
    assert '<td class="num" data-l="b">2</td>' in html
    assert "style" not in html


def test_a_log_with_its_own_numbers_is_not_numbered_twice() -> None:
    assert "<span>read</span>" in render_log(" 1 read\n 2 pay")


def test_two_headings_with_one_text_get_two_ids() -> None:
    html = render_markdown("## Same\n\n## Same")
    assert 'id="same"' in html
    assert 'id="same-2"' in html


def test_a_stored_lesson_is_the_same_lesson(content: Path) -> None:
    lesson = the_lesson(content)
    again = lesson_from_document(lesson.document)
    assert again.digest == lesson.digest
    assert show(again) == show(lesson)


def test_one_changed_word_changes_the_digest_of_lesson_and_course(content: Path) -> None:
    before, _ = read_curriculum(content)
    path = content / "foundations" / "lessons" / "f-one.md"
    path.write_text(path.read_text().replace("Nobody was paid.", "Somebody was paid."))
    after, _ = read_curriculum(content)
    assert before is not None
    assert after is not None
    assert before.courses[0].lessons[0].digest != after.courses[0].lessons[0].digest
    assert before.courses[0].digest != after.courses[0].digest


def test_a_list_may_follow_a_line_of_text_directly() -> None:
    html = render_markdown(
        "> **Returns**\n> 1. Broken: price back.\n> 2. Used: half.\n\nand\n- one\n- two"
    )
    assert "<blockquote>" in html
    assert html.count("<li>") == 4


def test_a_year_at_the_start_of_a_line_is_not_a_list() -> None:
    assert "<li>" not in render_markdown("It began in\n2026. Then it ended.")


def test_a_log_in_a_brief_is_drawn_as_a_listing() -> None:
    assert "listing--log" in render_text("Before.\n\n```log\n1 read\n2 pay\n```\n\nAfter.")
