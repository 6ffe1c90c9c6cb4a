"""Outside witnesses of the log: who confirmed that it only grew, up to which size and when.

A witness follows the log on its own computer (`python -m credentials.translog witness`) and sends
back the checkpoint with its signature added. `manage.py log_witnessed` checks and keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from checkride.lib.errors import DomainError
from credentials.public_log import SignedLog
from credentials.translog import note, store, tree


class OtherLog(DomainError):
    code = "other-log"
    sentence = (
        "The checkpoint that {name} signed is not a state of this log. Either it belongs to another "
        "log, or this one shows different people different pasts. Nothing was kept; find out which."
    )


@dataclass(frozen=True, slots=True)
class Witness:
    name: str
    key: str
    size: int
    at: datetime


def _folder() -> Path:
    return Path(settings.VAR) / "log-witnesses"


def keep(text: str, witness: note.VerifierKey, log: SignedLog, key: note.VerifierKey) -> Witness:
    """Keep a cosigned checkpoint of `log`. Raises `OtherLog`, `note.BadNote` or `note.NotSigned`."""
    found = _checked(text, witness, log, key)
    _folder().mkdir(parents=True, exist_ok=True)
    store.replace(_folder() / f"{witness.key_id.hex()}.txt", f"{witness}\n{text}")
    return found


def known(log: SignedLog, key: note.VerifierKey) -> list[Witness]:
    """The witnesses whose signature holds for a state that this log went through."""
    found = []
    for file in sorted(_folder().glob("*.txt")):
        witness, _, text = file.read_text(encoding="utf-8").partition("\n")
        try:
            found.append(_checked(text, note.verifier_key(witness), log, key))
        except DomainError:
            continue
    return found


def _checked(
    text: str, witness: note.VerifierKey, log: SignedLog, key: note.VerifierKey
) -> Witness:
    signed = note.opened(text, key)
    state = signed.checkpoint
    if witness.kind != note.COSIGNATURE:
        raise note.NotSigned(name=witness.name)
    at = note.witnessed_at(signed, witness)
    if state.size > log.size or tree.root(log.tiles, state.size) != state.root:
        raise OtherLog(name=witness.name)
    return Witness(witness.name, str(witness), state.size, at)
