"""A lesson: front matter, then Markdown with check questions, logs and figures in it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from checkride.lib import strict_yaml
from courses.authoring import rendering
from courses.authoring.findings import Findings
from courses.authoring.forms import CheckForm, LessonFront, Source, read_form
from courses.authoring.reading_grade import MAX_GRADE, measure, plain_prose

Json = Any
MIN_WORDS, MAX_WORDS = 700, 1300
MIN_CHECKS, MAX_CHECKS = 2, 4

_FENCE = re.compile(r"^(`{3,})\s*(\w*)\s*$")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the body: "prose", "log", "check", "figure" or "code"; `line` is in the file."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as written: `body` is its Markdown, `body_line` where that begins in the file."""

    front: LessonFront
    body: str
    body_line: int = 1

    @property
    def id(self) -> str:
        return self.front.id

    @property
    def title(self) -> str:
        return self.front.title

    @property
    def document(self) -> dict[str, Json]:
        """What is stored and hashed: everything a learner sees, nothing of where it stood."""
        return {"checkride": "lesson/1", **plain(asdict(self.front)), "body": self.body}

    @property
    def digest(self) -> str:
        return document_digest(self.document)


@dataclass(frozen=True, slots=True)
class ShownOption:
    """An answer as HTML; `note` is what is said once it was chosen."""

    html: str
    key: bool
    note: str


@dataclass(frozen=True, slots=True)
class ShownCheck:
    number: int
    stem: str
    options: tuple[ShownOption, ...]

    @property
    def key(self) -> int:
        return next(i for i, option in enumerate(self.options) if option.key)


@dataclass(frozen=True, slots=True)
class ShownPart:
    """Either safe `html` or a `check`."""

    html: str = ""
    check: ShownCheck | None = None


@dataclass(frozen=True, slots=True)
class ShownLesson:
    """A lesson ready for a page. `sources` are (number, text, address)."""

    id: str
    title: str
    minutes: int
    competencies: tuple[str, ...]
    parts: tuple[ShownPart, ...]
    decision: tuple[ShownPart, ...]
    sources: tuple[tuple[int, str, str], ...]

    @property
    def checks(self) -> tuple[ShownCheck, ...]:
        return tuple(part.check for part in self.parts if part.check is not None)


def split_front(text: str) -> tuple[str, str, int] | None:
    """Front matter, body and the body's first line; None when there is no front matter."""
    match = re.match(r"\A---\r?\n(.*?\n)---\r?\n", text, flags=re.DOTALL)
    if match is None:
        return None
    return match.group(1), text[match.end() :], text[: match.end()].count("\n") + 1


def pieces(body: str, first_line: int = 1) -> Iterator[Piece]:
    """Cut a body at its fences and figures. An unclosed one runs to the end."""
    kept: list[str] = []
    start = first_line
    rows = body.splitlines()
    index = 0
    while index < len(rows):
        fence = _FENCE.match(rows[index])
        figure = rows[index].lstrip().startswith("<figure")
        if fence is None and not figure:
            kept.append(rows[index])
            index += 1
            continue
        if any(row.strip() for row in kept):
            yield Piece("prose", "\n".join(kept), start)
        kept = []
        begin = index
        if fence is not None:
            index += 1
            while index < len(rows) and rows[index].rstrip() != fence.group(1):
                index += 1
            word = fence.group(2)
            kind = word if word in {"check", "log"} else "code"
            yield Piece(kind, "\n".join(rows[begin + 1 : index]), first_line + begin + 1)
        else:
            while index < len(rows) and "</figure>" not in rows[index]:
                index += 1
            yield Piece("figure", "\n".join(rows[begin : index + 1]), first_line + begin)
        index += 1
        start = first_line + index
    if any(row.strip() for row in kept):
        yield Piece("prose", "\n".join(kept), start)


def read_lesson(path: Path, *, name: str, findings: Findings) -> Lesson | None:
    """Read and check one lesson file; `name` is how findings call it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        findings.error(name, 1, "the file is not there or is not UTF-8 text.")
        return None
    cut = split_front(text)
    if cut is None:
        findings.error(name, 1, "a lesson begins with front matter between two lines “---”.")
        return None
    front_text, body, body_line = cut
    front = read_form(front_text, LessonFront, file=name, findings=findings, first_line=2)
    if front is None:
        return None
    lesson = Lesson(front=front, body=body, body_line=body_line)
    return lesson if _check_body(lesson, name, findings) else None


def _check_body(lesson: Lesson, name: str, findings: Findings) -> bool:
    """Collect what is wrong with the text; False when it cannot even be shown."""
    showable = True
    title = re.search(r"^# (.+)$", lesson.body, flags=re.MULTILINE)
    if title is None:
        findings.error(name, lesson.body_line, "the text begins with its title, “# …”.")
    elif title.group(1).strip() != lesson.title:
        findings.error(
            name, lesson.body_line, f"the heading “{title.group(1)}” is not the lesson's title."
        )
    checks = 0
    for piece in pieces(lesson.body, lesson.body_line):
        if piece.kind == "check":
            checks += 1
            showable &= _check_question(piece, name, findings)
        elif piece.kind == "figure":
            _check_figure(piece, name, findings)
        elif piece.kind == "prose":
            _check_prose(piece, name, findings)
    if not MIN_CHECKS <= checks <= MAX_CHECKS:
        findings.error(
            name,
            lesson.body_line,
            f"a lesson holds {MIN_CHECKS} to {MAX_CHECKS} check questions; this one has {checks}.",
        )
    _check_marks(lesson, name, findings)
    if not re.search(r"^## Your decision\s*$", lesson.body, flags=re.MULTILINE):
        findings.error(name, lesson.body_line, "the part “## Your decision” is missing.")
    _check_words(lesson, name, findings)
    return showable


def _check_question(piece: Piece, name: str, findings: Findings) -> bool:
    form = read_form(piece.text, CheckForm, file=name, findings=findings, first_line=piece.line)
    if form is None:
        return False
    keys = sum(option.key for option in form.options)
    if keys != 1:
        findings.error(name, piece.line, f"a check question has one key; this one has {keys}.")
    if len(form.options) < 2:
        findings.error(name, piece.line, "a check question has at least two options.")
    if len({option.text for option in form.options}) < len(form.options):
        findings.error(name, piece.line, "two options of this question say the same.")
    for option in form.options:
        if option.key and not option.why:
            findings.error(name, piece.line, f"the key “{option.text}” does not say why.")
        if not option.key and not option.but:
            findings.error(
                name, piece.line, f"the option “{option.text}” does not say what speaks against it."
            )
    return keys == 1


def _check_figure(piece: Piece, name: str, findings: Findings) -> None:
    if "</figure>" not in piece.text:
        findings.error(name, piece.line, "this figure is not closed with </figure>.")
        return
    try:
        root = ElementTree.fromstring(piece.text)  # noqa: S314 - the author's own file, no entities used
    except ElementTree.ParseError as error:
        line = piece.line + error.position[0] - 1
        findings.error(name, line, f"the figure is not well-formed XML ({error.msg}).")
        return
    drawing = root.find(f".//{_SVG}svg")
    if drawing is None:
        drawing = root.find(".//svg")
    if drawing is None:
        findings.error(name, piece.line, "a figure holds an inline <svg>.")
        return
    for tag in ("title", "desc"):
        told = drawing.find(f"{_SVG}{tag}")
        told = drawing.find(tag) if told is None else told
        if told is None or not "".join(told.itertext()).strip():
            findings.error(name, piece.line, f"the drawing has no <{tag}>, or an empty one.")
    if drawing.get("viewBox") is None:
        findings.error(name, piece.line, "the drawing has no viewBox.")
    for element in root.iter():
        tag = str(element.tag).removeprefix(_SVG)
        for attribute in element.attrib:
            if attribute == "style" or attribute.startswith("on"):
                findings.error(
                    name, piece.line, f"<{tag}> has the attribute “{attribute}”, which is refused."
                )
        if tag in {"script", "style", "foreignObject", "image", "use", "animate"}:
            findings.error(name, piece.line, f"<{tag}> is not allowed in a figure.")


def _check_prose(piece: Piece, name: str, findings: Findings) -> None:
    for offset, row in enumerate(piece.text.splitlines()):
        outside_code = re.sub(r"`[^`]*`", "", row)
        if re.search(r"<[A-Za-z/!][^>]*>", outside_code):
            findings.error(
                name, piece.line + offset, "raw HTML is shown as text; only <figure> is drawn."
            )
        if re.search(r"!\[[^\]]*\]\(", outside_code):
            findings.error(name, piece.line + offset, "pictures are not loaded; draw a <figure>.")


def _check_marks(lesson: Lesson, name: str, findings: Findings) -> None:
    numbers = source_numbers(lesson.front.sources)
    used: set[str] = set()
    for offset, row in enumerate(lesson.body.splitlines()):
        for mark in re.findall(r"\[\^([\w-]+)\]", row):
            used.add(mark)
            if mark not in numbers:
                findings.error(
                    name,
                    lesson.body_line + offset,
                    f"“[^{mark}]” names no source in the front matter.",
                )
    for source in lesson.front.sources:
        if source.id not in used:
            findings.hint(name, 1, f"the source “{source.id}” is never referred to.")


def _check_words(lesson: Lesson, name: str, findings: Findings) -> None:
    reading = measure(plain_prose(lesson.body))
    words = words_read(lesson.body)
    if not MIN_WORDS <= words <= MAX_WORDS:
        findings.error(
            name,
            lesson.body_line,
            f"a lesson has {MIN_WORDS} to {MAX_WORDS:,} words; a learner reads {words:,} here.",
        )
    if reading.grade > MAX_GRADE:
        findings.error(
            name,
            lesson.body_line,
            f"the reading grade is {reading.grade}; {MAX_GRADE:g} is the limit. "
            f"Begin with the longest sentence: “{reading.longest[:90]}…”.",
        )


def words_read(body: str) -> int:
    """Words a learner reads before answering: prose, tables, stems and options; no logs, no notes.

    Explanations after an answer and the lines of a log are looked at, not read through.
    """
    count = 0
    for piece in pieces(body):
        if piece.kind == "prose":
            count += _count(piece.text)
        elif piece.kind == "check":
            try:
                value = strict_yaml.load(piece.text)
                count += _count(value["stem"])
                count += sum(_count(option["text"]) for option in value["options"])
            except (strict_yaml.BadYaml, KeyError, TypeError):
                continue
    return count


def _count(text: object) -> int:
    if not isinstance(text, str):
        return 0
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def source_numbers(sources: tuple[Source, ...]) -> dict[str, int]:
    """Sources are numbered in the order in which the front matter lists them."""
    return {source.id: number for number, source in enumerate(sources, start=1)}


def lesson_from_document(document: Mapping[str, Json]) -> Lesson:
    """The lesson again, from what was stored."""
    sources = tuple(Source(**row) for row in document["sources"])
    front = LessonFront(
        id=document["id"],
        title=document["title"],
        course=document["course"],
        minutes=document["minutes"],
        competencies=tuple(document["competencies"]),
        sources=sources,
        invented=tuple(document["invented"]),
    )
    return Lesson(front=front, body=document["body"])


@lru_cache(maxsize=256)
def show(lesson: Lesson) -> ShownLesson:
    """Render a checked lesson. Pure, so the same lesson is rendered once in a process."""
    numbers = source_numbers(lesson.front.sources)
    used = {f"source-{number}" for number in numbers.values()}
    body = re.sub(r"\A\s*# .+\n", "", lesson.body)
    main, _, decision = body.partition("\n## Your decision")
    counter = iter(range(1, 100))
    return ShownLesson(
        id=lesson.id,
        title=lesson.title,
        minutes=lesson.front.minutes,
        competencies=lesson.front.competencies,
        parts=tuple(_show_piece(piece, numbers, used, counter) for piece in pieces(main)),
        decision=tuple(_show_piece(piece, numbers, used, counter) for piece in pieces(decision)),
        sources=tuple(
            (number, rendering.render_inline(source.text), source.url)
            for number, source in enumerate(lesson.front.sources, start=1)
        ),
    )


def render_text(markdown: str) -> str:
    """Markdown with logs and figures, without check questions: briefs and discussions."""
    used: set[str] = set()
    parts = (_show_piece(piece, {}, used, iter(())) for piece in pieces(markdown))
    return "\n".join(part.html for part in parts)


def _show_piece(
    piece: Piece, numbers: Mapping[str, int], used: set[str], counter: Iterator[int]
) -> ShownPart:
    if piece.kind == "figure":
        return ShownPart(html=rendering.render_figure(piece.text))
    if piece.kind == "log":
        return ShownPart(html=rendering.render_log(piece.text))
    if piece.kind == "code":
        return ShownPart(html=rendering.render_markdown(f"```\n{piece.text}\n```"))
    if piece.kind == "check":
        return ShownPart(check=_show_check(piece, numbers, next(counter)))
    return ShownPart(html=rendering.render_markdown(piece.text, sources=numbers, used_ids=used))


def _show_check(piece: Piece, numbers: Mapping[str, int], number: int) -> ShownCheck:
    form = read_form(piece.text, CheckForm, file="", findings=Findings())
    if form is None:
        raise ValueError("a lesson is rendered after it was checked")
    options = []
    for option in form.options:
        note = option.why if option.key else option.but
        options.append(
            ShownOption(
                html=rendering.render_inline(option.text, sources=numbers),
                key=option.key,
                note=rendering.render_inline(note, sources=numbers),
            )
        )
    return ShownCheck(
        number=number,
        stem=rendering.render_markdown(form.stem, sources=numbers),
        options=tuple(options),
    )


def document_text(document: Mapping[str, Json]) -> str:
    """A document as JSON text that keeps the order of keys: in a world the order of the faults
    decides which draws they get, so two orders are two documents."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def document_digest(document: Mapping[str, Json]) -> str:
    """SHA-256 of the document's text, 64 hexadecimal digits."""
    return hashlib.sha256(document_text(document).encode()).hexdigest()


def plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
