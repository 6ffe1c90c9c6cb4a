"""Collect what released attempts say about the items in use."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from exams.models import AttemptItem, Item, ItemScore, PilotScore
from exams.psychometrics.item_analysis import Answer, Finding, ItemStatistics, analyse
from exams.scoring.items import Item as ScoredItem
from exams.scoring.items import SingleKey, signs

FINDINGS: dict[Finding, tuple[str, str]] = {
    "check-key": ("Check the key", "A wrong option gains among the strongest. Read the key again."),
    "weak": ("Does not separate", "Strong and weak candidates get it right equally often."),
    "hard": ("Hard", "Fewer than one in four get it right."),
    "easy": ("Easy", "Nearly everybody gets it; it says little."),
    "idle-distractors": ("Idle options", "Fewer than two wrong options draw anybody."),
}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item in use. `exposure` is the share of all forms drawn for its exam that held it."""

    slug: str
    domain: str
    kind: str
    version: int
    is_pilot: bool
    expected_percent: int
    exposure_percent: int
    statistics: ItemStatistics

    @property
    def findings(self) -> tuple[tuple[str, str], ...]:
        return tuple(FINDINGS[finding] for finding in self.statistics.findings)


def item_rows(exam: str) -> tuple[ItemRow, ...]:
    """Every item of an exam in use or on trial with its figures, those with findings first.

    Only answers to the current version count: a corrected item starts anew.
    """
    items = (
        Item.objects.filter(exam=exam, life__in=(Item.Life.OPERATIONAL, Item.Life.PILOT))
        .exclude(current=None)
        .select_related("current")
    )
    versions = {item.current_id: item for item in items}
    scored = {item.pk: item.current.scored_item for item in items if item.current is not None}
    answers = _answers({pk: scored[item.pk] for pk, item in versions.items() if pk is not None})
    forms = AttemptItem.objects.filter(attempt__exam=exam).values("attempt").distinct().count()
    drawn = dict(
        AttemptItem.objects.filter(attempt__exam=exam)
        .values_list("item_version__item")
        .annotate(times=Count("id"))
        .values_list("item_version__item", "times")
    )
    rows = []
    for version_id, item in versions.items():
        if item.current is None or version_id is None:
            continue
        one = scored[item.pk]
        single = one.key if isinstance(one.key, SingleKey) else None
        rows.append(
            ItemRow(
                slug=item.slug,
                domain=item.domain.replace("-", " "),
                kind=one.kind,
                version=item.current.number,
                is_pilot=item.life == Item.Life.PILOT,
                expected_percent=int(100 * one.angoff),
                exposure_percent=round(100 * drawn.get(item.pk, 0) / forms) if forms else 0,
                statistics=analyse(
                    answers.get(version_id, []),
                    options=tuple(option.id for option in single.options) if single else (),
                    key=single.right if single else "",
                ),
            )
        )
    return tuple(sorted(rows, key=lambda row: (not row.findings, row.domain, row.slug)))


def _answers(scored: dict[int, ScoredItem]) -> dict[int, list[Answer]]:
    """The answers of released attempts by item version."""
    answers: dict[int, list[Answer]] = {}
    for scores in (ItemScore, PilotScore):
        rows = scores.objects.filter(
            run__result__isnull=False, attempt_item__item_version__in=scored
        ).values_list(
            "attempt_item__item_version",
            "points",
            "run__correct",
            "attempt_item__drawn",
            "attempt_item__response__event__payload",
        )
        for version_id, points, correct, drawn, payload in rows.iterator(2000):
            option = ""
            if payload and "choice" in payload:
                option = signs(scored[version_id], drawn)["choices"].get(payload["choice"], "")
            # The points of an item on trial are not in the sum, so its rest is the whole sum.
            rest = correct if scores is PilotScore else correct - points
            answers.setdefault(version_id, []).append(Answer(points, rest, option))
    return answers
