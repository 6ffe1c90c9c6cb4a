"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

A checkpoint is a text that says how long the log is and what its root is; the log signs it, and a
witness that saw the log grow properly adds its own line with the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from checkride.lib.errors import DomainError
from credentials.translog.tree import HASH_SIZE, Hash

ED25519 = 0x01
COSIGNATURE = 0x04
MAX_NOTE = 100_000
MAX_SIGNATURES = 100
_TIME = struct.Struct(">Q")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(DomainError):
    code = "bad-note"
    sentence = "This is not a signed checkpoint: {problem}."


class NotSigned(DomainError):
    code = "not-signed"
    sentence = "The checkpoint carries no valid signature by {name}, so it says nothing."


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def from_b64(text: str) -> bytes:
    """Strict standard base 64, one spelling for each value. Raises `BadNote`."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote(problem="a part of it is not base 64") from error
    if b64(data) != text:
        raise BadNote(problem="a part of it is not base 64 in its one spelling")
    return data


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under. `kind` tells a log's key from a witness's."""

    name: str
    public: bytes
    kind: int = ED25519

    def __str__(self) -> str:
        """As signed-note writes it: `name+hash+key`."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.kind]) + self.public)}"

    @property
    def key_id(self) -> bytes:
        return _key_id(self.name, self.kind, self.public)


def verifier_key(text: str) -> VerifierKey:
    """The inverse of `str`. Raises `BadNote`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise BadNote(problem="the key is not of the form name+hash+key")
    name, key_id, body = parts
    data = from_b64(body)
    if len(data) != 33 or data[0] not in (ED25519, COSIGNATURE) or not _NAME.fullmatch(name):
        raise BadNote(problem="the key is not an Ed25519 key of a log or a witness")
    key = VerifierKey(name, data[1:], data[0])
    if key.key_id.hex() != key_id:
        raise BadNote(problem="the key does not match its hash")
    return key


@dataclass(frozen=True, slots=True)
class SignatureLine:
    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {b64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the log `origin`: `size` entries under `root`. `extensions` are further lines
    that the log signed and that mean nothing here."""

    origin: str
    size: int
    root: Hash
    extensions: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        lines = [self.origin, str(self.size), b64(self.root), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    checkpoint: Checkpoint
    signatures: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        return f"{self.checkpoint.body}\n{''.join(str(line) for line in self.signatures)}"


def private_key_name(private: Ed25519PrivateKey, name: str, kind: int = ED25519) -> VerifierKey:
    """The public half of `private`, under a name without white space and plus signs."""
    if not _NAME.fullmatch(name):
        raise BadNote(problem="the name of a key has no spaces and no plus signs")
    public = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return VerifierKey(name, public, kind)


def sign(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> SignedCheckpoint:
    """The checkpoint under the log's own signature; the log's name is its origin."""
    key = private_key_name(private, checkpoint.origin)
    line = SignatureLine(key.name, key.key_id, private.sign(checkpoint.body.encode()))
    return SignedCheckpoint(checkpoint, (line,))


def parsed(text: str) -> SignedCheckpoint:
    """Read a checkpoint; no signature is verified. Raises `BadNote`."""
    if len(text) > MAX_NOTE:
        raise BadNote(problem="it is too long")
    if any(ord(letter) < 32 and letter != "\n" for letter in text):
        raise BadNote(problem="it has control characters")
    body, gap, lines = text.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise BadNote(problem="it has no signatures")
    rows = body.split("\n")
    if len(rows) < 3 or not all(rows) or not _NUMBER.fullmatch(rows[1]):
        raise BadNote(problem="it does not say origin, size and root")
    root = from_b64(rows[2])
    if len(root) != HASH_SIZE:
        raise BadNote(problem="its root is not a SHA-256")
    signatures = tuple(_line(line) for line in lines.removesuffix("\n").split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise BadNote(problem="it has too many signatures")
    return SignedCheckpoint(Checkpoint(rows[0], int(rows[1]), root, tuple(rows[3:])), signatures)


def _line(text: str) -> SignatureLine:
    parts = text.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not _NAME.fullmatch(parts[1]):
        raise BadNote(problem="a line below the gap is no signature")
    data = from_b64(parts[2])
    if len(data) < 5:
        raise BadNote(problem="a signature is too short")
    return SignatureLine(parts[1], data[:4], data[4:])


def opened(text: str, key: VerifierKey) -> SignedCheckpoint:
    """The checkpoint in `text`, signed by the log whose key is `key`.

    Raises `BadNote` or `NotSigned`. The origin must be the key's name, and every line that claims
    to be by this key must verify.
    """
    note = parsed(text)
    lines = _lines_of(note, key)
    if note.checkpoint.origin != key.name or not lines:
        raise NotSigned(name=key.name)
    for line in lines:
        _verify(key, line.signature, note.checkpoint.body.encode())
    return note


def _lines_of(note: SignedCheckpoint, key: VerifierKey) -> Sequence[SignatureLine]:
    return [line for line in note.signatures if line.name == key.name and line.key_id == key.key_id]


def _verify(key: VerifierKey, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NotSigned(name=key.name) from error


def _witnessed(checkpoint: Checkpoint, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{checkpoint.body}".encode()


def cosign(
    note: SignedCheckpoint, private: Ed25519PrivateKey, name: str, *, at: datetime
) -> SignedCheckpoint:
    """The checkpoint with a witness's line added. The witness must have checked consistency."""
    key = private_key_name(private, name, COSIGNATURE)
    seconds = int(at.timestamp())
    signature = _TIME.pack(seconds) + private.sign(_witnessed(note.checkpoint, seconds))
    line = SignatureLine(key.name, key.key_id, signature)
    return SignedCheckpoint(note.checkpoint, (*note.signatures, line))


def witnessed_at(note: SignedCheckpoint, key: VerifierKey) -> datetime:
    """When the witness with `key` signed. Raises `NotSigned`."""
    for line in _lines_of(note, key):
        if len(line.signature) != _TIME.size + 64:
            break
        (seconds,) = _TIME.unpack_from(line.signature)
        _verify(key, line.signature[_TIME.size :], _witnessed(note.checkpoint, seconds))
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise NotSigned(name=key.name) from error
    raise NotSigned(name=key.name)
