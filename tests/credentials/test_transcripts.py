"""The learner record: what the signer puts its name to, what it refuses, and who can check it."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pyld import jsonld

from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, identity, revoking, signer, signing, watch
from credentials.models import Credential, Revocation
from credentials.openbadges import contexts, document, proof, rdf, transcript, verify

SUBJECT = "urn:uuid:0a4b8a55-2a8e-4a9b-9a2b-6f4c2a0d9b77"
RECORD = "urn:uuid:5b0e6a53-61de-4d0c-8d2e-4c3b3c1f7a11"
OTHER = "5e7a1c2e-6d0b-4f39-8f0e-1f5f5a3b9f11"


def _second(house: Any, **changes: Any) -> dict[str, Any]:
    """Another credential of the same person."""
    first = document.Evidence(
        id=f"{house.site}/evidence/{OTHER}", name="Exam record", narrative="x", digest="uEi"
    )
    values = {
        "id": f"{house.site}/credentials/{OTHER}",
        "subject": "urn:uuid:0a4b8a55-2a8e-4a9b-9a2b-6f4c2a0d9b12",
        "status_index": 7,
        "evidence": first,
    }
    return dict(house.plain(**(values | changes)))


def _issuer(plain: dict[str, Any]) -> document.Issuer:
    said = plain["issuer"]
    return document.Issuer(
        said["id"], said["name"], said["url"], said["image"]["id"], said["email"]
    )


def _record(house: Any, *credentials: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": RECORD,
        "subject": SUBJECT,
        "credentials": credentials,
        "valid_from": house.now,
        "valid_until": house.now + transcript.VALID_FOR,
    }
    return transcript.document(_issuer(house.plain()), transcript.Record(**(values | changes)))


@pytest.fixture
def passes(house: Any) -> dict[str, signer.Pass]:
    one = signer.Pass(
        achievement="agent-foundations",
        holder_name="Daniela Ferreira",
        score_percent=83,
        cut_percent=70,
        released_at=house.awarded,
        holder=uuid.UUID(int=5),
    )
    return {"pass 1": one, "pass 2": one}


@pytest.fixture
def one_signer(house: Any, passes: dict[str, signer.Pass], tmp_path: Path) -> signer.Signer:
    return signer.Signer(
        site_url=house.site,
        issuer=_issuer(house.plain()),
        keyring=(house.ed25519, house.rsa),
        log=signer.SignatureLog(tmp_path / "log.jsonl"),
        find_pass=passes.get,
        now=lambda: house.now,
    )


@pytest.fixture
def held(one_signer: signer.Signer, house: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two credentials that this signer signed."""
    plain = (("pass 1", house.plain()), ("pass 2", _second(house)))
    first, second = (
        one_signer.answer({"do": "issue", "source_id": source, "document": one})["document"]
        for source, one in plain
    )
    return first, second


def _ask(one: signer.Signer, plain: dict[str, Any]) -> dict[str, Any]:
    return one.answer({"do": "transcript", "document": plain})


def test_the_signer_signs_a_record_of_what_it_signed(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    signed = _ask(one_signer, _record(house, *held))["document"]

    verdict = verify.verify_record(
        signed,
        did=house.did,
        status_lists={"https://checkride.example/status/revocation/1": house.status_list()},
        at=house.now,
    )
    assert verdict.in_force
    assert [one.claims.id for one in verdict.inside if one.claims] == sorted(
        one["id"] for one in held
    )


def test_its_competencies_are_tied_to_the_achievement_and_claim_no_more(
    held: Any, house: Any
) -> None:
    subject = _record(house, *held)["credentialSubject"]

    assert [one["humanCode"] for one in subject["achievement"]] == ["O4", "P2"]
    assert all("not on its own" in one["criteria"]["narrative"] for one in subject["achievement"])
    # Two credentials for one achievement give each tie once.
    assert len(subject["association"]) == 2
    assert {one["sourceId"] for one in subject["association"]} == {
        f"{house.site}/achievements/agent-foundations/v1"
    }


def test_an_achievement_of_another_framework_is_no_competency_of_ours(
    held: Any, house: Any
) -> None:
    foreign = copy.deepcopy(held[0])
    for row in foreign["credentialSubject"]["achievement"]["alignment"]:
        row["targetUrl"] = "https://frameworks.example/x"

    assert "association" not in _record(house, foreign)["credentialSubject"]


def test_a_credential_that_was_never_signed_does_not_get_in(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    forged = copy.deepcopy(held[0])
    forged["credentialSubject"]["result"][0]["value"] = "99"

    assert _ask(one_signer, _record(house, forged, held[1]))["refused"] == "signature-broken"


def test_a_credential_that_our_key_signed_outside_the_log_does_not_get_in(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    outside = house.credential(id=f"{house.site}/credentials/{uuid.uuid4()}")

    answer = _ask(one_signer, _record(house, held[0], outside))

    assert "not as it was last signed" in answer["message"]


def test_two_people_never_share_a_record(
    one_signer: signer.Signer, held: Any, house: Any, passes: dict[str, signer.Pass]
) -> None:
    passes["pass 2"] = replace(passes["pass 2"], holder=uuid.UUID(int=6))

    assert "not those of one person" in _ask(one_signer, _record(house, *held))["message"]


def test_a_pass_that_is_gone_or_nobodys_gives_no_record(
    one_signer: signer.Signer, held: Any, house: Any, passes: dict[str, signer.Pass]
) -> None:
    kept = passes.pop("pass 2")
    assert "no released pass" in _ask(one_signer, _record(house, *held))["message"]

    for number in ("pass 1", "pass 2"):
        passes[number] = replace(kept, holder=None)
    assert "not those of one person" in _ask(one_signer, _record(house, *held))["message"]


def test_a_revoked_credential_does_not_get_in(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    plain = {name: part for name, part in house.status_list(7).items() if name != "proof"}
    assert "refused" not in one_signer.answer({"do": "status-list", "document": plain})

    assert "was revoked" in _ask(one_signer, _record(house, *held))["message"]
    assert "refused" not in _ask(one_signer, _record(house, held[0]))


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"valid_until": timedelta(days=91)}, "validity is not one we give"),
        ({"valid_from": timedelta(hours=1)}, "dated in the future"),
        ({"id": "https://checkride.example/credentials/1"}, "not ours to give"),
    ],
)
def test_other_dates_and_names_are_refused(
    one_signer: signer.Signer, held: Any, house: Any, change: dict[str, Any], because: str
) -> None:
    moved = {
        name: house.now + value if isinstance(value, timedelta) else value
        for name, value in change.items()
    }
    answer = _ask(one_signer, _record(house, *held, **moved))

    assert because in answer["message"]


def test_not_a_word_may_be_added(one_signer: signer.Signer, held: Any, house: Any) -> None:
    for place, change in (
        (lambda one: one, {"description": "The best of all."}),
        (lambda one: one["credentialSubject"], {"identifier": []}),
        (lambda one: one["credentialSubject"]["achievement"][0], {"name": "More than it says"}),
        (lambda one: one["issuer"], {"name": "Harvard"}),
    ):
        plain = copy.deepcopy(_record(house, *held))
        place(plain).update(change)
        assert "refused" in _ask(one_signer, plain), change


def test_a_change_after_signing_is_found_wherever_it_is(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    signed = _ask(one_signer, _record(house, *held))["document"]
    inside = signed["credentialSubject"]["verifiableCredential"]

    def fails(change: Callable[[dict[str, Any]], object]) -> bool:
        one = copy.deepcopy(signed)
        change(one)
        verdict = verify.verify_record(one, did=house.did, status_lists={}, at=house.now)
        return not verdict.genuine

    assert not fails(lambda one: None)
    assert fails(lambda one: one["credentialSubject"]["verifiableCredential"].pop())
    assert fails(lambda one: one["credentialSubject"].update(id=RECORD))
    assert fails(lambda one: one.update(validUntil="2036-11-20T09:31:00Z"))
    assert fails(lambda one: one["credentialSubject"]["verifiableCredential"].append(inside[0]))
    assert fails(
        lambda one: one["credentialSubject"]["verifiableCredential"][0]["credentialSubject"][
            "identifier"
        ][0].update(identityHash="Eve")
    )
    assert fails(lambda one: one["credentialSubject"]["association"].pop())


def test_a_record_in_the_place_of_a_credential_is_refused(
    one_signer: signer.Signer, held: Any, house: Any
) -> None:
    signed = _ask(one_signer, _record(house, *held))["document"]

    assert not verify.verify(signed, did=house.did, status_list=None, at=house.now).genuine


def test_an_old_record_says_so(one_signer: signer.Signer, held: Any, house: Any) -> None:
    signed = _ask(one_signer, _record(house, *held))["document"]

    later = verify.verify_record(
        signed, did=house.did, status_lists={}, at=house.now + timedelta(days=91)
    )
    assert (later.genuine, later.expired, later.in_force) == (True, True, False)


def test_two_canonicalisers_read_it_alike_and_newer_texts_of_the_context_change_nothing(
    held: Any, house: Any
) -> None:
    plain = _record(house, *held)

    def newer(address: str) -> dict[str, Any]:
        found = copy.deepcopy(contexts.context(address))
        if address == contexts.LEARNER_RECORD:
            # What the version 2.0.1 of the context has more, as 1EdTech publishes it.
            vocabulary = "https://purl.imsglobal.org/spec/vc/clr/vocab.html"
            terms = found["@context"]
            terms["ClrCredential"]["@context"]["partial"] = {
                "@id": f"{vocabulary}#partial",
                "@type": "xsd:boolean",
            }
            inner = terms["ClrSubject"]["@context"]
            inner["obi"] = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"
            inner["identifier"] = {
                "@id": f"{vocabulary}#identifier-1",
                "@type": "obi:Identifier",
                "@container": "@set",
            }
        return found

    ours = rdf.canonical_nquads_of_record(plain, load=contexts.context)
    options = {
        "base": None,
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
        "documentLoader": lambda address, _options: {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": address,
            "document": contexts.context(address),
        },
    }
    assert jsonld.normalize(plain, options).encode() == ours
    assert rdf.canonical_nquads_of_record(plain, load=newer) == ours


def test_a_context_written_into_a_part_is_refused(held: Any, house: Any) -> None:
    plain = _record(house, *held)
    plain["credentialSubject"]["verifiableCredential"][0]["@context"] = [{"name": "ex:name"}]

    for read in (rdf.canonical_nquads_of_record, rdf.refuse_lost_terms_of_record):
        with pytest.raises(contexts.UnknownContext):
            read(plain, load=contexts.context)
    with pytest.raises(contexts.UnknownContext):
        proof.signed(_record(house, *held), issuer=house.issuer, key=house.ed25519, at=house.now)


# On the site -------------------------------------------------------------------------------------


def _download(client: Client) -> Any:
    return client.post("/record/transcript/", follow=True)


@pytest.fixture
def two_issued(issued: Credential, released_pass: Any, learner: Any) -> list[Credential]:
    at = clock.now().replace(microsecond=0) - timedelta(days=3)
    awarding.award(released_pass(learner, correct=22, at=at))
    queue.run_pending()
    return list(Credential.objects.order_by("awarded_at"))


@pytest.mark.django_db
def test_the_holder_takes_the_whole_record_away_and_anybody_can_check_it(
    client: Client, learner: Any, two_issued: list[Credential]
) -> None:
    client.force_login(learner)
    assert "Learner record (CLR 2.0)" in client.get("/record/").content.decode()

    answer = _download(client)

    assert answer["Content-Disposition"].startswith('attachment; filename="learner-record-')
    record = json.loads(answer.content)
    assert len(record["credentialSubject"]["verifiableCredential"]) == 2
    page = client.post("/verify/file/", {"file": _as_file(answer.content)}).content.decode()
    assert "This record is genuine, and every credential in it is in force." in page
    sheet = client.post("/verify/list/", {"credentials": [_as_file(answer.content)], "as": "json"})
    assert [row["standing"] for row in sheet.json()] == ["in-force", "in-force"]


def _as_file(data: bytes) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("learner-record.json", data)


@pytest.mark.django_db
def test_a_pile_of_records_is_not_checked_for_ever(
    client: Client, learner: Any, two_issued: list[Credential]
) -> None:
    client.force_login(learner)
    content = _download(client).content

    pile = [_as_file(content) for _ in range(26)]
    page = client.post("/verify/list/", {"credentials": pile}).content.decode()

    assert "hold more than 50 credentials together" in page


@pytest.mark.django_db
def test_what_was_revoked_is_left_out_and_shows_in_an_older_record(
    client: Client, learner: Any, officer: Any, two_issued: list[Credential]
) -> None:
    client.force_login(learner)
    before = _download(client).content
    revoked = two_issued[0]
    revoking.revoke(revoked, reason=Revocation.Reason.ERROR, note="", by=officer, at=clock.now())
    queue.run_pending()

    record = json.loads(_download(client).content)
    page = client.post("/verify/file/", {"file": _as_file(before)}).content.decode()

    (only,) = record["credentialSubject"]["verifiableCredential"]
    assert only["id"].endswith(str(two_issued[1].id))
    assert "a credential in it was revoked since" in page


@pytest.mark.django_db
def test_the_alarm_knows_the_records_that_were_asked_for(
    client: Client, learner: Any, two_issued: list[Credential], monkeypatch: Any
) -> None:
    monkeypatch.setattr(watch, "_SETTLED", timedelta(0) - timedelta(minutes=1))
    client.force_login(learner)
    _download(client)
    assert watch.compare_with_log() == 0

    # Whoever gets at the socket can ask too, and leaves no row.
    held = tuple(row.document for row in two_issued)
    at = clock.now().replace(microsecond=0)
    record = transcript.Record(RECORD, SUBJECT, held, at, at + timedelta(days=1))
    signing.sign_transcript(transcript.document(identity.issuer(), record))
    assert watch.compare_with_log() == 1


@pytest.mark.django_db
def test_without_a_credential_or_a_signer_the_page_says_what_to_do(
    client: Client, learner: Any, running_signer: Any, issued: Credential, settings: Any
) -> None:
    client.force_login(learner)
    settings.SIGNER_SOCKET = settings.VAR / "nobody.sock"
    assert "The signer is away" in _download(client).content.decode()

    Credential.objects.update(user=None)
    assert "nothing to put into a file" in _download(client).content.decode()


@pytest.mark.django_db
def test_records_are_counted(client: Client, learner: Any, issued: Credential) -> None:
    client.force_login(learner)
    answers = [_download(client) for _ in range(4)]

    assert "Content-Disposition" in answers[2]
    assert "within a minute" in answers[3].content.decode()
