"""Building an Open Badges 3.0 credential, and the rules its structure must keep.

Each rule breaks some verifier, wallet or validator when it is ignored: `proof`, `evidence`,
`credentialSchema`, `alignment` and every inner `type` are arrays; `credentialStatus` is one object;
there are no empty arrays; `name` is the achievement's and never the person's, because wallets show
it as the title; `awardedDate` is always there, because `validFrom` may change on a new issue.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts
from credentials.openbadges.dates import BadDate, read, written

SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)
# The list and our use of it: one entry per credential, because the official schema takes no array.
STATUS_TYPE = "BitstringStatusListEntry"


class BadName(DomainError):
    code = "bad-name"
    sentence = (
        "The name is empty or holds control characters, which other programs read differently. "
        "Write it without them."
    )


class BadStructure(DomainError):
    code = "bad-structure"
    sentence = "The document is not a credential as we issue them: {reason}."


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs. `id` is a DID; `image` the address of a PNG; `email` may be empty."""

    id: str
    name: str
    url: str
    image: str
    email: str = ""


# The second is for occupations in which such work is done: no claim that anybody is fit for them.
COMPETENCY, OCCUPATION = "ceasn:Competency", "ext:Occupation"


@dataclass(frozen=True, slots=True)
class Alignment:
    """A competency the achievement proves, in a public framework; or a related occupation, with a
    `description` of how it is related."""

    name: str
    url: str
    framework: str
    code: str
    kind: str = COMPETENCY
    description: str = ""


@dataclass(frozen=True, slots=True)
class Achievement:
    """What can be earned. `id` is its address, which ends in the version."""

    id: str
    version: str
    name: str
    description: str
    criteria: str
    image: str
    human_code: str
    tags: tuple[str, ...]
    alignments: tuple[Alignment, ...]

    @property
    def criteria_id(self) -> str:
        return f"{self.id}/criteria"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record of the exam. `digest` is the multibase SHA-256 of the bytes at `id`."""

    id: str
    name: str
    narrative: str
    digest: str


@dataclass(frozen=True, slots=True)
class Award:
    """One person's pass. Scores in whole percent; `holder_name` is None without consent.

    `subject` is a random `urn:uuid`, so that two credentials of one person cannot be joined.
    `status_list` is the address of the list and `status_index` the bit in it.
    """

    id: str
    subject: str
    holder_name: str | None
    score_percent: int
    required_percent: int
    awarded: datetime
    valid_from: datetime
    valid_until: datetime
    evidence: Evidence
    status_list: str
    status_index: int


def plain_name(name: str) -> str:
    """The name in Unicode NFC with single spaces. Raises `BadName` for control characters."""
    text = " ".join(unicodedata.normalize("NFC", name).split(" ")).strip()
    if not text or any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text
    ):
        raise BadName()
    return text


def result_description_id(achievement_id: str, required_percent: int) -> str:
    """The same for every credential of one achievement and cut score."""
    name = f"{achievement_id}#exam-score-{required_percent}"
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def credential(issuer: Issuer, achievement: Achievement, award: Award) -> dict[str, Any]:
    """The credential without its proof."""
    score = result_description_id(achievement.id, award.required_percent)
    subject: dict[str, Any] = {"id": award.subject, "type": ["AchievementSubject"]}
    if award.holder_name is not None:
        subject["identifier"] = [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": plain_name(award.holder_name),
                "identityType": "name",
            }
        ]
    subject["achievement"] = {
        **achievement_profile(achievement),
        "resultDescription": [
            {
                "id": score,
                "type": ["ResultDescription"],
                "name": "Exam score",
                "resultType": "Percent",
                "valueMin": "0",
                "valueMax": "100",
                "requiredValue": str(award.required_percent),
            }
        ],
    }
    subject["result"] = [
        {"type": ["Result"], "resultDescription": score, "value": str(award.score_percent)}
    ]
    return {
        "@context": list(contexts.CREDENTIAL_CONTEXTS),
        "id": award.id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement.name,
        "issuer": issuer_profile(issuer),
        "validFrom": written(award.valid_from),
        "validUntil": written(award.valid_until),
        "awardedDate": written(award.awarded),
        "credentialSubject": subject,
        "evidence": [
            {
                "id": award.evidence.id,
                "type": ["Evidence"],
                "name": award.evidence.name,
                "narrative": award.evidence.narrative,
                "genre": "ExamRecord",
                "digestMultibase": award.evidence.digest,
            }
        ],
        "credentialStatus": {
            "id": f"{award.status_list}#{award.status_index}",
            "type": STATUS_TYPE,
            "statusPurpose": "revocation",
            "statusListIndex": str(award.status_index),
            "statusListCredential": award.status_list,
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def achievement_profile(achievement: Achievement) -> dict[str, Any]:
    """The achievement as an Open Badges object, without the result that one exam asks for."""
    return {
        "id": achievement.id,
        "type": ["Achievement"],
        "achievementType": "Certification",
        "version": achievement.version,
        "name": achievement.name,
        "description": achievement.description,
        "criteria": {"id": achievement.criteria_id, "narrative": achievement.criteria},
        "image": {"id": achievement.image, "type": "Image"},
        "humanCode": achievement.human_code,
        **_unless_empty("tag", list(achievement.tags)),
        **_unless_empty(
            "alignment",
            [
                {
                    "type": ["Alignment"],
                    "targetName": alignment.name,
                    "targetUrl": alignment.url,
                    **_unless_empty("targetDescription", alignment.description),
                    "targetFramework": alignment.framework,
                    "targetType": alignment.kind,
                    "targetCode": alignment.code,
                }
                for alignment in achievement.alignments
            ],
        ),
    }


def issuer_profile(issuer: Issuer) -> dict[str, Any]:
    """The issuer as an Open Badges profile."""
    return {
        "id": issuer.id,
        "type": ["Profile"],
        "name": issuer.name,
        "url": issuer.url,
        **_unless_empty("email", issuer.email),
        "image": {"id": issuer.image, "type": "Image"},
    }


def _unless_empty(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a credential says, read out of a document whose structure was checked."""

    id: str
    issuer: str
    achievement: str
    achievement_name: str
    achievement_version: str
    holder_name: str | None
    score_percent: int
    required_percent: int
    awarded: datetime
    valid_from: datetime
    valid_until: datetime
    evidence: str
    status_list: str
    status_index: int


def claims(document: Mapping[str, Any]) -> Claims:
    """Read a credential and hold it against the structure `credential` gives it.

    The reading is complete: whatever is in the document beside what `credential` writes makes it
    refused, so a signer that checks the claims has checked every word that is a matter of fact.
    Raises `BadStructure`, `BadName` or `BadDate`.
    """
    try:
        subject = document["credentialSubject"]
        achievement = subject["achievement"]
        status = document["credentialStatus"]
        people = subject.get("identifier")
        (evidence,) = document["evidence"]
        (result,) = subject["result"]
        (scale,) = achievement["resultDescription"]
        found = Claims(
            id=document["id"],
            issuer=document["issuer"]["id"],
            achievement=achievement["id"],
            achievement_name=achievement["name"],
            achievement_version=achievement["version"],
            holder_name=people[0]["identityHash"] if people else None,
            score_percent=_whole(result["value"]),
            required_percent=_whole(scale["requiredValue"]),
            awarded=read(document["awardedDate"]),
            valid_from=read(document["validFrom"]),
            valid_until=read(document["validUntil"]),
            evidence=evidence["id"],
            status_list=status["statusListCredential"],
            status_index=_whole(status["statusListIndex"]),
        )
        again = credential(
            Issuer(
                id=found.issuer,
                name=document["issuer"]["name"],
                url=document["issuer"]["url"],
                image=document["issuer"]["image"]["id"],
                email=document["issuer"].get("email", ""),
            ),
            Achievement(
                id=found.achievement,
                version=found.achievement_version,
                name=found.achievement_name,
                description=achievement["description"],
                criteria=achievement["criteria"]["narrative"],
                image=achievement["image"]["id"],
                human_code=achievement["humanCode"],
                tags=tuple(achievement.get("tag", ())),
                alignments=tuple(
                    Alignment(
                        row["targetName"],
                        row["targetUrl"],
                        row["targetFramework"],
                        row["targetCode"],
                        _known_kind(row["targetType"]),
                        row.get("targetDescription", ""),
                    )
                    for row in achievement.get("alignment", ())
                ),
            ),
            Award(
                id=found.id,
                subject=subject["id"],
                holder_name=found.holder_name,
                score_percent=found.score_percent,
                required_percent=found.required_percent,
                awarded=found.awarded,
                valid_from=found.valid_from,
                valid_until=found.valid_until,
                evidence=Evidence(
                    evidence["id"],
                    evidence["name"],
                    evidence["narrative"],
                    evidence["digestMultibase"],
                ),
                status_list=found.status_list,
                status_index=found.status_index,
            ),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadStructure(reason="a part of it is missing or has the wrong form") from error
    except BadDate as error:
        raise BadStructure(reason=error.message.rstrip(".")) from error
    refuse_other_form(document, again)
    return found


def refuse_other_form(document: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """Raises `BadStructure` unless `document`, its proof aside, is `again` to the last word."""
    plain = {name: value for name, value in document.items() if name != "proof"}
    for name in sorted({*plain, *again}):
        if name not in plain or name not in again or not _same(plain[name], again[name]):
            raise BadStructure(reason=f"its “{name}” differs from the form we issue")


def _same(one: Any, other: Any) -> bool:
    # Types are compared too: for Python, 0 and False are equal.
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _known_kind(kind: object) -> str:
    if kind not in (COMPETENCY, OCCUPATION):
        raise ValueError(kind)
    return str(kind)


def _whole(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 7:
        raise ValueError(text)
    return int(text)
