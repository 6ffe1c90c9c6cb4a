"""What a run of a map says about the eight safety domains, for somebody who has to answer for it.

A check belongs to the domain that its failure would be a failure of. What a map cannot show is said,
not left out: a report that is silent about data protection would be read as praise.

The names of the domains are those of the Production AI Institute's Production Safety Framework.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from courses.simulators.workflows.checks import SAYS

Json = Any
State = Literal["holds", "open", "not judged"]

FORMAT = "process-report/1"


@dataclass(frozen=True, slots=True)
class Domain:
    name: str
    question: str
    checks: tuple[str, ...]
    unseen: str


DOMAINS: tuple[Domain, ...] = (
    Domain(
        "Input governance",
        "What comes in, and who may have written it?",
        ("W15",),
        "Whether the guard recognises what it should is a figure that you gave, not a finding.",
    ),
    Domain(
        "Output validation",
        "Is the result true to its source, its form and its limits?",
        ("W05", "W06", "W07", "W25"),
        "A map shows where a result is looked at, not how well a program compares it.",
    ),
    Domain(
        "Data protection",
        "Which personal or secret data does each step need?",
        (),
        "A map does not show data. List for each step what it reads, keeps and sends.",
    ),
    Domain(
        "Observability",
        "Could we tell from the records what happened?",
        ("W16", "W22"),
        "Whether somebody reads the records is not in a map.",
    ),
    Domain(
        "Deployment safety",
        "What happens when something is changed or goes wrong half-way?",
        ("W01", "W02", "W03", "W04", "W10", "W17", "W18", "W19", "W26"),
        "How a new version is tried before it is used is not in a map.",
    ),
    Domain(
        "Human oversight",
        "Who can say no, with the facts and in time?",
        ("W09", "W11", "W12", "W13", "W14", "W23", "W24"),
        "Whether people say no in practice shows only in the records.",
    ),
    Domain(
        "Security",
        "What may the agent's key open, and who approves?",
        ("W20", "W21"),
        "Keys, rights and their logs are not in a map.",
    ),
    Domain(
        "Vendor resilience",
        "What if a supplier changes, fails or ends?",
        ("W08",),
        "Contracts, notices and a rehearsal without the supplier are not in a map.",
    ),
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    code: str
    says: str
    holds: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DomainResult:
    name: str
    question: str
    state: State
    checks: tuple[CheckResult, ...]
    unseen: str


def by_domain(findings: Sequence[Mapping[str, Json]]) -> tuple[DomainResult, ...]:
    """The findings of a report (each with `code` and `says`) in the eight domains, in order."""
    results = []
    for domain in DOMAINS:
        checks = tuple(
            CheckResult(
                code,
                SAYS[code],
                all(row["code"] != code for row in findings),
                tuple(row["says"] for row in findings if row["code"] == code),
            )
            for code in domain.checks
        )
        state: State = "not judged"
        if checks:
            state = "holds" if all(check.holds for check in checks) else "open"
        results.append(DomainResult(domain.name, domain.question, state, checks, domain.unseen))
    return tuple(results)


def report_json(
    *, title: str, map_: Json, facts: Json, report: Mapping[str, Json], at: str
) -> dict[str, Json]:
    """The whole report of one map for programs; `report` is the grader's, as JSON."""
    details = report["details"]
    return {
        "checkride": FORMAT,
        "title": title,
        "run_at": at,
        "map": map_,
        "world": facts,
        "grader": report["grader"],
        "could_run": not report["problems"],
        "problems": report["problems"],
        "days": details.get("scenarios", []),
        "limits": [
            {
                "measure": row["id"],
                "says": row["says"],
                "value": row["value"],
                "low": row["low"],
                "high": row["high"],
                "limit": row["full"],
                "met": row["utility"] >= 1,
            }
            for row in details.get("targets", [])
            if row["full"] < 1e9 and row["full"] > 0.001
        ],
        "domains": [asdict(result) for result in by_domain(details.get("findings", []))],
    }
