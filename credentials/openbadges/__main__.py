"""`checkride-verify FILE...`: check credentials without asking anybody.

Reads JSON, JWT, baked PNG and SVG files, the file attached to a certificate in PDF, and a learner
record (CLR 2.0) with all credentials in it. The issuer's keys (`did.json`) and the revocation list
(`status-list.json`) are taken from the options or from the folder of each file. A proof that the
credential is in the issuer's public log (`.tlog-proof`) is read when it lies beside the file under
the same name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checkride.lib.errors import DomainError
from credentials.openbadges import baking, transcript, verify
from credentials.openbadges.dates import read, written
from credentials.openbadges.document import Claims
from credentials.translog import entry as log_entry
from credentials.translog import proof as log_proof

_MAX_BYTES = 2_000_000

IN_FORCE, NOT_IN_FORCE, NOT_CHECKED = 0, 1, 2


class FileMissing(DomainError):
    code = "file-missing"
    sentence = "{file} is not there. {advice}"


class FileTooLarge(DomainError):
    code = "file-too-large"
    sentence = "{file} is larger than a credential can be."


def text_in(data: bytes) -> str:
    """The credential in a file of any of the five forms. Raises a `DomainError`."""
    if data.startswith(b"\x89PNG"):
        return baking.from_png(data)
    if data.startswith(b"%PDF-"):
        return baking.from_pdf(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise verify.UnreadableFile() from error
    return baking.from_svg(text) if text.lstrip().startswith("<") else text


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line per check; the exit status is the worst of all files: 0 in force, 1 not to
    be relied on, 2 could not be checked in full."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["verify"]:
        words = words[1:]
    parser = argparse.ArgumentParser(prog="checkride-verify", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--did", type=Path, help="the issuer's did.json")
    parser.add_argument("--status", type=Path, help="the issuer's signed revocation list")
    parser.add_argument("--at", help="check for this moment, e.g. 2026-11-01T09:00:00Z")
    parser.add_argument("--offline", action="store_true", help="nothing is ever fetched anyway")
    options = parser.parse_args(words)
    worst = IN_FORCE
    for file in options.files:
        try:
            at = read(options.at) if options.at else datetime.now(UTC)
            outcome = _report(file, options.did, options.status, at)
        except DomainError as refusal:
            print(f"{file}: {refusal.message}")
            outcome = NOT_CHECKED
        worst = max(worst, outcome) if worst != NOT_IN_FORCE else NOT_IN_FORCE
        if outcome == NOT_IN_FORCE:
            worst = NOT_IN_FORCE
    return worst


def _report(file: Path, did: Path | None, status: Path | None, at: datetime) -> int:
    credential = verify.parsed(text_in(_bytes(file, "Give the path of the file you saved.")))
    did_file = did or file.parent / "did.json"
    keys = _json(did_file, "Save the issuer’s /.well-known/did.json and name it with --did.")
    status_file = status or file.parent / "status-list.json"
    status_list = _json(status_file, "") if status or status_file.exists() else None
    print(file)
    if not isinstance(credential, str) and transcript.is_one(credential):
        return _report_record(credential, keys, status_list, at)
    verdict = verify.verify(credential, did=keys, status_list=status_list, at=at)
    _print_checks(verdict.checks)
    in_log = _in_log(file, credential, verdict, keys)
    print(f"  {in_log.name:<10}{in_log.state:<9}{in_log.says}")
    if in_log.detail:
        print(f"  {'':<19}{in_log.detail}")
    if verdict.claims:
        print(f"  {_award(verdict.claims)}")
    if in_log.state == "fails":
        return NOT_IN_FORCE
    if verdict.in_force:
        return IN_FORCE
    failed = any(check.state == "fails" for check in verdict.checks)
    return NOT_IN_FORCE if failed else NOT_CHECKED


def _print_checks(checks: Sequence[verify.Check], indent: str = "  ") -> None:
    for check in checks:
        print(f"{indent}{check.name:<10}{check.state:<9}{check.says}")
        if check.detail:
            print(f"{indent}{'':<19}{check.detail}")


def _award(claims: Claims) -> str:
    holder = claims.holder_name or "a holder who is not named"
    return f"{claims.achievement_name}, awarded to {holder} on {written(claims.awarded)}"


def _report_record(
    record: Mapping[str, Any],
    keys: Mapping[str, Any],
    status_list: Mapping[str, Any] | None,
    at: datetime,
) -> int:
    lists = {str(status_list.get("id")): status_list} if status_list else {}
    verdict = verify.verify_record(record, did=keys, status_lists=lists, at=at)
    _print_checks(verdict.checks)
    for number, one in enumerate(verdict.inside, start=1):
        title = _award(one.claims) if one.claims else "a credential that nobody vouches for"
        print(f"  {number}. {title}")
        _print_checks(one.checks, indent="     ")
    checks = [*verdict.checks, *(check for one in verdict.inside for check in one.checks)]
    if verdict.in_force:
        return IN_FORCE
    return NOT_IN_FORCE if any(check.state == "fails" for check in checks) else NOT_CHECKED


@dataclass(frozen=True, slots=True)
class _LogCheck:
    """The fifth question, asked only where a proof lies beside the file."""

    state: verify.State
    says: str
    detail: str = ""
    name: str = "log"


def _in_log(
    file: Path, credential: dict[str, Any] | str, verdict: verify.Verdict, did: dict[str, Any]
) -> _LogCheck:
    proof = file.with_suffix(".tlog-proof")
    if not proof.is_file():
        return _LogCheck("unknown", f"There is no {proof.name} beside it.")
    if verdict.claims is None or isinstance(credential, str):
        return _LogCheck("unknown", "The log holds the signed JSON; this is not it.")
    try:
        text = _bytes(proof, "").decode("utf-8")
        logged = log_proof.verified(text, credential, log_proof.log_key(did))
    except log_proof.NoLogKey as problem:
        return _LogCheck("unknown", problem.message)
    except UnicodeDecodeError:
        return _LogCheck("fails", "The proof is not a text.")
    except DomainError as refusal:
        return _LogCheck("fails", refusal.message, refusal.code)
    state = logged.checkpoint.checkpoint
    detail = f"Entry {logged.index} of {state.origin}, in its signed state of {state.size} entries"
    at = written(logged.entry.at)
    if log_entry.is_in_time(logged.entry.at, verdict.claims.awarded):
        return _LogCheck("holds", f"In the issuer’s log since {at}.", detail)
    says = f"In the issuer’s log, but only since {at}: more than 24 hours after the award."
    if logged.entry.replaces is not None:
        says += f" It was signed anew then; the one before is entry {logged.entry.replaces}."
    return _LogCheck("unknown", says, detail)


def _bytes(file: Path, advice: str) -> bytes:
    if not file.is_file():
        raise FileMissing(file=file, advice=advice)
    if file.stat().st_size > _MAX_BYTES:
        raise FileTooLarge(file=file)
    return file.read_bytes()


def _json(file: Path, advice: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(file, advice))
    except (ValueError, RecursionError) as error:
        raise verify.UnreadableFile() from error
    if not isinstance(value, dict):
        raise verify.UnreadableFile()
    return value


if __name__ == "__main__":
    sys.exit(main())
