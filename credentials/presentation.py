"""What the public page of a credential says, in words, from a verdict and a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import apnumber
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from credentials import identity
from credentials.models import AchievementVersion, Credential, Revocation
from credentials.openbadges import document, verify
from credentials.openbadges.verify import RecordVerdict, Verdict
from credentials.public_log import Standing
from credentials.ranges import plausible_percent

Tone = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """One check on the page: what holds, what that means, and the technical word for it."""

    title: str
    tone: Tone
    icon: str
    word: str
    says: str
    detail: str
    code: str


@dataclass(frozen=True, slots=True)
class Domain:
    name: str
    correct: int
    of: int
    percent: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page shows. Below the checks there is nothing unless `genuine`."""

    tone: Tone
    icon: str
    headline: str
    advice: str
    checks_heading: str
    checks: Sequence[ShownCheck]
    genuine: bool
    holder: str


@dataclass(frozen=True, slots=True)
class FurtherPart:
    """Another exam that was passed for the same credential. `items` counts items, or tasks where
    `holds_tasks`; `points`, `of` and `cut` are points; `scores` says what each domain earned."""

    title: str
    holds_tasks: bool
    items: int
    points: int
    of: int
    cut: int
    minutes_allowed: int
    form: str
    scores: str


@dataclass(frozen=True, slots=True)
class Record:
    """The exam as the log book shows it; `correct` of `items`, `cut` in items."""

    correct: int
    items: int
    cut: int
    cut_percent: int
    low: int
    high: int
    percent_range: tuple[int, int]
    domains: Sequence[Domain]
    further: Sequence[FurtherPart] = ()


def page(
    credential: Credential,
    verdict: Verdict,
    revocation: Revocation | None,
    standing: Standing,
    *,
    at: datetime,
) -> Page:
    checks = [_shown(check, verdict, credential, revocation, at=at) for check in verdict.checks]
    if verdict.genuine:
        checks.append(_in_log(standing))
    failing = sum(check.tone != "ok" for check in checks)
    tone, headline, advice = _headline(credential, verdict, revocation, at=at)
    if tone == "ok" and standing.state == "missing":
        tone = "warn"
        headline = _("This credential is genuine, but it is not in the public log.")
        advice = _("Everything signed here is entered there. Ask us before you rely on this one.")
    return Page(
        tone=tone,
        icon={"ok": "check", "warn": "clock", "bad": "cross"}[tone],
        headline=headline,
        advice=advice,
        checks_heading=(
            _("%(n)s separate checks, all hold") % {"n": str(apnumber(len(checks))).capitalize()}
            if not failing
            else ngettext(
                "%(n)s of %(all)s checks does not hold",
                "%(n)s of %(all)s checks do not hold",
                failing,
            )
            % {"n": failing, "all": len(checks)}
        ),
        checks=checks,
        genuine=verdict.genuine,
        holder=(verdict.claims.holder_name or "") if verdict.claims else "",
    )


def record(evidence: dict[str, Any]) -> Record:
    """The numbers of the exam, with the range that fits them."""
    domains = [
        Domain(
            domain["name"],
            domain["correct"],
            domain["of"],
            round(100 * domain["correct"] / domain["of"]),
            *plausible_percent(domain["correct"], domain["of"]),
        )
        for domain in evidence["domains"]
    ]
    correct, items = sum(domain.correct for domain in domains), evidence["items"]
    low, high = plausible_percent(correct, items)
    cut_percent = evidence["cut_percent"]
    cut = math.ceil(cut_percent * items / 100)
    parts = evidence.get("parts", [])
    if parts:
        # The percents of the whole are means over its parts; a part has its own cut.
        cut = parts[0]["cut"]
        cut_percent = 100 * cut // items
    return Record(
        correct=correct,
        items=items,
        cut=cut,
        cut_percent=cut_percent,
        low=round(low * items / 100),
        high=round(high * items / 100),
        percent_range=(low, high),
        domains=domains,
        further=[_further(part) for part in parts[1:]],
    )


def _further(part: dict[str, Any]) -> FurtherPart:
    return FurtherPart(
        title=part["title"],
        holds_tasks=part["kind"] == "tasks",
        items=part["items"],
        points=part["points"],
        of=part["of"],
        cut=part["cut"],
        minutes_allowed=part["minutes_allowed"],
        form=part["form"],
        scores=", ".join(f"{one['name']} {one['correct']}" for one in part["domains"]),
    )


def _headline(
    credential: Credential, verdict: Verdict, revocation: Revocation | None, *, at: datetime
) -> tuple[Tone, str, str]:
    if not verdict.genuine:
        return (
            "bad",
            _("This credential cannot be relied on."),
            _("Its signature or its key does not hold, so nothing it says is shown here."),
        )
    if revocation is not None or verdict.revoked:
        if revocation is None:
            return "bad", _("This credential was revoked."), _("Do not rely on it.")
        words = {
            "day": _day(revocation.at),
            "reason": Revocation.Reason(revocation.reason).label,
        }
        return (
            "bad",
            _("This credential was revoked on %(day)s.") % words,
            _("Do not rely on it. The reason: %(reason)s.") % words,
        )
    if verdict.expired:
        return (
            "warn",
            _("This credential was genuine and expired on %(day)s.")
            % {"day": _day(credential.valid_until)},
            _("The holder did pass. The proof is old, and the field moves; ask for a newer one."),
        )
    if not verdict.in_force:
        return (
            "warn",
            _("This credential is genuine; whether it is in force cannot be told just now."),
            _("One of the checks below could not be finished. Try again in some minutes."),
        )
    return (
        "ok",
        _("This credential is genuine and in force today, %(day)s.") % {"day": _day(at)},
        "",
    )


def _shown(
    check: verify.Check,
    verdict: Verdict,
    credential: Credential,
    revocation: Revocation | None,
    *,
    at: datetime,
) -> ShownCheck:
    tone: Tone = {"holds": "ok", "fails": "bad", "unknown": "warn"}[check.state]  # type: ignore[assignment]
    title, says, detail, code = str(check.name), check.says, check.detail, ""
    match check.name:
        case "signature":
            title = _("Signature")
            if check.state != "holds":
                detail = ""
            else:
                says = _("Nothing in it was changed since it was signed.")
        case "issuer":
            title = _("Issuer’s key")
            detail = ""
            if check.state == "holds":
                code = check.detail
                says = _("The key belongs to %(issuer)s and is in its published list.") % {
                    "issuer": settings.ISSUER_NAME
                }
        case "status":
            title = _("Status")
            if revocation is not None:
                tone = "bad"
                says = _("Revoked on %(day)s.") % {"day": _day(revocation.at)}
                if not verdict.revoked:
                    says += " " + _("The signed list follows within a minute.")
            elif check.state == "holds" and credential.status_list.signed_at:
                says = _("Not revoked. The list is of %(time)s UTC.") % {
                    "time": date_format(credential.status_list.signed_at, "j F Y, H:i")
                }
            if (claims := verdict.claims) and (verdict.revoked or tone == "ok"):
                detail = _("Bit %(bit)s of revocation list %(list)s is %(value)s") % {
                    "bit": claims.status_index,
                    "list": credential.status_list.number,
                    "value": int(check.state == "fails"),
                }
        case "dates":
            title = _("Dates")
            words = {
                "start": _day(credential.valid_from),
                "end": _day(credential.valid_until),
            }
            if check.state == "holds":
                says = _("Valid since %(start)s, until %(end)s.") % words
                days = (credential.valid_until - at).days
                detail = _("%(n)s days left") % {"n": days}
            elif at >= credential.valid_until:
                tone = "warn"
                says = _("Valid from %(start)s; expired on %(end)s.") % words
    return ShownCheck(
        title=title,
        tone=tone,
        icon={"ok": "check", "warn": "clock", "bad": "cross"}[tone],
        word={"ok": _("holds"), "warn": _("not certain"), "bad": _("does not hold")}[tone]
        if check.name != "dates" or tone != "warn"
        else _("expired"),
        says=says,
        detail=detail,
        code=code,
    )


def _in_log(standing: Standing) -> ShownCheck:
    tone: Tone = "warn"
    word, detail = _("not certain"), ""
    match standing.state:
        case "in-time":
            tone, word = "ok", _("holds")
            says = _("In the public log since %(time)s.") % {"time": _time(standing.first_at)}
            detail = _("Entry %(n)s") % {"n": standing.first_index}
        case "late":
            word = _("late")
            says = _(
                "In the public log, but only since %(time)s: more than 24 hours after the award. "
                "So the log does not prove the day of the award."
            ) % {"time": _time(standing.first_at)}
            detail = _("Entry %(n)s") % {"n": standing.first_index}
        case "missing":
            tone, word = "bad", _("does not hold")
            says = _("Not in the public log of everything that was signed here.")
        case _:
            says = _("The public log cannot be read just now.")
    if standing.index != standing.first_index:
        detail += "; " + _("signed anew on %(day)s as entry %(n)s") % {
            "day": _day(standing.at) if standing.at else "",
            "n": standing.index,
        }
    return ShownCheck(
        title=_("Log"),
        tone=tone,
        icon={"ok": "check", "warn": "clock", "bad": "cross"}[tone],
        word=word,
        says=says,
        detail=detail,
        code="",
    )


def _time(moment: datetime | None) -> str:
    return date_format(moment, "j F Y, H:i") + " UTC" if moment else ""


def _day(moment: date | datetime) -> str:
    return date_format(moment, "j F Y")


def file_verdict(verdict: Verdict) -> dict[str, object]:
    """What the look-up page says about a file somebody was given."""
    tone: Tone = "bad"
    if not verdict.genuine:
        headline = _("This file cannot be relied on.")
    elif verdict.revoked:
        headline = _("This file is genuine, but the credential was revoked.")
    elif verdict.in_force:
        tone, headline = "ok", _("This file is genuine, and the credential is in force.")
    elif verdict.expired:
        tone, headline = "warn", _("This file is genuine, but the credential has expired.")
    else:
        tone, headline = "warn", _("This file is genuine; its status cannot be told just now.")
    return {"verdict": verdict, "tone": tone, "headline": headline}


def record_verdict(record: RecordVerdict) -> dict[str, object]:
    """What the look-up page says about a learner record and each credential in it."""
    tone: Tone = "bad"
    if not record.genuine:
        headline = _("This record cannot be relied on.")
    elif record.in_force:
        tone, headline = "ok", _("This record is genuine, and every credential in it is in force.")
    elif any(one.revoked for one in record.inside):
        headline = _("This record is genuine, but a credential in it was revoked since.")
    elif record.expired:
        tone, headline = "warn", _("This record is genuine, but too old. Ask for a new one.")
    else:
        tone, headline = "warn", _("This record is genuine; not all in it is in force today.")
    inside = [file_verdict(one) for one in record.inside]
    return {"verdict": record, "tone": tone, "headline": headline, "inside": inside}


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A published signing key: its name, since when it signs, and what it signs now."""

    name: str
    since: datetime
    address: str
    withdrawn: bool


def issuer_facts() -> dict[str, object]:
    """What the issuer's page says. Raises `identity.KeysNotPublished`."""
    published = identity.published()
    withdrawn = {
        method["id"].rpartition("#")[2]
        for method in published.did["verificationMethod"]
        if "revoked" in method
    }
    newest: dict[str, AchievementVersion] = {}
    for version in AchievementVersion.objects.order_by("slug", "version"):
        newest[version.slug] = version
    return {
        "nav_section": "verify",
        "profile": identity.issuer(),
        "keys": [
            ShownKey(kid, since, identity.address("credentials:key", kid), kid in withdrawn)
            for kid, since in sorted(published.since.items(), key=lambda one: one[1], reverse=True)
        ],
        "achievements": list(newest.values()),
        "json_address": identity.address("credentials:issuer", identity.issuer_slug()),
    }


def embed_line(row: Credential) -> str:
    """HTML for the holder's own page: a picture of how the credential stands, as a link to it."""
    return format_html(
        '<a href="{}"><img src="{}" height="44" alt="{}"></a>',
        identity.address("credentials:credential", row.id),
        identity.address("credentials:live-badge", row.id),
        _("%(name)s, Checkride") % {"name": row.achievement.name},
    )


def linkedin_address(credential: Credential) -> str:
    """LinkedIn's form for a certification, filled in. Months there count from 1."""
    return "https://www.linkedin.com/profile/add?" + urlencode(
        {
            "startTask": "CERTIFICATION_NAME",
            "name": credential.achievement.name,
            "organizationName": settings.ISSUER_NAME,
            "issueYear": credential.awarded_at.year,
            "issueMonth": credential.awarded_at.month,
            "expirationYear": credential.valid_until.year,
            "expirationMonth": credential.valid_until.month,
            "certUrl": identity.address("credentials:credential", credential.id),
            "certId": credential.grouped_code,
        }
    )


def signable_name(name: str) -> str:
    """The account's name as it would be signed; empty when it cannot be."""
    try:
        return document.plain_name(name)
    except document.BadName:
        return ""
