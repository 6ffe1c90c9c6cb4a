"""Occupations beside the competencies: named as related, in the credential and on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pydantic import ValidationError

from checkride.lib import clock
from credentials import achievements
from credentials.models import AchievementVersion
from credentials.openbadges import document, proof, rdf

OPERATOR = "certified-agent-operator"


@pytest.fixture
def operator_version(db: None) -> AchievementVersion:
    return achievements.current(OPERATOR)


def test_the_credential_names_them_and_claims_no_more(operator_version: AchievementVersion) -> None:
    rows = document.achievement_profile(achievements.badge(operator_version))["alignment"]

    occupations = [row for row in rows if row["targetType"] == document.OCCUPATION]
    assert [(row["targetCode"], row["targetName"]) for row in occupations] == [
        ("15-1211.00", "Computer Systems Analysts"),
        ("13-1111.00", "Management Analysts"),
    ]
    assert all("qualifies nobody" in row["targetDescription"] for row in occupations)
    assert len(rows) - len(occupations) == len(operator_version.content["proves"])


def test_such_a_credential_is_signed_whole_and_read_again(house: Any) -> None:
    plain = house.plain()
    occupation = {
        "type": ["Alignment"],
        "targetName": "Management Analysts",
        "targetUrl": "https://www.onetonline.org/link/summary/13-1111.00",
        "targetDescription": "A related occupation.",
        "targetFramework": "O*NET-SOC 2019",
        "targetType": "ext:Occupation",
        "targetCode": "13-1111.00",
    }
    plain["credentialSubject"]["achievement"]["alignment"].append(occupation)

    signed = house.sign(plain)

    assert document.claims(signed).id == plain["id"]
    proof.verify(signed, house.ed25519.private.public_key().public_bytes_raw())
    statements = rdf.canonical_nquads(plain).decode()
    assert '"ext:Occupation"' in statements
    assert '"A related occupation."' in statements
    occupation["targetType"] = "ext:Anything"
    with pytest.raises(document.BadStructure):
        document.claims(plain)


@pytest.mark.django_db
def test_the_page_says_that_they_are_related(
    client: Client, operator_version: AchievementVersion
) -> None:
    shown = client.get(
        operator_version.get_absolute_url(), headers={"Accept": "text/html"}
    ).content.decode()

    assert "Related occupations" in shown
    assert "qualifies nobody for them" in shown
    assert "https://www.onetonline.org/link/summary/15-1211.00" in shown
    assert "What it proves, at practitioner level" in shown


def test_a_code_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        achievements.Occupation(onet="15-1211", title="Computer Systems Analysts")


@pytest.mark.django_db
def test_an_older_version_without_them_stays_as_it_was() -> None:
    definition = achievements.definitions()[OPERATOR]
    old = achievements.content(definition.model_copy(update={"related": None, "version": 1}))
    row = AchievementVersion(slug=OPERATOR, version=1, content=old, created_at=clock.now())

    said = achievements.badge(row)

    assert "related" not in old
    assert {one.kind for one in said.alignments} == {document.COMPETENCY}
    assert replace(said, alignments=()).version == "1"
