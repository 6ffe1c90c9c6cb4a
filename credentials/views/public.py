"""The pages that strangers open: a credential, the look-up, what an achievement means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from checkride.lib import clock
from checkride.lib.errors import DomainError
from credentials import (
    achievements,
    awarding,
    certificate,
    checking,
    identity,
    limiter,
    listcheck,
    lookup,
    presentation,
    public_log,
    seal,
)
from credentials.forms import FileForm, ListForm, LookUpForm
from credentials.models import AchievementVersion, Credential
from credentials.openbadges import baking, shortcode
from credentials.views.machine import open_to_all

# Asked for in this order when a program takes anything.
_JSON_TYPES = (
    "application/vc",
    "application/vc+ld+json",
    "application/ld+json",
    "application/json",
)

_FORMS = (
    ("json", _("Signed file (JSON)")),
    ("jwt", _("Signed file (JWT)")),
    ("png", _("Badge (PNG)")),
    ("svg", _("Badge (SVG)")),
    ("pdf", _("Certificate (PDF)")),
)


def _signed_credential(number: UUID) -> Credential:
    """Unknown, unsigned and erased credentials are the same to a stranger: not there."""
    return get_object_or_404(
        Credential.objects.select_related("achievement", "status_list"),
        pk=number,
        document__isnull=False,
        erased_at__isnull=True,
    )


def _wanted_json(request: HttpRequest) -> str | None:
    """The JSON media type the caller prefers over HTML, if any."""
    if request.headers.get("Accept", "").strip() == "*/*":
        # Validators and command lines ask like this, and want the document.
        return _JSON_TYPES[0]
    wanted = request.get_preferred_type(["text/html", *_JSON_TYPES])
    return None if wanted == "text/html" else wanted


def _private_to_the_link(response: HttpResponse) -> HttpResponse:
    """Whoever has the address may read; a search engine is not to hand it to others."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
def credential(request: HttpRequest, number: UUID) -> HttpResponse:
    row = _signed_credential(number)
    media_type = _wanted_json(request)
    if media_type:
        return _document(row, media_type)
    at = clock.now()
    try:
        verdict = checking.verdict(row, at=at)
    except identity.KeysNotPublished as problem:
        response = render(
            request, "credentials/unavailable.html", {"problem": problem.message}, status=503
        )
        return _private_to_the_link(response)
    revocations = list(row.revocations.all())
    revocation = next((one for one in revocations if one.reinstated_at is None), None)
    facts = {
        "nav_section": "verify",
        "credential": row,
        "page": presentation.page(row, verdict, revocation, public_log.standing(row), at=at),
        "record": presentation.record(row.evidence) if verdict.genuine else None,
        "revocation": revocation,
        "address": identity.address("credentials:credential", row.id),
        "did_address": identity.address("credentials:did"),
        "list_address": identity.address("credentials:status-list", row.status_list.number),
        "taken": date.fromisoformat(row.evidence["taken"]),
        "revocations": revocations,
        "forms": _FORMS,
    }
    return _private_to_the_link(render(request, "credentials/credential.html", facts))


def _document(row: Credential, media_type: str) -> HttpResponse:
    text = json.dumps(row.document, indent=1, ensure_ascii=False)
    response = HttpResponse(text, content_type=media_type)
    return open_to_all(_private_to_the_link(response))


@require_safe
def credential_file(request: HttpRequest, number: UUID, form: str) -> HttpResponse:
    """The credential as a file: JSON, JWT, baked pictures, or the certificate for print."""
    row = _signed_credential(number)
    text = json.dumps(row.document, ensure_ascii=False)
    match form:
        case "json":
            response = HttpResponse(
                json.dumps(row.document, indent=1, ensure_ascii=False),
                content_type="application/vc",
            )
        case "jwt":
            plain = "application/vc+jwt" in request.headers.get("Accept", "")
            response = HttpResponse(
                row.jwt, content_type="application/vc+jwt" if plain else "text/plain"
            )
        case "png":
            response = HttpResponse(baking.into_png(seal.png(), text), content_type="image/png")
        case "svg":
            response = HttpResponse(
                baking.into_svg(seal.svg(row.achievement.name), text),
                content_type="image/svg+xml",
            )
        case _:
            try:
                wanted = request.GET.get("paper", "A4")
                paper: certificate.Paper = "letter" if wanted.lower() == "letter" else "A4"
                made = certificate.pdf(row, at=clock.now(), paper=paper)
            except certificate.CertificateNotMade as problem:
                return _private_to_the_link(
                    HttpResponse(problem.message, content_type="text/plain", status=503)
                )
            response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{row.grouped_code}.{form}"'
    if request.GET.get("download") == "1":
        response["Content-Disposition"] = f'attachment; filename="{row.grouped_code}.{form}"'
    return open_to_all(_private_to_the_link(response))


@require_GET
def look_up(request: HttpRequest) -> HttpResponse:
    """One field for a code or a link. A hit leads to the credential's own page."""
    form = LookUpForm(request.GET if "code" in request.GET else None)
    if not form.is_bound or not form.is_valid():
        return _verify_page(request, form)
    try:
        limiter.count_lookup(request)
        found = lookup.by_code_or_link(form.cleaned_data["code"])
    except limiter.TooManyLookups as refusal:
        form.add_error("code", refusal.message)
        response = _verify_page(request, form, status=429)
        response["Retry-After"] = "60"
        return response
    except shortcode.CodeMistyped as refusal:
        form.add_error("code", refusal.message)
        return _verify_page(request, form)
    if found is None:
        return _verify_page(request, form, facts={"not_found": True}, status=404)
    return redirect(found)


@require_POST
@csrf_protect
def check_file(request: HttpRequest) -> HttpResponse:
    """Check a file somebody was given. It is read, answered, and not kept."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _verify_page(request, LookUpForm(), file_form=form)
    try:
        limiter.count_lookup(request)
        text = form.text()
        record = lookup.check_record(text)
        facts = (
            presentation.file_verdict(lookup.check_file(text))
            if record is None
            else presentation.record_verdict(record)
        )
    except limiter.TooManyLookups as refusal:
        form.add_error("file", refusal.message)
        return _verify_page(request, LookUpForm(), file_form=form, status=429)
    except DomainError as refusal:
        form.add_error("file", refusal.message)
        return _verify_page(request, LookUpForm(), file_form=form)
    return _verify_page(
        request,
        LookUpForm(),
        file_form=FileForm(),
        facts={**facts, "paper": form.is_paper},
    )


@require_http_methods(["GET", "POST"])
@csrf_protect
def check_list(request: HttpRequest) -> HttpResponse:
    """Check many applicants at once. What was given is read, answered, and not kept.

    `as` asks for the verdicts as a file, csv or json, instead of a page.
    """
    sent = request.method == "POST"
    form = ListForm(request.POST, request.FILES) if sent else ListForm()
    rows: list[listcheck.Row] = []
    at = clock.now()
    status = 200
    if sent and form.is_valid():
        try:
            limiter.count_list(request)
            rows = listcheck.check_files(form.credential_files(), at=at)
            rows += listcheck.check(listcheck.read_lines(form.text()), at=at)
        except limiter.TooManyLookups as refusal:
            form.add_error(None, refusal.message)
            status = 429
        except DomainError as refusal:
            form.add_error(None, refusal.message)
    if rows and request.POST.get("as") in ("csv", "json"):
        return _verdicts_file(rows, request.POST["as"])
    facts = {
        "nav_section": "verify",
        "form": form,
        "rows": rows,
        "at": at,
        "rely": sum(row.answer == "rely" for row in rows),
        "ask": sum(row.answer == "ask" for row in rows),
        "refuse": sum(row.answer == "refuse" for row in rows),
        "soon": sum(row.soon for row in rows),
    }
    response = render(request, "credentials/list.html", facts, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _verdicts_file(rows: list[listcheck.Row], form: str) -> HttpResponse:
    if form == "csv":
        response = HttpResponse(listcheck.as_csv(rows), content_type="text/csv; charset=utf-8")
    else:
        text = json.dumps([listcheck.as_json(row) for row in rows], indent=1, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="checkride-verdicts.{form}"'
    response["Cache-Control"] = "no-store"
    return response


def _verify_page(
    request: HttpRequest,
    form: LookUpForm,
    *,
    file_form: FileForm | None = None,
    status: int = 200,
    facts: Mapping[str, object] | None = None,
) -> HttpResponse:
    shown = {
        "nav_section": "verify",
        "form": form,
        "file_form": file_form or FileForm(),
        **(facts or {}),
    }
    response = render(request, "credentials/verify.html", shown, status=status)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def achievement(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    return _achievement(request, slug, version)


@require_safe
def criteria(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    return _achievement(request, slug, version)


def _achievement(request: HttpRequest, slug: str, version: int) -> HttpResponse:
    row = get_object_or_404(AchievementVersion, slug=slug, version=version)
    media_type = _wanted_json(request)
    if media_type:
        text = json.dumps(achievements.published(row), indent=1, ensure_ascii=False)
        response = open_to_all(HttpResponse(text, content_type=media_type))
    else:
        newest = AchievementVersion.objects.filter(slug=slug).order_by("-version").first()
        facts = {"nav_section": "verify", "achievement": row, "newest": newest}
        response = render(request, "credentials/achievement.html", facts)
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
def issuer(request: HttpRequest, issuer_slug: str) -> HttpResponse:
    """Who signs here: the Open Badges profile for programs, the same in words for people."""
    if issuer_slug != identity.issuer_slug():
        raise Http404
    media_type = _wanted_json(request)
    if media_type:
        text = json.dumps(identity.profile(), indent=1, ensure_ascii=False)
        response = open_to_all(HttpResponse(text, content_type=media_type))
        response["Cache-Control"] = "public, max-age=300"
    else:
        try:
            response = render(request, "credentials/issuer.html", presentation.issuer_facts())
        except identity.KeysNotPublished as problem:
            facts = {"problem": problem.message}
            response = render(request, "credentials/unavailable.html", facts, status=503)
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
def evidence(request: HttpRequest, number: UUID) -> HttpResponse:
    """The exam record. Programs get the very bytes whose digest is under the signature."""
    row = _signed_credential(number)
    if "text/html" not in request.headers.get("Accept", ""):
        response = HttpResponse(
            awarding.evidence_bytes(row.evidence), content_type="application/json"
        )
        return open_to_all(_private_to_the_link(response))
    signed = (row.document or {}).get("evidence", [{}])[0]
    if not checking_holds(row):
        raise Http404
    facts = {
        "nav_section": "verify",
        "credential": row,
        "record": presentation.record(row.evidence),
        "digest": signed.get("digestMultibase", ""),
    }
    return _private_to_the_link(render(request, "credentials/evidence.html", facts))


def checking_holds(row: Credential) -> bool:
    """Whether the credential is genuine; a record that nobody vouches for is not shown."""
    try:
        return checking.verdict(row, at=clock.now()).genuine
    except identity.KeysNotPublished:
        return False
