"""Checking a whole list of applicants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, limiter, listcheck, revoking
from credentials.listcheck import Line
from credentials.models import Credential, Revocation

UNKNOWN = "7K3M-Q9TX-4B2H-8VDT"
MISTYPED = "7K3M-Q9TX-4B2H-8VDA"


@pytest.mark.parametrize(
    "text",
    [
        f"{UNKNOWN}\n",
        f"\ufeff{UNKNOWN}",
        f"code\n{UNKNOWN}\n\n",
        f'"{UNKNOWN}"',
    ],
)
def test_a_list_of_codes_is_read_in_any_dress(text: str) -> None:
    assert listcheck.read_lines(text) == [Line(UNKNOWN, "")]


@pytest.mark.parametrize(
    "text",
    [
        f"{UNKNOWN},Ada Byron",
        f"Ada Byron;{UNKNOWN}",
        f"name\tcode\nAda Byron\t{UNKNOWN}",
        f'"Ada Byron", "{UNKNOWN}"',
    ],
)
def test_a_name_may_stand_on_either_side_of_its_code(text: str) -> None:
    assert listcheck.read_lines(text) == [Line(UNKNOWN, "Ada Byron")]


def test_a_list_that_is_too_long_is_refused_whole() -> None:
    with pytest.raises(listcheck.TooManyLines, match="201"):
        listcheck.read_lines(f"{UNKNOWN}\n" * 201)


def verdicts(lines: list[Line]) -> list[tuple[str, str]]:
    return [(row.answer, row.word) for row in listcheck.check(lines, at=clock.now())]


@pytest.mark.django_db
def test_each_line_gets_the_verdict_it_would_get_alone(
    issued: Credential, released_pass: Callable[..., Any], learner: Any, officer: Any
) -> None:
    long_ago = clock.now().replace(microsecond=0) - timedelta(days=900)
    old = awarding.award(released_pass(learner, at=long_ago))
    taken = awarding.award(released_pass(learner))
    queue.run_pending()
    revoking.revoke(taken, reason=Revocation.Reason.IDENTITY, note="x", by=officer, at=clock.now())

    assert verdicts(
        [
            Line(issued.code, ""),
            Line(issued.grouped_code, "  LENA learner "),
            Line(issued.code, "Somebody Else"),
            Line(old.code, ""),
            Line(taken.code, ""),
            Line(UNKNOWN, "Ada Byron"),
            Line(MISTYPED, ""),
        ]
    ) == [
        ("rely", "In force"),
        ("rely", "In force"),
        ("ask", "Name differs"),
        ("ask", "Expired"),
        ("refuse", "Revoked"),
        ("refuse", "Not found"),
        ("refuse", "Code mistyped"),
    ]


@pytest.mark.django_db
def test_a_credential_without_a_name_asks_for_proof_when_one_was_given(
    issued: Credential, learner: Any
) -> None:
    awarding.show_name(issued, shown=False, by=learner, at=clock.now())
    queue.run_pending()

    assert verdicts([Line(issued.code, learner.name)]) == [("ask", "No name on it")]


@pytest.mark.django_db
def test_the_page_counts_what_to_rely_on(client: Client, issued: Credential) -> None:
    lines = f"{issued.code},Lena Learner\n{UNKNOWN},Ada Byron\n"

    pasted = client.post("/verify/list/", {"lines": lines}).content.decode()
    sent = client.post(
        "/verify/list/", {"file": SimpleUploadedFile("list.csv", lines.encode("utf-8-sig"))}
    ).content.decode()

    for text in (pasted, sent):
        assert "2 applicants checked" in text
        assert "One is in force as stated." in text
        assert "One should not be relied on." in text
        assert issued.get_absolute_url() in text


@pytest.mark.django_db
def test_an_empty_list_is_answered_with_a_sentence(client: Client) -> None:
    assert "Type at least one code" in client.post("/verify/list/", {}).content.decode()


@pytest.mark.django_db
def test_lists_are_limited_by_network(client: Client, running_signer: Any) -> None:
    for _ in range(limiter.LISTS_PER_MINUTE):
        assert client.post("/verify/list/", {"lines": UNKNOWN}).status_code == 200

    assert client.post("/verify/list/", {"lines": UNKNOWN}).status_code == 429
