"""The studio: a process of one's own is begun, described, run, compared, taken away and shared."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import Any

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from lxml import etree

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import studio, studio_report
from courses.grading.contract import GradeRequest
from courses.grading.workflow_map import grade
from courses.models import Draft, Process
from courses.simulators.workflows import bpmn, own_world, reading, safety_domains, writing
from courses.simulators.workflows.checks import SAYS

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


@pytest.fixture
def process(learner: User) -> Process:
    found, _said = studio.begin(learner, title="Returns", template="payments", file=None)
    return found


def address(process: Process, end: str = "") -> str:
    return f"/studio/{process.pk}/{end}"


def page(client: Client, at: str) -> str:
    response = client.get(at)
    assert response.status_code == 200
    return unescape(response.content.decode())


def file(client: Client, process: Process, form: str) -> Any:
    response = client.get(address(process, f"maps/1/files/{form}"))
    assert response.status_code == 200, form
    return response


@pytest.mark.parametrize("template", own_world.TEMPLATES, ids=lambda row: row.id)
def test_every_template_runs_and_breaks_no_must(template: own_world.Template) -> None:
    text = writing.to_text(own_world.template_map(template))
    document = own_world.document(template.facts, title=template.title)
    report = grade(GradeRequest("workflow_map", document, text, "studio"))

    assert not report.problems
    assert not [row for row in report.details["findings"] if row["severity"] != "warning"]
    assert all(row["utility"] == 1 for row in report.details["targets"])


def test_a_process_is_begun_run_and_judged_by_the_eight_domains(signed_in: Client) -> None:
    response = signed_in.post("/studio/", {"title": "Returns", "template": "payments"})
    process = Process.objects.get()
    assert response["Location"] == address(process)

    signed_in.post(address(process, "maps/1/run/"))
    html = page(signed_in, address(process, "maps/1/"))
    assert "Harm a case" in html
    assert "at most $5.00" in html
    assert "95 % interval" in html or " to " in html
    assert "People and their queues" in html
    for domain in safety_domains.DOMAINS:
        assert domain.name in html
    assert "A map does not show data." in html


def test_every_check_belongs_to_one_domain() -> None:
    listed = [code for domain in safety_domains.DOMAINS for code in domain.checks]
    assert sorted(listed) == sorted(SAYS)


def test_an_open_check_opens_its_domain() -> None:
    found = safety_domains.by_domain([{"code": "W09", "says": "Nobody answers."}])
    state = {row.name: row.state for row in found}
    assert state["Human oversight"] == "open"
    assert state["Observability"] == "holds"
    assert state["Data protection"] == "not judged"


def test_a_map_is_edited_by_the_same_forms(signed_in: Client, process: Process) -> None:
    at = address(process, "maps/1/edit/")
    html = signed_in.post(
        at, {"over": "0", "edit": "add:check", "name": "Second look", "what": "guard:check",
             "where": "into:check -> risk"}, follow=True,
    ).content.decode()  # fmt: skip

    assert "Added “Second look”" in html
    draft = Draft.objects.get()
    assert draft.exercise == process.variants.get().key
    assert "second_look -> risk" in draft.text


def test_a_bpmn_file_brings_its_own_parts(signed_in: Client) -> None:
    template = own_world.template_map(own_world.TEMPLATES[0])
    plain = re.sub(r' cr:[a-z]+="[^"]*"', "", bpmn.to_bpmn(template))
    upload = SimpleUploadedFile("mine.bpmn", plain.encode())
    page_after = unescape(
        signed_in.post(
            "/studio/", {"title": "From a file", "template": "blank", "file": upload}, follow=True
        ).content.decode()
    )
    process = Process.objects.get()
    html = page(signed_in, address(process, "maps/1/"))

    assert "Your map, step by step" in html
    assert "no map at the moment" not in html, html
    assert "is taken for the deed that can do harm" in page_after
    facts = studio.facts_of(process)
    assert {part.kind for part in facts.parts} >= {"tool", "guard", "human"}
    assert any(part.acts for part in facts.parts)
    signed_in.post(address(process, "maps/1/run/"))
    assert process.variants.get().runs.exists()


def test_a_file_that_is_no_bpmn_says_so_and_begins_nothing(signed_in: Client) -> None:
    upload = SimpleUploadedFile("mine.bpmn", b"<!DOCTYPE a><a/>")
    html = signed_in.post(
        "/studio/", {"title": "Typed", "template": "payments", "file": upload}
    ).content.decode()

    assert "Nothing was taken from the file." in html
    assert 'value="Typed"' in html
    assert not Process.objects.exists()


def world_of(client: Client, process: Process) -> dict[str, str]:
    """What the world's form would send if nobody changed anything."""
    html = page(client, address(process, "world/"))
    fields = dict(re.findall(r'name="([a-z0-9_]+)" value="([^"]*)"', html))
    fields |= {
        name: ""
        for name in re.findall(r'<input[^>]*name="([a-z0-9_]+)"', html)
        if name not in fields
    }
    for name, inside in re.findall(r'<select name="([a-z0-9_]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        fields[name] = chosen[1] if chosen else ""
    boxes = re.findall(r'<input type="checkbox" name="([a-z0-9_]+)"([^>]*)>', html)
    for name, rest in boxes:
        fields.pop(name, None)
        if "checked" in rest:
            fields[name] = "on"
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def test_the_world_is_described_in_a_form(signed_in: Client, process: Process) -> None:
    fields = world_of(signed_in, process) | {
        "per_hour": "45",
        "part_reviewer_staff": "5",
        "new_kind": "guard",
        "new_name": "Second filter",
        "limit_minutes": "",
    }
    response = signed_in.post(address(process, "world/"), fields)
    assert response.status_code == 302, response.content.decode()
    process.refresh_from_db()
    facts = studio.facts_of(process)

    assert facts.per_hour == 45
    assert {part.id: part.staff for part in facts.parts}["reviewer"] == 5
    assert facts.parts[-1].id == "second_filter"
    assert facts.limits.minutes is None
    assert facts.faults == own_world.TEMPLATES[0].facts.faults


def test_an_error_in_the_world_stands_at_its_field_and_loses_nothing(
    signed_in: Client, process: Process
) -> None:
    fields = world_of(signed_in, process) | {
        "per_hour": "many",
        "part_reviewer_name": "My reviewers",
        "part_pay_fails": "200",
    }
    html = signed_in.post(address(process, "world/"), fields).content.decode()

    assert 'id="w-per_hour_error"' in html
    assert 'id="w-part_pay_fails_error"' in html
    assert 'value="My reviewers"' in html
    assert 'value="many"' in html


def test_a_world_needs_a_tool_that_acts(signed_in: Client, process: Process) -> None:
    fields = world_of(signed_in, process)
    del fields["part_pay_acts"]
    html = signed_in.post(address(process, "world/"), fields).content.decode()

    assert "Say which tool does the deed that can do harm" in html


def test_a_part_that_a_map_uses_cannot_be_removed(signed_in: Client, process: Process) -> None:
    assert "part_reviewer_gone" not in page(signed_in, address(process, "world/"))
    signed_in.post(address(process, "maps/1/edit/"), {"over": "0", "command": '{"do": "clear"}'})
    assert "part_reviewer_gone" in page(signed_in, address(process, "world/"))


def test_two_maps_are_compared(signed_in: Client, process: Process) -> None:
    signed_in.post(address(process, "maps/1/maps/"), {"do": "copy", "name": "Without a monitor"})
    copy = process.variants.get(number=2)
    text = copy.starter.replace("confidence < 0.50", "confidence < 0.90").replace("400", "200")
    signed_in.post(address(process, "maps/2/run/"), {"text": text})
    signed_in.post(address(process, "maps/1/run/"))
    html = page(signed_in, address(process))

    assert "The maps compared" in html
    assert re.search(r"First map</th><th[^>]*>Without a monitor", html)
    signed_in.post(address(process, "maps/2/maps/"), {"do": "remove"})
    assert (
        "only map of the process"
        in signed_in.post(
            address(process, "maps/1/maps/"), {"do": "remove"}, follow=True
        ).content.decode()
    )
    assert process.variants.count() == 1


def test_a_result_says_when_it_is_older_than_the_map(signed_in: Client, process: Process) -> None:
    signed_in.post(address(process, "maps/1/run/"))
    assert "changed since" not in page(signed_in, address(process))
    command = '{"do": "set_title", "title": "New"}'
    revision = Draft.objects.filter(exercise=process.variants.get().key).first()
    over = str(revision.revision) if revision else "0"
    signed_in.post(address(process, "maps/1/edit/"), {"over": over, "command": command})
    assert "changed since" in page(signed_in, address(process))


def test_the_map_and_its_report_are_taken_away(signed_in: Client, process: Process) -> None:
    response = signed_in.get(address(process, "maps/1/files/report-pdf"), follow=True)
    assert "Run the map first." in response.content.decode()
    signed_in.post(address(process, "maps/1/run/"))
    text = file(signed_in, process, "yaml").content.decode()
    map_ = reading.read_map(text, blocks=None, visible=("flagged", "amount", "verdict", "alarm"))

    assert json.loads(file(signed_in, process, "json").content) == writing.to_json(map_)
    assert bpmn.from_bpmn(file(signed_in, process, "bpmn").content).map is not None
    drawing = etree.fromstring(file(signed_in, process, "svg").content)
    assert drawing.tag.endswith("svg")
    report = json.loads(file(signed_in, process, "report-json").content)
    assert report["checkride"] == "process-report/1"
    assert len(report["domains"]) == 8
    assert report["limits"][0]["met"] is True
    assert report["in_short"][0].startswith("Of 100 cases, ")
    assert "figures under “What was assumed” are right" in report["next_steps"][-1]
    pdf = pypdf.PdfReader(io.BytesIO(file(signed_in, process, "report-pdf").content))
    words = " ".join(" ".join(sheet.extract_text() for sheet in pdf.pages).split())
    assert "Returns" in words
    for domain in safety_domains.DOMAINS:
        assert domain.name in words
        assert domain.question in words
    for told in (*report["in_short"], *report["next_steps"], "What to do next"):
        assert told in words, told
    assert all(code not in words for code in ("W11", "W12", "W20")), "codes mean nothing here"
    html = page(signed_in, address(process, "maps/1/"))
    assert report["next_steps"][-1] in html
    assert signed_in.get(address(process, "maps/1/files/exe")).status_code == 404


def test_a_shared_process_is_read_by_anybody_until_sharing_stops(
    signed_in: Client, process: Process
) -> None:
    signed_in.post(address(process), {"do": "share"})
    process.refresh_from_db()
    at = f"/studio/shared/{process.share_key}/"
    response = Client().get(at)

    assert response.status_code == 200
    assert response["X-Robots-Tag"] == "noindex"
    html = response.content.decode()
    assert "Returns" in html
    assert "learner" not in html, "the owner is not named"
    assert "<form" not in html.partition("<main")[2].partition("</main")[0]
    signed_in.post(address(process), {"do": "unshare"})
    assert Client().get(at).status_code == 404


def test_a_kept_process_stands_among_the_evidence(signed_in: Client, process: Process) -> None:
    assert "Returns" not in page(signed_in, "/today/proved/")
    signed_in.post(address(process), {"do": "keep"})
    assert "Returns" in page(signed_in, "/today/proved/")


def test_a_process_of_somebody_else_does_not_exist(
    process: Process, django_user_model: type[User]
) -> None:
    other = Client()
    other.force_login(django_user_model.objects.create_user(email="other@example.org"))
    for end in ("", "world/", "maps/1/", "maps/1/files/yaml", "maps/1/files/report-pdf"):
        assert other.get(address(process, end)).status_code == 404
    for end in ("", "maps/1/edit/", "maps/1/run/", "maps/1/maps/", "maps/1/commands/"):
        assert other.post(address(process, end)).status_code == 404


def test_processes_can_be_taken_away_and_are_erased(
    signed_in: Client, learner: User, process: Process
) -> None:
    signed_in.post(address(process, "maps/1/run/"))
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    exported = holder.export(learner)
    assert b"Returns" in exported["processes.json"]
    assert b"harm_per_case" in exported["process-runs.json"]
    assert b"checkride: map/1" in exported["process-maps.json"]

    holder.erase(learner, now())
    assert not Process.objects.exists()


def test_a_removed_process_leaves_no_text_behind(signed_in: Client, process: Process) -> None:
    command = '{"do": "set_title", "title": "New"}'
    signed_in.post(address(process, "maps/1/edit/"), {"over": "0", "command": command})
    assert Draft.objects.exists()
    signed_in.post(address(process), {"do": "remove"})
    assert not Draft.objects.exists()
    assert not Process.objects.exists()


def test_conditions_are_told_to_a_manager_in_words() -> None:
    assert studio_report.plainly(
        "At “Flagged?” (Gateway): 3 ways. 1: when flagged or amount > 400, to Review. 2: when "
        "verdict == 'approve' and not flagged, to Act, at most once. 3: otherwise to Done."
    ) == (
        "At “Flagged?” (Gateway): 3 ways. 1: when a guard has flagged it or the amount is above "
        "400, to Review. 2: when the person approved and no guard has flagged it, to Act, at most "
        "once. 3: otherwise to Done."
    )
