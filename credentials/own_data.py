"""What the credentials app holds about a person: export it, erase it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime

from checkride import audit
from checkride.accounts.models import User
from checkride.accounts.personal_data import as_json
from checkride.lib.errors import DomainError
from credentials import public_log
from credentials.models import ApiKey, Credential, Watch


def export(user: User) -> Mapping[str, bytes]:
    """One summary, and each signed credential as its own file."""
    rows = list(Credential.objects.filter(user=user).select_related("achievement"))
    files = {
        "credentials.json": as_json([_summary(row) for row in rows]),
        "api-keys.json": as_json(
            list(
                ApiKey.objects.filter(user=user).values(
                    "label", "start", "made_at", "used_on", "ended_at"
                )
            )
        ),
        "watches.json": as_json(
            list(
                Watch.objects.filter(user=user).values(
                    "credential__code", "hook", "standing", "began_at", "changed_at"
                )
            )
        ),
    }
    for row in rows:
        if row.document is not None:
            files[f"{row.grouped_code}.json"] = json.dumps(row.document, indent=1).encode()
            # Without its proof in the log the file is still theirs, and the export still complete.
            with contextlib.suppress(DomainError):
                files[f"{row.grouped_code}.tlog-proof"] = public_log.proof_of(row).encode()
    return files


def _summary(row: Credential) -> dict[str, object]:
    return {
        "id": row.id,
        "code": row.grouped_code,
        "achievement": str(row.achievement),
        "awarded_at": row.awarded_at,
        "valid_until": row.valid_until,
        "name_shown": row.name_shown,
        "evidence": row.evidence,
        "log_index": row.log_index,
        "revocations": list(row.revocations.values("reason", "at", "reinstated_at")),
    }


def erase(user: User, at: datetime) -> None:
    """Empty the person's credentials: nothing stays but the entry in the list, as it was.

    Files that the person saved stay signed and can be verified offline; our page is gone.
    """
    ApiKey.objects.filter(user=user).delete()
    Watch.objects.filter(user=user).delete()
    for row in Credential.objects.filter(user=user).select_for_update():
        row.user = None
        # The attempt's id leads to nobody after the erasure, and this row to no attempt.
        row.source_id = f"erased {row.id}"
        row.holder_name = ""
        row.name_shown = False
        row.evidence = {}
        row.document = None
        row.jwt = ""
        row.digest = ""
        # The log keeps its entry, and nobody can tell any more whose it was.
        row.log_nonce = b""
        row.erased_at = at
        row.save()
        row.revocations.update(note="", reinstated_because="")
        audit.record(None, "credential.erased", row, at=at)
