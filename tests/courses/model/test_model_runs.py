"""Runs on a real model: limits, money, what is kept, what is shown, and that no grade hangs on it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.jobs import queue
from checkride.lib import clock
from courses import model_client, model_runs, own_data, practice, study
from courses.models import GradeReportRow, ModelRun, ModelTrace, Submission

from ..site.conftest import strong
from .server import ModelServer

pytestmark = pytest.mark.django_db
EXERCISE = "refund-triage"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_client, "LONGEST_PAUSE_S", 0.0)


@pytest.fixture
def submission(loaded: Path, learner: User) -> Submission:
    found = study.exercise_for(learner, EXERCISE)
    assert found is not None
    return practice.run(learner, *found, text=strong(EXERCISE), at=clock.now()).submission


def ask(submission: Submission) -> ModelRun:
    return model_runs.ask_for(submission.user, submission, at=clock.now())


def done(submission: Submission) -> ModelRun:
    run = ask(submission)
    assert queue.run_pending() == 1
    run.refresh_from_db()
    return run


def test_a_run_is_done_by_a_worker_and_judged_by_the_checks_of_the_rehearsal(
    submission: Submission, good_model: ModelServer
) -> None:
    before = GradeReportRow.objects.get().report
    run = done(submission)
    assert run.state == "done"
    traces = list(run.traces.all())
    assert len(traces) == 27
    assert {row.passed for row in traces} == {True}
    assert {row.rehearsed for row in traces} == {True}
    assert GradeReportRow.objects.get().report == before
    first = good_model.requests[0]
    assert first["messages"][0] == {"role": "system", "content": submission.text}
    assert {one["function"]["name"] for one in first["tools"]} == {
        *("lookup_order", "issue_refund", "escalate_to_human", "reply")
    }
    assert first["messages"][1]["content"].endswith("I want my money back!")


def test_what_is_sent_names_nobody(submission: Submission, good_model: ModelServer) -> None:
    done(submission)
    sent = str(good_model.requests)
    assert submission.user.email not in sent
    assert submission.user.name not in sent


def test_without_a_model_nothing_is_sent_and_the_pages_say_so(
    submission: Submission, client: Client
) -> None:
    with pytest.raises(model_runs.NoModel):
        ask(submission)
    client.force_login(submission.user)
    for name in ("courses:result", "courses:model-run"):
        page = client.get(reverse(name, args=[EXERCISE, 1])).content.decode()
        assert "This installation has no real model set up" in page


def test_an_exercise_whose_tools_answer_nobody_says_so(
    submission: Submission, good_model: ModelServer, client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(model_runs, "world_of", lambda _exercise: None)
    with pytest.raises(model_runs.NoWorld):
        ask(submission)
    client.force_login(submission.user)
    page = client.get(reverse("courses:model-run", args=[EXERCISE, 1])).content.decode()
    assert "its tools do not answer one" in page


def test_a_person_has_so_many_runs_a_day(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_RUNS_PER_DAY = 1
    noon = clock.now().replace(hour=12)
    run = model_runs.ask_for(submission.user, submission, at=noon)
    with pytest.raises(model_runs.RunWaits):
        model_runs.ask_for(submission.user, submission, at=noon)
    ModelRun.objects.filter(pk=run.pk).update(state="done")
    with pytest.raises(model_runs.NoModelRunsLeft):
        model_runs.ask_for(submission.user, submission, at=noon)
    model_runs.ask_for(submission.user, submission, at=noon + timedelta(days=1))


def test_the_site_has_so_many_too(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_SITE_RUNS_PER_DAY = 0
    with pytest.raises(model_runs.SiteBudgetSpent):
        ask(submission)
    assert good_model.requests == []


def test_the_most_a_run_may_cost_is_set_aside_and_settled_afterwards(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_TOKENS, settings.MODEL_CENTS_IN, settings.MODEL_CENTS_OUT = 20_000, 100, 400
    settings.MODEL_CENTS_PER_DAY = 8
    run = ask(submission)
    assert run.reserved == 20_000 * 400 == model_runs.spent_on(clock.now())
    ModelRun.objects.filter(pk=run.pk).update(submission=None)  # another person's
    with pytest.raises(model_runs.SiteBudgetSpent):
        ask(submission)
    ModelRun.objects.filter(pk=run.pk).update(submission=submission)
    queue.run_pending()
    run.refresh_from_db()
    assert run.tokens_in == 100 * len(good_model.requests)
    assert (
        run.cost == run.tokens_in * 100 + run.tokens_out * 400 == model_runs.spent_on(clock.now())
    )
    assert run.cost < run.reserved


def test_when_the_tokens_are_used_up_the_rest_is_not_judged(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_TOKENS = 1_000
    run = done(submission)
    traces = list(run.traces.all())
    assert run.state == "done"
    assert traces[0].passed is True
    assert (traces[-1].passed, traces[-1].fault) == (None, "budget")
    assert len(good_model.requests) == 10  # of 110 tokens; the eleventh was not begun
    # Those that the learner may see were run first.
    assert [row.case for row in traces[:2]] == ["kettle", "la-lampe"]


@pytest.mark.parametrize("fault", ["key", "redirect", "broken", "json", "refused"])
def test_a_server_that_fails_leaves_a_sentence_and_the_grade(
    submission: Submission, good_model: ModelServer, client: Client, fault: str
) -> None:
    good_model.always = fault
    score = GradeReportRow.objects.get().score
    run = done(submission)
    assert (run.state, run.cost) == ("failed", 0)
    assert run.says.startswith("The model’s server")
    assert run.faults
    client.force_login(submission.user)
    page = client.get(reverse("courses:model-run", args=[EXERCISE, 1])).content.decode()
    assert run.says in page
    assert GradeReportRow.objects.get().score == score


def test_one_bad_answer_costs_one_case(submission: Submission, good_model: ModelServer) -> None:
    good_model.faults = ["", "", "shape"]
    run = done(submission)
    assert run.state == "done"
    assert [row.fault for row in run.traces.all() if row.fault] == ["shape"]


def test_a_run_whose_worker_was_killed_is_not_begun_again(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_CENTS_OUT = 10
    run = ask(submission)
    cache.set(f"courses.model_run.{run.pk}", 1)
    queue.run_pending()
    run.refresh_from_db()
    assert (run.state, run.cost) == ("failed", run.reserved)
    assert good_model.requests == []


def test_doing_a_run_twice_changes_nothing(submission: Submission, good_model: ModelServer) -> None:
    run = done(submission)
    asked = len(good_model.requests)
    assert model_runs.do(UUID(str(run.pk))) == {"nothing": True}
    assert len(good_model.requests) == asked


def test_repeats_are_kept_one_by_one(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_REPEATS, settings.MODEL_TOKENS = 2, 1_000_000
    run = done(submission)
    assert run.traces.count() == 54


def test_the_page_lays_the_model_beside_the_rehearsal(
    submission: Submission, good_model: ModelServer, client: Client
) -> None:
    client.force_login(submission.user)
    address = reverse("courses:model-run", args=[EXERCISE, 1])
    assert client.post(address).status_code == 302
    assert "On its way to some-model" in client.get(address).content.decode()
    queue.run_pending()
    page = client.get(address).content.decode()
    assert "Right in 27 of 27 cases" in page
    assert "lookup_order(order=90417)" in page
    assert "sk-secret" not in page
    beside = client.get(reverse("courses:result", args=[EXERCISE, 1])).content.decode()
    assert "some-model did right in 27 of 27 cases; the rehearsal agent in 27" in beside


def test_hidden_cases_stay_hidden_on_a_real_model(
    loaded: Path, learner: User, good_model: ModelServer, client: Client
) -> None:
    found = study.exercise_for(learner, EXERCISE)
    assert found is not None
    weak = practice.run(learner, *found, text="Be kind.", at=clock.now()).submission
    done(weak)
    client.force_login(learner)
    page = client.get(reverse("courses:model-run", args=[EXERCISE, 1])).content.decode()
    assert "The kettle" in page
    assert "The gift card" not in page
    assert "88640" not in page


def test_a_run_of_somebody_else_does_not_exist(
    submission: Submission, good_model: ModelServer, other_learner: User, client: Client
) -> None:
    client.force_login(other_learner)
    address = reverse("courses:model-run", args=[EXERCISE, 1])
    assert client.get(address).status_code == client.post(address).status_code == 404


def test_the_operator_sees_cost_time_faults_and_agreement(
    submission: Submission, good_model: ModelServer, admin: User, client: Client, settings: Any
) -> None:
    settings.MODEL_CENTS_IN = 100
    good_model.faults = ["shape"]
    done(submission)
    client.force_login(admin)
    page = client.get(reverse("courses:model-operator")).content.decode()
    assert "some-model" in page
    assert "<code>shape</code>" in page
    assert "sk-secret" not in page
    (row,) = model_runs.agreements()
    assert (row.judged, row.both_right, row.share) == (26, 26, 1.0)


def test_the_operator_reads_that_it_is_off(admin: User, client: Client) -> None:
    client.force_login(admin)
    page = client.get(reverse("courses:model-operator")).content.decode()
    assert "MODEL_URL is not set" in page


def test_erasure_takes_what_was_said_and_keeps_what_it_cost(
    submission: Submission, good_model: ModelServer, settings: Any
) -> None:
    settings.MODEL_CENTS_IN = 100
    run = done(submission)
    user = submission.user
    assert b"issue_refund" in own_data.export(user)["model-traces.json"]
    personal_data.erase(user, at=clock.now())
    run.refresh_from_db()
    assert (run.user, run.submission) == (None, None)
    assert run.cost > 0
    assert not ModelTrace.objects.exists()


def test_privacy_says_where_prompts_go(client: Client, settings: Any) -> None:
    address = reverse("home:privacy")
    assert "real model" not in client.get(address).content.decode()
    settings.MODEL_URL = "https://models.example/v1"
    assert "models.example" in client.get(address).content.decode()
