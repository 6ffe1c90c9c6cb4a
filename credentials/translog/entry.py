"""What one entry of the log says: that something happened, when, and a commitment to what.

An entry holds no personal data. For a credential the commitment is
SHA-256(32 random bytes || RFC 8785 of the signed credential); once the random bytes are destroyed,
nobody can tell which credential an entry was about, and the tree stays whole. For what is public
anyway (revocation lists, keys, achievements) it is the SHA-256 of the RFC 8785 bytes alone, so that
anybody can look for what they were served.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from checkride.lib import canonical
from checkride.lib.errors import DomainError
from credentials.openbadges.dates import read, written
from credentials.translog.note import b64, from_b64

Kind = Literal["issue", "revoke", "reinstate", "statuslist", "did", "achievement"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NONCE_SIZE = 32
# The clocks of the hosts that award and that sign may differ by this much.
CLOCKS = timedelta(minutes=5)
# Longer after the award than this, an entry proves nothing about the day of the award.
IN_TIME = timedelta(hours=24)


class BadEntry(DomainError):
    code = "bad-entry"
    sentence = "The entry is not in the form this log writes."


@dataclass(frozen=True, slots=True)
class Entry:
    """`replaces` is the number of an earlier `issue` entry: the same credential, signed anew."""

    kind: Kind
    at: datetime
    commitment: bytes
    replaces: int | None = None

    @property
    def data(self) -> bytes:
        """The bytes in the log."""
        said: dict[str, Any] = {
            "v": 1,
            "t": self.kind,
            "at": written(self.at),
            "c": b64(self.commitment),
        }
        if self.replaces is not None:
            said["r"] = self.replaces
        return canonical.canonical_json(said)


def parsed(data: bytes) -> Entry:
    """The inverse of `Entry.data`. Raises `BadEntry` for any other spelling."""
    try:
        said = json.loads(data)
        entry = Entry(said["t"], read(said["at"]), from_b64(said["c"]), said.get("r"))
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError, DomainError) as error:
        raise BadEntry() from error
    replaces = entry.replaces
    if (
        entry.kind not in KINDS
        or len(entry.commitment) != 32
        or (replaces is not None and (type(replaces) is not int or entry.kind != "issue"))
        or entry.data != data
    ):
        raise BadEntry()
    return entry


def commitment(nonce: bytes, credential: Mapping[str, Any]) -> bytes:
    """To a signed credential. Raises `ValueError` for a nonce that is not 32 bytes."""
    if len(nonce) != NONCE_SIZE:
        raise ValueError("A nonce has 32 bytes.")
    return hashlib.sha256(nonce + canonical.canonical_json(dict(credential))).digest()


def public_commitment(document: Mapping[str, Any]) -> bytes:
    """To a document that everybody may read."""
    return hashlib.sha256(canonical.canonical_json(dict(document))).digest()


def counting(chain: Sequence[tuple[int, Entry]], awarded: datetime) -> tuple[int, Entry]:
    """Of an entry and those it replaces, newest first: the one that counts for the date of the
    award, which is the earliest since then."""
    since = [one for one in chain if one[1].at >= awarded - CLOCKS]
    return since[-1] if since else chain[0]


def is_in_time(entry_at: datetime, awarded: datetime) -> bool:
    return entry_at - awarded <= IN_TIME
