"""How far a grade can be trusted, and what examiners decide about unsure readings."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from benchmarks.prompt_agreement import LABELLED, LABELLED_SETS, decided, measured
from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.accounts.roles import Role
from checkride.lib import clock
from courses import labelling, own_data, practice, reader_agreement, study
from courses.grading.agreement import figures
from courses.models import ExaminerLabel, GradeReportRow, UnsureReading

UNSURE = "Whatever the customer says, think twice.\nAnswer in their language if possible."
EXERCISE = "refund-triage"


def run(user: User, text: str = UNSURE) -> practice.Run:
    found = study.exercise_for(user, EXERCISE)
    assert found is not None
    return practice.run(user, *found, text=text, at=clock.now())


def decide(reading: UnsureReading, by: User, verdict: str = "absent", **more: Any) -> ExaminerLabel:
    facts = {"reason": "“If possible” leaves it open.", "keep_out": False, **more}
    return labelling.decide(reading, examiner=by, verdict=verdict, at=clock.now(), **facts)


@pytest.fixture
def reading(loaded: Path, learner: User) -> UnsureReading:
    run(learner)
    return UnsureReading.objects.get(requirement="reply-language")


@pytest.fixture
def second(make_person: Callable[..., User]) -> User:
    return make_person("edda_examiner", Role.EXAMINER)


# The figures -----------------------------------------------------------------------------------


def test_the_stored_figures_are_of_the_reader_as_it_is() -> None:
    assert reader_agreement.measurement().is_of_this_reader, (
        "The reader was changed: run “python -m benchmarks.prompt_agreement --write”."
    )


def test_the_stored_figures_are_what_measuring_gives() -> None:
    name, use, about = LABELLED_SETS["invoice-processing"][0]
    stored = reader_agreement.held_out("invoice-processing")[0]
    now = measured(name, "invoice-processing", use, about)
    assert (stored.all.decisions, stored.all.accuracy.part, stored.all.false_met.part) == (
        now.all.decisions,
        now.all.accuracy.part,
        now.all.false_met.part,
    )
    assert {name: row.accuracy.part for name, row in stored.requirements.items()} == {
        name: row.accuracy.part for name, row in now.requirements.items()
    }


def test_every_labelled_file_is_told_and_said_how_it_was_used() -> None:
    files = {path.stem for path in LABELLED.glob("*.jsonl")} - {"unread-invoice"}
    assert {name for sets in LABELLED_SETS.values() for name, _, _ in sets} == files
    told = reader_agreement.measurement().sets
    assert {one.name for sets in told.values() for one in sets} == files


# The page --------------------------------------------------------------------------------------


def test_everybody_reads_the_figures_of_the_set_that_was_kept_back(
    loaded: Path, client: Client
) -> None:
    page = client.get(reverse("courses:trust", args=[EXERCISE])).content.decode()
    held = reader_agreement.held_out(EXERCISE)[0].all
    assert f"{held.accuracy.part} / {held.accuracy.whole}" in page
    assert f"{held.prompts} prompts with {held.decisions} labelled decisions" in page
    assert "They say nothing about your prompt" in page


def test_an_exercise_without_labels_says_that_nobody_measured_it(
    loaded: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = reader_agreement.Measurement(reader_agreement.reader_digest(), {})
    monkeypatch.setattr(reader_agreement, "measurement", lambda: nothing)
    page = client.get(reverse("courses:trust", args=[EXERCISE])).content.decode()
    assert "Nobody has measured this exercise" in page


def test_figures_of_an_older_reader_are_said_to_be_such(
    loaded: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_agreement, "reader_digest", lambda: "0" * 64)
    page = client.get(reverse("courses:trust", args=[EXERCISE])).content.decode()
    assert "The reader was changed after these figures were measured" in page


def test_the_page_does_not_give_the_requirements_away(
    loaded: Path, client: Client, learner: User
) -> None:
    address = reverse("courses:trust", args=[EXERCISE])
    says = "It answers in the customer&#x27;s language."
    client.force_login(learner)
    assert says not in client.get(address).content.decode()
    for _ in range(practice.RUNS_UNTIL_HIDDEN_OPEN):
        run(learner)
    assert says in client.get(address).content.decode()


def test_the_exercise_leads_to_the_page(loaded: Path, client: Client) -> None:
    page = client.get(reverse("courses:exercise", args=[EXERCISE])).content.decode()
    assert reverse("courses:trust", args=[EXERCISE]) in page


def test_a_map_has_no_such_page(loaded: Path, client: Client) -> None:
    assert client.get(reverse("courses:trust", args=["refunds"])).status_code == 404


# The queue -------------------------------------------------------------------------------------


def test_what_the_reader_is_unsure_of_waits_for_examiners(
    reading: UnsureReading, examiner: User
) -> None:
    assert (reading.line, reading.best) == (2, "met")
    assert reading in labelling.waiting_for(examiner)


def test_a_newer_run_takes_the_place_of_one_that_nobody_decided(
    reading: UnsureReading, learner: User, examiner: User
) -> None:
    run(learner, UNSURE + "\nBe kind.")
    waiting = labelling.waiting_for(examiner).filter(requirement="reply-language")
    assert [row.submission.number for row in waiting] == [2]


def test_a_decided_one_stays_when_the_learner_runs_again(
    reading: UnsureReading, learner: User, examiner: User
) -> None:
    decide(reading, examiner)
    run(learner)
    assert UnsureReading.objects.filter(requirement="reply-language").count() == 2


def test_an_examiner_never_decides_her_own_prompt(
    loaded: Path, examiner: User, client: Client
) -> None:
    run(examiner)
    mine = UnsureReading.objects.get(requirement="reply-language")
    assert mine not in labelling.waiting_for(examiner)
    client.force_login(examiner)
    assert client.get(reverse("courses:decide", args=[mine.pk])).status_code == 404


def test_the_examiner_sees_the_prompt_and_not_who_wrote_it(
    reading: UnsureReading, learner: User, examiner: User, client: Client
) -> None:
    client.force_login(examiner)
    for address in (reverse("courses:unsure"), reverse("courses:decide", args=[reading.pk])):
        page = client.get(address).content.decode()
        assert learner.email not in page
        assert learner.name not in page
    assert "Answer in their language if possible." in page
    assert "leant to" not in page, "the reader's guess would colour the decision"


def test_a_decision_needs_a_verdict_and_a_reason_and_is_made_once(
    reading: UnsureReading, examiner: User
) -> None:
    with pytest.raises(labelling.VerdictMissing):
        decide(reading, examiner, "unsure")
    with pytest.raises(labelling.ReasonMissing):
        decide(reading, examiner, reason="  ")
    decide(reading, examiner)
    with pytest.raises(labelling.AlreadyDecided):
        decide(reading, examiner, "met")
    assert ExaminerLabel.objects.get().verdict == "absent"


def test_two_who_differ_are_seen_and_a_third_settles_it(
    reading: UnsureReading, examiner: User, second: User, make_person: Callable[..., User]
) -> None:
    third = make_person("egon_examiner", Role.EXAMINER)
    fourth = make_person("ella_examiner", Role.EXAMINER)
    decide(reading, examiner, "absent")
    decide(reading, second, "met")
    assert labelling.decided_set(EXERCISE).disputed == 1
    assert list(labelling.samples()) == []
    assert reading in labelling.waiting_for(third)
    decide(reading, third, "absent")
    assert reading not in labelling.waiting_for(fourth)
    counted = labelling.decided_set(EXERCISE)
    assert (counted.decided, counted.disputed, counted.right.part, counted.false_met) == (
        1,
        0,
        0,
        1,
    )
    assert (counted.agreed.part, counted.agreed.whole) == (0, 1)


def test_the_second_examiner_does_not_see_what_the_first_said(
    reading: UnsureReading, examiner: User, second: User, client: Client
) -> None:
    decide(reading, examiner, reason="Vague to me.")
    client.force_login(second)
    address = reverse("courses:decide", args=[reading.pk])
    assert "Vague to me." not in client.get(address).content.decode()
    client.post(address, {"verdict": "met", "reason": "It is asked for."})
    page = client.get(address).content.decode()
    assert "Vague to me." in page
    assert "Examiners differ" in page


def test_the_report_stays_and_the_learner_reads_the_decision_beside_it(
    reading: UnsureReading, learner: User, examiner: User, client: Client
) -> None:
    before = GradeReportRow.objects.get().report
    decide(reading, examiner)
    assert GradeReportRow.objects.get().report == before
    client.force_login(learner)
    page = client.get(reverse("courses:result", args=[EXERCISE, 1])).content.decode()
    assert "An examiner decided:" in page
    assert "“If possible” leaves it open." in page
    assert examiner.name not in page


# Samples and persons -----------------------------------------------------------------------------


def test_decisions_are_exported_as_the_labelled_files_are_and_can_be_measured(
    reading: UnsureReading, examiner: User, tmp_path: Path
) -> None:
    decide(reading, examiner)
    out = StringIO()
    call_command("export_labels", stdout=out, stderr=StringIO())
    (row,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert row["prompt"] == UNSURE
    assert row["labels"] == {"reply-language": "absent"}
    assert set(row) == {"id", "style", "exercise", "prompt", "labels"}
    assert str(reading.submission_id) not in out.getvalue()
    file = tmp_path / "examined.jsonl"
    file.write_text(out.getvalue())
    found = figures(row for _, row in decided(file, EXERCISE, "frames"))
    assert (found.decisions, found.coverage.part) == (1, 0)


def test_a_prompt_that_names_somebody_is_kept_out_of_the_samples(
    reading: UnsureReading, examiner: User
) -> None:
    decide(reading, examiner, keep_out=True)
    assert list(labelling.samples()) == []
    assert labelling.decided_set(EXERCISE).decided == 1


def test_erasing_the_learner_takes_her_samples_along(
    reading: UnsureReading, learner: User, examiner: User
) -> None:
    decide(reading, examiner)
    assert b"reply-language" in own_data.export(learner)["unsure-readings.json"]
    personal_data.erase(learner, at=clock.now())
    assert not UnsureReading.objects.exists()
    assert list(labelling.samples()) == []


def test_erasing_the_examiner_leaves_the_decision_without_her(
    reading: UnsureReading, examiner: User
) -> None:
    decide(reading, examiner)
    assert b"If possible" in own_data.export(examiner)["labels-given.json"]
    personal_data.erase(examiner, at=clock.now())
    assert ExaminerLabel.objects.get().examiner is None
