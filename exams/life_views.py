"""The examiner's pages of the lives of items: who read them, what is on trial, what is in use."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from checkride import audit
from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.jobs.dbclock import database_now
from exams import item_life, life_cycle, preparation
from exams.models import BlueprintVersion, Item
from exams.scoring.items import MatchingKey, MultipleKey, OrderingKey, SingleKey
from exams.views import private

DEED_NAMES: dict[life_cycle.Deed, object] = {
    "send": gettext_lazy("Send to review"),
    "review": gettext_lazy("Confirm as second reader"),
    "return": gettext_lazy("Back to draft"),
    "pilot": gettext_lazy("Put on trial"),
    "use": gettext_lazy("Put in use"),
    "retire": gettext_lazy("Retire"),
    "reopen": gettext_lazy("Make a draft again"),
}


class StepForm(forms.Form):
    deed = forms.ChoiceField(choices=[(deed, DEED_NAMES[deed]) for deed in life_cycle.DEEDS])
    reason = forms.CharField(min_length=life_cycle.REASON[0], max_length=life_cycle.REASON[1])


@require_GET
@role_required(Role.EXAMINER)
@private
def lives(request: SignedInRequest, exam: str) -> HttpResponse:
    """The items of an exam by their lives, with what this person may do about them."""
    version = _version(exam)
    counts = dict(
        Item.objects.filter(exam=exam)
        .values_list("life")
        .annotate(items=Count("pk"))
        .values_list("life", "items")
    )
    chosen = request.GET.get("life", "")
    if chosen not in Item.Life.values:
        chosen = next((life for life in Item.Life.values if counts.get(life)), "draft")
    items = (
        Item.objects.filter(exam=exam, life=chosen)
        .exclude(current=None)
        .select_related("current", "sent_by")
        .order_by("domain", "slug")
    )
    rows = [
        (item, life_cycle.possible(item_life.standing(item), by=str(request.user.pk)))
        for item in items
    ]
    deeds = [deed for deed in life_cycle.DEEDS if any(deed in possible for _, possible in rows)]
    return render(
        request,
        "exams/lives.html",
        {
            "exam": exam,
            "blueprint": version.blueprint,
            "counts": [(life, name, counts.get(life, 0)) for life, name in Item.Life.choices],
            "chosen": chosen,
            "rows": rows,
            "deeds": [(deed, DEED_NAMES[deed]) for deed in deeds],
            "shortages": preparation.shortages(version),
            "most": item_life.MOST_AT_ONCE,
            "nav_section": "exams",
        },
    )


@require_GET
@role_required(Role.EXAMINER)
@private
def life(request: SignedInRequest, exam: str, slug: str) -> HttpResponse:
    """One item with its key and its history. Who looks at it is recorded."""
    version = _version(exam)
    item = get_object_or_404(
        Item.objects.select_related("current", "sent_by"),
        exam=exam,
        slug=slug,
        current__isnull=False,
    )
    if item.current is None:
        raise Http404
    audit.record(
        request.user,
        "item.read",
        item,
        at=database_now(),
        facts={"item": item.slug, "version": item.current.number},
    )
    scored = item.current.scored_item
    possible = life_cycle.possible(item_life.standing(item), by=str(request.user.pk))
    return render(
        request,
        "exams/life.html",
        {
            "exam": exam,
            "blueprint": version.blueprint,
            "item": item,
            "scored": scored,
            "options": _options(item),
            "document": item.current.document,
            "deeds": [(deed, DEED_NAMES[deed]) for deed in possible],
            "steps": item.steps.select_related("version", "by"),
            "nav_section": "exams",
        },
    )


@require_POST
@role_required(Role.EXAMINER)
@private
def life_step(request: SignedInRequest, exam: str) -> HttpResponse:
    """Take a step with the items that are ticked."""
    _version(exam)
    form = StepForm(request.POST)
    slugs = request.POST.getlist("item")[: item_life.MOST_AT_ONCE]
    items = list(Item.objects.filter(exam=exam, slug__in=slugs).order_by("pk"))
    back = request.POST.get("back", "")
    where = (
        redirect("exams:life", exam, items[0].slug)
        if back == "item" and items
        else redirect("exams:lives", exam)
    )
    if not items or not form.is_valid():
        messages.error(
            request,
            _(
                "Nothing was changed. Tick items, choose what happens and give a reason of a few words."
            ),
        )
        return where
    deed = cast(life_cycle.Deed, form.cleaned_data["deed"])
    outcome = item_life.step_all(items, deed, by=request.user, reason=form.cleaned_data["reason"])
    if outcome.moved:
        messages.success(
            request,
            ngettext("%(n)s item: %(deed)s.", "%(n)s items: %(deed)s.", outcome.moved)
            % {"n": outcome.moved, "deed": DEED_NAMES[deed]},
        )
    for sentence in outcome.refused[:5]:
        messages.warning(request, sentence)
    if len(outcome.refused) > 5:
        messages.warning(
            request, _("And %(n)s more stay as they are.") % {"n": len(outcome.refused) - 5}
        )
    return where


def _options(item: Item) -> list[tuple[str, bool]]:
    """What can be chosen, placed or matched, and whether it is the key; in the author's order."""
    if item.current is None:
        return []
    match item.current.scored_item.key:
        case SingleKey(options=options, right=right):
            return [(option.text, option.id == right) for option in options]
        case MultipleKey(options=options, right=rights):
            return [(option.text, option.id in rights) for option in options]
        case OrderingKey(steps=steps, right=order):
            by_id = {step.id: step.text for step in steps}
            return [(f"{place}. {by_id[one]}", True) for place, one in enumerate(order, start=1)]
        case MatchingKey(left=left, right_side=others, right=pairs):
            texts = {other.id: other.text for other in others}
            return [(f"{one.text} → {texts[pairs[one.id]]}", True) for one in left]
        case _:
            return []


def _version(exam: str) -> BlueprintVersion:
    try:
        return preparation.current_blueprint(exam)
    except preparation.UnknownExam as error:
        raise Http404 from error
