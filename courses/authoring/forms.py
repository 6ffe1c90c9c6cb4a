"""The forms of the content files, as frozen dataclasses, and how YAML is read into them.

A form is a dataclass; `read_form` checks a parsed YAML value against it, refuses unknown and
missing keys, and answers each fault with the line it stands on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Le
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from checkride.lib import strict_yaml
from courses.authoring.findings import Findings

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
CompetencyId = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{1,2}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Minutes = Annotated[int, Ge(1), Le(6000)]

_STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class Source:
    __pydantic_config__ = _STRICT
    id: str
    text: Sentence
    url: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    __pydantic_config__ = _STRICT
    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]
    name: Sentence
    summary: Sentence


@dataclass(frozen=True, slots=True)
class Levels:
    __pydantic_config__ = _STRICT
    foundation: Sentence
    practitioner: Sentence
    lead: Sentence


@dataclass(frozen=True, slots=True)
class Competency:
    """Something a person can do. `statement` continues the words "The holder"."""

    __pydantic_config__ = _STRICT
    id: CompetencyId
    domain: str
    statement: Sentence
    levels: Levels
    safety_domains: tuple[Slug, ...] = ()
    pai8: tuple[Slug, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A safety domain or an organisational control; `source` names one of the sources."""

    __pydantic_config__ = _STRICT
    id: Slug
    name: Sentence
    summary: Sentence
    source: str = ""


@dataclass(frozen=True, slots=True)
class Framework:
    __pydantic_config__ = _STRICT
    checkride: Literal["framework/1"]
    version: Sentence
    domains: tuple[Domain, ...]
    competencies: tuple[Competency, ...]
    safety_domains: tuple[Area, ...]
    organisational_controls: tuple[Area, ...]
    title: str = "Managing AI agents"
    summary: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class DayEntry:
    __pydantic_config__ = _STRICT
    at: Sentence
    does: Sentence


@dataclass(frozen=True, slots=True)
class PreviousJob:
    __pydantic_config__ = _STRICT
    job: Sentence
    brings: Sentence
    missing: Sentence


@dataclass(frozen=True, slots=True)
class PathStep:
    """One stop on the way: exactly one of a course, an exam and a capstone."""

    __pydantic_config__ = _STRICT
    course: str = ""
    exam: str = ""
    capstone: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class TrackCredential:
    __pydantic_config__ = _STRICT
    name: Sentence
    achievement: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """A role's ordered path. `order` is its place in the catalogue, small numbers first."""

    __pydantic_config__ = _STRICT
    checkride: Literal["track/1"]
    id: Slug
    name: Sentence
    roles: tuple[Sentence, ...]
    summary: Sentence
    stresses: tuple[str, ...]
    day: tuple[DayEntry, ...]
    employers_ask: tuple[Sentence, ...]
    you_already_have: tuple[PreviousJob, ...]
    path: tuple[PathStep, ...]
    hours: Annotated[int, Ge(1), Le(1000)]
    credential: Sentence | TrackCredential
    sources: tuple[Source, ...] = ()
    order: int = 100

    @property
    def credential_name(self) -> str:
        return self.credential if isinstance(self.credential, str) else self.credential.name


@dataclass(frozen=True, slots=True)
class CourseForm:
    """`course.yaml`: the course without the texts of its lessons and exercises."""

    __pydantic_config__ = _STRICT
    checkride: Literal["course/1"]
    id: Slug
    letter: Annotated[str, StringConstraints(pattern=r"^[A-Z]$")]
    title: Sentence
    summary: Sentence
    for_whom: Sentence
    state: Literal["open", "planned"]
    lessons: tuple[str, ...]
    exercises: tuple[str, ...]
    competencies: tuple[CompetencyId, ...]
    minutes: Annotated[int, Ge(0), Le(6000)]
    outcomes: tuple[Sentence, ...]
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    __pydantic_config__ = _STRICT
    term: Sentence
    means: Sentence
    also: tuple[Sentence, ...] = ()
    lesson: str = ""
    # An everyday word, such as “check”, that would be a link in every second line.
    everyday: bool = False


@dataclass(frozen=True, slots=True)
class Glossary:
    __pydantic_config__ = _STRICT
    terms: tuple[Term, ...]
    checkride: Literal["glossary/1"] = "glossary/1"


@dataclass(frozen=True, slots=True)
class LessonFront:
    """The front matter of a lesson."""

    __pydantic_config__ = _STRICT
    id: Slug
    title: Sentence
    course: str
    minutes: Minutes
    competencies: tuple[CompetencyId, ...]
    sources: tuple[Source, ...] = ()
    invented: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class ExerciseHead:
    """What every `exercise.yaml` has, whatever its kind; its grader knows the rest."""

    __pydantic_config__ = ConfigDict(extra="ignore", str_strip_whitespace=True)
    checkride: Literal["exercise/1"]
    kind: Sentence
    id: Slug
    title: Sentence
    brief: Sentence
    competencies: tuple[CompetencyId, ...]
    references: dict[str, str]
    minutes: Minutes | None = None
    discussion: str = ""
    starter: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer. A wrong one says what tempts and what speaks against it, the key says why."""

    __pydantic_config__ = _STRICT
    text: Sentence
    key: bool = False
    why: str = ""
    tempts: str = ""
    but: str = ""


@dataclass(frozen=True, slots=True)
class CheckForm:
    """A check question inside a lesson."""

    __pydantic_config__ = _STRICT
    stem: Sentence
    options: tuple[Option, ...] = field(default_factory=tuple)
    id: str = ""


@dataclass(frozen=True, slots=True)
class PlacementItem:
    """A question of the placement check: what a course teaches, asked of a newcomer."""

    __pydantic_config__ = _STRICT
    id: Slug
    course: Slug
    lesson: Slug
    stem: Sentence
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class PlacementForm:
    """`placement.yaml`: the same number of questions for each course, in the order of teaching."""

    __pydantic_config__ = _STRICT
    checkride: Literal["placement/1"]
    items: tuple[PlacementItem, ...]


F = TypeVar("F")
Lines = Mapping[tuple[str | int, ...], int]


@cache
def _adapter(form: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def line_numbers(text: str, first_line: int = 1) -> Lines:
    """For each place in a YAML document the line it starts on, counted from `first_line`."""
    return {place: line + first_line - 1 for place, line in strict_yaml.line_numbers(text).items()}


def read_form(
    text: str, form: type[F], *, file: Path | str, findings: Findings, first_line: int = 1
) -> F | None:
    """Read YAML `text` as `form`; None when it cannot be, with the reasons in `findings`."""
    try:
        value = strict_yaml.load(text)
    except strict_yaml.BadYaml as error:
        findings.error(file, error.line + first_line - 1, error.problem)
        return None
    try:
        return _adapter(form).validate_python(value)  # type: ignore[no-any-return, arg-type]
    except ValidationError as error:
        lines = line_numbers(text, first_line)
        for row in error.errors(include_url=False):
            place = tuple(row["loc"])
            findings.error(file, _nearest(lines, place, first_line), _sentence(row))
        return None


def _nearest(lines: Lines, place: tuple[int | str, ...], first_line: int) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, first_line)


def _sentence(row: Any) -> str:
    place = tuple(row["loc"])
    name = next((str(step) for step in reversed(place) if isinstance(step, str)), "this file")
    kind = row["type"]
    if kind == "missing":
        return f"the key “{name}” is missing."
    if kind == "unexpected_keyword_argument" or kind == "extra_forbidden":
        return f"the key “{name}” is not known here."
    if kind == "string_pattern_mismatch":
        return f"“{row['input']}” is not a valid “{name}” (pattern {row['ctx']['pattern']})."
    if kind == "string_too_short":
        return f"“{name}” is empty."
    if kind == "literal_error":
        return f"“{name}” must be {row['ctx']['expected']}, not “{row['input']}”."
    if kind.startswith("string"):
        return f"“{name}” must be a text; put it in quotes."
    if kind.startswith("tuple"):
        return f"“{name}” must be a list."
    return f"“{name}”: {row['msg'][0].lower()}{row['msg'][1:]}."
