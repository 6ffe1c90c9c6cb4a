"""Verifying a credential: four separate questions, each with its own answer.

The issuer's DID document and the revocation list are given; nothing is fetched. The key is looked
up in the issuer's own list by its full name and never taken from the credential: some validators
read a key out of the fragment of `verificationMethod`, where anybody can put one of his own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from checkride.lib.errors import DomainError
from credentials.openbadges import document as credential_document
from credentials.openbadges import encoding, jwt, proof, rdf, statuslist, transcript
from credentials.openbadges.dates import read, written
from credentials.openbadges.document import Claims

State = Literal["holds", "fails", "unknown"]
CheckName = Literal["signature", "issuer", "status", "dates"]


_SUITE = f"Ed25519 over the canonical form, {proof.CRYPTOSUITE}"
_TOO_DEEP = rdf.NotCanonical(reason="its parts are nested too deeply")


class UnknownKey(DomainError):
    code = "unknown-key"
    sentence = "It is signed with a key that {issuer} has not published."


class RevokedKey(DomainError):
    code = "revoked-key"
    sentence = "It is signed with a key that {issuer} has withdrawn."


class UnreadableFile(DomainError):
    code = "unreadable-file"
    sentence = "This is neither a JSON credential nor a JWT, so there is nothing to check."


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `says` answers it in a sentence; `detail` is for those who know the words."""

    name: CheckName
    state: State
    says: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All answers. `claims` is None when the signature or the key fails: what nobody vouches for
    is not to be shown. `document` is the credential that was read, whatever its form."""

    checks: tuple[Check, ...]
    claims: Claims | None
    revoked: bool = False
    expired: bool = False

    @property
    def genuine(self) -> bool:
        return self.claims is not None

    @property
    def in_force(self) -> bool:
        return all(check.state == "holds" for check in self.checks)

    def check(self, name: CheckName) -> Check:
        return next(check for check in self.checks if check.name == name)


def parsed(text: str) -> dict[str, Any] | str:
    """A JSON document or, unchanged, a compact JWS. Raises `UnreadableFile`."""
    text = text.strip()
    if text.count(".") == 2 and not text.startswith("{"):
        return text
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile() from error
    if not isinstance(value, dict):
        raise UnreadableFile()
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two programs may read a doubled key differently, one of them the signed value.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


def verification_method(did: Mapping[str, Any], name: object, *, issuer: str) -> Mapping[str, Any]:
    """The issuer's published key `name`. Raises `UnknownKey` or `RevokedKey`."""
    if did.get("id") != issuer:
        raise UnknownKey(issuer=issuer)
    for method in did.get("verificationMethod", []):
        if method.get("id") == name and method.get("controller") == issuer:
            if "revoked" in method:
                raise RevokedKey(issuer=issuer)
            if name not in did.get("assertionMethod", []):
                break
            return dict(method)
    raise UnknownKey(issuer=issuer)


def genuine(
    credential: Mapping[str, Any] | str, did: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The name of the key that signed, and the signed document, once key and signature hold.

    `credential` is a JSON document or a VC-JWT. Raises the `DomainError` that says what is wrong.
    """
    issuer = did.get("id", "")
    if isinstance(credential, str):
        header, _, _, _ = jwt.parts(credential)
        kid = header["kid"].rpartition("/")[2]
        name = f"{issuer}#{kid}"
        method = verification_method(did, name, issuer=issuer)
        document = jwt.verified(credential, method.get("publicKeyJwk", {}))
        return name, document
    return _key_of(credential, did, holds_others=False), dict(credential)


def _key_of(document: Mapping[str, Any], did: Mapping[str, Any], *, holds_others: bool) -> str:
    """The name of the key that signed `document`, once the signature holds. Raises as `genuine`."""
    issuer = did.get("id", "")
    name: str = proof.only_proof(document)["verificationMethod"]
    method = verification_method(did, name, issuer=issuer)
    try:
        public = encoding.from_multikey(method.get("publicKeyMultibase", ""))
    except encoding.BadEncoding as error:
        raise UnknownKey(issuer=issuer) from error
    proof.verify(document, public, holds_others=holds_others)
    return name


def verify(
    credential: Mapping[str, Any] | str,
    *,
    did: Mapping[str, Any],
    status_list: Mapping[str, Any] | None,
    at: datetime,
) -> Verdict:
    """Check `credential` against the issuer whose DID document is `did`, at the time `at`.

    `status_list` is the signed list the credential names, or None when it could not be had; then
    the status is unknown, which is not the same as not revoked. Never raises for a bad credential.
    """
    issuer = did.get("id", "")
    try:
        key, document = _genuine_at_any_depth(credential, did)
    except (UnknownKey, RevokedKey) as refusal:
        return _refused(
            "issuer", refusal, other="signature", says="Not looked at: the key is not the issuer’s."
        )
    except DomainError as refusal:
        return _refused(
            "signature", refusal, other="issuer", says="Not looked at: the signature does not hold."
        )
    try:
        found = credential_document.claims(document)
    except DomainError as refusal:
        return _refused(
            "signature",
            refusal,
            other="issuer",
            says="Not looked at: the document is not one of ours.",
        )
    if found.issuer != issuer:
        return _refused(
            "issuer",
            UnknownKey(issuer=found.issuer),
            other="signature",
            says="Not looked at: the key is not the issuer’s.",
        )
    suite = "RS256 over the VC-JWT" if isinstance(credential, str) else _SUITE
    signature = Check("signature", "holds", "Nothing in it was changed since it was signed.", suite)
    owner = Check("issuer", "holds", f"The key is in the list that {issuer} publishes.", key)
    status, revoked = _status(found, status_list, did=did, at=at)
    days, expired = dates(found, at)
    return Verdict((signature, owner, status, days), found, revoked=revoked, expired=expired)


def _genuine_at_any_depth(
    credential: Mapping[str, Any] | str, did: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    try:
        return genuine(credential, did)
    except RecursionError as error:
        raise _TOO_DEEP from error


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """On a learner record: the answers for the record as a whole, which has no status of its own,
    and a verdict on each credential `inside`. `claims` is None when nobody vouches for it."""

    checks: tuple[Check, ...]
    claims: transcript.RecordClaims | None
    inside: tuple[Verdict, ...] = ()
    expired: bool = False

    @property
    def genuine(self) -> bool:
        return self.claims is not None and all(one.genuine for one in self.inside)

    @property
    def in_force(self) -> bool:
        """Whether the record and everything in it may be relied on."""
        return all(check.state == "holds" for check in self.checks) and all(
            one.in_force for one in self.inside
        )


def verify_record(
    record: Mapping[str, Any],
    *,
    did: Mapping[str, Any],
    status_lists: Mapping[str, Mapping[str, Any]],
    at: datetime,
) -> RecordVerdict:
    """Check a learner record, and every credential in it as `verify` does.

    `status_lists` are the signed revocation lists that could be had, by their addresses. Never
    raises for a bad record.
    """
    issuer = did.get("id", "")
    try:
        # The form first: only then is it certain that canonicalising costs no more than it should.
        found = transcript.claims(record)
        key = _key_of(record, did, holds_others=True)
        if found.issuer != issuer:
            raise UnknownKey(issuer=found.issuer)
    except (UnknownKey, RevokedKey) as refusal:
        says = "Not looked at: the key is not the issuer’s."
        refused = _refused("issuer", refusal, other="signature", says=says)
        return RecordVerdict(refused.checks, None)
    except (DomainError, RecursionError) as refusal:
        problem = refusal if isinstance(refusal, DomainError) else _TOO_DEEP
        says = "Not looked at: the signature does not hold."
        refused = _refused("signature", problem, other="issuer", says=says)
        return RecordVerdict(refused.checks, None)
    days, expired = dates(found, at)
    checks = (
        Check("signature", "holds", "Nothing in it was changed since it was signed.", _SUITE),
        Check("issuer", "holds", f"The key is in the list that {issuer} publishes.", key),
        days,
    )
    inside = tuple(
        verify(one, did=did, status_list=status_lists.get(claims.status_list), at=at)
        for one, claims in zip(found.credentials, found.held, strict=True)
    )
    return RecordVerdict(checks, found, inside, expired)


def another_document() -> Verdict:
    """The verdict on a genuine credential that stands where another one belongs."""
    says = "The signed document is another credential than the one asked for."
    return Verdict(
        (
            Check("signature", "fails", says, "another-document"),
            Check("issuer", "unknown", "Not looked at: the document is not the right one."),
        ),
        None,
    )


def _refused(failing: CheckName, refusal: DomainError, *, other: CheckName, says: str) -> Verdict:
    rows = {
        failing: Check(failing, "fails", refusal.message, refusal.code),
        other: Check(other, "unknown", says),
    }
    return Verdict((rows["signature"], rows["issuer"]), None)


def _status(
    found: Claims, status_list: Mapping[str, Any] | None, *, did: Mapping[str, Any], at: datetime
) -> tuple[Check, bool]:
    if status_list is None:
        return Check("status", "unknown", "The revocation list is not at hand."), False
    try:
        bits = statuslist.bits_of(status_list, address=found.status_list, issuer=found.issuer)
        name = proof.only_proof(status_list)["verificationMethod"]
        method = verification_method(did, name, issuer=found.issuer)
        _check_list(status_list, encoding.from_multikey(method.get("publicKeyMultibase", "")))
        revoked = statuslist.is_set(bits, found.status_index)
        start, end = read(status_list.get("validFrom")), read(status_list.get("validUntil"))
    except DomainError as refusal:
        return Check("status", "unknown", refusal.message, refusal.code), False
    detail = f"Bit {found.status_index} of {found.status_list} is {int(revoked)}"
    if revoked:
        return Check("status", "fails", "It was revoked by the issuer.", detail), True
    if not start <= at < end:
        says = f"The revocation list is of {written(start)} and too old to tell."
        return Check("status", "unknown", says, detail), False
    return Check("status", "holds", f"Not revoked, by the list of {written(start)}.", detail), False


# A list serves for half a million credentials; who checks many needs its signature checked once.
_MOST_LISTS = 16
_lists_that_hold: set[tuple[bytes, bytes]] = set()


def _check_list(status_list: Mapping[str, Any], public: bytes) -> None:
    """Check the signature of a list; one that held under the same key is remembered by its digest.

    Raises as `proof.verify`.
    """
    text = json.dumps(status_list, sort_keys=True).encode("utf-8")
    known = (hashlib.sha256(text).digest(), public)
    if known in _lists_that_hold:
        return
    proof.verify(status_list, public)
    if len(_lists_that_hold) >= _MOST_LISTS:
        _lists_that_hold.clear()
    _lists_that_hold.add(known)


def dates(found: Claims | transcript.RecordClaims, at: datetime) -> tuple[Check, bool]:
    """Whether the credential or record is valid at `at`, and whether it has expired."""
    detail = f"{written(found.valid_from)} to {written(found.valid_until)}"
    if at < found.valid_from:
        return Check("dates", "fails", "It is not valid yet.", detail), False
    if at >= found.valid_until:
        return Check("dates", "fails", f"It expired on {found.valid_until:%Y-%m-%d}.", detail), True
    return Check("dates", "holds", f"Valid until {found.valid_until:%Y-%m-%d}.", detail), False
