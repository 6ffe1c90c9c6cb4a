"""The test surface of the VC-API, for the suites of the W3C and for nothing else.

    python -m credentials.openbadges.vcapi --contexts FILE --certificate FILE [--port 40443]

It is a server of its own and no part of the site: it signs whatever it is asked to sign, with a
`did:key` made when it starts and forgotten when it stops. Credentials are signed by the very code
that signs ours; what has one plain proof is verified by the very code that verifies ours. Sets and
chains of proofs, presentations and contexts we never use are read here, so that the suites can ask.

`--contexts` is a JSON object of contexts by address. The suites speak HTTPS, so `--certificate` is
a PEM file with a key and a self-signed certificate.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pyoxigraph
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, encoding, keys, proof, rdf, statuslist

Json = dict[str, Any]

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+$")
_DATE = re.compile(r"^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$", re.ASCII)
_LANGUAGE = {"@value", "@language", "@direction"}
_PURPOSES = {"assertionMethod", "authentication"}
# The eddsa suite still speaks version 1.1, whose context knows no Data Integrity proofs.
CREDENTIALS_V1 = "https://www.w3.org/2018/credentials/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


class NotConforming(DomainError):
    code = "not-conforming"
    sentence = "The document does not follow the data model: {reason}."


def refuse_unless(holds: bool, reason: str) -> None:
    """Raise `NotConforming` with `reason` unless `holds`."""
    if not holds:
        raise NotConforming(reason=reason)


# The data model -----------------------------------------------------------------------------------


def check_credential(document: Any) -> None:
    """Hold `document` against the rules of VC 2.0 that a suite can see. Raises `NotConforming`."""
    refuse_unless(isinstance(document, dict), "it is no JSON object")
    _check_context(document)
    _check_types(document.get("type"), "VerifiableCredential")
    _check_id(document)
    _check_party(document.get("issuer"), "issuer")
    subjects = _objects(document.get("credentialSubject"), "credentialSubject", needed=True)
    for subject in subjects:
        refuse_unless(bool(subject), "a credentialSubject says nothing")
        _check_id(subject)
        _check_words(subject)
    _check_words(document)
    _check_dates(document)
    for name in ("credentialStatus", "termsOfUse", "evidence", "refreshService"):
        for one in _objects(document.get(name), name):
            _check_id(one)
            refuse_unless("type" in one, f"{name} has no type")
            if one.get("type") == statuslist_entry():
                _check_entry(one)
    for one in _objects(document.get("credentialSchema"), "credentialSchema"):
        refuse_unless("type" in one and "id" in one, "credentialSchema lacks its type or id")
        _check_id(one)
    seen = set()
    for one in _objects(document.get("relatedResource"), "relatedResource"):
        refuse_unless(isinstance(one.get("id"), str), "relatedResource has no id")
        _check_id(one)
        refuse_unless(one["id"] not in seen, "a relatedResource is named twice")
        seen.add(one["id"])
        refuse_unless(
            "digestSRI" in one or "digestMultibase" in one, "relatedResource has no digest"
        )


def statuslist_entry() -> str:
    """The type of an entry in a Bitstring Status List."""
    return "BitstringStatusListEntry"


def _check_entry(one: Mapping[str, Any]) -> None:
    index = one.get("statusListIndex")
    refuse_unless(isinstance(index, str) and index.isdigit(), "statusListIndex is no number")
    refuse_unless(isinstance(one.get("statusPurpose"), str), "statusPurpose is no text")
    refuse_unless(
        isinstance(one.get("statusListCredential"), str), "statusListCredential is no address"
    )


def _check_context(document: Mapping[str, Any]) -> None:
    found = document.get("@context")
    if not isinstance(found, list) or found[:1] not in (
        [contexts.CREDENTIALS_V2],
        [CREDENTIALS_V1],
    ):
        raise NotConforming(reason="the first context is not that of Verifiable Credentials")
    refuse_unless(
        all(isinstance(one, dict) or (isinstance(one, str) and _URL.match(one)) for one in found),
        "a context is neither an address nor an object",
    )


def _check_types(types: Any, needed: str) -> None:
    rows = types if isinstance(types, list) else [types]
    refuse_unless(all(isinstance(one, str) for one in rows), "a type is no text")
    refuse_unless(needed in rows, f"its type is not {needed}")


def _check_id(document: Mapping[str, Any]) -> None:
    if "id" in document:
        value = document["id"]
        refuse_unless(isinstance(value, str) and bool(_URL.match(value)), "an id is no address")


def _check_party(value: Any, name: str) -> None:
    found = value.get("id") if isinstance(value, dict) else value
    refuse_unless(isinstance(found, str) and bool(_URL.match(found)), f"the {name} is no address")
    if isinstance(value, dict):
        _check_words(value)


def _objects(value: Any, name: str, *, needed: bool = False) -> list[Json]:
    if value is None:
        refuse_unless(not needed, f"there is no {name}")
        return []
    rows = value if isinstance(value, list) else [value]
    refuse_unless(not needed or bool(rows), f"there is no {name}")
    refuse_unless(all(isinstance(one, dict) for one in rows), f"{name} is no object")
    return rows


def _check_words(document: Mapping[str, Any]) -> None:
    for name in ("name", "description"):
        if name not in document:
            continue
        rows = document[name] if isinstance(document[name], list) else [document[name]]
        for one in rows:
            if isinstance(one, dict):
                refuse_unless("@value" in one and not set(one) - _LANGUAGE, f"a {name} is no text")
            else:
                refuse_unless(isinstance(one, str), f"a {name} is no text")


def _check_dates(document: Mapping[str, Any]) -> None:
    for name in ("validFrom", "validUntil"):
        if name in document:
            value = document[name]
            stamped = isinstance(value, str) and bool(_DATE.match(value))
            refuse_unless(stamped, f"{name} is no date")
            refuse_unless(value.endswith("Z") or value[-6] in "+-", f"{name} has no time zone")
    if "validFrom" in document and "validUntil" in document:
        refuse_unless(
            moment(document["validFrom"]) <= moment(document["validUntil"]),
            "it ends before it begins",
        )


def moment(text: Any) -> datetime:
    """An XML dateTime; one without a zone is taken as UTC. Raises `NotConforming`."""
    if not isinstance(text, str) or not _DATE.match(text):
        raise NotConforming(reason="a date is no date")
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotConforming(reason="a date is no date") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Issue and verify --------------------------------------------------------------------------------


@dataclass
class Surface:
    """One issuer for the time of a test run. `address` is where its status list is served."""

    key: keys.SigningKey
    extra: Mapping[str, Json]
    address: str
    now: Callable[[], datetime]
    drawn: set[int] = field(default_factory=set)

    @property
    def did(self) -> str:
        return "did:key:" + encoding.multikey(self.key.public_bytes)

    def load(self, address: str) -> Mapping[str, Any]:
        """A context of ours or of the suites. Raises `UnknownContext`."""
        if address in self.extra and address not in contexts.CREDENTIAL_CONTEXTS:
            return self.extra[address]
        return contexts.context(address)

    def issue(self, credential: Any, *, with_status: bool) -> Json:
        """`credential` with one proof, and with an entry in the status list when asked."""
        check_credential(credential)
        document = dict(credential)
        if document["@context"][0] == CREDENTIALS_V1 and DATA_INTEGRITY not in document["@context"]:
            document["@context"] = [*document["@context"], DATA_INTEGRITY]
        if isinstance(document["issuer"], dict):
            document["issuer"] = {**document["issuer"], "id": self.did}
        else:
            document["issuer"] = self.did
        if with_status:
            index = len(self.drawn) * 7919 % statuslist.SIZE
            self.drawn.add(index)
            document["credentialStatus"] = {
                "id": f"{self.address}/status/1#{index}",
                "type": statuslist_entry(),
                "statusPurpose": "revocation",
                "statusListIndex": str(index),
                "statusListCredential": f"{self.address}/status/1",
            }
        return self.sign(document)

    def sign(self, document: Json) -> Json:
        """The document with one proof by the key of this run."""
        plain = {name: value for name, value in document.items() if name != "proof"}
        self._refuse_lost(plain)
        method = f"{self.did}#{self.did.removeprefix('did:key:')}"
        options = {
            "type": "DataIntegrityProof",
            "cryptosuite": proof.CRYPTOSUITE,
            "created": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "verificationMethod": method,
            "proofPurpose": "assertionMethod",
        }
        data = (
            hashlib.sha256(proof.option_nquads(options)).digest()
            + hashlib.sha256(self._nquads(plain)).digest()
        )
        signature = cast(Ed25519PrivateKey, self.key.private).sign(data)
        return {**plain, "proof": {**options, "proofValue": "z" + encoding.base58btc(signature)}}

    def status_list(self) -> Json:
        """The signed list, in which nothing is revoked."""
        now = self.now()
        return self.sign(
            statuslist.credential(
                address=f"{self.address}/status/1",
                issuer=self.did,
                revoked=(),
                valid_from=now - timedelta(minutes=1),
                valid_until=now + timedelta(hours=24),
            )
        )

    def verify_credential(self, document: Any) -> None:
        """Raises the `DomainError` that says why `document` is not to be accepted."""
        check_credential(document)
        self._verify_proofs(document, purpose="assertionMethod", options={})
        issuer = document["issuer"]
        owner = issuer["id"] if isinstance(issuer, dict) else issuer
        # Every proof holds by now; the others in a set may be those of witnesses.
        owners = {one["verificationMethod"].partition("#")[0] for one in _proofs(document)}
        refuse_unless(owner in owners, "no key is the issuer's")
        now = self.now()
        if "validFrom" in document:
            refuse_unless(moment(document["validFrom"]) <= now, "it is not valid yet")
        if "validUntil" in document:
            refuse_unless(now < moment(document["validUntil"]), "it has expired")

    def verify_presentation(self, document: Any, options: Mapping[str, Any]) -> None:
        """The same for a presentation and each credential in it."""
        refuse_unless(isinstance(document, dict), "it is no JSON object")
        _check_context(document)
        _check_types(document.get("type"), "VerifiablePresentation")
        _check_id(document)
        if "holder" in document:
            _check_party(document["holder"], "holder")
        inside = _objects(document.get("verifiableCredential"), "verifiableCredential")
        if "proof" in document:
            self._verify_proofs(document, purpose="authentication", options=options)
        for one in inside:
            self.verify_credential(one)

    def _verify_proofs(self, document: Json, *, purpose: str, options: Mapping[str, Any]) -> None:
        rows = _proofs(document)
        plain = {name: value for name, value in document.items() if name != "proof"}
        by_id = {one["id"]: one for one in rows if isinstance(one.get("id"), str)}
        for one in rows:
            self._check_options(one, purpose=purpose, options=options)
            public = _public_key(one["verificationMethod"])
            before = one.get("previousProof", [])
            names = before if isinstance(before, list) else [before]
            refuse_unless(all(name in by_id for name in names), "a proof it builds on is not there")
            if len(rows) == 1 and purpose == "assertionMethod" and self._is_plain(plain, one):
                proof.verify(document, public, load=self.load)
                continue
            base = {**plain, "proof": [by_id[name] for name in names]} if names else plain
            self._check_signature(base, one, public)
        self._refuse_lost(plain)

    def _is_plain(self, plain: Json, one: Json) -> bool:
        """Whether the code for our own credentials can read it: its contexts are all addresses and
        its proof has the five parts that ours have."""
        names = {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose"}
        created = one.get("created")
        return (
            set(one) == {*names, "proofValue"}
            and plain["@context"][0] == contexts.CREDENTIALS_V2
            and isinstance(created, str)
            and len(created) == 20
            and all(isinstance(name, str) for name in plain["@context"])
            and '"@context"' not in json.dumps({**plain, "@context": None})[18:]
        )

    def _check_options(self, one: Json, *, purpose: str, options: Mapping[str, Any]) -> None:
        refuse_unless(one.get("type") == "DataIntegrityProof", "a proof is of another type")
        refuse_unless(one.get("cryptosuite") == proof.CRYPTOSUITE, "its suite is another")
        refuse_unless(one.get("proofPurpose") in _PURPOSES, "its purpose is unknown")
        refuse_unless(one["proofPurpose"] == purpose, "it was made for another purpose")
        refuse_unless(isinstance(one.get("verificationMethod"), str), "it names no key")
        if "created" in one:
            moment(one["created"])
        if "expires" in one:
            refuse_unless(self.now() < moment(one["expires"]), "the proof has expired")
        for name in ("domain", "challenge"):
            if purpose == "authentication" and name in options and name in one:
                wanted, found = options[name], one[name]
                rows = found if isinstance(found, list) else [found]
                refuse_unless(wanted in rows, f"the {name} is another")

    def _check_signature(self, document: Json, one: Json, public: bytes) -> None:
        value = one.get("proofValue")
        refuse_unless(isinstance(value, str) and value.startswith("z"), "it has no proofValue")
        try:
            signature = encoding.from_base58btc(str(value)[1:])
        except encoding.BadEncoding as error:
            raise proof.SignatureBroken() from error
        said = {name: part for name, part in one.items() if name != "proofValue"}
        data = (
            hashlib.sha256(self._nquads({"@context": document["@context"], **said})).digest()
            + hashlib.sha256(self._nquads(document)).digest()
        )
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
        except InvalidSignature as error:
            raise proof.SignatureBroken() from error

    def _nquads(self, document: Json) -> bytes:
        text = json.dumps(self._inlined(document), ensure_ascii=False)
        try:
            dataset = pyoxigraph.Dataset(
                pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.JSON_LD)
            )
        except (SyntaxError, ValueError, OSError) as error:
            raise rdf.NotCanonical(reason=str(error)) from error
        dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
        lines = cast(bytes, pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS))
        return b"".join(sorted(lines.splitlines(keepends=True)))

    def _inlined(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._inlined(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._context(part) if name == "@context" else self._inlined(part)
            for name, part in value.items()
        }

    def _context(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._context(one) for one in value]
        if isinstance(value, dict) and "@context" in value:
            # A context written into a document as if it were a file of its own.
            return self._context(value["@context"])
        return self.load(value)["@context"] if isinstance(value, str) else value

    def _refuse_lost(self, document: Json) -> None:
        rdf.expanded_without_loss(document, load=self.load)


def _proofs(document: Mapping[str, Any]) -> list[Json]:
    found = document.get("proof")
    rows = found if isinstance(found, list) else [found]
    refuse_unless(bool(rows), "there is no proof")
    refuse_unless(all(isinstance(one, dict) for one in rows), "a proof is no object")
    return cast(list[Json], rows)


def _public_key(method: str) -> bytes:
    """The key of a `did:key`, which is its own document. Raises `NotConforming`."""
    did, _, fragment = method.partition("#")
    refuse_unless(
        did.startswith("did:key:") and did.removeprefix("did:key:") == fragment,
        "its key is not a did:key",
    )
    try:
        return encoding.from_multikey(fragment)
    except encoding.BadEncoding as error:
        raise NotConforming(reason="its key is not an Ed25519 key") from error


# The server --------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    surface: Surface

    def do_GET(self) -> None:
        if self.path == "/id":
            self._answer(200, {"id": self.surface.did})
        elif self.path == "/status/1":
            self._answer(200, self.surface.status_list())
        else:
            self._answer(404, {"errors": ["There is nothing here."]})

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            options = body.get("options") or {}
            match self.path:
                case "/credentials/issue" | "/with-status/credentials/issue":
                    with_status = self.path.startswith("/with-status")
                    made = self.surface.issue(body.get("credential"), with_status=with_status)
                    self._answer(201, made)
                case "/credentials/verify":
                    self.surface.verify_credential(body.get("verifiableCredential"))
                    self._answer(200, {"verified": True, "checks": ["proof"], "errors": []})
                case "/presentations/verify":
                    self.surface.verify_presentation(body.get("verifiablePresentation"), options)
                    self._answer(200, {"verified": True, "checks": ["proof"], "errors": []})
                case _:
                    self._answer(404, {"errors": ["There is nothing here."]})
        except DomainError as refusal:
            self._answer(400, {"verified": False, "errors": [refusal.message]})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            self._answer(400, {"verified": False, "errors": [f"Unreadable: {error!r}"]})

    def _answer(self, status: int, content: Json) -> None:
        data = json.dumps(content).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the suites say what went wrong."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexts", type=Path, required=True)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--port", type=int, default=40443)
    options = parser.parse_args(arguments)

    def now() -> datetime:
        return datetime.now(UTC)

    surface = Surface(
        key=keys.new_key("ed25519", at=now()),
        extra=json.loads(options.contexts.read_text(encoding="utf-8")),
        address=f"https://localhost:{options.port}",
        now=now,
    )
    handler = type("Handler", (_Handler,), {"surface": surface})
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(options.certificate)
    server.socket = secure.wrap_socket(server.socket, server_side=True)
    print(surface.did, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
