"""The transparency log as the site reads it; the signer alone writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from django.conf import settings

from checkride.lib.errors import DomainError
from credentials import identity
from credentials.models import Credential
from credentials.openbadges.dates import read
from credentials.signer import log_folder
from credentials.translog import entry as entries
from credentials.translog import note, proof, store, tiles, tree

State = Literal["in-time", "late", "missing", "unknown"]


class NotInLog(DomainError):
    code = "not-in-log"
    sentence = "This credential is not in the transparency log, so there is no proof of its place."


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a credential stands in the log. `first_*` is the entry that counts for its date: the
    earliest since the award, when the credential was signed anew since then."""

    state: State
    index: int = 0
    at: datetime | None = None
    first_index: int = 0
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One entry that the signed state of the log was found to contain."""

    index: int
    data: bytes
    entry: entries.Entry


@dataclass(frozen=True, slots=True)
class SignedLog:
    """The log as its newest checkpoint signs it."""

    checkpoint: note.SignedCheckpoint
    tiles: tiles.TiledLog

    @property
    def size(self) -> int:
        return self.checkpoint.checkpoint.size

    def place(self, index: int) -> Place:
        """Entry number `index`, once its proof leads to the signed root. Raises a `DomainError`."""
        data = self.tiles.entry(index)
        path = tree.inclusion(self.tiles, index, self.size)
        root = self.checkpoint.checkpoint.root
        tree.check_inclusion(tree.leaf_hash(data), index, self.size, path, root)
        return Place(index, data, entries.parsed(data))

    def newest(self, count: int) -> Iterator[Place]:
        """The last entries, newest first."""
        start = max(0, self.size - count)
        found = list(self.tiles.entries(start))
        for back, data in enumerate(reversed(found), start=1):
            yield Place(self.size - back, data, entries.parsed(data))


def folder() -> Path:
    return log_folder(Path(settings.VAR) / "translog", identity.issuer().id)


def files() -> store.Store:
    return store.Store(folder())


def key() -> note.VerifierKey:
    """The log's public key. Raises `identity.KeysNotPublished` or `proof.NoLogKey`."""
    return proof.log_key(identity.published().did)


def signed() -> SignedLog:
    """The log, its checkpoint verified. Raises the `DomainError` that says why it cannot be read."""
    kept = files()
    checkpoint = note.opened(kept.checkpoint(), key())
    return SignedLog(checkpoint, kept.log(checkpoint.checkpoint.size))


def place_of(credential: Credential, log: SignedLog) -> Place | None:
    """The entry of the credential as it is signed now; None when it has none.

    Raises a `DomainError` when the log cannot be read.
    """
    index, nonce = credential.log_index, bytes(credential.log_nonce)
    if index is None or index >= log.size or credential.document is None or len(nonce) != 32:
        return None
    place = log.place(index)
    wanted = entries.commitment(nonce, credential.document)
    is_it = place.entry.kind == "issue" and place.entry.commitment == wanted
    return place if is_it else None


def _chain(place: Place, log: SignedLog) -> Iterator[Place]:
    """The entry and those it replaces, newest first."""
    while True:
        yield place
        before = place.entry.replaces
        if before is None or before >= place.index:
            return
        place = log.place(before)


def standing(credential: Credential, log: SignedLog | None = None) -> Standing:
    """Whether and since when the credential is in the log. Never raises for a damaged log: then
    nothing can be said, which is not the same as missing."""
    try:
        log = log or signed()
        place = place_of(credential, log)
        if place is None:
            return Standing("missing")
        awarded = read((credential.document or {}).get("awardedDate"))
        chain = [(one.index, one.entry) for one in _chain(place, log)]
    except DomainError:
        return Standing("unknown")
    number, first = entries.counting(chain, awarded)
    return Standing(
        "in-time" if entries.is_in_time(first.at, awarded) else "late",
        index=place.index,
        at=place.entry.at,
        first_index=number,
        first_at=first.at,
    )


def proof_of(credential: Credential) -> str:
    """The credential's `.tlog-proof`. Raises `NotInLog`, or why the log cannot be read."""
    log = signed()
    place = place_of(credential, log)
    if place is None:
        raise NotInLog()
    nonce = bytes(credential.log_nonce)
    made = proof.made(log.tiles, log.checkpoint, entry=place.data, nonce=nonce, index=place.index)
    return str(made)
