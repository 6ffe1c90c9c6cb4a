"""The file that goes with a credential and proves its place in the log (C2SP tlog-proof).

Its `extra` line, which the format leaves to us, is base 64 of the canonical JSON of
`{"entry": the entry, "nonce": base 64 of the 32 random bytes}`: all that is needed, beside the
credential, to build the entry again. It need not be trusted, since the tree vouches for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from checkride.lib import canonical
from checkride.lib.errors import DomainError
from credentials.openbadges import encoding
from credentials.translog import entry as entries
from credentials.translog import note, tree
from credentials.translog.note import b64, from_b64

MEDIA_TYPE = "text/plain; charset=utf-8"
_FIRST = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


class BadProof(DomainError):
    code = "bad-tlog-proof"
    sentence = "This is not a proof from a transparency log: {problem}."


class OtherCredential(DomainError):
    code = "other-credential"
    sentence = "The proof belongs to another credential, or to another signing of this one."


class NoLogKey(DomainError):
    code = "no-log-key"
    sentence = "The issuer’s published keys have no key of a log, so the log cannot be checked."


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts of the file; none is verified yet. `checkpoint` is kept as the text it was."""

    entry: bytes
    nonce: bytes
    index: int
    path: tuple[tree.Hash, ...]
    checkpoint: str

    def __str__(self) -> str:
        extra = canonical.canonical_json(
            {"entry": json.loads(self.entry), "nonce": b64(self.nonce)}
        )
        lines = [_FIRST, f"extra {b64(extra)}", f"index {self.index}", *map(b64, self.path), ""]
        return "".join(f"{line}\n" for line in lines) + self.checkpoint


@dataclass(frozen=True, slots=True)
class Logged:
    """What a proof has proved: the entry, its number, and the log it stands in."""

    entry: entries.Entry
    index: int
    checkpoint: note.SignedCheckpoint


def parsed(text: str) -> Proof:
    """Read the file. Raises `BadProof`."""
    if len(text) > note.MAX_NOTE:
        raise BadProof(problem="it is too long")
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or len(lines) < 3 or lines[0] != _FIRST:
        raise BadProof(problem=f"it does not begin with {_FIRST}")
    if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise BadProof(problem="the lines “extra” and “index” are not where they belong")
    index = lines[2].removeprefix("index ")
    if not index.isascii() or not index.isdigit() or str(int(index[:20])) != index:
        raise BadProof(problem="its index is not a number")
    if len(lines) - 3 > _MAX_PATH:
        raise BadProof(problem="its path is too long")
    try:
        extra = json.loads(from_b64(lines[1].removeprefix("extra ")))
        entry, nonce = canonical.canonical_json(extra["entry"]), from_b64(extra["nonce"])
        path = tuple(from_b64(line) for line in lines[3:])
    except (note.BadNote, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadProof(problem="a part of it is damaged") from error
    return Proof(entry, nonce, int(index), path, checkpoint)


def verified(text: str, credential: Mapping[str, Any], key: note.VerifierKey) -> Logged:
    """Check that `credential`, as it is signed, is in the log whose key is `key`.

    Raises the `DomainError` that says what is wrong. The credential's own signature is another
    question, which `openbadges.verify` answers.
    """
    proof = parsed(text)
    checkpoint = note.opened(proof.checkpoint, key)
    entry = entries.parsed(proof.entry)
    if entry.kind != "issue" or len(proof.nonce) != entries.NONCE_SIZE:
        raise OtherCredential()
    if entry.commitment != entries.commitment(proof.nonce, credential):
        raise OtherCredential()
    state = checkpoint.checkpoint
    tree.check_inclusion(
        tree.leaf_hash(proof.entry), proof.index, state.size, proof.path, state.root
    )
    return Logged(entry, proof.index, checkpoint)


def made(
    nodes: tree.Nodes, checkpoint: note.SignedCheckpoint, *, entry: bytes, nonce: bytes, index: int
) -> Proof:
    """The proof for entry number `index` of the log at `checkpoint`. Raises `tree.NotInTree`."""
    path = tree.inclusion(nodes, index, checkpoint.checkpoint.size)
    return Proof(entry, nonce, index, path, str(checkpoint))


# Finding a log's key --------------------------------------------------------------------------


def origin(did: str) -> str:
    """The name of the issuer's log: `did:web:a.example` keeps `a.example/log`."""
    host = did.removeprefix("did:web:").split(":")[0]
    return f"{unquote(host)}/log"


def log_key(did: Mapping[str, Any]) -> note.VerifierKey:
    """The key of the issuer's log, out of the issuer's DID document. Raises `NoLogKey`.

    It stands among the verification methods as `#log-...` and may assert nothing, so no credential
    can be signed with it.
    """
    issuer = did.get("id")
    methods = did.get("verificationMethod")
    if not isinstance(issuer, str) or not isinstance(methods, Sequence):
        raise NoLogKey()
    for method in methods:
        name = method.get("id", "") if isinstance(method, Mapping) else ""
        if not isinstance(name, str) or not name.startswith(f"{issuer}#log-"):
            continue
        if method.get("controller") == issuer:
            try:
                public = encoding.from_multikey(method.get("publicKeyMultibase", ""))
            except (encoding.BadEncoding, AttributeError) as error:
                raise NoLogKey() from error
            return note.VerifierKey(origin(issuer), public)
    raise NoLogKey()
