"""From a released pass to a signed credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from checkride.jobs import queue
from checkride.lib import canonical
from credentials import awarding, checking, identity, signing
from credentials.models import Credential
from credentials.openbadges import verify

pytestmark = pytest.mark.django_db

Make = Callable[..., Any]


def test_an_awarded_credential_is_signed_and_in_force(issued: Credential) -> None:
    at = issued.signed_at
    assert at is not None

    verdict = checking.verdict(issued, at=at)

    assert verdict.in_force, verdict.checks
    assert issued.digest == canonical.digest(issued.document)


def test_awarding_a_pass_twice_gives_one_credential(released_pass: Make, learner: Any) -> None:
    passed = released_pass(learner)

    first, second = awarding.award(passed), awarding.award(passed)

    assert first.id == second.id
    assert Credential.objects.count() == 1


def test_two_passes_give_two_credentials_with_nothing_in_common(
    released_pass: Make, learner: Any
) -> None:
    one, other = awarding.award(released_pass(learner)), awarding.award(released_pass(learner))

    assert one.id != other.id
    assert one.subject != other.subject
    assert one.code != other.code
    assert (one.status_list_id, one.status_index) != (other.status_list_id, other.status_index)


def test_a_signer_that_is_away_delays_a_credential_and_loses_nothing(
    released_pass: Make, learner: Any, running_signer: Any, settings: Any
) -> None:
    there, settings.SIGNER_SOCKET = settings.SIGNER_SOCKET, settings.VAR / "nobody.sock"
    credential = awarding.award(released_pass(learner))
    queue.run_pending()
    credential.refresh_from_db()
    assert not credential.is_signed

    settings.SIGNER_SOCKET = there
    queue.run_pending()

    credential.refresh_from_db()
    assert credential.is_signed


def test_the_sentence_for_a_signer_that_is_away_says_what_to_do(settings: Any) -> None:
    settings.SIGNER_SOCKET = settings.VAR / "nobody.sock"

    with pytest.raises(signing.SignerAway) as refusal:
        signing.issue({}, source_id="x")

    assert "Nothing was lost" in refusal.value.message
    assert "python -m credentials.signer" in refusal.value.message


def test_the_holder_is_told_once(issued: Credential, learner: Any) -> None:
    awarding.tell_holder(issued.id)

    assert [message.to for message in mail.outbox] == [[learner.email]]
    assert issued.grouped_code in mail.outbox[0].body
    assert identity.address("credentials:credential", issued.id) in mail.outbox[0].body


def test_the_credential_names_nobody_until_the_holder_wants_it(
    issued: Credential, learner: Any
) -> None:
    assert learner.name not in str(issued.document)

    awarding.show_name(issued, shown=True, by=learner, at=issued.awarded_at)
    queue.run_pending()
    issued.refresh_from_db()

    assert issued.document is not None
    named = verify.verify(
        issued.document,
        did=identity.published().did,
        status_list=issued.status_list.document,
        at=issued.awarded_at,
    )
    assert named.claims is not None
    assert named.claims.holder_name == learner.name


def test_taking_the_name_off_again_gives_a_file_without_it(
    issued: Credential, learner: Any
) -> None:
    for shown in (True, False):
        awarding.show_name(issued, shown=shown, by=learner, at=issued.awarded_at)
        queue.run_pending()

    issued.refresh_from_db()
    assert learner.name not in str(issued.document)
    assert issued.holder_name == ""


def test_a_pass_of_an_unknown_achievement_is_refused_with_a_sentence(
    released_pass: Make, learner: Any
) -> None:
    from credentials.achievements import UnknownAchievement

    with pytest.raises(UnknownAchievement, match="The pass is kept"):
        awarding.award(released_pass(learner, achievement="tightrope-walking"))


def test_the_evidence_digest_under_the_signature_is_of_the_published_bytes(
    issued: Credential,
) -> None:
    from credentials.openbadges.encoding import digest_multibase

    assert issued.document is not None
    (evidence,) = issued.document["evidence"]

    assert evidence["digestMultibase"] == digest_multibase(awarding.evidence_bytes(issued.evidence))
