"""The signature of a message to another program, as the Standard Webhooks specification has it.

Source: https://www.standardwebhooks.com, version 1: HMAC-SHA256 over id, time and body, joined by
full stops. Libraries for most languages verify it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

BEGINS = "whsec_"


def secret_text(key: bytes) -> str:
    """A key of 24 to 64 bytes as receivers' libraries expect it."""
    return BEGINS + base64.b64encode(key).decode()


def headers(secret: str, *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that go with `body`; `secret` is what `secret_text` gave."""
    seconds = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(BEGINS))
    signed = f"{message_id}.{seconds}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }
