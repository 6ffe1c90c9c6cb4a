"""The log in the running site: who writes what into it, and what people and programs read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.test import Client

from checkride.jobs import queue
from checkride.lib import clock
from credentials import awarding, log_watch, own_data, public_log, revoking, signing
from credentials.models import Credential, Revocation
from credentials.openbadges.__main__ import main as checkride_verify
from credentials.translog import __main__ as outside
from credentials.translog import entry as entries
from credentials.translog import monitor, note, proof, store, tiles, tree

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    log = public_log.signed()
    return [entries.parsed(data).kind for data in log.tiles.entries(0)]


def all_entries() -> list[entries.Entry]:
    return [entries.parsed(data) for data in public_log.signed().tiles.entries(0)]


def revoke(credential: Credential, by: Any) -> None:
    revoking.revoke(credential, reason=Revocation.Reason.ERROR, note="", by=by, at=clock.now())
    queue.run_pending()


# What the signer enters --------------------------------------------------------------------------


def test_the_keys_the_achievement_the_credential_and_the_list_are_entered(
    issued: Credential,
) -> None:
    assert kinds() == ["did", "achievement", "issue", "statuslist"]


def test_what_is_public_can_be_looked_for_by_its_own_bytes(
    issued: Credential, client: Client
) -> None:
    said = {one.kind: one.commitment for one in all_entries()}
    did = client.get("/.well-known/did.json").json()
    served = json.loads(client.get(f"/status/revocation/{issued.status_list.number}").content)
    achievement = client.get(
        issued.achievement.get_absolute_url(), headers={"Accept": "application/json"}
    ).json()
    quoted = {k: v for k, v in achievement.items() if k not in ("@context", "creator")}

    assert said["did"] == entries.public_commitment(did)
    assert said["statuslist"] == entries.public_commitment(served)
    assert said["achievement"] == entries.public_commitment(quoted)


def test_nothing_personal_is_in_the_log(issued: Credential, learner: Any) -> None:
    text = (public_log.folder() / "entries").read_bytes()

    for word in (learner.name, learner.email, str(issued.id), issued.code, str(issued.subject)):
        assert word.encode() not in text


def test_a_bit_cannot_be_set_or_cleared_without_an_entry(issued: Credential, officer: Any) -> None:
    revoke(issued, officer)
    revoking.reinstate(issued, because="a mistake", by=officer, at=clock.now())
    queue.run_pending()

    said = all_entries()
    issue = next(one for one in said if one.kind == "issue")
    assert [one.kind for one in said[4:]] == ["revoke", "statuslist", "reinstate", "statuslist"]
    assert said[4].commitment == said[6].commitment == issue.commitment


def test_a_bit_that_no_credential_has_is_entered_too(issued: Credential) -> None:
    from credentials import identity
    from credentials.openbadges import statuslist

    number = issued.status_list.number
    address = identity.address("credentials:status-list", number)
    now = clock.now()
    free = 5 if issued.status_index != 5 else 6

    signing.sign_status_list(
        statuslist.credential(
            address=address,
            issuer=identity.issuer().id,
            revoked=[free],
            valid_from=now,
            valid_until=now + timedelta(hours=1),
        )
    )

    revoked = next(one for one in all_entries() if one.kind == "revoke")
    assert revoked.commitment == entries.public_commitment({"id": f"{address}#{free}"})


def test_a_credential_signed_anew_names_the_entry_it_replaces(
    issued: Credential, learner: Any
) -> None:
    first = issued.log_index
    awarding.show_name(issued, shown=False, by=learner, at=clock.now())
    queue.run_pending()
    issued.refresh_from_db()

    said = all_entries()
    assert issued.log_index is not None
    assert issued.log_index != first
    assert said[issued.log_index].replaces == first
    assert public_log.standing(issued).first_index == first


def test_the_signer_knows_what_was_revoked_after_a_restart(
    issued: Credential, officer: Any, running_signer: Any
) -> None:
    from credentials.signer import SignatureLog

    revoke(issued, officer)

    again = SignatureLog(running_signer.folder.log)

    address = (issued.document or {})["credentialStatus"]["statusListCredential"]
    assert again.revoked(address) == {issued.status_index}


def test_the_keys_are_entered_again_only_when_they_change(
    house: Any, tmp_path: Path, key_folder: Path
) -> None:
    from credentials import signer
    from credentials.openbadges import document

    profile = house.plain()["issuer"]
    issuer = document.Issuer(house.issuer, profile["name"], profile["url"], profile["image"]["id"])
    folder = signer.KeyFolder(tmp_path / "keys", tmp_path / "published.json")
    shutil.copytree(key_folder, folder.folder, ignore=shutil.ignore_patterns("lock"))

    def start(keyring: Any) -> int:
        log = folder.open_log(house.issuer, tmp_path / "log", at=house.now)
        one = signer.Signer(site_url=house.site, issuer=issuer, keyring=keyring, public_log=log)
        one.announce(folder.publish(house.issuer, keyring))
        log.close()
        return log.size

    assert start(folder.open(at=house.now)) == 1
    assert start(folder.open(at=house.now)) == 1
    assert start(signer.rotate(folder, at=house.now)) == 2


# What people read --------------------------------------------------------------------------------


def test_the_page_of_a_credential_says_since_when_it_is_in_the_log(
    client: Client, issued: Credential
) -> None:
    text = client.get(issued.get_absolute_url(), headers={"Accept": "text/html"}).content.decode()

    assert "In the public log since" in text
    assert f"Entry {issued.log_index}" in text


def test_a_credential_that_is_not_in_the_log_is_not_called_good(
    client: Client, issued: Credential
) -> None:
    Credential.objects.filter(pk=issued.pk).update(log_index=0)

    text = client.get(issued.get_absolute_url(), headers={"Accept": "text/html"}).content.decode()

    assert "This credential is genuine, but it is not in the public log." in text
    assert "1 of 5 checks does not hold" in text


def test_a_credential_entered_two_days_after_its_award_is_late(
    client: Client, released_pass: Callable[..., Any], learner: Any
) -> None:
    credential = awarding.award(released_pass(learner, at=clock.now() - timedelta(days=2)))
    queue.run_pending()

    text = client.get(credential.get_absolute_url(), headers={"Accept": "text/html"})

    assert "more than 24 hours after the award" in text.content.decode()
    credential.refresh_from_db()
    fetch, key = public_log.files().fetch, public_log.key()
    seen = monitor.follow(fetch, key, None, clock.now())
    proved = public_log.proof_of(credential)
    found = monitor.look_for("it", credential.document or {}, proved, fetch, seen, key)
    assert found == "it is late: entry 2 came more than 24 hours after the award."


def test_a_credential_signed_anew_months_later_is_not_late(
    issued: Credential, learner: Any, running_signer: Any
) -> None:
    log = public_log.signed()
    first = public_log.standing(issued, log)
    awarding.show_name(issued, shown=False, by=learner, at=clock.now())
    later = clock.now() + timedelta(days=90)
    running_signer.server.signer._now = lambda: later
    queue.run_pending()
    issued.refresh_from_db()

    now = public_log.standing(issued)

    assert (now.state, now.first_at) == ("in-time", first.at)
    assert now.at is not None
    assert first.at is not None
    assert now.at - first.at > timedelta(days=80)
    # An outsider comes to the same end.
    fetch, key = public_log.files().fetch, public_log.key()
    seen = monitor.follow(fetch, key, None, later)
    text = public_log.proof_of(issued)
    assert monitor.look_for("it", issued.document or {}, text, fetch, seen, key) is None


def test_the_page_of_the_log_says_that_no_outsider_has_signed(
    client: Client, issued: Credential
) -> None:
    text = client.get("/log/").content.decode()

    assert "No outside witness has signed this log yet" in text
    assert note.b64(public_log.signed().checkpoint.checkpoint.root) in text
    assert "A credential was signed" in text


def test_before_the_first_start_of_the_signer_the_page_says_so(
    client: Client, settings: Any, tmp_path: Path
) -> None:
    settings.VAR = tmp_path

    answer = client.get("/log/")

    assert answer.status_code == 503
    assert "The log cannot be read just now" in answer.content.decode()


# What programs read ------------------------------------------------------------------------------


def test_the_files_of_the_log_are_served_as_the_specification_says(
    client: Client, issued: Credential
) -> None:
    checkpoint = client.get("/log/checkpoint")
    hashes = client.get("/log/tile/0/000.p/4")
    bundle = client.get("/log/tile/entries/000.p/4")

    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "immutable" not in checkpoint.headers["Cache-Control"]
    signed = note.opened(checkpoint.content.decode(), public_log.key()).checkpoint
    for answer in (hashes, bundle):
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    leaves = [tree.leaf_hash(data) for data in tiles.unbundled(bundle.content)]
    assert b"".join(leaves) == hashes.content
    assert tree.root(tree.Leaves(leaves), 4) == signed.root


@pytest.mark.parametrize(
    "path", ["0/000", "0/000.p/5", "0/001", "1/000.p/1", "0/0", "entries/000", "0/000.p/0", "x/1"]
)
def test_a_tile_that_is_not_there_is_not_found(
    client: Client, issued: Credential, path: str
) -> None:
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_the_proof_beside_a_credential_holds(client: Client, issued: Credential) -> None:
    answer = client.get(f"{issued.get_absolute_url()}.tlog-proof")

    assert issued.document is not None
    found = proof.verified(answer.content.decode(), issued.document, public_log.key())
    assert found.index == issued.log_index
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_an_outsider_checks_the_credential_and_its_place_offline(
    client: Client, issued: Credential, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(client, issued, tmp_path / "saved")

    assert checkride_verify([str(folder / "credential.json")]) == 0
    assert "log       holds    In the issuer’s log since" in capsys.readouterr().out

    other = (folder / "credential.tlog-proof").read_text().replace("index 2", "index 1")
    (folder / "credential.tlog-proof").write_text(other)
    assert checkride_verify([str(folder / "credential.json")]) == 1
    assert "log       fails" in capsys.readouterr().out


def save(client: Client, credential: Credential, folder: Path) -> Path:
    """The four files that a credential's page names."""
    folder.mkdir()
    address = credential.get_absolute_url()
    for name, path in (
        ("credential.json", f"{address}.json"),
        ("credential.tlog-proof", f"{address}.tlog-proof"),
        ("did.json", "/.well-known/did.json"),
        ("status-list.json", f"/status/revocation/{credential.status_list.number}"),
    ):
        (folder / name).write_bytes(client.get(path).content)
    return folder


# Erasure -----------------------------------------------------------------------------------------


def test_erasure_leaves_the_tree_whole_and_its_entry_without_meaning(
    client: Client, issued: Credential, learner: Any, running_signer: Any
) -> None:
    before = public_log.signed()
    index, document, nonce = issued.log_index or 0, issued.document or {}, bytes(issued.log_nonce)
    assert before.place(index).entry.commitment == entries.commitment(nonce, document)

    own_data.erase(learner, clock.now())
    issued.refresh_from_db()

    after = public_log.signed()
    assert str(after.checkpoint) == str(before.checkpoint)
    assert after.place(index) == before.place(index)
    assert bytes(issued.log_nonce) == b""
    assert client.get(f"{issued.get_absolute_url()}.tlog-proof").status_code == 404
    # Not even the signer kept what would link the entry to the file.
    for file in running_signer.folder.folder.iterdir():
        assert note.b64(nonce) not in file.read_text()


def test_the_export_of_a_person_has_the_proof_beside_the_credential(
    issued: Credential, learner: Any
) -> None:
    files = own_data.export(learner)

    text = files[f"{issued.grouped_code}.tlog-proof"].decode()
    document = json.loads(files[f"{issued.grouped_code}.json"])
    assert proof.verified(text, document, public_log.key()).index == issued.log_index


def test_the_database_refuses_an_erased_credential_that_keeps_its_nonce(
    issued: Credential, learner: Any
) -> None:
    from django.db import IntegrityError, transaction

    nonce = bytes(issued.log_nonce)
    own_data.erase(learner, clock.now())

    with pytest.raises(IntegrityError, match="no_nonce"), transaction.atomic():
        Credential.objects.filter(pk=issued.pk).update(log_nonce=nonce)


# Credentials from before the log ------------------------------------------------------------------


def test_what_is_not_in_the_log_is_signed_anew_and_entered(issued: Credential) -> None:
    Credential.objects.filter(pk=issued.pk).update(log_index=None, log_nonce=b"")
    issued.refresh_from_db()
    assert public_log.standing(issued).state == "missing"

    call_command("sign_again", not_in_log=True)
    queue.run_pending()
    issued.refresh_from_db()

    assert public_log.standing(issued).state == "in-time"
    with pytest.raises(CommandError, match="name of a key"):
        call_command("sign_again")


# Watching ----------------------------------------------------------------------------------------


def test_our_own_look_finds_nothing_wrong_with_a_good_log(
    issued: Credential, tmp_path: Path
) -> None:
    report = log_watch.look(tmp_path / "state.json", at=clock.now())

    assert (report.size, report.new, report.findings) == (4, 4, ())
    assert log_watch.look(tmp_path / "state.json", at=clock.now()).new == 0


def test_our_own_look_names_what_is_missing_late_or_unasked(
    issued: Credential,
    other_learner: Any,
    learner: Any,
    released_pass: Callable[..., Any],
    tmp_path: Path,
) -> None:
    late = awarding.award(released_pass(other_learner, at=clock.now() - timedelta(days=3)))
    queue.run_pending()
    Credential.objects.filter(pk=issued.pk).update(log_index=None)
    # An intruder asks the signer directly and leaves no row.
    passed = released_pass(learner)
    rogue = awarding.award(passed)
    asked = signing.issue(
        awarding.unsigned_document(rogue, holder_name=None), source_id=passed.source_id
    )

    report = log_watch.look(tmp_path / "state.json", at=clock.now() + timedelta(hours=1))

    assert report.findings == (
        f"Credential {late.id} is late: entry 4 came more than 24 hours after the award.",
        f"Credential {issued.id} is missing: it is signed and not in the log.",
        f"Entry {asked.log_index} is a signature that no record of ours asked for.",
    )
    with pytest.raises(CommandError, match="findings"):
        call_command("monitor_log", state=tmp_path / "state.json")


def rewritten(folder: Path, to: Path, key: Ed25519PrivateKey) -> Path:
    """The same log with another past, properly signed with the log's own key."""
    old = store.Store(folder)
    size = note.parsed(old.checkpoint()).checkpoint.size
    said = [entries.parsed(data) for data in old.log(size).entries(0)]
    said[0] = entries.Entry(said[0].kind, said[0].at, bytes(32))
    log = store.Log(to, public_log.key().name, key)
    log.append([*said, entries.Entry("statuslist", clock.now(), bytes(32))])
    log.close()
    return to


def log_key(running_signer: Any) -> Ed25519PrivateKey:
    key: Ed25519PrivateKey = running_signer.folder.log_key(at=clock.now()).private
    return key


def test_a_rewritten_log_is_found_although_the_log_signed_it(
    issued: Credential, running_signer: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    log_watch.look(state, at=clock.now())
    kept = state.read_text()
    other = rewritten(public_log.folder(), tmp_path / "fork", log_key(running_signer))

    before = monitor.from_json(kept, file=state)
    with pytest.raises(monitor.Forked) as found:
        monitor.follow(store.Store(other).fetch, public_log.key(), before, clock.now())

    assert found.value.message.count("— checkride.example/log") == 2


def test_a_log_that_shrank_is_found(issued: Credential, tmp_path: Path, officer: Any) -> None:
    shutil.copytree(public_log.folder(), tmp_path / "old")
    revoke(issued, officer)
    seen = monitor.follow(public_log.files().fetch, public_log.key(), None, clock.now())

    with pytest.raises(monitor.Forked):
        monitor.follow(
            store.Store(tmp_path / "old").fetch, public_log.key(), seen.state, clock.now()
        )


def test_one_entry_is_not_replaced_twice_unnoticed(
    issued: Credential, running_signer: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "shared-past"
    log = store.Log(folder, public_log.key().name, log_key(running_signer))
    now = clock.now()
    log.append([entries.Entry("issue", now, bytes(32))])
    log.append([entries.Entry("issue", now, bytes([1] * 32), replaces=0)])
    log.append([entries.Entry("issue", now, bytes([2] * 32), replaces=0)])
    log.close()

    seen = monitor.follow(log.store.fetch, public_log.key(), None, now)

    assert seen.findings == (
        "Entry 2 claims to replace entry 0, which was replaced before: two credentials share one "
        "past.",
    )


def test_what_a_monitor_remembers_survives_as_text(issued: Credential) -> None:
    seen = monitor.follow(public_log.files().fetch, public_log.key(), None, clock.now())

    again = monitor.from_json(monitor.as_json(seen.state), file="state")

    assert monitor.as_json(again) == monitor.as_json(seen.state)
    with pytest.raises(monitor.BadState):
        monitor.from_json(monitor.as_json(seen.state).replace('"size": 4', '"size": 5'), file="x")


def test_an_outsider_follows_the_log_and_names_the_missing(
    client: Client, issued: Credential, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save(client, issued, tmp_path / "saved")
    state, file = tmp_path / "state.json", folder / "credential.json"
    words = ["monitor", str(public_log.folder()), "--state", str(state)]

    with_key = [*words, "--key", str(public_log.key()), "--credential", str(file)]
    assert outside.main(with_key) == 0
    assert "4 entries" in capsys.readouterr().out

    (folder / "credential.tlog-proof").unlink()
    assert outside.main([*words, "--credential", str(file)]) == 1
    assert "credential.json is missing" in capsys.readouterr().out


def test_an_outsider_finds_a_fork_and_keeps_what_was_seen_before(
    issued: Credential,
    running_signer: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = tmp_path / "state.json"
    rest = ["--state", str(state), "--key", str(public_log.key())]
    assert outside.main(["monitor", str(public_log.folder()), *rest]) == 0
    kept = state.read_text()
    other = rewritten(public_log.folder(), tmp_path / "fork", log_key(running_signer))

    assert outside.main(["monitor", str(other), *rest]) == 1
    assert "FORKED" in capsys.readouterr().out
    assert state.read_text() == kept


def test_the_holder_of_a_proof_from_a_fork_is_told(
    client: Client, issued: Credential, running_signer: Any, tmp_path: Path
) -> None:
    assert issued.document is not None
    text = client.get(f"{issued.get_absolute_url()}.tlog-proof").content.decode()
    other = rewritten(public_log.folder(), tmp_path / "fork", log_key(running_signer))
    fetch = store.Store(other).fetch
    seen = monitor.follow(fetch, public_log.key(), None, clock.now())

    found = monitor.look_for("it", issued.document, text, fetch, seen, public_log.key())

    assert found == "it was shown another log than this one: its proof is of a different past."


def test_a_witness_signs_what_it_saw_and_the_page_names_it(
    client: Client, issued: Credential, officer: Any, tmp_path: Path
) -> None:
    out = tmp_path / "cosigned"
    pem = tmp_path / "witness.pem"
    words = ["witness", str(public_log.folder()), "--key", str(public_log.key())]
    words += ["--state", str(tmp_path / "w.json"), "--name", "witness.example"]
    words += ["--signing-key", str(pem), "--out", str(out)]

    assert outside.main(words) == 0
    key = note.private_key_name(outside._signing_key(pem), "witness.example", note.COSIGNATURE)
    call_command("log_witnessed", out, str(key))
    revoke(issued, officer)  # the log grows, and the witness's word stays good

    text = client.get("/log/").content.decode()
    assert "<b>witness.example</b> confirmed" in text
    assert "up to 4 entries" in text
    assert "No outside witness" not in text
    assert pem.stat().st_mode & 0o777 == 0o600


def test_a_witness_does_not_sign_a_rewritten_log(
    issued: Credential, running_signer: Any, tmp_path: Path
) -> None:
    rest = ["--key", str(public_log.key()), "--name", "witness.example"]
    rest += ["--state", str(tmp_path / "w.json"), "--signing-key", str(tmp_path / "w.pem")]
    out = tmp_path / "cosigned"
    assert outside.main(["witness", str(public_log.folder()), *rest]) == 0
    other = rewritten(public_log.folder(), tmp_path / "fork", log_key(running_signer))

    assert outside.main(["witness", str(other), *rest, "--out", str(out)]) == 1
    assert not out.exists()


def test_a_witness_of_another_log_is_not_kept(
    issued: Credential, running_signer: Any, tmp_path: Path
) -> None:
    other = rewritten(public_log.folder(), tmp_path / "fork", log_key(running_signer))
    witness = Ed25519PrivateKey.generate()
    checkpoint = note.parsed(store.Store(other).checkpoint())
    (tmp_path / "c").write_text(
        str(note.cosign(checkpoint, witness, "witness.example", at=clock.now()))
    )
    key = note.private_key_name(witness, "witness.example", note.COSIGNATURE)

    with pytest.raises(CommandError, match="not a state of this log"):
        call_command("log_witnessed", tmp_path / "c", str(key))


def test_the_state_file_is_plain_text_that_names_the_key(
    issued: Credential, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    outside.main(
        ["monitor", str(public_log.folder()), "--state", str(state), "--key", str(public_log.key())]
    )

    assert json.loads(state.read_text())["key"] == str(public_log.key())


def test_the_sample_files_have_a_proof_that_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from credentials import samples

    samples.write(tmp_path, at=clock.now().replace(microsecond=0))

    assert checkride_verify([str(tmp_path / "valid.json")]) == 0
    assert "log       holds" in capsys.readouterr().out
