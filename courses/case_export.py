"""The framework in two machine-readable forms: as it is, and as IMS CASE 1.0 CFPackage.

Source: IMS Global, Competencies and Academic Standards Exchange (CASE) 1.0, 2017.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from courses.authoring.forms import Framework
from courses.authoring.lessons import plain

Json = Any

CASE_VERSION = "1.0"
# The format wants a time of last change; the version of the framework is what really changes.
CHANGED_AT = "2026-11-20T00:00:00+00:00"


def framework_document(framework: Framework, *, address: Callable[[str], str]) -> dict[str, Json]:
    """The framework as JSON; each competency carries its stable address."""
    data: dict[str, Json] = plain(asdict(framework))
    for row in data["competencies"]:
        row["url"] = address(row["id"])
    return data


def case_package(framework: Framework, *, site_url: str, creator: str) -> dict[str, Json]:
    """The framework as a CFPackage: one document, an item per domain and per competency.

    Identifiers are UUIDs made from the address of each thing, so they are the same on every day.
    """
    document_id = _identifier(site_url, "framework")
    document_uri = f"{site_url}/framework/case.json"
    link = {"identifier": document_id, "uri": document_uri, "title": framework.title}
    items = list(_items(framework, site_url, link))
    return {
        "CFDocument": {
            "identifier": document_id,
            "uri": document_uri,
            "creator": creator,
            "title": framework.title,
            "description": framework.summary,
            "lastChangeDateTime": CHANGED_AT,
            "version": framework.version,
            "adoptionStatus": "Adopted",
            "language": "en",
            "officialSourceURL": f"{site_url}/framework/",
        },
        "CFItems": items,
        "CFAssociations": list(_associations(framework, site_url, link)),
    }


def _identifier(site_url: str, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{site_url}/framework/{name}"))


def _items(framework: Framework, site_url: str, link: dict[str, str]) -> Iterator[dict[str, Json]]:
    for domain in framework.domains:
        yield _item(site_url, link, domain.id, domain.name, domain.summary, "Domain")
    for row in framework.competencies:
        notes = "\n".join(
            f"{level.capitalize()}: {text}" for level, text in asdict(row.levels).items()
        )
        yield _item(site_url, link, row.id, row.statement, notes, "Competency")


def _item(
    site_url: str, link: dict[str, str], code: str, statement: str, notes: str, kind: str
) -> dict[str, Json]:
    anchor = f"#{code}" if kind == "Domain" else f"{code}/"
    return {
        "identifier": _identifier(site_url, code),
        "uri": f"{site_url}/framework/{anchor}",
        "CFDocumentURI": link,
        "fullStatement": statement,
        "humanCodingScheme": code,
        "CFItemType": kind,
        "notes": notes,
        "language": "en",
        "lastChangeDateTime": CHANGED_AT,
    }


def _associations(
    framework: Framework, site_url: str, link: dict[str, str]
) -> Iterator[dict[str, Json]]:
    for number, domain in enumerate(framework.domains, start=1):
        yield _child(site_url, link, domain.id, domain.name, link, number)
    for number, row in enumerate(framework.competencies, start=1):
        parent = {
            "identifier": _identifier(site_url, row.domain),
            "uri": f"{site_url}/framework/#{row.domain}",
            "title": next(d.name for d in framework.domains if d.id == row.domain),
        }
        yield _child(site_url, link, row.id, row.statement, parent, number)


def _child(
    site_url: str,
    link: dict[str, str],
    code: str,
    title: str,
    parent: dict[str, str],
    number: int,
) -> dict[str, Json]:
    identifier = _identifier(site_url, f"{code}/in/{parent['identifier']}")
    return {
        "identifier": identifier,
        "uri": f"{site_url}/framework/case.json#{identifier}",
        "CFDocumentURI": link,
        "associationType": "isChildOf",
        "sequenceNumber": number,
        "originNodeURI": {
            "identifier": _identifier(site_url, code),
            "uri": f"{site_url}/framework/{code}/",
            "title": title,
        },
        "destinationNodeURI": parent,
        "lastChangeDateTime": CHANGED_AT,
    }
