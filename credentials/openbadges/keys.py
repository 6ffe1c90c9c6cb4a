"""Signing keys, and the public documents by which others find them: did:web and JSON Web Keys.

Two kinds: Ed25519 signs the embedded proof, RSA signs the VC-JWT form, because the Open Badges
validator accepts no JWT algorithm below RS256's and knows no EdDSA.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

from credentials.openbadges import encoding
from credentials.openbadges.dates import written

KeyKind = Literal["ed25519", "rsa"]

_PREFIX: Mapping[KeyKind, str] = {"ed25519": "key", "rsa": "jwt"}


@dataclass(frozen=True)
class SigningKey:
    """One private key. `kid` is its name inside the issuer's DID document, e.g. `key-2026-11`."""

    kid: str
    kind: KeyKind
    private: Ed25519PrivateKey | RSAPrivateKey
    created: datetime
    revoked: datetime | None = None

    @property
    def public_bytes(self) -> bytes:
        """The 32 raw bytes of an Ed25519 public key."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )


def new_key(kind: KeyKind, *, at: datetime, taken: Iterable[str] = ()) -> SigningKey:
    """A fresh key named after its month; a second one in the same month gets `-2`.

    The name is never a key in Multikey form: some validators take a key from the fragment of the
    address instead of asking the issuer, so such names would teach people to trust them.
    """
    base = f"{_PREFIX[kind]}-{at:%Y-%m}"
    names = set(taken)
    kid, number = base, 1
    while kid in names:
        number += 1
        kid = f"{base}-{number}"
    private: Ed25519PrivateKey | RSAPrivateKey = (
        Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else generate_private_key(public_exponent=65537, key_size=3072)
    )
    return SigningKey(kid=kid, kind=kind, private=private, created=at.replace(microsecond=0))


def did_web(site_url: str) -> str:
    """`did:web` of a site: `https://a.example` is `did:web:a.example`; a port is kept as `%3A`."""
    return "did:web:" + quote(urlsplit(site_url).netloc, safe=".-")


def new_log_key(*, at: datetime) -> SigningKey:
    """The key of the transparency log. It signs checkpoints and nothing else, so no other name
    begins like its."""
    return SigningKey(
        kid=f"log-{at:%Y-%m}",
        kind="ed25519",
        private=Ed25519PrivateKey.generate(),
        created=at.replace(microsecond=0),
    )


def did_document(
    issuer: str, keys: Sequence[SigningKey], log_key: SigningKey | None = None
) -> dict[str, Any]:
    """The issuer's DID document. Old keys stay, because old credentials must go on verifying;
    a revoked key is shown as revoked and may no longer assert anything. The log's key is among the
    keys and asserts nothing, so that no credential can be signed with it."""
    methods: list[dict[str, Any]] = []
    for key in keys:
        method: dict[str, Any] = {"id": f"{issuer}#{key.kid}"}
        if key.kind == "ed25519":
            method |= {
                "type": "Multikey",
                "controller": issuer,
                "publicKeyMultibase": encoding.multikey(key.public_bytes),
            }
        else:
            method |= {
                "type": "JsonWebKey",
                "controller": issuer,
                "publicKeyJwk": public_jwk(key),
            }
        if key.revoked:
            method["revoked"] = written(key.revoked)
        methods.append(method)
    if log_key:
        methods.append(
            {
                "id": f"{issuer}#{log_key.kid}",
                "type": "Multikey",
                "controller": issuer,
                "publicKeyMultibase": encoding.multikey(log_key.public_bytes),
            }
        )
    return {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/jwk/v1",
        ],
        "id": issuer,
        "verificationMethod": methods,
        "assertionMethod": [f"{issuer}#{key.kid}" for key in keys if not key.revoked],
    }


def public_jwk(key: SigningKey) -> dict[str, str]:
    """The public half as a bare JSON Web Key."""
    if key.kind == "ed25519":
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": key.kid,
            "x": encoding.base64url(key.public_bytes),
        }
    numbers = cast(RSAPublicKey, key.private.public_key()).public_numbers()
    return {
        "kty": "RSA",
        "alg": "RS256",
        "kid": key.kid,
        "n": _unsigned(numbers.n),
        "e": _unsigned(numbers.e),
    }


def _unsigned(number: int) -> str:
    return encoding.base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def keyring_to_json(keys: Sequence[SigningKey]) -> str:
    """The private keys as text, for the signer's own file and for nothing else."""
    return json.dumps(
        {
            "keys": [
                {
                    "kid": key.kid,
                    "kind": key.kind,
                    "created": written(key.created),
                    "revoked": written(key.revoked) if key.revoked else None,
                    "private": key.private.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    ).decode("ascii"),
                }
                for key in keys
            ]
        },
        indent=1,
    )


def keyring_from_json(text: str) -> tuple[SigningKey, ...]:
    """The keys that `keyring_to_json` wrote. Raises `ValueError` or `KeyError` for other text."""
    return tuple(
        SigningKey(
            kid=row["kid"],
            kind=row["kind"],
            private=cast(
                Ed25519PrivateKey | RSAPrivateKey,
                serialization.load_pem_private_key(row["private"].encode("ascii"), None),
            ),
            created=datetime.fromisoformat(row["created"]),
            revoked=datetime.fromisoformat(row["revoked"]) if row["revoked"] else None,
        )
        for row in json.loads(text)["keys"]
    )
