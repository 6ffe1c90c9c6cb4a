"""`python -m credentials.translog`: follow a transparency log, or witness it, from outside.

    monitor LOG   check that the log only grew since the last time, and name credentials that are
                  missing from it or late (`--credential FILE...`, each with its .tlog-proof beside)
    witness LOG   check the same, then print the checkpoint with your signature added

LOG is the address of a log (https://.../log/) or a folder with its files. What was seen is kept in
a state file; without it there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checkride.lib.errors import DomainError
from credentials.translog import monitor, note, proof, store, tiles

GOOD, WRONG, NOT_READ = 0, 1, 2

_MAX_BYTES = 20_000_000
_SECONDS = 20


class NotRead(DomainError):
    code = "log-not-read"
    sentence = "{path} could not be read: {problem}. Nothing was compared; try again."


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing is wrong. 1: something is, and it is printed. 2: the log could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m credentials.translog",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("do", choices=["monitor", "witness"])
    parser.add_argument("log", metavar="LOG")
    parser.add_argument("--state", type=Path, help="the state file; made on the first run")
    parser.add_argument("--key", help="the log's key, as name+hash+key; kept in the state file")
    parser.add_argument("--did", type=Path, help="the issuer's did.json, to take the key from")
    parser.add_argument("--credential", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--name", default="", help="witness: your name, such as witness.example")
    parser.add_argument("--signing-key", type=Path, help="witness: your key; made on the first run")
    parser.add_argument("--out", type=Path, help="witness: write the checkpoint here")
    options = parser.parse_args(arguments)
    if options.do == "witness" and not options.name:
        parser.error("a witness has a name: --name witness.example")
    try:
        return _run(options, at=datetime.now(UTC))
    except monitor.Forked as fork:
        print(f"FORKED. {fork.message}")
        return WRONG
    except DomainError as refusal:
        print(refusal.message)
        return NOT_READ


def _run(options: argparse.Namespace, *, at: datetime) -> int:
    fetch = source(options.log)
    state_file = options.state or Path(f"{options.do}-state.json")
    kept = json.loads(_text_of(state_file)) if state_file.exists() else {}
    before = monitor.from_json(json.dumps(kept), file=state_file) if kept else None
    key = _log_key(options, kept)
    # Read before the log: what is served has been entered by then.
    served = _public_documents(options.log) if options.do == "monitor" else {}
    seen = monitor.follow(fetch, key, before, at)
    state = seen.checkpoint.checkpoint
    findings = list(seen.findings)
    if options.do == "monitor":
        findings += [
            f"{address} is not in the log as it is served."
            for address, document in served.items()
            if not monitor.has_public(seen.state, document)
        ]
        for file in options.credential:
            beside = file.with_suffix(".tlog-proof")
            problem = monitor.look_for(
                file.name,
                _json(file),
                _text_of(beside) if beside.exists() else None,
                fetch,
                seen,
                key,
            )
            findings += [problem] if problem else []
    remembered = json.loads(monitor.as_json(seen.state)) | {"key": str(key)}
    store.replace(state_file, json.dumps(remembered, indent=1))
    out = sys.stderr if options.do == "witness" else sys.stdout
    told = f"It continues what was seen before; {seen.new} new." if before else "Seen first now."
    print(f"{state.origin}: {state.size} entries, root {note.b64(state.root)}. {told}", file=out)
    for finding in findings:
        print(finding, file=out)
    if options.do == "witness":
        _witness(options, seen, at=at)
    return WRONG if findings else GOOD


def _witness(options: argparse.Namespace, seen: monitor.Seen, *, at: datetime) -> None:
    file = options.signing_key or Path("witness-key.pem")
    private = _signing_key(file)
    signed = str(note.cosign(seen.checkpoint, private, options.name, at=at))
    key = note.private_key_name(private, options.name, note.COSIGNATURE)
    print(f"Your public key: {key}", file=sys.stderr)
    if options.out:
        store.replace(options.out, signed)
    else:
        print(signed, end="")


def _signing_key(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(pem)
    try:
        loaded = serialization.load_pem_private_key(file.read_bytes(), None)
    except (ValueError, OSError, TypeError) as error:
        raise NotRead(path=file, problem="it holds no private key") from error
    return cast(Ed25519PrivateKey, loaded)


def _log_key(options: argparse.Namespace, kept: dict[str, Any]) -> note.VerifierKey:
    """The key given, else the one remembered, else the one the issuer publishes; that one is
    trusted on the first run and remembered, so a key put in its place later is noticed."""
    if options.key:
        return note.verifier_key(options.key)
    if "key" in kept:
        return note.verifier_key(kept["key"])
    if options.did:
        return proof.log_key(_json(options.did))
    if not _is_address(options.log):
        raise NotRead(path="The log’s key", problem="name it with --key or --did")
    address = urllib.parse.urljoin(options.log, "/.well-known/did.json")
    return proof.log_key(_parsed(_download(address), address))


def _public_documents(log: str) -> dict[str, dict[str, Any]]:
    """The keys and lists that the issuer serves, by address."""
    found: dict[str, dict[str, Any]] = {}
    if not _is_address(log):
        return found
    paths = ["/.well-known/did.json", *(f"/status/revocation/{number}" for number in range(1, 100))]
    for path in paths:
        address = urllib.parse.urljoin(log, path)
        try:
            found[address] = _parsed(_download(address), address)
        except tiles.BadTile:
            break
    return found


# Reading -----------------------------------------------------------------------------------------


def source(log: str) -> Callable[[str], bytes]:
    """How the files of a log at an address or in a folder are read."""
    if _is_address(log):
        base = log if log.endswith("/") else f"{log}/"
        return lambda path: _download(base + path)
    folder = Path(log)
    if (folder / "entries").is_file() or not (folder / "tile").is_dir():
        return store.Store(folder).fetch

    def from_mirror(path: str) -> bytes:
        try:
            return (folder / path).read_bytes()
        except OSError as error:
            raise tiles.BadTile(path=path) from error

    return from_mirror


def _is_address(log: str) -> bool:
    return log.startswith(("https://", "http://"))


def _download(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": "*/*"})  # noqa: S310
    try:
        # Only http and https come here.
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            data: bytes = answer.read(_MAX_BYTES)
            return data
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise tiles.BadTile(path=address) from error
        raise NotRead(path=address, problem=f"the answer is {error.code}") from error
    except (OSError, ValueError) as error:
        raise NotRead(path=address, problem=str(error)) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotRead(path=file, problem="it is no text file") from error


def _json(file: Path) -> dict[str, Any]:
    return _parsed(_text_of(file).encode(), file)


def _parsed(data: bytes, place: object) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotRead(path=place, problem="it is not JSON") from error
    if not isinstance(value, dict):
        raise NotRead(path=place, problem="it is not a JSON object")
    return value


if __name__ == "__main__":
    sys.exit(main())
