"""What the prompt workbench shows: rules as they were read, cases as they were run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from checkride.lib.errors import DomainError
from courses import labelling, practice
from courses.authoring.curriculum import Exercise
from courses.grading.contract import CaseResult, CriterionResult, GradeReport
from courses.grading.prompt import LENGTH
from courses.simulators.prompts.agent import deciding_rules

Json = Any

KEPT_S = 24 * 60 * 60
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
class Choice:
    """One entry of a filter."""

    value: str
    says: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """The cases that the filters leave, and the filters. `query` keeps them in a link."""

    rows: tuple[CaseRow, ...]
    show: str
    part: str
    rule: str
    rules: tuple[Choice, ...]
    wrong: int
    changed: int
    all: int
    chosen: CaseRow | None
    before: CaseRow | None
    after: CaseRow | None
    next_wrong: CaseRow | None
    query: str
    rest: str  # the filters beside `show`, to be added to it


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
    budget = (reading or {}).get("budget")
    if not budget:
        return said + "."
    facts = {"n": f"{budget['characters']:,}", "most": f"{budget['most']:,}"}
    over = budget["characters"] - budget["most"]
    if over > 0:
        return (
            said
            + ". "
            + _("%(n)s of %(most)s characters: %(over)s too many.") % {**facts, "over": f"{over:,}"}
        )
    return said + ". " + _("%(n)s of %(most)s characters.") % facts


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
    examined: Mapping[str, labelling.Outcome],
) -> dict[str, Json]:
    """What the template needs beyond what every exercise page has."""
    rows = cards(reading)
    document = exercise.document
    found: dict[str, Json] = {
        "tools": (document.get("agent") or {}).get("tools", []),
        "pass_mark": _pass_mark(document),
        "cases_in_all": len(document.get("cases", [])),
        "budget": (document.get("budget") or {}).get("characters"),
        "cards": rows + missing(report),
        "count": count(rows),
        "marks_json": json.dumps([mark.json for mark in marks(reading)]),
        "foot": foot(reading) if reading else "",
    }
    if report is None or report.problems:
        return found
    grid = _grid(exercise, report, earlier, history, query)
    return found | {
        "grid": grid,
        "parts": parts(report),
        "requirements": requirements(report, history, examined),
        "examined": examined,
        "since": _since(report, earlier, history) if earlier is not None else None,
        "edit": _edit(report, grid),
    }


def _pass_mark(document: Mapping[str, Json]) -> int:
    rule = document.get("pass", 70)
    return int(rule.get("score", 70)) if isinstance(rule, dict) else int(rule)


def _grid(
    exercise: Exercise,
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
    rows = [
        CaseRow(
            number=number,
            case=case,
            open=case.shown or opened,
            change=_change_words(changes.get(case.id, "")),
            change_look={"fixed": "ok", "broken": "bad"}.get(changes.get(case.id, ""), ""),
            chosen=case.id == query.get("case"),
        )
        for number, case in numbered
    ]
    show = query.get("show", "all")
    show = show if show in {"wrong", "changed"} else "all"
    part = query.get("part", "")
    part = part if part in {"shown", "hidden"} else ""
    decided = _decided(exercise)
    # Only rules that the page tells may be asked for.
    told = [one.row for one in requirements(report, history) if one.told and one.row.id != LENGTH]
    rule = query.get("rule", "")
    rule = rule if any(row.id == rule for row in told) else ""
    kept = [
        row
        for row in rows
        if (show != "wrong" or not row.case.passed)
        and (show != "changed" or row.change_look)
        and (not part or row.case.shown == (part == "shown"))
        and (not rule or rule in decided.get(row.case.id, ()))
    ]
    if not any(row.chosen for row in rows) and (kept or rows):
        first = (kept or rows)[0].case.id
        rows = [replace(row, chosen=row.case.id == first) for row in rows]
        kept = [replace(row, chosen=row.case.id == first) for row in kept]
    place = next((i for i, row in enumerate(kept) if row.chosen), None)
    beside = urlencode([(name, value) for name, value in (("part", part), ("rule", rule)) if value])
    rest = f"&{beside}" if beside else ""
    return Grid(
        rows=tuple(kept),
        show=show,
        part=part,
        rule=rule,
        rules=tuple(Choice(row.id, row.says, row.id == rule) for row in told),
        wrong=sum(not row.case.passed for row in rows),
        changed=sum(bool(row.change_look) for row in rows),
        all=len(rows),
        chosen=next((row for row in rows if row.chosen), None),
        before=kept[place - 1] if place else None,
        after=kept[place + 1] if place is not None and place + 1 < len(kept) else None,
        next_wrong=_next_wrong(kept, place),
        query=f"show={show}{rest}",
        rest=rest,
    )


def _next_wrong(rows: Sequence[CaseRow], place: int | None) -> CaseRow | None:
    """The next case that went wrong after the one that is open, from the start again at the end."""
    start = 0 if place is None else place + 1
    turned = [*rows[start:], *rows[:start]]
    return next((row for row in turned if not row.case.passed and not row.chosen), None)


def _decided(exercise: Exercise) -> Mapping[str, Sequence[str]]:
    """Which requirements decide which case; empty for an exercise that cannot be run any more."""
    key = f"courses.decides.{exercise.digest}"
    known: dict[str, Sequence[str]] | None = cache.get(key)
    if known is None:
        try:
            known = dict(deciding_rules(exercise.document))
        except (DomainError, KeyError):
            known = {}
        cache.set(key, known, timeout=KEPT_S)
    return known


def _change_words(change: str) -> str:
    return {
        "fixed": _("fixed"),
        "broken": _("broken"),
        "still wrong": _("still wrong"),
        "same": _("same"),
        "new": _("new"),
    }.get(change, "")


@dataclass(frozen=True, slots=True)
class Since:
    """What became better and worse since the run before, or since the text that was given."""

    fixed: Sequence[CaseRow]
    broken: Sequence[CaseRow]
    lost: Sequence[str]  # rules that were met and are not any more


def _since(report: GradeReport, earlier: GradeReport, history: practice.History) -> Since:
    opened = history.shows_hidden()
    changes = practice.changes(report.cases, earlier.cases)

    def rows(change: str) -> list[CaseRow]:
        return [
            CaseRow(number, case, case.shown or opened, "", "", chosen=False)
            for number, case in enumerate(report.cases, start=1)
            if changes[case.id] == change
        ]

    met = {row.id for row in earlier.criteria if row.verdict == "met"}
    return Since(
        fixed=rows("fixed"),
        broken=rows("broken"),
        lost=[row.says for row in report.criteria if row.id in met and row.verdict != "met"],
    )


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
    examined: labelling.Outcome | None = None

    @property
    def verdict(self) -> str:
        if self.row.id == LENGTH:
            return _("Kept") if self.row.verdict == "met" else _("Too long")
        return str(VERDICT_WORDS[self.row.verdict])


def requirements(
    report: GradeReport,
    history: practice.History,
    examined: Mapping[str, labelling.Outcome] | None = None,
) -> list[Requirement]:
    """What the exercise asked for. Finding it is the task, so what no line says stays hidden
    until the hidden cases open. `examined` is what examiners decided afterwards."""
    opened = history.shows_hidden()
    return [
        Requirement(row, opened or row.verdict != "absent", (examined or {}).get(row.id))
        for row in report.criteria
    ]


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
