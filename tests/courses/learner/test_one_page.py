"""Each open course on one page; the words of a lesson lead to the glossary."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils.text import slugify

from courses import catalog
from courses.authoring.forms import Term
from courses.authoring.glossary_links import link_terms, term_anchor

pytestmark = pytest.mark.django_db

TERMS = (
    Term(term="Run log", means="Lines."),
    Term(term="Little's law", means="Waits."),
    Term(term="Check", means="A test.", everyday=True),
    Term(term="Canary release", also=("canary",), means="A tenth."),
)


def test_every_open_course_has_its_page(client: Client) -> None:
    for course in catalog.courses():
        answer = client.get(f"/courses/{course.id}/summary/")
        assert answer.status_code == (200 if course.is_open else 404), course.id
        if course.is_open:
            assert (
                f"/courses/{course.id}/summary/"
                in client.get(f"/courses/{course.id}/").content.decode()
            )


def test_every_word_of_the_glossary_is_reached_from_a_lesson(client: Client) -> None:
    lesson = "/courses/foundations/lessons/f-the-loop/"
    page = client.get(lesson).content.decode()
    linked = set(re.findall(r'href="/glossary/#([^"]+)"', page))
    homes = {term.lesson for term in catalog.glossary()}
    assert {slugify(t.term) for t in catalog.glossary() if t.lesson == "f-the-loop"} <= linked
    assert "" not in homes, "each word is explained by a lesson, whose page lists it"
    assert all(catalog.lesson(home) is not None for home in homes)
    glossary = client.get("/glossary/").content.decode()
    for anchor in linked:
        assert f'id="{anchor}"' in glossary, anchor


def test_a_word_is_linked_once_and_only_in_running_text() -> None:
    parts = [
        "<h2>The run log</h2><p>A run log and a run log.</p><pre>run log</pre>",
        "<p>Run logs</p>",
    ]
    first, second = link_terms(parts, TERMS)
    assert first.count("<a ") == 1
    assert '<p>A <a class="term" href="/glossary/#run-log">run log</a> and a run log.</p>' in first
    assert second == "<p>Run logs</p>"


def test_plurals_other_names_and_escaped_words_are_known() -> None:
    (html,) = link_terms(["<p>Canaries fly. Two canarys. Little&#x27;s law. Checks.</p>"], TERMS)
    assert 'href="/glossary/#canary-release">canarys</a>' in html
    assert 'href="/glossary/#littles-law"' in html
    assert "Checks.</p>" in html, "an everyday word is no link"


def test_anchors_are_those_of_the_glossary_page() -> None:
    for term in catalog.glossary():
        assert term_anchor(term.term) == slugify(term.term)
