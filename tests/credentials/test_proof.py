"""Signing and verifying, and every forgery we could think of."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credentials.openbadges import contexts, document, encoding, jwt, keys, proof, rdf, verify

Json = dict[str, Any]


def verdict(house: Any, credential: Any, **given: Any) -> verify.Verdict:
    facts = {"did": house.did, "status_list": house.status_list(), "at": house.now} | given
    return verify.verify(credential, **facts)


def test_a_credential_of_ours_holds_in_every_respect(house: Any) -> None:
    found = verdict(house, house.credential())

    assert [check.state for check in found.checks] == ["holds"] * 4
    assert found.in_force
    assert found.claims is not None
    assert found.claims.score_percent == 83


def test_reading_a_credential_gives_back_what_was_written(house: Any) -> None:
    plain = house.plain()

    claims = document.claims(plain)

    assert claims.holder_name == "Daniela Ferreira"
    assert claims.awarded == house.awarded
    assert claims.status_index == 94567


def test_a_credential_without_a_name_verifies_and_names_nobody(house: Any) -> None:
    found = verdict(house, house.credential(holder_name=None))

    assert found.in_force
    assert found.claims is not None
    assert found.claims.holder_name is None


@pytest.mark.parametrize(
    "name",
    ["Łukasz Żółć", "李小龍", "Nguyễn Thị Hồng", "O’Brien", "Zoë “Zed” A\\B", "أحمد", "😀 Q"],
)
def test_names_of_every_script_keep_their_signature(house: Any, name: str) -> None:
    found = verdict(house, json.loads(json.dumps(house.credential(holder_name=name))))

    assert found.in_force, found.checks
    assert found.claims is not None
    assert found.claims.holder_name == document.plain_name(name)


@pytest.mark.parametrize("name", ["", "  ", "Ada\nLovelace", "Ada\x7f", "Ada\x0bL", "Ada\u2028L"])
def test_names_that_other_programs_read_differently_are_refused(name: str) -> None:
    with pytest.raises(document.BadName):
        document.plain_name(name)


def test_no_changed_byte_of_a_credential_is_accepted(house: Any) -> None:
    text = json.dumps(house.credential(), ensure_ascii=False).encode()
    # Every seventh place of the file, so that each part of it is met in a few seconds.
    for place in range(0, len(text), 7):
        forged = bytearray(text)
        forged[place] ^= 0x01
        try:
            credential = verify.parsed(forged.decode())
        except (UnicodeDecodeError, verify.UnreadableFile):
            continue
        assert not verdict(house, credential).genuine, forged[place - 20 : place + 20]


def _nested(depth: int) -> list[Any]:
    inside: list[Any] = []
    for _level in range(depth):
        inside = [{"evidence": inside}]
    return inside


CHANGES: Mapping[str, Callable[[Json], object]] = {
    "a better score": lambda c: c["credentialSubject"]["result"][0].update(value="99"),
    "another name": lambda c: c["credentialSubject"]["identifier"][0].update(identityHash="Eve"),
    "another bit in the list": lambda c: c["credentialStatus"].update(statusListIndex="1"),
    "no status": lambda c: c.pop("credentialStatus"),
    "a later end": lambda c: c.update(validUntil="2099-01-01T00:00:00Z"),
    "an added statement": lambda c: c.update(description="Holder is a genius"),
    "an added unknown term": lambda c: c.update(grade="A+"),
    "another issuer": lambda c: c["issuer"].update(id="did:web:forger.example"),
    "a changed creation date of the proof": lambda c: c["proof"][0].update(
        created="2026-11-11T09:12:00Z"
    ),
    "another purpose": lambda c: c["proof"][0].update(proofPurpose="authentication"),
    "another suite": lambda c: c["proof"][0].update(cryptosuite="eddsa-jcs-2022"),
    "a second proof": lambda c: c["proof"].append(c["proof"][0]),
    "no proof": lambda c: c.pop("proof"),
    "an empty list of proofs": lambda c: c.update(proof=[]),
    "a context of the forger's": lambda c: c["@context"].append({"name": "https://forger/x"}),
    "one context less": lambda c: c["@context"].pop(),
    "a context inside": lambda c: c["credentialSubject"].update({"@context": {"value": None}}),
    "parts nested beyond reason": lambda c: c.update(evidence=_nested(600)),
    "an empty signature": lambda c: c["proof"][0].update(proofValue="z"),
    "a longer signature": lambda c: c["proof"][0].update(
        proofValue=c["proof"][0]["proofValue"] + "1"
    ),
}


@pytest.mark.parametrize("forgery", CHANGES)
def test_a_forgery_is_rejected_and_shows_nothing(house: Any, forgery: str) -> None:
    forged = copy.deepcopy(house.credential())
    CHANGES[forgery](forged)

    found = verdict(house, forged)

    assert not found.genuine
    assert found.claims is None
    assert not any(check.state == "holds" for check in found.checks)


def _forgers_key() -> keys.SigningKey:
    return keys.new_key("ed25519", at=datetime(2026, 11, 1, tzinfo=UTC))


def test_a_key_written_into_the_fragment_is_not_taken_from_there(house: Any) -> None:
    forger = _forgers_key()
    plain = house.plain(score_percent=100)
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": proof.CRYPTOSUITE,
        "created": "2026-11-10T09:12:00Z",
        "verificationMethod": f"{house.issuer}#{encoding.multikey(forger.public_bytes)}",
        "proofPurpose": "assertionMethod",
    }
    signature = forger.private.sign(proof.signing_bytes(plain, options))  # type: ignore[call-arg]
    value = "z" + encoding.base58btc(signature)
    forged = {**plain, "proof": [{**options, "proofValue": value}]}
    proof.verify(forged, forger.public_bytes)  # by itself the signature is right

    found = verdict(house, forged)

    assert found.check("issuer").state == "fails"
    assert "has not published" in found.check("issuer").says
    assert found.claims is None


def test_a_strangers_key_under_our_keys_name_is_rejected(house: Any) -> None:
    forger = replace(house, ed25519=_forgers_key())

    assert not verdict(house, forger.credential()).genuine


def test_an_issuer_that_signs_in_its_own_name_is_not_us(house: Any) -> None:
    other = "did:web:forger.example"
    key = _forgers_key()
    plain = house.plain()
    forged = proof.signed(plain, issuer=other, key=key, at=house.awarded)

    found = verdict(house, forged)

    assert found.check("issuer").state == "fails"


def test_a_genuine_credential_under_a_strangers_did_document_is_rejected(house: Any) -> None:
    did = {**house.did, "id": "did:web:forger.example"}

    assert not verdict(house, house.credential(), did=did).genuine


def test_a_withdrawn_key_vouches_for_nothing(house: Any) -> None:
    withdrawn = replace(house, ed25519=replace(house.ed25519, revoked=house.now))

    found = verdict(house, house.credential(), did=withdrawn.did)

    assert "withdrawn" in found.check("issuer").says
    assert not found.genuine


def test_a_rotated_key_still_verifies_what_it_signed(house: Any) -> None:
    fresh = keys.new_key("ed25519", at=house.awarded, taken=[house.ed25519.kid])
    did = keys.did_document(house.issuer, [house.ed25519, house.rsa, fresh])

    assert verdict(house, house.credential(), did=did).in_force
    assert fresh.kid == f"{house.ed25519.kid}-2"


def test_a_revoked_credential_is_genuine_and_not_in_force(house: Any) -> None:
    found = verdict(house, house.credential(), status_list=house.status_list(5, 94567))

    assert found.genuine
    assert found.revoked
    assert not found.in_force


def test_an_expired_credential_is_genuine_and_not_in_force(house: Any) -> None:
    later = house.awarded + timedelta(days=731)

    found = verdict(house, house.credential(), at=later)

    assert found.genuine
    assert found.expired
    assert not found.in_force


def test_a_credential_from_the_future_is_not_in_force(house: Any) -> None:
    found = verdict(house, house.credential(), at=house.awarded - timedelta(days=1))

    assert found.check("dates").state == "fails"
    assert not found.expired


def test_without_a_revocation_list_the_status_is_unknown_and_not_good(house: Any) -> None:
    found = verdict(house, house.credential(), status_list=None)

    assert found.check("status").state == "unknown"
    assert not found.in_force


def test_a_forged_revocation_list_says_nothing(house: Any) -> None:
    forger = replace(house, ed25519=_forgers_key())

    found = verdict(house, house.credential(), status_list=forger.status_list())

    assert found.check("status").state == "unknown"
    assert not found.in_force


def test_an_old_revocation_list_cannot_clear_a_credential(house: Any) -> None:
    found = verdict(house, house.credential(), at=house.now + timedelta(days=2))

    assert found.check("status").state == "unknown"


# VC-JWT ----------------------------------------------------------------------------------------


def test_the_jwt_form_of_a_credential_holds_too(house: Any) -> None:
    token = jwt.signed(house.credential(), site_url=house.site, key=house.rsa)

    found = verdict(house, verify.parsed(token))

    assert found.in_force, found.checks


def _swapped_header(token: str, **changes: object) -> str:
    header, payload, signature = token.split(".")
    fields = json.loads(encoding.from_base64url(header)) | changes
    fresh = encoding.base64url(json.dumps(fields).encode())
    return f"{fresh}.{payload}.{signature}"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "PS256", "EdDSA", "ES256"])
def test_a_jwt_with_a_swapped_algorithm_is_rejected(house: Any, algorithm: str) -> None:
    token = jwt.signed(house.credential(), site_url=house.site, key=house.rsa)

    found = verdict(house, _swapped_header(token, alg=algorithm))

    assert not found.genuine


def test_a_jwt_keyed_with_our_public_key_as_a_secret_is_rejected(house: Any) -> None:
    import hashlib
    import hmac

    credential = {**house.credential()}
    header = encoding.base64url(
        b'{"alg":"HS256","kid":"https://checkride.example/keys/jwt-2026-11"}'
    )
    payload = encoding.base64url(
        json.dumps({**credential, **jwt.registered_claims(credential)}).encode()
    )
    secret = json.dumps(keys.public_jwk(house.rsa)).encode()
    tag = hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()

    assert not verdict(house, f"{header}.{payload}.{encoding.base64url(tag)}").genuine


def test_a_jwt_whose_claims_contradict_the_credential_is_rejected(house: Any) -> None:
    credential = house.credential()
    token = jwt.signed(
        {**credential, "iss": "did:web:forger.example"}, site_url=house.site, key=house.rsa
    )
    assert verdict(house, token).genuine  # the registered claims win while signing

    plain = {name: value for name, value in credential.items() if name != "proof"}
    later = {**plain, "validUntil": "2028-11-10T09:12:00Z"}
    parts = jwt.signed(later, site_url=house.site, key=house.rsa).split(".")
    body = json.loads(encoding.from_base64url(parts[1])) | {"validUntil": plain["validUntil"]}
    forged = ".".join([parts[0], encoding.base64url(json.dumps(body).encode()), parts[2]])

    assert not verdict(house, forged).genuine


def test_no_changed_character_of_a_jwt_is_accepted(house: Any) -> None:
    token = jwt.signed(house.credential(), site_url=house.site, key=house.rsa)
    for place in range(0, len(token), 61):
        other = "A" if token[place] != "A" else "B"
        forged = token[:place] + other + token[place + 1 :]
        try:
            credential = verify.parsed(forged)
        except verify.UnreadableFile:
            continue
        assert not verdict(house, credential).genuine, place


# Canonicalisation --------------------------------------------------------------------------------


def test_the_published_vector_of_the_w3c_gives_the_published_hashes_and_signature() -> None:
    # W3C vc-di-eddsa, TestVectors/eddsa-rdfc-2022: the values printed in the recommendation.
    vector = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/examples/v2",
        ],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
    }
    key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": f"did:key:{key}#{key}",
        "proofPurpose": "assertionMethod",
    }

    def load(address: str) -> Mapping[str, Any]:
        if address.endswith("/examples/v2"):
            return {"@context": {"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
        return contexts.context(address)

    signed = proof.signing_bytes(vector, options, load=load)

    assert signed.hex() == (
        "bea7b7acfbad0126b135104024a5f1733e705108f42d59668b05c0c50004c6b0"
        "517744132ae165a5349155bef0bb0cf2258fff99dfe1dbd914b938d775a36017"
    )
    value = (
        "z2YwC8z3ap7yx1nZYCg4L3j3ApHsF8kgPdSb5xoS1VR7vPG3F561B52hYnQF9iseabecm3ijx4K1FBTQsCZahKZme"
    )
    whole = {**vector, "proof": {**options, "proofValue": value}}
    proof.verify(whole, encoding.from_multikey(key), load=load)


def test_the_proof_options_written_directly_are_those_of_the_general_way(house: Any) -> None:
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": proof.CRYPTOSUITE,
        "created": "2026-11-10T09:12:00Z",
        "verificationMethod": "did:web:127.0.0.1%3A8000#key-2026-11",
        "proofPurpose": "assertionMethod",
    }

    general = rdf.canonical_nquads({**options, "@context": house.plain()["@context"]})

    assert proof.option_nquads(options) == general


@pytest.mark.parametrize("method", ["did:web:a.example#k> <x", "key-2026-11", "did:web:ä#k", ""])
def test_a_key_name_that_could_smuggle_statements_is_refused(house: Any, method: str) -> None:
    credential = house.credential()
    credential["proof"][0]["verificationMethod"] = method
    with pytest.raises(proof.ProofNotAccepted):
        proof.verify(credential, house.ed25519.public_bytes)


def test_oxigraph_and_pyld_agree_on_every_statement_of_a_credential(house: Any) -> None:
    from pyld import jsonld

    plain = house.plain()

    other = jsonld.normalize(
        plain,
        {
            "algorithm": "URDNA2015",
            "format": "application/n-quads",
            "base": None,
            "documentLoader": lambda address, _options: {
                "contentType": "application/ld+json",
                "contextUrl": None,
                "documentUrl": address,
                "document": contexts.context(address),
            },
        },
    )

    assert rdf.canonical_nquads(plain).decode() == other
    assert other.count("\n") > 60


def test_a_term_that_nobody_would_sign_is_refused_by_the_issuer(house: Any) -> None:
    plain = house.plain() | {"honours": "with distinction"}

    with pytest.raises(rdf.LostTerm, match="honours"):
        house.sign(plain)


def test_a_schema_type_without_the_extension_context_is_refused(house: Any) -> None:
    plain = house.plain()
    plain["@context"] = plain["@context"][:2]

    with pytest.raises(rdf.LostTerm, match="1EdTech"):
        house.sign(plain)


def test_a_file_made_to_keep_the_canonicaliser_busy_is_refused_at_once(house: Any) -> None:
    plain = house.plain()
    plain["credentialSubject"]["identifier"] = [
        {"type": "IdentityObject", "creator": [{"type": "Profile"} for _ in range(30)]}
    ]

    with pytest.raises(rdf.NotCanonical, match="too many"):
        rdf.canonical_nquads(plain)


def test_an_altered_context_file_is_refused(tmp_path: Any) -> None:
    (tmp_path / "credentials-v2.json").write_text('{"@context": {}}')

    with pytest.raises(contexts.ContextAltered):
        contexts.context(contexts.CREDENTIALS_V2, folder=tmp_path)


def test_a_missing_context_file_says_what_to_run(tmp_path: Any) -> None:
    with pytest.raises(contexts.ContextMissing, match="make setup"):
        contexts.context(contexts.CREDENTIALS_V2, folder=tmp_path)
