"""The embedded proof: Data Integrity with the cryptosuite `eddsa-rdfc-2022`.

Source: W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.2. What is signed is
SHA-256(canonical proof options) followed by SHA-256(canonical document without proof).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, encoding, rdf
from credentials.openbadges.dates import BadDate, read, written
from credentials.openbadges.keys import SigningKey

CRYPTOSUITE = "eddsa-rdfc-2022"

_SECURITY = "https://w3id.org/security#"
_XSD_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
_PLAIN_IRI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$")


class ProofMissing(DomainError):
    code = "proof-missing"
    sentence = "The document carries no signature, so nobody vouches for it."


class ProofNotAccepted(DomainError):
    code = "proof-not-accepted"
    sentence = "The signature is not of a kind we accept: {reason}."


class SignatureBroken(DomainError):
    code = "signature-broken"
    sentence = "The signature does not fit the document: something was changed after signing."


def signing_bytes(
    document: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    load: rdf.LoadContext = contexts.context,
    holds_others: bool = False,
) -> bytes:
    """The 64 bytes to be signed for a document without proof and proof options without value.

    `holds_others` says that signed documents with contexts of their own may be inside.
    """
    names = document.get("@context")
    if not isinstance(names, list) or names[:1] != [contexts.CREDENTIALS_V2]:
        raise ProofNotAccepted(reason="the first context does not define it")
    canonical = rdf.canonical_nquads_of_record if holds_others else rdf.canonical_nquads
    return (
        hashlib.sha256(option_nquads(options)).digest()
        + hashlib.sha256(canonical(document, load=load)).digest()
    )


def option_nquads(options: Mapping[str, Any]) -> bytes:
    """The canonical proof options, written directly: under the context of Verifiable Credentials
    2.0, which protects these terms, they are always the same five statements.

    Raises `ProofNotAccepted` for values that would need escaping.
    """
    created, method = options["created"], options["verificationMethod"]
    try:
        read(created)
    except BadDate as error:
        raise ProofNotAccepted(reason="it is not dated") from error
    if not isinstance(method, str) or not _PLAIN_IRI.match(method):
        raise ProofNotAccepted(reason="the name of its key is not an address")
    statements = (
        f'<http://purl.org/dc/terms/created> "{created}"^^<{_XSD_DATE_TIME}>',
        f"<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{_SECURITY}DataIntegrityProof>",
        f'<{_SECURITY}cryptosuite> "{CRYPTOSUITE}"^^<{_SECURITY}cryptosuiteString>',
        f"<{_SECURITY}proofPurpose> <{_SECURITY}assertionMethod>",
        f"<{_SECURITY}verificationMethod> <{method}>",
    )
    return "".join(f"_:c14n0 {statement} .\n" for statement in statements).encode("ascii")


def _refuse_lost_terms(
    document: Mapping[str, Any], *, load: rdf.LoadContext, holds_others: bool
) -> None:
    refuse = rdf.refuse_lost_terms_of_record if holds_others else rdf.refuse_lost_terms
    refuse(document, load=load)


def signed(
    document: Mapping[str, Any],
    *,
    issuer: str,
    key: SigningKey,
    at: datetime,
    holds_others: bool = False,
) -> dict[str, Any]:
    """`document` with one proof made at `at`. Any proof it had is replaced.

    Raises `LostTerm` when a part of the document would not be covered.
    """
    plain = {name: value for name, value in document.items() if name != "proof"}
    _refuse_lost_terms(plain, load=contexts.context, holds_others=holds_others)
    options: dict[str, Any] = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": written(at),
        "verificationMethod": f"{issuer}#{key.kid}",
        "proofPurpose": "assertionMethod",
    }
    signature = cast(Ed25519PrivateKey, key.private).sign(
        signing_bytes(plain, options, holds_others=holds_others)
    )
    return {**plain, "proof": [{**options, "proofValue": "z" + encoding.base58btc(signature)}]}


def only_proof(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one proof of a document, its kind checked.

    A set of proofs is refused as a whole: verifiers that accept a set when any member holds can be
    shown a second, foreign proof. Raises `ProofMissing` and `ProofNotAccepted`.
    """
    proofs = document.get("proof")
    if proofs is None or proofs == []:
        raise ProofMissing()
    rows = proofs if isinstance(proofs, list) else [proofs]
    if len(rows) != 1 or not isinstance(rows[0], Mapping):
        raise ProofNotAccepted(reason="there must be exactly one")
    proof = rows[0]
    expected = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "proofPurpose": "assertionMethod",
    }
    for name, value in expected.items():
        if proof.get(name) != value:
            raise ProofNotAccepted(reason=f"its {name} is not {value}")
    allowed = {*expected, "created", "verificationMethod", "proofValue"}
    if set(proof) != allowed or not all(isinstance(value, str) for value in proof.values()):
        raise ProofNotAccepted(reason="it has other parts than it should")
    return proof


def verify(
    document: Mapping[str, Any],
    public_key: bytes,
    *,
    load: rdf.LoadContext = contexts.context,
    holds_others: bool = False,
) -> None:
    """Check the proof of `document` against 32 bytes of Ed25519 public key.

    Whose key that is, and whether it was allowed to sign, is the caller's question. Raises
    `ProofMissing`, `ProofNotAccepted`, `SignatureBroken`, or what canonicalising raises.
    """
    proof = only_proof(document)
    plain = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    value = proof["proofValue"]
    try:
        signature = encoding.from_base58btc(value[1:]) if value.startswith("z") else b""
    except encoding.BadEncoding:
        signature = b""
    if len(signature) != 64 or "z" + encoding.base58btc(signature) != value:
        raise SignatureBroken()
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            signature, signing_bytes(plain, options, load=load, holds_others=holds_others)
        )
    except InvalidSignature as error:
        raise SignatureBroken() from error
    # Words that carry no meaning are not under the signature; showing them would be a lie.
    _refuse_lost_terms(plain, load=load, holds_others=holds_others)
