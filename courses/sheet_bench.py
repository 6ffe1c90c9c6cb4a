"""What the page of a sheet shows: its fields in groups, and what came of the answers.

A sheet is filled in with radio buttons and lists; the page makes the text that is graded. It works
without scripts, and nothing on it is drawn by a script.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from courses import practice
from courses.authoring.curriculum import Exercise
from courses.grading import GRADERS
from courses.grading.contract import CaseResult, CriterionResult, GradeReport, TraceStep
from courses.grading.sheet import Field, read_sheet, sheet_text

Json = Any
KINDS: Final = ("run_log", "record_review", "plan_table")


@dataclass(frozen=True, slots=True)
class Choice:
    """One field as it stands on the page."""

    field: Field
    chosen: str
    column: str = ""

    @property
    def options(self) -> tuple[tuple[str, str, bool], ...]:
        """(value, text, whether it is chosen)."""
        return tuple((value, text, value == self.chosen) for value, text in self.field.options)


@dataclass(frozen=True, slots=True)
class Group:
    """What belongs together: a log, a record, a question or a row of a plan."""

    id: str
    title: str
    given: str
    choices: tuple[Choice, ...]
    case: CaseResult | None
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A case with what may be shown of it: what is right opens on a pass or after three runs."""

    case: CaseResult
    steps: tuple[TraceStep, ...]
    kept_back: bool


def is_sheet(exercise: Exercise) -> bool:
    return exercise.kind in KINDS


def fields(document: Mapping[str, Json]) -> tuple[Field, ...]:
    found: tuple[Field, ...] = importlib.import_module(GRADERS[document["kind"]]).fields(document)
    return found


def text_of(exercise: Exercise, sent: Mapping[str, str]) -> str:
    """The text of what a form sent; a `text` that was sent in place of fields stays as it is."""
    wanted = fields(exercise.document)
    answers = {field.name: sent.get(field.name, "") for field in wanted}
    if any(answers.values()) or "text" not in sent:
        return sheet_text(answers, wanted)
    return sent["text"]


def context(
    exercise: Exercise, text: str, report: GradeReport | None, history: practice.History
) -> dict[str, Json]:
    """What the template needs beyond what every exercise page has."""
    document = exercise.document
    wanted = fields(document)
    answers = read_sheet(text, wanted).answers
    opened = history.shows_hidden()
    cases = {case.id: case for case in report.cases} if report is not None else {}
    groups = _groups(document, wanted, answers, cases)
    return {
        "kind": exercise.kind,
        "groups": groups,
        "questions": [row for row in groups if row.id in _question_ids(document)],
        "columns": _columns(document),
        "filled": len(answers),
        "fields": len(wanted),
        "summary": document.get("summary", ""),
        "pass_mark": document["pass"]["score"],
        "told": [_told(case, opened=opened) for case in cases.values()],
        "rules": _rules(report),
        "sums": report.details.get("sums", []) if report is not None else [],
        "opened": opened,
        "finding": _without_verdict(report.finding) if report is not None else "",
    }


def _without_verdict(finding: str) -> str:
    """The finding without the word that the page shows in front of it."""
    for word in ("Passed. ", "Not passed: ", "Not passed. ", "Not passed, since "):
        if finding.startswith(word):
            rest = finding.removeprefix(word)
            return rest[:1].upper() + rest[1:]
    return finding


def _question_ids(document: Mapping[str, Json]) -> frozenset[str]:
    return frozenset(row["id"] for row in document.get("questions", ()))


def _columns(document: Mapping[str, Json]) -> list[str]:
    key = "says" if document["kind"] == "plan_table" else "name"
    return [row[key] for row in document.get("columns", ())]


def _groups(
    document: Mapping[str, Json],
    wanted: Sequence[Field],
    answers: Mapping[str, str],
    cases: Mapping[str, CaseResult],
) -> list[Group]:
    columns = {row["id"]: row.get("says", "") for row in document.get("columns", ())}
    by_group: dict[str, list[Choice]] = {}
    for field in wanted:
        group, _dot, column = field.name.partition(".")
        choice = Choice(field, answers.get(field.name, ""), columns.get(column, ""))
        by_group.setdefault(group, []).append(choice)
    words = {
        row["id"]: row
        for key in ("logs", "records", "questions", "rows")
        for row in document.get(key, ())
    }
    return [
        Group(
            id=group,
            title=str(words[group].get("title") or words[group].get("says") or group),
            given=str(words[group].get("given") or words[group].get("says") or ""),
            choices=tuple(choices),
            case=cases.get(group),
            cells=_cells(document, words[group]),
        )
        for group, choices in by_group.items()
    ]


def _cells(document: Mapping[str, Json], row: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """The columns of a record as (name, value)."""
    if document["kind"] != "record_review" or "options" in row:
        return ()
    return tuple((column["name"], _cell(row.get(column["id"]))) for column in document["columns"])


def _cell(value: Json) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _told(case: CaseResult, *, opened: bool) -> Told:
    shown = tuple(step for step in case.steps if step.kind != "key" or opened)
    return Told(case=case, steps=shown, kept_back=len(shown) < len(case.steps))


def _rules(report: GradeReport | None) -> list[CriterionResult]:
    """The rules and musts, broken ones first; single logs and records stand with their cases."""
    if report is None:
        return []
    rows = [row for row in report.criteria if row.must or report.kind == "plan_table"]
    return sorted(rows, key=lambda row: (row.verdict == "met", not row.must))
