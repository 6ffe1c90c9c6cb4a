"""From a released pass to a signed credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from checkride.jobs import queue
from checkride.lib import canonical
from credentials import awarding, checking, identity, signing
from credentials.models import Credential

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


def test_a_credential_of_two_parts_shows_each_with_its_own_cut(
    released_pass: Make, learner: Any, client: Any
) -> None:
    from exams.outcomes import DomainScore, PassedPart

    simple = released_pass(learner)
    items = PassedPart(
        exam_slug="one",
        title="One",
        items=24,
        holds_tasks=False,
        correct=20,
        of=24,
        cut=17,
        domain_scores=simple.domain_scores,
        minutes_allowed=30,
        form="C",
        started_at=simple.started_at,
        grader_digest="0f" * 32,
    )
    tasks = replace(
        items,
        exam_slug="two",
        title="Two",
        items=3,
        holds_tasks=True,
        correct=231,
        of=300,
        cut=210,
        domain_scores=(DomainScore("Draw the work", 77, 100),),
        minutes_allowed=90,
    )
    credential = awarding.award(released_pass(learner, parts=(items, tasks)))
    queue.run_pending()
    credential.refresh_from_db()

    assert credential.is_signed
    assert "parts" not in awarding.evidence_of(simple)
    sentence = awarding.evidence_sentence(credential.evidence)
    assert "Two: 231 of 300 points in 3 tasks, 210 needed" in sentence
    page = client.get(credential.get_absolute_url()).content.decode()
    assert "Do 3 tasks, each run in the simulator and worth 100 points: Draw the work 77" in page


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


def test_the_credential_carries_the_name_that_the_candidate_was_told(
    issued: Credential, learner: Any
) -> None:
    verdict = checking.verdict(issued, at=issued.awarded_at)

    assert verdict.claims is not None
    assert verdict.claims.holder_name == learner.name


def test_the_holder_takes_the_name_off_and_puts_it_on_again(
    issued: Credential, learner: Any
) -> None:
    awarding.show_name(issued, shown=False, by=learner, at=issued.awarded_at)
    queue.run_pending()
    issued.refresh_from_db()
    assert learner.name not in str(issued.document)
    assert issued.holder_name == ""

    awarding.show_name(issued, shown=True, by=learner, at=issued.awarded_at)
    queue.run_pending()
    issued.refresh_from_db()
    assert issued.holder_name == learner.name


def test_a_person_without_a_name_gets_a_credential_without_one(
    released_pass: Make, learner: Any
) -> None:
    learner.name = ""
    learner.save()

    credential = awarding.award(released_pass(learner))
    queue.run_pending()

    credential.refresh_from_db()
    assert credential.is_signed
    assert not credential.name_shown


def test_a_result_released_anew_is_signed_anew_under_the_same_address(
    issued: Credential, released_pass: Make, learner: Any
) -> None:
    before = issued.document
    better = released_pass(
        learner,
        correct=22,
        source_id=issued.source_id,
        at=issued.awarded_at + timedelta(seconds=30),
    )

    awarding.award(better)
    queue.run_pending()

    issued.refresh_from_db()
    assert before is not None
    assert issued.document is not None
    assert issued.document["id"] == before["id"]
    assert issued.document["credentialSubject"]["result"][0]["value"] == "91"
    assert Credential.objects.count() == 1


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
