"""What a run of an own process is told as: on a page, as JSON, and as a PDF for a manager."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride.lib import printing
from checkride.lib.errors import DomainError
from checkride.lib.html import sanitize_html
from courses import map_bench, map_forms, practice, studio
from courses.grading.contract import GradeReport, report_to_json
from courses.models import Variant
from courses.simulators.workflows import own_world, report_words, safety_domains
from courses.simulators.workflows.safety_domains import DomainResult

Json = Any

_NO_LIMIT = 1e9
_BLOCK = re.compile(r"\bblock: *\"?([A-Za-z_][A-Za-z0-9_-]*)")
_WHEN = re.compile(r"\bwhen (.+?), to ")
_ASKED = {form: words for form, _name, words in map_forms.QUESTIONS}
# The longest first: “not flagged” before “flagged”.
_QUESTION = re.compile(
    "|".join(
        rf"\b{re.escape(form).replace(re.escape('#'), r'[0-9.]+')}"
        for form in sorted(_ASKED, key=len, reverse=True)
    )
)
_TOOLS = re.compile(r"\btools: *\[([^\]]*)\]")


class NoPdf(DomainError):
    code = "no-pdf"
    sentence = (
        "The PDF could not be made just now. The report as JSON and this page hold the same; "
        "try the PDF again in a moment."
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of one run. `limit` and `met` are empty where the person set no limit."""

    says: str
    text: str
    interval: str
    limit: str
    met: bool | None
    days: Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """`problems` says why the map could not run; then nothing else is there."""

    problems: Sequence[str]
    lines: Sequence[Line]
    pools: Sequence[map_bench.PoolRow]
    ends: Sequence[tuple[str, str]]
    harm_plus_cost: str


@dataclass(frozen=True, slots=True)
class Compared:
    """The measures of all maps beside each other: a row for each measure."""

    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def result(report: GradeReport) -> Result:
    if report.problems:
        return Result([problem.message for problem in report.problems], (), (), (), "")
    details = report.details
    lines = []
    for row in details["targets"]:
        limited = 0.001 < row["full"] < _NO_LIMIT
        goal = _("at most %(x)s") if row["better"] == "lower" else _("at least %(x)s")
        lines.append(
            Line(
                says=row["says"],
                text=row["text"],
                interval=map_bench.interval(row["low"], row["high"], row["unit"]),
                limit=goal % {"x": row["full_text"]} if limited else "",
                met=row["utility"] >= 1 if limited else None,
                days=[f"{day['title']}: {day['text']}" for day in row["by_scenario"]]
                if len(row["by_scenario"]) > 1
                else [],
            )
        )
    return Result(
        problems=(),
        lines=lines,
        pools=map_bench.pools(details),
        ends=[
            (name, f"{share * 100:.1f} %")
            for name, share in details["scenarios"][0]["ends"].items()
        ],
        harm_plus_cost=f"${details['harm_plus_cost']:,.2f}",
    )


def domains(report: GradeReport) -> Sequence[DomainResult]:
    return safety_domains.by_domain(report.details.get("findings", []))


def in_short(report: GradeReport, reading: Mapping[str, Json]) -> Sequence[str]:
    """The run in a few sentences; `reading` is the map as the box has read it."""
    if report.problems:
        return (_("The map could not run, so nothing was counted."),)
    nodes = (reading.get("map") or {}).get("nodes", {})
    names = {node_id: node["name"] for node_id, node in nodes.items()}
    return report_words.in_short(report.details, names)


def next_steps(report: GradeReport) -> Sequence[str]:
    """What to do next, the most pressing first."""
    if report.problems:
        return [
            *(problem.message for problem in report.problems),
            _("Mend what is listed here in the map, and run it again."),
        ]
    return report_words.next_steps(report.details)


def plainly(sentence: str) -> str:
    """A sentence about a step with its conditions in words: `when the amount is above 400, to Act`."""
    return _WHEN.sub(lambda found: f"when {_QUESTION.sub(_words, found[1])}, to ", sentence)


def _words(found: re.Match[str]) -> str:
    number = re.search(r"[\d.]+$", found[0])
    form = found[0] if number is None else f"{found[0][: number.start()]}#"
    says = str(_ASKED[form])
    return says if number is None else f"{says} {number[0]}"


def compare(outcomes: Sequence[studio.Outcome]) -> Compared | None:
    ran = [row for row in outcomes if row.report is not None and not row.report.problems]
    if not ran:
        return None
    table: dict[str, list[str]] = {}
    for row in ran:
        assert row.report is not None  # noqa: S101
        for line in result(row.report).lines:
            mark = {None: "", True: " ✓", False: " ✗"}[line.met]
            table.setdefault(line.says, []).append(line.text + mark)
        total = _("Harm and cost together")
        table.setdefault(total, []).append(f"${row.report.details['harm_plus_cost']:,.2f}")
        findings = {finding["code"] for finding in row.report.details["findings"]}
        table.setdefault(_("Open checks"), []).append(", ".join(sorted(findings)) or "0")
    return Compared([row.variant.name for row in ran], list(table.items()))


def parts_in_use(texts: Iterable[str]) -> set[str]:
    """The parts that the maps name: they cannot be removed from the world."""
    found: set[str] = set()
    for text in texts:
        found |= set(_BLOCK.findall(text))
        for listed in _TOOLS.findall(text):
            found |= {word.strip().strip('"') for word in listed.split(",")}
    return found


# Files --------------------------------------------------------------------------------------------


def standalone_svg(drawing: str) -> str:
    """The drawing with the colours that the site's style sheet gives it on a page."""
    style = (
        ".shape{fill:#fff;stroke:#7b8494}.node--human .shape{fill:#e3f0f5;stroke:#0b5c7d}"
        ".node--risk .shape{stroke:#16212e;stroke-width:2.5}.edge{fill:none;stroke:#4a5768}"
        ".edge--err{stroke-dasharray:4 3}.ah{fill:#4a5768}.kind{fill:#4a5768}"
        ".badge{fill:#fcf0da;stroke:#8a4b00}.badge-t{fill:#8a4b00;font-weight:600}"
        "text{font-family:sans-serif;fill:#16212e}.name{font-weight:600}"
    )
    head, mark, rest = drawing.partition("<defs>")
    return f"{head}<style>{style}</style>{mark}{rest}" if mark else drawing


def _last_run(variant: Variant) -> tuple[GradeReport, Any]:
    outcome = studio.outcome(variant)
    if outcome.report is None or outcome.at is None:
        raise studio.NotRunYet
    return outcome.report, outcome.at


def _reading(variant: Variant, text: str) -> Mapping[str, Json]:
    exercise = studio.exercise_of(variant)
    understood: Mapping[str, Json] = practice.read(variant.process.user, exercise, text)
    return understood


def as_json(variant: Variant) -> Json:
    """The report for programs. Raises `studio.NotRunYet`."""
    report, at = _last_run(variant)
    run = variant.runs.last()
    assert run is not None  # noqa: S101
    reading = _reading(variant, run.text)
    told = safety_domains.report_json(
        title=variant.process.title,
        map_=reading.get("map"),
        facts=run.facts,
        report=report_to_json(report),
        at=at.isoformat(),
    )
    return told | {
        "in_short": list(in_short(report, reading)),
        "next_steps": list(next_steps(report)),
    }


def as_pdf(variant: Variant) -> bytes:
    """The report for people who were not there. Raises `studio.NotRunYet` and `NoPdf`."""
    report, at = _last_run(variant)
    run = variant.runs.last()
    assert run is not None  # noqa: S101
    reading = _reading(variant, run.text)
    page = render_to_string(
        "courses/process_report.html",
        {
            "process": variant.process,
            "variant": variant,
            "at": at,
            "result": result(report),
            "domains": domains(report),
            "svg": sanitize_html(reading.get("svg", ""), figures=True),
            "walk": [plainly(sentence) for sentence in reading.get("walk_through", [])],
            "short": in_short(report, reading),
            "steps": next_steps(report),
            "facts": own_world.read_facts(run.facts),
            "assumed": report_words.assumed(own_world.read_facts(run.facts)),
            "grader": report.grader,
        },
    )
    style = Path(__file__).parent / "static" / "courses" / "report.css"
    try:
        return printing.pdf(page, style=style.read_text(encoding="utf-8"), fonts=_fonts())
    except printing.NotPrinted as problem:
        raise NoPdf from problem


def _fonts() -> Path:
    found = finders.find("ui/built/source-sans-3-latin.woff2")
    return Path(str(found)).parent if found else Path("no-fonts")
