"""The raters' pages: which written answers wait, and one of them beside its rubric."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.lib.errors import DomainError
from exams import judging
from exams.models import Attempt, AttemptItem, Rating
from exams.preparation import current_blueprint
from exams.scoring.items import RubricCriterion, WrittenKey
from exams.scoring.raters import Agreement, agreement
from exams.views import private


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """One criterion on the form, with the level that was chosen."""

    criterion: RubricCriterion
    chosen: int | None


@dataclass(frozen=True, slots=True)
class AgreementRow:
    item: str
    criterion: str
    agreement: Agreement


@require_GET
@role_required(Role.EXAMINER)
@private
def waiting(request: SignedInRequest) -> HttpResponse:
    """Answers that wait for this rater, and how well raters have agreed so far."""
    return render(
        request,
        "exams/ratings.html",
        {
            "waiting": judging.waiting_for(request.user),
            "agreements": _agreements(),
            "nav_section": "exams",
        },
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def rate(request: SignedInRequest, item_id: int) -> HttpResponse:
    """One answer, without its writer and without anybody else's marks."""
    item = (
        AttemptItem.objects.filter(pk=item_id, attempt__state=Attempt.State.SUBMITTED)
        .exclude(attempt__candidate=request.user)
        .exclude(response=None)
        .select_related("item_version", "response__event", "attempt")
        .first()
    )
    if item is None:
        raise Http404
    scored = item.item_version.scored_item
    key = scored.key
    if not isinstance(key, WrittenKey):
        raise Http404
    marks = {
        criterion.id: int(value)
        for criterion in key.rubric
        if (value := request.POST.get(f"level-{criterion.id}", "")).isdecimal() and len(value) < 4
    }
    status = 200
    if request.method == "POST":
        try:
            settlement = judging.rate(
                item.pk, rater=request.user, marks=marks, note=request.POST.get("note", "")[:2000]
            )
        except DomainError as refusal:
            messages.error(request, refusal.message)
            status = 422
        else:
            messages.success(
                request,
                _("Stored. The answer is settled.")
                if settlement.standing == "settled"
                else _("Stored. It waits for another rater."),
            )
            return redirect("exams:ratings")
    return render(
        request,
        "exams/rate.html",
        {
            "item": item,
            "face": item.face,
            "text": item.response.payload.get("text", ""),
            "rows": [CriterionRow(one, marks.get(one.id)) for one in key.rubric],
            "most": scored.points,
            "title": current_blueprint(item.attempt.exam).blueprint.title,
            "note": request.POST.get("note", ""),
            "nav_section": "exams",
        },
        status=status,
    )


def _agreements() -> list[AgreementRow]:
    """First against second rater, by criterion, over every answer with two ratings."""
    rows: dict[int, list[Rating]] = {}
    for rating in Rating.objects.order_by("pk"):
        rows.setdefault(rating.event_id, []).append(rating)
    pairs: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for ratings in rows.values():
        if len(ratings) >= 2:
            for criterion, points in ratings[0].marks.items():
                pairs.setdefault((ratings[0].attempt_item_id, criterion), []).append(
                    (points, ratings[1].marks[criterion])
                )
    items = AttemptItem.objects.filter(pk__in={pk for pk, _ in pairs}).select_related(
        "item_version__item"
    )
    by_version: dict[tuple[int, str], tuple[AttemptItem, list[tuple[int, int]]]] = {}
    known = {item.pk: item for item in items}
    for (pk, criterion), found in pairs.items():
        item = known[pk]
        kept = by_version.setdefault((item.item_version_id, criterion), (item, []))
        kept[1].extend(found)
    table = []
    for (_version, criterion_id), (item, found) in by_version.items():
        key = item.item_version.scored_item.key
        if isinstance(key, WrittenKey):
            criterion = next(one for one in key.rubric if one.id == criterion_id)
            table.append(
                AgreementRow(
                    item=item.item_version.item.slug,
                    criterion=criterion.says,
                    agreement=agreement(found, levels=[level.points for level in criterion.levels]),
                )
            )
    return table
