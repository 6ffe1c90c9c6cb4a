"""The officer's deeds, the holder's list, and what happens without either."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from checkride.accounts import personal_data
from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, revoking, tasks
from credentials.models import Credential, Revocation, StatusList
from credentials.openbadges import statuslist

pytestmark = pytest.mark.django_db

Make = Callable[..., Any]


@pytest.fixture
def officers_client(client: Client, officer: Any) -> Client:
    """An officer who has just given the password."""
    client.force_login(officer)
    answer = client.post("/accounts/reauthenticate/", {"password": "a long passphrase"})
    assert answer.status_code == 302
    return client


def _revoke_form(credential: Credential, **changes: str) -> dict[str, str]:
    return {
        "reason": "irregularity",
        "note": "two people at the desk, see file 12",
        "confirmation": credential.grouped_code,
    } | changes


def test_an_officer_asks_for_a_revocation_with_a_reason_and_the_typed_code(
    officers_client: Client, officer: Any, issued: Credential
) -> None:
    answer = officers_client.post(f"/officer/credentials/{issued.id}/revoke/", _revoke_form(issued))

    assert answer.status_code == 302
    assert issued.revocation is None
    asked = issued.proposals.get()
    assert (asked.asked_by, asked.reason, asked.answer) == (officer, "irregularity", "")


def test_the_code_of_another_credential_revokes_nothing(
    officers_client: Client, issued: Credential
) -> None:
    answer = officers_client.post(
        f"/officer/credentials/{issued.id}/revoke/",
        _revoke_form(issued, confirmation="7K3M-Q9TX-4B2H-8VDT"),
    )

    assert "code of another credential" in answer.content.decode()
    assert issued.revocation is None


def test_revoking_asks_for_the_password_again_after_a_while(
    client: Client, officer: Any, issued: Credential
) -> None:
    client.force_login(officer)

    answer = client.post(f"/officer/credentials/{issued.id}/revoke/", _revoke_form(issued))

    assert "/accounts/reauthenticate/" in answer["Location"]
    assert issued.revocation is None


@pytest.mark.parametrize("who", ["learner", "instructor", "examiner", "admin"])
def test_for_everybody_else_the_officers_pages_do_not_exist(
    client: Client, issued: Credential, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))

    for address in ("", f"{issued.id}/", f"{issued.id}/revoke/", f"{issued.id}/reinstate/"):
        assert client.get(f"/officer/credentials/{address}").status_code == 404


def test_a_revocation_sets_the_bit_and_a_reinstatement_clears_it(
    issued: Credential, officer: Any
) -> None:
    now = clock.now()
    revoking.revoke(issued, reason=Revocation.Reason.ERROR, note="wrong form", by=officer, at=now)
    queue.run_pending()
    assert _bit(issued)

    revoking.reinstate(issued, because="it was the right form", by=officer, at=now)
    queue.run_pending()

    assert not _bit(issued)
    assert issued.revocation is None
    assert issued.revocations.count() == 1


def _bit(credential: Credential) -> bool:
    row = StatusList.objects.get(pk=credential.status_list_id)
    assert row.document is not None
    bits = statuslist.decoded(row.document["credentialSubject"]["encodedList"])
    return statuslist.is_set(bits, credential.status_index)


def test_a_credential_is_revoked_once(issued: Credential, officer: Any) -> None:
    facts = {"reason": Revocation.Reason.ERROR, "note": "x", "by": officer, "at": clock.now()}
    revoking.revoke(issued, **facts)

    with pytest.raises(revoking.AlreadyRevoked):
        revoking.revoke(issued, **facts)


def test_what_is_not_revoked_cannot_be_reinstated(issued: Credential, officer: Any) -> None:
    with pytest.raises(revoking.NotRevoked):
        revoking.reinstate(issued, because="x", by=officer, at=clock.now())


def test_a_list_is_signed_again_before_it_runs_out(issued: Credential) -> None:
    row = issued.status_list
    row.refresh_from_db()
    first = row.signed_at
    assert first is not None
    assert not revoking.sign_list(row.number)

    row.signed_at = first - timedelta(hours=7)
    row.save()
    tasks.renew_lists()

    row.refresh_from_db()
    assert row.signed_at > first - timedelta(minutes=1)


def test_an_officer_finds_a_credential_by_code_and_by_address(
    client: Client, officer: Any, issued: Credential, learner: Any
) -> None:
    client.force_login(officer)

    for wanted in (issued.grouped_code, learner.email.upper()):
        text = client.get("/officer/credentials/", {"q": wanted}).content.decode()
        assert issued.grouped_code in text
    assert (
        "Nothing was found"
        in client.get("/officer/credentials/", {"q": learner.name}).content.decode()
    )


# The holder --------------------------------------------------------------------------------------


def test_the_record_shows_the_holders_own_credentials_only(
    client: Client, issued: Credential, learner: Any, other_learner: Any
) -> None:
    client.force_login(learner)
    assert issued.grouped_code in client.get("/record/").content.decode()

    client.force_login(other_learner)
    assert issued.grouped_code not in client.get("/record/").content.decode()


def test_the_record_shows_a_pass_whose_credential_waits_for_the_signer(
    client: Client, released_pass: Make, learner: Any
) -> None:
    awarding.award(released_pass(learner))
    client.force_login(learner)

    assert "Being signed" in client.get("/record/").content.decode()


def test_the_holder_takes_the_name_off_and_puts_it_on(
    client: Client, issued: Credential, learner: Any
) -> None:
    client.force_login(learner)

    client.post(f"/record/{issued.id}/name/", {"shown": "no"})
    issued.refresh_from_db()
    assert learner.name not in json.dumps(issued.document)

    client.post(f"/record/{issued.id}/name/", {"shown": "yes"})
    issued.refresh_from_db()
    assert learner.name in json.dumps(issued.document)


def test_nobody_else_takes_the_name_off(
    client: Client, issued: Credential, other_learner: Any
) -> None:
    client.force_login(other_learner)

    assert client.post(f"/record/{issued.id}/name/", {"shown": "no"}).status_code == 404
    issued.refresh_from_db()
    assert issued.name_shown


def test_the_choice_of_a_name_is_kept_while_the_signer_is_away(
    client: Client, issued: Credential, learner: Any, settings: Any
) -> None:
    there, settings.SIGNER_SOCKET = settings.SIGNER_SOCKET, settings.VAR / "nobody.sock"
    client.force_login(learner)

    text = client.post(f"/record/{issued.id}/name/", {"shown": "no"}, follow=True).content.decode()
    assert "Your choice is saved" in text

    settings.SIGNER_SOCKET = there
    queue.run_pending()
    issued.refresh_from_db()
    assert learner.name not in json.dumps(issued.document)


# Awarding by itself --------------------------------------------------------------------------------


def test_the_sweep_signs_what_the_signer_missed(
    released_pass: Make, learner: Any, settings: Any
) -> None:
    from checkride.jobs.models import Job

    waiting = awarding.award(released_pass(learner))
    Job.objects.all().delete()  # as if they had been given up

    awarding.sweep()
    queue.run_pending()

    waiting.refresh_from_db()
    assert waiting.is_signed


def test_erasing_a_person_empties_the_credential_and_keeps_its_list_entry(
    issued: Credential, learner: Any
) -> None:
    index = issued.status_index

    personal_data.erase(learner, at=clock.now())

    issued.refresh_from_db()
    assert issued.document is None
    assert issued.jwt == ""
    assert issued.user is None
    assert issued.evidence == {}
    assert issued.status_index == index
    awarding.sweep()
    queue.run_pending()
    issued.refresh_from_db()
    assert issued.document is None


def test_the_export_holds_each_signed_file(issued: Credential, learner: Any) -> None:
    from credentials import own_data

    files = own_data.export(learner)

    assert json.loads(files[f"{issued.grouped_code}.json"]) == issued.document
    assert issued.grouped_code in files["credentials.json"].decode()


# A stolen key --------------------------------------------------------------------------------------


def test_after_a_key_was_withdrawn_everything_is_signed_anew(
    issued: Credential, running_signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credentials import checking, identity, signer

    at = clock.now()
    folder = running_signer.folder
    signer.rotate(folder, at=at)
    stolen = "key-2026-11"
    keyring = signer.withdraw(folder, stolen, at=at)
    running_signer.server.signer._keys = keyring  # what a restart does
    folder.publish(identity.issuer().id, keyring)
    assert not checking.verdict(issued, at=at).genuine

    assert awarding.sign_again(stolen) == 1
    queue.run_pending()
    tasks.renew_lists()

    again = Credential.objects.get(pk=issued.pk)
    assert checking.verdict(again, at=clock.now()).in_force


def test_a_key_that_does_not_exist_cannot_be_withdrawn(running_signer: Any) -> None:
    from credentials import signer

    with pytest.raises(signer.UnknownKeyName, match="key-2026-11"):
        signer.withdraw(running_signer.folder, "key-1999-01", at=clock.now())
