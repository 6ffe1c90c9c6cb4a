"""Modified Angoff studies: a panel, two rounds of estimates, a discussion between, a decision."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from checkride import audit
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.jobs.dbclock import database_now
from checkride.lib.errors import DomainError
from exams import fixed_forms
from exams.models import CutRating, CutStudy, ExamForm, ItemScore, ItemVersion
from exams.psychometrics.item_analysis import LEAST_ATTEMPTS
from exams.psychometrics.standard_setting import (
    LEAST_JUDGES,
    AngoffResult,
    NoPanel,
    adjusted_cut,
    angoff,
    expected_sem,
)

UNITS = (-2.0, 2.0)


class BadStudy(DomainError):
    code = "bad-study"
    sentence = "Nothing was changed: {problem}"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a study. `percents` are the estimates of all judges in the round that is over,
    `share` the share of released answers that were right, from 30 answers on."""

    version: ItemVersion
    percents: tuple[int, ...]
    own_before: int | None
    own: int | None
    share: float | None
    answers: int

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.percents) if self.percents else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a round is: judges who have rated every item, of all, and its result if there is."""

    complete: int
    judges: int
    result: AngoffResult | None
    sem: float | None


@transaction.atomic
def open_study(form: ExamForm, *, emails: Iterable[str], by: User) -> CutStudy:
    """Begin a study of a form of right-or-wrong items. Every judge is an examiner.

    Raises `BadStudy` for an address that is no examiner's, fewer than five judges, tasks on the
    form, or a study that is open already.
    """
    wanted = {email.strip().lower() for email in emails if email.strip()}
    examiners = {user.email.lower(): user for user in User.objects.all() if _may_judge(user)}
    if unknown := sorted(wanted - set(examiners)):
        raise BadStudy(problem=f"{unknown[0]} is no examiner’s address.")
    if len(wanted) < LEAST_JUDGES:
        raise BadStudy(problem=f"a panel has at least {LEAST_JUDGES} judges.")
    if any(version.scored_item.points != 1 for version in versions_of(form)):
        raise BadStudy(problem="estimates of a share fit items of one point only.")
    now = database_now()
    try:
        with transaction.atomic():
            study = CutStudy.objects.create(form=form, made_by=by, made_at=now)
    except IntegrityError as error:
        raise BadStudy(problem="a study of this form is open already.") from error
    study.judges.set(examiners[email] for email in wanted)
    audit.record(
        by, "cut-study.opened", study, at=now, facts={"form": form.name, "judges": len(wanted)}
    )
    return study


def _may_judge(user: User) -> bool:
    return user.has_role(Role.EXAMINER)


def versions_of(form: ExamForm) -> list[ItemVersion]:
    """The item versions of a form, by slug."""
    places = form.places.select_related("item_version__item").order_by("item_version__item__slug")
    return [place.item_version for place in places]


@transaction.atomic
def rate(study_id: int, percents: Mapping[int, int], *, by: User) -> int:
    """Store a judge's estimates of the round that is open, by item version; how many.

    A judge may come back and change them until the round is over. Raises `BadStudy`.
    """
    study = CutStudy.objects.select_for_update(of=("self",)).get(pk=study_id)
    if study.decided_at is not None:
        raise BadStudy(problem="this study is closed.")
    if not study.judges.filter(pk=by.pk).exists():
        raise BadStudy(problem="you are not on this panel.")
    known = {version.pk for version in versions_of(study.form)}
    if not percents or not set(percents) <= known:
        raise BadStudy(problem="give an estimate for items of this form.")
    if not all(1 <= percent <= 99 for percent in percents.values()):
        raise BadStudy(problem="an estimate is a whole number from 1 to 99.")
    now = database_now()
    for version_id, percent in percents.items():
        CutRating.objects.update_or_create(
            study=study,
            judge=by,
            item_version_id=version_id,
            round=study.round,
            defaults={"percent": percent, "rated_at": now},
        )
    audit.record(
        by, "cut-study.rated", study, at=now, facts={"round": study.round, "items": len(percents)}
    )
    return len(percents)


def standing(study: CutStudy, *, round_: int | None = None) -> Standing:
    """How far a round is, by default the open one. Its result is there when all have rated all."""
    marks: dict[str, dict[str, int]] = {}
    rows = study.ratings.filter(round=round_ or study.round).values_list(
        "judge", "item_version", "percent"
    )
    for judge, version, percent in rows:
        marks.setdefault(str(judge), {})[str(version)] = percent
    items = study.form.places.count()
    complete = {judge: one for judge, one in marks.items() if len(one) == items}
    judges = study.judges.count()
    if len(complete) < judges:
        return Standing(len(complete), judges, None, None)
    try:
        result = angoff(complete)
    except NoPanel:
        return Standing(len(complete), judges, None, None)
    means = [
        statistics.fmean(one[str(version.pk)] / 100 for one in complete.values())
        for version in versions_of(study.form)
    ]
    return Standing(len(complete), judges, result, expected_sem(means))


@transaction.atomic
def next_round(study_id: int, *, by: User) -> CutStudy:
    """Open the second round, after the discussion. Raises `BadStudy` before all have rated all."""
    study = CutStudy.objects.select_for_update(of=("self",)).get(pk=study_id)
    if study.round != 1 or study.decided_at is not None:
        raise BadStudy(problem="the first round is over.")
    if standing(study).result is None:
        raise BadStudy(problem="not every judge has rated every item.")
    study.round = 2
    study.save(update_fields=["round"])
    audit.record(by, "cut-study.second-round", study, at=database_now())
    return study


@transaction.atomic
def decide(study_id: int, *, units: float, reason: str, by: User) -> CutStudy:
    """Record the cut: the second round's mean, moved by `units` standard errors of measurement as
    a matter of policy. The form gets it for attempts that are graded from now on.

    Raises `BadStudy` before the second round is complete, `fixed_forms.BadForms` without a reason.
    """
    study = CutStudy.objects.select_for_update(of=("self",)).select_related("form").get(pk=study_id)
    now = standing(study)
    if study.decided_at is not None or study.round != 2:
        raise BadStudy(problem="a cut is decided once, after the second round.")
    if now.result is None or now.sem is None:
        raise BadStudy(problem="not every judge has rated every item.")
    if not UNITS[0] <= units <= UNITS[1]:
        raise BadStudy(problem="a policy moves a cut by at most two standard errors.")
    points = adjusted_cut(now.result.cut, now.sem, units, most=now.result.items)
    words = (
        f"{now.judges} judges, two rounds: {now.result.cut:.2f} of {now.result.items} items, "
        f"standard error between judges {now.result.error:.2f}. Moved by {units:+g} standard "
        f"errors of measurement of {now.sem:.2f} items. {reason}"
    )
    fixed_forms.adopt_cut(study.form_id, points=points, method="angoff", reason=words, by=by)
    study.decided_at = database_now()
    study.decision = {
        "cut": round(now.result.cut, 4),
        "error": round(now.result.error, 4),
        "sem": round(now.sem, 4),
        "units": units,
        "points": points,
        "reason": " ".join(reason.split()),
    }
    study.save(update_fields=["decided_at", "decision"])
    audit.record(by, "cut-study.decided", study, at=study.decided_at, facts=dict(study.decision))
    return study


def item_rows(study: CutStudy, judge: User) -> list[ItemRow]:
    """The items as a judge sees them. The panel's estimates of the first round are shown once it is
    over; before, nobody sees another's."""
    first: dict[int, list[int]] = {}
    own: dict[tuple[int, int], int] = {}
    for version_id, by, round_, percent in study.ratings.values_list(
        "item_version", "judge", "round", "percent"
    ):
        if round_ == 1 and study.round == 2:
            first.setdefault(version_id, []).append(percent)
        if by == judge.pk:
            own[version_id, round_] = percent
    seen = {
        row["attempt_item__item_version"]: (row["answers"], row["right"])
        for row in ItemScore.objects.filter(
            run__result__isnull=False,
            attempt_item__item_version__in=[version.pk for version in versions_of(study.form)],
        )
        .values("attempt_item__item_version")
        .annotate(answers=Count("pk"), right=Sum("points"))
    }
    rows = []
    for version in versions_of(study.form):
        answers, right = seen.get(version.pk, (0, 0))
        is_told = study.round == 2 and answers >= LEAST_ATTEMPTS
        rows.append(
            ItemRow(
                version=version,
                percents=tuple(sorted(first.get(version.pk, ()))),
                own_before=own.get((version.pk, 1)) if study.round == 2 else None,
                own=own.get((version.pk, study.round)),
                share=right / answers if is_told else None,
                answers=answers,
            )
        )
    return rows
