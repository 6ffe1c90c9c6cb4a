"""The verdict on one of our credentials, as its public page needs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.core.cache import cache

from checkride.lib import canonical
from credentials import identity
from credentials.models import Credential
from credentials.openbadges import verify
from credentials.openbadges.verify import Verdict

# A verification costs 10 to 20 ms; a credential that is looked at often is not verified each time.
_REMEMBERED_S = 300


def verdict(credential: Credential, *, at: datetime) -> Verdict:
    """The answers for `credential` at `at`, remembered by what they rest on.

    Raises `identity.KeysNotPublished`. The dates are looked at afresh every time.
    """
    keys = identity.published()
    status_list = credential.status_list
    rests_on = (credential.digest, status_list.digest, canonical.digest(keys.did))
    # The stored document is digested too: a changed row must not borrow the verdict of its digest.
    key = "verdict:" + canonical.digest([*rests_on, credential.document])
    found: Verdict | None = cache.get(key)
    if found is None:
        found = verify.verify(
            credential.document or {}, did=keys.did, status_list=status_list.document, at=at
        )
        cache.set(key, found, timeout=_REMEMBERED_S)
    if found.claims is None:
        return found
    if found.claims.id != identity.address("credentials:credential", credential.id):
        return verify.another_document()
    dates, expired = verify.dates(found.claims, at)
    checks = tuple(dates if check.name == "dates" else check for check in found.checks)
    return replace(found, checks=checks, expired=expired)
