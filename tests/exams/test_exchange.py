"""Items to GIFT and QTI 3.0 and back, and files that other programs write."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.exchange import gift, qti
from exams.exchange.loss import BadExchange, Document
from exams.scoring.item_files import item_from_document, read_items

BANK = Path(__file__).parents[2] / "exams" / "content" / "foundations" / "items"
COMMON = {
    "domain": "security",
    "competencies": ["R2"],
    "exam": ["foundations"],
    "level": "foundation",
    "cognition": "apply",
    "seconds": 60,
    "difficulty": {"angoff": 0.6},
}


@pytest.fixture(scope="module")
def bank() -> list[Document]:
    """Every kind that the Foundations bank has, from its real files."""
    found: list[Document] = []
    for name in ("security.yaml", "observability.yaml", "output-validation.yaml"):
        text = (BANK / name).read_text(encoding="utf-8")
        found += [document for _, document in read_items(text, file=name)]
    return found


SHORT: Document = {
    **COMMON,
    "id": "short",
    "kind": "text",
    "stem": "Which principle {a = b ~ c: #1} is it?",
    "accepted": ["least privilege", "the \\least: privilege"],
}


# GIFT -------------------------------------------------------------------------------------------


def test_items_come_back_from_gift_as_they_were(bank: list[Document]) -> None:
    kept = [item for item in [*bank, SHORT] if item["kind"] not in {"ordering", "hotspot"}]
    assert {item["kind"] for item in kept} >= {"single", "multiple", "text"}

    exported = gift.export(kept)
    found = gift.read(exported.text)

    assert exported.items == len(kept) == len(found.items)
    for before, after in zip(kept, found.items, strict=True):
        # Whatever comes in is a draft again: two people have not looked at this file.
        assert item_from_document(dict(after)) == item_from_document({**before, "life": "draft"})


def test_what_gift_cannot_hold_is_reported_by_item(bank: list[Document]) -> None:
    ordering = [item for item in bank if item["kind"] in {"ordering", "hotspot"}]
    assert ordering

    exported = gift.export(ordering)

    assert exported.items == 0
    assert {loss.item for loss in exported.losses} == {item["id"] for item in ordering}
    assert {(loss.what, loss.field) for loss in exported.losses} == {("dropped", "item")}


# In the manner of the examples in Moodle's documentation, with words of our own.
FOREIGN = """
// a comment
$CATEGORY: $course$/top/agents

::Capital:: Which of these may an agent do alone? {
  =Read a file # Right, it can be undone
  ~Pay an invoice # Nobody can take it back
  ~%0%Delete a backup
}

::Two:: Mark both tools that change something. {
  ~%50%pay
  ~%50%write
  ~%-100%read
  ~%-100%list
  ####Both act on the world.
}

An agent works {~slower ~cheaper =faster} than a person.

Match them. { =log -> what happened =trace -> why =  -> nobody }

How many of 200 is 2 %? {#4:0.5}

Between? {#1..5}

The last is true. {TRUE}

[html]Say it in your own words. {}

What is a = b \\{in braces\\}? {=an equation =a comparison}
"""


def test_a_foreign_gift_file_is_read_as_drafts_with_a_report() -> None:
    found = gift.read(FOREIGN)

    assert [item["kind"] for item in found.items] == [
        "single", "multiple", "single", "matching", "numeric", "numeric", "written", "text",
    ]  # fmt: skip
    single, multiple, blank, matching, number, between, _, text = found.items
    assert single["id"] == "capital"
    assert [option.get("key", False) for option in single["options"]] == [True, False, False]
    assert single["options"][1]["but"] == "Nobody can take it back"
    assert (multiple["choose"], blank["stem"]) == (2, "An agent works _____ than a person.")
    assert matching["key"] == {"l1": "r1", "l2": "r2"}
    assert len(matching["right"]) == 3
    assert number["answer"] == {"value": 4, "tolerance": 0.5, "unit": "?"}
    assert between["answer"] == {"value": 3, "tolerance": 2, "unit": "?"}
    assert text["stem"] == "What is a = b {in braces}?"
    assert all(item["life"] == "draft" for item in found.items)
    reported = {(loss.what, loss.field) for loss in found.losses}
    assert {
        ("dropped", "category"),
        ("dropped", "item"),
        ("dropped", "general feedback"),
        ("changed", "format"),
        ("changed", "unit"),
    } <= reported


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "no question"), ("::no end of the title", "has no end"), ("No braces here.", "braces")],
)
def test_what_is_no_gift_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadExchange, match=says):
        gift.read(text)


@given(st.lists(st.text(min_size=1, max_size=40), min_size=3, max_size=6))
def test_any_text_survives_gift(texts: list[str]) -> None:
    shown = [" ".join(f"x {text}".replace("\x00", "").split()) for text in texts]
    item = {
        **COMMON,
        "id": "any",
        "kind": "single",
        "stem": " ".join(f"Q {shown[0]} ?".split()),
        "options": [
            {"id": str(n), "text": text, **({"key": True, "why": "w"} if n == 0 else
             {"believes": "b", "but": "c"})}
            for n, text in enumerate(shown)
        ],
    }  # fmt: skip

    (back,) = gift.read(gift.export([item]).text).items

    assert [option["text"] for option in back["options"]] == shown
    assert back["stem"] == item["stem"]


@given(st.text(max_size=300))
def test_reading_gift_never_breaks(text: str) -> None:
    with contextlib.suppress(BadExchange):
        assert gift.read(text) == gift.read(text)


# QTI --------------------------------------------------------------------------------------------


def _core(document: Document) -> Any:
    """What QTI holds of an item: the task and its key."""
    item = item_from_document(
        {**COMMON, **document, **_reasons(document)}
        if "options" in document
        else {**COMMON, **document}
    )
    return item.kind, item.stem, item.log, item.key


def _reasons(document: Document) -> dict[str, Any]:
    filled = [{**option, "why": "w", "believes": "b", "but": "c"} for option in document["options"]]
    return {"options": filled}


def test_items_come_back_from_qti_with_their_task_and_key(bank: list[Document]) -> None:
    plain = [item for item in [*bank, SHORT] if item["kind"] not in {"numeric", "hotspot"}]
    kinds = set()
    for item in plain:
        exported = qti.export(item)
        (back,) = qti.read(exported.text.encode()).items
        assert _core(back) == _core(item)
        kinds.add(item["kind"])
        assert any(loss.field == "domain" for loss in exported.losses)
    assert kinds >= {"single", "multiple", "text"}


def test_a_tolerance_is_lost_in_qti_and_said_to_be() -> None:
    item = {
        **COMMON,
        "id": "number",
        "kind": "numeric",
        "stem": "How many?",
        "answer": {"value": 37.5, "unit": "percent", "tolerance": 0.5},
    }

    exported = qti.export(item)
    (back,) = qti.read(exported.text.encode()).items

    assert any(loss.field == "tolerance" for loss in exported.losses)
    assert back["answer"] == {"value": 37.5, "unit": "percent", "tolerance": 0}


def test_a_kind_without_an_interaction_is_reported(bank: list[Document]) -> None:
    spot = next(item for item in bank if item["kind"] == "hotspot")

    exported = qti.export(spot)

    assert (exported.text, exported.items) == ("", 0)
    assert exported.losses[0].field == "item"


HEAD = '<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="X 1">'


def test_another_tools_item_is_read_and_what_is_left_out_is_told() -> None:
    text = f"""{HEAD}
      <qti-response-declaration identifier="R" cardinality="single" base-type="identifier">
        <qti-correct-response><qti-value>B</qti-value></qti-correct-response>
      </qti-response-declaration>
      <qti-item-body><div><p>Look at <b>this</b> log.</p><img src="x.png" alt=""/></div>
        <qti-choice-interaction response-identifier="R" max-choices="1">
          <qti-prompt>What went wrong?</qti-prompt>
          <qti-simple-choice identifier="A">One</qti-simple-choice>
          <qti-simple-choice identifier="B">Two <i>ways</i></qti-simple-choice>
          <qti-simple-choice identifier="C">Three</qti-simple-choice>
        </qti-choice-interaction></qti-item-body></qti-assessment-item>"""

    found = qti.read(text.encode())

    (item,) = found.items
    assert (item["id"], item["kind"], item["life"]) == ("x-1", "single", "draft")
    assert item["stem"] == "Look at this log. What went wrong?"
    assert item["options"][1] == {"id": "B", "text": "Two ways", "key": True}
    assert [(loss.what, loss.field) for loss in found.losses] == [("dropped", "img")]


def test_interactions_beyond_the_subset_are_reported_and_not_guessed() -> None:
    text = f"{HEAD}<qti-item-body><qti-hotspot-interaction/></qti-item-body></qti-assessment-item>"

    found = qti.read(text.encode())

    assert found.items == ()
    assert "qti-hotspot-interaction" in str(found.losses[0])


@pytest.mark.parametrize(
    "file",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><qti-assessment-item/>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'.encode("utf-16"),
        b"<not-qti/>",
        b"<broken",
        b"",
        b"<a>" * 100 + b"x" * 1_000_000,
    ],
    ids=["entity", "utf-16 external", "other root", "broken", "empty", "large"],
)
def test_a_file_that_could_do_harm_or_is_no_item_is_refused(file: bytes) -> None:
    with pytest.raises(BadExchange, match="Nothing was imported"):
        qti.read(file)


def test_the_command_writes_items_and_reads_them_back(tmp_path: Path) -> None:
    import json

    from django.core.management import CommandError, call_command

    written, report = tmp_path / "bank.gift", tmp_path / "losses.json"
    call_command("exchange_items", "export", "gift", str(written), report=report)
    drafts = tmp_path / "drafts.yaml"
    call_command("exchange_items", "import", "gift", str(written), out=drafts)

    found = read_items(drafts.read_text(encoding="utf-8"), file="drafts.yaml")
    assert len(found) > 100
    assert {item.life for item, _ in found} == {"draft"}
    assert {"item", "what", "field", "says"} == set(json.loads(report.read_text())[0])
    with pytest.raises(CommandError, match="is there already"):
        call_command("exchange_items", "import", "gift", str(written), out=drafts)
