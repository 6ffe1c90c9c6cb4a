"""A person's whole record: a Comprehensive Learner Record 2.0 that holds signed credentials.

Nothing in it is written by hand. The credentials are put in as they were signed, each with its own
proof; the competencies are those that their achievements name, and an association ties each to its
achievement. So whoever knows the credentials can write the record again and see that it is right,
which is how the signer checks it.

The record has no bit in a revocation list. Its credentials do, and it lapses after `VALID_FOR`.

Source: 1EdTech Comprehensive Learner Record 2.0, `ClrCredential`, `ClrSubject` and `Association`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from credentials.openbadges import contexts
from credentials.openbadges import document as credential_document
from credentials.openbadges.dates import BadDate, read, written
from credentials.openbadges.document import BadStructure, Claims, Issuer

TYPE = "ClrCredential"
SCHEMA = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json"
# A record says what a person held on one day; after this long a new one has to be made.
VALID_FOR = timedelta(days=90)
MOST_CREDENTIALS = 50

_NOT_ALONE = (
    "Shown here because achievements in this record name it. It was assessed as a part of them, "
    "by their criteria, and not on its own."
)


@dataclass(frozen=True, slots=True)
class Record:
    """What makes a record. `subject` is a random `urn:uuid`; `credentials` are signed documents."""

    id: str
    subject: str
    credentials: tuple[Mapping[str, Any], ...]
    valid_from: datetime
    valid_until: datetime


def is_one(document: object) -> bool:
    """Whether a document calls itself a learner record."""
    types = document.get("type") if isinstance(document, Mapping) else None
    return isinstance(types, list) and TYPE in types


def document(issuer: Issuer, record: Record) -> dict[str, Any]:
    """The record without its proof; the credentials in it are ordered by the day of the award."""
    held = sorted(record.credentials, key=lambda one: (one["awardedDate"], one["id"]))
    subject: dict[str, Any] = {
        "id": record.subject,
        "type": ["ClrSubject"],
        "verifiableCredential": [dict(one) for one in held],
    }
    named = list(_competencies(issuer, held))
    if named:
        by_address = {row["targetUrl"]: row for _, row in reversed(named)}
        pairs = dict.fromkeys((source, row["targetUrl"]) for source, row in named)
        subject["achievement"] = [
            _competency(by_address[address]) for address in sorted(by_address)
        ]
        subject["association"] = [
            {
                "type": "Association",
                "associationType": "isParentOf",
                "sourceId": source,
                "targetId": target,
            }
            for source, target in pairs
        ]
    return {
        "@context": list(contexts.TRANSCRIPT_CONTEXTS),
        "id": record.id,
        "type": ["VerifiableCredential", TYPE],
        "name": "Learner record",
        "issuer": credential_document.issuer_profile(issuer),
        "validFrom": written(record.valid_from),
        "validUntil": written(record.valid_until),
        "credentialSubject": subject,
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def _competencies(
    issuer: Issuer, held: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each competency of the issuer's own framework, with the achievement that names it."""
    for one in held:
        achievement = one["credentialSubject"]["achievement"]
        for row in achievement.get("alignment", ()):
            ours = row["targetUrl"].startswith(f"{issuer.url}/")
            if ours and row["targetType"] == credential_document.COMPETENCY:
                yield achievement["id"], row


def _competency(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["targetUrl"],
        "type": ["Achievement"],
        "achievementType": "Competency",
        "name": row["targetName"],
        "description": f"{row['targetFramework']}: {row['targetCode']}",
        "criteria": {"narrative": _NOT_ALONE},
        "humanCode": row["targetCode"],
    }


@dataclass(frozen=True, slots=True)
class RecordClaims:
    """What a record says, read out of a document whose structure was checked; `held` is what each
    of its credentials says, and `credentials` are these themselves."""

    id: str
    issuer: str
    valid_from: datetime
    valid_until: datetime
    credentials: tuple[Mapping[str, Any], ...]
    held: tuple[Claims, ...]


def claims(document_: Mapping[str, Any]) -> RecordClaims:
    """Read a record and hold it against the structure `document` gives it, word by word.

    The signatures inside are the caller's question. Raises `BadStructure` or `BadName`.
    """
    try:
        profile, subject = document_["issuer"], document_["credentialSubject"]
        credentials = subject["verifiableCredential"]
        if not isinstance(credentials, list) or not 1 <= len(credentials) <= MOST_CREDENTIALS:
            raise BadStructure(reason="it holds no credentials, or too many")
        held = tuple(credential_document.claims(one) for one in credentials)
        record = Record(
            id=document_["id"],
            subject=subject["id"],
            credentials=tuple(credentials),
            valid_from=read(document_["validFrom"]),
            valid_until=read(document_["validUntil"]),
        )
        issuer = Issuer(
            id=profile["id"],
            name=profile["name"],
            url=profile["url"],
            image=profile["image"]["id"],
            email=profile.get("email", ""),
        )
        again = document(issuer, record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadStructure(reason="a part of it is missing or has the wrong form") from error
    except BadDate as error:
        raise BadStructure(reason=error.message.rstrip(".")) from error
    credential_document.refuse_other_form(document_, again)
    if len({one.id for one in held}) != len(held):
        raise BadStructure(reason="it holds a credential twice")
    return RecordClaims(
        record.id, issuer.id, record.valid_from, record.valid_until, record.credentials, held
    )
