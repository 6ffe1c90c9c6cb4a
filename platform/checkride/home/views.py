"""The public pages: what this is, for whom, and how it can be trusted."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from checkride.home import facts, specimens
from checkride.home.graded_prompt import graded_prompt
from courses import catalog, reader_agreement


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "home/home.html",
        {
            "domains": facts.domains(),
            "competencies": len(catalog.competencies()),
            "tracks": catalog.tracks(),
            "courses": facts.course_count(),
            "exam": facts.foundations_exam(),
            "graded": graded_prompt(),
        },
    )


@require_safe
def employers(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "home/employers.html",
        {"nav_section": "employers", "exam": facts.foundations_exam()},
    )


@require_safe
def instructors(request: HttpRequest) -> HttpResponse:
    return render(request, "home/instructors.html", {"nav_section": "instructors"})


@require_safe
def how_grading_works(request: HttpRequest) -> HttpResponse:
    shown = {"exam": facts.foundations_exam(), "reader": reader_agreement.measured()}
    return render(request, "home/how_grading_works.html", shown)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "home/accessibility.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    model_host = urlsplit(settings.MODEL_URL).netloc
    return render(request, "home/privacy.html", {"model_host": model_host})


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in each of its states; the page that is scanned and photographed."""
    return render(request, "home/styleguide.html", specimens.context(request))
