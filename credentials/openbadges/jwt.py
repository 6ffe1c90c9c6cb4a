"""The second form of a credential: VC-JWT, the whole document as the payload of a JWS.

Source: Open Badges 3.0, section 8.2. RS256, because the validator of 1EdTech takes nothing else
that everybody has; `kid` is an address that answers with the bare JSON Web Key; no `typ`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)

from checkride.lib import canonical
from credentials.openbadges import encoding
from credentials.openbadges.dates import read
from credentials.openbadges.keys import SigningKey
from credentials.openbadges.proof import ProofNotAccepted, SignatureBroken

ALGORITHM = "RS256"


def key_address(site_url: str, kid: str) -> str:
    return f"{site_url}/keys/{kid}"


def header_start(site_url: str, kid: str) -> str:
    """How every token signed with `kid` begins: its header and the dot."""
    header = {"alg": ALGORITHM, "kid": key_address(site_url, kid)}
    return encoding.base64url(canonical.canonical_json(header)) + "."


def registered_claims(document: Mapping[str, Any]) -> dict[str, Any]:
    """The JWT claims that must repeat what the credential says; times in seconds since 1970."""
    return {
        "iss": document["issuer"]["id"],
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
        "nbf": int(read(document["validFrom"]).timestamp()),
        "exp": int(read(document["validUntil"]).timestamp()),
    }


def signed(document: Mapping[str, Any], *, site_url: str, key: SigningKey) -> str:
    """`document` without its embedded proof as a compact JWS."""
    plain = {name: value for name, value in document.items() if name != "proof"}
    payload = {**plain, **registered_claims(plain)}
    text = header_start(site_url, key.kid) + encoding.base64url(canonical.canonical_json(payload))
    signature = cast(RSAPrivateKey, key.private).sign(
        text.encode("ascii"), padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{text}.{encoding.base64url(signature)}"


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, payload, signed bytes and signature. Raises `ProofNotAccepted`."""
    pieces = token.strip().split(".")
    if len(pieces) != 3:
        raise ProofNotAccepted(reason="it does not have the three parts of a JWS")
    try:
        header, payload = (json.loads(encoding.from_base64url(piece)) for piece in pieces[:2])
        signature = encoding.from_base64url(pieces[2])
    except (ValueError, RecursionError, encoding.BadEncoding) as error:
        raise ProofNotAccepted(reason="it is not a readable JWS") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise ProofNotAccepted(reason="it is not a readable JWS")
    if header.get("alg") != ALGORITHM:
        raise ProofNotAccepted(reason=f"its algorithm is not {ALGORITHM}")
    if not isinstance(header.get("kid"), str) or set(header) - {"alg", "kid", "typ"}:
        raise ProofNotAccepted(reason="its header has other parts than it should")
    if header.get("typ", "JWT") != "JWT":
        raise ProofNotAccepted(reason="its type is not JWT")
    return header, payload, ".".join(pieces[:2]).encode("ascii"), signature


def verified(token: str, jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The credential inside `token`, checked against a public RSA key in JWK form.

    Raises `SignatureBroken` also when a registered claim contradicts the credential.
    """
    _, payload, text, signature = parts(token)
    try:
        numbers = [int.from_bytes(encoding.from_base64url(jwk[name]), "big") for name in ("e", "n")]
        public: RSAPublicKey = RSAPublicNumbers(*numbers).public_key()
    except (KeyError, TypeError, ValueError, encoding.BadEncoding) as error:
        raise ProofNotAccepted(reason="the key is not an RSA key") from error
    try:
        public.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureBroken() from error
    names = ("iss", "jti", "sub", "nbf", "exp")
    document = {name: value for name, value in payload.items() if name not in names}
    try:
        repeated = registered_claims(document)
    except (KeyError, TypeError) as error:
        raise SignatureBroken() from error
    if any(payload.get(name) != repeated[name] for name in names):
        raise SignatureBroken()
    return document
