"""Many credentials at once: interrupted anywhere, none is missing and none is doubled."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from checkride.jobs.models import Job
from checkride.lib import clock
from credentials import awarding, bulk, signing, watch
from credentials.models import Credential
from exams import outcomes

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Stands for a process that ends here."""


@pytest.fixture
def passes(
    released_pass: Callable[..., Any], learner: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], list[Any]]:
    """So many released passes, found by the door of the exams."""

    def make(count: int) -> list[Any]:
        start = clock.now().replace(microsecond=0) - timedelta(minutes=5)
        made = [
            released_pass(learner, at=start - timedelta(seconds=number)) for number in range(count)
        ]
        monkeypatch.setattr(outcomes, "released_passes", lambda _since: iter(made))
        return made

    return make


def _issue_killed(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the whole job, ended after `at` further answers of the signer, before they are saved."""
    left = at
    ask = signing.issue

    def ended(*arguments: Any, **more: Any) -> Any:
        nonlocal left
        answer = ask(*arguments, **more)
        left -= 1
        if left < 0:
            raise Killed
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(signing, "issue", ended)
        bulk.award_outstanding(since=clock.now() - timedelta(days=1))
        for _report in bulk.sign_outstanding():
            pass


def _prove(count: int, kills: int, passes: Any, signer: Any, patch: pytest.MonkeyPatch) -> None:
    made = passes(count)
    luck = random.Random(20261128)
    for _ in range(kills):
        with pytest.raises(Killed):
            _issue_killed(luck.randrange(max(1, count // (kills + 1))), patch)
    _issue_killed(count, patch)

    rows = Credential.objects.all()
    assert sorted(row.source_id for row in rows) == sorted(one.source_id for one in made)
    assert all(row.signed_revision == row.revision for row in rows)
    # Nothing was signed twice either: a question asked again is answered with the same signature.
    lines = [line for line in signer.log_lines if '"kind":"credential"' in line]
    assert len(lines) == count
    assert len({row.log_index for row in rows}) == count


def test_what_is_stopped_goes_on_where_it_stopped(
    passes: Any, running_signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prove(12, 3, passes, running_signer, monkeypatch)

    assert bulk.award_outstanding(since=clock.now()) == 0
    assert [one.total for one in bulk.sign_outstanding()] == [0]
    assert watch.compare_with_log() == 0


@pytest.mark.slow
def test_ten_thousand_are_issued_and_none_is_missing_or_doubled(
    passes: Any, running_signer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _prove(10_000, 8, passes, running_signer, monkeypatch)


def test_the_command_reports_and_says_what_to_do_without_a_signer(
    passes: Any, running_signer: Any, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    passes(3)
    there, settings.SIGNER_SOCKET = settings.SIGNER_SOCKET, settings.VAR / "nobody.sock"
    with pytest.raises(CommandError, match=r"0 of 3 signed, then: .*Nothing was lost"):
        call_command("issue_outstanding")

    settings.SIGNER_SOCKET = there
    call_command("issue_outstanding")

    assert "3 of 3 signed" in capsys.readouterr().out
    assert Credential.objects.filter(document__isnull=False).count() == 3
    with pytest.raises(CommandError, match="is not a date"):
        call_command("issue_outstanding", since="yesterday")


def test_the_jobs_of_the_workers_find_nothing_left_to_do(passes: Any, running_signer: Any) -> None:
    passes(2)
    call_command("issue_outstanding")

    waiting = Job.objects.filter(kind="credentials.sign", done_at__isnull=True)

    assert [awarding.sign(job.payload["credential"]) for job in waiting] == [False, False]
