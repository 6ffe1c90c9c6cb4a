"""What the public pages say about the product, read from the product itself."""

from __future__ import annotations

from dataclasses import dataclass

from courses import catalog
from exams import preparation
from exams.assembly.blueprint import Blueprint

FOUNDATIONS = "foundations"


@dataclass(frozen=True)
class DomainFacts:
    """A domain of the framework with the first and last id of its competencies."""

    id: str
    name: str
    summary: str
    first: str
    last: str


def domains() -> tuple[DomainFacts, ...]:
    rows = []
    for domain in catalog.framework().domains:
        ids = [row.id for row in catalog.competencies() if row.domain == domain.id]
        if ids:
            rows.append(DomainFacts(domain.id, domain.name, domain.summary, ids[0], ids[-1]))
    return tuple(rows)


@dataclass(frozen=True)
class CourseCount:
    """How many courses hold lessons today, of all that the tracks name."""

    open: int
    all: int


def course_count() -> CourseCount:
    states = [course.form.state for course in catalog.courses()]
    return CourseCount(open=states.count("open"), all=len(states))


def foundations_exam() -> Blueprint | None:
    """The specification that new attempts follow; None before the items are loaded."""
    try:
        return preparation.current_blueprint(FOUNDATIONS).blueprint
    except preparation.UnknownExam:
        return None
