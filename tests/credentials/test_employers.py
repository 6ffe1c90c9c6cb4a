"""What employers' software is answered, and how watchers hear that a credential changed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from standardwebhooks import Webhook, WebhookVerificationError

from checkride.jobs import queue
from checkride.lib import clock, outbound
from credentials import apikeys, limiter, own_data, revoking, watching
from credentials.models import ApiKey, Revocation, Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def employer(make_person: Callable[..., Any]) -> Any:
    return make_person("erik_employer")


@pytest.fixture
def program(employer: Any) -> Client:
    """The employer's software, which knows its key."""
    _key, text = apikeys.make(employer, label="hiring", at=clock.now())
    return Client(headers={"authorization": f"Bearer {text}"}, raise_request_exception=False)


def post(program: Client, path: str, body: Any) -> Any:
    return program.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def revoke(credential: Any, officer: Any) -> None:
    revoking.revoke(
        credential, reason=Revocation.Reason.IRREGULARITY, note="", by=officer, at=clock.now()
    )


# The API ------------------------------------------------------------------------------------------


def test_a_program_gets_the_verdict_that_the_page_shows(program: Client, issued: Any) -> None:
    answer = program.get(f"/api/v1/credentials/{issued.grouped_code}").json()
    assert (answer["answer"], answer["standing"]) == ("rely", "in-force")
    assert {check["name"]: check["state"] for check in answer["checks"]} == {
        "signature": "holds",
        "issuer": "holds",
        "status": "holds",
        "dates": "holds",
    }
    assert answer["score_percent"] == 83
    assert answer["address"].endswith(f"/credentials/{issued.pk}")


def test_a_program_checks_a_list(
    program: Client, issued: Any, officer: Any, released_pass: Any
) -> None:
    revoke(issued, officer)
    lines = [{"code": issued.code}, {"code": "0000-0000-0000-0000"}, {"code": "no code"}]
    rows = post(program, "checks", {"lines": lines}).json()["rows"]
    assert [row["standing"] for row in rows] == ["revoked", "unknown", "mistyped"]
    assert {row["answer"] for row in rows} == {"refuse"}
    assert rows[0]["holder"] is None


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer nothing", "Basic ck_x", "Bearer ck_\x00"])
def test_without_a_key_nothing_is_told(issued: Any, sent: str) -> None:
    answer = Client(headers={"authorization": sent} if sent else {}).get(
        f"/api/v1/credentials/{issued.code}"
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "no-key"
    assert "/employers/keys/" in answer.json()["message"]


def test_an_ended_key_is_refused_at_once(program: Client, employer: Any) -> None:
    assert program.get("/api/v1/watches").status_code == 200
    apikeys.end(ApiKey.objects.get(), by=employer, at=clock.now())
    assert program.get("/api/v1/watches").status_code == 401


def test_a_key_is_kept_only_as_its_digest(employer: Any) -> None:
    _key, text = apikeys.make(employer, label="hiring", at=clock.now())
    row = ApiKey.objects.values().get()
    assert all(text not in str(value) for value in row.values())


def test_too_many_checks_in_a_minute_wait(
    program: Client, issued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "CHECKS_PER_KEY_AND_MINUTE", 2)
    lines = [{"code": issued.code}] * 3
    answer = post(program, "checks", {"lines": lines})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "60"
    assert "Nothing was checked" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 422),
        ('{"lines": []}', 422),
        (json.dumps({"lines": [{"code": "x" * 401}]}), 422),
        (json.dumps({"lines": [{"code": "x"}] * 201}), 422),
        ("[" * 100_000, 400),
        ('{"lines": [{"code": "\\u0000"}]}', 200),
    ],
)
def test_what_a_program_sends_wrong_is_said_in_a_sentence(
    program: Client, body: str, status: int
) -> None:
    answer = program.post("/api/v1/checks", body, content_type="application/json")
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"code", "message"}


def test_more_keys_than_the_limit_are_refused(employer: Any, client: Client) -> None:
    for number in range(apikeys.MOST_KEYS):
        apikeys.make(employer, label=str(number), at=clock.now())
    with pytest.raises(apikeys.TooManyKeys, match="nothing was made"):
        apikeys.make(employer, label="one more", at=clock.now())


def test_a_new_key_is_shown_once(employer: Any, client: Client) -> None:
    client.force_login(employer)
    client.post("/accounts/reauthenticate/", {"password": "a long passphrase"})
    page = client.post("/employers/keys/", {"label": "hiring"}).content.decode()
    text = page.partition("ck_")[2].partition("<")[0]
    assert len(text) > 40
    again = client.get("/employers/keys/").content.decode()
    assert text not in again
    assert "hiring" in again


# Lists and files ----------------------------------------------------------------------------------


def test_verdicts_come_back_as_a_file_that_runs_nothing(client: Client, issued: Any) -> None:
    lines = f"{issued.code},=cmd|'/C calc'!A0\n0000-0000-0000-0000,Somebody"
    answer = client.post("/verify/list/", {"lines": lines, "as": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["standing"] for row in rows] == ["in-force", "unknown"]
    assert rows[0]["name"] == "'=cmd|'/C calc'!A0"
    assert rows[0]["answer"] == "ask"  # the name is another


def test_verdicts_come_back_as_json(client: Client, issued: Any) -> None:
    answer = client.post("/verify/list/", {"lines": issued.code, "as": "json"})
    assert "attachment" in answer["Content-Disposition"]
    assert answer.json()[0]["standing"] == "in-force"


def test_a_folder_of_files_is_checked_file_by_file(client: Client, issued: Any) -> None:
    good = json.dumps(issued.document)
    changed = good.replace('"83"', '"99"')
    files = [("ana.json", good), ("ben.json", changed), ("photo.jpg", "no credential")]
    sent = [SimpleUploadedFile(name, text.encode()) for name, text in files]
    answer = client.post("/verify/list/", {"credentials": sent, "as": "json"})
    assert [(row["given"], row["standing"]) for row in answer.json()] == [
        ("ana.json", "in-force"),
        ("ben.json", "not-genuine"),
        ("photo.jpg", "unreadable"),
    ]


def test_too_many_files_are_refused_whole(client: Client) -> None:
    sent = [SimpleUploadedFile(f"{n}.json", b"{}") for n in range(51)]
    page = client.post("/verify/list/", {"credentials": sent}).content.decode()
    assert "51 files; 50 can be checked" in page


# Watching -----------------------------------------------------------------------------------------


def test_a_watcher_gets_one_mail_for_each_change(issued: Any, employer: Any, officer: Any) -> None:
    watching.begin(employer, issued, at=clock.now())
    assert watching.sweep(at=clock.now()) == 0
    revoke(issued, officer)
    assert watching.sweep(at=clock.now()) == 1
    assert watching.sweep(at=clock.now()) == 0
    mail.outbox.clear()
    queue.run_pending()
    told = [one for one in mail.outbox if one.to == [employer.email]]
    assert len(told) == 1
    assert "was in force. It is now revoked" in told[0].body
    assert f"/credentials/{issued.pk}" in told[0].body


def test_the_database_and_the_model_agree_on_how_a_credential_stands(
    issued: Any, employer: Any, officer: Any
) -> None:
    watching.begin(employer, issued, at=clock.now())
    late = issued.valid_until + timedelta(seconds=1)
    assert watching.changed(at=late).get().current == "expired"
    assert watching.standing_of(issued, at=late) == "expired"
    revoke(issued, officer)
    assert watching.changed(at=late).get().current == "revoked"
    assert watching.standing_of(issued, at=late) == "revoked"
    own_data.erase(issued.user, clock.now())
    issued.refresh_from_db()
    assert watching.changed(at=late).get().current == "gone"
    assert watching.standing_of(issued, at=late) == "gone"


def test_a_message_to_a_program_verifies_with_an_outside_library(
    program: Client, issued: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = post(program, "watches", {"code": issued.code, "hook": "https://hr.example/hook"})
    assert made.status_code == 201
    revoke(issued, officer)
    watching.sweep(at=clock.now())
    sent: list[tuple[str, bytes, dict[str, str]]] = []

    def take(url: str, body: bytes, headers: dict[str, str]) -> int:
        sent.append((url, body, headers))
        return 204

    monkeypatch.setattr(outbound, "post", take)
    queue.run_pending()
    [(url, body, headers)] = sent
    assert url == "https://hr.example/hook"
    message = Webhook(made.json()["secret"]).verify(body, headers)
    assert message["data"]["standing"] == "revoked"
    with pytest.raises(WebhookVerificationError):
        Webhook(made.json()["secret"]).verify(body.replace(b"revoked", b"expired"), headers)


def test_a_message_that_is_not_taken_is_sent_again_under_the_same_number(
    employer: Any, issued: Any, officer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching.begin(employer, issued, hook="https://hr.example/hook", at=clock.now())
    revoke(issued, officer)
    watching.sweep(at=clock.now())
    numbers: list[str] = []

    def answers(status: int) -> Callable[..., int]:
        def take(_url: str, _body: bytes, headers: dict[str, str]) -> int:
            numbers.append(headers["webhook-id"])
            return status

        return take

    monkeypatch.setattr(outbound, "post", answers(500))
    queue.run_pending()
    monkeypatch.setattr(outbound, "post", answers(200))
    queue.run_pending()
    assert len(numbers) == 2
    assert len(set(numbers)) == 1


def test_a_watch_is_begun_once_and_its_secret_shown_once(program: Client, issued: Any) -> None:
    body = {"code": issued.code, "hook": "https://hr.example/hook"}
    assert "secret" in post(program, "watches", body).json()
    again = post(program, "watches", body)
    assert again.status_code == 200
    assert "secret" not in again.json()
    assert len(program.get("/api/v1/watches").json()) == 1


@pytest.mark.parametrize("hook", ["http://hr.example/", "https://hr.example:8443/", "x\x00"])
def test_a_hook_that_we_may_not_send_to_is_refused(program: Client, issued: Any, hook: str) -> None:
    answer = post(program, "watches", {"code": issued.code, "hook": hook})
    assert answer.status_code == 422
    assert answer.json()["code"] == "address-refused"
    assert not Watch.objects.exists()


def test_nobody_ends_the_watch_of_another(
    program: Client, issued: Any, other_learner: Any, employer: Any
) -> None:
    foreign, _new = watching.begin(other_learner, issued, at=clock.now())
    own, _new = watching.begin(employer, issued, at=clock.now())
    assert program.delete(f"/api/v1/watches/{foreign.pk}").status_code == 404
    assert program.delete(f"/api/v1/watches/{uuid4()}").status_code == 404
    assert program.delete(f"/api/v1/watches/{own.pk}").status_code == 204
    assert list(Watch.objects.all()) == [foreign]


def test_a_person_watches_from_the_page_of_a_credential(
    client: Client, issued: Any, employer: Any
) -> None:
    client.force_login(employer)
    page = client.get(issued.get_absolute_url(), headers={"accept": "text/html"}).content.decode()
    assert f"/credentials/{issued.pk}/watch/" in page
    client.post(f"/credentials/{issued.pk}/watch/", {"hook": ""})
    listed = client.get("/employers/watching/").content.decode()
    assert issued.grouped_code in listed
    watch = Watch.objects.get()
    client.post(f"/employers/watching/{watch.pk}/end/")
    assert not Watch.objects.exists()


def test_watches_and_keys_belong_to_the_data_of_a_person(employer: Any, issued: Any) -> None:
    apikeys.make(employer, label="hiring", at=clock.now())
    watching.begin(employer, issued, at=clock.now())
    exported = own_data.export(employer)
    assert b"hiring" in exported["api-keys.json"]
    assert issued.code.encode() in exported["watches.json"]
    own_data.erase(employer, clock.now())
    assert not ApiKey.objects.exists()
    assert not Watch.objects.exists()


# The picture for other pages ----------------------------------------------------------------------


def test_the_live_badge_changes_with_the_credential(
    client: Client, issued: Any, officer: Any
) -> None:
    address = f"/credentials/{issued.pk}/badge.svg"
    answer = client.get(address)
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "In force" in answer.content.decode()
    revoke(issued, officer)
    assert "Revoked" in client.get(address).content.decode()
