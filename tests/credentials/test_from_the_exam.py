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

from ..exams.right_answers import right_answer

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
            delivery.Save("tab-one", number, 0, right_answer(item)),
            arrival=delivery.Arrival(lambda: 0.0),
        )
    delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
    return attempt


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


# Two parts, one credential ------------------------------------------------------------------------


@pytest.fixture
def operator_exam(transactional_db: None, tmp_path: Path) -> None:
    """Both parts of the Operator exam as delivered, every item of the bank in use."""
    from exams import pool_files

    for name in ("operator", "operator-tasks"):
        folder = tmp_path / "pools" / name
        shutil.copytree(pool_files.CONTENT / name, folder)
        for file in (folder / "items").glob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            for life in ("draft", "reviewed", "pilot"):
                text = text.replace(f"life: {life}\n", "life: operational\n")
            file.write_text(text, encoding="utf-8")
        pool_files.load(folder)


def _sit(client: Any, exam: str) -> Any:
    """Prepare, start, answer rightly and hand in, by the pages that a candidate uses."""
    from exams.models import Attempt

    client.post(f"/exams/{exam}/prepare/")
    attempt = Attempt.objects.get(exam=exam, state="ready")
    client.post(f"/exams/attempts/{attempt.pk}/start/")
    for number, item in enumerate(attempt.items.select_related("item_version"), start=1):
        key = item.item_version.scored_item.key
        document = getattr(key, "exercise", None)
        payload = {"text": document["references"]["strong"]} if document else right_answer(item)
        saved = client.post(
            f"/exams/attempts/{attempt.pk}/items/{item.position}/save/",
            {"client_id": "tab-one", "client_seq": number, "base_rev": 0, "payload": payload},
            content_type="application/json",
        )
        assert saved.status_code == 200, saved.content
    client.post(f"/exams/attempts/{attempt.pk}/hand-in/", {"confirm": "yes"})
    queue.run_pending()
    attempt.refresh_from_db()
    return attempt


# Slow because the whole bank is read; `test_parts.py` and `test_awarding.py` hold the quick ones.
@pytest.mark.slow
def test_items_and_tasks_together_become_one_credential(
    operator_exam: None, signer_process: None, learner: Any, client: Any
) -> None:
    from credentials import checking, presentation
    from credentials.models import Credential

    client.force_login(learner)

    items = _sit(client, "agent-operator")

    assert (items.result.grade_run.correct, items.result.grade_run.of) == (40, 40)
    assert not Credential.objects.exists()
    result = client.get(f"/exams/attempts/{items.pk}/result/").content.decode()
    assert "Certified Agent Operator, tasks is still missing" in result

    tasks = _sit(client, "agent-operator-tasks")

    assert tasks.result.grade_run.passed
    assert tasks.result.grade_run.of == 300
    credential = Credential.objects.get(user=learner)
    assert checking.verdict(credential, at=credential.signed_at).in_force
    assert credential.achievement.name == "Certified Agent Operator"
    assert credential.source_id == str(items.pk)
    assert [part["exam"] for part in credential.evidence["parts"]] == [
        "agent-operator",
        "agent-operator-tasks",
    ]
    record = presentation.record(credential.evidence)
    assert (record.correct, record.items, record.cut) == (40, 40, 28)
    assert [(part.points, part.cut) for part in record.further] == [
        (tasks.result.grade_run.correct, 210)
    ]
    page = client.get(credential.get_absolute_url()).content.decode()
    assert "Do 3 tasks, each run in the simulator" in page
    assert "Proves, at practitioner level," in page
    evidence = client.get(f"/evidence/{credential.pk}", headers={"accept": "text/html"})
    assert f"{tasks.result.grade_run.correct} of 300 points" in evidence.content.decode()
