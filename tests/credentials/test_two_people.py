"""Revoking, reinstating and changing keys take two officers; the holder hears of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from checkride.accounts.roles import Role
from checkride.audit.models import AuditRow
from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, checking, identity, revoking, signer, signing, telling, two_people
from credentials.models import Credential, Proposal, Revocation
from credentials.openbadges import statuslist
from credentials.openbadges.dates import written

pytestmark = pytest.mark.django_db

Deed = Proposal.Deed


@pytest.fixture
def second(make_person: Callable[..., Any]) -> Any:
    return make_person("oskar_officer", Role.CREDENTIAL_OFFICER)


def _ask(credential: Credential, by: Any) -> Proposal:
    return two_people.propose_revocation(
        credential,
        reason=Revocation.Reason.IRREGULARITY,
        note="two people at the desk, see file 12",
        by=by,
        at=clock.now(),
    )


def test_a_second_officer_confirms_and_only_then_it_is_revoked(
    issued: Credential, officer: Any, second: Any, learner: Any
) -> None:
    asked = _ask(issued, officer)
    assert issued.revocation is None

    two_people.confirm(asked, by=second, at=clock.now())

    revocation = issued.revocation
    assert revocation is not None
    assert (revocation.by, revocation.confirmed_by) == (officer, second)
    deeds = AuditRow.objects.filter(subject_id=str(issued.id), action__contains="revoke")
    assert [(row.action, row.actor_id) for row in deeds] == [
        ("credential.revoke-asked", str(officer.id)),
        ("credential.revoke-confirmed", str(second.id)),
        ("credential.revoked", str(officer.id)),
    ]
    queue.run_pending()
    (letter,) = [one for one in mail.outbox if one.subject.startswith("Your credential was rev")]
    assert letter.to == [learner.email]
    assert "the exam was not taken under its rules" in letter.body


def test_nobody_confirms_an_own_request(issued: Credential, officer: Any) -> None:
    asked = _ask(issued, officer)

    with pytest.raises(two_people.OwnProposal):
        two_people.confirm(asked, by=officer, at=clock.now())
    with pytest.raises(IntegrityError, match="nobody_confirms"), transaction.atomic():
        Proposal.objects.filter(pk=asked.pk).update(
            answer="confirmed", answered_by=officer, answered_at=clock.now()
        )

    assert issued.revocation is None


def test_a_declined_or_lapsed_request_changes_nothing_and_can_be_made_again(
    issued: Credential, officer: Any, second: Any
) -> None:
    asked = _ask(issued, officer)
    with pytest.raises(two_people.AlreadyAsked):
        _ask(issued, second)
    two_people.decline(asked, by=second, at=clock.now())
    with pytest.raises(two_people.AnsweredAlready):
        two_people.confirm(asked, by=second, at=clock.now())

    again = _ask(issued, officer)
    with pytest.raises(two_people.ProposalLapsed):
        two_people.confirm(again, by=second, at=clock.now() + timedelta(days=8))

    assert issued.revocation is None


def test_the_pages_lead_from_the_mail_to_the_confirmation(
    client: Client,
    issued: Credential,
    officer: Any,
    second: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        asked = _ask(issued, officer)
    (letter,) = [one for one in mail.outbox if one.to == [second.email]]
    assert asked.get_absolute_url() in letter.body
    client.force_login(second)
    client.post("/accounts/reauthenticate/", {"password": "a long passphrase"})

    assert issued.grouped_code in client.get("/officer/credentials/").content.decode()
    page = client.get(asked.get_absolute_url()).content.decode()
    assert "two people at the desk, see file 12" in page
    client.post(asked.get_absolute_url(), {"answer": "confirm"})

    assert issued.revocation is not None


def test_a_reinstatement_takes_two_and_tells_the_holder(
    issued: Credential, officer: Any, second: Any
) -> None:
    two_people.confirm(_ask(issued, officer), by=second, at=clock.now())
    asked = two_people.propose_reinstatement(
        issued, because="it was another room", by=second, at=clock.now()
    )
    two_people.confirm(asked, by=officer, at=clock.now())
    queue.run_pending()

    assert issued.revocation is None
    letters = [one.subject for one in mail.outbox if "holds again" in one.subject]
    assert len(letters) == 1


def test_a_letter_that_was_overtaken_is_not_sent(issued: Credential, officer: Any) -> None:
    assert not telling.tell_status(issued.id, "revoked")


# Keys --------------------------------------------------------------------------------------------


@pytest.fixture
def changing(running_signer: Any) -> Iterator[Any]:
    """The running signer, looking for agreed changes as the real one does."""
    one, folder = running_signer.server.signer, running_signer.folder

    def change_keys(change: signer.KeyChange) -> Any:
        keyring = signer.changed_keys(folder, change, at=clock.now())
        return keyring, folder.publish(identity.issuer().id, keyring)

    agreed: dict[str, signer.KeyChange] = {}
    one._find_key_change, one._change_keys = agreed.get, change_keys
    return agreed


def _agree(agreed: Any, deed: Any, name: str, officer: Any, second: Any) -> Proposal:
    asked = two_people.propose_key_change(
        deed, key_name=name, note="a drill", by=officer, at=clock.now()
    )
    two_people.confirm(asked, by=second, at=clock.now())
    # The signer looks over a connection of its own, which cannot see into a test's transaction.
    found = two_people.find_key_change(str(asked.pk))
    assert found is not None
    agreed[str(asked.pk)] = found
    return asked


def test_the_rotation_drill_old_credentials_go_on_verifying(
    issued: Credential, changing: Any, officer: Any, second: Any, released_pass: Any, learner: Any
) -> None:
    asked = _agree(changing, Deed.ROTATE, "", officer, second)

    names = two_people.carry_out(asked)

    assert len(names) == 4
    assert checking.verdict(issued, at=clock.now()).in_force
    fresh = awarding.award(released_pass(learner))
    queue.run_pending()
    fresh.refresh_from_db()
    assert fresh.document is not None
    assert checking.verdict(fresh, at=clock.now()).in_force
    (first,) = (issued.document or {})["proof"]
    (then,) = fresh.document["proof"]
    assert first["verificationMethod"] != then["verificationMethod"]
    with pytest.raises(signing.SignerRefused, match="carried out already"):
        two_people.carry_out(asked)


def test_the_compromise_drill_what_a_stolen_key_signed_is_refused_and_signed_anew(
    issued: Credential, changing: Any, officer: Any, second: Any
) -> None:
    stolen = (issued.document or {})["proof"][0]["verificationMethod"].partition("#")[2]

    two_people.carry_out(_agree(changing, Deed.WITHDRAW, stolen, officer, second))

    assert not checking.verdict(issued, at=clock.now()).genuine
    assert awarding.sign_again(stolen) == 1
    queue.run_pending()
    for number in revoking.lists_to_sign():
        revoking.sign_list(number)
    issued.refresh_from_db()
    assert checking.verdict(issued, at=clock.now()).in_force


def test_the_signer_changes_no_key_that_two_officers_did_not_agree_on(
    changing: Any, officer: Any, second: Any
) -> None:
    asked = two_people.propose_key_change(
        Deed.ROTATE, key_name="", note="x", by=officer, at=clock.now()
    )

    assert two_people.find_key_change(str(asked.pk)) is None
    with pytest.raises(signing.SignerRefused, match="no two officers agreed"):
        two_people.carry_out(asked)

    two_people.confirm(asked, by=second, at=clock.now())
    assert two_people.find_key_change(str(asked.pk)) == signer.KeyChange()
    # An officer who is none any more has no say in it.
    second.roles_held.all().delete()
    assert two_people.find_key_change(str(asked.pk)) is None
    for odd in ("", "x", "-1", "9" * 30, "٣"):
        assert two_people.find_key_change(odd) is None


# The list of a past day, and the end of validity -------------------------------------------------


def test_the_list_of_a_past_moment_can_be_had(
    client: Client, issued: Credential, officer: Any
) -> None:
    address = identity.address("credentials:status-list", 1).partition("example")[2]
    before = clock.now()
    revoking.revoke(issued, reason=Revocation.Reason.ERROR, note="x", by=officer, at=before)
    queue.run_pending()

    def bit(query: str) -> bool:
        answer = client.get(address + query)
        assert answer.status_code == 200, answer.content
        found = statuslist.decoded(json.loads(answer.content)["credentialSubject"]["encodedList"])
        return statuslist.is_set(found, issued.status_index)

    first = issued.status_list.past.order_by("signed_at")[0]
    first.signed_at -= timedelta(hours=1)
    first.save()
    moment = written(first.signed_at + timedelta(minutes=30))
    assert bit("")
    assert not bit(f"?timestamp={moment}")


@pytest.mark.parametrize(
    ("moment", "status"),
    [("yesterday", 400), ("2099-01-01T00:00:00Z", 400), ("2001-01-01T00:00:00Z", 404)],
)
def test_a_moment_without_a_list_is_answered_with_a_sentence(
    client: Client, issued: Credential, moment: str, status: int
) -> None:
    answer = client.get(f"/status/revocation/1?timestamp={moment}")

    assert answer.status_code == status
    assert answer.json()["message"].endswith(".")


def test_a_holder_is_reminded_once_before_the_end(issued: Credential, learner: Any) -> None:
    soon = issued.valid_until - timedelta(days=20)
    assert list(telling.to_remind(at=issued.awarded_at)) == []
    assert list(telling.to_remind(at=soon)) == [issued]

    assert telling.remind(issued.id, at=soon)
    assert not telling.remind(issued.id, at=soon)

    assert [one.to for one in mail.outbox if "expires soon" in one.subject] == [[learner.email]]
    assert list(telling.to_remind(at=soon)) == []


def test_a_newer_credential_replaces_the_older_one_for_its_holder_only(
    client: Client, issued: Credential, released_pass: Any, learner: Any
) -> None:
    newer = awarding.award(released_pass(learner, at=issued.awarded_at + timedelta(seconds=9)))
    queue.run_pending()

    assert telling.superseded_by(issued) == newer
    assert telling.superseded_by(newer) is None
    assert newer.grouped_code not in client.get(issued.get_absolute_url()).content.decode()
    client.force_login(learner)
    assert "You hold a newer one" in client.get("/record/").content.decode()
    assert list(telling.to_remind(at=issued.valid_until - timedelta(days=20))) == [newer]
