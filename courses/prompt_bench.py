"""What the prompt workbench shows: rules as they were read, cases as they were run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses import practice
from courses.authoring.curriculum import Exercise
from courses.grading.contract import CaseResult, CriterionResult, GradeReport
from courses.models import Submission

Json = Any

Look = Literal["rule", "unread", "missing", "against"]
VERDICT_WORDS = {
    "met": gettext_lazy("Met"),
    "partly": gettext_lazy("Partly"),
    "absent": gettext_lazy("No line says it"),
    "contradicted": gettext_lazy("Says the opposite"),
    "unsure": gettext_lazy("Not sure"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One row beside the editor: when this, do that, because of which line."""

    look: Look
    when: str
    then: str
    line: int | None
    must: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in the margin of the editor."""

    line: int
    mark: Literal["rule", "unread", "bad"]
    say: str

    @property
    def json(self) -> dict[str, Json]:
        return {"line": self.line, "mark": self.mark, "say": self.say}


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in the grid. A case that is not open shows what was done, not what was written."""

    number: int
    case: CaseResult
    open: bool
    change: str
    change_look: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """The smallest edit that helps: a sentence, where to put it, and what it was seen to do.

    `replaces` is the line it stands in for; None when it is added after `after`.
    """

    sentence: str
    after: int
    replaces: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Grid:
    rows: tuple[CaseRow, ...]
    show: str
    wrong: int
    changed: int
    all: int
    chosen: CaseRow | None


# The reading -----------------------------------------------------------------------------------


def cards(reading: Json) -> list[Card]:
    """Rules that were read, in the order of the lines, then lines that gave none."""
    if not reading:
        return []
    found = [_card(row) for row in reading.get("cards", [])]
    return sorted(found, key=lambda card: (card.line is None, card.line or 0))


def _card(row: Mapping[str, Json]) -> Card:
    look: Look = "rule" if row["state"] == "ok" else "unread"
    if row.get("opposite"):
        look = "against"
    when = row["condition"] or row.get("text", "")
    return Card(look=look, when=when, then=row["action"], line=row.get("line") or None)


def missing(report: GradeReport | None) -> list[Card]:
    """What no line says, musts first; told after a run, since finding it is the exercise."""
    rows = report.details.get("missing", []) if report is not None else []
    found = [
        Card(look="missing", when=row["says"], then="", line=None, must=bool(row.get("must")))
        for row in rows
    ]
    return sorted(found, key=lambda card: not card.must)


def marks(reading: Json) -> list[Mark]:
    """Marks for the margin: lines that give rules, and lines that were not understood."""
    if not reading:
        return []
    found = []
    against = {row["line"] for row in reading.get("cards", []) if row.get("opposite")}
    for row in reading.get("lines", []):
        if row["line"] in against:
            found.append(Mark(row["line"], "bad", _("says the opposite of the brief")))
        elif row["state"] == "ok":
            found.append(Mark(row["line"], "rule", row.get("says") or _("gives a rule")))
        elif row["state"] == "unsure":
            found.append(Mark(row["line"], "unread", row.get("says") or _("not understood")))
    return found


def foot(reading: Json) -> str:
    """One line under the editor: how much of the text was understood."""
    found = marks(reading)
    rules = sum(mark.mark == "rule" for mark in found)
    unread = sum(mark.mark == "unread" for mark in found)
    said = ngettext("%(n)s line gives a rule", "%(n)s lines give rules", rules) % {"n": rules}
    if unread:
        said += ngettext(", %(n)s was not understood", ", %(n)s were not understood", unread) % {
            "n": unread
        }
    return said + "."


def count(rows: Sequence[Card]) -> str:
    rules = sum(card.look == "rule" for card in rows)
    return ngettext("%(n)s rule", "%(n)s rules", rules) % {"n": rules}


# The run ---------------------------------------------------------------------------------------


def context(
    exercise: Exercise,
    reading: Json,
    report: GradeReport | None,
    earlier: GradeReport | None,
    history: practice.History,
    query: QueryDict,
    shown: Submission | None,
) -> dict[str, Json]:
    """What the template needs beyond what every exercise page has."""
    rows = cards(reading)
    document = exercise.document
    found: dict[str, Json] = {
        "tools": (document.get("agent") or {}).get("tools", []),
        "pass_mark": _pass_mark(document),
        "cases_in_all": len(document.get("cases", [])),
        "cards": rows + missing(report),
        "count": count(rows),
        "marks_json": json.dumps([mark.json for mark in marks(reading)]),
        "foot": foot(reading) if reading else "",
    }
    if report is None or report.problems:
        return found
    grid = _grid(report, earlier, history, query)
    return found | {
        "grid": grid,
        "parts": parts(report),
        "requirements": requirements(report, history),
        "since": _since(report, earlier) if earlier is not None else None,
        "edit": _edit(report, grid),
    }


def _pass_mark(document: Mapping[str, Json]) -> int:
    rule = document.get("pass", 70)
    return int(rule.get("score", 70)) if isinstance(rule, dict) else int(rule)


def _grid(
    report: GradeReport,
    earlier: GradeReport | None,
    history: practice.History,
    query: QueryDict,
) -> Grid:
    opened = history.shows_hidden()
    changes = practice.changes(report.cases, earlier.cases) if earlier is not None else {}
    numbered = list(enumerate(report.cases, start=1))
    # Failing cases first; among equals the order of the exercise.
    numbered.sort(key=lambda pair: pair[1].passed)
    wanted = query.get("case") or next((case.id for _n, case in numbered if not case.passed), "")
    if not any(case.id == wanted for _n, case in numbered):
        wanted = numbered[0][1].id if numbered else ""
    rows = [
        CaseRow(
            number=number,
            case=case,
            open=case.shown or opened,
            change=_change_words(changes.get(case.id, "")),
            change_look={"fixed": "ok", "broken": "bad"}.get(changes.get(case.id, ""), ""),
            chosen=case.id == wanted,
        )
        for number, case in numbered
    ]
    show = query.get("show", "all")
    kept = {
        "wrong": [row for row in rows if not row.case.passed],
        "changed": [row for row in rows if changes.get(row.case.id) in {"fixed", "broken"}],
    }.get(show, rows)
    return Grid(
        rows=tuple(kept),
        show=show if show in {"wrong", "changed"} else "all",
        wrong=sum(not row.case.passed for row in rows),
        changed=sum(changes.get(row.case.id) in {"fixed", "broken"} for row in rows),
        all=len(rows),
        chosen=next((row for row in rows if row.chosen), None),
    )


def _change_words(change: str) -> str:
    return {
        "fixed": _("fixed"),
        "broken": _("broken"),
        "still wrong": _("still wrong"),
        "same": _("same"),
        "new": _("new"),
    }.get(change, "")


def _since(report: GradeReport, earlier: GradeReport) -> dict[str, int]:
    changes = list(practice.changes(report.cases, earlier.cases).values())
    return {"fixed": changes.count("fixed"), "broken": changes.count("broken")}


def parts(report: GradeReport) -> list[tuple[str, str]]:
    """The score in its parts: requirements in points, cases in numbers."""
    rows = report.details["parts"]
    asked, cases = rows["requirements"], rows["cases"]
    return [
        (
            _("Requirements, %(share)s %%") % {"share": asked["share"]},
            _("%(points)s of %(possible)s points")
            % {"points": f"{asked['points']:g}", "possible": f"{asked['possible']:g}"},
        ),
        (
            _("Cases, %(share)s %%") % {"share": cases["share"]},
            _("%(right)s of %(all)s right") % {"right": cases["passed"], "all": cases["total"]},
        ),
    ]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement in the result. Before the hidden part opens an unmet one is not spelled out."""

    row: CriterionResult
    told: bool

    @property
    def verdict(self) -> str:
        return str(VERDICT_WORDS[self.row.verdict])


def requirements(report: GradeReport, history: practice.History) -> list[Requirement]:
    """What the exercise asked for. Finding it is the task, so what no line says stays hidden
    until the hidden cases open."""
    opened = history.shows_hidden()
    return [Requirement(row=row, told=opened or row.verdict != "absent") for row in report.criteria]


def _edit(report: GradeReport, grid: Grid) -> Edit | None:
    row = report.details.get("counterfactual")
    if not row:
        return None
    numbers = {case.id: number for number, case in enumerate(report.cases, start=1)}
    fixed = [numbers[name] for name in row["cases_fixed"] if name in numbers]
    broken = [numbers[name] for name in row["cases_broken"] if name in numbers]
    facts = {"all": grid.all, "score": row["score"]}
    said = _("Tried on all %(all)s cases: ") % facts
    said += (
        ngettext("case %(list)s passes", "cases %(list)s pass", len(fixed))
        % {"list": _listed(fixed)}
        if fixed
        else _("no further case passes")
    )
    said += (
        ngettext(", case %(list)s breaks", ", cases %(list)s break", len(broken))
        % {"list": _listed(broken)}
        if broken
        else _(", nothing breaks")
    )
    said += _(", score %(score)s.") % facts
    return Edit(
        sentence=row["sentence"],
        after=int(row["after_line"]),
        replaces=row.get("replaces_line"),
        says=said,
    )


def _listed(numbers: Sequence[int]) -> str:
    words = [str(number) for number in numbers]
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}
