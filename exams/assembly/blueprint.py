"""The specification of an exam: what a form must hold, how long it lasts, what passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkride.lib import strict_yaml
from checkride.lib.errors import DomainError
from exams import safe_exam_browser
from exams.retakes import RENEWAL_OPENS_DAYS

# A task of half an hour is itself a look at many things; an item of a minute is one.
LEAST_TASK_MINUTES = 10


class BadBlueprint(DomainError):
    code = "bad-blueprint"
    sentence = "{file}: {problem} Nothing was loaded."


@dataclass(frozen=True, slots=True)
class DomainQuota:
    """`items` of each form come from this domain."""

    id: str
    name: str
    items: int


@dataclass(frozen=True, slots=True)
class CompetencyRule:
    """At least `least` items of each form touch a competency whose id begins with `prefix`."""

    prefix: str
    least: int


@dataclass(frozen=True, slots=True)
class CutScore:
    """The lowest number of points that passes, and where it comes from."""

    points: int
    method: str
    provisional: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """`grace_s` covers the way of a save through the network; `retake_waits_days` is the wait
    after the first, second, ... failed attempt, the last one repeating.

    `points` is the sum of the points of a form. `most_exposure` is the largest share of forms that
    may hold an item, and `pilots` how many items are tried out on each form without counting.
    `together_with` names the exams that must be passed too before the achievement is awarded;
    `part_of` the exam that awards it, where this one only counts together with it;
    `together_within_days` how far apart the passes may lie.

    `is_sequential` means that an item is left for good; `safe_exam_browser` holds the configuration
    keys (64 hex digits) of which one must be shown, none meaning any browser."""

    exam: str
    version: str
    title: str
    achievement: str
    summary: str
    items: int
    minutes: int
    grace_s: int
    cut: CutScore
    retake_waits_days: tuple[int, ...]
    valid_days: int
    domains: tuple[DomainQuota, ...]
    points: int = 0
    competencies: tuple[CompetencyRule, ...] = ()
    most_exposure: float = 1.0
    pilots: int = 0
    together_with: tuple[str, ...] = ()
    part_of: str = ""
    together_within_days: int = 365
    is_sequential: bool = False
    safe_exam_browser: tuple[str, ...] = ()

    @property
    def minutes_per_item(self) -> float:
        return self.minutes / max(1, self.items)

    @property
    def is_part(self) -> bool:
        """Whether this exam leads to its achievement only together with another one."""
        return bool(self.part_of or self.together_with)

    @property
    def holds_tasks(self) -> bool:
        """Whether the form holds tasks of many points each, and not items of one."""
        return self.points > self.items and self.minutes_per_item >= LEAST_TASK_MINUTES


def read_blueprint(text: str, *, file: str) -> tuple[Blueprint, Mapping[str, Any]]:
    """The blueprint and the document it came from; raises `BadBlueprint`."""
    try:
        document = strict_yaml.load(text)
    except strict_yaml.BadYaml as error:
        raise BadBlueprint(file=file, problem=error.message) from error
    return blueprint_from_document(document, file=file), document


def blueprint_from_document(document: Any, *, file: str = "blueprint") -> Blueprint:
    if not isinstance(document, dict) or document.get("checkride") != "blueprint/1":
        raise BadBlueprint(file=file, problem="it must begin with “checkride: blueprint/1”.")
    try:
        cut = document["cut"]
        blueprint = Blueprint(
            exam=document["exam"],
            version=document["version"],
            title=document["title"],
            achievement=document["achievement"],
            summary=" ".join(document["summary"].split()),
            items=int(document["items"]),
            minutes=int(document["minutes"]),
            grace_s=int(document["grace_s"]),
            cut=CutScore(
                points=int(cut["points"]),
                method=" ".join(cut["method"].split()),
                provisional=bool(cut["provisional"]),
                reason=" ".join(cut["reason"].split()),
            ),
            retake_waits_days=tuple(int(days) for days in document["retake_waits_days"]),
            valid_days=int(document["valid_days"]),
            domains=tuple(
                DomainQuota(entry["id"], entry["name"], int(entry["items"]))
                for entry in document["domains"]
            ),
            points=int(document.get("points") or document["items"]),
            competencies=tuple(
                CompetencyRule(str(prefix), int(least))
                for prefix, least in document.get("competencies", {}).items()
            ),
            most_exposure=float(document.get("most_exposure", 1)),
            pilots=int(document.get("pilots", 0)),
            together_with=tuple(document.get("together_with", ())),
            part_of=str(document.get("part_of", "")),
            together_within_days=int(document.get("together_within_days", 365)),
            is_sequential={"free": False, "sequential": True}[document.get("navigation", "free")],
            safe_exam_browser=tuple(document.get("safe_exam_browser", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBlueprint(
            file=file, problem=f"a field is missing or has the wrong kind ({error})."
        ) from error
    for problem in _problems(blueprint):
        raise BadBlueprint(file=file, problem=problem)
    return blueprint


def _problems(blueprint: Blueprint) -> list[str]:
    total = sum(domain.items for domain in blueprint.domains)
    checks = {
        f"the domains ask for {total} items, the form holds {blueprint.items}.": (
            total == blueprint.items
        ),
        "each domain needs at least 2 items, or its score would say nothing.": all(
            domain.items >= 2 for domain in blueprint.domains
        )
        or blueprint.minutes_per_item >= LEAST_TASK_MINUTES,
        "two domains share an id.": (
            len({domain.id for domain in blueprint.domains}) == len(blueprint.domains)
        ),
        f"the cut score must lie between 1 and {blueprint.points}.": (
            1 <= blueprint.cut.points <= blueprint.points
        ),
        "“together_with” and “part_of” exclude each other, and no exam is a part of itself.": not (
            (blueprint.together_with and blueprint.part_of)
            or blueprint.exam in (*blueprint.together_with, blueprint.part_of)
        ),
        # After a pass the exam opens again 90 days before the credential runs out: passes of two
        # rounds must never make one credential.
        "“together_within_days” must be shorter than the time after which the exam opens again.": (
            not blueprint.is_part
            or 0 < blueprint.together_within_days < blueprint.valid_days - RENEWAL_OPENS_DAYS
        ),
        "“most_exposure” is a share from 0.05 to 1.": 0.05 <= blueprint.most_exposure <= 1,
        "“pilots” must lie between 0 and 10.": 0 <= blueprint.pilots <= 10,
        "a competency rule asks for more items than the form holds.": all(
            0 < rule.least <= blueprint.items for rule in blueprint.competencies
        ),
        "each key of “safe_exam_browser” must have 64 hexadecimal digits in small letters.": all(
            isinstance(key, str) and safe_exam_browser.KEY.fullmatch(key)
            for key in blueprint.safe_exam_browser
        ),
        "“minutes” must lie between 1 and 600.": 1 <= blueprint.minutes <= 600,
        "“grace_s” must lie between 0 and 60.": 0 <= blueprint.grace_s <= 60,
        "“retake_waits_days” must hold at least one wait, none negative.": (
            bool(blueprint.retake_waits_days) and min(blueprint.retake_waits_days) >= 0
        ),
    }
    return [problem for problem, holds in checks.items() if not holds]
