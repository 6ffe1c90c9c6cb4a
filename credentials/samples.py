"""Sample files made by the real issuing code with a key of their own, for people who build
verifiers and for our tests. Nothing of it touches the database."""

from __future__ import annotations

import json
import secrets
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credentials import achievements, awarding, certificate, identity, revoking, seal
from credentials.models import AchievementVersion, Credential, StatusList
from credentials.openbadges import baking, keys, shortcode, statuslist, transcript
from credentials.signer import Signer
from credentials.translog import note, store
from credentials.translog import proof as log_proof

_HOLDER = "Sample Holder"
_DOMAINS = (
    *(("Input governance", 3), ("Output validation", 2), ("Data protection", 3)),
    *(("Observability", 2), ("Deployment safety", 3), ("Human oversight", 3)),
    *(("Security", 2), ("Vendor resilience", 2)),
)


@dataclass(frozen=True, slots=True)
class _Made:
    document: dict[str, Any]
    jwt: str
    index: int
    logged: dict[str, Any] | None
    row: Credential


def write(folder: Path, *, at: datetime) -> list[str]:
    """Write every sample into `folder`; the file names, in order."""
    keyring = (keys.new_key("ed25519", at=at), keys.new_key("rsa", at=at))
    log_key = keys.new_log_key(at=at)
    with tempfile.TemporaryDirectory() as log_folder:
        log = store.Log(
            Path(log_folder),
            log_proof.origin(identity.issuer().id),
            cast(Ed25519PrivateKey, log_key.private),
        )
        valid, proof = _logged(log, keyring, at=at)
        log.close()
    signer = Signer(
        site_url=identity.issuer().url, issuer=identity.issuer(), keyring=keyring, now=lambda: at
    )
    revoked = _issue(signer, at=at - timedelta(days=10))
    expired = _issue(signer, at=at - timedelta(days=900))
    status_list = _ask(
        signer,
        {
            "do": "status-list",
            "document": statuslist.credential(
                address=identity.address("credentials:status-list", 1),
                issuer=identity.issuer().id,
                revoked=[revoked.index],
                valid_from=at,
                valid_until=at + revoking.VALID_FOR,
            ),
        },
    )["document"]
    record = _ask(
        signer,
        {
            "do": "transcript",
            "document": transcript.document(
                identity.issuer(),
                transcript.Record(
                    id=uuid.uuid4().urn,
                    subject=uuid.uuid4().urn,
                    credentials=(valid.document, expired.document),
                    valid_from=at,
                    valid_until=at + transcript.VALID_FOR,
                ),
            ),
        },
    )["document"]
    text = json.dumps(valid.document, ensure_ascii=False)
    title = str(valid.document["name"])
    files: dict[str, Callable[[], bytes]] = {
        "valid.json": lambda: _json(valid.document),
        "valid.tlog-proof": lambda: proof.encode(),
        "valid.jwt": lambda: valid.jwt.encode(),
        "valid.png": lambda: baking.into_png(seal.png(), text),
        "valid.svg": lambda: baking.into_svg(seal.svg(title), text).encode(),
        "valid.pdf": lambda: certificate.sheet(valid.row, None, at=at),
        "revoked.json": lambda: _json(revoked.document),
        "expired.json": lambda: _json(expired.document),
        "transcript.json": lambda: _json(record),
        "did.json": lambda: _json(keys.did_document(identity.issuer().id, keyring, log_key)),
        "status-list.json": lambda: _json(status_list),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content())
    return list(files)


def _logged(
    log: store.Log, keyring: tuple[keys.SigningKey, ...], *, at: datetime
) -> tuple[_Made, str]:
    """A credential entered into `log` on the day of its award, and the proof of that."""
    awarded = at - timedelta(days=10)
    made = _issue(
        Signer(
            site_url=identity.issuer().url,
            issuer=identity.issuer(),
            keyring=keyring,
            public_log=log,
            now=lambda: awarded,
        ),
        at=awarded,
    )
    assert made.logged is not None  # noqa: S101 - this signer has a log
    proof = log_proof.made(
        log.store.log(log.size),
        note.parsed(log.store.checkpoint()),
        entry=log.entry(made.logged["index"]).data,
        nonce=note.from_b64(made.logged["nonce"]),
        index=made.logged["index"],
    )
    return made, str(proof)


def _issue(signer: Signer, *, at: datetime) -> _Made:
    definition = achievements.definitions()["agent-foundations"]
    version = AchievementVersion(
        slug=definition.slug,
        version=definition.version,
        content=achievements.content(definition),
        created_at=at,
    )
    correct, items = sum(right for _, right in _DOMAINS), 3 * len(_DOMAINS)
    credential = Credential(
        id=uuid.uuid4(),
        achievement=version,
        source_id=str(uuid.uuid4()),
        code=shortcode.new(secrets.randbelow),
        evidence={
            "exam": "foundations",
            "form": "sample",
            "items": items,
            "minutes_allowed": 30,
            "score_percent": 100 * correct // items,
            "cut_percent": 70,
            "domains": [{"name": name, "correct": right, "of": 3} for name, right in _DOMAINS],
            "taken": at.date().isoformat(),
            "released": at.date().isoformat(),
            "grader_sha256": "0" * 64,
        },
        score_percent=100 * correct // items,
        cut_percent=70,
        awarded_at=at,
        valid_from=at,
        valid_until=awarding.months_after(at, definition.valid_months),
        status_list=StatusList(number=1),
        status_index=secrets.randbelow(statuslist.SIZE),
    )
    answer = _ask(
        signer,
        {
            "do": "issue",
            "source_id": credential.source_id,
            "document": awarding.unsigned_document(credential, holder_name=_HOLDER),
        },
    )
    credential.document, credential.jwt = answer["document"], answer["jwt"]
    return _Made(
        answer["document"], answer["jwt"], credential.status_index, answer["logged"], credential
    )


def _ask(signer: Signer, request: dict[str, Any]) -> dict[str, Any]:
    answer = signer.answer(request)
    if "refused" in answer:
        raise RuntimeError(answer["message"])
    return answer


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
