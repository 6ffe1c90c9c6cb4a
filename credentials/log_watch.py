"""Our own look at our log: against what was seen before, and against the tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from checkride.audit.models import AuditRow
from credentials import public_log
from credentials.models import Credential
from credentials.translog import entry, monitor, store


@dataclass(frozen=True, slots=True)
class Report:
    size: int
    new: int
    findings: tuple[str, ...]


def look(state_file: Path, *, at: datetime) -> Report:
    """Follow the log from where the last look ended, and hold it against the tables.

    Raises `monitor.Forked`, or why the log cannot be read; then the state file stays as it is.
    """
    before = None
    if state_file.exists():
        before = monitor.from_json(state_file.read_text(encoding="utf-8"), file=state_file)
    seen = monitor.follow(public_log.files().fetch, public_log.key(), before, at)
    log = public_log.signed()
    findings = [*seen.findings, *_credentials(log), *_entries_without_record(log, seen.state, at)]
    store.replace(state_file, monitor.as_json(seen.state))
    return Report(seen.checkpoint.checkpoint.size, seen.new, tuple(findings))


def _credentials(log: public_log.SignedLog) -> Iterator[str]:
    rows = Credential.objects.filter(document__isnull=False, erased_at__isnull=True)
    for row in rows.order_by("awarded_at").iterator():
        standing = public_log.standing(row, log)
        match standing.state:
            case "missing":
                yield f"Credential {row.id} is missing: it is signed and not in the log."
            case "late":
                yield (
                    f"Credential {row.id} is late: entry {standing.first_index} came more than 24 "
                    "hours after the award."
                )
            case "unknown":
                yield f"Credential {row.id} could not be looked up in the log."


def _entries_without_record(
    log: public_log.SignedLog, state: monitor.State, at: datetime
) -> Iterator[str]:
    """Signatures that nobody here asked for. The newest moments are left out: between a signature
    and the commit of its row lies a little time."""
    facts = AuditRow.objects.filter(action="credential.signed").values_list("facts", flat=True)
    asked = {said.get("log_index") for said in facts.iterator()}
    for index in sorted(state.issues - asked):
        if log.place(index).entry.at < at - entry.CLOCKS:
            yield f"Entry {index} is a signature that no record of ours asked for."
