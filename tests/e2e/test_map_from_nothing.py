"""The refund map is built from nothing: with keys alone, and through what a screen reader gets, there
once by the forms and once on the drawing.

All are proofs: they press every key that a person would press, and take a minute each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from courses.simulators.workflows import conditions, reading
from courses.simulators.workflows.model import Edge, Node, WorkflowMap
from courses.simulators.workflows.outline import OUTCOME_WORDS
from courses.simulators.workflows.writing import duration_text

from .conftest import SIZES
from .test_workbench import sign_in

Json = Any

CONTENT = Path(__file__).resolve().parents[2] / "courses" / "content"
FILE = CONTENT / "systems-thinking" / "exercises" / "refunds" / "maps" / "strong.yaml"
TARGET = reading.read_map(
    FILE.read_text(encoding="utf-8"), blocks=None, visible=tuple(conditions.VARIABLES)
)
# What a learner reads in the brief: the names of the blocks.
BLOCKS = {
    "order_db": "Order database",
    "refund_agent": "Refund agent",
    "policy_check": "Policy check",
    "reviewer": "Reviewer",
    "payment": "Payment",
    "spend_monitor": "Payment watch",
    "reversal": "Reversal",
    "senior": "Priya",
}
PAGE = "/exercises/refunds/"

# The focus is on a step of the drawing, and that step is the chosen one. A function, since the
# page's policy forbids it to evaluate text.
AT_A_STEP = "() => document.activeElement.matches('[role=option][aria-selected=true]')"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live_site")]


def steps_in_order() -> list[Node]:
    """A rollback names the step that it takes back, so that one comes first."""
    return sorted(TARGET.nodes, key=lambda node: node.kind == "rollback")


def what_it_is(node: Node) -> str:
    if node.block:
        return BLOCKS[node.block]
    if node.outcome:
        return f"End: {OUTCOME_WORDS[node.outcome]}"
    return {
        "trigger": "Trigger: where cases arrive",
        "gateway": "Gateway: asks, and sends cases different ways",
    }[node.kind]


def labelled(node: Node) -> str:
    return f"{node.name} ({node.kind})"


def how_words(edge: Edge) -> str:
    if TARGET.node(edge.src).kind == "gateway":
        return "when the questions below say so" if edge.when else "otherwise: when no other"
    words = {"error": "when the step fails", "timeout": "when nobody answers in time"}
    return words.get(edge.on, "when the step is done")


def shape(map_: WorkflowMap) -> tuple[Any, ...]:
    """A map without its ids, which a form makes from the names."""
    names = {node.id: node.name for node in map_.nodes}
    return (
        {
            (n.name, n.kind, n.block, n.retries, n.backoff_s, n.patience_s, n.outcome,
             names.get(n.undoes or ""))
            for n in map_.nodes
        },
        {
            (names[e.src], names[e.dst], e.on, e.when, e.otherwise, e.most) for e in map_.edges
        },
    )  # fmt: skip


def built(visitor: Any) -> WorkflowMap:
    visitor.open(f"{PAGE}?view=text")
    text = visitor.page.locator("#text").input_value()
    return reading.read_map(text, blocks=None, visible=tuple(conditions.VARIABLES))


def is_the_refund_map(visitor: Any) -> None:
    assert shape(built(visitor)) == shape(TARGET)
    visitor.page.locator("button.btn--primary[form=work]").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_text(re.compile("^Passed")).first).to_be_visible(timeout=90_000)
    assert visitor.complaints == []


@pytest.fixture
def learner(live_site: Any, new_visitor: Callable[[], Any]) -> Any:
    visitor = new_visitor()
    sign_in(visitor.page, live_site.url)
    return visitor


# With keys alone, on the drawing ------------------------------------------------------------------


class Keys:
    """Presses keys and looks at what is in focus, as a person does; nothing is clicked."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def here(self) -> str:
        """What has the focus, in words."""
        return str(
            self.page.evaluate(
                """() => {
                    const one = document.activeElement;
                    const label = one.labels?.[0]?.textContent ?? '';
                    return (label || one.getAttribute('aria-label') || one.textContent || '')
                        .replace(/\\s+/g, ' ').trim();
                }"""
            )
        )

    def tab_to(self, words: str) -> None:
        for _turn in range(150):
            if self.here().startswith(words):
                return
            self.press("Tab")
        pytest.fail(f"“{words}” is not reached with the Tab key; the last was “{self.here()}”")

    def choose(self, words: str) -> None:
        """In a list of choices, go down until this one is chosen."""
        self.press("Home")
        for _turn in range(40):
            chosen = self.page.evaluate("document.activeElement.selectedOptions[0].textContent")
            if str(chosen).startswith(words):
                return
            self.press("ArrowDown")
        pytest.fail(f"“{words}” is not among the choices")

    def dialog_is(self, *, open_: bool) -> None:
        expect(self.page.locator("dialog[open]")).to_have_count(1 if open_ else 0)

    def to_step(self, name: str) -> None:
        """Go through the steps of the drawing until this one is reached."""
        self.page.wait_for_function(AT_A_STEP)
        self.press("Home")
        self.page.wait_for_function(
            "() => document.activeElement.matches('[role=option]:first-child[aria-selected=true]')"
        )
        for _turn in range(60):
            if self.here().startswith(f"{name}, "):
                return
            self.step("PageDown")
        pytest.fail(f"“{name}” is not reached with the keys")

    def step(self, key: str) -> None:
        """Press a key that moves the focus, and wait until it has."""
        before = self.here()
        self.press(key)
        self.page.wait_for_function(
            """before => document.activeElement.matches('[role=option][aria-selected=true]')
                && document.activeElement.textContent.replace(/\\s+/g, ' ').trim() !== before""",
            arg=before,
        )


def test_with_keys_alone_on_the_drawing(learner: Any) -> None:
    learner.open(f"{PAGE}?view=steps")
    page, keys = learner.page, Keys(learner.page)
    begin = page.get_by_role("button", name="Begin with an empty map")
    keys.tab_to("Begin with an empty map" if begin.count() else "Empty the map")
    keys.press("Enter")
    expect(page.get_by_text("The map is empty.")).to_be_visible()
    keys.tab_to("Drawing")
    keys.press("Enter")
    expect(page.locator(".mapcanvas [role=toolbar]")).to_be_visible(timeout=60_000)
    said = page.locator(".mapsaid")
    keys.tab_to("Add step")
    for number, node in enumerate(steps_in_order()):
        keys.press("a" if number else "Enter")
        keys.dialog_is(open_=True)
        page.keyboard.type(node.name)
        keys.tab_to("What it is")
        keys.choose(what_it_is(node))
        if node.undoes:
            keys.tab_to("Takes back")
            keys.choose(labelled(TARGET.node(node.undoes)))
        if page.locator("dialog [name=where]").count():
            keys.tab_to("Where it stands")
            keys.choose("nothing leads to it yet")
        keys.tab_to("Add step")
        keys.press("Enter")
        keys.dialog_is(open_=False)
        expect(said).to_have_text(f"Added “{node.name}”.")
        page.wait_for_function(AT_A_STEP)
        if node.retries is not None or node.patience_s is not None:
            change(keys, node, said)
    for edge in TARGET.edges:
        keys.to_step(TARGET.node(edge.src).name)
        keys.press("c")
        keys.dialog_is(open_=True)
        keys.tab_to("Leads to")
        keys.choose(TARGET.node(edge.dst).name + " (")
        keys.tab_to("When a case goes there")
        keys.choose(how_words(edge))
        if edge.when:
            keys.tab_to("Or write the condition")
            page.keyboard.type(edge.when)
        if edge.most:
            keys.tab_to("The same case at most")
            page.keyboard.type(str(edge.most))
        keys.tab_to("Connect")
        keys.press("Enter")
        keys.dialog_is(open_=False)
        names = f"“{TARGET.node(edge.src).name}” to “{TARGET.node(edge.dst).name}”"
        expect(said).to_have_text(f"Connected {names}.")
    learner.look("map-drawn-with-keys")
    keys.press("Control+z")
    expect(said).to_contain_text("Undone: Connected")
    keys.press("Control+Shift+z")
    expect(said).to_contain_text("Done again: Connected")

    is_the_refund_map(learner)


def change(keys: Keys, node: Node, said: Any) -> None:
    """The settings of the step that was just added, which is still the chosen one."""
    keys.press("Enter")
    keys.dialog_is(open_=True)
    if node.retries is not None and node.backoff_s is not None:
        keys.tab_to("Tries again")
        keys.page.keyboard.type(str(node.retries))
        keys.tab_to("Waits before")
        keys.page.keyboard.type(duration_text(node.backoff_s))
    if node.patience_s is not None:
        keys.tab_to("Waits for an answer")
        keys.page.keyboard.type(duration_text(node.patience_s))
    keys.tab_to("Save")
    keys.press("Enter")
    keys.dialog_is(open_=False)
    keys.page.wait_for_function(AT_A_STEP)
    expect(said).to_have_text(f"Changed “{node.name}”.")


# Through the accessibility tree -------------------------------------------------------------------


class Reader:
    """Finds things as a screen reader does: by role and name in the browser's accessibility tree.

    What is found gets the focus and then keys; the page itself is never searched.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.link = page.context.new_cdp_session(page)
        self.link.send("Accessibility.enable")
        self.link.send("DOM.enable")
        self.known: list[tuple[str, str, Json]] = []

    def tree(self) -> list[tuple[str, str, Json]]:
        """Role, name and the node itself of everything that is told, as it is now."""
        self.page.wait_for_load_state()
        self.known = [
            (
                str(node.get("role", {}).get("value", "")),
                str(node.get("name", {}).get("value", "")),
                node,
            )
            for node in self.link.send("Accessibility.getFullAXTree")["nodes"]
            if not node.get("ignored")
        ]
        return self.known

    def find(self, role: str, name: str, *, now: bool = False) -> int | None:
        """The node of this role whose name begins with the words.

        What was told since the last deed still holds, unless it is asked `now`.
        """
        found = None if now else self._in(self.known, role, name)
        return found if found is not None else self._in(self.tree(), role, name)

    @staticmethod
    def _in(tree: list[tuple[str, str, Json]], role: str, name: str) -> int | None:
        for its_role, called, node in tree:
            if its_role == role and called.startswith(name):
                return int(node["backendDOMNodeId"])
        return None

    def names(self, role: str, *, within: str = "") -> list[str]:
        """What the nodes of this role are called, in order; `within` is the role they stand under."""
        tree = self.tree()
        inside = {
            child
            for its_role, _called, node in tree
            if its_role == within
            for child in node["childIds"]
        }
        return [
            called
            for its_role, called, node in tree
            if its_role == role and (not within or node["nodeId"] in inside)
        ]

    def state(self, role: str, name: str, key: str) -> Any:
        """A property of a node, such as whether it is selected."""
        for its_role, called, node in self.tree():
            if its_role == role and called.startswith(name):
                found = {row["name"]: row["value"].get("value") for row in node["properties"]}
                return found.get(key)
        pytest.fail(f"there is no {role} “{name}” in the accessibility tree")

    def go_to(self, role: str, name: str) -> None:
        found = self.find(role, name)
        if found is None:
            pytest.fail(f"there is no {role} “{name}” in the accessibility tree")
        self.link.send("DOM.focus", {"backendNodeId": found})

    def press(self, role: str, name: str) -> None:
        self.go_to(role, name)
        self.known = []
        with self.page.expect_navigation(timeout=60_000):
            self.page.keyboard.press("Enter")

    def act(self, role: str, name: str) -> None:
        """Press what changes this page and leads to no other."""
        self.go_to(role, name)
        self.known = []
        self.page.keyboard.press("Enter")

    def waits_for(self, role: str, name: str, *, gone: bool = False) -> None:
        deadline = time.monotonic() + 30
        while (self.find(role, name, now=True) is None) != gone:
            if time.monotonic() > deadline:
                pytest.fail(f"the {role} “{name}” {'stays' if gone else 'does not come'}")
            self.page.wait_for_timeout(20)

    def write(self, role: str, name: str, text: str) -> None:
        self.go_to(role, name)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, name: str, words: str) -> None:
        self.go_to("combobox", name)
        Keys(self.page).choose(words)

    def hears(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in " ".join(called for _role, called, _node in self.tree()):
            if time.monotonic() > deadline:
                pytest.fail(f"“{words}” is not said")
            self.page.wait_for_timeout(20)


def test_through_the_accessibility_tree_by_the_forms_on_a_phone(learner: Any) -> None:
    learner.page.set_viewport_size(SIZES["phone"])
    learner.open(f"{PAGE}?view=steps")
    reader = Reader(learner.page)
    begin = reader.find("button", "Begin with an empty map")
    reader.press("button", "Begin with an empty map" if begin else "Empty the map")
    last = ""
    for node in steps_in_order():
        reader.press("link", f"Add step after {last}" if last else "Add the first step")
        reader.write("textbox", "Name", node.name)
        reader.choose("What it is", what_it_is(node))
        if node.undoes:
            reader.choose("Takes back", TARGET.node(node.undoes).name)
        if reader.find("combobox", "Where it stands"):
            reader.choose("Where it stands", "nothing leads to it yet")
        reader.press("button", "Add step")
        reader.hears(f"Added “{node.name}”")
        last = node.name
        if node.retries is not None or node.patience_s is not None:
            settle(reader, node)
    for edge in TARGET.edges:
        source, target = TARGET.node(edge.src), TARGET.node(edge.dst)
        reader.press("link", f"Connect to … (from {source.name})")
        reader.choose("Leads to", f"{target.name} (")
        reader.choose("When a case goes there", how_words(edge))
        if edge.when:
            reader.write("textbox", "Or write the condition yourself", edge.when)
        if edge.most:
            reader.write("spinbutton", "The same case at most", str(edge.most))
        reader.press("button", "Connect")
        reader.hears(f"Connected “{source.name}” to “{target.name}”")
    learner.look("map-built-by-forms")

    is_the_refund_map(learner)


def settle(reader: Reader, node: Node) -> None:
    reader.press("link", f"Edit {node.name}")
    if node.retries is not None and node.backoff_s is not None:
        reader.write("spinbutton", "Tries again after a failure", str(node.retries))
        reader.write("textbox", "Waits before it tries again", duration_text(node.backoff_s))
    if node.patience_s is not None:
        reader.write("textbox", "Waits for an answer at most", duration_text(node.patience_s))
    reader.press("button", "Save")
    reader.hears(f"Changed “{node.name}”")


def test_through_the_accessibility_tree_on_the_drawing(learner: Any) -> None:
    learner.open(f"{PAGE}?view=canvas")
    reader = Reader(learner.page)
    reader.waits_for("button", "Add step")
    if reader.find("button", "Empty the map"):
        reader.act("button", "Empty the map")
    reader.hears("The map is empty.")
    for node in steps_in_order():
        reader.act("button", "Add step")
        in_dialog(reader, "Add a step")
        reader.write("textbox", "Name", node.name)
        reader.choose("What it is", what_it_is(node))
        if node.undoes:
            reader.choose("Takes back", labelled(TARGET.node(node.undoes)))
        if reader.find("combobox", "Where it stands"):
            reader.choose("Where it stands", "nothing leads to it yet")
        out_of_dialog(reader, "Add step", f"Added “{node.name}”")
        if node.retries is not None or node.patience_s is not None:
            settle_on_the_drawing(reader, node)
    for edge in TARGET.edges:
        source, target = TARGET.node(edge.src), TARGET.node(edge.dst)
        reader.go_to(
            "option", f"{source.name}, "
        )  # the step of the drawing that is to be connected
        reader.act("button", "Connect to …")
        in_dialog(reader, f"Connect “{source.name}” to …")
        reader.choose("Leads to", f"{target.name} (")
        reader.choose("When a case goes there", how_words(edge))
        if edge.when:
            reader.write("textbox", "Or write the condition yourself", edge.when)
        if edge.most:
            reader.write("textbox", "The same case at most", str(edge.most))
        out_of_dialog(reader, "Connect", f"Connected “{source.name}” to “{target.name}”")

    # Each step says what it is, where it comes from and where it leads.
    (drawing,) = reader.names("listbox")
    assert drawing.endswith(f"{len(TARGET.nodes)} steps")
    steps = reader.names("option", within="listbox")
    assert len(steps) == len(TARGET.nodes)
    assert (
        "Needs a human?, Gateway. from Policy check; when flagged or confidence < 0.80 or "
        "amount > 400 to Human review; otherwise to Pay refund." in steps
    )
    assert (
        "Pay refund, Tool. from Needs a human? and Review outcome; to Log and watch payment; "
        "on error to Escalate to Priya." in steps
    )
    # One of them is the stop of the Tab key and the chosen one: where the reader was last.
    reader.go_to("option", "Policy check, ")
    reader.waits_for("heading", "Policy check")
    assert reader.state("option", "Policy check, ", "selected") is True
    assert reader.state("option", "Human review, ", "selected") is False
    assert learner.page.locator("[role=option][tabindex='0']").count() == 1
    # What is sold is bought, and given back, in a dialog as well.
    reader.act("button", "What you buy")
    in_dialog(reader, "What you buy")
    reader.choose("Reviewer: how many people", "4 people")
    out_of_dialog(reader, "Save", "Changed what is bought")
    reader.act("button", "Undo")
    reader.hears("Undone: Changed what is bought.")
    learner.look("map-drawn-by-tree")

    is_the_refund_map(learner)


def in_dialog(reader: Reader, title: str) -> None:
    reader.waits_for("dialog", title)


def out_of_dialog(reader: Reader, deed: str, says: str) -> None:
    reader.act("button", deed)
    reader.hears(f"{says}.")


def settle_on_the_drawing(reader: Reader, node: Node) -> None:
    """The step that was just added is the chosen one."""
    reader.act("button", "Edit")
    in_dialog(reader, f"Edit “{node.name}”")
    if node.retries is not None and node.backoff_s is not None:
        reader.write("textbox", "Tries again after a failure", str(node.retries))
        reader.write("textbox", "Waits before it tries again", duration_text(node.backoff_s))
    if node.patience_s is not None:
        reader.write("textbox", "Waits for an answer at most", duration_text(node.patience_s))
    out_of_dialog(reader, "Save", f"Changed “{node.name}”")
