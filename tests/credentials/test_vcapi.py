"""The surface that the W3C suites talk to, and that it is no part of the site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, keys, vcapi

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def surface() -> vcapi.Surface:
    return vcapi.Surface(
        key=keys.new_key("ed25519", at=NOW),
        extra={},
        address="https://localhost:40443",
        now=lambda: NOW,
    )


def _plain(surface: vcapi.Surface, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [contexts.CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "issuer": surface.did,
        "validFrom": "2026-11-01T09:00:00Z",
        "credentialSubject": {"id": "urn:uuid:0a4b8a55-2a8e-4a9b-9a2b-6f4c2a0d9b11"},
    } | changes


def test_what_it_issues_it_verifies(surface: vcapi.Surface) -> None:
    surface.verify_credential(surface.issue(_plain(surface), with_status=True))
    surface.verify_presentation(
        {
            "@context": [contexts.CREDENTIALS_V2],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [surface.issue(_plain(surface), with_status=False)],
        },
        {},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": ["https://a.example/context"]},
        {"type": ["Other"]},
        {"issuer": "nobody"},
        {"validFrom": "yesterday"},
        {"validUntil": "2026-10-01T09:00:00Z"},
        {"credentialSubject": {}},
        {"credentialStatus": {"id": "urn:x:1"}},
        {"grade": "A"},
    ],
)
def test_it_signs_nothing_that_breaks_the_data_model(
    surface: vcapi.Surface, changes: dict[str, Any]
) -> None:
    with pytest.raises(DomainError):
        surface.issue(_plain(surface, **changes), with_status=False)


def test_every_proof_of_a_set_must_hold(surface: vcapi.Surface) -> None:
    signed = surface.issue(_plain(surface), with_status=False)
    good = signed["proof"]
    other = surface.sign(_plain(surface, name="Another"))["proof"]
    surface.verify_credential({**signed, "proof": [good, good]})

    for proofs in ([good, other], [other, good], [], None, [{**good, "previousProof": "urn:x:1"}]):
        with pytest.raises(DomainError):
            surface.verify_credential({**signed, "proof": proofs})


def test_the_end_of_validity_is_looked_at(surface: vcapi.Surface) -> None:
    soon = (NOW + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = surface.issue(_plain(surface, validUntil=soon), with_status=False)
    surface.verify_credential(signed)

    surface.now = lambda: NOW + timedelta(minutes=1)
    with pytest.raises(vcapi.NotConforming, match="expired"):
        surface.verify_credential(signed)


def test_the_site_has_no_address_of_it(client: Any) -> None:
    for path in ("/credentials/issue", "/credentials/verify", "/presentations/verify"):
        assert client.post(path, {}, content_type="application/json").status_code == 404
