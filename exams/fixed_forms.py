"""Fixed parallel forms: assemble a set, open and close it, choose one for a candidate, equate."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs.dbclock import database_now
from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from exams.assembly.parallel import Candidate, ParallelForm, assemble
from exams.models import (
    AttemptItem,
    BlueprintVersion,
    ExamForm,
    FormPlace,
    GradeRun,
    Item,
    ItemScore,
)
from exams.psychometrics.equating import Equating, Sitting, equate

MOST_FORMS = 8


class BadForms(DomainError):
    code = "bad-forms"
    sentence = "Nothing was changed: {problem}"


def candidates(exam: str) -> list[Candidate]:
    """Every operational item of an exam as assembly sees it."""
    used = dict(
        FormPlace.objects.filter(form__exam=exam)
        .values_list("item_version__item")
        .annotate(times=Count("id"))
        .values_list("item_version__item", "times")
    )
    found = []
    items = Item.objects.filter(exam=exam, life=Item.Life.OPERATIONAL).exclude(current=None)
    for item in items.select_related("current"):
        if item.current is None:
            continue
        scored = item.current.scored_item
        found.append(
            Candidate(
                id=item.slug,
                domain=scored.domain,
                competencies=frozenset(scored.competencies),
                enemies=scored.enemies,
                angoff=scored.angoff,
                seconds=scored.seconds,
                times_used=used.get(item.pk, 0),
            )
        )
    return found


@transaction.atomic
def make_forms(version: BlueprintVersion, *, count: int, seed: str, by: User) -> list[ExamForm]:
    """Assemble `count` parallel forms as drafts.

    Raises `BadForms` for a number outside 2 to 8, `PoolTooSmall` when the pool cannot fill them.
    """
    if not 2 <= count <= MOST_FORMS:
        raise BadForms(problem=f"give 2 to {MOST_FORMS} forms.")
    blueprint = version.blueprint
    made = assemble(blueprint, candidates(version.exam), forms=count, seed=seed)
    now = database_now()
    items = {
        item.slug: item for item in Item.objects.filter(exam=version.exam).select_related("current")
    }
    taken = ExamForm.objects.filter(exam=version.exam).count()
    forms = []
    for number, parallel in enumerate(made):
        form = ExamForm.objects.create(
            exam=version.exam,
            blueprint_version=version,
            name=_name(taken + number),
            items_sha256=digest(list(parallel.items)),
            cut_points=blueprint.cut.points,
            cut_method="identity",
            cut_reason="The blueprint’s cut, until this form has been equated.",
            made_by=by,
            made_at=now,
        )
        _places(form, parallel, items)
        forms.append(form)
    audit.record(
        by,
        "forms.made",
        version,
        at=now,
        facts={"exam": version.exam, "forms": [form.name for form in forms], "seed": seed},
    )
    return forms


def _places(form: ExamForm, parallel: ParallelForm, items: dict[str, Item]) -> None:
    FormPlace.objects.bulk_create(
        FormPlace(
            form=form,
            item_version=items[slug].current,
            is_anchor=slug in parallel.anchors,
        )
        for slug in parallel.items
    )


def _name(number: int) -> str:
    """A, B, ... Z, A2, B2, ..."""
    letter = chr(ord("A") + number % 26)
    return letter if number < 26 else f"{letter}{number // 26 + 1}"


@transaction.atomic
def set_state(form_id: int, state: str, *, by: User) -> ExamForm:
    """Open or close a form. Raises `BadForms` for an item that is no longer in use."""
    form = ExamForm.objects.select_for_update().get(pk=form_id)
    now = database_now()
    if state == ExamForm.State.OPEN:
        gone = form.places.exclude(item_version__item__life=Item.Life.OPERATIONAL).count()
        if gone:
            raise BadForms(problem=f"{gone} items of the form are no longer in use.")
        form.opened_at = form.opened_at or now
    elif state != ExamForm.State.CLOSED:
        raise BadForms(problem="a form can be opened or closed.")
    form.state = state
    form.save(update_fields=["state", "opened_at"])
    audit.record(by, f"form.{state}", form, at=now, facts={"form": form.name})
    return form


def form_for(user: User, version: BlueprintVersion) -> ExamForm | None:
    """The open form for this person: never one that was sat before, then the one with the fewest
    items known, then the least used. None when no form is open, or all were sat."""
    forms = list(
        ExamForm.objects.filter(blueprint_version=version, state=ExamForm.State.OPEN)
        .exclude(attempts__candidate=user)
        .annotate(sat=Count("attempts"))
        .prefetch_related("places")
    )
    # An item that was retired for cause takes its forms out of use at once.
    forms = [form for form in forms if not _has_retired(form)]
    if not forms:
        return None
    seen = set(
        AttemptItem.objects.filter(attempt__candidate=user).values_list("item_version", flat=True)
    )
    return min(
        forms,
        key=lambda form: (
            sum(place.item_version_id in seen for place in form.places.all()),
            form.sat,
            form.pk,
        ),
    )


def _has_retired(form: ExamForm) -> bool:
    return form.places.exclude(item_version__item__life=Item.Life.OPERATIONAL).exists()


# Equating -----------------------------------------------------------------------------------------


def sitting(form: ExamForm, *, anchors: Iterable[int]) -> Sitting:
    """The released attempts of a form, in points on the form and on the given item versions."""
    anchored = set(anchors)
    totals: dict[int, int] = {}
    on_anchors: dict[int, int] = {}
    rows = ItemScore.objects.filter(
        run__in=GradeRun.objects.filter(result__isnull=False, attempt__form=form)
    ).values_list("run", "attempt_item__item_version", "points")
    for run, version, points in rows:
        totals[run] = totals.get(run, 0) + points
        on_anchors[run] = on_anchors.get(run, 0) + (points if version in anchored else 0)
    runs = sorted(totals)
    return Sitting(
        totals=tuple(totals[run] for run in runs),
        anchors=tuple(on_anchors[run] for run in runs),
        items=form.places.count(),
        anchor_items=len(anchored),
    )


def equating_of(new: ExamForm, old: ExamForm) -> Equating:
    """Put `new` on the scale of `old`, through the item versions that both hold."""
    common = set(new.places.values_list("item_version", flat=True)) & set(
        old.places.values_list("item_version", flat=True)
    )
    return equate(sitting(new, anchors=common), sitting(old, anchors=common))


@transaction.atomic
def adopt_cut(form_id: int, *, points: int, method: str, reason: str, by: User) -> ExamForm:
    """Record a form's own cut. It counts for attempts that are graded from now on.

    Raises `BadForms` without a reason, or for a cut that the form cannot have.
    """
    reason = " ".join(reason.split())
    form = ExamForm.objects.select_for_update().get(pk=form_id)
    if not 10 <= len(reason) <= 2000:
        raise BadForms(problem="give a reason of 10 to 2,000 characters.")
    if not 1 <= points <= form.blueprint_version.blueprint.points:
        raise BadForms(problem="the cut must lie between 1 and the points of the form.")
    before = form.cut_points
    form.cut_points, form.cut_method, form.cut_reason = points, method, reason
    form.save(update_fields=["cut_points", "cut_method", "cut_reason"])
    audit.record(
        by,
        "form.cut",
        form,
        at=database_now(),
        facts={"form": form.name, "before": before, "after": points, "method": method},
    )
    return form
