"""What an exam form is worth, in figures that anybody may read; nothing in it leads to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.core.cache import cache
from django.db.models import QuerySet

from exams import fixed_forms
from exams.assembly.blueprint import Blueprint
from exams.models import BlueprintVersion, ExamForm, GradeRun, ItemScore, Result
from exams.psychometrics import decisions, rasch, reliability
from exams.psychometrics.equating import LEAST_FOR_EQUATING
from exams.psychometrics.item_analysis import LEAST_ATTEMPTS
from exams.scoring.score import Range, wilson

# A count of people below this is not told, so that nobody finds a colleague in it.
LEAST_SHOWN = 5
Z_95 = 1.959963984540054
KEPT_S = 600


@dataclass(frozen=True, slots=True)
class Bin:
    """People with a score from `low` to `high`; None where they are too few to be told."""

    low: int
    high: int
    people: int | None
    passes: bool


@dataclass(frozen=True, slots=True)
class ErrorAt:
    """The standard error at one score, in points."""

    score: int
    error: float
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one form, or of all individually drawn forms together.

    `reliability_kind` is “KR-20”, “alpha” or “Rasch”. `calibrated` is the number of items on the
    common scale, for drawn forms only.
    """

    passed: float
    passed_range: Range
    mean: float
    spread: float
    reliability_kind: str
    reliability: float
    reliability_range: tuple[float, float] | None
    error: float
    same_verdict: float
    kappa: float
    accurate: float
    false_pass: float
    false_fail: float
    near_cut: int | None
    bins: tuple[Bin, ...]
    errors: tuple[ErrorAt, ...]
    calibrated: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one form (`form` set) or on the forms drawn one by one.

    `figures` is None below `LEAST_ATTEMPTS`, and where scores do not vary (`why` says which).
    """

    blueprint: Blueprint
    form: ExamForm | None
    attempts: int
    first: datetime | None
    last: datetime | None
    figures: Figures | None
    why: str
    cut: int
    method: str
    reason: str
    equating: str


def report_on(version: BlueprintVersion, form: ExamForm | None) -> Report:
    """The report, counted at most ten minutes ago."""
    results = _results(version, form)
    newest = results.order_by("-released_at").values_list("released_at", flat=True).first()
    key = f"exams.report.{version.pk}.{form.pk if form else 0}.{results.count()}.{newest}"
    report: Report | None = cache.get(key.replace(" ", ""))
    if report is None:
        report = _report(version, form, results)
        cache.set(key.replace(" ", ""), report, KEPT_S)
    return report


def _results(version: BlueprintVersion, form: ExamForm | None) -> QuerySet[Result]:
    chosen = Result.objects.filter(attempt__blueprint_version=version)
    return chosen.filter(attempt__form=form) if form else chosen.filter(attempt__form=None)


def _report(version: BlueprintVersion, form: ExamForm | None, results: QuerySet[Result]) -> Report:
    blueprint = version.blueprint
    runs = list(
        GradeRun.objects.filter(result__in=results).values_list("pk", "correct", "passed", "cut")
    )
    moments = sorted(results.values_list("released_at", flat=True))
    cut = form.cut_points if form else blueprint.cut.points
    figures, why = None, ""
    if len(runs) < LEAST_ATTEMPTS:
        why = "few"
    else:
        try:
            figures = _figures(
                [run[0] for run in runs],
                [run[1] for run in runs],
                [run[2] for run in runs],
                possible=blueprint.points,
                cut=cut,
                fixed=form is not None,
            )
        except (reliability.NoSpread, rasch.NotCalibrated, reliability.TooFewAttempts):
            why = "spread"
    return Report(
        blueprint=blueprint,
        form=form,
        attempts=len(runs),
        first=moments[0] if moments else None,
        last=moments[-1] if moments else None,
        figures=figures,
        why=why,
        cut=cut,
        method=form.cut_method if form else blueprint.cut.method,
        reason=form.cut_reason if form else blueprint.cut.reason,
        equating=_equating(form) if form else "",
    )


def _figures(
    run_ids: Sequence[int],
    totals: Sequence[int],
    passed: Sequence[bool],
    *,
    possible: int,
    cut: int,
    fixed: bool,
) -> Figures:
    matrix = _points(run_ids)
    n = len(totals)
    spread = float(np.std(totals, ddof=1))
    if spread == 0:
        raise reliability.NoSpread()
    simple = bool(np.nanmax(matrix) <= 1)
    calibrated = None
    interval: tuple[float, float] | None = None
    ratio = 1.0
    if fixed:
        estimate = reliability.alpha(matrix)
        value, interval = estimate.value, (estimate.low, estimate.high)
        kind = "KR-20" if simple else "alpha"
        ratio = reliability.keats_ratio(matrix) if simple else 1.0
    else:
        answered = matrix[:, _varies(matrix)]
        calibration = rasch.calibrate(answered)
        value, kind, calibrated = (
            rasch.reliability(rasch.abilities(answered, calibration)),
            "Rasch",
            answered.shape[1],
        )
    verdicts = decisions.livingston_lewis(
        totals, possible=possible, cut=cut, reliability=min(0.99, max(0.01, value))
    )
    near = sum(abs(total - cut) <= 2 for total in totals)
    return Figures(
        passed=sum(passed) / n,
        passed_range=wilson(sum(passed), n, z=Z_95),
        mean=float(np.mean(totals)),
        spread=spread,
        reliability_kind=kind,
        reliability=value,
        reliability_range=interval,
        error=reliability.standard_error(spread, value),
        same_verdict=verdicts.consistency.same,
        kappa=verdicts.consistency.kappa,
        accurate=verdicts.accurate,
        false_pass=verdicts.false_pass,
        false_fail=verdicts.false_fail,
        near_cut=near if near >= LEAST_SHOWN else None,
        bins=_bins(totals, possible=possible, cut=cut),
        errors=tuple(
            ErrorAt(
                score, reliability.conditional_error(score, possible, ratio=ratio), score == cut
            )
            for score in sorted({*range(0, possible + 1, max(1, possible // 8)), cut, possible})
        )
        if simple
        else (),
        calibrated=calibrated,
    )


def _points(run_ids: Sequence[int]) -> reliability.ScoreMatrix:
    """A row per run and a column per item version, NaN where the form did not hold it."""
    rows = ItemScore.objects.filter(run__in=run_ids).values_list(
        "run", "attempt_item__item_version", "points"
    )
    columns: dict[int, int] = {}
    found: list[tuple[int, int, int]] = []
    for run, version, points in rows:
        found.append((run, columns.setdefault(version, len(columns)), points))
    place = {run: number for number, run in enumerate(run_ids)}
    matrix = np.full((len(run_ids), len(columns)), np.nan)
    for run, column, points in found:
        matrix[place[run], column] = points
    return matrix


def _varies(matrix: reliability.ScoreMatrix) -> list[int]:
    """Columns with right and wrong answers; the others have no place on the scale."""
    kept = [
        column
        for column in range(matrix.shape[1])
        if len(set(matrix[~np.isnan(matrix[:, column]), column].tolist())) > 1
        and np.nanmax(matrix[:, column]) <= 1
    ]
    if len(kept) < 2:
        raise reliability.NoSpread()
    return kept


def _bins(totals: Sequence[int], *, possible: int, cut: int) -> tuple[Bin, ...]:
    """Scores in steps that meet at the cut, so that no bar holds passes and fails."""
    width = max(1, possible // 20)
    starts = sorted(
        {max(0, cut - step * width) for step in range(possible // width + 2)}
        | {
            cut + step * width
            for step in range(possible // width + 1)
            if cut + step * width <= possible
        }
    )
    bins = []
    for number, low in enumerate(starts):
        high = (starts[number + 1] - 1) if number + 1 < len(starts) else possible
        people = sum(low <= total <= high for total in totals)
        bins.append(
            Bin(low, high, people if people == 0 or people >= LEAST_SHOWN else None, low >= cut)
        )
    return tuple(bins)


def _equating(form: ExamForm) -> str:
    """One sentence on how the form's scores relate to those of the first form of the exam."""
    first = ExamForm.objects.filter(exam=form.exam).order_by("pk").first()
    if first is None or first.pk == form.pk:
        return "This is the first form; the others are put on its scale."
    found = fixed_forms.equating_of(form, first)
    if found.method == "identity":
        return (
            f"Fewer than {LEAST_FOR_EQUATING} people have sat this form or form {first.name}, so "
            "scores stand as they are: an equating from so few would add more noise than it takes "
            "away."
        )
    return (
        f"Circle-arc equating through the common items to form {first.name}, from {found.n_new} and "
        f"{found.n_old} attempts: its cut of {first.cut_points} is worth "
        f"{found.cut_on_new(first.cut_points)} on this form."
    )
