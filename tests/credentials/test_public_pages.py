"""What strangers see and what programs read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, identity, limiter, presentation, revoking, signer
from credentials.models import AchievementVersion, Credential, Revocation
from credentials.openbadges import baking, encoding, verify

pytestmark = pytest.mark.django_db

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def nameless(issued: Credential, learner: Any) -> Credential:
    """The holder took the name off."""
    awarding.show_name(issued, shown=False, by=learner, at=issued.awarded_at)
    queue.run_pending()
    issued.refresh_from_db()
    return issued


def page(client: Client, address: str) -> str:
    return client.get(address, headers=BROWSER).content.decode()


def revoke(credential: Credential, by: Any) -> None:
    revoking.revoke(
        credential,
        reason=Revocation.Reason.IDENTITY,
        note="the passport was another person's",
        by=by,
        at=credential.awarded_at + timedelta(hours=1),
    )


def test_the_page_gives_its_verdict_first_and_then_five_checks(
    client: Client, issued: Credential, learner: Any
) -> None:
    text = page(client, issued.get_absolute_url())

    assert "<h1>This credential is genuine and in force today" in text
    assert "Five separate checks, all hold" in text
    assert learner.name in text
    assert issued.grouped_code in text
    assert "20" in text
    assert "17" in text


def test_a_holder_who_keeps_the_name_private_is_not_named(
    client: Client, nameless: Credential, learner: Any
) -> None:
    text = page(client, nameless.get_absolute_url())

    assert "genuine and in force" in text
    assert learner.name not in text
    assert learner.email not in text


def test_a_credential_with_a_broken_signature_shows_nothing_else(
    client: Client, issued: Credential, learner: Any
) -> None:
    assert issued.document is not None
    issued.document["credentialSubject"]["result"][0]["value"] = "99"
    issued.save()

    text = page(client, issued.get_absolute_url())

    assert "cannot be relied on" in text
    assert learner.name not in text
    assert "Agent Foundations" not in text
    assert "evidence" not in text


def test_a_genuine_document_under_the_wrong_address_is_not_accepted(
    client: Client, issued: Credential, released_pass: Callable[..., Any], other_learner: Any
) -> None:
    other = awarding.award(released_pass(other_learner))
    queue.run_pending()
    other.refresh_from_db()
    other.document, other.digest = issued.document, issued.digest
    other.save()

    assert "cannot be relied on" in page(client, other.get_absolute_url())


def test_a_revoked_credential_says_so_at_once_and_why(
    client: Client, issued: Credential, officer: Any
) -> None:
    assert "in force today" in page(client, issued.get_absolute_url())

    revoke(issued, officer)

    text = page(client, issued.get_absolute_url())
    assert "This credential was revoked on" in text
    assert "identity was not confirmed" in text
    assert "passport" not in text
    assert "in force today" not in text


def test_an_expired_credential_says_that_it_was_genuine(
    client: Client, running_signer: Any, released_pass: Callable[..., Any], learner: Any
) -> None:
    from checkride.lib import clock

    old = awarding.award(
        released_pass(learner, at=clock.now().replace(microsecond=0) - timedelta(days=900))
    )
    queue.run_pending()
    old.refresh_from_db()

    text = page(client, old.get_absolute_url())

    assert "was genuine and expired on" in text
    assert "in force today" not in text


def test_a_credential_of_an_erased_person_is_not_there(
    client: Client, issued: Credential, learner: Any
) -> None:
    from checkride.accounts import personal_data
    from checkride.lib import clock

    personal_data.erase(learner, at=clock.now())

    assert client.get(issued.get_absolute_url(), headers=BROWSER).status_code == 404
    assert client.get(f"{issued.get_absolute_url()}.json").status_code == 404
    assert client.get(f"/evidence/{issued.id}").status_code == 404


def test_the_page_of_an_unsigned_credential_is_not_there(
    client: Client, released_pass: Callable[..., Any], learner: Any
) -> None:
    waiting = awarding.award(released_pass(learner))

    assert client.get(waiting.get_absolute_url(), headers=BROWSER).status_code == 404


def test_search_engines_are_told_to_stay_away(client: Client, issued: Credential) -> None:
    for address in (issued.get_absolute_url(), f"/evidence/{issued.id}"):
        answer = client.get(address, headers=BROWSER)

        assert "noindex" in answer["X-Robots-Tag"]
        assert "noindex" in answer.content.decode()


@pytest.mark.parametrize(
    "accept",
    ["application/vc", "application/vc+ld+json", "application/ld+json", "application/json"],
)
def test_programs_get_the_signed_document_under_the_type_they_ask_for(
    client: Client, issued: Credential, accept: str
) -> None:
    answer = client.get(issued.get_absolute_url(), headers={"Accept": accept})

    assert answer["Content-Type"] == accept
    assert json.loads(answer.content) == issued.document
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("json", "application/vc"),
        ("jwt", "text/plain"),
        ("png", "image/png"),
        ("svg", "image/svg+xml"),
        ("pdf", "application/pdf"),
    ],
)
def test_each_form_has_an_address_of_its_own(
    client: Client, issued: Credential, form: str, media_type: str
) -> None:
    answer = client.get(f"{issued.get_absolute_url()}.{form}", headers=BROWSER)

    assert answer.status_code == 200
    assert answer["Content-Type"].split(";")[0] == media_type
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_badge_picture_from_the_site_verifies(client: Client, issued: Credential) -> None:
    from credentials import identity

    picture = client.get(f"{issued.get_absolute_url()}.png").content

    verdict = verify.verify(
        verify.parsed(baking.from_png(picture)),
        did=json.loads(client.get("/.well-known/did.json").content),
        status_list=json.loads(client.get("/status/revocation/1").content),
        at=issued.awarded_at + timedelta(minutes=5),
    )

    assert verdict.genuine
    assert identity.published().did["id"] == "did:web:checkride.example"


def test_the_published_list_carries_a_revocation_after_the_job_ran(
    client: Client, issued: Credential, officer: Any
) -> None:
    revoke(issued, officer)
    queue.run_pending()

    answer = client.get("/status/revocation/1")

    verdict = verify.verify(
        issued.document or {},
        did=json.loads(client.get("/.well-known/did.json").content),
        status_list=json.loads(answer.content),
        at=issued.awarded_at + timedelta(minutes=5),
    )
    assert verdict.revoked
    assert answer["Cache-Control"] == "public, max-age=300"
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_every_key_has_an_address_that_answers_with_the_bare_key(
    client: Client, running_signer: Any
) -> None:
    listed = client.get("/.well-known/jwks.json").json()["keys"]

    for key in listed:
        assert client.get(f"/keys/{key['kid']}").json() == key
        assert "d" not in key
    assert client.get("/keys/key-2020-01").status_code == 404


def test_the_did_document_is_served_under_both_types(client: Client, running_signer: Any) -> None:
    assert client.get("/.well-known/did.json")["Content-Type"] == "application/did+json"
    plain = client.get("/.well-known/did.json", headers={"Accept": "application/json"})
    assert plain["Content-Type"] == "application/json"


def test_before_the_signers_first_start_the_keys_are_missing_and_nothing_breaks(
    client: Client, issued: Credential
) -> None:
    from credentials import identity

    identity.published_file().unlink()

    assert client.get("/.well-known/did.json").status_code == 503
    answer = client.get(issued.get_absolute_url(), headers=BROWSER)
    assert answer.status_code == 503
    assert "Nothing was lost" in answer.content.decode()


def test_the_evidence_bytes_are_those_under_the_signature(
    client: Client, issued: Credential, learner: Any
) -> None:
    body = client.get(f"/evidence/{issued.id}").content

    assert issued.document is not None
    assert issued.document["evidence"][0]["digestMultibase"] == "u" + encoding.base64url(
        b"\x12\x20" + hashlib.sha256(body).digest()
    )
    assert learner.name.encode() not in body
    assert learner.email.encode() not in body


def test_the_achievement_says_what_had_to_be_done(client: Client, issued: Credential) -> None:
    for address in (
        "/achievements/agent-foundations/v1",
        "/achievements/agent-foundations/v1/criteria",
    ):
        assert "17 of 24" in page(client, address)
    as_json = client.get(
        "/achievements/agent-foundations/v1", headers={"Accept": "application/ld+json"}
    )
    as_json = json.loads(as_json.content)
    assert as_json["id"] == "https://checkride.example/achievements/agent-foundations/v1"


def test_the_issuer_has_a_profile_for_people_and_for_programs(
    client: Client, issued: Credential
) -> None:
    shown = page(client, "/issuers/checkride")
    answer = client.get("/issuers/checkride", headers={"Accept": "application/json"})

    assert "did:web:checkride.example" in shown
    assert "key-2026-11" in shown
    assert "/achievements/agent-foundations/" in shown
    profile = answer.json()
    assert profile.pop("@context")[0] == "https://www.w3.org/ns/credentials/v2"
    # The same object, to the last word, as in every credential.
    assert issued.document is not None
    assert profile == issued.document["issuer"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert client.get("/issuers/somebody-else").status_code == 404


def test_a_withdrawn_key_is_shown_as_withdrawn(
    client: Client, running_signer: Any, issued: Credential
) -> None:
    (kid, *_others) = [key["kid"] for key in identity.published().jwks["keys"]]
    changed = signer.withdraw(running_signer.folder, kid, at=clock.now())
    running_signer.folder.publish(identity.issuer().id, changed)

    assert "Withdrawn" in page(client, "/issuers/checkride")


def test_before_the_signers_first_start_the_issuers_page_says_so(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.VAR = tmp_path
    answer = client.get("/issuers/checkride", headers=BROWSER)

    assert answer.status_code == 503
    assert "not published its keys" in answer.content.decode()


def test_an_awarded_achievement_cannot_be_changed_in_the_database(issued: Credential) -> None:
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        AchievementVersion.objects.update(content={})


# Look-up -----------------------------------------------------------------------------------------


def test_a_code_leads_to_its_page_however_it_is_typed(client: Client, issued: Credential) -> None:
    for typed in (issued.code, issued.grouped_code.lower(), f" {issued.grouped_code} "):
        answer = client.get("/verify/", {"code": typed}, headers=BROWSER)

        assert answer.status_code == 302
        assert answer["Location"] == issued.get_absolute_url()


def test_a_link_leads_to_its_page(client: Client, issued: Credential) -> None:
    link = f"https://checkride.example{issued.get_absolute_url()}.pdf"

    assert client.get("/verify/", {"code": link})["Location"] == issued.get_absolute_url()


@pytest.mark.parametrize(
    "link",
    [
        "https://forger.example/credentials/5e7a1c2e-6d0b-4f39-8f0e-1f5f5a3b9f10",
        "https://checkride.example/credentials/nonsense",
        "https://checkride.example.forger.example/credentials/",
    ],
)
def test_a_foreign_link_is_not_found(client: Client, running_signer: Any, link: str) -> None:
    assert client.get("/verify/", {"code": link}).status_code == 404


def test_a_mistyped_code_is_told_from_an_unknown_one(client: Client, issued: Credential) -> None:
    wrong = issued.code[:-1] + ("A" if issued.code[-1] != "A" else "B")

    assert "at least one character is wrong" in page(client, f"/verify/?code={wrong}")
    assert "There is no credential" in page(client, "/verify/?code=7K3M-Q9TX-4B2H-8VDT")


def test_unknown_unsigned_and_erased_codes_get_the_same_answer(
    client: Client,
    issued: Credential,
    released_pass: Callable[..., Any],
    learner: Any,
    other_learner: Any,
) -> None:
    from checkride.accounts import personal_data
    from checkride.lib import clock

    unsigned = awarding.award(released_pass(other_learner))
    personal_data.erase(learner, at=clock.now())

    answers = set()
    for code in ("7K3MQ9TX4B2H8VDT", unsigned.code, issued.code):
        answer = client.get("/verify/", {"code": code}, headers=BROWSER)
        body = answer.content.decode().replace(code, "CODE")
        answers.add((answer.status_code, _without_tokens(body)))

    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


def _without_tokens(body: str) -> str:
    import re

    return re.sub(r'(nonce|value)="[^"]*"', "", body)


def test_a_flood_of_guesses_is_stopped_by_network(client: Client, running_signer: Any) -> None:
    for guess in range(limiter.LOOKUPS_PER_MINUTE):
        answer = client.get(
            "/verify/", {"code": "7K3MQ9TX4B2H8VDT"}, REMOTE_ADDR=f"203.0.113.{guess + 1}"
        )
        assert answer.status_code == 404

    def guess_from(address: str, **headers: str) -> int:
        return client.get(
            "/verify/", {"code": "7K3MQ9TX4B2H8VDT"}, REMOTE_ADDR=address, **headers
        ).status_code

    assert guess_from("203.0.113.200") == 429
    # No proxy is trusted by the settings, so the header changes nothing.
    assert guess_from("203.0.113.200", HTTP_X_FORWARDED_FOR="198.51.100.7") == 429
    assert guess_from("198.51.100.7") == 404


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.5", "203.0.113.250", True),
        ("203.0.113.5", "203.0.114.5", False),
        ("2001:db8:1:2::1", "2001:db8:1:ffff::9", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::ffff:203.0.113.5", "203.0.113.9", True),
    ],
)
def test_addresses_are_counted_by_their_network(one: str, other: str, same: bool) -> None:
    assert (limiter.network(one) == limiter.network(other)) is same


def _send(client: Client, content: bytes, name: str = "badge.json") -> str:
    answer = client.post("/verify/file/", {"file": SimpleUploadedFile(name, content)})
    return answer.content.decode()


def test_a_genuine_file_is_recognised(client: Client, issued: Credential, learner: Any) -> None:
    text = _send(client, client.get(f"{issued.get_absolute_url()}.json").content)

    assert "genuine, and the credential is in force" in text
    assert learner.name in text


def test_a_forged_file_shows_nothing_of_what_it_claims(
    client: Client, issued: Credential, learner: Any
) -> None:
    forged = json.dumps(issued.document).replace('"83"', '"99"').encode()

    text = _send(client, forged)

    assert "cannot be relied on" in text
    assert learner.name not in text


@pytest.mark.parametrize("content", [b"hello", b"\xff\xfe", b"[1]", b"{}", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_credential_is_answered_with_a_sentence(
    client: Client, running_signer: Any, content: bytes
) -> None:
    text = _send(client, content)

    assert "the credential is in force" not in text
    assert "cannot be relied on" in text or "needs another look" in text


def test_a_huge_file_is_refused(client: Client, running_signer: Any) -> None:
    assert "larger than a credential can be" in _send(client, b"{" + b" " * 600_000 + b"}")


# Certificate -------------------------------------------------------------------------------------


def test_the_certificate_is_one_page_with_name_code_and_address(
    client: Client, issued: Credential, learner: Any
) -> None:
    import io

    from pypdf import PdfReader

    data = client.get(f"{issued.get_absolute_url()}.pdf").content

    (sheet,) = PdfReader(io.BytesIO(data)).pages
    text = sheet.extract_text()
    assert learner.name in text
    assert issued.grouped_code in text
    assert f"https://checkride.example{issued.get_absolute_url()}" in text.replace("\n", "")
    assert [round(float(side) * 25.4 / 72) for side in sheet.mediabox[2:]] == [210, 297]


def test_an_outsider_takes_the_signed_file_out_of_the_certificate(
    client: Client, issued: Credential
) -> None:
    import io

    from pypdf import PdfReader

    data = client.get(f"{issued.get_absolute_url()}.pdf?paper=letter").content

    paper = PdfReader(io.BytesIO(data))
    (sheet,) = paper.pages
    assert json.loads(paper.attachments["credential.json"][0]) == issued.document
    assert [float(side) for side in sheet.mediabox[2:]] == [612, 792]


def test_a_certificate_sent_by_mail_is_checked_by_the_file_inside(
    client: Client, issued: Credential
) -> None:
    data = client.get(f"{issued.get_absolute_url()}.pdf").content

    answer = client.post("/verify/file/", {"file": SimpleUploadedFile("c.pdf", data)})

    assert "This file is genuine, and the credential is in force." in answer.content.decode()
    assert "What is printed on the PDF was not checked" in answer.content.decode()


def test_html_in_a_name_stays_text_and_fetches_nothing(
    client: Client, issued: Credential, learner: Any, running_signer: Any
) -> None:
    import io

    from pypdf import PdfReader

    learner.name = '<img src="file:///etc/hostname"> & <b>Eve</b>'
    learner.save()
    running_signer.passes[issued.source_id] = _with_name(running_signer, issued, learner.name)
    awarding.show_name(issued, shown=True, by=learner, at=issued.awarded_at)
    queue.run_pending()

    data = client.get(f"{issued.get_absolute_url()}.pdf").content

    (sheet,) = PdfReader(io.BytesIO(data)).pages
    assert "<b>Eve</b>" in sheet.extract_text()
    assert "<img src" not in page(client, issued.get_absolute_url())


def _with_name(running_signer: Any, credential: Credential, name: str) -> Any:
    from dataclasses import replace

    return replace(running_signer.passes[credential.source_id], holder_name=name)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "https://a.example/x",
        "data:,x",
        "checkridefont:../x",
    ],
)
def test_the_certificates_fetcher_refuses_every_address_but_our_fonts(address: str) -> None:
    from checkride.lib.typesetter import OwnFontsOnly, Refused

    with pytest.raises(Refused):
        OwnFontsOnly().fetch(address)


def test_a_certificate_that_takes_too_long_costs_no_web_process(
    client: Client, issued: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkride.lib.printing._SECONDS", 0.01)

    answer = client.get(f"{issued.get_absolute_url()}.pdf")

    assert answer.status_code == 503
    assert "could not be made" in answer.content.decode()


def test_the_certificate_of_a_revoked_credential_says_so(
    client: Client, issued: Credential, officer: Any
) -> None:
    import io

    from pypdf import PdfReader

    revoke(issued, officer)

    data = client.get(f"{issued.get_absolute_url()}.pdf").content

    assert "This paper proves nothing" in PdfReader(io.BytesIO(data)).pages[0].extract_text()


def test_linkedin_gets_the_month_of_the_award(issued: Credential) -> None:
    from datetime import UTC, datetime

    issued.awarded_at = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)
    issued.valid_until = datetime(2028, 12, 1, tzinfo=UTC)

    address = presentation.linkedin_address(issued)

    assert "issueYear=2026&issueMonth=1&" in address
    assert "expirationYear=2028&expirationMonth=12&" in address


def test_a_page_that_is_opened_again_is_not_verified_again(
    client: Client, issued: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    from credentials import checking

    first = page(client, issued.get_absolute_url())
    calls: list[object] = []
    monkeypatch.setattr(checking.verify, "verify", lambda *args, **facts: calls.append(args))

    second = page(client, issued.get_absolute_url())

    assert not calls
    assert "genuine and in force today" in first
    assert "genuine and in force today" in second
