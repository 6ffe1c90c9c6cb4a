"""The examiner's pages for corrections: try one, read who would change, publish it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from checkride.accounts.access import SignedInRequest, role_required
from checkride.accounts.roles import Role
from checkride.lib.errors import DomainError
from exams import regrading
from exams.models import ItemVersion, Regrade
from exams.views import private


class RegradeForm(forms.Form):
    item = forms.SlugField(label=gettext_lazy("Item"), max_length=60)
    version = forms.IntegerField(label=gettext_lazy("Version"), min_value=1, initial=1)
    policy = forms.ChoiceField(
        label=gettext_lazy("What happens to it"), choices=Regrade.Policy.choices
    )
    answer = forms.CharField(
        label=gettext_lazy("Further right answer"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Only for accepting one: an option’s id, a number or a wording."),
    )
    keep = forms.ChoiceField(label=gettext_lazy("Which score counts"), choices=Regrade.Keep.choices)
    reason = forms.CharField(
        label=gettext_lazy("What was wrong"),
        min_length=10,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Candidates read this sentence in their letter."),
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def regrades(request: SignedInRequest) -> HttpResponse:
    """Every correction so far, and the form for a dry run of another one."""
    form = RegradeForm(
        request.POST or None,
        initial={"item": request.GET.get("item", ""), "version": request.GET.get("version", "1")},
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            version = (
                ItemVersion.objects.filter(
                    item__slug=form.cleaned_data["item"], number=form.cleaned_data["version"]
                )
                .select_related("item__current")
                .first()
            )
            if version is None:
                form.add_error("item", _("There is no such item and version."))
            else:
                try:
                    made = regrading.dry_run(
                        version,
                        by=request.user,
                        **{
                            key: form.cleaned_data[key]
                            for key in ("policy", "answer", "keep", "reason")
                        },
                    )
                except DomainError as refusal:
                    messages.error(request, refusal.message)
                else:
                    return redirect("exams:regrade", made.pk)
    return render(
        request,
        "exams/regrades.html",
        {
            "form": form,
            "regrades": Regrade.objects.select_related("item_version__item", "made_by")[:50],
            "nav_section": "exams",
        },
        status=status,
    )


@require_http_methods(["GET", "POST"])
@role_required(Role.EXAMINER)
@private
def regrade(request: SignedInRequest, regrade_id: int) -> HttpResponse:
    """The report of a dry run; posting publishes it."""
    row = get_object_or_404(
        Regrade.objects.select_related("item_version__item", "made_by", "published_by"),
        pk=regrade_id,
    )
    if request.method == "POST":
        if request.POST.get("confirm") != "yes":
            messages.error(request, _("Nothing was published. Tick the box and press again."))
            return redirect("exams:regrade", row.pk)
        try:
            regrading.publish(row.pk, by=request.user)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("Published. The letters are on their way."))
        return redirect("exams:regrade", row.pk)
    rows = row.report["rows"]
    return render(
        request,
        "exams/regrade.html",
        {
            "regrade": row,
            "rows": rows[:500],
            "forms": [
                {
                    "name": name,
                    "attempts": counts["attempts"],
                    "changed": counts["changed"],
                    "gain": counts["now passes"],
                    "loss": counts["no longer passes"],
                }
                for name, counts in sorted(row.report["forms"].items())
            ],
            "changed": len(rows),
            "flips": sum(1 for one in rows if one["flip"]),
            "nav_section": "exams",
        },
    )
