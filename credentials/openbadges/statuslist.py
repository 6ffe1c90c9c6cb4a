"""Bitstring Status Lists: one bit per credential, published as a signed credential.

Source: W3C Bitstring Status List 1.0. Bit 0 is the left-most bit of the first byte.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, encoding
from credentials.openbadges.dates import written

# The least the standard allows: with a shorter list the issuer could guess whom a verifier means.
SIZE = 131_072
# A list of this size decompresses to 16 KiB; a foreign one may be larger, but not a bomb.
_MAX_BYTES = 1_048_576


class BadStatusList(DomainError):
    code = "bad-status-list"
    sentence = (
        "The revocation list cannot be read ({reason}), so it says nothing about this credential."
    )


def encoded(revoked: Iterable[int], *, size: int = SIZE) -> str:
    """`encodedList` with the bits of `revoked` set; equal sets give equal text."""
    bits = bytearray(size // 8)
    for index in revoked:
        if not 0 <= index < size:
            raise BadStatusList(reason=f"there is no bit {index}")
        bits[index // 8] |= 0x80 >> (index % 8)
    return "u" + encoding.base64url(gzip.compress(bytes(bits), mtime=0))


def decoded(text: object) -> bytes:
    """The bytes of an `encodedList`. Raises `BadStatusList`; never unpacks more than 1 MiB."""
    if not isinstance(text, str) or not text.startswith("u"):
        raise BadStatusList(reason="its encoding is not multibase base64url")
    try:
        packed = encoding.from_base64url(text[1:])
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            bits = file.read(_MAX_BYTES + 1)
    except (encoding.BadEncoding, OSError, EOFError, zlib.error) as error:
        raise BadStatusList(reason="its encoding is damaged") from error
    if not SIZE // 8 <= len(bits) <= _MAX_BYTES:
        raise BadStatusList(reason="its length is not one the standard allows")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Whether bit `index`, counted from the left, is set."""
    if not 0 <= index < len(bits) * 8:
        raise BadStatusList(reason=f"it has no entry {index}")
    return bool(bits[index // 8] & (0x80 >> (index % 8)))


def indexes(bits: bytes) -> tuple[int, ...]:
    """The places of all bits that are set, in order."""
    return tuple(
        byte * 8 + bit
        for byte, value in enumerate(bits)
        if value
        for bit in range(8)
        if value & (0x80 >> bit)
    )


def credential(
    *,
    address: str,
    issuer: str,
    revoked: Iterable[int],
    valid_from: datetime,
    valid_until: datetime,
) -> dict[str, Any]:
    """The list as a credential without its proof."""
    return {
        "@context": [contexts.CREDENTIALS_V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": written(valid_from),
        "validUntil": written(valid_until),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(revoked),
        },
    }


def bits_of(document: Mapping[str, Any], *, address: str, issuer: str) -> bytes:
    """The bits of a list credential that must be the one at `address` by `issuer`.

    The signature and the dates are the caller's to check. Raises `BadStatusList`.
    """
    subject = document.get("credentialSubject")
    if (
        document.get("@context") != [contexts.CREDENTIALS_V2]
        or document.get("type") != ["VerifiableCredential", "BitstringStatusListCredential"]
        or not isinstance(subject, Mapping)
        or subject.get("type") != "BitstringStatusList"
        or subject.get("statusPurpose") != "revocation"
    ):
        raise BadStatusList(reason="it is not a revocation list")
    if document.get("id") != address or subject.get("id") != f"{address}#list":
        raise BadStatusList(reason="it is another list than the credential names")
    if document.get("issuer") != issuer:
        raise BadStatusList(reason="it was not published by the issuer")
    return decoded(subject.get("encodedList"))
