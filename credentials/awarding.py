"""From a released pass to a signed credential in the holder's hands."""

from __future__ import annotations

import calendar
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from checkride import audit
from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.jobs.dbclock import database_now
from checkride.lib import canonical, clock
from credentials import achievements, identity, public_log, signing
from credentials.models import AchievementVersion, Credential, StatusList
from credentials.openbadges import document, jwt, shortcode, statuslist
from credentials.openbadges.encoding import digest_multibase
from credentials.signer import Pass
from exams import outcomes

log = structlog.get_logger(__name__)

# Half of a list stays free, so that a random draw finds a free entry at once.
_ENTRIES_PER_LIST = statuslist.SIZE // 2
_DRAWS = 20


def award(passed: outcomes.ReleasedPass) -> Credential:
    """The credential for a pass; calling it again gives the same one.

    It is signed by a job of its own, so a signer that is away delays it and loses nothing. A result
    that was released anew, with a better score, is signed anew under the same address.
    """
    version = achievements.current(passed.achievement)
    known = Credential.objects.filter(achievement__slug=version.slug, source_id=passed.source_id)
    credential = known.first()
    if credential is None:
        credential = _insert(passed, version)
    elif credential.awarded_at == passed.released_at:
        return credential
    else:
        _renew(credential, passed)
    ask_for_signature(credential)
    return credential


def _renew(credential: Credential, passed: outcomes.ReleasedPass) -> None:
    credential.evidence = evidence_of(passed)
    credential.score_percent = passed.score_percent
    credential.cut_percent = passed.cut_percent
    credential.awarded_at = passed.released_at
    credential.revision += 1
    credential.save()
    facts = {"revision": credential.revision, "score_percent": credential.score_percent}
    audit.record(None, "credential.renewed", credential, at=clock.now(), facts=facts)


def _signable(name: str) -> bool:
    try:
        return bool(document.plain_name(name))
    except document.BadName:
        return False


def _insert(passed: outcomes.ReleasedPass, version: AchievementVersion) -> Credential:
    now = clock.now()
    months = version.content["valid_months"]
    for _draw in range(_DRAWS):
        row = Credential(
            achievement=version,
            user_id=passed.user_id,
            source_id=passed.source_id,
            # Before the exam the candidate read that the credential will carry this name.
            name_shown=_signable(passed.holder_name),
            code=shortcode.new(secrets.randbelow),
            evidence=evidence_of(passed),
            score_percent=passed.score_percent,
            cut_percent=passed.cut_percent,
            awarded_at=passed.released_at,
            valid_from=passed.released_at,
            valid_until=months_after(passed.released_at, months),
            status_list=_list_with_room(now),
            status_index=secrets.randbelow(statuslist.SIZE),
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                audit.record(None, "credential.awarded", row, at=now)
            return row
        except IntegrityError:
            # Either the random entry is taken, or somebody awarded the same pass just now.
            other = Credential.objects.filter(achievement=version, source_id=passed.source_id)
            if (credential := other.first()) is not None:
                return credential
    raise RuntimeError("No free entry was found in the revocation list; this is a mistake of ours.")


def months_after(start: datetime, months: int) -> datetime:
    """The same day and time so many months later; the last day of a shorter month."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def _list_with_room(now: datetime) -> StatusList:
    newest = StatusList.objects.order_by("-number").first()
    if newest is None or newest.entries.count() >= _ENTRIES_PER_LIST:
        number = newest.number + 1 if newest else 1
        newest, _made = StatusList.objects.get_or_create(
            number=number, defaults={"changed_at": now}
        )
    return newest


def evidence_of(passed: outcomes.ReleasedPass) -> dict[str, Any]:
    """The record of the exam as it is kept and published: what was done, and no name.

    Where several exams lead to the credential, each of them stands under `parts`.
    """
    record: dict[str, Any] = {
        "exam": passed.exam_slug,
        "form": passed.form,
        "items": passed.items,
        "minutes_allowed": passed.minutes_allowed,
        "score_percent": passed.score_percent,
        "cut_percent": passed.cut_percent,
        "domains": [asdict(domain) for domain in passed.domain_scores],
        "taken": passed.started_at.date().isoformat(),
        "released": passed.released_at.date().isoformat(),
        "grader_sha256": passed.grader_digest,
    }
    if passed.parts:
        record["parts"] = [_part_record(part) for part in passed.parts]
    return record


def _part_record(part: outcomes.PassedPart) -> dict[str, Any]:
    return {
        "exam": part.exam_slug,
        "title": part.title,
        "form": part.form,
        "kind": "tasks" if part.holds_tasks else "items",
        "items": part.items,
        "points": part.correct,
        "of": part.of,
        "cut": part.cut,
        "minutes_allowed": part.minutes_allowed,
        "domains": [asdict(domain) for domain in part.domain_scores],
        "taken": part.started_at.date().isoformat(),
        "grader_sha256": part.grader_digest,
    }


def evidence_bytes(evidence: Mapping[str, Any]) -> bytes:
    """The bytes published as evidence, whose digest is under the signature."""
    return canonical.canonical_json(dict(evidence))


def evidence_sentence(evidence: Mapping[str, Any]) -> str:
    if "parts" in evidence:
        return " ".join(_part_sentence(part) for part in evidence["parts"])
    correct = sum(domain["correct"] for domain in evidence["domains"])
    return (
        f"{correct} of {evidence['items']} items right in {evidence['minutes_allowed']} minutes "
        f"allowed, form {evidence['form']}, taken on {evidence['taken']}."
    )


def _part_sentence(part: Mapping[str, Any]) -> str:
    what = (
        f"{part['points']} of {part['of']} points in {part['items']} tasks"
        if part["kind"] == "tasks"
        else f"{part['points']} of {part['of']} items right"
    )
    return (
        f"{part['title']}: {what}, {part['cut']} needed, {part['minutes_allowed']} minutes "
        f"allowed, form {part['form']}, taken on {part['taken']}."
    )


def unsigned_document(credential: Credential, *, holder_name: str | None) -> dict[str, Any]:
    """The credential as it goes to the signer."""
    evidence = document.Evidence(
        id=identity.address("credentials:evidence", credential.id),
        name=_("Exam record"),
        narrative=evidence_sentence(credential.evidence),
        digest=digest_multibase(evidence_bytes(credential.evidence)),
    )
    return document.credential(
        identity.issuer(),
        achievements.badge(credential.achievement),
        document.Award(
            id=identity.address("credentials:credential", credential.id),
            subject=credential.subject.urn,
            holder_name=holder_name,
            score_percent=credential.score_percent,
            required_percent=credential.cut_percent,
            awarded=credential.awarded_at,
            valid_from=credential.valid_from,
            valid_until=credential.valid_until,
            evidence=evidence,
            status_list=identity.address("credentials:status-list", credential.status_list.number),
            status_index=credential.status_index,
        ),
    )


def ask_for_signature(credential: Credential) -> None:
    """Enqueue the signing of the credential as it stands now."""
    queue.enqueue(
        "credentials.sign",
        key=f"{credential.id}:{credential.revision}:{_round(clock.now())}",
        payload={"credential": str(credential.id)},
    )


def _round(now: datetime) -> str:
    # A job gives up after some hours; the sweep asks again, which must then be another job.
    return now.strftime("%Y-%m-%dT%H")


@transaction.atomic
def sign(credential_id: UUID) -> bool:
    """Have the credential signed as the holder wants it now; True when something was signed.

    Raises `signing.SignerAway` and `signing.SignerRefused`; then nothing has changed.
    """
    credential = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("achievement", "status_list", "user")
        .get(pk=credential_id)
    )
    if credential.erased_at or credential.signed_revision == credential.revision:
        return False
    name = None
    if credential.name_shown and credential.user is not None and _signable(credential.user.name):
        name = document.plain_name(credential.user.name)
    signed = signing.issue(
        unsigned_document(credential, holder_name=name), source_id=credential.source_id
    )
    credential.document = signed.document
    credential.jwt = signed.jwt
    credential.digest = canonical.digest(signed.document)
    credential.holder_name = name or ""
    credential.log_index = signed.log_index
    credential.log_nonce = signed.log_nonce
    credential.signed_at = database_now()
    credential.signed_revision = credential.revision
    credential.save()
    audit.record(
        None,
        "credential.signed",
        credential,
        at=credential.signed_at,
        facts={
            "sha256": credential.digest,
            "revision": credential.revision,
            "log_index": credential.log_index,
        },
    )
    queue.enqueue(
        "credentials.sign-list",
        key=f"{credential.status_list.number}:first",
        payload={"number": credential.status_list.number},
    )
    queue.enqueue(
        "credentials.tell-holder",
        key=str(credential.id),
        payload={"credential": str(credential.id)},
    )
    return True


@transaction.atomic
def tell_holder(credential_id: UUID) -> None:
    """Write to the holder that the credential is there; once."""
    credential = Credential.objects.select_for_update(of=("self",)).get(pk=credential_id)
    if credential.told_at or credential.user is None:
        return
    facts = {
        "credential": credential,
        "address": identity.address("credentials:credential", credential.id),
        "record": identity.address("credentials:record"),
    }
    send_mail(
        _("Your credential: %(name)s") % {"name": credential.achievement.name},
        render_to_string("credentials/mail_awarded.txt", facts),
        settings.DEFAULT_FROM_EMAIL,
        [credential.user.email],
    )
    credential.told_at = database_now()
    credential.save(update_fields=["told_at"])


@transaction.atomic
def show_name(credential: Credential, *, shown: bool, by: User, at: datetime) -> None:
    """Put the holder's name under the signature, or take it away; the id and dates stay.

    Raises `document.BadName` when the account's name cannot be signed.
    """
    if shown:
        document.plain_name(by.name)
    row = Credential.objects.select_for_update().get(pk=credential.pk)
    if row.name_shown == shown and (not shown or row.holder_name == by.name):
        return
    row.name_shown = shown
    row.revision += 1
    row.save(update_fields=["name_shown", "revision"])
    audit.record(by, "credential.name-shown" if shown else "credential.name-hidden", row, at=at)
    ask_for_signature(row)


def sign_again(kid: str) -> int:
    """Have everything signed anew that carries a signature by the key `kid`; how many there are."""
    affected = Credential.objects.filter(
        document__proof__0__verificationMethod__endswith=f"#{kid}", erased_at__isnull=True
    )
    by_jwt = Credential.objects.filter(jwt__startswith=jwt.header_start(settings.SITE_URL, kid))
    numbers = set(affected.values_list("pk", flat=True)) | set(by_jwt.values_list("pk", flat=True))
    _ask_again(numbers)
    StatusList.objects.update(changed_at=database_now())
    return len(numbers)


def sign_what_is_not_in_log() -> int:
    """Have everything signed anew that is not in the transparency log; how many there are.

    Its entries are late, and say so: the log cannot prove a day that lies before it began.
    """
    rows = Credential.objects.filter(document__isnull=False, erased_at__isnull=True)
    numbers = {row.pk for row in rows.iterator() if public_log.standing(row).state == "missing"}
    _ask_again(numbers)
    # A list that was signed before the log began is not in it either.
    StatusList.objects.update(changed_at=database_now())
    return len(numbers)


def _ask_again(numbers: Iterable[UUID]) -> None:
    for number in numbers:
        with transaction.atomic():
            row = Credential.objects.select_for_update().get(pk=number)
            row.revision += 1
            row.save(update_fields=["revision"])
            ask_for_signature(row)


def sweep(*, lookback: timedelta = timedelta(days=30)) -> int:
    """Award every released pass that has no credential, and ask again for missing signatures.

    The signal of a release can get lost with the process that sent it; this cannot.
    """
    awarded = 0
    since = clock.now() - lookback
    have = set(
        Credential.objects.filter(awarded_at__gte=since).values_list(
            "achievement__slug", "source_id", "awarded_at"
        )
    )
    for passed in outcomes.released_passes(since):
        if (passed.achievement, passed.source_id, passed.released_at) not in have:
            try:
                award(passed)
            except achievements.UnknownAchievement as problem:
                log.error("credentials.unknown_achievement", problem=problem.message)
                continue
            awarded += 1
    for credential in Credential.objects.filter(
        signed_revision__lt=F("revision"), erased_at__isnull=True
    ):
        ask_for_signature(credential)
    return awarded


def find_pass(source_id: str) -> Pass | None:
    """The signer's own look at the records, which can change nothing."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        found = outcomes.pass_of(source_id)
    if found is None:
        return None
    return Pass(
        achievement=found.achievement,
        holder_name=found.holder_name,
        score_percent=found.score_percent,
        cut_percent=found.cut_percent,
        released_at=found.released_at,
        holder=found.user_id,
    )
