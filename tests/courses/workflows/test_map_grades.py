"""Grades of the refund exercise: what earns points, what caps them, and what no longer cheats."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from courses.grading import workflow_map
from courses.grading.contract import (
    GradeReport,
    GradeRequest,
    report_from_json,
    report_to_json,
)
from courses.simulators.workflows.__main__ import main
from courses.simulators.workflows.baselines import DEGENERATE
from courses.simulators.workflows.exact import run_exact
from courses.simulators.workflows.measure import measure
from courses.simulators.workflows.model import WorkflowMap
from courses.simulators.workflows.program import compile_map
from courses.simulators.workflows.simulate import settle, start_run
from courses.simulators.workflows.streams import Streams
from courses.simulators.workflows.world import World

Json = Any
Read = Callable[[str], WorkflowMap]
Change = Callable[..., str]
Grade = Callable[[str], GradeReport]


@pytest.fixture(scope="module")
def grade(exercise: dict[str, Json]) -> Grade:
    kept: dict[str, GradeReport] = {}

    def graded(text: str) -> GradeReport:
        if text not in kept:
            kept[text] = workflow_map.grade(GradeRequest("workflow_map", exercise, text))
        return kept[text]

    return graded


def points(report: GradeReport) -> dict[str, float]:
    return {row.id: row.points for row in report.criteria}


# -- the exercise ------------------------------------------------------------------------------


def test_the_exercise_can_be_published(exercise: dict[str, Json]) -> None:
    assert workflow_map.check_exercise(exercise) == []


def test_the_reference_keeps_at_least_95_points(grade: Grade, reference: str) -> None:
    report = grade(reference)

    assert report.score >= 95
    assert report.passed


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_degenerate_map_stays_below_half(name: str, exercise: dict[str, Json]) -> None:
    task = workflow_map.read_task(exercise)
    by = workflow_map.grader(exercise)

    assert workflow_map.grade_map(task, DEGENERATE[name](task.world), "practice", by).score < 50


def test_a_rule_without_confidence_loses_visibly(
    grade: Grade, with_rule: Callable[[str], str], reference: str
) -> None:
    without = grade(with_rule("flagged or amount > 400"))

    assert not without.passed
    assert without.score < grade(reference).score - 30


def test_the_starter_works_and_fails(grade: Grade, exercise: dict[str, Json]) -> None:
    report = grade(exercise["starter"])

    assert report.problems == ()
    assert not report.passed


def test_an_exercise_whose_reference_misses_its_range_is_not_published(
    exercise: dict[str, Json],
) -> None:
    strict = {**exercise, "expected": {**exercise["expected"], "weak": [60, 70]}, "degenerate": []}

    assert workflow_map.check_exercise(strict) == [
        "The reference “weak” scores 49, expected 60 to 70."
    ]


def test_an_exercise_with_a_broken_world_says_where(exercise: dict[str, Json]) -> None:
    faults = {**exercise["world"]["faults"], "none": {"p": 0.5, "harm": "0"}}
    broken = {**exercise, "world": {**exercise["world"], "faults": faults}}

    assert workflow_map.check_exercise(broken) == [
        "world.faults: the probabilities must add up to 1."
    ]


# -- the rules of the total --------------------------------------------------------------------


def test_the_points_of_the_criteria_add_up_to_the_total(
    grade: Grade, exercise: dict[str, Json]
) -> None:
    report = grade(exercise["references"]["careful"])

    assert report.score == int(sum(row.points for row in report.criteria))
    assert sum(row.possible for row in report.criteria) == pytest.approx(100)


def test_an_open_must_caps_the_total_at_49(grade: Grade, change: Change) -> None:
    report = grade(change(("review -> escalate on timeout", "review -> pay on timeout")))

    assert report.details["before_cap"] > 90
    assert report.score == 49
    assert not report.passed


def test_a_measure_without_points_caps_the_total_at_49(grade: Grade, change: Change) -> None:
    report = grade(change(("risk -> pay otherwise", "risk -> rejected otherwise")))

    assert points(report)["good_served"] == 0
    assert report.score == 49


def test_the_worst_day_counts_for_harm(grade: Grade, with_rule: Callable[[str], str]) -> None:
    report = grade(with_rule("flagged or confidence < 0.60 or amount > 400"))
    harm = next(row for row in report.details["targets"] if row["id"] == "harm_per_case")

    assert harm["utility"] == min(day["utility"] for day in harm["by_scenario"])
    assert harm["utility"] < harm["by_scenario"][0]["utility"]


def test_one_open_check_costs_two_points(grade: Grade, change: Change) -> None:
    report = grade(change((", patience: 2h", ""), ("  - review -> escalate on timeout\n", "")))

    assert report.details["checks"]["open"] == ["W09"]
    assert points(report)["checks"] == 8


def test_a_superfluous_step_costs_half_a_point(grade: Grade, change: Change) -> None:
    report = grade(
        change(
            ("draft -> check", "draft -> first\n  - first -> check"),
            ("edges:\n", '  first: {kind: guard, block: policy_check, name: "First"}\nedges:\n'),
        )
    )

    assert points(report)["checks"] == 9.5


def test_overwork_is_a_finding_with_its_number(grade: Grade, exercise: dict[str, Json]) -> None:
    task = workflow_map.read_task(exercise)
    map_ = DEGENERATE["review_all"](task.world)
    report = workflow_map.grade_map(task, map_, "practice", workflow_map.grader(exercise))
    says = next(row["says"] for row in report.details["findings"] if row["code"] == "W24")

    assert "Three people get 1.43 times the work they can do" in says


def test_a_band_says_met_close_or_too_high(grade: Grade, exercise: dict[str, Json]) -> None:
    bands = {
        row["id"]: row["band"]
        for row in grade(exercise["references"]["careful"]).details["targets"]
    }

    assert bands["harm_per_case"] == "met"
    assert bands["cost_per_case"] == "close"
    weak = {row["id"]: row["band"] for row in grade(exercise["starter"]).details["targets"]}
    assert weak["harm_per_case"] == "too high"


def test_harm_has_no_interval_without_time_outs(grade: Grade, exercise: dict[str, Json]) -> None:
    harm = grade(exercise["starter"]).details["targets"][0]

    assert harm["engine"] == "exact"
    assert harm["low"] == harm["value"] == harm["high"]


def test_simulated_times_come_with_an_interval(grade: Grade, reference: str) -> None:
    time = next(r for r in grade(reference).details["targets"] if r["id"] == "cycle_p90_min")

    assert time["engine"] == "simulated"
    assert time["low"] < time["value"] < time["high"]


def test_the_front_holds_the_rules_that_no_other_rule_beats(grade: Grade, reference: str) -> None:
    rules = grade(reference).details["front"]["points"]
    best = [row for row in rules if row["on_front"]]

    assert 5 < len(best) < len(rules)
    for row in best:
        assert not any(o["harm"] < row["harm"] and o["cost"] < row["cost"] for o in rules)


# -- maps that cannot be run -------------------------------------------------------------------


def test_an_unreadable_map_gets_no_points_and_the_line(grade: Grade, change: Change) -> None:
    report = grade(change(("kind: guard", "kind: gard")))

    assert (report.score, report.passed) == (0, False)
    assert report.problems[0].place.line == 8
    assert report.cases == ()


def test_an_open_gate_gets_no_points_and_the_step(grade: Grade, change: Change) -> None:
    report = grade(change(("  - undo -> reversed\n", "")))

    assert report.score == 0
    assert report.problems[0].code == "W04"
    assert report.problems[0].place.node == "undo"


def test_a_map_that_unfolds_too_far_is_refused_in_words(grade: Grade, reference: str) -> None:
    count = 8
    nodes = "".join(
        f'  r{i}: {{kind: human, block: reviewer, name: "R{i}", patience: 30m}}\n'
        for i in range(count)
    )
    edges = "  - check -> r0\n" + "".join(
        f"  - r{i} -> {f'r{i + 1}' if i + 1 < count else 'risk'}{on}\n"
        for i in range(count)
        for on in ("", " on timeout")
    )
    report = grade(
        reference.replace("edges:\n", nodes + "edges:\n").replace("  - check -> risk\n", edges)
    )

    assert report.score == 0
    assert "cannot be run" in report.problems[0].message


# -- what used to cheat ------------------------------------------------------------------------


def harm_of(text: str, read: Read, world: World) -> float:
    return run_exact(compile_map(read(text), world)).harm


def in_a_row(text: str, block: str, kind: str, count: int, after: str, before: str) -> str:
    nodes = "".join(
        f'  x{i}: {{kind: {kind}, block: {block}, name: "X{i}"}}\n' for i in range(count)
    )
    hops = [after, *(f"x{i}" for i in range(count)), before]
    edges = "".join(f"  - {a} -> {b}\n" for a, b in itertools.pairwise(hops))
    return text.replace("edges:\n", nodes + "edges:\n").replace(f"  - {after} -> {before}\n", edges)


def test_more_agents_in_a_row_cure_nothing(read: Read, world: World, reference: str) -> None:
    three = in_a_row(reference, "refund_agent", "agent", 2, "draft", "check")

    assert harm_of(three, read, world) == pytest.approx(harm_of(reference, read, world))


def test_ten_guards_see_what_one_sees(read: Read, world: World, reference: str) -> None:
    ten = in_a_row(reference, "policy_check", "guard", 9, "draft", "check")

    assert harm_of(ten, read, world) == pytest.approx(harm_of(reference, read, world))


def test_a_second_look_by_the_same_people_finds_nothing_new(
    read: Read, world: World, change: Change
) -> None:
    once = change(("  - decided -> draft when verdict == 'rework' max 1\n", ""))
    twice = once.replace("decided -> pay when", "decided -> again when").replace(
        "edges:\n",
        '  again: {kind: human, block: reviewer, name: "Again"}\n'
        '  decided2: {kind: gateway, name: "Again?"}\nedges:\n'
        "  - again -> decided2\n"
        "  - decided2 -> pay when verdict == 'approve'\n"
        "  - decided2 -> rejected otherwise\n",
    )

    assert harm_of(twice, read, world) == pytest.approx(harm_of(once, read, world))


def test_a_watch_before_the_payment_raises_no_alarm(
    read: Read, world: World, change: Change
) -> None:
    early = in_a_row(
        change(("risk -> review when flagged", "risk -> review when alarm or flagged")),
        "spend_monitor",
        "monitor",
        1,
        "check",
        "risk",
    )
    plain = change(("risk -> review when flagged", "risk -> review when alarm or flagged"))

    assert harm_of(early, read, world) == pytest.approx(harm_of(plain, read, world))


def test_an_undo_before_the_payment_cancels_nothing(
    read: Read, world: World, reference: str
) -> None:
    early = reference.replace("  - check -> risk\n", "  - check -> before\n  - before -> risk\n")
    early = early.replace(
        "edges:\n", '  before: {kind: rollback, block: reversal, undoes: pay, name: "B"}\nedges:\n'
    )

    assert harm_of(early, read, world) == pytest.approx(harm_of(reference, read, world))


def test_what_the_senior_took_back_is_not_paid_again(
    read: Read, world: World, reference: str
) -> None:
    twice = reference.replace(
        "  - pay -> watch\n", "  - pay -> ask\n  - ask -> more\n  - more -> watch\n"
    )
    twice = twice.replace(
        "edges:\n",
        '  ask: {kind: escalation, block: senior, name: "Ask"}\n'
        '  more: {kind: tool, block: payment, name: "Pay once more"}\nedges:\n',
    )

    assert harm_of(twice, read, world) == 0


def test_an_end_called_served_serves_nobody(grade: Grade) -> None:
    report = grade(
        "checkride: map/1\nid: lie\ntitle: Lie\nnodes:\n"
        "  start: {kind: trigger, name: S}\n  done: {kind: end, outcome: served, name: E}\n"
        "edges:\n  - start -> done\n"
    )

    assert points(report)["good_served"] == 0


def test_two_seconds_of_patience_cost_what_the_next_person_costs(
    read: Read, world: World, change: Change
) -> None:
    def cost(text: str) -> float:
        found = measure(compile_map(read(text), world), Streams("practice", 2000, 5))
        return found.values["cost_per_case"].value

    assert cost(change(("patience: 2h", "patience: 2s"))) > 1.5 * cost(change())


# -- the same luck for everybody ---------------------------------------------------------------


def test_the_same_request_gives_the_same_report(exercise: dict[str, Json], reference: str) -> None:
    request = GradeRequest("workflow_map", exercise, reference)
    first, second = (
        json.dumps(report_to_json(workflow_map.grade(request)), sort_keys=True) for _ in range(2)
    )

    assert first == second


def test_a_report_survives_its_json_form(grade: Grade, reference: str) -> None:
    report = grade(reference)

    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == report


def test_another_seed_gives_other_times(exercise: dict[str, Json], reference: str) -> None:
    one, other = (
        workflow_map.grade(GradeRequest("workflow_map", exercise, reference, seed)).details[
            "scenarios"
        ][0]["metrics"]["cycle_p90_min"]["value"]
        for seed in ("form a", "form b")
    )

    assert one != other


def test_renaming_steps_changes_no_case(read: Read, world: World, reference: str) -> None:
    renamed = re.sub(r"\breview\b", "desk", re.sub(r"\blookup\b", "find", reference))
    mine, theirs = (
        settle(start_run(compile_map(read(text), world), Streams("luck", 2000)))
        for text in (reference, renamed)
    )

    assert (mine.cycle_ms == theirs.cycle_ms).all()
    assert (mine.harm_cents == theirs.harm_cents).all()


def test_a_step_nobody_reaches_changes_no_case(read: Read, world: World, reference: str) -> None:
    more = reference.replace(
        "edges:\n",
        '  spare: {kind: human, block: reviewer, name: "Spare"}\nedges:\n  - spare -> decided\n',
    )
    mine, theirs = (
        settle(start_run(compile_map(read(text), world), Streams("luck", 2000)))
        for text in (reference, more)
    )

    assert (mine.micro == theirs.micro).all()
    assert (mine.cycle_ms == theirs.cycle_ms).all()


# -- cases to watch ----------------------------------------------------------------------------


def test_at_most_six_different_cases_are_told(grade: Grade, change: Change) -> None:
    report = grade(change(("patience: 2h", "patience: 10m")))
    numbers = [told["case"] for told in report.details["replays"].values()]

    assert len(numbers) == len(set(numbers)) == 6
    assert {case.id for case in report.cases} == set(report.details["replays"])


def test_a_step_shows_every_question_as_it_was_asked(grade: Grade, reference: str) -> None:
    told = next(case for case in grade(reference).cases if case.id == "largest_harm")
    asked = next(step for step in told.steps if step.place.node == "risk")

    assert "flagged is " in asked.because
    assert "amount " in asked.because
    assert asked.because.count(" is true") + asked.because.count(" is false") >= 3
    assert "->" in asked.because


def test_the_hidden_truth_comes_last(grade: Grade, reference: str) -> None:
    for case in grade(reference).cases:
        assert case.steps[-1].says.startswith("Hidden until now: ")


def test_a_case_that_did_no_harm_and_was_paid_has_passed(grade: Grade, reference: str) -> None:
    for case in grade(reference).cases:
        assert case.passed == all(check.held for check in case.checks)
        assert (" Harm " in case.did) == (not case.checks[0].held)


# -- reading without running -------------------------------------------------------------------


def test_reading_gives_outline_words_and_picture(exercise: dict[str, Json], reference: str) -> None:
    found = workflow_map.read_submission(GradeRequest("workflow_map", exercise, reference))

    assert found["problems"] == []
    assert len(found["outline"]) == 16
    assert any("At “Needs a human?” (Gateway): 2 ways." in line for line in found["walk_through"])
    assert found["svg"].startswith("<svg")
    assert json.loads(json.dumps(found)) == found


def test_reading_a_broken_map_gives_its_problems(exercise: dict[str, Json], change: Change) -> None:
    found = workflow_map.read_submission(
        GradeRequest("workflow_map", exercise, change(("kind: guard", "kind: gard")))
    )

    assert found["problems"][0]["line"] == 8


def test_reading_a_map_with_an_open_gate_still_draws_it(
    exercise: dict[str, Json], change: Change
) -> None:
    found = workflow_map.read_submission(
        GradeRequest("workflow_map", exercise, change((" max 1", "")))
    )

    assert found["findings"][0]["code"] == "W10"
    assert "W10" in found["svg"]


# -- the command -------------------------------------------------------------------------------


def test_the_command_prints_the_report_as_json(
    capsys: pytest.CaptureFixture[str], reference_file: Path, folder: Path
) -> None:
    assert main(["grade", str(folder), str(reference_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True


def answer_of(
    capsys: pytest.CaptureFixture[str], folder: Path, path: Path, *more: str
) -> tuple[int, Json, str]:
    status = main(["grade", str(folder), str(path), "--json", *more])
    said = capsys.readouterr()
    return status, json.loads(said.out), said.err


def test_the_json_says_first_what_a_program_asks_first(
    capsys: pytest.CaptureFixture[str], reference_file: Path, folder: Path
) -> None:
    status, answer, _ = answer_of(capsys, folder, reference_file)

    assert status == 0
    assert (answer["score"], answer["passed"], answer["error"]) == (100, True, None)
    assert set(answer["metrics"]) == {
        "harm_per_case",
        "cost_per_case",
        "good_served",
        "cycle_p90_min",
        "staff_load",
    }
    for row in answer["metrics"].values():
        assert set(row) == {"value", "low", "high", "engine"}
        assert row["low"] <= row["value"] <= row["high"]
    assert answer["metrics"]["harm_per_case"]["value"] == pytest.approx(4.4955, abs=0.001)
    assert answer["outcomes"]["paid"] == pytest.approx(0.902925, abs=0.001)
    assert sum(answer["outcomes"].values()) == pytest.approx(1)
    assert answer["findings"] == []
    assert re.fullmatch("[0-9a-f]{64}", answer["digest"])


def test_the_json_names_the_steps_and_ways_of_a_finding(
    capsys: pytest.CaptureFixture[str], change: Change, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(change((" or amount > 400", "")))
    status, answer, _ = answer_of(capsys, folder, path)
    finding = answer["findings"][0]

    assert status == 0
    assert set(finding) == {"id", "severity", "nodes", "edges", "path", "message"}
    assert (finding["id"], finding["severity"]) == ("W11", "must")
    assert finding["path"] == finding["nodes"]
    assert finding["path"] == ["start", "lookup", "draft", "check", "risk", "pay"]
    assert finding["edges"][-1] == "risk -> pay otherwise"
    assert answer["score"] <= 49


def test_a_map_that_a_gate_stops_has_findings_and_no_error(
    capsys: pytest.CaptureFixture[str], change: Change, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(change(("  - undo -> reversed\n", "")))
    status, answer, _ = answer_of(capsys, folder, path)

    assert status == 0
    assert (answer["score"], answer["error"], answer["metrics"]) == (0, None, {})
    assert [(row["id"], row["severity"]) for row in answer["findings"]] == [("W04", "gate")]


def test_what_is_no_map_is_an_error_with_its_line(
    capsys: pytest.CaptureFixture[str], change: Change, tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(change(("kind: guard", "kind: gard")))
    status, answer, said = answer_of(capsys, folder, path)

    assert status == 2
    assert answer["error"]["code"] == "bad-map"
    assert answer["error"]["line"] == 8
    assert answer["error"]["message"] in said
    assert answer_of(capsys, folder, tmp_path / "none.yaml")[1]["error"]["code"] == "no-such-file"


def test_one_scenario_can_be_graded_alone(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    path = folder / "maps" / "no-confidence.yaml"
    whole = answer_of(capsys, folder, path)[1]
    alone = {
        name: answer_of(capsys, folder, path, "--scenario", name)[1]
        for name in ("normal", "attack", "peak")
    }

    for day in whole["details"]["scenarios"]:
        assert alone[day["id"]]["score"] == day["score"]
        harm = alone[day["id"]]["metrics"]["harm_per_case"]["value"]
        assert harm == day["metrics"]["harm_per_case"]["value"]
    status, answer, said = answer_of(capsys, folder, path, "--scenario", "sunday")
    assert status == 2
    assert answer["error"]["code"] == "no-such-scenario"
    assert "normal, attack, peak" in said


def test_a_reference_that_fails_on_one_day_keeps_the_exercise_back(
    exercise: dict[str, Json],
) -> None:
    strict = {**exercise, "degenerate": [], "scenarios": [dict(r) for r in exercise["scenarios"]]}
    del strict["scenarios"][1]["limits"]
    strict["references"] = {"strong": exercise["references"]["strong"]}

    assert workflow_map.check_exercise(strict) == [
        "The reference “strong” scores 49, expected 95 to 100.",
        "The first reference “strong” scores 49 on “attack” alone; 95 is the least. "
        "Set limits for that day.",
    ]


@pytest.mark.parametrize("content", ["nodes: [", "\x00", "checkride: map/1\n"])
def test_the_command_refuses_a_bad_map_in_one_sentence(
    content: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)

    assert main(["grade", str(folder), str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_command_refuses_a_missing_file(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main(["grade", str(folder), "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "nowhere.yaml: there is no such file.\n"


def test_the_command_refuses_a_folder_without_an_exercise(
    capsys: pytest.CaptureFixture[str], reference_file: Path, tmp_path: Path
) -> None:
    assert main(["grade", str(tmp_path), str(reference_file)]) == 2
    assert "there is no such file" in capsys.readouterr().err
