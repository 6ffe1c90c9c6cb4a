"""Multibase, multihash and Multikey: how keys, digests and signatures are written as text."""

from __future__ import annotations

import base64
import hashlib
import re

from checkride.lib.errors import DomainError

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_BASE64URL = re.compile(r"^[A-Za-z0-9_-]*$")

ED25519_PUBLIC = b"\xed\x01"
SHA2_256 = b"\x12\x20"


class BadEncoding(DomainError):
    code = "bad-encoding"
    sentence = "The text is not valid {encoding}."


def base58btc(data: bytes) -> str:
    """Bitcoin's base 58, leading zero bytes kept as `1`."""
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = _ALPHABET[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def from_base58btc(text: str) -> bytes:
    """Raises `BadEncoding` for characters outside the alphabet and for absurd lengths."""
    # The loop below is quadratic; a signature has 88 characters.
    if len(text) > 200:
        raise BadEncoding(encoding="base58")
    number = 0
    for character in text:
        if character not in _VALUE:
            raise BadEncoding(encoding="base58")
        number = number * 58 + _VALUE[character]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base64url(data: bytes) -> str:
    """URL-safe base 64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Strict: padding, white space and stray bits at the end raise `BadEncoding`."""
    if not _BASE64URL.match(text):
        raise BadEncoding(encoding="base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise BadEncoding(encoding="base64url") from error
    if base64url(data) != text:
        raise BadEncoding(encoding="base64url")
    return data


def digest_multibase(data: bytes) -> str:
    """SHA-256 as multihash in multibase base64url, as `digestMultibase` wants it: `uEi...`."""
    return "u" + base64url(SHA2_256 + hashlib.sha256(data).digest())


def multikey(raw_public_key: bytes) -> str:
    """A 32-byte Ed25519 public key as Multikey: `z6Mk...`."""
    return "z" + base58btc(ED25519_PUBLIC + raw_public_key)


def from_multikey(text: str) -> bytes:
    """The 32 bytes of an Ed25519 Multikey. Raises `BadEncoding` for anything else."""
    if not text.startswith("z"):
        raise BadEncoding(encoding="Multikey")
    data = from_base58btc(text[1:])
    if not data.startswith(ED25519_PUBLIC) or len(data) != 34:
        raise BadEncoding(encoding="Ed25519 Multikey")
    return data[2:]
