"""A case of a map is looked at: where it should have been stopped, and what the map before made of it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import Client

from checkride.accounts.models import User
from courses import catalog, map_bench
from courses.grading import grade, read_submission
from courses.grading.contract import CaseResult, GradeReport, GradeRequest, case_from_json
from courses.simulators.workflows.world import World, read_world

from .conftest import strong

PAGE = "/exercises/refunds/"


@pytest.fixture
def document(loaded: Path) -> dict[str, object]:
    found = catalog.exercise("refunds")
    assert found is not None
    return dict(found.document)


@pytest.fixture
def world(document: dict[str, object]) -> World:
    return read_world(document)


@pytest.fixture
def report(document: dict[str, object]) -> GradeReport:
    return grade(GradeRequest("workflow_map", document, strong("refunds"), "practice"))


@pytest.fixture
def costliest(report: GradeReport) -> CaseResult:
    return next(case for case in report.cases if case.id == "largest_harm")


def test_the_same_number_is_the_same_request_on_another_map(
    document: dict[str, object], report: GradeReport
) -> None:
    told = report.details["replays"]["largest_harm"]
    mine = read_submission(
        GradeRequest(
            "workflow_map_replay",
            {**document, "replay_case": told["case"]},
            strong("refunds"),
            "practice",
        )
    )
    case = case_from_json(mine["case"])
    before = next(row for row in report.cases if row.id == "largest_harm")

    assert case.steps == before.steps
    for missing in (0, 10**9):
        other = {**document, "replay_case": missing}
        request = GradeRequest("workflow_map_replay", other, strong("refunds"), "practice")
        assert read_submission(request) == {"case": None}


def marked(report: GradeReport, case: CaseResult, world: World, node: str) -> tuple[str, bool]:
    told = report.details["replays"][case.id]
    number = next(n for n, step in enumerate(told["steps"], 1) if step["node"] == node)
    return map_bench.judge_mark(told, case, {"check": "Policy check"}, world, number)


def test_where_a_case_should_have_been_stopped_is_judged_by_who_looks(
    report: GradeReport, costliest: CaseResult, world: World
) -> None:
    said, right = marked(report, costliest, world, "check")
    assert right
    assert "“Policy check” looked at this case and let it pass" in said
    said, right = marked(report, costliest, world, "lookup")
    assert not right
    assert "The first that could have noticed was “Policy check”" in said
    said, right = marked(report, costliest, world, "watch")
    assert not right
    assert said.startswith("Too late")


def test_where_nobody_looks_every_place_before_the_deed_is_a_good_one(
    document: dict[str, object], world: World
) -> None:
    text = str(document["starter"]).replace(
        "  - draft -> check\n  - check -> pay", "  - draft -> pay"
    )
    text = re.sub(r"\n  check: .*", "", text)
    bare = grade(GradeRequest("workflow_map", document, text, "practice"))
    case = next(row for row in bare.cases if row.id == "largest_harm")

    said, right = marked(bare, case, world, "draft")
    assert right
    assert "no guard and no person" in said


def test_a_harmless_case_has_no_such_question(report: GradeReport, world: World) -> None:
    harmless = next(case for case in report.cases if case.id == "good_catch")
    shown = map_bench.replay_context(report, QueryDict(f"case={harmless.id}"), None, world)

    assert shown["replay"].choices == ()
    told = report.details["replays"][harmless.id]
    assert map_bench.judge_mark(told, harmless, {}, world, 1) == ("", False)


def test_the_page_shows_queues_marks_and_the_map_before(
    loaded: Path, client: Client, learner: User
) -> None:
    client.force_login(learner)
    found = catalog.exercise("refunds")
    assert found is not None
    client.post(f"{PAGE}run/", {"text": found.document["starter"]})
    client.post(f"{PAGE}run/", {"text": strong("refunds")})

    def page(query: str) -> str:
        return unescape(client.get(f"{PAGE}runs/2/?{query}").content.decode())

    html = page("case=largest_harm")
    assert "People and their queues" in html
    assert "95 % interval" in html
    assert "Where should it have been stopped?" in html
    assert "Same case in run 1" in html
    assert "The same case in your map of run 1" in page("case=largest_harm&before=1")
    assert "Too late" in page("case=largest_harm&mark=9")
    assert client.get(f"{PAGE}runs/2/?case=x&before=1&mark=99999999999").status_code == 200
