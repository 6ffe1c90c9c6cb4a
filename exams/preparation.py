"""Prepare attempts before they start: eligibility, accommodations, the drawn form."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Count

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.lib.errors import DomainError
from exams import fixed_forms, parts, retakes
from exams.assembly.draw import Form, PoolItem, draw_form, is_capped, order_form, pilots_for
from exams.models import (
    Accommodation,
    Appeal,
    Attempt,
    AttemptItem,
    BlueprintVersion,
    ExamForm,
    Item,
)
from exams.scoring.items import Item as ScoredItem
from exams.scoring.items import shuffled_groups

# Over how many of an exam's latest forms exposure is counted.
RECENT_FORMS = 100
OPEN_STATES = (Attempt.State.READY, Attempt.State.IN_PROGRESS)


class NotYet(DomainError):
    code = "retake-not-yet"
    sentence = (
        "The next attempt opens on {opens:%-d %B %Y} at {opens:%H:%M} UTC. "
        "Your earlier attempts and results are kept."
    )


class UnknownExam(DomainError):
    code = "unknown-exam"
    sentence = "There is no exam called {exam}."


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether a person may sit an exam, and what stands between."""

    opens_at: datetime | None
    open_attempt: Attempt | None
    time_allowed_s: int
    failures: int

    def is_open(self, *, at: datetime) -> bool:
        return self.opens_at is None or at >= self.opens_at


def current_blueprint(exam: str) -> BlueprintVersion:
    version = BlueprintVersion.objects.filter(exam=exam, is_current=True).first()
    if version is None:
        raise UnknownExam(exam=exam)
    return version


@dataclass(frozen=True, slots=True)
class Shortage:
    """A domain with fewer items in use than one form needs."""

    domain: str
    items: int
    needs: int


def shortages(version: BlueprintVersion) -> tuple[Shortage, ...]:
    """Why no form can be drawn: an exam with any of these is not open yet."""
    in_use = dict(
        Item.objects.filter(exam=version.exam, life=Item.Life.OPERATIONAL)
        .exclude(current=None)
        .values_list("domain")
        .annotate(items=Count("id"))
        .values_list("domain", "items")
    )
    return tuple(
        Shortage(quota.name, in_use.get(quota.id, 0), quota.items)
        for quota in version.blueprint.domains
        if in_use.get(quota.id, 0) < quota.items
    )


def eligibility(user: User, version: BlueprintVersion, *, at: datetime) -> Eligibility:
    """What this person may do with this exam now."""
    blueprint = version.blueprint
    attempts = list(
        Attempt.objects.filter(candidate=user, exam=version.exam).select_related(
            "result__grade_run", "blueprint_version"
        )
    )
    # An upheld appeal has said that these do not count.
    excused = set(
        Appeal.objects.filter(attempt__in=attempts, outcome=Appeal.Outcome.RETAKE).values_list(
            "attempt", flat=True
        )
    )
    finished = [
        retakes.FinishedAttempt(closed_at=attempt.closed_at, passed=_passed(attempt))
        for attempt in attempts
        if attempt.closed_at is not None and attempt.pk not in excused
    ]
    return Eligibility(
        opens_at=retakes.may_sit_from(
            finished,
            waits_days=blueprint.retake_waits_days,
            valid_days=blueprint.valid_days,
            lapses_days=parts.lapses_days(user, version),
        ),
        open_attempt=next((a for a in attempts if a.state in OPEN_STATES), None),
        time_allowed_s=time_allowed_s(user, version, on=at.date()),
        failures=sum(1 for attempt in finished if not attempt.passed),
    )


def time_allowed_s(user: User, version: BlueprintVersion, *, on: date) -> int:
    """The seconds this person has, accommodations included, rounded up."""
    return with_more_time(user, version.blueprint.minutes * 60, on=on)


def pause_allowed_s(user: User, *, on: date) -> int:
    """The seconds for which this person may stop the clock."""
    return 60 * max((one.pause_minutes for one in _granted(user, on=on)), default=0)


def with_more_time(user: User, seconds: int, *, on: date) -> int:
    """So many seconds, with what was granted to this person on this day, rounded up."""
    percent = max((one.time_percent for one in _granted(user, on=on)), default=100)
    return -(-seconds * percent // 100)


def _granted(user: User, *, on: date) -> list[Accommodation]:
    granted = Accommodation.objects.filter(candidate=user)
    return [one for one in granted if one.ends_on is None or one.ends_on >= on]


def prepare(user: User, exam: str) -> Attempt:
    """The candidate's ready attempt, drawn now if there is none; an open one is returned as it is.

    Raises `UnknownExam`, `NotYet` while a wait runs, `PoolTooSmall` when no new form can be drawn.
    """
    version = current_blueprint(exam)
    now = database_now()
    status = eligibility(user, version, at=now)
    attempt = status.open_attempt
    if attempt is not None and attempt.is_running:
        return attempt
    if not status.is_open(at=now) and status.opens_at is not None:
        raise NotYet(opens=status.opens_at)
    if attempt is not None:
        if attempt.blueprint_version_id == version.pk:
            return attempt
        # Drawn to an older blueprint and never started: nobody has seen it, so it may go.
        Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.READY).delete()
    try:
        with transaction.atomic():
            return _draw_attempt(user, version, status.time_allowed_s, at=now)
    except IntegrityError:
        # Two presses of one button: the other request has drawn it.
        return Attempt.objects.get(candidate=user, exam=exam, state__in=OPEN_STATES)


@transaction.atomic
def grant_accommodation(
    candidate: User, *, time_percent: int, ends_on: date | None, by: User, pause_minutes: int = 0
) -> Accommodation:
    """Give a person more time or pauses, also for an attempt that is ready and not started."""
    now = database_now()
    accommodation = Accommodation.objects.create(
        candidate=candidate,
        time_percent=time_percent,
        pause_minutes=pause_minutes,
        granted_by=by,
        granted_at=now,
        ends_on=ends_on,
    )
    ready = Attempt.objects.select_for_update(of=("self",)).filter(
        candidate=candidate, state=Attempt.State.READY
    )
    for attempt in ready.select_related("blueprint_version"):
        attempt.time_allowed_s = time_allowed_s(candidate, attempt.blueprint_version, on=now.date())
        attempt.pause_allowed_s = pause_allowed_s(candidate, on=now.date())
        attempt.save(update_fields=["time_allowed_s", "pause_allowed_s"])
    audit.record(
        by,
        "accommodation.granted",
        candidate,
        at=now,
        facts={"time_percent": time_percent, "pause_minutes": pause_minutes},
    )
    return accommodation


def _draw_attempt(
    user: User, version: BlueprintVersion, allowed_s: int, *, at: datetime
) -> Attempt:
    blueprint = version.blueprint
    in_use = {
        item.slug: item
        for item in Item.objects.filter(
            exam=version.exam, life__in=(Item.Life.OPERATIONAL, Item.Life.PILOT)
        )
        .exclude(current=None)
        .select_related("current")
    }
    forms, recent = _recent_use(version.exam)
    pool = _pool(user, list(in_use.values()), recent)
    operational = [one for one in pool if in_use[one.id].life == Item.Life.OPERATIONAL]
    # Nobody is asked to judge an answer that cannot count.
    pilots = [
        one
        for one in pool
        if in_use[one.id].life == Item.Life.PILOT and not _scored(in_use[one.id]).is_judged
    ]
    fixed = fixed_forms.form_for(user, version)
    seed, earlier = secrets.token_hex(16), _earlier_forms(user, version.exam)
    if fixed is None:
        form = draw_form(
            blueprint,
            [
                one
                for one in operational
                if not is_capped(one.times_used, forms, most=blueprint.most_exposure)
            ],
            seed=seed,
            earlier_forms=earlier,
            pilots=pilots,
        )
        return _store(user, version, form, in_use, allowed_s, at=at)
    # A fixed form keeps the versions that it was made with; only the order is drawn.
    places = {
        place.item_version.item.slug: place.item_version.item
        for place in fixed.places.select_related("item_version__item")
    }
    for place in fixed.places.select_related("item_version__item"):
        places[place.item_version.item.slug].current = place.item_version
    on_trial = pilots_for(list(places), pilots, most=blueprint.pilots, seed=f"{seed}|pilots")
    form = order_form(_pool(user, list(places.values()), recent), seed=seed, pilots=on_trial)
    places = {one.id: in_use[one.id] for one in on_trial} | places
    return _store(user, version, form, places, allowed_s, at=at, fixed=fixed)


def _recent_use(exam: str) -> tuple[int, dict[int, int]]:
    """How many of the latest forms there are, at most a hundred, and on how many each item stood.

    Recent ones only: otherwise a new item would stand on every form until it had caught up.
    """
    latest = list(
        Attempt.objects.filter(exam=exam)
        .order_by("-prepared_at")
        .values_list("pk", flat=True)[:RECENT_FORMS]
    )
    used = (
        AttemptItem.objects.filter(attempt__in=latest)
        .values_list("item_version__item")
        .annotate(times=Count("id"))
        .values_list("item_version__item", "times")
    )
    return len(latest), dict(used)


def _scored(item: Item) -> ScoredItem:
    if item.current is None:
        raise LookupError(f"Item {item} has no version.")
    return item.current.scored_item


def _pool(user: User, items: list[Item], recent: dict[int, int]) -> list[PoolItem]:
    seen = dict(
        AttemptItem.objects.filter(attempt__candidate=user)
        .values_list("item_version__item")
        .annotate(times=Count("id"))
        .values_list("item_version__item", "times")
    )
    pool = []
    for item in items:
        scored = _scored(item)
        pool.append(
            PoolItem(
                id=item.slug,
                domain=scored.domain,
                enemies=scored.enemies,
                times_used=recent.get(item.pk, 0),
                seen_by_candidate=seen.get(item.pk, 0),
                groups=shuffled_groups(scored),
                competencies=frozenset(scored.competencies),
            )
        )
    return pool


def _earlier_forms(user: User, exam: str) -> frozenset[frozenset[str]]:
    forms: dict[object, set[str]] = {}
    rows = AttemptItem.objects.filter(
        attempt__candidate=user, attempt__exam=exam, is_pilot=False
    ).values_list("attempt_id", "item_version__item__slug")
    for attempt_id, slug in rows:
        forms.setdefault(attempt_id, set()).add(slug)
    return frozenset(frozenset(slugs) for slugs in forms.values())


def _store(
    user: User,
    version: BlueprintVersion,
    form: Form,
    items: dict[str, Item],
    allowed_s: int,
    *,
    at: datetime,
    fixed: ExamForm | None = None,
) -> Attempt:
    attempt = Attempt.objects.create(
        form=fixed,
        candidate=user,
        exam=version.exam,
        blueprint_version=version,
        form_seed=form.seed,
        form_digest=form.digest,
        prepared_at=at,
        time_allowed_s=allowed_s,
        grace_s=version.blueprint.grace_s,
        pause_allowed_s=pause_allowed_s(user, on=at.date()),
        is_sequential=version.blueprint.is_sequential,
    )
    AttemptItem.objects.bulk_create(
        AttemptItem(
            attempt=attempt,
            position=place.position,
            item_version=items[place.id].current,
            domain=items[place.id].domain,
            drawn={group: list(ids) for group, ids in place.drawn.items()},
            is_pilot=place.is_pilot,
        )
        for place in form.items
    )
    return attempt


def _passed(attempt: Attempt) -> bool | None:
    result = getattr(attempt, "result", None)
    return None if result is None else result.grade_run.passed
