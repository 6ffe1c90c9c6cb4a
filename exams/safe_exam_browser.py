"""Is the request from Safe Exam Browser with a configuration that the exam allows? Pure.

The browser sends, with every page it asks for, the SHA-256 of the page's address followed by the
key of its configuration. Who knows the key can compute it too: it shows which browser was meant to
be used, and is no proof against somebody who studies it.

Source: Safe Exam Browser, “Integration of SEB with assessment systems”, section Config Key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

HEADER = "X-SafeExamBrowser-ConfigKeyHash"
KEY = re.compile(r"[0-9a-f]{64}")


def shows_key(*, address: str, header: str, keys: Iterable[str]) -> bool:
    """Whether `header` belongs to one of the keys and to this address, as the browser asked for it:
    with scheme and host, without the part behind #."""
    bare = address.partition("#")[0]
    given = header.strip().lower().encode()
    return any(
        hmac.compare_digest(hashlib.sha256((bare + key).encode()).hexdigest().encode(), given)
        for key in keys
    )
