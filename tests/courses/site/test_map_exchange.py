"""BPMN at the map workbench: what comes out, what goes in, and that no text is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import catalog
from courses.models import Draft, ReplacedDraft
from courses.simulators.workflows import bpmn, conditions, reading
from courses.simulators.workflows.model import WorkflowMap

from .conftest import strong

PAGE = "/exercises/refunds/"


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


def save(client: Client, text: str) -> None:
    assert client.post(f"{PAGE}draft/", {"text": text}).status_code == 200


def upload(client: Client, file: str | bytes, text: str = "", name: str = "model.bpmn") -> str:
    content = file.encode() if isinstance(file, str) else file
    response = client.post(
        f"{PAGE}import/", {"text": text, "file": SimpleUploadedFile(name, content)}, follow=True
    )
    assert response.status_code == 200
    return response.content.decode()


def exported(client: Client) -> str:
    response = client.get(f"{PAGE}map.bpmn")
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="refunds.bpmn"'
    return response.content.decode()


def draft(learner: User) -> str:
    return Draft.objects.get(user=learner, exercise="refunds").text


def test_a_map_goes_out_as_bpmn_and_comes_back_the_same(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    save(signed_in, strong("refunds"))
    file = exported(signed_in)
    save(signed_in, "an other text")
    html = upload(signed_in, file)

    assert "“model.bpmn” is in the editor." in html
    assert "16 steps and 19 ways were taken." in html
    assert bpmn.to_bpmn(read(draft(learner))) == file


def read(text: str) -> WorkflowMap:
    return reading.read_map(text, blocks=None, visible=tuple(conditions.VARIABLES))


def test_before_a_learner_wrote_anything_the_starting_map_goes_out(
    loaded: Path, signed_in: Client
) -> None:
    starter = catalog.exercise("refunds").document["starter"]  # type: ignore[union-attr]

    assert exported(signed_in) == bpmn.to_bpmn(read(starter))


def test_a_text_with_problems_has_no_bpmn_and_the_page_says_so(
    loaded: Path, signed_in: Client
) -> None:
    save(signed_in, "checkride: map/1")
    response = signed_in.get(f"{PAGE}map.bpmn", follow=True)

    assert "there is no BPMN of it yet" in response.content.decode()


def test_what_is_on_the_page_and_what_was_saved_can_both_be_put_back(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    save(signed_in, "saved text")
    html = upload(signed_in, bpmn.to_bpmn(read(strong("refunds"))), text="typed\r\nafter that")
    imported = draft(learner)
    kept = ReplacedDraft.objects.filter(user=learner)

    assert {row.text for row in kept} == {"saved text", "typed\nafter that"}
    assert html.count("/put-back/") == 2

    row = kept.get(text="saved text")
    signed_in.post(f"{PAGE}put-back/{row.pk}/", {"text": imported})
    assert draft(learner) == "saved text"
    assert {row.text for row in kept.all()} == {imported, "typed\nafter that"}


def test_a_refused_file_changes_nothing_and_is_told_in_words(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    save(signed_in, "saved text")
    html = upload(signed_in, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', name="<b>.bpmn")

    assert "Nothing was taken; your text is as it was." in html
    assert "document type or entities" in html
    assert draft(learner) == "saved text"
    assert not ReplacedDraft.objects.exists()


def test_a_file_over_a_megabyte_is_refused(loaded: Path, signed_in: Client) -> None:
    assert "larger than 1 MB" in upload(signed_in, b" " * 1_000_001)


def test_the_name_of_a_file_is_shown_as_text(loaded: Path, signed_in: Client) -> None:
    html = upload(signed_in, bpmn.to_bpmn(read(strong("refunds"))), name="<b>x</b>.bpmn")

    assert "<b>x" not in html


FOREIGN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">
<startEvent id="s" name="Request"/><serviceTask id="t1" name="Look up order"/>
<serviceTask id="t2" name="Step two"/><endEvent id="e" name="Done"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="t1"/>
<sequenceFlow id="f2" sourceRef="t1" targetRef="t2"/>
<sequenceFlow id="f3" sourceRef="t2" targetRef="e"/></process></definitions>"""


def test_a_foreign_file_gets_the_blocks_of_the_exercise_or_says_line_by_line_what_to_choose(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    html = upload(signed_in, FOREIGN)
    text = draft(learner).splitlines()

    assert "“Look up order” is done by Order database." in html
    assert text[5] == '  t1: {kind: tool, block: order_db, name: "Look up order"}'
    assert "1 step has no block yet." in html
    assert 'href="/exercises/refunds/?view=text#line-7">Line 7</a>: “Step two” is a step' in html
    assert "Choose its block: Order database (block: order_db) or Payment (block: payment)." in html
    assert text[6] == '  t2: {kind: tool, name: "Step two"}'


def test_the_report_of_an_import_is_shown_once(loaded: Path, signed_in: Client) -> None:
    upload(signed_in, bpmn.to_bpmn(read(strong("refunds"))))

    assert "is in the editor." not in signed_in.get(PAGE).content.decode()


def test_without_a_file_the_page_asks_for_one(loaded: Path, signed_in: Client) -> None:
    html = signed_in.post(f"{PAGE}import/", {"text": "x"}, follow=True).content.decode()

    assert "Choose a BPMN file first." in html


def test_a_text_of_somebody_else_cannot_be_put_back(
    loaded: Path, signed_in: Client, learner: User, django_user_model: type[User]
) -> None:
    other = django_user_model.objects.create_user(email="other@example.org")
    row = ReplacedDraft.objects.create(user=other, exercise="refunds", text="theirs")
    html = signed_in.post(f"{PAGE}put-back/{row.pk}/", follow=True).content.decode()

    assert "was put back already" in html
    assert ReplacedDraft.objects.filter(pk=row.pk).exists()
    assert not Draft.objects.filter(user=learner).exists()


def test_only_the_last_twenty_replaced_texts_are_kept(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    file = bpmn.to_bpmn(read(strong("refunds")))
    for number in range(22):
        upload(signed_in, file, text=f"text {number}")

    assert ReplacedDraft.objects.filter(user=learner).count() == 20


def test_a_prompt_exercise_has_no_bpmn(loaded: Path, signed_in: Client) -> None:
    assert signed_in.get("/exercises/refund-triage/map.bpmn").status_code == 404
    assert signed_in.post("/exercises/refund-triage/import/").status_code == 404


def test_replaced_texts_are_part_of_what_a_person_can_take_away_and_have_erased(
    loaded: Path, learner: User
) -> None:
    ReplacedDraft.objects.create(user=learner, exercise="refunds", text="old words")
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    assert b"old words" in holder.export(learner)["replaced-drafts.json"]

    holder.erase(learner, now())
    assert not ReplacedDraft.objects.exists()


def test_the_button_says_how_many_cases_all_days_have_together(
    loaded: Path, signed_in: Client
) -> None:
    html = signed_in.get(PAGE).content.decode()

    assert re.search(r"Run 360,000 cases", html)
