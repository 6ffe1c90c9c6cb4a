"""Words, sentences, syllables and the grade."""

from __future__ import annotations

import pytest

from courses.authoring.reading_grade import measure, plain_prose, syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("log", 1), ("agent", 2), ("payment", 2), ("table", 2), ("made", 1), ("makes", 1),
        ("boxes", 2), ("reviewed", 2), ("wanted", 2), ("asked", 1), ("escalation", 4), ("the", 1),
        ("competency", 4), ("judges", 2),
    ],
)  # fmt: skip
def test_syllables_are_guessed_as_they_are_spoken(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_is_kincaids_formula() -> None:
    # 6 words, 1 sentence, 6 syllables
    reading = measure("The cat sat on the mat.")
    assert reading.grade == round(0.39 * 6 + 11.8 * 1 - 15.59, 1)


def test_long_words_in_long_sentences_raise_the_grade() -> None:
    hard = "Organisational accountability necessitates comprehensive documentation of deviations."
    assert measure(hard).grade > measure("The clerk writes down what went wrong.").grade + 10


def test_tables_headings_code_and_figures_do_not_count() -> None:
    text = "# Title\n\nOne two.\n\n| a | b |\n\n```log\nx y z\n```\n\n<figure>q</figure>\n"
    assert measure(plain_prose(text)).words == 2
