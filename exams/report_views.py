"""The public technical reports: what each form measures, and how well."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from exams import plots
from exams.models import BlueprintVersion, ExamForm
from exams.psychometrics.item_analysis import LEAST_ATTEMPTS
from exams.technical_report import LEAST_SHOWN, report_on

DRAWN = "drawn"


@require_GET
def reports(request: HttpRequest, exam: str) -> HttpResponse:
    """Every report of an exam with its headline figures."""
    version = get_object_or_404(BlueprintVersion, exam=exam, is_current=True)
    forms = ExamForm.objects.filter(blueprint_version=version).exclude(state=ExamForm.State.DRAFT)
    return render(
        request,
        "exams/reports.html",
        {
            "exam": exam,
            "blueprint": version.blueprint,
            "reports": [report_on(version, None), *(report_on(version, form) for form in forms)],
            "least": LEAST_ATTEMPTS,
            "nav_section": "exams",
        },
    )


@require_GET
def report(request: HttpRequest, exam: str, form: str) -> HttpResponse:
    """The technical report on one form, or on the forms drawn one by one."""
    version = get_object_or_404(BlueprintVersion, exam=exam, is_current=True)
    chosen = None
    if form != DRAWN:
        chosen = (
            ExamForm.objects.filter(blueprint_version=version, name=form)
            .exclude(state=ExamForm.State.DRAFT)
            .first()
        )
        if chosen is None:
            raise Http404
    found = report_on(version, chosen)
    figures = found.figures
    possible = found.blueprint.points
    return render(
        request,
        "exams/report.html",
        {
            "exam": exam,
            "report": found,
            "blueprint": found.blueprint,
            "figures": figures,
            "scores": plots.histogram(figures.bins, cut=found.cut, possible=possible)
            if figures
            else None,
            "curve": plots.error_curve(figures.errors, cut=found.cut, possible=possible)
            if figures and figures.errors
            else None,
            "least": LEAST_ATTEMPTS,
            "least_shown": LEAST_SHOWN,
            "nav_section": "exams",
        },
    )
