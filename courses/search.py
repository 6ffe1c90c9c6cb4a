"""Find lessons, exercises, competencies and words of the glossary, also when they are mistyped.

PostgreSQL's full-text search does the finding and ranking. The extension pg_trgm, which would find
mistyped words, is not part of the embedded PostgreSQL, so its idea is kept in a table of our own:
every word of the content with its trigrams under a GIN index. A word that no page holds is
replaced by its nearest neighbour, and the page says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Final, Literal

from django.db import connection, transaction
from django.urls import reverse
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from courses.authoring.curriculum import Curriculum
from courses.authoring.lessons import Lesson, pieces, render_text, show, split_front
from courses.models import SearchWord

MOST_CHARACTERS: Final = 120
MOST_WORDS: Final = 8
MOST_RESULTS: Final = 30
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# Marks around found words, taken out of the text beforehand, so that no page can forge them.
_START, _STOP = "\x02", "\x03"

Kind = Literal["lesson", "exercise", "term", "competency", "course"]


@dataclass(frozen=True, slots=True)
class Found:
    """One result. `snippet` is safe HTML with the found words in `<mark>`."""

    kind: str
    title: str
    context: str
    address: str
    snippet: SafeString


@dataclass(frozen=True, slots=True)
class Correction:
    """A word nobody wrote and what was looked for instead, empty when nothing is near."""

    typed: str
    used: str


@dataclass(frozen=True, slots=True)
class Results:
    """What was found. `loose` says that no page holds all the words, so some are enough."""

    query: str
    rows: tuple[Found, ...]
    corrections: tuple[Correction, ...]
    loose: bool


# The index -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    kind: Kind
    slug: str
    title: str
    context: str
    address: str
    body: str
    # Names it also goes by: they weigh as much as the title.
    also: str = ""


@transaction.atomic
def rebuild(curriculum: Curriculum) -> int:
    """Make the index anew from the content; how many pages it holds."""
    pages = list(_pages(curriculum))
    with connection.cursor() as cursor:
        # Several processes start at once; readers meanwhile see the old index.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('courses.search'))")
        cursor.execute("DELETE FROM courses_searchentry")
        cursor.executemany(
            """
            INSERT INTO courses_searchentry (kind, slug, title, context, address, body, words)
            VALUES (%s, %s, %s, %s, %s, %s,
                    setweight(to_tsvector('english', %s), 'A')
                    || setweight(to_tsvector('english', %s), 'C')
                    || setweight(to_tsvector('english', %s), 'D'))
            """,
            [
                (
                    *(page.kind, page.slug, page.title, page.context, page.address, page.body),
                    *(f"{page.title} {page.also}", page.body, page.context),
                )
                for page in pages
            ],
        )
    words = Counter(
        word
        for page in pages
        for word in words_of(f"{page.title} {page.also} {page.body}")
        if len(word) >= 3 and not word.isdigit()
    )
    SearchWord.objects.all().delete()
    SearchWord.objects.bulk_create(
        (
            SearchWord(word=word, uses=uses, trigrams=trigrams(word))
            for word, uses in words.items()
            if len(word) <= 60
        ),
        batch_size=2000,
    )
    return len(pages)


def _pages(curriculum: Curriculum) -> Iterator[_Page]:
    for course in curriculum.courses:
        address = reverse("courses:course", args=[course.id])
        form = course.form
        body = "\n".join([form.summary, form.for_whom, *form.outcomes])
        yield _Page("course", course.id, course.title, "", address, _plain(body))
        for lesson in course.lessons:
            address = reverse("courses:lesson", args=[course.id, lesson.id])
            yield _Page(
                "lesson", lesson.id, lesson.title, course.title, address, lesson_text(lesson)
            )
        for exercise in course.exercises:
            brief = str(exercise.document["brief"])
            cut = split_front(brief)
            yield _Page(
                "exercise",
                exercise.id,
                exercise.title,
                course.title,
                reverse("courses:exercise", args=[exercise.id]),
                _plain(_without_tags(render_text(cut[1] if cut else brief))),
            )
    glossary = reverse("courses:glossary")
    for term in curriculum.glossary:
        anchor = slugify(term.term)
        yield _Page(
            "term",
            anchor,
            term.term,
            "",
            f"{glossary}#{anchor}",
            _plain(term.means),
            " ".join(term.also),
        )
    for row in curriculum.framework.competencies:
        address = reverse("courses:competency", args=[row.id])
        levels = "\n".join([row.levels.foundation, row.levels.practitioner, row.levels.lead])
        yield _Page("competency", row.id, f"{row.id}: {row.statement}", "", address, _plain(levels))


def lesson_text(lesson: Lesson) -> str:
    """What a learner reads of a lesson, without marks: no figures, no explanations of answers."""
    drawn = [part.html for part in (*show(lesson).parts, *show(lesson).decision)]
    kinds = [piece.kind for piece in pieces(lesson.body)]
    stems = [check.stem for check in show(lesson).checks]
    if "figure" in kinds:
        drawn = [html for html in drawn if "<figure" not in html]
    return _plain("\n".join(_without_tags(html) for html in [*drawn, *stems]))


def _without_tags(html: str) -> str:
    # A block ends a sentence even where no stop does.
    spaced = re.sub(r"</(p|li|h[1-6]|td|th|dd|dt|pre|blockquote)>", r" \g<0>\n", html)
    return unescape(strip_tags(spaced))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x08]", "", text)).strip()


# Words and their neighbours ------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    return [match.group().lower().replace("’", "'") for match in _WORD.finditer(text)]


def trigrams(word: str) -> list[str]:
    """The three-letter pieces of a word with two blanks before and one behind, as pg_trgm has them."""
    padded = f"  {word} "
    return sorted({padded[i : i + 3] for i in range(len(padded) - 2)})


def distance(one: str, other: str) -> int:
    """Letters to add, drop, replace or swap with their neighbour to make one word the other.

    Source: Damerau, A technique for computer detection and correction of spelling errors,
    Communications of the ACM 7 (1964); each pair of letters is swapped once at most.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def nearest(word: str) -> str:
    """The word of the content nearest to a mistyped one; empty when none is near.

    One slip is allowed up to five letters, two up to nine, three beyond. Among words equally near,
    the one with more trigrams in common comes first, then the more frequent.
    """
    mine = trigrams(word)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT word, shared::float / (cardinality(trigrams) + %s - shared) AS alike, uses
            FROM courses_searchword,
                 LATERAL (SELECT count(*) AS shared FROM unnest(trigrams) AS t
                          WHERE t = ANY (%s::varchar[])) AS pieces
            WHERE trigrams && %s::varchar[]
            ORDER BY alike DESC, uses DESC, word
            LIMIT 40
            """,
            [len(mine), mine, mine],
        )
        rows = cursor.fetchall()
    allowed = 1 if len(word) <= 5 else 2 if len(word) <= 9 else 3
    near = [
        (distance(word, other), -alike, -uses, other)
        for other, alike, uses in rows
        if abs(len(other) - len(word)) <= allowed
    ]
    near = [row for row in near if row[0] <= allowed]
    return min(near)[3] if near else ""


# Searching -----------------------------------------------------------------------------------


def search(text: str) -> Results:
    """Search for `text`; an empty one finds nothing. Long ones are cut, never refused."""
    query = _plain(text)[:MOST_CHARACTERS].strip()
    words = list(dict.fromkeys(words_of(query)))[:MOST_WORDS]
    terms: list[str] = []
    corrections: list[Correction] = []
    for word in words:
        term, correction = _term(word)
        if term:
            terms.append(term)
        if correction is not None:
            corrections.append(correction)
    if not terms:
        return Results(query, (), tuple(corrections), loose=False)
    rows = _find(" & ".join(terms))
    loose = not rows and len(terms) > 1
    if loose:
        rows = _find(" | ".join(terms))
    return Results(query, rows, tuple(corrections), loose=loose and bool(rows))


def _term(word: str) -> tuple[str, Correction | None]:
    """A piece of a tsquery for a typed word: itself, its beginning, or its nearest neighbour.

    Empty without a correction for a word that carries nothing, such as “the”.
    """
    quoted = "'" + word.replace("'", "''").replace("\\", "\\\\") + "'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT numnode(to_tsquery('english', %s))", [quoted])
        if cursor.fetchone()[0] == 0:
            return "", None
    for term in (quoted, f"{quoted}:*"):
        if _holds(term):
            return term, None
    near = nearest(word) if len(word) >= 4 else ""
    return (near and "'" + near.replace("'", "''") + "'"), Correction(typed=word, used=near)


def _holds(term: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM courses_searchentry"
            " WHERE words @@ to_tsquery('english', %s))",
            [term],
        )
        return bool(cursor.fetchone()[0])


def _find(tsquery: str) -> tuple[Found, ...]:
    marks = f"StartSel={_START}, StopSel={_STOP}"
    pieces_of_it = f"{marks}, MaxFragments=2, MinWords=10, MaxWords=24, FragmentDelimiter= … "
    all_of_it = f"{marks}, HighlightAll=true"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT kind, title, context, address,
                   ts_headline('english', body, q,
                               CASE WHEN length(body) < 300 THEN %s ELSE %s END)
            FROM courses_searchentry, to_tsquery('english', %s) AS q
            WHERE words @@ q
            ORDER BY (ts_rank_cd(words, q, 1)
                      * CASE kind WHEN 'term' THEN 1.5 WHEN 'competency' THEN 0.7 ELSE 1 END) DESC,
                     title
            LIMIT %s
            """,
            [all_of_it, pieces_of_it, tsquery, MOST_RESULTS],
        )
        return tuple(
            Found(kind, title, context, address, _marked(snippet))
            for kind, title, context, address, snippet in cursor.fetchall()
        )


def _marked(snippet: str) -> SafeString:
    safe = str(escape(snippet)).replace(_START, "<mark>").replace(_STOP, "</mark>")
    return mark_safe(safe)  # noqa: S308 - escaped a line above; only our two marks become tags
