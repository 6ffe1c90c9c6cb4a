"""The whole way with nothing replaced: exam, release, job, signer with its own look at the records."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkride.jobs import queue

ROOT = Path(__file__).parents[2]


@pytest.fixture
def signer_process(settings: Any, tmp_path: Path, transactional_db: None) -> Iterator[None]:
    """`python -m credentials.signer` as it runs beside the site, on the test's database."""
    from django.db import connection

    sockets = Path(tempfile.mkdtemp(prefix="ck-"))
    settings.VAR = tmp_path
    settings.SIGNER_SOCKET = sockets / "signer.sock"
    found = connection.settings_dict
    environment = {
        **os.environ,
        "CHECKRIDE_VAR": str(tmp_path),
        "SIGNER_SOCKET": str(settings.SIGNER_SOCKET),
        "SITE_URL": settings.SITE_URL,
        "DATABASE_URL": f"postgresql://{found['USER']}@/{found['NAME']}?host={found['HOST']}",
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
    assert process.stdout is not None
    assert "listening" in process.stdout.readline()
    yield
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)
    shutil.rmtree(sockets, ignore_errors=True)


@pytest.fixture
def passed_attempt(transactional_db: None, learner: Any) -> Any:
    """A sitting of the real Foundations exam in which every item was answered rightly."""
    from exams import delivery, pool_files, preparation

    pool_files.load(pool_files.CONTENT / "foundations")
    attempt = delivery.start(preparation.prepare(learner, "foundations"))
    for number, item in enumerate(attempt.items.select_related("item_version"), start=1):
        delivery.save_response(
            attempt.pk,
            item.position,
            delivery.Save("tab-one", number, 0, _right(item)),
            arrival=delivery.Arrival(lambda: 0.0),
        )
    delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
    return attempt


def _right(item: Any) -> dict[str, Any]:
    """The answer that earns the point, in the signs that this form gives to the options."""
    from exams.scoring import items as kinds

    scored = item.item_version.scored_item
    by_sign = kinds.signs(scored, item.drawn)
    choice = {author: sign for sign, author in by_sign.get("choices", {}).items()}
    left = {author: sign for sign, author in by_sign.get("left", {}).items()}
    match scored.key:
        case kinds.SingleKey(right=right):
            return {"choice": choice[right]}
        case kinds.MultipleKey(right=right):
            return {"choices": sorted(choice[one] for one in right)}
        case kinds.NumericKey(value=value):
            return {"number": str(value)}
        case kinds.OrderingKey(right=right):
            return {"positions": {choice[one]: place for place, one in enumerate(right, start=1)}}
        case kinds.MatchingKey(right=right):
            return {"pairs": {left[one]: choice[other] for one, other in right.items()}}
        case kinds.HotspotKey(right=right):
            return {"lines": sorted(right)}
    raise AssertionError(item)


def test_a_passed_exam_becomes_a_credential_that_holds(
    passed_attempt: Any, signer_process: None, learner: Any
) -> None:
    from credentials import checking
    from credentials.models import Credential

    queue.run_pending()

    credential = Credential.objects.get(user=learner)
    assert credential.signed_at is not None
    verdict = checking.verdict(credential, at=credential.signed_at)
    assert verdict.in_force, verdict.checks
    assert credential.source_id == str(passed_attempt.pk)
    assert credential.score_percent == 100


def test_the_signer_refuses_what_no_exam_stands_behind(
    passed_attempt: Any, signer_process: None, learner: Any
) -> None:
    from credentials import awarding, signing
    from credentials.models import Credential

    queue.run_pending()
    credential = Credential.objects.get(user=learner)
    # An intruder on the web host writes into our table, and asks for a signature.
    for changes, reason in (
        ({"score_percent": 99}, "differs from the released one"),
        ({"source_id": "00000000-0000-4000-8000-000000000000"}, "no released pass"),
    ):
        Credential.objects.filter(pk=credential.pk).update(revision=9, **changes)

        with pytest.raises(signing.SignerRefused, match=reason):
            awarding.sign(credential.id)


def test_the_sweep_finds_a_pass_whose_signal_was_lost(
    passed_attempt: Any, signer_process: None, learner: Any
) -> None:
    from checkride.jobs.models import Job
    from credentials import awarding
    from credentials.models import Credential

    grading = Job.objects.filter(kind__startswith="exams.")
    for job in grading:
        queue.run(job.pk)
    Job.objects.filter(kind="credentials.award").delete()
    assert not Credential.objects.exists()

    assert awarding.sweep() == 1
    queue.run_pending()

    assert Credential.objects.get(user=learner).is_signed
    assert awarding.sweep() == 0
