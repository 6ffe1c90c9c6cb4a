"""A BPMN file goes into the map workbench in a browser, and the text it replaced comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from .test_workbench import sign_in, write

FILE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t">
  <process id="p" name="Returns"><startEvent id="a" name="A return arrives"/>
  <serviceTask id="b" name="Look up order"/><endEvent id="c" name="Done"/><dataObject id="e"/>
  <sequenceFlow id="f" sourceRef="a" targetRef="b"/>
  <sequenceFlow id="g" sourceRef="b" targetRef="c"/></process>
</definitions>"""

pytestmark = pytest.mark.xdist_group("live_site")


def test_an_import_keeps_what_was_typed_and_says_what_it_left_out(
    live_site: Any, new_visitor: Callable[[], Any], tmp_path: Path
) -> None:
    file = tmp_path / "returns.bpmn"
    file.write_text(FILE, encoding="utf-8")
    visitor = new_visitor()
    page = visitor.page
    sign_in(page, live_site.url)
    visitor.open("/exercises/refunds/?view=text")
    write(page, "typed a moment ago")
    page.get_by_text("Import a BPMN file").click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Import").click()

    expect(page.get_by_text("“returns.bpmn” is in the editor.")).to_be_visible()
    expect(page.get_by_text("1 data object was left out.")).to_be_visible()
    expect(page.locator("#text")).to_have_value(
        "checkride: map/1\n"
        "id: returns\n"
        'title: "Returns"\n'
        "nodes:\n"
        '  a: {kind: trigger, name: "A return arrives"}\n'
        '  b: {kind: tool, block: order_db, name: "Look up order"}\n'
        '  c: {kind: end, name: "Done"}\n'
        "edges:\n"
        "  - a -> b\n"
        "  - b -> c\n"
    )
    expect(page.get_by_text("“Look up order” is done by Order database.")).to_be_visible()
    expect(page.get_by_text("“c” lacks “outcome”. It is one of")).to_be_visible(timeout=30_000)
    visitor.look("map-imported")

    page.get_by_role("button", name="Put back").click()
    page.get_by_text("Import a BPMN file").click()
    expect(page.locator("#text")).to_have_value("typed a moment ago")
    assert visitor.complaints == []
