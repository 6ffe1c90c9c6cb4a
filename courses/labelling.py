"""What the reader was unsure of, decided by examiners: the queue, the decisions, the samples.

An examiner sees the prompt and never its writer. What she decides changes no stored report: it is
told beside the report, counted on the page about trust, and becomes a labelled sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from checkride import audit
from checkride.accounts.models import User
from checkride.lib.errors import DomainError
from courses.grading.agreement import Share, share
from courses.grading.contract import GradeReport
from courses.models import ExaminerLabel, Submission, UnsureReading

Json = Any
Standing = Literal["open", "decided", "disputed"]

LONGEST_REASON = 500
SHOWN_AT_ONCE = 50
# Two examiners decide each reading; a third is asked where they differ.
ASKED = 2
MOST_ASKED = 3


class ReasonMissing(DomainError):
    code = "reason-missing"
    sentence = (
        "Give a reason: the learner reads it. Nothing was stored. Write one sentence that names "
        "the line or the words that decide."
    )


class VerdictMissing(DomainError):
    code = "verdict-missing"
    sentence = "Choose one of the three answers. Nothing was stored."


class AlreadyDecided(DomainError):
    code = "already-decided"
    sentence = (
        "You have decided this one before, and a decision is not changed. What you stored then "
        "stands. Go on with the next one."
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the decisions about one reading lead. `verdict` is empty unless they lead somewhere."""

    standing: Standing
    verdict: str
    labels: Sequence[ExaminerLabel]


def note_unsure(submission: Submission, report: GradeReport) -> None:
    """Put what the reader was unsure of into the queue.

    A learner who runs her prompt again and again is in the queue once for a requirement: with the
    newest run, as long as nobody has decided an earlier one.
    """
    decisions = {row["requirement"]: row for row in report.details.get("decisions", [])}
    unsure = [row for row in report.criteria if row.verdict == "unsure" and row.id in decisions]
    if not unsure:
        return
    UnsureReading.objects.filter(
        submission__user=submission.user_id,
        exercise=submission.exercise,
        requirement__in=[row.id for row in unsure],
        labels=None,
    ).exclude(submission=submission).delete()
    UnsureReading.objects.bulk_create(
        [
            UnsureReading(
                submission=submission,
                exercise=submission.exercise,
                requirement=row.id,
                best=decisions[row.id]["best"],
                confidence=decisions[row.id]["confidence"],
                line=decisions[row.id]["line"],
            )
            for row in unsure
        ],
        ignore_conflicts=True,
    )


def outcome(labels: Sequence[ExaminerLabel]) -> Outcome:
    """What several examiners decided together: the verdict that most of them gave."""
    if not labels:
        return Outcome("open", "", labels)
    (first, votes), *others = Counter(one.verdict for one in labels).most_common()
    if others and others[0][1] == votes:
        return Outcome("disputed", "", labels)
    return Outcome("decided", first, labels)


def waiting_for(examiner: User) -> QuerySet[UnsureReading]:
    """What this examiner may decide: nobody has yet, one has, or two differ; never her own."""
    hers = ExaminerLabel.objects.filter(reading=OuterRef("pk"), examiner=examiner)
    counted = (
        UnsureReading.objects.exclude(submission__user=examiner)
        .filter(~Exists(hers))
        .annotate(given=Count("labels"), different=Count("labels__verdict", distinct=True))
    )
    third = counted.filter(given=ASKED, different=ASKED)
    return (counted.filter(given__lt=ASKED) | third).order_by("-given", "at", "pk")


def decide(
    reading: UnsureReading,
    *,
    examiner: User,
    verdict: str,
    reason: str,
    keep_out: bool,
    at: datetime,
) -> ExaminerLabel:
    """Keep an examiner's decision.

    Raises `VerdictMissing`, `ReasonMissing`, and `AlreadyDecided` when she decided it before.
    """
    if verdict not in ExaminerLabel.Verdict.values:
        raise VerdictMissing
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise ReasonMissing
    try:
        with transaction.atomic():
            label = ExaminerLabel.objects.create(
                reading=reading,
                examiner=examiner,
                verdict=verdict,
                reason=reason,
                keep_out=keep_out,
                at=at,
            )
            facts = {"requirement": reading.requirement, "verdict": verdict}
            audit.record(examiner, "reading.labelled", reading, at=at, facts=facts)
    except IntegrityError:
        raise AlreadyDecided from None
    return label


def notes_on(submission: Submission) -> dict[str, Outcome]:
    """What examiners decided about a run, by requirement; only those that somebody decided."""
    found = {
        row.requirement: outcome(list(row.labels.all()))
        for row in UnsureReading.objects.filter(submission=submission).prefetch_related("labels")
    }
    return {name: one for name, one in found.items() if one.standing != "open"}


# What the decisions say about the reader --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequirementCount:
    requirement: str
    decided: int
    right: Share


@dataclass(frozen=True, slots=True)
class DecidedSet:
    """What examiners decided for one exercise, as a set of labels of its own.

    All of it is what the reader was not sure of: `right` says how often what it held for likeliest
    was right there, which is less often than where it is sure. `agreed` are the readings on which
    two examiners, each not knowing the other's answer, said the same.
    """

    waiting: int
    decided: int
    disputed: int
    right: Share
    false_met: int
    agreed: Share
    requirements: Sequence[RequirementCount]


def decided_set(exercise_id: str) -> DecidedSet:
    """Counted in the database: a few numbers for a page, nothing is read again."""
    rows = UnsureReading.objects.filter(exercise=exercise_id).prefetch_related("labels")
    decided: list[tuple[UnsureReading, str]] = []
    waiting = disputed = 0
    pairs: list[tuple[int, int]] = []
    for row in rows.iterator(chunk_size=500):
        labels = list(row.labels.all())
        found = outcome(labels)
        waiting += found.standing == "open"
        disputed += found.standing == "disputed"
        if found.standing == "decided":
            decided.append((row, found.verdict))
        if len(labels) >= ASKED:
            pairs.append((int(labels[0].verdict == labels[1].verdict), 1))
    return DecidedSet(
        waiting=waiting,
        decided=len(decided),
        disputed=disputed,
        right=_right(decided),
        false_met=sum(row.best == "met" != verdict for row, verdict in decided),
        agreed=share(pairs),
        requirements=[
            RequirementCount(name, len(group), _right(group))
            for name, group in _grouped(decided).items()
        ],
    )


def _right(rows: Sequence[tuple[UnsureReading, str]]) -> Share:
    prompts: dict[Any, list[int]] = {}
    for row, verdict in rows:
        prompts.setdefault(row.submission_id, []).append(int(row.best == verdict))
    return share([(sum(group), len(group)) for group in prompts.values()])


def _grouped(
    rows: Sequence[tuple[UnsureReading, str]],
) -> Mapping[str, list[tuple[UnsureReading, str]]]:
    groups: dict[str, list[tuple[UnsureReading, str]]] = {}
    for row in rows:
        groups.setdefault(row[0].requirement, []).append(row)
    return dict(sorted(groups.items()))


def samples(exercise_id: str = "") -> Iterator[Json]:
    """Decided prompts in the form of the labelled files: id, style, exercise, prompt, labels.

    Nobody's name goes with them. What is disputed, and what an examiner keeps out, is not there.
    """
    rows = (
        UnsureReading.objects.exclude(labels=None)
        .select_related("submission")
        .prefetch_related("labels")
        .order_by("exercise", "submission__at", "submission_id", "pk")
    )
    if exercise_id:
        rows = rows.filter(exercise=exercise_id)
    found: dict[Any, Json] = {}
    kept_out = set()
    for row in rows:
        labels = list(row.labels.all())
        if any(one.keep_out for one in labels):
            kept_out.add(row.submission_id)
        decided = outcome(labels)
        if decided.standing != "decided":
            continue
        sample = found.setdefault(
            row.submission_id,
            {
                # Not the run's own id, which leads back to the learner.
                "id": f"examined-{row.pk}",
                "style": "learner",
                "exercise": row.exercise,
                "prompt": row.submission.text,
                "labels": {},
            },
        )
        sample["labels"][row.requirement] = decided.verdict
    yield from (one for key, one in found.items() if key not in kept_out)
