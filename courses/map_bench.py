"""What the map workbench shows: the map as it was read, targets, the front, replayed cases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from checkride.lib.html import sanitize_html
from courses import map_forms, practice
from courses.authoring.curriculum import Exercise
from courses.grading.contract import CaseResult, GradeReport
from courses.models import GradeReportRow, Submission
from courses.prompt_bench import Mark
from courses.simulators.workflows.world import World, read_world

Json = Any

BAND_WORDS = {
    "met": gettext_lazy("Met"),
    "close": gettext_lazy("Close"),
    "too high": gettext_lazy("Too high"),
    "too low": gettext_lazy("Too low"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A map that was read: as rows, as sentences and as a drawing. `problems` when it was not."""

    problems: Sequence[Mapping[str, Json]]
    rows: Sequence[Mapping[str, Json]]
    walk: Sequence[str]
    findings: Sequence[Mapping[str, Json]]
    svg: str

    @property
    def by_node(self) -> dict[str, list[Mapping[str, Json]]]:
        found: dict[str, list[Mapping[str, Json]]] = {}
        for row in self.findings:
            if row.get("node"):
                found.setdefault(row["node"], []).append(row)
        return found

    @property
    def steps(self) -> list[tuple[Mapping[str, Json], list[Mapping[str, Json]]]]:
        """Each step with the findings that blame it."""
        by_node = self.by_node
        return [(row, by_node.get(row["id"], [])) for row in self.rows]


EMPTY = Sheet(problems=(), rows=(), walk=(), findings=(), svg="")


def sheet(reading: Json) -> Sheet | None:
    if not reading:
        return None
    return Sheet(
        problems=reading.get("problems", []),
        rows=reading.get("outline", []),
        walk=reading.get("walk_through", []),
        findings=reading.get("findings", []),
        svg=sanitize_html(reading.get("svg", ""), figures=True),
    )


def marks(reading: Json) -> list[Mark]:
    """A mark in the margin for each line that could not be read."""
    if not reading:
        return []
    return [
        Mark(row["line"], "bad", row["message"])
        for row in reading.get("problems", [])
        if row.get("line")
    ]


def foot(sheet: Sheet | None) -> str:
    if sheet is None:
        return ""
    if sheet.problems:
        n = len(sheet.problems)
        return ngettext(
            "%(n)s problem keeps the map from running.",
            "%(n)s problems keep the map from running.",
            n,
        ) % {"n": n}
    ways = sum(len(row["ways"]) for row in sheet.rows)
    return _("%(steps)s steps, %(ways)s ways. Grading reads the model, never the drawing.") % {
        "steps": len(sheet.rows),
        "ways": ways,
    }


@dataclass(frozen=True, slots=True)
class Gauge:
    """Positions on a small scale, in units of its drawing (150 wide)."""

    point: str
    full: str
    zero: str
    band_start: str
    band_width: str


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target. Before the figures open only the band is told."""

    says: str
    band: str
    word: str
    goal: str
    text: str
    points: str
    possible: str
    gauge: Gauge | None
    days: Sequence[str]
    interval: str = ""


@dataclass(frozen=True, slots=True)
class PoolRow:
    """How one group of people fared on the ordinary day: what they had to do and how long one waits."""

    name: str
    staff: int
    load: str
    too_much: bool
    per_case: str
    wait: str
    wait_p90: str
    longest_line: int
    timed_out: str


def pools(details: Mapping[str, Json]) -> list[PoolRow]:
    """Queue and load of each group, on the first day of a report."""
    days = details.get("scenarios") or []
    return [
        PoolRow(
            name=row["name"],
            staff=row["staff"],
            load=f"{row['load'] * 100:.0f} %",
            too_much=row["load"] >= 1,
            per_case=f"{row['visits_per_case']:.2f}",
            wait=f"{row['wait_mean_min']:.1f} min",
            wait_p90=f"{row['wait_p90_min']:.1f} min",
            longest_line=row["longest_line"],
            timed_out=f"{row['timed_out'] * 100:.1f} %",
        )
        for row in (days[0]["pools"] if days else [])
    ]


def interval(low: float, high: float, unit: str) -> str:
    """The 95 % interval of a simulated figure; empty where the figure is exact."""
    if high - low < 1e-9:
        return ""
    if unit == "dollars":
        return f"${low:,.2f} to ${high:,.2f}"
    if unit == "minutes":
        return f"{low:.1f} to {high:.1f} min"
    return f"{low * 100:.1f} to {high * 100:.1f} %"


def context(
    exercise: Exercise,
    reading: Json,
    report: GradeReport | None,
    history: practice.History,
    query: QueryDict,
    shown: Submission | None,
    against: CaseResult | None = None,
) -> dict[str, Json]:
    """What the template needs beyond what every exercise page has.

    `against` is the case that is looked at, as the map before this one treated it.
    """
    read = sheet(reading)
    document = exercise.document
    found: dict[str, Json] = {
        "sheet": read,
        "marks_json": json.dumps([mark.json for mark in marks(reading)]),
        "foot": foot(read),
        "total": _cases(document),
        "blocks": blocks(document),
        "offers": map_forms.offers(read_world(document)) if document.get("options") else [],
        "visible": document.get("visible", []),
        "summary": document.get("summary", ""),
        "pass_mark": document.get("pass", 70),
    }
    if report is None or report.problems:
        return found
    opened = history.shows_hidden()
    return found | {
        "opened": opened,
        "targets": [_target(row, opened) for row in report.details["targets"]],
        "checks": report.details["checks"],
        "musts": [row for row in report.criteria if row.must],
        "finding": _without_verdict(report.finding if opened else band_finding(report)),
        "front": _front(report, history, shown) if opened else None,
        "pools": pools(report.details) if opened else [],
        **replay_context(report, query, read, read_world(document) if opened else None),
        "before_replay": against,
        "harm_plus_cost": f"${report.details['harm_plus_cost']:,.2f}" if opened else "",
    }


def _cases(document: Mapping[str, Json]) -> int:
    """How many cases a run has on all days together, as the report's `run.total` says after it."""
    run = document.get("run") or {}
    a_day = int(run.get("cases", 0)) * int(run.get("replications", 0))
    return a_day * len(document.get("scenarios") or ())


def blocks(document: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """What a learner can place, as the exercise describes it; no hidden figures."""
    rows = (document.get("world") or {}).get("blocks") or {}
    return [
        {"id": name, "kind": row.get("kind", ""), "name": row.get("name", name),
         "says": row.get("says", "")}
        for name, row in rows.items()
    ]  # fmt: skip


def _without_verdict(finding: str) -> str:
    """The finding without the word that the page shows in front of it."""
    for word in ("Passed. ", "Not passed: ", "Not passed. "):
        if finding.startswith(word):
            rest = finding.removeprefix(word)
            return rest[:1].upper() + rest[1:]
    return finding


def band_finding(report: GradeReport) -> str:
    """The verdict without figures, for the first runs."""
    open_musts = [row for row in report.criteria if row.must and row.verdict != "met"]
    if open_musts:
        return report.finding
    rows = report.details["targets"]
    bad = [row["says"] for row in rows if row["utility"] == 0]
    close = [row["says"] for row in rows if 0 < row["utility"] < 1]
    if bad:
        return _("%(what)s: beyond the limit on at least one day.") % {"what": ", ".join(bad)}
    if close:
        return _("%(what)s: close, not met on all days.") % {"what": ", ".join(close)}
    return _("All measures are met on all days.")


def _target(row: Mapping[str, Json], opened: bool) -> TargetRow:
    lower = row["better"] == "lower"
    goal = _("at most %(x)s") if lower else _("at least %(x)s")
    utility = row["utility"]
    # The band of the whole target, not of the ordinary day alone.
    worst = (
        "met" if utility >= 1 else "close" if utility > 0 else "too high" if lower else "too low"
    )
    return TargetRow(
        says=row["says"],
        band=worst,
        word=str(BAND_WORDS[worst]),
        goal=goal % {"x": row["full_text"]},
        text=row["text"] if opened else "",
        points=f"{row['points']:g}" if opened else "",
        possible=f"{row['possible']:g}",
        gauge=_gauge(row) if opened else None,
        days=_days(row) if opened else [],
        interval=interval(row["low"], row["high"], row["unit"]) if opened else "",
    )


def _days(row: Mapping[str, Json]) -> list[str]:
    """The value on each day, with the day's own limit where it has one."""
    said = []
    for day in row["by_scenario"]:
        words = f"{day['title']}: {day['text']}"
        if day["full"] != row["full"]:
            limit = _in_unit(day["full"], row["unit"])
            words += _(", full points at %(limit)s") % {"limit": limit}
        said.append(words)
    return said


def _in_unit(value: float, unit: str) -> str:
    if unit == "dollars":
        return f"${value:,.2f}"
    return f"{value:g} min" if unit == "minutes" else f"{value * 100:g} %"


def _gauge(row: Mapping[str, Json]) -> Gauge:
    lower = row["better"] == "lower"
    full, zero, value = row["full"], row["zero"], row["value"]
    if lower:
        left, right = 0.0, max(zero * 1.1, full * 1.1)
    else:
        left, right = zero - (full - zero) * 0.4, max(1.0, full)
    span = (right - left) or 1.0

    def x(at: float) -> float:
        return 3 + min(max((at - left) / span, 0.0), 1.0) * 144

    band = (3.0, x(full)) if lower else (x(full), 147.0)
    return Gauge(
        point=f"{x(value):.1f}",
        full=f"{x(full):.1f}",
        zero=f"{x(zero):.1f}",
        band_start=f"{band[0]:.1f}",
        band_width=f"{band[1] - band[0]:.1f}",
    )


# Replayed cases --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplayRow:
    clock: str
    name: str
    says: str
    because: str
    here: bool
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class ReplayView:
    """One case step by step; `at` is the step that is looked at."""

    rows: Sequence[ReplayRow]
    at: int
    back: int | None
    on: int | None
    truth: str
    did: str
    choices: Sequence[tuple[int, str]] = ()
    marked: str = ""
    mark_is_right: bool = False


def replay_context(
    report: GradeReport, query: QueryDict, read: Sheet | None, world: World | None = None
) -> dict[str, Json]:
    """The case that is looked at, and its steps; with a world a learner may mark where to stop it."""
    if report.problems:
        return {}
    return {
        "report": report,
        "case": _chosen_case(report, query),
        "replay": _replay(report, query, read, world),
    }


def _chosen_case(report: GradeReport, query: QueryDict) -> CaseResult | None:
    wanted = query.get("case", "")
    by_id = {case.id: case for case in report.cases}
    return by_id.get(wanted) or next(iter(report.cases), None)


def judge_mark(
    told: Mapping[str, Json],
    case: CaseResult,
    names: Mapping[str, str],
    world: World,
    number: int,
) -> tuple[str, bool]:
    """What to say to the step that was marked as the one where a harmful case should have stopped.

    Right is a guard or a person before the deed: only they look at a case. Where none stood on the
    way, right is the step after which one was missing.
    """
    path = [step for step in told.get("steps", []) if "block" in step]
    if not told.get("harm") or not 1 <= number <= len(path):
        return "", False
    fault = [one.id for one in world.faults].index(told["fault"])
    deed = next((i for i, step in enumerate(path) if step["block"] in world.high_risk), len(path))
    lookers = [
        i
        for i, step in enumerate(path[:deed])
        if step["block"] and world.block(step["block"]).kind in ("guard", "human")
    ]

    def name(index: int) -> str:
        return names.get(path[index]["node"], path[index]["node"])

    marked = number - 1
    if marked in lookers:
        seen = world.block(path[marked]["block"]).hit[fault] * 100
        return _(
            "Yes. “%(step)s” looked at this case and let it pass; it notices %(n)s of 100 of "
            "these. A second look of another kind, or a sharper question before it, stops more."
        ) % {"step": name(marked), "n": f"{seen:.0f}"}, True
    if deed < len(path) and marked >= deed:
        return _("Too late: at “%(deed)s” the harm was done. Look at what stood before it.") % {
            "deed": name(deed)
        }, False
    if not lookers:
        return _(
            "Nobody could have stopped it on this way: no guard and no person stands before "
            "“%(deed)s”. Here is a good place for one."
        ) % {"deed": name(min(deed, len(path) - 1))}, True
    return _(
        "“%(step)s” does not look at what is wrong. The first that could have noticed was "
        "“%(first)s”."
    ) % {"step": name(marked), "first": name(lookers[0])}, False


def _replay(
    report: GradeReport, query: QueryDict, read: Sheet | None, world: World | None = None
) -> ReplayView | None:
    case = _chosen_case(report, query)
    if case is None:
        return None
    told = report.details["replays"].get(case.id, {})
    clocks = [step.get("clock_ms", 0) for step in told.get("steps", [])]
    names = {row["id"]: row["name"] for row in read.rows} if read is not None else {}
    steps = [step for step in case.steps if step.kind != "truth"]
    word = query.get("step", "")
    at = int(word) if word.isascii() and word.isdigit() else len(steps)
    at = min(max(1, at), max(1, len(steps)))
    rows = [
        ReplayRow(
            clock=_clock(clocks[index]) if index < len(clocks) else "",
            name=names.get(step.place.node or "", step.kind),
            says=step.says,
            because=step.because,
            here=step.number == at,
            state=step.state,
            number=step.number,
        )
        for index, step in enumerate(steps[:at])
    ]
    truth = next((step for step in case.steps if step.kind == "truth"), None)
    done = at >= len(steps)
    marked, right = "", False
    word = query.get("mark", "")
    if done and world is not None and word.isascii() and word.isdigit():
        marked, right = judge_mark(told, case, names, world, int(word[:4]))
    return ReplayView(
        choices=[(step.number, names.get(step.place.node or "", step.kind)) for step in steps]
        if done and world is not None and told.get("harm")
        else (),
        marked=marked,
        mark_is_right=right,
        rows=rows,
        at=at,
        back=at - 1 if at > 1 else None,
        on=at + 1 if not done else None,
        truth=truth.says if truth is not None and done else "",
        did=case.did if done else "",
    )


def _clock(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


# The front -------------------------------------------------------------------------------------

PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 52.0, 546.0, 16.0, 314.0


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str
    label: str
    label_x: str
    label_y: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Front:
    """Harm against cost: the best rules of a family, and the learner's runs."""

    line: str
    rules: Sequence[Dot]
    runs: Sequence[Dot]
    x_ticks: Sequence[tuple[str, str]]
    y_ticks: Sequence[tuple[str, str]]
    corner_width: str
    corner_top: str
    corner_height: str
    table: Sequence[tuple[str, str, str, str]]


def _front(
    report: GradeReport, history: practice.History, shown: Submission | None
) -> Front | None:
    front = report.details.get("front")
    if not front or shown is None:
        return None
    runs = _runs(history, shown)
    points = sorted(
        (row for row in front["points"] if row["on_front"]), key=lambda row: row["cost"]
    )
    limits = front["limits"]
    right = _nice(max([row["cost"] for row in [*points, *(r[1] for r in runs)]] or [1.0]))
    # A map without any review would squeeze the interesting corner; the top is cut at its height.
    top = _nice(max([row["harm"] for row in [*points, *(r[1] for r in runs)]] or [1.0]))

    def x(cost: float) -> float:
        return PLOT_LEFT + min(cost / right, 1.0) * (PLOT_RIGHT - PLOT_LEFT)

    def y(harm: float) -> float:
        return PLOT_BOTTOM - min(harm / top, 1.0) * (PLOT_BOTTOM - PLOT_TOP)

    harm = (limits.get("harm") or {}).get("full", 0.0)
    cost = (limits.get("cost") or {}).get("full", 0.0)
    line = "M" + "L".join(f"{x(row['cost']):.1f} {y(row['harm']):.1f}" for row in points)
    return Front(
        line=line if points else "",
        rules=[_dot(x(row["cost"]), y(row["harm"]), "") for row in points],
        runs=[
            _dot(x(row["cost"]), y(row["harm"]), label, now=now) for label, row, now, _score in runs
        ],
        x_ticks=[(f"{x(at):.1f}", f"{at:g}") for at in _ticks(right)],
        y_ticks=[(f"{y(at):.1f}", f"{at:g}") for at in _ticks(top)],
        corner_width=f"{x(cost) - PLOT_LEFT:.1f}",
        corner_top=f"{y(harm):.1f}",
        corner_height=f"{PLOT_BOTTOM - y(harm):.1f}",
        table=[
            (label, f"{row['harm']:.2f}", f"{row['cost']:.2f}", str(score))
            for label, row, _now, score in runs
        ]
        + [(row["rule"], f"{row['harm']:.2f}", f"{row['cost']:.2f}", "–") for row in points],
    )


def _dot(x: float, y: float, label: str, *, now: bool = False) -> Dot:
    return Dot(
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        label=label,
        label_x=f"{x + 8:.1f}",
        label_y=f"{y - 9:.1f}",
        now=now,
    )


def _runs(
    history: practice.History, shown: Submission
) -> list[tuple[str, Mapping[str, float], bool, int]]:
    """The learner's last runs that gave figures: label, harm and cost, whether it is this one."""
    rows = GradeReportRow.objects.filter(submission__in=[row.pk for row in history.rows]).order_by(
        "-submission__number"
    )
    found: list[tuple[str, Mapping[str, float], bool, int]] = []
    for number, score, here in rows.values_list(
        "submission__number", "score", "report__details__front__here"
    )[:12]:
        if isinstance(here, dict):
            now = number == shown.number
            label = _("%(n)s, shown") % {"n": number} if now else str(number)
            found.append((label, here, now, score))
    return found[::-1]


def _nice(most: float) -> float:
    """The end of an axis: the next round number."""
    for step in _steps():
        if most <= step:
            return step
    return most


def _steps() -> Iterable[float]:
    size = 0.01
    while size < 1e9:
        for factor in (1, 1.5, 2, 3, 4, 6, 8):
            yield round(size * factor, 10)
        size *= 10


def _ticks(end: float) -> list[float]:
    parts = 6 if round(end / 6, 6) == round(end / 6, 2) else 5 if end % 5 == 0 else 4
    return [end * index / parts for index in range(parts + 1)]
