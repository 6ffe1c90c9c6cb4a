"""Running a learner's prompt on a real model: limits, budgets, the job, and what is shown of it.

No grade depends on it. The run is asked for on a page, done by a worker, and judged by the checks
that judge the rehearsal agent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Avg, Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay

from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.lib import clock
from checkride.lib.errors import DomainError
from courses import catalog, model_client, practice
from courses.grading.contract import GradeReport
from courses.models import ModelRun, ModelTrace, Submission
from courses.simulators import real_model
from courses.simulators.real_model import Outcome

Json = Any
MODEL_JOB = "courses.model_run"
MICRO = 1_000_000  # of a cent
_DAY_LOCK = 0x6D6F64656C
# Longer than any run and its retry; after it a run that nobody ended counts as interrupted.
LONGEST_RUN_S = 15 * 60


class NoModel(DomainError):
    code = "no-model"
    sentence = (
        "No real model is set up on this installation. Nothing was sent, and your grade does not "
        "depend on one."
    )


class NoWorld(DomainError):
    code = "no-world"
    sentence = (
        "This exercise cannot be run on a real model yet: its tools do not answer one. Nothing was "
        "sent. The rehearsal and your grade stand."
    )


class NotGraded(DomainError):
    code = "not-graded"
    sentence = "Only a graded run can be put on a real model. Nothing was sent. Run it first."


class NoModelRunsLeft(DomainError):
    code = "no-model-runs-left"
    sentence = (
        "You have used your {limit} runs on the real model of today. Nothing was sent. They are "
        "counted anew at midnight UTC; the rehearsal has no such limit."
    )


class SiteBudgetSpent(DomainError):
    code = "site-budget-spent"
    sentence = (
        "What this site may spend on the real model today is used up. Nothing was sent. It is "
        "counted anew at midnight UTC; the rehearsal goes on."
    )


class RunWaits(DomainError):
    code = "model-run-waits"
    sentence = "This run is on its way to the real model already. Reload the page in a minute."


def world_of(exercise_id: str) -> Json | None:
    """How the tools of an exercise answer a real model; None where nobody wrote it."""
    exercise = catalog.exercise(exercise_id)
    if exercise is None or exercise.kind != "prompt":
        return None
    folder = Path(settings.CONTENT_ROOT) / exercise.course / "exercises" / exercise_id
    return real_model.read_world(folder / "world.yaml")


# Asking for a run --------------------------------------------------------------------------------


def runs_left(user: User, *, at: datetime) -> int:
    return max(0, settings.MODEL_RUNS_PER_DAY - _today(at).filter(user=user).count())


@transaction.atomic
def ask_for(user: User, submission: Submission, *, at: datetime) -> ModelRun:
    """Set the most that the run may cost aside, and enqueue it.

    Raises `NoModel`, `NoWorld`, `NotGraded`, `RunWaits`, `NoModelRunsLeft`, `SiteBudgetSpent`.
    """
    endpoint = model_client.endpoint()
    if endpoint is None:
        raise NoModel
    world = world_of(submission.exercise)
    if world is None:
        raise NoWorld
    if practice.report_of(submission) is None:
        raise NotGraded
    with connection.cursor() as cursor:
        # Two who ask at once are counted one after the other.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DAY_LOCK])
    if submission.model_runs.filter(state=ModelRun.State.WAITING).exists():
        raise RunWaits
    if runs_left(user, at=at) == 0:
        raise NoModelRunsLeft(limit=settings.MODEL_RUNS_PER_DAY)
    reserved = settings.MODEL_TOKENS * max(settings.MODEL_CENTS_IN, settings.MODEL_CENTS_OUT)
    spent = spent_on(at)
    if _today(at).count() >= settings.MODEL_SITE_RUNS_PER_DAY:
        raise SiteBudgetSpent
    if spent + reserved > settings.MODEL_CENTS_PER_DAY * MICRO:
        raise SiteBudgetSpent
    run = ModelRun.objects.create(
        submission=submission,
        user=user,
        exercise=submission.exercise,
        host=endpoint.host,
        model=endpoint.model,
        temperature=model_client.TEMPERATURE,
        repeats=settings.MODEL_REPEATS,
        world_digest=real_model.world_digest(world),
        reserved=reserved,
        at=at,
    )
    queue.enqueue(MODEL_JOB, key=str(run.pk), payload={"run": str(run.pk)})
    return run


def _today(at: datetime) -> QuerySet[ModelRun]:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return ModelRun.objects.filter(at__gte=midnight, at__lt=midnight + timedelta(days=1))


def spent_on(at: datetime) -> int:
    """What the runs of a day cost, in millionths of a cent; what is not settled counts in full."""
    waiting = Q(state=ModelRun.State.WAITING)
    found = _today(at).aggregate(total=Sum(Case(When(waiting, F("reserved")), default=F("cost"))))
    return int(found["total"] or 0)


# Doing it ----------------------------------------------------------------------------------------


def do(run_id: UUID) -> Mapping[str, Json]:
    """Run every case, keep the traces and settle what it cost. Never raises for a model's fault.

    A run is begun once. If its worker was killed, the next one finds it begun, keeps the money set
    aside as spent, and says that it was interrupted.
    """
    run = ModelRun.objects.select_related("submission__version").filter(pk=run_id).first()
    if run is None or run.submission is None or run.state != ModelRun.State.WAITING:
        return {"nothing": True}
    if not cache.add(f"courses.model_run.{run.pk}", 1, timeout=LONGEST_RUN_S):
        return _end(run, "It was interrupted, and is not begun again.", cost=run.reserved)
    endpoint, world = model_client.endpoint(), world_of(run.exercise)
    report = practice.report_of(run.submission)
    if endpoint is None or world is None or report is None:
        return _end(run, "The real model was taken away before the run began.", cost=0)
    began = time.monotonic()
    client = model_client.Client(endpoint, ends_at=began + settings.MODEL_SECONDS)
    rows = list(_cases(run, run.submission, report, world, client))
    run.traces.bulk_create(rows)
    run.took_ms = round((time.monotonic() - began) * 1000)
    run.tokens_in = sum(row.tokens_in for row in rows)
    run.tokens_out = sum(row.tokens_out for row in rows)
    run.faults = client.faults
    cost = run.tokens_in * settings.MODEL_CENTS_IN + run.tokens_out * settings.MODEL_CENTS_OUT
    told = [row for row in rows if row.passed is not None]
    return _end(run, "" if told else (rows[-1].says if rows else "No case was run."), cost=cost)


def _end(run: ModelRun, says: str, *, cost: int) -> Mapping[str, Json]:
    run.state = ModelRun.State.FAILED if says else ModelRun.State.DONE
    run.says, run.cost, run.ended_at = says[:300], cost, clock.now()
    run.save()
    return {"state": run.state}


# After such a fault the next case would only meet it again.
_HOPELESS = frozenset({"key", "refused", "redirect", "address", "budget", "away", "busy"})


def _cases(
    run: ModelRun,
    submission: Submission,
    report: GradeReport,
    world: Json,
    client: model_client.Client,
) -> Sequence[ModelTrace]:
    document = submission.version.document
    keys = (document.get("machine", {}).get("answer") or {}).get("keys") or ()
    rehearsed = {case.id: case.passed for case in report.cases}
    # Those that are shown come first, so that a budget that ends early leaves them.
    cases = sorted(document["cases"], key=lambda case: not case.get("shown"))
    found: list[ModelTrace] = []

    def may_go_on() -> bool:
        return client.tokens < settings.MODEL_TOKENS and time.monotonic() < client.ends_at

    for repeat in range(1, run.repeats + 1):
        for case in cases:
            began = time.monotonic()
            outcome = real_model.run_case(
                submission.text, case, world, client.ask, keys=keys or _KEYS, may_go_on=may_go_on
            )
            found.append(_trace(run, case, repeat, outcome, rehearsed, time.monotonic() - began))
            if outcome.fault in _HOPELESS:
                return found
    return found


_KEYS = ("action", "amount", "reason")


def _trace(
    run: ModelRun,
    case: Mapping[str, Json],
    repeat: int,
    outcome: Outcome,
    rehearsed: Mapping[str, bool],
    took_s: float,
) -> ModelTrace:
    return ModelTrace(
        run=run,
        case=str(case["id"]),
        repeat=repeat,
        passed=outcome.passed,
        rehearsed=rehearsed.get(str(case["id"]), False),
        steps=real_model.in_steps(outcome.trace),
        checks=[{"says": one.says, "held": one.held} for one in outcome.checks],
        fault=outcome.fault,
        says=outcome.says[:300],
        requests=outcome.requests,
        tokens_in=outcome.tokens_in,
        tokens_out=outcome.tokens_out,
        took_ms=round(took_s * 1000),
    )


# Showing it --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case beside its rehearsal: right in `right` of `judged` repeats, `faults` ended early."""

    number: int
    case: str
    title: str
    open: bool
    rehearsed: bool
    right: int
    judged: int
    faults: int
    traces: Sequence[ModelTrace]

    @property
    def agrees(self) -> bool | None:
        """Whether every repeat came out as the rehearsal did; None where none was judged."""
        if not self.judged:
            return None
        return self.right == (self.judged if self.rehearsed else 0)


def case_rows(run: ModelRun, report: GradeReport, *, opened: bool) -> list[CaseRow]:
    """The cases of a run in the order of the exercise. A hidden one has no title and no steps."""
    traces: dict[str, list[ModelTrace]] = {}
    for row in run.traces.all():
        traces.setdefault(row.case, []).append(row)
    found = []
    for number, case in enumerate(report.cases, start=1):
        rows = traces.get(case.id, [])
        is_open = case.shown or opened
        found.append(
            CaseRow(
                number=number,
                case=case.id,
                title=case.title if is_open else "",
                open=is_open,
                rehearsed=case.passed,
                right=sum(row.passed is True for row in rows),
                judged=sum(row.passed is not None for row in rows),
                faults=sum(bool(row.fault) for row in rows),
                traces=rows if is_open else (),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the model came out as the rehearsal did, over judged cases of one exercise."""

    exercise: str
    model: str
    judged: int
    both_right: int
    both_wrong: int
    only_model: int
    only_rehearsal: int

    @property
    def share(self) -> float:
        return (self.both_right + self.both_wrong) / self.judged if self.judged else 0.0


def agreements() -> list[Agreement]:
    rows = (
        ModelTrace.objects.exclude(passed=None)
        .values("run__exercise", "run__model")
        .annotate(
            judged=Count("pk"),
            both_right=Count("pk", filter=Q(passed=True, rehearsed=True)),
            both_wrong=Count("pk", filter=Q(passed=False, rehearsed=False)),
            only_model=Count("pk", filter=Q(passed=True, rehearsed=False)),
            only_rehearsal=Count("pk", filter=Q(passed=False, rehearsed=True)),
        )
        .order_by("run__exercise", "run__model")
    )
    return [
        Agreement(
            row["run__exercise"],
            row["run__model"],
            row["judged"],
            row["both_right"],
            row["both_wrong"],
            row["only_model"],
            row["only_rehearsal"],
        )
        for row in rows
    ]


def by_day(days: int, *, at: datetime) -> list[Mapping[str, Json]]:
    """Runs, tokens, money (millionths of a cent) and time of the last days, the newest first."""
    done = Q(state=ModelRun.State.DONE)
    waiting = Q(state=ModelRun.State.WAITING)
    return list(
        ModelRun.objects.filter(at__gte=at - timedelta(days=days))
        .annotate(day=TruncDay("at"))
        .values("day")
        .annotate(
            runs=Count("pk"),
            done=Count("pk", filter=done),
            failed=Count("pk", filter=Q(state=ModelRun.State.FAILED)),
            read=Sum("tokens_in"),
            written=Sum("tokens_out"),
            money=Sum(Case(When(waiting, F("reserved")), default=F("cost"))),
            mean_ms=Avg("took_ms", filter=done),
            longest_ms=Max("took_ms", default=Value(0)),
        )
        .order_by("-day")
    )


def faults(days: int, *, at: datetime) -> dict[str, int]:
    """Faults of the last days by kind, also those that passed on a second try."""
    found: dict[str, int] = {}
    for row in ModelRun.objects.filter(at__gte=at - timedelta(days=days)).values_list(
        "faults", flat=True
    ):
        for kind, count in row.items():
            found[kind] = found.get(kind, 0) + int(count)
    ended = (
        ModelTrace.objects.filter(run__at__gte=at - timedelta(days=days))
        .filter(fault__in=["endless", "budget"])
        .values("fault")
        .annotate(count=Count("pk"))
    )
    for row_of_kind in ended:
        found[row_of_kind["fault"]] = found.get(row_of_kind["fault"], 0) + row_of_kind["count"]
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
