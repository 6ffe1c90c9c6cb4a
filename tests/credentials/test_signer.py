"""What the signer signs, and what it does not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from credentials import signer
from credentials.openbadges import document, statuslist

ROOT = Path(__file__).parents[2]
SOURCE = "8d5f2c1e-0000-4000-8000-000000000001"


@pytest.fixture
def found(house: Any) -> signer.Pass:
    return signer.Pass(
        achievement="agent-foundations",
        holder_name="Daniela Ferreira",
        score_percent=83,
        cut_percent=70,
        released_at=house.awarded,
    )


@pytest.fixture
def make_signer(house: Any, found: signer.Pass, tmp_path: Path) -> Callable[..., signer.Signer]:
    def make(**changes: Any) -> signer.Signer:
        plain = house.plain()
        issuer = plain["issuer"]
        values: dict[str, Any] = {
            "site_url": house.site,
            "issuer": document.Issuer(
                issuer["id"], issuer["name"], issuer["url"], issuer["image"]["id"], issuer["email"]
            ),
            "keyring": (house.ed25519, house.rsa),
            "log": signer.SignatureLog(tmp_path / "log.jsonl"),
            "find_pass": {SOURCE: found}.get,
            "now": lambda: house.now,
        }
        return signer.Signer(**(values | changes))

    return make


def ask(one: signer.Signer, plain: Any, source: str = SOURCE) -> dict[str, Any]:
    return one.answer({"do": "issue", "document": plain, "source_id": source})


def test_a_credential_that_keeps_the_rule_is_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    answer = ask(make_signer(), house.plain())

    assert answer["document"]["proof"][0]["verificationMethod"].endswith("#key-2026-11")
    assert answer["jwt"].count(".") == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score_percent": 69}, "required result was not reached"),
        ({"score_percent": 84}, "differs from the released one"),
        ({"required_percent": 50}, "differs from the released one"),
        ({"holder_name": "Eve Forger"}, "name is not the holder's"),
        ({"id": "https://forger.example/credentials/1"}, "not one of this site"),
        ({"status_list": "https://forger.example/list"}, "list is not one of this site"),
        ({"status_index": 131_072}, "has no such entry"),
    ],
)
def test_a_credential_that_breaks_the_rule_is_not_signed(
    make_signer: Callable[..., signer.Signer], house: Any, changes: dict[str, Any], reason: str
) -> None:
    answer = ask(make_signer(), house.plain(**changes))

    assert reason in answer["message"]
    assert "document" not in answer


def test_a_credential_dated_in_the_future_is_not_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    ahead = house.now + timedelta(hours=1)

    answer = ask(make_signer(), house.plain(valid_from=ahead))

    assert "dated in the future" in answer["message"]


def test_a_credential_without_a_released_pass_is_not_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    answer = ask(make_signer(), house.plain(), source="another")

    assert "no released pass" in answer["message"]


def test_a_pass_for_another_achievement_does_not_do(
    make_signer: Callable[..., signer.Signer], house: Any, found: signer.Pass
) -> None:
    other = replace(found, achievement="certified-agent-manager")

    answer = ask(make_signer(find_pass={SOURCE: other}.get), house.plain())

    assert "another achievement" in answer["message"]


def test_one_pass_does_not_become_two_credentials(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    one = make_signer()
    ask(one, house.plain())
    number = "00000000-0000-4000-8000-00000000000f"
    second = house.plain(
        id=f"{house.site}/credentials/{number}",
        evidence=document.Evidence(f"{house.site}/evidence/{number}", "Exam record", "x", "uEi"),
    )

    assert "another credential was signed for this pass" in ask(one, second)["message"]


def test_a_signed_credential_cannot_move_to_a_fresh_list_entry(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    one = make_signer()
    ask(one, house.plain())

    answer = ask(one, house.plain(status_index=7))

    assert "another pass or list entry" in answer["message"]


def test_the_signer_remembers_what_it_signed_over_a_restart(
    make_signer: Callable[..., signer.Signer], house: Any, tmp_path: Path
) -> None:
    ask(make_signer(), house.plain())

    again = make_signer(log=signer.SignatureLog(tmp_path / "log.jsonl"))

    assert "refused" in ask(again, house.plain(status_index=7))
    assert "document" in ask(again, house.plain())


def test_an_added_word_keeps_a_credential_from_being_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    plain = house.plain()
    plain["credentialSubject"]["achievement"]["specialization"] = "everything"

    assert ask(make_signer(), plain)["refused"] == "bad-structure"


@pytest.mark.parametrize("request_", [{}, {"do": "sign"}, {"do": "issue"}, {"do": "status-list"}])
def test_a_request_in_no_known_form_signs_nothing(
    make_signer: Callable[..., signer.Signer], request_: dict[str, Any]
) -> None:
    assert make_signer().answer(request_)["refused"] == "unreadable-request"


def _list(house: Any, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "address": f"{house.site}/status/revocation/1",
        "issuer": house.issuer,
        "revoked": [3],
        "valid_from": house.now,
        "valid_until": house.now + timedelta(hours=24),
    }
    return statuslist.credential(**(values | changes))


def test_a_revocation_list_of_ours_is_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    answer = make_signer().answer({"do": "status-list", "document": _list(house)})

    assert answer["document"]["proof"][0]["proofValue"].startswith("z")


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "https://forger.example/status/revocation/1"},
        {"issuer": "did:web:forger.example"},
    ],
)
def test_a_foreign_revocation_list_is_not_signed(
    make_signer: Callable[..., signer.Signer], house: Any, changes: dict[str, Any]
) -> None:
    answer = make_signer().answer({"do": "status-list", "document": _list(house, **changes)})

    assert "refused" in answer


def test_a_revocation_list_that_is_good_for_a_year_is_not_signed(
    make_signer: Callable[..., signer.Signer], house: Any
) -> None:
    long = _list(house, valid_until=house.now + timedelta(days=365))

    assert "refused" in make_signer().answer({"do": "status-list", "document": long})


def test_each_signature_is_in_the_log_before_it_leaves(
    make_signer: Callable[..., signer.Signer], house: Any, tmp_path: Path
) -> None:
    one = make_signer()
    ask(one, house.plain())
    one.answer({"do": "status-list", "document": _list(house)})

    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    assert [row["kind"] for row in rows] == ["credential", "status-list"]
    assert rows[0]["source"] == SOURCE
    assert "Daniela" not in (tmp_path / "log.jsonl").read_text()


def test_a_signature_that_cannot_be_logged_does_not_leave(
    make_signer: Callable[..., signer.Signer], house: Any, tmp_path: Path
) -> None:
    log = signer.SignatureLog(tmp_path / "nowhere" / "log.jsonl")

    with pytest.raises(OSError, match="nowhere"):
        ask(make_signer(log=log), house.plain())


def test_a_changed_line_in_the_log_stops_the_signer(
    make_signer: Callable[..., signer.Signer], house: Any, tmp_path: Path
) -> None:
    one = make_signer()
    ask(one, house.plain())
    one.answer({"do": "status-list", "document": _list(house)})
    file = tmp_path / "log.jsonl"
    file.write_text(file.read_text().replace(SOURCE, SOURCE[:-1] + "2"))

    with pytest.raises(signer.BrokenLog, match="Line 2"):
        signer.SignatureLog(file)


# Key files and the process -----------------------------------------------------------------------


def test_the_key_file_can_be_read_by_its_owner_only(key_folder: Path) -> None:
    assert (key_folder / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_key_file_that_others_can_read_stops_the_signer(key_folder: Path, house: Any) -> None:
    file = key_folder / "keys.json"
    file.chmod(0o640)
    try:
        with pytest.raises(signer.UnsafeKeyFile):
            signer.KeyFolder(key_folder, key_folder / "p").open(at=house.now)
    finally:
        file.chmod(0o600)


def test_what_is_published_holds_no_private_key(key_folder: Path, house: Any) -> None:
    folder = signer.KeyFolder(key_folder, key_folder / "issuer-keys.json")

    folder.publish(house.issuer, folder.open(at=house.now))

    text = folder.published.read_text()
    assert "PRIVATE" not in text
    assert '"d"' not in text


def test_after_a_rotation_new_signatures_use_the_new_key_and_old_ones_hold(
    make_signer: Callable[..., signer.Signer], house: Any, key_folder: Path, tmp_path: Path
) -> None:
    import shutil

    from credentials.openbadges import keys, verify

    copy = tmp_path / "keys"
    shutil.copytree(key_folder, copy)
    folder = signer.KeyFolder(copy, copy / "p")
    before = folder.open(at=house.now)
    old = ask(make_signer(keyring=before, log=None), house.plain())["document"]

    after = signer.rotate(folder, at=house.now)

    new = ask(make_signer(keyring=after, log=None), house.plain())["document"]
    did = keys.did_document(house.issuer, after)
    assert old["proof"][0]["verificationMethod"] != new["proof"][0]["verificationMethod"]
    for credential in (old, new):
        assert verify.verify(credential, did=did, status_list=None, at=house.now).genuine


def test_the_signer_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    run = Path(os.environ.get("TMPDIR", "/tmp")) / f"ck-{os.getpid()}"  # noqa: S108
    var = tmp_path / "var"
    environment = {
        **os.environ,
        "CHECKRIDE_VAR": str(var),
        "SIGNER_SOCKET": str(run / "s.sock"),
        "SITE_URL": "https://checkride.example",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "credentials.signer"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(run / "s.sock"))
            with line.makefile("rwb") as stream:
                signer.send_message(stream, {"do": "dance"})
                assert signer.receive_message(stream)["refused"] == "unreadable-request"
        assert (var / "signer" / "keys.json").stat().st_mode & 0o777 == 0o600
        assert (var / "issuer-keys.json").exists()
        assert (run / "s.sock").stat().st_mode & 0o007 == 0
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


# The alarm ---------------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes have gone by since everything was signed."""
    from checkride.lib import clock

    now = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr("credentials.watch.clock.now", lambda: now)


@pytest.mark.django_db
def test_what_we_asked_for_raises_no_alarm(issued: Any, later: None) -> None:
    from credentials import watch

    assert watch.compare_with_log() == 0


@pytest.mark.django_db
def test_a_signature_that_nobody_asked_for_raises_the_alarm_once(
    issued: Any, released_pass: Any, other_learner: Any, officer: Any, later: None
) -> None:
    from django.core import mail

    from credentials import awarding, signing, watch
    from credentials.models import Credential

    # An intruder asks the signer directly, with a real pass, and leaves no row.
    passed = released_pass(other_learner)
    rogue = awarding.award(passed)
    signing.issue(awarding.unsigned_document(rogue, holder_name=None), source_id=passed.source_id)
    Credential.objects.filter(pk=rogue.pk).delete()
    mail.outbox.clear()

    assert watch.compare_with_log() == 1
    assert [message.to for message in mail.outbox] == [[officer.email]]
    assert str(rogue.pk) in mail.outbox[0].body

    from django.core.cache import cache

    cache.clear()  # the place in the log is forgotten, the alarm is not
    watch.compare_with_log()
    assert len(mail.outbox) == 1
