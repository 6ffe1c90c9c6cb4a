"""Asking the signer for a signature. This process has no key."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.conf import settings

from checkride.lib.errors import DomainError
from credentials.signer import UnreadableRequest, receive_message, send_message
from credentials.translog.note import from_b64

_SECONDS = 20


class SignerAway(DomainError):
    code = "signer-away"
    sentence = (
        "The signer does not answer at {socket}. Nothing was lost: what is to be signed waits and "
        "is signed as soon as it runs. Start it with “python -m credentials.signer”."
    )


class SignerRefused(DomainError):
    code = "signer-refused"
    sentence = "{reason}"


@dataclass(frozen=True, slots=True)
class Signed:
    """`log_index` and `log_nonce` say where the signature stands in the transparency log; None and
    empty when the signer keeps no log."""

    document: dict[str, Any]
    jwt: str
    log_index: int | None = None
    log_nonce: bytes = b""


def issue(document: Mapping[str, Any], *, source_id: str) -> Signed:
    """A signed credential. Raises `SignerAway`, or `SignerRefused` with the signer's sentence."""
    answer = _ask({"do": "issue", "document": document, "source_id": source_id})
    logged = answer.get("logged")
    return Signed(
        document=answer["document"],
        jwt=answer["jwt"],
        log_index=logged["index"] if logged else None,
        log_nonce=from_b64(logged["nonce"]) if logged else b"",
    )


def sign_status_list(document: Mapping[str, Any]) -> dict[str, Any]:
    """A signed revocation list. Raises as `issue`."""
    signed: dict[str, Any] = _ask({"do": "status-list", "document": document})["document"]
    return signed


def sign_transcript(document: Mapping[str, Any]) -> dict[str, Any]:
    """A signed learner record. Raises as `issue`."""
    signed: dict[str, Any] = _ask({"do": "transcript", "document": document})["document"]
    return signed


def change_keys(proposal: str) -> list[str]:
    """Have the signer do what two officers agreed on; the names of the keys in use afterwards.

    Raises as `issue`.
    """
    names: list[str] = _ask({"do": "change-keys", "proposal": proposal})["keys"]
    return names


def log_rows(*, after: int) -> list[dict[str, str]]:
    """What the signer signed, from line `after` of its log on: at, kind, id, sha256."""
    rows: list[dict[str, str]] = _ask({"do": "log", "after": after})["rows"]
    return rows


def _ask(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_SECONDS)
            line.connect(str(settings.SIGNER_SOCKET))
            with line.makefile("rwb") as stream:
                send_message(cast(BinaryIO, stream), request)
                answer = receive_message(cast(BinaryIO, stream))
    except (OSError, UnreadableRequest) as error:
        raise SignerAway(socket=settings.SIGNER_SOCKET) from error
    if "refused" in answer:
        raise SignerRefused(reason=answer["message"])
    return answer
