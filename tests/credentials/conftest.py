"""Keys, awards and documents for the tests of credentials; everything in them is invented."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checkride.lib import clock
from credentials import signer
from credentials.openbadges import document, keys, proof, statuslist
from credentials.openbadges.encoding import digest_multibase
from credentials.signer import KeyFolder

SITE = "https://checkride.example"
ISSUER = "did:web:checkride.example"
AWARDED = datetime(2026, 11, 10, 9, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
LIST = f"{SITE}/status/revocation/1"

ISSUED_BY = document.Issuer(
    id=ISSUER,
    name="Checkride",
    url=SITE,
    image=f"{SITE}/seal.png",
    email="credentials@checkride.example",
)
ACHIEVEMENT = document.Achievement(
    id=f"{SITE}/achievements/agent-foundations/v1",
    version="1",
    name="Agent Foundations",
    description="Knows what agents do and where they fail.",
    criteria="Pass the exam.",
    image=f"{SITE}/achievements/agent-foundations/v1/image.png",
    human_code="AF",
    tags=("AI agents",),
    alignments=(
        document.Alignment(
            name="can write structured prompts with an output contract",
            url=f"{SITE}/framework/#P2",
            framework="Checkride competency framework 2026.1",
            code="P2",
        ),
        document.Alignment(
            name="can read a run log",
            url=f"{SITE}/framework/#O4",
            framework="Checkride competency framework 2026.1",
            code="O4",
        ),
    ),
)


def award(**changes: Any) -> document.Award:
    values: dict[str, Any] = {
        "id": f"{SITE}/credentials/5e7a1c2e-6d0b-4f39-8f0e-1f5f5a3b9f10",
        "subject": "urn:uuid:0a4b8a55-2a8e-4a9b-9a2b-6f4c2a0d9b11",
        "holder_name": "Daniela Ferreira",
        "score_percent": 83,
        "required_percent": 70,
        "awarded": AWARDED,
        "valid_from": AWARDED + timedelta(minutes=1),
        "valid_until": AWARDED + timedelta(days=730),
        "evidence": document.Evidence(
            id=f"{SITE}/evidence/5e7a1c2e-6d0b-4f39-8f0e-1f5f5a3b9f10",
            name="Exam record",
            narrative="20 of 24 items right in 30 minutes.",
            digest=digest_multibase(b"{}"),
        ),
        "status_list": LIST,
        "status_index": 94567,
    }
    return document.Award(**(values | changes))


@dataclass(frozen=True)
class House:
    """An issuer with its keys, for the parts that need no database."""

    ed25519: keys.SigningKey
    rsa: keys.SigningKey
    site: str = SITE
    issuer: str = ISSUER
    awarded: datetime = AWARDED
    now: datetime = NOW

    def plain(self, **changes: Any) -> dict[str, Any]:
        """A credential before it is signed."""
        return document.credential(ISSUED_BY, ACHIEVEMENT, award(**changes))

    @property
    def did(self) -> dict[str, Any]:
        return keys.did_document(ISSUER, [self.ed25519, self.rsa])

    def sign(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        return proof.signed(plain, issuer=ISSUER, key=self.ed25519, at=AWARDED)

    def credential(self, **changes: Any) -> dict[str, Any]:
        return self.sign(self.plain(**changes))

    def status_list(self, *revoked: int) -> dict[str, Any]:
        return self.sign(
            statuslist.credential(
                address=LIST,
                issuer=ISSUER,
                revoked=revoked,
                valid_from=NOW - timedelta(hours=1),
                valid_until=NOW + timedelta(hours=23),
            )
        )


@pytest.fixture(scope="session")
def house() -> House:
    return House(
        ed25519=keys.new_key("ed25519", at=AWARDED - timedelta(days=3)),
        rsa=keys.new_key("rsa", at=AWARDED - timedelta(days=3)),
    )


# With a database ---------------------------------------------------------------------------------


@dataclass
class RunningSigner:
    """A real signer on a real socket, and the passes it finds in its records."""

    folder: KeyFolder
    server: signer.Server
    passes: dict[str, signer.Pass]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def log_lines(self) -> list[str]:
        return self.folder.log.read_text().splitlines()


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys made once: an RSA key takes a while."""
    folder = tmp_path_factory.mktemp("keys")
    KeyFolder(folder, folder / "issuer-keys.json").open(at=AWARDED - timedelta(days=3))
    return folder


@pytest.fixture
def running_signer(settings: Any, key_folder: Path, tmp_path: Path) -> Iterator[RunningSigner]:
    from credentials import identity

    sockets = tempfile.mkdtemp(prefix="ck-")
    settings.SITE_URL = SITE
    settings.ALLOWED_HOSTS = ["*"]
    settings.VAR = tmp_path
    settings.SIGNER_SOCKET = Path(sockets) / "signer.sock"
    folder = KeyFolder(tmp_path / "signer", identity.published_file())
    shutil.copytree(key_folder, folder.folder, ignore=shutil.ignore_patterns("lock"))
    keyring = folder.open(at=AWARDED)
    public_log = folder.open_log(identity.issuer().id, tmp_path / "translog", at=AWARDED)
    passes: dict[str, signer.Pass] = {}
    one = signer.Signer(
        site_url=SITE,
        issuer=identity.issuer(),
        keyring=keyring,
        log=signer.SignatureLog(folder.log),
        find_pass=passes.get,
        public_log=public_log,
    )
    one.announce(folder.publish(identity.issuer().id, keyring))
    server = signer.Server(settings.SIGNER_SOCKET, one)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    running = RunningSigner(folder=folder, server=server, passes=passes)
    yield running
    running.stop()
    thread.join()
    public_log.close()
    shutil.rmtree(sockets)


@pytest.fixture
def released_pass(running_signer: RunningSigner) -> Callable[..., Any]:
    """Make a pass that is released and that the signer finds: `released_pass(user, score=83)`."""
    from exams.outcomes import DomainScore, ReleasedPass

    def make(user: Any, *, correct: int = 20, at: datetime | None = None, **changes: Any) -> Any:
        released = at or clock.now().replace(microsecond=0) - timedelta(minutes=1)
        share = [min(3, max(0, correct - 3 * place)) for place in range(8)]
        names = ["Input governance", "Output validation", "Data protection", "Observability"]
        names += ["Deployment safety", "Human oversight", "Security", "Vendor resilience"]
        values: dict[str, Any] = {
            "source_id": str(uuid.uuid4()),
            "user_id": user.id,
            "holder_name": user.name,
            "exam_slug": "foundations",
            "achievement": "agent-foundations",
            "score_percent": 100 * correct // 24,
            "cut_percent": 70,
            "domain_scores": tuple(
                DomainScore(name, right, 3) for name, right in zip(names, share, strict=True)
            ),
            "items": 24,
            "minutes_allowed": 30,
            "form": "C",
            "started_at": released - timedelta(minutes=40),
            "released_at": released,
            "grader_digest": "0f" * 32,
        }
        passed = ReleasedPass(**(values | changes))
        running_signer.passes[passed.source_id] = signer.Pass(
            achievement=passed.achievement,
            holder_name=passed.holder_name,
            score_percent=passed.score_percent,
            cut_percent=passed.cut_percent,
            released_at=passed.released_at,
            holder=passed.user_id,
        )
        return passed

    return make


@pytest.fixture
def issued(released_pass: Callable[..., Any], learner: Any) -> Any:
    """A credential of `learner`, signed, with a signed revocation list."""
    from checkride.jobs import queue
    from credentials import awarding

    credential = awarding.award(released_pass(learner))
    queue.run_pending()
    credential.refresh_from_db()
    return credential
