"""The step-by-step editor: every edit by a form, without scripts, and none of them loses anything."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from checkride.accounts import personal_data
from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import catalog
from courses.models import Draft, MapEdit
from courses.simulators.workflows import conditions, reading
from courses.simulators.workflows.model import WorkflowMap

from .conftest import strong

PAGE = "/exercises/refunds/"


@pytest.fixture
def signed_in(client: Client, learner: User, loaded: Path) -> Client:
    client.force_login(learner)
    return client


def page(client: Client, query: str = "") -> str:
    response = client.get(PAGE + query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def send(client: Client, **fields: Any) -> str:
    """Post an edit from the page as it is now, and give back the page that comes then."""
    draft = Draft.objects.filter(exercise="refunds").first()
    fields.setdefault("over", 0 if draft is None else draft.revision)
    response = client.post(f"{PAGE}edit/", fields, follow=True)
    assert response.status_code == 200
    return unescape(response.content.decode())


def command(client: Client, **fields: Any) -> str:
    return send(client, command=json.dumps(fields))


def saved(learner: User) -> WorkflowMap:
    text = Draft.objects.get(user=learner, exercise="refunds").text
    return reading.read_map(text, blocks=None, visible=tuple(conditions.VARIABLES))


def ways(learner: User) -> list[str]:
    return [edge.sentence for edge in saved(learner).edges]


def test_the_steps_are_what_a_learner_sees_first(signed_in: Client) -> None:
    html = page(signed_in)

    assert "Your map, step by step" in html
    assert '<textarea id="text"' not in html
    assert '<textarea id="text"' in page(signed_in, "?view=text")
    assert '<textarea id="text"' in page(signed_in), "the view is remembered"


def test_a_step_is_added_in_a_way_by_a_form(signed_in: Client, learner: User) -> None:
    html = page(signed_in, "?edit=add:check")
    assert "Add a step after “Policy check”" in html
    html = send(
        signed_in,
        edit="add:check",
        name="Needs a human?",
        what="gateway",
        where="into:check -> pay",
    )

    assert "Added “Needs a human?” between “Policy check” and “Pay refund”." in html
    assert {"check -> needs_a_human", "needs_a_human -> pay otherwise"} < set(ways(learner))


def test_a_condition_is_made_of_questions(signed_in: Client, learner: User) -> None:
    send(signed_in, edit="add:check", name="Ask", what="gateway", where="into:check -> pay")
    send(signed_in, edit="add:ask", name="Review", what="human:reviewer", where="alone")
    html = send(
        signed_in,
        edit="connect:ask",
        dst="review",
        how="question",
        join="or",
        q1="flagged",
        q2="confidence < #",
        n2="0.80",
        q3="amount > #",
        n3="400",
    )

    assert "ask -> review when flagged or confidence < 0.80 or amount > 400" in ways(learner)
    assert "Connected “Ask” to “Review”." in html
    number = ways(learner).index("ask -> review when flagged or confidence < 0.80 or amount > 400")
    html = page(signed_in, f"?edit=way:{number}")
    assert '<option value="flagged" selected>' in html
    assert 'value="0.80"' in html
    assert 'value="400"' in html


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(
    signed_in: Client, learner: User
) -> None:
    html = send(signed_in, edit="add:check", name="A name I typed", what="rollback:reversal")

    assert "Say which step this rollback takes back." in html
    assert 'value="A name I typed"' in html
    assert 'aria-describedby="f-undoes_error' in html or 'id="f-undoes_error"' in html
    assert not Draft.objects.filter(user=learner).exists()


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"edit": "step:lookup", "name": "L", "what": "tool:order_db", "id": "lookup",
          "retries": "2", "backoff": "soon"}, "backoff", "is a time"),
        ({"edit": "step:lookup", "name": "", "what": "tool:order_db", "id": "lookup"}, "name",
         "Give the step a name"),
        ({"edit": "connect:alarm", "dst": "paid", "how": "question", "own": "flaged"}, "own",
         "Nobody knows “flaged”"),
        ({"edit": "connect:alarm", "dst": "paid", "how": "question", "q1": "amount > #",
          "n1": "much"}, "n1", "Write a number"),
        ({"edit": "connect:lookup", "dst": "", "how": "ok"}, "dst", "Say which step it leads to"),
    ],
)  # fmt: skip
def test_each_field_has_its_own_sentence(
    signed_in: Client, fields: dict[str, str], field: str, words: str
) -> None:
    html = send(signed_in, **fields)

    found = re.search(rf'<p class="error" id="f-{field}_error">([^<]*)</p>', html)
    assert found is not None, html
    assert words in found[1]


def test_settings_of_a_step_are_changed_and_its_id_is_carried(
    signed_in: Client, learner: User
) -> None:
    send(
        signed_in,
        edit="step:lookup",
        name="Find the order",
        what="tool:order_db",
        retries="3",
        backoff="1m",
        note="eight in a hundred fail",
        id="find",
    )
    node = saved(learner).node("find")

    assert (node.name, node.retries, node.backoff_s) == ("Find the order", 3, 60)
    assert "find -> draft" in ways(learner)


def test_undo_and_redo_go_through_the_commands_one_by_one(signed_in: Client, learner: User) -> None:
    command(signed_in, do="remove_step", id="handed")
    command(signed_in, do="set_title", title="Mine")
    html = send(signed_in, history="undo")
    assert "Undone: Called the map “Mine”." in html
    assert saved(learner).title == "Trust it"
    send(signed_in, history="undo")
    assert "escalate -> handed" in ways(learner)
    send(signed_in, history="redo")
    assert "escalate -> handed" not in ways(learner)
    command(signed_in, do="move_step", id="paid", by=-1)
    assert "There is nothing to do again." in send(signed_in, history="redo")


def test_an_edit_as_text_is_an_entry_of_the_same_history(signed_in: Client, learner: User) -> None:
    command(signed_in, do="set_title", title="First")
    text = Draft.objects.get(user=learner).text.replace("First", "Typed")
    signed_in.post(f"{PAGE}draft/", {"text": text})
    command(signed_in, do="set_title", title="Last")

    titles = []
    for _turn in range(3):
        send(signed_in, history="undo")
        titles.append(saved(learner).title)
    assert titles == ["Typed", "First", "Trust it"]


def test_a_text_that_is_no_map_is_kept_until_somebody_empties_it(
    signed_in: Client, learner: User
) -> None:
    signed_in.post(f"{PAGE}draft/", {"text": "checkride: map/1\nid: ["})
    html = page(signed_in)
    assert "so there are no steps to edit" in html

    signed_in.post(f"{PAGE}edit/", {"command": '{"do": "clear"}'})
    assert saved(learner).nodes == ()
    assert "The map is empty." in page(signed_in)
    send(signed_in, history="undo")
    assert Draft.objects.get(user=learner).text == "checkride: map/1\nid: ["


def test_an_older_page_overwrites_nothing(signed_in: Client, learner: User) -> None:
    command(signed_in, do="set_title", title="Newer")
    html = send(
        signed_in,
        over="0",
        edit="step:lookup",
        name="Typed here",
        what="tool:order_db",
        id="lookup",
    )

    assert "changed somewhere else" in html
    assert 'value="Typed here"' in html
    assert saved(learner).node("lookup").name == "Look up order"
    assert "saved somewhere else" in send(signed_in, over="0", history="undo")


def test_the_map_of_an_older_run_can_be_taken_back(signed_in: Client, learner: User) -> None:
    signed_in.post(f"{PAGE}run/", {"text": strong("refunds")})
    command(signed_in, do="clear")
    html = unescape(signed_in.get(f"{PAGE}runs/1/").content.decode())
    assert "This is the map of run 1. Your map has changed since." in html

    signed_in.post(f"{PAGE}edit/", {"take_run": "1"})
    assert Draft.objects.get(user=learner).text == strong("refunds")
    send(signed_in, history="undo")
    assert saved(learner).nodes == ()


@pytest.mark.slow
def test_the_refund_map_is_built_from_nothing_by_buttons_and_forms(
    signed_in: Client, learner: User
) -> None:
    target = reading.read_map(strong("refunds"), blocks=None, visible=tuple(conditions.VARIABLES))
    command(signed_in, do="clear")
    for node in sorted(target.nodes, key=lambda node: node.kind == "rollback"):
        what = f"end:{node.outcome}" if node.kind == "end" else node.kind
        if node.block:
            what = f"{node.kind}:{node.block}"
        html = send(signed_in, edit="add:", name=node.name, what=what, undoes=_id(learner, target))
        assert "Added" in html, node
    names = {node.name: node.id for node in saved(learner).nodes}
    ids = {node.id: names[node.name] for node in target.nodes}
    for edge in target.edges:
        fields = {"dst": ids[edge.dst], "how": edge.on, "most": edge.most or ""}
        if target.node(edge.src).kind == "gateway":
            fields |= {"how": "question" if edge.when else "otherwise", "own": edge.when or ""}
        assert "Connected" in send(signed_in, edit=f"connect:{ids[edge.src]}", **fields), edge
    built = saved(learner)

    assert len(built.nodes) == 16
    assert {(e.on, e.when, e.otherwise, e.most) for e in built.edges} == {
        (e.on, e.when, e.otherwise, e.most) for e in target.edges
    }
    response = signed_in.post(f"{PAGE}run/", {"text": Draft.objects.get(user=learner).text})
    assert response.status_code == 302


def _id(learner: User, target: WorkflowMap) -> str:
    """The id that the payment has got, once it is there."""
    draft = Draft.objects.filter(user=learner).first()
    named = target.node("pay").name
    if draft is None or named not in draft.text:
        return ""
    return next(node.id for node in saved(learner).nodes if node.name == named)


@pytest.mark.parametrize("opened", ["way:99999", "step:nobody", "add:nobody", "x", "way:-1"])
def test_a_place_that_is_gone_opens_nothing(signed_in: Client, opened: str) -> None:
    assert 'id="form"' not in page(signed_in, f"?edit={opened}")
    assert "saved somewhere else" in send(signed_in, edit=opened, name="x")


def test_the_canvas_sends_the_same_commands(signed_in: Client, learner: User) -> None:
    def send_json(data: Any) -> Any:
        return signed_in.post(f"{PAGE}commands/", json.dumps(data), content_type="text/plain")

    answer = send_json(
        {"over": 0, "commands": [{"do": "remove_way", "way": "pay -> escalate on error"}]}
    ).json()
    assert answer["revision"] == 1
    assert [row["code"] for row in answer["findings"] if row["code"] == "W08"]
    assert "pay -> escalate on error" not in ways(learner)

    refused = send_json({"over": 1, "commands": [{"do": "remove_step", "id": "pay"}]})
    assert refused.status_code == 400
    assert "takes back what" in refused.json()["message"]
    assert refused.json()["revision"] == 1
    assert send_json({"over": 0, "history": "undo"}).status_code == 409
    assert send_json({"over": 1, "history": "undo"}).json()["undo"] == ""
    for nonsense in (None, {"over": "1"}, {"over": 2, "commands": []}, {"over": 2}):
        assert send_json(nonsense).status_code == 400


def test_edits_are_part_of_what_a_person_can_take_away_and_have_erased(
    signed_in: Client, learner: User
) -> None:
    command(signed_in, do="set_title", title="My own title")
    holder = next(row for row in personal_data.holders() if row.name == "courses")
    assert b"My own title" in holder.export(learner)["map-edits.json"]

    holder.erase(learner, now())
    assert not MapEdit.objects.exists()


def test_a_prompt_exercise_has_no_steps(signed_in: Client) -> None:
    assert signed_in.post("/exercises/refund-triage/edit/").status_code == 404
    assert signed_in.post("/exercises/refund-triage/commands/").status_code == 404
    assert catalog.exercise("refund-triage") is not None


def test_what_the_map_buys_is_chosen_in_a_form_and_told(signed_in: Client, learner: User) -> None:
    html = page(signed_in, "?edit=options")
    assert "You buy nothing beyond the usual." in html
    assert "5 people, for $80 an hour more: $2.67 on every case" in html
    assert "What you can buy" in html, "the brief lists it, too"
    html = send(signed_in, edit="options", **{"reviewer.staff": "4", "refund_agent": "v2"})

    assert "Changed what is bought" in html
    assert "You buy: Reviewer: 4 people instead of 3; Refund agent: v2 instead of v3." in html
    assert saved(learner).options == (("reviewer.staff", 4), ("refund_agent", "v2"))
    html = send(signed_in, edit="options", **{"reviewer.staff": "40", "refund_agent": ""})
    assert "40 is not one of the available choices" in html
    assert saved(learner).options == (("reviewer.staff", 4), ("refund_agent", "v2"))


def test_a_priority_is_chosen_in_the_form_of_a_person(signed_in: Client, learner: User) -> None:
    form = page(signed_in, "?edit=step:escalate")
    assert "1: served first" in form
    assert "1: served first" not in page(signed_in, "?edit=step:lookup")
    send(
        signed_in,
        edit="step:escalate",
        name="Escalate to Priya",
        what="escalation:senior",
        priority="1",
        id="escalate",
    )

    assert saved(learner).node("escalate").priority == 1
    assert "priority 1 of 5" in page(signed_in)
