"""The signer: the only process that holds the signing keys.

`python -m credentials.signer` owns `var/signer/` (keys and log, mode 0600, made on first start) and
listens on a Unix socket. It speaks JSON with a length in front, shows its log, and signs three
things only, after checking them itself: a credential in exactly our form whose pass it finds by its
own read-only look at the database, a revocation list of ours, and a learner record made of nothing
but credentials that it signed for one person and that are not revoked. Every signature is in an append-only
log before it leaves the process, and as a commitment in the public transparency log
(`credentials.translog`): so is every bit that a revocation list sets or clears, every list, every
achievement quoted and every change of the published keys. The web process has no key; in
production the signer runs as its own user with its own environment, and needs none of the web's
secrets.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import secrets
import signal
import socket
import socketserver
import struct
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checkride.lib import canonical, clock
from checkride.lib.errors import DomainError
from credentials.openbadges import document, jwt, keys, proof, statuslist, transcript, verify
from credentials.openbadges.dates import BadDate, read, written
from credentials.translog import entry, store
from credentials.translog import proof as log_proof
from credentials.translog.note import b64

Json = dict[str, Any]

MAX_MESSAGE = 1_000_000
# Clocks of two hosts differ a little; a date further ahead than this is a mistake.
CLOCK_TOLERANCE = timedelta(minutes=5)
LONGEST_VALIDITY = timedelta(days=5 * 366)
LONGEST_LIST_VALIDITY = timedelta(hours=48)
ROWS_AT_ONCE = 500
# A caller that ended between our answer and its commit asks again soon, and gets the same answer.
ASKED_AGAIN_WITHIN = timedelta(hours=1)
MOST_ANSWERS = 2_000
_LENGTH = struct.Struct(">I")


class RuleNotMet(DomainError):
    code = "rule-not-met"
    sentence = "The signer refused to sign: {reason}. Nothing was issued."


class UnreadableRequest(DomainError):
    code = "unreadable-request"
    sentence = "The signer could not read the request. Nothing was signed."


class BrokenLog(DomainError):
    code = "broken-log"
    sentence = (
        "Line {line} of the signature log {file} does not follow from the line before it. "
        "Somebody changed the log, so nothing is signed. Find out who, then restore it from backup."
    )


class UnsafeKeyFile(DomainError):
    code = "unsafe-key-file"
    sentence = (
        "{file} can be read by others than its owner, so the keys in it are not secret and the "
        "signer does not start. Find out who read it, then set its mode to 600 or make new keys."
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """What the signer must find in the records before it signs. `holder` says whose pass it is."""

    achievement: str
    holder_name: str
    score_percent: int
    cut_percent: int
    released_at: datetime
    holder: UUID | None = None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What two officers agreed on: fresh keys, and the key `withdraw` to be withdrawn, if any."""

    withdraw: str = ""


FindPass = Callable[[str], Pass | None]
FindKeyChange = Callable[[str], KeyChange | None]
ChangeKeys = Callable[[KeyChange], tuple[tuple[keys.SigningKey, ...], Mapping[str, Any]]]


class SignatureLog:
    """One JSON line per signature, each with the SHA-256 of the line before it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = ""
        self._issued: dict[str, tuple[str, str]] = {}
        self._sources: dict[str, str] = {}
        self._rows: list[dict[str, str]] = []
        self._entries: dict[tuple[str, str], int] = {}
        self._credentials: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._revoked: dict[str, set[int]] = {}
        self._carried_out: set[str] = set()
        for number, line in enumerate(self._lines(), start=1):
            row = json.loads(line)
            if row["previous"] != self._last:
                raise BrokenLog(line=number, file=file)
            self._remember(row, line)

    def _lines(self) -> Iterator[str]:
        if self._file.exists():
            with self._file.open(encoding="utf-8") as lines:
                yield from (line.rstrip("\n") for line in lines)

    def _remember(self, row: Mapping[str, Any], line: str) -> None:
        self._last = hashlib.sha256(line.encode("utf-8")).hexdigest()
        self._rows.append({name: row[name] for name in ("at", "kind", "id", "sha256")})
        if row["kind"] == "credential":
            self._sources[row["source"]] = row["id"]
            self._issued[row["id"]] = (row["source"], row["status"])
            self._credentials[row["status"]] = row["id"]
            self._newest[row["id"]] = row["sha256"]
            if "entry" in row:
                self._entries[row["log"], row["id"]] = row["entry"]
        elif row["kind"] == "keys":
            self._carried_out.add(row["source"])
        elif row["kind"] == "status-list":
            bits = self._revoked.setdefault(row["id"], set())
            bits.update(row.get("set", ()))
            bits.difference_update(row.get("cleared", ()))

    def entry_of(self, credential: str, *, log: str) -> int | None:
        """The number of the credential's newest entry in the public log `log`."""
        return self._entries.get((log, credential))

    def credential_at(self, status: str) -> str | None:
        """The credential whose bit in the revocation list is `status`."""
        return self._credentials.get(status)

    def revoked(self, address: str) -> frozenset[int]:
        """The bits that the revocation list at `address` had when it was last signed."""
        return frozenset(self._revoked.get(address, ()))

    def source_of(self, credential: str, *, sha256: str) -> str | None:
        """The pass that this credential was signed for; None when it was not signed here, or was
        signed anew since."""
        if self._newest.get(credential) != sha256:
            return None
        return self._issued[credential][0]

    def was_carried_out(self, proposal: str) -> bool:
        """Whether a change of keys was made for this proposal before."""
        return proposal in self._carried_out

    def refuse_other(self, *, credential: str, source: str, status: str) -> None:
        """One pass gives one credential, and a credential keeps its bit in the revocation list:
        with a fresh bit a revoked one would be valid again."""
        if self._sources.get(source, credential) != credential:
            raise RuleNotMet(reason="another credential was signed for this pass")
        if self._issued.get(credential, (source, status)) != (source, status):
            raise RuleNotMet(reason="this credential was signed for another pass or list entry")

    def rows(self, *, after: int) -> list[dict[str, str]]:
        """What was signed, from the line after number `after` on, at most `ROWS_AT_ONCE`."""
        return self._rows[after : after + ROWS_AT_ONCE]

    def append(self, row: Mapping[str, Any]) -> None:
        """Write and flush to disk; only then may the signature leave the process."""
        line = canonical.canonical_json({**row, "previous": self._last}).decode("utf-8")
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode("utf-8") + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._remember(row, line)


class Signer:
    """Checks the rule, then signs. `find_pass` is None only where there are no records to look in
    (tests and sample files); the rest of the rule holds all the same."""

    def __init__(
        self,
        *,
        site_url: str,
        issuer: document.Issuer,
        keyring: tuple[keys.SigningKey, ...],
        log: SignatureLog | None = None,
        find_pass: FindPass | None = None,
        public_log: store.Log | None = None,
        now: Callable[[], datetime] = clock.now,
        nonce: Callable[[], bytes] = lambda: secrets.token_bytes(entry.NONCE_SIZE),
        find_key_change: FindKeyChange | None = None,
        change_keys: ChangeKeys | None = None,
    ) -> None:
        self._site = site_url
        self._issuer = issuer
        self._keys = keyring
        self._log = log
        self._find_pass = find_pass
        self._public_log = public_log
        self._now = now
        self._nonce = nonce
        self._find_key_change = find_key_change
        self._change_keys = change_keys
        self._answers: OrderedDict[str, tuple[str, datetime, Json]] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def answer(self, request: Mapping[str, Any], *, caller: int | None = None) -> Json:
        """The answer to one request; a refusal is an answer too. `caller` is the caller's user id."""
        try:
            with self._one_at_a_time:
                match request.get("do"):
                    case "issue":
                        return self._issue(request, caller)
                    case "status-list":
                        return self._sign_status_list(request, caller)
                    case "transcript":
                        return self._sign_transcript(request, caller)
                    case "change-keys":
                        return self._change(request, caller)
                    case "log":
                        return self._log_rows(request)
                    case _:
                        raise UnreadableRequest()
        except DomainError as refusal:
            return {"refused": refusal.code, "message": refusal.message}

    def _active(self, kind: keys.KeyKind) -> keys.SigningKey:
        usable = [key for key in self._keys if key.kind == kind and key.revoked is None]
        if not usable:
            raise RuleNotMet(reason=f"there is no {kind} key in use")
        return usable[-1]

    def _issue(self, request: Mapping[str, Any], caller: int | None) -> Json:
        plain, source = request.get("document"), request.get("source_id")
        if not isinstance(plain, dict) or not isinstance(source, str) or "proof" in plain:
            raise UnreadableRequest()
        claims = document.claims(plain)
        self._check_form(plain, claims)
        self._check_pass(claims, source)
        status = f"{claims.status_list}#{claims.status_index}"
        if self._log:
            self._log.refuse_other(credential=claims.id, source=source, status=status)
        key, jwt_key = self._active("ed25519"), self._active("rsa")
        question = canonical.digest([plain, source, key.kid, jwt_key.kid])
        if (answered := self._answered(claims.id, question)) is not None:
            return answered
        signed = proof.signed(plain, issuer=self._issuer.id, key=key, at=self._now())
        token = jwt.signed(plain, site_url=self._site, key=jwt_key)
        logged = self._enter_issue(claims.id, signed)
        place = {"entry": logged["index"], "log": logged["log"]} if logged else {}
        self._write_down("credential", signed, caller, source=source, status=status, **place)
        answer = {"document": signed, "jwt": token, "logged": logged}
        self._answers.pop(claims.id, None)
        self._answers[claims.id] = (question, self._now(), answer)
        return answer

    def _answered(self, credential: str, question: str) -> Json | None:
        """The last answer for the credential, if it was to the same question within the hour. It is
        kept in memory alone, because the nonce in it must not outlive an erasure for long."""
        oldest = self._now() - ASKED_AGAIN_WITHIN
        while self._answers and (
            len(self._answers) > MOST_ANSWERS or next(iter(self._answers.values()))[1] < oldest
        ):
            self._answers.popitem(last=False)
        found = self._answers.get(credential)
        return found[2] if found and found[0] == question else None

    def _enter_issue(self, address: str, signed: Mapping[str, Any]) -> Json | None:
        log = self._public_log
        if log is None:
            return None
        nonce = self._nonce()
        new = [
            entry.Entry(
                "issue",
                self._now(),
                entry.commitment(nonce, signed),
                self._log.entry_of(address, log=log.origin) if self._log else None,
            )
        ]
        achievement = entry.public_commitment(quoted_achievement(signed))
        if achievement not in log.announced["achievement"]:
            new.insert(0, entry.Entry("achievement", self._now(), achievement))
        index = log.append(new) + len(new) - 1
        return {"index": index, "nonce": b64(nonce), "log": log.origin}

    def announce(self, did: Mapping[str, Any]) -> None:
        """Enter the published keys into the public log, if they changed since the last time."""
        log, said = self._public_log, entry.public_commitment(did)
        if log is not None and log.announced["did"][-1:] != [said]:
            log.append([entry.Entry("did", self._now(), said)])

    def _check_form(self, plain: Mapping[str, Any], claims: document.Claims) -> None:
        now = self._now()
        number = claims.id.removeprefix(f"{self._site}/credentials/")
        if number == claims.id or "/" in number:
            raise RuleNotMet(reason="the credential is not one of this site")
        if plain["issuer"] != document.issuer_profile(self._issuer):
            raise RuleNotMet(reason="the issuer is not us")
        if claims.evidence != f"{self._site}/evidence/{number}":
            raise RuleNotMet(reason="the evidence is not this credential's")
        if not claims.status_list.startswith(f"{self._site}/status/revocation/"):
            raise RuleNotMet(reason="the revocation list is not one of this site")
        if claims.status_index >= statuslist.SIZE:
            raise RuleNotMet(reason="the revocation list has no such entry")
        if claims.score_percent > 100 or claims.score_percent < claims.required_percent:
            raise RuleNotMet(reason="the required result was not reached")
        if max(claims.awarded, claims.valid_from) > now + CLOCK_TOLERANCE:
            raise RuleNotMet(reason="it is dated in the future")
        if not claims.valid_from < claims.valid_until <= claims.valid_from + LONGEST_VALIDITY:
            raise RuleNotMet(reason="its validity is not one we give")

    def _check_pass(self, claims: document.Claims, source: str) -> None:
        if self._find_pass is None:
            return
        found = self._find_pass(source)
        if found is None:
            raise RuleNotMet(reason="there is no released pass behind it")
        address = f"{self._site}/achievements/{found.achievement}/v{claims.achievement_version}"
        if claims.achievement != address:
            raise RuleNotMet(reason="the pass is for another achievement")
        if (claims.score_percent, claims.required_percent) != (
            found.score_percent,
            found.cut_percent,
        ):
            raise RuleNotMet(reason="the result differs from the released one")
        if written(claims.awarded) != written(found.released_at):
            raise RuleNotMet(reason="the date of the award is not that of the release")
        name = claims.holder_name
        if name is not None and name != document.plain_name(found.holder_name):
            raise RuleNotMet(reason="the name is not the holder's")

    def _sign_status_list(self, request: Mapping[str, Any], caller: int | None) -> Json:
        plain = request.get("document")
        if not isinstance(plain, dict) or "proof" in plain:
            raise UnreadableRequest()
        address = plain.get("id")
        if not isinstance(address, str) or not address.startswith(
            f"{self._site}/status/revocation/"
        ):
            raise RuleNotMet(reason="the revocation list is not one of this site")
        bits = statuslist.bits_of(plain, address=address, issuer=self._issuer.id)
        try:
            start, end = read(plain.get("validFrom")), read(plain.get("validUntil"))
        except BadDate as error:
            raise RuleNotMet(reason="the revocation list is not dated") from error
        if (
            start > self._now() + CLOCK_TOLERANCE
            or not start < end <= start + LONGEST_LIST_VALIDITY
        ):
            raise RuleNotMet(reason="the dates of the revocation list are not those we give")
        again = statuslist.credential(
            address=address,
            issuer=self._issuer.id,
            revoked=statuslist.indexes(bits),
            valid_from=start,
            valid_until=end,
        )
        if canonical.canonical_json(again) != canonical.canonical_json(plain):
            raise RuleNotMet(reason="the revocation list is not in our form")
        signed = proof.signed(
            plain, issuer=self._issuer.id, key=self._active("ed25519"), at=self._now()
        )
        bits_now = set(statuslist.indexes(bits))
        bits_before = self._log.revoked(address) if self._log else frozenset()
        changes = {
            "set": sorted(bits_now - bits_before),
            "cleared": sorted(bits_before - bits_now),
        }
        self._enter_list(address, signed, changes)
        self._write_down("status-list", signed, caller, source="", status="", **changes)
        return {"document": signed}

    def _sign_transcript(self, request: Mapping[str, Any], caller: int | None) -> Json:
        plain = request.get("document")
        if not isinstance(plain, dict) or "proof" in plain:
            raise UnreadableRequest()
        claims = transcript.claims(plain)
        if plain["issuer"] != document.issuer_profile(self._issuer):
            raise RuleNotMet(reason="the issuer is not us")
        if not claims.id.startswith("urn:uuid:"):
            raise RuleNotMet(reason="the record has a name that is not ours to give")
        if claims.valid_from > self._now() + CLOCK_TOLERANCE:
            raise RuleNotMet(reason="it is dated in the future")
        if not claims.valid_from < claims.valid_until <= claims.valid_from + transcript.VALID_FOR:
            raise RuleNotMet(reason="its validity is not one we give")
        self._check_held(claims)
        signed = proof.signed(
            plain,
            issuer=self._issuer.id,
            key=self._active("ed25519"),
            at=self._now(),
            holds_others=True,
        )
        self._enter_transcript(signed)
        self._write_down("transcript", signed, caller, source="", status="")
        return {"document": signed}

    def _check_held(self, claims: transcript.RecordClaims) -> None:
        """Raises `RuleNotMet` unless every credential in a record was signed here, as it is, for
        the same person, and is not revoked by the list as it was last signed."""
        did = keys.did_document(self._issuer.id, self._keys)
        holders = set()
        for signed, said in zip(claims.credentials, claims.held, strict=True):
            verify.genuine(signed, did)
            if said.issuer != self._issuer.id:
                raise RuleNotMet(reason="a credential in the record is not ours")
            if self._log is None:
                continue
            if said.status_index in self._log.revoked(said.status_list):
                raise RuleNotMet(reason="a credential in the record was revoked")
            source = self._log.source_of(said.id, sha256=canonical.digest(signed))
            if source is None:
                raise RuleNotMet(reason="a credential in the record is not as it was last signed")
            if self._find_pass is not None:
                found = self._find_pass(source)
                if found is None:
                    raise RuleNotMet(reason="there is no released pass behind a credential in it")
                holders.add(found.holder)
        if len(holders) > 1 or None in holders:
            raise RuleNotMet(reason="the credentials in the record are not those of one person")

    def _enter_transcript(self, signed: Mapping[str, Any]) -> None:
        # The random bytes are dropped: the entry says that a signature was made and when, and
        # nobody can ever join the credentials of one person by it.
        if self._public_log is not None:
            sealed = entry.commitment(self._nonce(), signed)
            self._public_log.append([entry.Entry("issue", self._now(), sealed)])

    def _enter_list(
        self, address: str, signed: Mapping[str, Any], changes: Mapping[str, list[int]]
    ) -> None:
        log = self._public_log
        if log is None:
            return
        now = self._now()
        kinds: tuple[tuple[entry.Kind, str], ...] = (("revoke", "set"), ("reinstate", "cleared"))
        new = [
            entry.Entry(kind, now, self._commitment_at(f"{address}#{index}", log))
            for kind, name in kinds
            for index in changes[name]
        ]
        log.append([*new, entry.Entry("statuslist", now, entry.public_commitment(signed))])

    def _commitment_at(self, status: str, log: store.Log) -> bytes:
        """The commitment under which the credential with this bit was entered when it was issued.
        A bit of no credential in the log is entered under the hash of its own address."""
        credential = self._log.credential_at(status) if self._log else None
        index = self._log.entry_of(credential, log=log.origin) if self._log and credential else None
        if index is None:
            return entry.public_commitment({"id": status})
        return log.entry(index).commitment

    def _change(self, request: Mapping[str, Any], caller: int | None) -> Json:
        number = request.get("proposal")
        if not isinstance(number, str):
            raise UnreadableRequest()
        if self._find_key_change is None or self._change_keys is None or self._log is None:
            raise RuleNotMet(reason="this signer does not change its keys")
        change = self._find_key_change(number)
        if change is None:
            raise RuleNotMet(reason="no two officers agreed on this within the last day")
        if self._log.was_carried_out(number):
            raise RuleNotMet(reason="this change of keys was carried out already")
        self._keys, did = self._change_keys(change)
        self._write_down("keys", did, caller, source=number, status=change.withdraw)
        self.announce(did)
        return {"keys": [key.kid for key in self._keys if key.revoked is None]}

    def _log_rows(self, request: Mapping[str, Any]) -> Json:
        after = request.get("after")
        if type(after) is not int or after < 0:
            raise UnreadableRequest()
        return {"rows": self._log.rows(after=after) if self._log else []}

    def _write_down(
        self,
        kind: str,
        signed: Mapping[str, Any],
        caller: int | None,
        *,
        source: str,
        status: str,
        **more: object,
    ) -> None:
        if self._log is None:
            return
        self._log.append(
            {
                "at": written(self._now()),
                "kind": kind,
                "id": signed["id"],
                "source": source,
                "status": status,
                "sha256": canonical.digest(signed),
                "caller": -1 if caller is None else caller,
                **more,
            }
        )


def quoted_achievement(credential: Mapping[str, Any]) -> Json:
    """The achievement as a credential quotes it, without the cut score of the one exam. The same
    object, with `@context` and `creator` beside it, stands at the achievement's own address."""
    quoted: Json = dict(credential["credentialSubject"]["achievement"])
    del quoted["resultDescription"]
    return quoted


# Messages --------------------------------------------------------------------------------------


def send_message(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    body = json.dumps(message).encode("utf-8")
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def receive_message(stream: BinaryIO) -> Json:
    """One message. Raises `UnreadableRequest` for a broken or oversized one."""
    head = stream.read(_LENGTH.size)
    if len(head) != _LENGTH.size:
        raise UnreadableRequest()
    (length,) = _LENGTH.unpack(head)
    if length > MAX_MESSAGE:
        raise UnreadableRequest()
    body = stream.read(length)
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableRequest() from error
    if len(body) != length or not isinstance(message, dict):
        raise UnreadableRequest()
    return message


class _Conversation(socketserver.StreamRequestHandler):
    timeout = 10
    server: Server

    def handle(self) -> None:
        peer = self.request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, caller, _ = struct.unpack("3i", peer)
        try:
            request = receive_message(self.rfile)  # type: ignore[arg-type]
        except UnreadableRequest as refusal:
            answer: Json = {"refused": refusal.code, "message": refusal.message}
        except OSError:
            return
        else:
            answer = self.server.signer.answer(request, caller=caller)
        try:
            send_message(self.wfile, answer)  # type: ignore[arg-type]
        except OSError:
            # The caller has gone. What was signed is in the log, and asking again gives it again.
            return


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens on a socket that only its own user and group can open."""

    daemon_threads = True

    def __init__(self, path: Path, signer: Signer) -> None:
        self.signer = signer
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            super().__init__(str(path), _Conversation)
        finally:
            os.umask(before)


# Files -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """Where the signer keeps what nobody else may read, and the one file everybody may."""

    folder: Path
    published: Path

    @property
    def keyring(self) -> Path:
        return self.folder / "keys.json"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def open(self, *, at: datetime) -> tuple[keys.SigningKey, ...]:
        """The keys; new ones on the first start. Raises `UnsafeKeyFile`."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.keyring.exists():
                self.save((keys.new_key("ed25519", at=at), keys.new_key("rsa", at=at)))
        if self.keyring.stat().st_mode & 0o077:
            raise UnsafeKeyFile(file=self.keyring)
        return keys.keyring_from_json(self.keyring.read_text(encoding="utf-8"))

    def save(self, keyring: tuple[keys.SigningKey, ...]) -> None:
        store.replace(self.keyring, keys.keyring_to_json(keyring), mode=0o600)

    def open_log(self, issuer: str, parent: Path, *, at: datetime) -> store.Log:
        """The public log of `issuer` below `parent`, with its key; both are made on the first
        start. An issuer with another address gets a log of its own. Raises `UnsafeKeyFile`,
        `store.BrokenPublicLog` or `store.LogInUse`."""
        key = self.log_key(at=at)
        private = cast(Ed25519PrivateKey, key.private)
        origin = log_proof.origin(issuer)
        return store.Log(log_folder(parent, issuer), origin, private)

    def log_key(self, *, at: datetime) -> keys.SigningKey:
        """The key of the public log; a new one on the first start. Raises `UnsafeKeyFile`."""
        file = self.folder / "log-key.json"
        if not file.exists():
            store.replace(file, keys.keyring_to_json([keys.new_log_key(at=at)]), mode=0o600)
        if file.stat().st_mode & 0o077:
            raise UnsafeKeyFile(file=file)
        (key,) = keys.keyring_from_json(file.read_text(encoding="utf-8"))
        return key

    def publish(self, issuer: str, keyring: tuple[keys.SigningKey, ...]) -> Json:
        """Write the public halves where the web process reads them; the DID document."""
        log_key = self.log_key(at=clock.now())
        did = keys.did_document(issuer, keyring, log_key)
        public = {
            "did": did,
            "jwks": {"keys": [keys.public_jwk(key) for key in keyring]},
            "since": {key.kid: written(key.created) for key in keyring},
        }
        self.published.parent.mkdir(parents=True, exist_ok=True)
        store.replace(self.published, json.dumps(public, indent=1), mode=0o644)
        return did


def log_folder(parent: Path, issuer: str) -> Path:
    """Where the public log of `issuer` lies below `parent`."""
    return parent / log_proof.origin(issuer).removesuffix("/log").replace(":", "_")


# The program -----------------------------------------------------------------------------------


def rotate(folder: KeyFolder, *, at: datetime) -> tuple[keys.SigningKey, ...]:
    """Add a fresh key of each kind; they sign from the next start on. Old ones keep verifying."""
    keyring = folder.open(at=at)
    for kind in ("ed25519", "rsa"):
        taken = [key.kid for key in keyring]
        keyring = (*keyring, keys.new_key(kind, at=at, taken=taken))
    folder.save(keyring)
    return keyring


class UnknownKeyName(DomainError):
    code = "unknown-key-name"
    sentence = "There is no key {kid} in use. The keys in use: {known}. Nothing was changed."


def withdraw(folder: KeyFolder, kid: str, *, at: datetime) -> tuple[keys.SigningKey, ...]:
    """Mark a stolen key as revoked; from the next start on it signs nothing, and what it signed is
    refused. Raises `UnknownKeyName`."""
    keyring = folder.open(at=at)
    refuse_unknown(keyring, kid)
    keyring = tuple(replace(key, revoked=at) if key.kid == kid else key for key in keyring)
    folder.save(keyring)
    return keyring


def changed_keys(
    folder: KeyFolder, change: KeyChange, *, at: datetime
) -> tuple[keys.SigningKey, ...]:
    """Fresh keys, and the one to be withdrawn marked so. Raises `UnknownKeyName`; then nothing has
    changed."""
    if change.withdraw:
        refuse_unknown(folder.open(at=at), change.withdraw)
    keyring = rotate(folder, at=at)
    return withdraw(folder, change.withdraw, at=at) if change.withdraw else keyring


def refuse_unknown(keyring: tuple[keys.SigningKey, ...], kid: str) -> None:
    """Raises `UnknownKeyName` unless `kid` is a key in use."""
    known = [key.kid for key in keyring if key.revoked is None]
    if kid not in known:
        raise UnknownKeyName(kid=kid, known=", ".join(known))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m credentials.signer", description=__doc__)
    parser.add_argument(
        "do",
        nargs="?",
        choices=["run", "change-keys"],
        default="run",
        help="run the signer (default); change the keys as two officers agreed",
    )
    parser.add_argument(
        "proposal",
        nargs="?",
        default="",
        help="the number of the request that a second officer confirmed, for a signer that is down",
    )
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")
    import django

    django.setup()
    # Django's models can only be imported once it is set up.
    from django.conf import settings
    from django.db import connection

    from credentials import awarding, identity, two_people

    def find_key_change(number: str) -> KeyChange | None:
        try:
            return two_people.find_key_change(number)
        finally:
            connection.close()

    def change_keys(
        change: KeyChange,
    ) -> tuple[tuple[keys.SigningKey, ...], Mapping[str, Any]]:
        changed = changed_keys(folder, change, at=clock.now())
        return changed, folder.publish(identity.issuer().id, changed)

    def find_pass(source_id: str) -> Pass | None:
        try:
            return awarding.find_pass(source_id)
        finally:
            # Each conversation has a thread of its own, and Django a connection per thread.
            connection.close()

    folder = KeyFolder(settings.VAR / "signer", identity.published_file())
    try:
        keyring = folder.open(at=clock.now())
        public_log = folder.open_log(
            identity.issuer().id, settings.VAR / "translog", at=clock.now()
        )
        signer = Signer(
            site_url=settings.SITE_URL,
            issuer=identity.issuer(),
            keyring=keyring,
            log=SignatureLog(folder.log),
            find_pass=find_pass,
            public_log=public_log,
            find_key_change=find_key_change,
            change_keys=change_keys,
        )
    except DomainError as refusal:
        print(f"signer: {refusal.message}", file=sys.stderr)
        return 1
    signer.announce(folder.publish(identity.issuer().id, keyring))
    if options.do == "change-keys":
        answer = signer.answer({"do": "change-keys", "proposal": options.proposal})
        print("signer: " + (answer.get("message") or f"keys in use: {', '.join(answer['keys'])}"))
        return 1 if "refused" in answer else 0
    server = Server(settings.SIGNER_SOCKET, signer)
    # shutdown() waits for the loop it stops, so it cannot be called on the loop's own thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    signal.signal(signal.SIGINT, signal.getsignal(signal.SIGTERM))
    print(f"signer: listening on {settings.SIGNER_SOCKET}", flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)
    settings.SIGNER_SOCKET.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
